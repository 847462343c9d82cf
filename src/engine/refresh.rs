//! Reads what the accounts hold into the memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{AccountName, Activity, Inventory, RemoteId};
use crate::event::Event;
use crate::plan::BlockedReason;
use crate::platform::{ListRequest, Page, Platform, PlatformError, Window};
use crate::state::Reading;

use super::accounts::{OpenAccount, Opened, obstacle};
use super::error::EngineError;
use super::retry;
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
                if inventory.complete && account.platform.is_some() {
                    session.store.count_full_read(account.row)?;
                }
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
    match list_whole(session, account, platform.as_ref(), &known).await {
        Ok((activities, complete)) => {
            let now = session.clock().now();
            let inventory = Inventory::new(activities, complete, Some(now));
            session.store.save_inventory(account.row, &inventory, Reading::Full, now)?;
            let (account, count) = (account.name.clone(), inventory.activities.len());
            session.emit(Event::Refreshed { account, count, complete });
            Ok(Ok(inventory))
        }
        Err(PlatformError::NotFound)
            if account.profile.id.is_none() && is_destination(session, &account.name) =>
        {
            // Apply makes the folder; until then there is nothing in it.
            Ok(Ok(Inventory::new(Vec::new(), true, Some(session.clock().now()))))
        }
        Err(error) => Ok(Err(obstacle(&error))),
    }
}

fn is_destination(session: &Session, account: &AccountName) -> bool {
    session.manifest.rules.iter().any(|rule| rule.destination == *account)
}

/// Everything, each activity once, and whether it is all. Where rows moved between the pages a second
/// reading tells: it is steady, or it agrees with the first, or something is missing.
async fn list_whole(
    session: &Session,
    account: &OpenAccount,
    platform: &dyn Platform,
    known: &HashMap<RemoteId, Activity>,
) -> Result<(Vec<Activity>, bool), PlatformError> {
    let first = list_pages(session, account, platform, known).await?;
    if !(first.complete && first.moved) {
        let complete = first.complete;
        return Ok((first.unique(), complete));
    }
    let second = list_pages(session, account, platform, known).await?;
    let complete = second.complete && (!second.moved || second.rows == first.rows);
    Ok((second.unique(), complete))
}

/// All pages as they came.
struct Pages {
    rows: Vec<Activity>,
    /// Whether the platform says that it read everything.
    complete: bool,
    /// Whether the total moved between pages, or is not the number of activities.
    moved: bool,
}

impl Pages {
    fn unique(self) -> Vec<Activity> {
        let mut ids: HashSet<RemoteId> = HashSet::new();
        self.rows.into_iter().filter(|row| ids.insert(row.id.clone())).collect()
    }
}

async fn list_pages(
    session: &Session,
    account: &OpenAccount,
    platform: &dyn Platform,
    known: &HashMap<RemoteId, Activity>,
) -> Result<Pages, PlatformError> {
    let mut pages = Pages { rows: Vec::new(), complete: true, moved: false };
    let policy = retry::policy(session);
    let mut total = None;
    let mut next = None;
    loop {
        let page: Page = retry::read(&policy, async || {
            let request = ListRequest { window: Window::default(), page: next.clone(), known };
            platform.list(request).await
        })
        .await?;
        pages.complete &= page.complete;
        pages.moved |= total.is_some() && page.total != total;
        total = page.total;
        for note in page.notes {
            session.emit(Event::Noted { account: account.name.clone(), note });
        }
        pages.rows.extend(page.activities);
        let read = pages.rows.len();
        session.emit(Event::Reading { account: account.name.clone(), read });
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    let ids: HashSet<&RemoteId> = pages.rows.iter().map(|row| &row.id).collect();
    pages.moved |= ids.len() < pages.rows.len();
    pages.moved |= total.is_some_and(|total| total != ids.len() as u64);
    Ok(pages)
}
