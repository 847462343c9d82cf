//! What accounts list, for those who ask for no plan: as remembered while that is young, else read.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::clock::age;
use crate::domain::{AccountName, Activity, Inventory, RemoteId, Unusable};
use crate::manifest::{Account, Filter};
use crate::plan::{BlockedReason, wants};

use super::accounts::{self, OpenAccount};
use super::error::EngineError;
use super::refresh::{self, Refresh};
use super::session::Session;

/// A listing that is older is read again.
pub(super) const YOUNG: Duration = Duration::from_secs(15 * 60);

/// How new a listing must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Younger than 15 minutes.
    Young,
    /// Read now.
    Now,
    /// As it was read last, however old; nothing is opened.
    Offline,
}

/// An account and what it lists.
pub struct Listing {
    /// The account; open only if it had to be.
    pub account: OpenAccount,
    /// What it lists.
    pub inventory: Inventory,
}

/// An account whose listing cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// Which.
    pub account: AccountName,
    /// What kind of reason.
    pub reason: BlockedReason,
    /// For people.
    pub message: String,
}

/// The listing of an account of the manifest.
pub async fn listing(
    session: &Session,
    account: &Account,
    freshness: Freshness,
) -> Result<Result<Listing, Unlisted>, EngineError> {
    let attempt = obtain(session, account, freshness).await?;
    let unlisted = |(reason, message)| Unlisted { account: account.name.clone(), reason, message };
    Ok(attempt.map_err(unlisted))
}

impl Listing {
    /// The activity of this id.
    pub fn find(&self, id: &RemoteId) -> Option<&Activity> {
        self.inventory.activities.iter().find(|activity| activity.id == *id)
    }

    /// What a filter wants of it, the newest first; those without a start last. What is no activity,
    /// or cannot be read as one, is not listed.
    pub fn newest(&self, filter: &Filter, today: Date) -> Vec<&Activity> {
        let is_one = |row: &&Activity| {
            !matches!(
                row.unusable,
                Some(
                    Unusable::NotAnActivity { .. }
                        | Unusable::Unopened { .. }
                        | Unusable::Unreadable { .. }
                )
            )
        };
        let rows = self.inventory.activities.iter().filter(is_one);
        let mut rows: Vec<&Activity> = rows.filter(|row| wants(filter, row, today)).collect();
        // None is less than any start, and so comes last.
        rows.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
        rows
    }

    /// Keeps what a person was shown, so that its rows can be named by their numbers.
    pub fn remember_shown(&self, session: &Session, ids: &[&RemoteId]) -> Result<(), EngineError> {
        Ok(session.store.save_shown(self.account.row, ids)?)
    }

    /// What a person was shown last; `None` if nothing ever was.
    pub fn shown(&self, session: &Session) -> Result<Option<Vec<RemoteId>>, EngineError> {
        Ok(session.store.shown(self.account.row)?)
    }

    fn is_young(&self, session: &Session) -> bool {
        let now = session.clock().now();
        self.inventory.is_whole()
            && self.inventory.refreshed_at.is_some_and(|at: Timestamp| {
                // One that was read in the future is of any age.
                at <= now && age(now, at) < YOUNG
            })
    }
}

type Attempt = Result<Listing, (BlockedReason, String)>;

async fn obtain(
    session: &Session,
    account: &Account,
    freshness: Freshness,
) -> Result<Attempt, EngineError> {
    // A folder is opened whenever that is allowed: it costs nothing, and the name may stand for
    // another folder today.
    let is_folder = shows_bytes(session, account);
    if freshness == Freshness::Offline || !is_folder {
        let known = match accounts::remembered(session, account)? {
            Ok(open) => recall(session, open)?.ok(),
            Err(_) => None,
        };
        if freshness == Freshness::Offline {
            return Ok(known.ok_or_else(|| {
                let message = "it has never been read";
                (BlockedReason::Unavailable, message.to_owned())
            }));
        }
        let young = known.filter(|known| freshness == Freshness::Young && known.is_young(session));
        if let Some(known) = young {
            return Ok(Ok(known));
        }
    }
    let open = match accounts::open_one(session, account).await? {
        Ok(open) => open,
        Err(reason) => return Ok(Err(reason)),
    };
    let open = match recall(session, open)? {
        Ok(known) if freshness == Freshness::Young && known.is_young(session) => {
            return Ok(Ok(known));
        }
        Ok(Listing { account, .. }) | Err(account) => account,
    };
    read(session, open).await
}

fn shows_bytes(session: &Session, account: &Account) -> bool {
    let spec = session.catalog.platform(&account.platform);
    spec.is_some_and(|spec| spec.capabilities.lists_bytes)
}

/// What an account listed when it was read last, or the account as it came.
fn recall(
    session: &Session,
    account: OpenAccount,
) -> Result<Result<Listing, OpenAccount>, EngineError> {
    Ok(match session.store.inventory(account.row)? {
        Some(inventory) => Ok(Listing { account, inventory }),
        None => Err(account),
    })
}

/// Reads an open account now.
pub(super) async fn read(session: &Session, account: OpenAccount) -> Result<Attempt, EngineError> {
    let inventory = refresh::read_one(session, &account, Refresh::Incremental).await?;
    Ok(inventory.map(|inventory| Listing { account, inventory }))
}
