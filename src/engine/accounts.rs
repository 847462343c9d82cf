//! Opens the accounts of the rules and finds out whose they are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{AccountName, Capabilities, Profile, ProfileId};
use crate::manifest::{Account, Manifest};
use crate::plan::BlockedReason;
use crate::platform::Platform;
use crate::state::{AccountRow, StoredAccount};

use super::cause::obstacle;
use super::error::EngineError;
use super::refresh::Refresh;
use super::session::Session;

/// An account that can be used.
pub struct OpenAccount {
    /// Its name.
    pub name: AccountName,
    /// Platform id.
    pub platform_id: String,
    /// Region id.
    pub region: Option<String>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Its open platform; `None` where nothing was opened (`--refresh none`).
    pub platform: Option<Arc<dyn Platform>>,
    /// Whose it is.
    pub profile: Profile,
    /// Its row in the memory.
    pub row: AccountRow,
}

impl OpenAccount {
    /// How long it may need to show what it took or to forget what it deleted.
    pub(super) fn settling(&self, session: &Session) -> Duration {
        let own = session.manifest.accounts.get(&self.name).and_then(|account| account.settle_s);
        Duration::from_secs(own.unwrap_or(self.capabilities.settle_s))
    }
}

/// The accounts of a run.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) accounts: BTreeMap<AccountName, OpenAccount>,
    pub(super) blocked: BTreeMap<AccountName, (BlockedReason, String)>,
}

/// Opens every account that a rule names; those that cannot be opened are blocked.
pub(super) async fn open_all(session: &Session, refresh: Refresh) -> Result<Opened, EngineError> {
    let mut opened = Opened::default();
    for account in accounts_of(&session.manifest) {
        let result = match refresh {
            Refresh::None => remembered(session, account)?,
            Refresh::Incremental | Refresh::Full => open_one(session, account).await?,
        };
        match result {
            Ok(open) => {
                opened.accounts.insert(account.name.clone(), open);
            }
            Err(reason) => {
                opened.blocked.insert(account.name.clone(), reason);
            }
        }
    }
    check_pairs(&session.manifest, &opened)?;
    check_names(&opened)?;
    Ok(opened)
}

/// Opens one more account of the manifest, whether or not a rule names it.
pub(super) async fn open_named(
    session: &Session,
    name: &AccountName,
    opened: &mut Opened,
) -> Result<(), EngineError> {
    if opened.accounts.contains_key(name) || opened.blocked.contains_key(name) {
        return Ok(());
    }
    let Some(account) = session.manifest.accounts.get(name) else {
        let reason = (BlockedReason::Failed, "the manifest has no such account".to_owned());
        opened.blocked.insert(name.clone(), reason);
        return Ok(());
    };
    match open_one(session, account).await? {
        Ok(open) => {
            opened.accounts.insert(name.clone(), open);
        }
        Err(reason) => {
            opened.blocked.insert(name.clone(), reason);
        }
    }
    Ok(())
}

fn accounts_of(manifest: &Manifest) -> Vec<&Account> {
    let names: BTreeSet<&AccountName> =
        manifest.rules.iter().flat_map(|rule| [&rule.source, &rule.destination]).collect();
    names.into_iter().filter_map(|name| manifest.accounts.get(name)).collect()
}

pub(super) type Attempt = Result<OpenAccount, (BlockedReason, String)>;

pub(super) async fn open_one(session: &Session, account: &Account) -> Result<Attempt, EngineError> {
    let platform = match (session.open)(account, &session.opening) {
        Ok(platform) => platform,
        Err(error) => return Ok(Err((BlockedReason::Unsupported, error.to_string()))),
    };
    let profile = match platform.whoami().await {
        Ok(profile) => profile,
        Err(error) => return Ok(Err(obstacle(&error))),
    };
    if let Some(lost) = lost_marker(session, &profile)? {
        return Ok(Err(lost));
    }
    let row = remember(session, account, &profile)?;
    Ok(Ok(OpenAccount {
        name: account.name.clone(),
        platform_id: account.platform.clone(),
        region: account.region.clone(),
        capabilities: platform.capabilities(),
        platform: Some(platform),
        profile,
        row,
    }))
}

