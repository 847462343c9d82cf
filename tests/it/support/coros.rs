//! An account of the fake COROS, opened through the library.

use std::collections::BTreeMap;
use std::sync::Arc;

use fit_sync::clock::ManualClock;
use fit_sync::domain::AccountName;
use fit_sync::manifest::{Account, PasswordSource};
use fit_sync::platform::{self, Opening, Platform};
use fit_sync::vault::Vault;
use secrecy::SecretString;
use tempfile::TempDir;

use super::fake_coros::{FakeCoros, Host};
use super::garmin::Literal;
use super::world::NOW;

/// The account as a manifest has it.
pub(crate) fn account(fake: &FakeCoros) -> Account {
    let world = fake.world();
    let endpoints = Host::ALL.map(|host| (host.word().to_owned(), world.base(host).to_owned()));
    let password = SecretString::from(world.switches.password.as_str());
    Account {
        name: AccountName::new("coros"),
        platform: "coros".to_owned(),
        region: Some(world.switches.region.to_owned()),
        email: Some(world.switches.email.clone()),
        password: vec![PasswordSource::Literal(password)],
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
pub(crate) fn open(fake: &FakeCoros) -> (Arc<dyn Platform>, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let platform = open_in(fake, &home, &Arc::new(ManualClock::new(NOW.parse().unwrap())));
    (platform, home)
}

/// The account, open in a home of its own, with this clock.
pub(crate) fn open_in(
    fake: &FakeCoros,
    home: &TempDir,
    clock: &Arc<ManualClock>,
) -> Arc<dyn Platform> {
    let opening = Opening {
        vault: Vault::new(home.path()),
        ask: Arc::new(Literal),
        ..super::world::opening(clock)
    };
    platform::open(&account(fake), &opening).unwrap()
}
