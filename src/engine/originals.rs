//! Originals by way of the cache, which plan, apply and download share, so that no file is fetched
//! twice. A backup never comes from here: it is downloaded when it is made.
//!
//! An account that shows the bytes with its listing (a folder) is read where it is: copies of its
//! files would only take room. `download` keeps them all the same, since a copy is what it is for.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::archive::{Cache, Entry, Item};
use crate::domain::{AccountName, Activity, Content, Note, ProfileId, RemoteId, Sha256};
use crate::event::Event;
use crate::state::Store;

use super::accounts::OpenAccount;
use super::error::EngineError;
use super::session::Session;

const DAY: u64 = 24 * 3600;

/// The cached bytes of an activity, as its account lists it now.
pub(super) fn cached(
    session: &Session,
    account: &OpenAccount,
    activity: &Activity,
) -> Option<Vec<u8>> {
    if account.capabilities.lists_bytes {
        return None;
    }
    Some(cache(session).get(item(account, activity))?.bytes)
}

/// Keeps the verified bytes of an activity. An account's work does not depend on it.
pub(super) fn keep(session: &Session, account: &OpenAccount, activity: &Activity, bytes: &[u8]) {
    if account.capabilities.lists_bytes {
        return;
    }
    if let Err(error) = put(session, account, activity, bytes) {
        let note = Note {
            subject: activity.id.to_string(),
            message: format!("not kept in the cache: {error}"),
        };
        session.emit(Event::Noted { account: account.name.clone(), note });
    }
}

/// Keeps the verified bytes of an activity, and says where.
pub(super) fn put(
    session: &Session,
    account: &OpenAccount,
    activity: &Activity,
    bytes: &[u8],
) -> std::io::Result<PathBuf> {
    cache(session).put(item(account, activity), bytes, session.clock().now())
}

/// The cache of this run.
pub(super) fn cache(session: &Session) -> Cache {
    Cache::new(&session.places.cache)
}

/// An activity of an open account, as the cache is asked for it.
pub(super) fn item<'a>(account: &'a OpenAccount, activity: &'a Activity) -> Item<'a> {
    Item { account: &account.name, profile: &account.profile, activity }
}

/// Whether bytes are as the listing says: the same hash, or the same time where no hash is listed.
/// An athlete may have edited the listing; then only a second look tells whose bytes they are.
pub(super) fn fit_the_listing(activity: &Activity, bytes: &[u8], content: &Content) -> bool {
    if let Some(listed) = &activity.sha256 {
        return *listed == Sha256::of(bytes);
    }
    let key = content.key().map(|(key, _)| key);
    match activity.interval().zip(key.and_then(|key| key.interval())) {
        Some((listed, there)) => listed.overlap_permille(&there) >= 800,
        None => activity.start == key.map(|key| key.start),
    }
}

/// Drops what is older than the manifest's `cache.max_age_days` and not needed by a step under way.
pub(super) fn prune(session: &Session) -> Result<(), EngineError> {
    let days = u64::from(session.manifest.cache.max_age_days);
    let now = session.clock().now();
    let before = now.saturating_sub(Duration::from_secs(days * DAY)).unwrap_or(Timestamp::MIN);
    let needed = Needed::of(&session.store)?;
    cache(session).prune(before, |entry| needed.has(entry));
    Ok(())
}

/// What steps that are not over yet send: kept, whatever else goes.
pub(super) struct Needed {
    profiles: HashSet<(ProfileId, RemoteId)>,
    accounts: HashSet<(AccountName, RemoteId)>,
}

impl Needed {
    /// What the journal's open steps need.
    pub(super) fn of(store: &Store) -> Result<Self, EngineError> {
        let known = store.accounts()?;
        let mut needed = Self { profiles: HashSet::new(), accounts: HashSet::new() };
        for record in store.unsettled()? {
            let (row, id) = (record.step.source, record.step.source_id);
            if let Some(account) = known.iter().find(|account| account.row == row) {
                let profile = account.profile.clone();
                needed.profiles.extend(profile.map(|profile| (profile, id.clone())));
                needed.accounts.insert((account.name.clone(), id));
            }
        }
        Ok(needed)
    }

    /// Whether a file of the cache is among it.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        let by_profile =
            |profile: &ProfileId| self.profiles.contains(&(profile.clone(), entry.id.clone()));
        entry.profile.as_ref().is_some_and(by_profile)
            || self.accounts.contains(&(entry.account.clone(), entry.id.clone()))
    }
}