pub(super) fn remember(
    session: &Session,
    account: &Account,
    profile: &Profile,
) -> Result<AccountRow, EngineError> {
    let region = account.region.as_deref();
    Ok(session.store.account(&account.name, &account.platform, region, profile)?)
}

/// A place that is known with a marker and shows none now.
fn lost_marker(
    session: &Session,
    profile: &Profile,
) -> Result<Option<(BlockedReason, String)>, EngineError> {
    let (None, Some(location)) = (&profile.id, &profile.location) else {
        return Ok(None);
    };
    let known: Option<ProfileId> = session.store.known_marker(location)?;
    Ok(known.map(|_| {
        let message = "the folder does not carry its marker .fit_sync-id (is its disk mounted?)";
        (BlockedReason::MarkerMissing, message.to_owned())
    }))
}

/// What the memory knows of an account, without opening it.
pub(super) fn remembered(session: &Session, account: &Account) -> Result<Attempt, EngineError> {
    let spec = session.catalog.platform(&account.platform);
    let stored = session.store.account_named(&account.name)?;
    let same = |stored: &StoredAccount| {
        stored.platform == account.platform && stored.region == account.region
    };
    let stored = stored.filter(same);
    let Some((spec, stored)) = spec.zip(stored) else {
        let message = "it has never been read; plan once without --refresh none";
        return Ok(Err((BlockedReason::Unavailable, message.to_owned())));
    };
    Ok(Ok(OpenAccount {
        name: account.name.clone(),
        platform_id: account.platform.clone(),
        region: account.region.clone(),
        capabilities: spec.capabilities,
        platform: None,
        profile: Profile { id: stored.profile, location: None },
        row: stored.row,
    }))
}

/// Refuses two names for one account, and two folders with one marker.
fn check_names(opened: &Opened) -> Result<(), EngineError> {
    let accounts: Vec<&OpenAccount> = opened.accounts.values().collect();
    for (number, a) in accounts.iter().enumerate() {
        for b in accounts.iter().skip(number + 1) {
            let (first, second) = (a.name.clone(), b.name.clone());
            let is_one_profile = a.profile.id.is_some()
                && (&a.platform_id, &a.region, &a.profile.id)
                    == (&b.platform_id, &b.region, &b.profile.id);
            match (&a.profile.location, &b.profile.location) {
                (Some(here), Some(there)) if here == there => {
                    return Err(EngineError::TwoNames { first, second });
                }
                (Some(_), Some(there)) if is_one_profile => {
                    let folder = there.clone();
                    return Err(EngineError::TwoMarkers { first, second, folder });
                }
                _ if is_one_profile => return Err(EngineError::TwoNames { first, second }),
                _ => {}
            }
        }
    }
    Ok(())
}

/// Refuses rules whose two accounts are one, or one inside the other.
fn check_pairs(manifest: &Manifest, opened: &Opened) -> Result<(), EngineError> {
    for rule in &manifest.rules {
        let pair = opened.accounts.get(&rule.source).zip(opened.accounts.get(&rule.destination));
        let Some((source, destination)) = pair else {
            continue;
        };
        let (rule, from, to) = (rule.name.clone(), rule.source.clone(), rule.destination.clone());
        if source.profile.id.is_some() && source.profile.id == destination.profile.id {
            return Err(EngineError::SameAccount { rule, source_account: from, destination: to });
        }
        let places = source.profile.location.as_ref().zip(destination.profile.location.as_ref());
        let Some((a, b)) = places else { continue };
        if a == b {
            return Err(EngineError::SameAccount { rule, source_account: from, destination: to });
        }
        // An export may lie in the folder that it fills: a zip there is no activity.
        let is_export = manifest.accounts.get(&from).is_some_and(Account::is_export);
        if !is_export && (Path::new(a).starts_with(b) || Path::new(b).starts_with(a)) {
            return Err(EngineError::NestedFolders { rule, source_account: from, destination: to });
        }
    }
    Ok(())
}
