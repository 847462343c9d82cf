//! Fetches originals whose content a plan needs to know, and keeps the facts.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::domain::{
    AccountName, Activity, Address, Content, Fingerprint, Inventory, Note, Refusal, RefusalReason,
    RefusalStanding, RemoteId, Sha256, Unusable,
};
use crate::event::Event;
use crate::fit;
use crate::plan::{BlockedReason, ByAccount, Comparison, Memory};
use crate::platform::{Original, PlatformError};

use super::accounts::{OpenAccount, Opened};
use super::cause::obstacle;
use super::error::EngineError;
use super::originals;
use super::retry::MAX_TRANSIENT;
use super::session::Session;

/// A pair whose originals could not be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncompared {
    /// The pair's address.
    pub address: Address,
    /// The account that gave no usable original.
    pub account: AccountName,
    /// Why not, for people.
    pub message: String,
    /// What kind of obstacle it was.
    pub cause: BlockedReason,
    /// What is remembered of it, if the account says that there is no usable original.
    pub refusal: Option<Refusal>,
    /// From which account to which the refusal holds: of a destination's own activity, to itself.
    pub between: (AccountName, AccountName),
}

impl Uncompared {
    /// Whether a run that found this did not do its work: always, but for a refusal that was found
    /// on an earlier day already.
    pub fn is_fault(&self) -> bool {
        self.refusal.as_ref().is_none_or(Refusal::is_first_look)
    }
}

/// What a comparison reads and learns.
pub(super) struct Comparing<'a> {
    pub(super) session: &'a Session,
    pub(super) today: Date,
    pub(super) opened: &'a Opened,
    pub(super) inventories: &'a ByAccount<Inventory>,
    pub(super) memory: &'a mut Memory,
}

/// What came of comparisons.
#[derive(Default)]
pub(super) struct Compared {
    /// The pairs of which one original could not be read.
    pub(super) uncompared: Vec<Uncompared>,
    /// Whether as many were fetched as may be, so that others wait for later plans.
    pub(super) is_cut: bool,
}

impl Compared {
    /// The number of pairs that wait for later plans because of the limit.
    pub(super) fn left_by_limit(&self, left: &[Comparison]) -> usize {
        let is_tried =
            |address: &Address| self.uncompared.iter().any(|pair| pair.address == *address);
        let untried = left.iter().filter(|pair| self.is_cut && !is_tried(&pair.address));
        untried.count()
    }
}

/// Fetches at most `most` originals for these comparisons. The memory learns their facts.
pub(super) async fn compare(
    with: &mut Comparing<'_>,
    comparisons: &[Comparison],
    most: usize,
) -> Result<Compared, EngineError> {
    let mut fetched = 0;
    let mut trouble = Trouble::default();
    let mut uncompared = Vec::new();
    for (done, comparison) in comparisons.iter().enumerate() {
        with.session.emit(Event::Comparing { done, of: comparisons.len() });
        for side in [&comparison.source, &comparison.destination] {
            let (account, id, fingerprint) = side;
            let Some(activity) = find(with.inventories, account, id) else {
                continue;
            };
            let is_known = with.memory.content(account, activity).is_some();
            if is_known || trouble.is_closed(account) || with.was_looked_at(account, activity) {
                continue;
            }
            if fetched == most {
                return Ok(Compared { uncompared, is_cut: true });
            }
            fetched += 1;
            match fetch(with.session, with.opened, account, activity, &mut trouble).await {
                Ok(None) => {}
                Ok(Some(content)) => with.learn((account, id, fingerprint), content)?,
                Err(unread) => uncompared.push(with.note(comparison, account, activity, unread)),
            }
        }
    }
    Ok(Compared { uncompared, is_cut: false })
}

