//! The one list of platforms.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::domain::{AccountName, Catalog};
use crate::manifest::Account;
use crate::net::Timeouts;
use crate::vault::Vault;

use super::directory::{Directory, Export};
use super::login::{Ask, Nobody};
use super::session_provider::SessionProvider;
use super::{Platform, coros, directory, garmin};

/// What a platform is handed when it is opened.
#[derive(Clone)]
pub struct Opening {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Source of random ids, 16 bytes at a time.
    pub random: Arc<dyn Fn() -> [u8; 16] + Send + Sync>,
    /// Sessions of this home.
    pub vault: Vault,
    /// What a login may need.
    pub ask: Arc<dyn Ask>,
    /// How long hosts are waited for.
    pub timeouts: Timeouts,
    /// Requested when the run is to end.
    pub stop: Cancellation,
}

impl Opening {
    /// For accounts that need no session.
    pub fn offline(clock: Arc<dyn Clock>, random: Arc<dyn Fn() -> [u8; 16] + Send + Sync>) -> Self {
        Self {
            clock,
            random,
            vault: Vault::new("/nonexistent"),
            ask: Arc::new(Nobody),
            timeouts: Timeouts::default(),
            stop: Cancellation::default(),
        }
    }
}

/// Why an account cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The platform is described, but its client is not there.
    #[error("this version does not reach {platform} yet")]
    NotYet {
        /// As people call it.
        platform: &'static str,
    },
    /// The catalog does not have this platform.
    #[error("there is no platform '{platform}'")]
    Unknown {
        /// As the account names it.
        platform: String,
    },
    /// A directory's account without a folder.
    #[error("account '{account}' names no path")]
    NoPath {
        /// The account.
        account: AccountName,
    },
    /// Its proxy or its certificates cannot be used.
    #[error("account '{account}': {problem}")]
    NoClient {
        /// The account.
        account: AccountName,
        /// Why not.
        problem: String,
    },
}

/// All platforms as data.
pub fn catalog() -> Catalog {
    Catalog { platforms: vec![coros::spec::SPEC, directory::spec::SPEC, garmin::spec::SPEC] }
}

/// Opens an account, without touching anything yet.
///
/// # Errors
/// If there is no client for its platform, or the account lacks what that needs.
pub fn open(account: &Account, opening: &Opening) -> Result<Arc<dyn Platform>, OpenError> {
    match account.platform.as_str() {
        "directory" => {
            let path = account
                .path
                .as_ref()
                .ok_or_else(|| OpenError::NoPath { account: account.name.clone() })?;
            if account.is_export() {
                Ok(Arc::new(Export::new(path, opening.clone())))
            } else {
                Ok(Arc::new(Directory::new(path, opening.clone())))
            }
        }
        "coros" => coros::open(account, opening),
        "garmin" => garmin::open(account, opening),
        other => Err(match catalog().platform(other) {
            Some(spec) => OpenError::NotYet { platform: spec.name },
            None => OpenError::Unknown { platform: other.to_owned() },
        }),
    }
}

/// Opens accounts for one run: an account with a session is opened once, however often it is asked
/// for, so that it logs in once at most.
pub fn opener() -> impl Fn(&Account, &Opening) -> Result<Arc<dyn Platform>, OpenError> + Send + Sync
{
    let opened: Mutex<BTreeMap<AccountName, Arc<dyn Platform>>> = Mutex::default();
    move |account, opening| {
        if account.platform == "directory" {
            return open(account, opening);
        }
        let mut opened = opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(platform) = opened.get(&account.name) {
            return Ok(Arc::clone(platform));
        }
        let platform = open(account, opening)?;
        opened.insert(account.name.clone(), Arc::clone(&platform));
        Ok(platform)
    }
}

/// Returns what provides an account's session; `None` where the platform has no login.
///
/// # Errors
/// If there is no client for its platform, or it cannot be set up.
pub fn session_provider(
    account: &Account,
    opening: &Opening,
) -> Result<Option<SessionProvider>, OpenError> {
    match account.platform.as_str() {
        "directory" => Ok(None),
        "coros" => coros::session_provider(account, opening).map(Some),
        "garmin" => garmin::session_provider(account, opening).map(Some),
        other => Err(match catalog().platform(other) {
            Some(spec) => OpenError::NotYet { platform: spec.name },
            None => OpenError::Unknown { platform: other.to_owned() },
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_in_order_and_no_account_name_implies_two_regions() {
        let catalog = catalog();
        let ids: Vec<&str> = catalog.platforms.iter().map(|spec| spec.id).collect();
        assert_eq!(ids, ["coros", "directory", "garmin"]);
        let mut implied: Vec<&str> = catalog
            .platforms
            .iter()
            .flat_map(|spec| spec.regions.iter().map(|region| region.implied_by))
            .collect();
        implied.sort_unstable();
        assert_eq!(
            implied,
            ["coros_cn", "coros_eu", "coros_sg", "coros_us", "garmin_cn", "garmin_us"]
        );
    }
}
