//! One writer per destination, across all manifests that share a home or a state.
//!
//! The locks are taken before anything is settled or planned, so that a plan never rests on a world
//! that another run is about to change. They cover the destinations of all rules, of the saved plan,
//! and of the steps that an earlier run left open. A directory is locked by its place as well as by
//! its marker: the run that makes the marker began without one. What an interrupted run left half
//! written at a destination is removed as soon as it is locked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::archive::{AccountLocks, LockError, Owner};
use crate::domain::{AccountName, Profile, Sha256};
use crate::event::Event;
use crate::manifest::Account;
use crate::plan::Step;
use crate::platform::Platform;

use super::apply::orphans;
use super::error::{EngineError, whose};
use super::plan::Planned;
use super::session::Session;

/// How long to wait before another look.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How locks are asked for.
#[derive(Clone, Debug)]
pub struct LockRequest {
    /// Where their files lie: one folder of home, one of the state.
    pub folders: Vec<PathBuf>,
    /// Who asks.
    pub owner: Owner,
    /// How long to wait for others.
    pub patience: Duration,
    /// Destinations besides those of the rules.
    pub also: BTreeSet<AccountName>,
}

/// Takes the locks of every destination that an apply may write to. An account that cannot be
/// opened has none; its rules will be blocked.
pub async fn lock(session: &Session, request: &LockRequest) -> Result<AccountLocks, EngineError> {
    take(session, request, destinations(session, request)?).await
}

/// Takes the lock of one account of the manifest.
pub async fn lock_account(
    session: &Session,
    request: &LockRequest,
    account: &AccountName,
) -> Result<AccountLocks, EngineError> {
    take(session, request, session.manifest.accounts.get(account).into_iter().collect()).await
}

async fn take(
    session: &Session,
    request: &LockRequest,
    wanted: Vec<&Account>,
) -> Result<AccountLocks, EngineError> {
    let stopped = || EngineError::Interrupted;
    let asking = reach(session, wanted);
    let (accounts, platforms) = session.stop.race(asking).await.ok_or_else(stopped)?;
    let locks = wait(session, request, &accounts).await?;
    for platform in platforms {
        session.stop.race(platform.tidy()).await.ok_or_else(stopped)?;
    }
    Ok(locks)
}

/// The names to be locked with whom they stand for, and the open accounts.
async fn reach(
    session: &Session,
    wanted: Vec<&Account>,
) -> (BTreeMap<String, AccountName>, Vec<Arc<dyn Platform>>) {
    let (mut accounts, mut platforms) = (BTreeMap::new(), Vec::new());
    for account in wanted {
        let Ok(platform) = (session.open)(account, &session.opening) else { continue };
        let Ok(profile) = platform.whoami().await else { continue };
        accounts.extend(names_of(&profile).into_iter().map(|name| (name, account.name.clone())));
        platforms.push(platform);
    }
    (accounts, platforms)
}

async fn wait(
    session: &Session,
    request: &LockRequest,
    accounts: &BTreeMap<String, AccountName>,
) -> Result<AccountLocks, EngineError> {
    let names: BTreeSet<String> = accounts.keys().cloned().collect();
    let mut left = request.patience;
    let mut told = false;
    loop {
        let (name, owner) = match AccountLocks::take(&request.folders, &names, &request.owner) {
            Ok(locks) => return Ok(locks),
            Err(LockError::Held { name, owner }) => (name, owner),
            Err(error @ LockError::Io { .. }) => return Err(EngineError::Lock(error)),
        };
        let account = accounts.get(&name).cloned().unwrap_or_else(|| AccountName::new(name));
        if left.is_zero() {
            return Err(EngineError::Locked { account, owner });
        }
        if !told {
            let holder = whose(owner.as_ref());
            session.emit(Event::Waiting { account, holder });
            told = true;
        }
        // What was waited counts, whatever the clock shows.
        let pause = left.min(LOOK_EVERY);
        session.stop.sleep(session.clock(), pause).await;
        left -= pause;
        if session.stop.is_requested() {
            return Err(EngineError::Interrupted);
        }
    }
}

/// Refuses steps whose destination nobody was kept from, because it could not be opened before.
pub fn check_locks(
    locks: &AccountLocks,
    planned: &Planned,
    steps: &[Step],
) -> Result<(), EngineError> {
    let destinations: BTreeSet<&AccountName> =
        steps.iter().map(|step| &step.destination.account).collect();
    for name in destinations {
        if planned.profile(name).is_some_and(|profile| !covers(locks, profile)) {
            return Err(EngineError::NotLocked(name.clone()));
        }
    }
    Ok(())
}

/// Whether nobody else writes to an account.
pub(super) fn covers(locks: &AccountLocks, profile: &Profile) -> bool {
    locks.hold_any(&names_of(profile))
}

fn destinations<'a>(
    session: &'a Session,
    request: &LockRequest,
) -> Result<Vec<&'a Account>, EngineError> {
    let manifest = &session.manifest;
    let open: BTreeSet<_> =
        session.store.unsettled()?.iter().map(|record| record.step.destination).collect();
    let mut names: BTreeSet<&AccountName> =
        manifest.rules.iter().map(|rule| &rule.destination).collect();
    names.extend(manifest.accounts.keys().filter(|name| request.also.contains(*name)));
    let orphaned: BTreeSet<AccountName> =
        orphans::find(session)?.into_iter().map(|it| it.claim.destination.name).collect();
    for name in manifest.accounts.keys() {
        let stored = session.store.account_named(name)?;
        if orphaned.contains(name) || stored.is_some_and(|stored| open.contains(&stored.row)) {
            names.insert(name);
        }
    }
    Ok(names.into_iter().filter_map(|name| manifest.accounts.get(name)).collect())
}

fn names_of(profile: &Profile) -> Vec<String> {
    let hashed = |kind: &str, text: &str| {
        let digest = Sha256::of(format!("fit_sync/lock/1|{kind}|{text}").as_bytes());
        digest.as_str().chars().take(32).collect::<String>()
    };
    let id = profile.id.as_ref().map(|id| {
        let plain = id.as_str().chars().all(|c| c.is_ascii_alphanumeric());
        if plain { id.as_str().to_owned() } else { hashed("profile", id.as_str()) }
    });
    let place = profile.location.as_deref().map(|place| hashed("place", place));
    id.into_iter().chain(place).collect()
}
