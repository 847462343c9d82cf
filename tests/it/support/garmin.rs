//! An account of the fake Garmin, opened through the library.

use std::collections::BTreeMap;
use std::sync::Arc;

use fit_sync::clock::ManualClock;
use fit_sync::domain::AccountName;
use fit_sync::manifest::{Account, PasswordSource};
use fit_sync::net::Timeouts;
use fit_sync::platform::login::{Ask, CodeRequest, Credentials, LoginError};
use fit_sync::platform::{self, Opening, Platform};
use fit_sync::vault::Vault;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

use super::fake_garmin::{FakeGarmin, Host};
use super::world::NOW;

/// The account as a manifest has it.
pub(crate) fn account(fake: &FakeGarmin) -> Account {
    let world = fake.world();
    let region = if world.switches.domain == "garmin.cn" { "cn" } else { "global" };
    let endpoints = Host::ALL.map(|host| (host.word().to_owned(), world.base(host).to_owned()));
    Account {
        name: AccountName::new("garmin"),
        platform: "garmin".to_owned(),
        region: Some(region.to_owned()),
        email: Some(world.switches.email.clone()),
        password: vec![PasswordSource::Literal(SecretString::from(
            world.switches.password.as_str(),
        ))],
        mfa_command: None,
        path: None,
        proxy: None,
        ca_file: None,
        max_parallel: None,
        min_gap_ms: Some(0),
        settle_s: None,
        allow_login: None,
        upload_as_import: None,
        endpoints: BTreeMap::from(endpoints),
    }
}

/// The account, open; its first request logs it in.
pub(crate) fn open(fake: &FakeGarmin) -> (Arc<dyn Platform>, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
    (open_in(fake, &home, &clock, Timeouts::default()), home)
}

/// The account, open in a home of its own, with this clock and this patience.
pub(crate) fn open_in(
    fake: &FakeGarmin,
    home: &TempDir,
    clock: &Arc<ManualClock>,
    timeouts: Timeouts,
) -> Arc<dyn Platform> {
    let opening = Opening {
        vault: Vault::new(home.path()),
        ask: Arc::new(Literal),
        timeouts,
        ..super::world::opening(clock)
    };
    platform::open(&account(fake), &opening).unwrap()
}

/// Answers with what stands in the account.
pub(crate) struct Literal;

impl Ask for Literal {
    fn credentials(&self, account: &Account) -> Result<Credentials, LoginError> {
        let [PasswordSource::Literal(password)] = account.password.as_slice() else {
            return Err(LoginError::NoCredentials("password"));
        };
        let password = SecretString::from(password.expose_secret());
        Ok(Credentials { email: account.email.clone().unwrap(), password })
    }

    fn code(&self, _: &Account, _: &CodeRequest) -> Result<Option<SecretString>, LoginError> {
        Ok(None)
    }

    fn has_code(&self, _: &Account) -> bool {
        false
    }

    fn browser(&self, _: &Account, address: &str) -> Result<SecretString, LoginError> {
        panic!("nobody opens {address}")
    }
}
