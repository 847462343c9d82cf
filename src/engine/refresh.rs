//! Reads what the accounts hold into the memory.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use crate::clock::age;
use crate::domain::{AccountName, Activity, Coverage, Inventory, RemoteId};
use crate::event::Event;
use crate::plan::BlockedReason;
use crate::platform::{ListRequest, Page, Platform, PlatformError, Window};
use crate::state::Reading;

use super::accounts::{OpenAccount, Opened};
use super::cause::obstacle;
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
                if inventory.is_whole() && account.platform.is_some() {
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
    let is_first = before.is_none();
    let before = before.map(|inventory| inventory.activities).unwrap_or_default();
    let asked = session.store.asked_to_remove(account.row)?;
    let listed_before = before.iter().filter(|row| !asked.contains(&row.id)).count();
    let trusted = before.into_iter().filter(|_| refresh != Refresh::Full);
    let known: HashMap<RemoteId, Activity> =
        trusted.map(|activity| (activity.id.clone(), activity)).collect();
    let read =
        async || list_whole(session, account, platform.as_ref(), Window::default(), &known).await;
    let answer = match read().await {
        // Nobody knows yet whether there is anything.
        Ok(pages) if pages.rows.is_empty() && is_first && is_web(account) => read().await,
        answer => answer,
    };
    match answer {
        Ok(pages) if pages.rows.is_empty() && listed_before > 0 && is_web(account) => {
            let message = format!(
                "it lists nothing, though it listed {listed_before} activities before; if it is \
                 empty indeed: fit_sync clear-cache --activities-only --account {}",
                account.name
            );
            Ok(Err((BlockedReason::Unavailable, message)))
        }
        Ok(pages) => {
            let now = session.clock().now();
            let inventory = pages.inventory(now, &removed_lately(session, account)?);
            session.store.save_inventory(account.row, &inventory, Reading::Full, now)?;
            let (account, count) = (account.name.clone(), inventory.activities.len());
            session.emit(Event::Refreshed { account, count, complete: inventory.is_whole() });
            Ok(Ok(inventory))
        }
        Err(PlatformError::NotFound)
            if account.profile.id.is_none() && is_destination(session, &account.name) =>
        {
            // Apply makes the folder; until then there is nothing in it.
            let now = session.clock().now();
            let empty = Inventory::new(Vec::new(), true, Some(now));
            session.store.save_inventory(account.row, &empty, Reading::Full, now)?;
            Ok(Ok(Inventory { read: Coverage::Whole, ..empty }))
        }
        Err(error) => Ok(Err(obstacle(&error))),
    }
}

/// Returns whether an account is asked over the network: that it empties all at once is less likely
/// than an answer that lacks everything. What it listed before stays known.
fn is_web(account: &OpenAccount) -> bool {
    account.profile.location.is_none()
}

fn is_destination(session: &Session, account: &AccountName) -> bool {
    session.manifest.rules.iter().any(|rule| rule.destination == *account)
}

/// Lists everything, or some days. Where rows moved between the pages a second reading tells: it is
/// steady, or it agrees with the first, or something is missing.
async fn list_whole(
    session: &Session,
    account: &OpenAccount,
    platform: &dyn Platform,
    window: Window,
    known: &HashMap<RemoteId, Activity>,
) -> Result<Pages, PlatformError> {
    let first = list_pages(session, account, platform, window, known).await?;
    if !(first.complete && first.moved) {
        return Ok(first);
    }
    let mut second = list_pages(session, account, platform, window, known).await?;
    second.complete &= !second.moved || second.rows == first.rows;
    Ok(second)
}

/// Reads some days of an account row by row.
pub(super) async fn read_window(
    session: &Session,
    account: &OpenAccount,
    window: Window,
    known: &HashMap<RemoteId, Activity>,
) -> Result<Result<Inventory, PlatformError>, EngineError> {
    let platform = account.platform.as_deref().ok_or(PlatformError::Unsupported);
    let pages = match platform {
        Ok(platform) => list_whole(session, account, platform, window, known).await,
        Err(error) => Err(error),
    };
    let removed = removed_lately(session, account)?;
    Ok(pages.map(|pages| pages.inventory(session.clock().now(), &removed)))
}

/// What runs have removed from an account so lately that it may list it still.
fn removed_lately(
    session: &Session,
    account: &OpenAccount,
) -> Result<HashSet<RemoteId>, EngineError> {
    let (now, settling) = (session.clock().now(), account.settling(session));
    let removed = session.store.removed(account.row)?.into_iter();
    let lately = removed.filter(|(_, at)| age(now, *at) < settling);
    Ok(lately.map(|(id, _)| id).collect())
}

/// All pages as they came.
struct Pages {
    rows: Vec<Activity>,
    /// Whether the platform says that it read everything.
    complete: bool,
    /// What all pages together were read of.
    read: Coverage,
    /// Whether the total moved between pages, or is not the number of activities.
    moved: bool,
}

impl Pages {
    /// Returns the activities, each once; what was just removed may be listed still.
    fn inventory(self, now: Timestamp, removed: &HashSet<RemoteId>) -> Inventory {
        let mut ids: HashSet<RemoteId> = HashSet::new();
        let rows = self.rows.into_iter().filter(|row| !removed.contains(&row.id));
        let rows = rows.filter(|row| ids.insert(row.id.clone())).collect();
        Inventory { read: self.read, ..Inventory::new(rows, self.complete, Some(now)) }
    }
}

async fn list_pages(
    session: &Session,
    account: &OpenAccount,
    platform: &dyn Platform,
    window: Window,
    known: &HashMap<RemoteId, Activity>,
) -> Result<Pages, PlatformError> {
    let mut pages = Pages { rows: Vec::new(), complete: true, read: Coverage::Whole, moved: false };
    let policy = retry::policy(session);
    let mut total = None;
    let mut next = None;
    loop {
        let page: Page = retry::read(&policy, async || {
            let request = ListRequest { window, page: next.clone(), known };
            platform.list(request).await
        })
        .await?;
        pages.complete &= page.complete;
        pages.read = pages.read.weaker(page.read);
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