impl Comparing<'_> {
    /// Whether a destination's activity was looked at today, and had no usable original.
    fn was_looked_at(&self, account: &AccountName, activity: &Activity) -> bool {
        let refusal = self.memory.refusal(account, account, activity);
        refusal
            .is_some_and(|refusal| refusal.standing(self.today) == RefusalStanding::LookedAtToday)
    }

    /// Remembers the facts of an original.
    fn learn(
        &mut self,
        (account, id, fingerprint): (&AccountName, &RemoteId, &Fingerprint),
        content: Content,
    ) -> Result<(), EngineError> {
        if let Some(open) = self.opened.accounts.get(account) {
            self.session.store.save_content(open.row, id, fingerprint, &content)?;
        }
        let known = self.memory.contents.entry(account.clone()).or_default();
        known.insert((id.clone(), fingerprint.clone()), content);
        Ok(())
    }

    /// Tells that an original could not be read; a missing or broken one is remembered with its date.
    fn note(
        &mut self,
        comparison: &Comparison,
        account: &AccountName,
        activity: &Activity,
        Unread { message, cause, reason, .. }: Unread,
    ) -> Uncompared {
        let subject = activity.id.to_string();
        let note = Note { subject, message: format!("not compared: {message}") };
        self.session.emit(Event::Noted { account: account.clone(), note });
        let between = (account.clone(), comparison.destination.0.clone());
        let now = self.session.clock().now();
        let refusal = reason.map(|reason| {
            let (id, fingerprint) = (activity.id.clone(), activity.fingerprint.clone());
            let found = Refusal::found(id, fingerprint, reason, message.as_str(), now);
            self.memory.note_refusal(&between.0, &between.1, found)
        });
        let (address, account) = (comparison.address.clone(), account.clone());
        Uncompared { address, account, message, cause, refusal, between }
    }
}

/// Why an original could not be read.
struct Unread {
    message: String,
    cause: BlockedReason,
    /// If the account says that there is no usable one.
    reason: Option<RefusalReason>,
    /// The hash of what came, if that is no usable file.
    broken: Option<Sha256>,
}

impl Unread {
    /// What two looks at a broken download prove: that it is broken, if they agree.
    fn after(self, again: &Self) -> Self {
        let agree = self.broken == again.broken;
        Self { reason: agree.then_some(RefusalReason::Unreadable), ..self }
    }
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

/// The facts of an activity's original; none where its account is not open.
async fn fetch(
    session: &Session,
    opened: &Opened,
    account: &AccountName,
    activity: &Activity,
    trouble: &mut Trouble,
) -> Result<Option<Content>, Unread> {
    let Some(open) = opened.accounts.get(account) else { return Ok(None) };
    let Some(platform) = open.platform.as_ref() else { return Ok(None) };
    if let Some(content) = cached(session, open, activity) {
        return Ok(Some(content));
    }
    let answer = platform.download(activity).await;
    trouble.note(account, &answer);
    let (bytes, content) = match read(answer) {
        // One look at a broken download proves nothing; two that agree do.
        Err(unread) if unread.broken.is_some() => {
            let again = platform.download(activity).await;
            trouble.note(account, &again);
            read(again).map_err(|again| unread.after(&again))?
        }
        first => first?,
    };
    if originals::fit_the_listing(activity, &bytes, &content) {
        originals::keep(session, open, activity, &bytes);
    }
    Ok(Some(content))
}

/// A download's bytes and what is in them.
fn read(answer: Result<Original, PlatformError>) -> Result<(Vec<u8>, Content), Unread> {
    let bytes = answer.map_err(|error| unread(&error))?.bytes;
    let content = fit::read(&bytes).map_err(|unusable| Unread {
        message: unreadable(&unusable),
        cause: BlockedReason::Failed,
        reason: None,
        broken: Some(Sha256::of(&bytes)),
    })?;
    Ok((bytes, content))
}

fn unread(error: &PlatformError) -> Unread {
    let cause = BlockedReason::Failed;
    match error {
        PlatformError::NotFound => {
            let reason = Some(RefusalReason::NoOriginal);
            Unread { message: "has no original".to_owned(), cause, reason, broken: None }
        }
        PlatformError::Broken { problem, sha256 } => {
            let broken = Some(sha256.clone());
            Unread { message: problem.clone(), cause, reason: None, broken }
        }
        other => {
            let cause = obstacle(other).0;
            Unread { message: other.to_string(), cause, reason: None, broken: None }
        }
    }
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
        Unusable::Unreadable { detail }
        | Unusable::Unopened { detail }
        | Unusable::NotAnActivity { detail } => detail.clone(),
        Unusable::ClockNotSet => "its clock was not set".to_owned(),
        Unusable::SeveralActivities => "holds several activities".to_owned(),
    }
}
