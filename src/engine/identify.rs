//! Fetches originals whose content a plan needs to know, and keeps the facts.

use std::collections::BTreeMap;

use crate::domain::{AccountName, Activity, Content, Fingerprint, Inventory, RemoteId, Unusable};
use crate::event::Event;
use crate::fit;
use crate::plan::{ByAccount, Comparison, Memory};
use crate::platform::{Original, PlatformError};

use super::accounts::{OpenAccount, Opened};
use super::error::EngineError;
use super::originals;
use super::retry::MAX_TRANSIENT;
use super::session::Session;

/// Fetches at most `most` originals for these comparisons; says whether the memory has learned
/// anything. What cannot be fetched now stays uncompared.
pub(super) async fn compare(
    session: &Session,
    opened: &Opened,
    inventories: &ByAccount<Inventory>,
    memory: &mut Memory,
    comparisons: &[Comparison],
    most: usize,
) -> Result<bool, EngineError> {
    let mut fetched = 0;
    let mut trouble = Trouble::default();
    for (done, comparison) in comparisons.iter().enumerate() {
        session.emit(Event::Comparing { done, of: comparisons.len() });
        for side in [&comparison.source, &comparison.destination] {
            let (account, id, fingerprint) = side;
            let Some(activity) = find(inventories, account, id) else {
                continue;
            };
            if memory.content(account, activity).is_some() || trouble.is_closed(account) {
                continue;
            }
            if fetched == most {
                return Ok(fetched > 0);
            }
            fetched += 1;
            let content = fetch(session, opened, account, activity, &mut trouble).await?;
            if let Some(content) = content {
                learn(session, opened, memory, (account, id, fingerprint), content)?;
            }
        }
    }
    Ok(fetched > 0)
}

/// How often in a row each account could not give a file.
#[derive(Default)]
struct Trouble(BTreeMap<AccountName, u32>);

impl Trouble {
    /// Whether an account is asked for nothing more: every further request would only make it worse.
    fn is_closed(&self, account: &AccountName) -> bool {
        self.0.get(account).is_some_and(|times| *times >= MAX_TRANSIENT)
    }

    fn note(&mut self, account: &AccountName, answer: &Result<Original, PlatformError>) {
        let times = self.0.entry(account.clone()).or_default();
        *times = match answer {
            Err(PlatformError::Auth(_) | PlatformError::Throttled(_)) => MAX_TRANSIENT,
            Err(
                PlatformError::Transient(_)
                | PlatformError::Unavailable(_)
                | PlatformError::RateLimited { .. },
            ) => *times + 1,
            Ok(_) | Err(_) => 0,
        };
    }
}

fn find<'a>(
    inventories: &'a ByAccount<Inventory>,
    account: &AccountName,
    id: &RemoteId,
) -> Option<&'a Activity> {
    inventories.get(account)?.activities.iter().find(|activity| activity.id == *id)
}

async fn fetch(
    session: &Session,
    opened: &Opened,
    account: &AccountName,
    activity: &Activity,
    trouble: &mut Trouble,
) -> Result<Option<Content>, EngineError> {
    let Some(open) = opened.accounts.get(account) else { return Ok(None) };
    let Some(platform) = open.platform.as_ref() else { return Ok(None) };
    if let Some(content) = cached(session, open, activity) {
        return Ok(Some(content));
    }
    let answer = platform.download(activity).await;
    trouble.note(account, &answer);
    let problem = match answer {
        Ok(original) => match fit::read(&original.bytes) {
            Ok(content) => {
                if originals::fit_the_listing(activity, &original.bytes, &content) {
                    originals::keep(session, open, activity, &original.bytes);
                }
                return Ok(Some(content));
            }
            Err(unusable) => unreadable(&unusable),
        },
        Err(PlatformError::NotFound) => "has no original".to_owned(),
        Err(error) => error.to_string(),
    };
    let note = crate::domain::Note {
        subject: activity.id.to_string(),
        message: format!("not compared: {problem}"),
    };
    session.emit(Event::Noted { account: account.clone(), note });
    Ok(None)
}

/// The facts of a cached file, if it is surely the activity's.
fn cached(session: &Session, open: &OpenAccount, activity: &Activity) -> Option<Content> {
    let bytes = originals::cached(session, open, activity)?;
    let content = fit::read(&bytes).ok()?;
    originals::fit_the_listing(activity, &bytes, &content).then_some(content)
}

fn unreadable(unusable: &Unusable) -> String {
    match unusable {
        Unusable::NoOriginal => "has no original".to_owned(),
        Unusable::Unreadable { detail } | Unusable::NotAnActivity { detail } => detail.clone(),
        Unusable::ClockNotSet => "its clock was not set".to_owned(),
        Unusable::SeveralActivities => "holds several activities".to_owned(),
    }
}

fn learn(
    session: &Session,
    opened: &Opened,
    memory: &mut Memory,
    (account, id, fingerprint): (&AccountName, &RemoteId, &Fingerprint),
    content: Content,
) -> Result<(), EngineError> {
    if let Some(open) = opened.accounts.get(account) {
        session.store.save_content(open.row, id, fingerprint, &content)?;
    }
    let known = memory.contents.entry(account.clone()).or_default();
    known.insert((id.clone(), fingerprint.clone()), content);
    Ok(())
}
