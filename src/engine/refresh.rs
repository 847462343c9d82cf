//! Reads what the accounts hold into the memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{AccountName, Activity, Inventory, RemoteId};
use crate::event::Event;
use crate::plan::BlockedReason;
use crate::platform::{ListRequest, Page, Platform, PlatformError, Window};
use crate::state::Reading;

use super::accounts::{OpenAccount, Opened, obstacle};
use super::error::EngineError;
use super::session::Session;

/// How much is read before planning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// What is new.
    Incremental,
    /// Everything, trusting nothing that is known.
    Full,
    /// Nothing: what was read last is used, and no session is opened.
    None,
}

/// Reads every open account; those that cannot be read become blocked.
pub(super) async fn read_all(
    session: &Session,
    opened: &mut Opened,
    refresh: Refresh,
) -> Result<BTreeMap<AccountName, Inventory>, EngineError> {
    let mut inventories = BTreeMap::new();
    let mut unreadable = Vec::new();
    for (name, account) in &opened.accounts {
        match read_one(session, account, refresh).await? {
            Ok(inventory) => {
                inventories.insert(name.clone(), inventory);
            }
            Err(reason) => unreadable.push((name.clone(), reason)),
        }
    }
    for (name, reason) in unreadable {
        opened.accounts.remove(&name);
        opened.blocked.insert(name, reason);
    }
    Ok(inventories)
}

type Attempt = Result<Inventory, (BlockedReason, String)>;

/// Reads one account and keeps what was read.
pub(super) async fn read_one(
    session: &Session,
    account: &OpenAccount,
    refresh: Refresh,
) -> Result<Attempt, EngineError> {
    let before = session.store.inventory(account.row)?;
    let Some(platform) = account.platform.as_ref() else {
        let message = "it has never been read; plan once without --refresh none";
        return Ok(before.ok_or((BlockedReason::Unavailable, message.to_owned())));
    };
    let known: HashMap<RemoteId, Activity> = match refresh {
        Refresh::Full => HashMap::new(),
        Refresh::Incremental | Refresh::None => before
            .map(|inventory| inventory.activities)
            .unwrap_or_default()
            .into_iter()
            .map(|activity| (activity.id.clone(), activity))
            .collect(),
    };
    match list_all(session, account, platform.as_ref(), &known).await {
        Ok((activities, complete)) => {
            let now = session.clock().now();
            let inventory = Inventory::new(activities, complete, Some(now));
            session
                .store
                .save_inventory(account.row, &inventory, Reading::Full, now)?;
            let (account, count) = (account.name.clone(), inventory.activities.len());
            session.emit(Event::Refreshed {
                account,
                count,
                complete,
            });
            Ok(Ok(inventory))
        }
        Err(PlatformError::NotFound) if is_destination(session, &account.name) => {
            // Apply makes the folder; until then there is nothing in it.
            Ok(Ok(Inventory::new(
                Vec::new(),
                true,
                Some(session.clock().now()),
            )))
        }
        Err(error) => Ok(Err(obstacle(&error))),
    }
}

fn is_destination(session: &Session, account: &AccountName) -> bool {
    session
        .manifest
        .rules
        .iter()
        .any(|rule| rule.destination == *account)
}

/// All pages, each activity once. A total that moves between pages makes the reading incomplete.
async fn list_all(
    session: &Session,
    account: &OpenAccount,
    platform: &dyn Platform,
    known: &HashMap<RemoteId, Activity>,
) -> Result<(Vec<Activity>, bool), PlatformError> {
    let mut activities: Vec<Activity> = Vec::new();
    let mut ids: HashSet<RemoteId> = HashSet::new();
    let mut complete = true;
    let mut total = None;
    let mut next = None;
    loop {
        let request = ListRequest {
            window: Window::default(),
            page: next,
            known,
        };
        let page: Page = platform.list(request).await?;
        complete &= page.complete && (total.is_none() || page.total == total);
        total = page.total;
        for note in page.notes {
            session.emit(Event::Noted {
                account: account.name.clone(),
                note,
            });
        }
        activities.extend(
            page.activities
                .into_iter()
                .filter(|row| ids.insert(row.id.clone())),
        );
        let read = activities.len();
        session.emit(Event::Reading {
            account: account.name.clone(),
            read,
        });
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    complete &= total.is_none_or(|total| total == activities.len() as u64);
    Ok((activities, complete))
}
