//! An account of the fake COROS, opened through the library.

use std::collections::BTreeMap;
use std::sync::Arc;

use fit_sync::clock::ManualClock;
use fit_sync::domain::{AccountName, ProfileId};
use fit_sync::manifest::{Account, PasswordSource};
use fit_sync::net::Timeouts;
use fit_sync::platform::{self, Opening, Platform};
use fit_sync::vault::{FORMAT, Session, Token, Vault};
use jiff::Timestamp;
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

/// Keeps a session in this home as a login leaves it, without the time that one takes.
pub(crate) async fn log_in(fake: &FakeCoros, home: &TempDir) {
    let account = account(fake);
    let (token, user, number, region) = {
        let mut world = fake.world();
        let token = format!("{}TOKEN-of-yesterday", world.switches.word);
        world.tokens.insert(token.clone());
        let switches = &world.switches;
        (token, switches.user, switches.number().to_string(), switches.region)
    };
    let pairs = [("access_token", token), ("user_id", user.to_owned()), ("region_id", number)];
    let yesterday: Timestamp = "2099-12-31T00:00:00Z".parse().unwrap();
    let session = Session {
        format: FORMAT.to_owned(),
        platform: "coros".to_owned(),
        region: region.to_owned(),
        profile: Some(ProfileId::of_account("coros", region, user)),
        hosts: [&account.endpoints["api"], &account.endpoints["hub"]].map(Clone::clone).into(),
        obtained_by: "password".to_owned(),
        obtained_at: yesterday,
        renewed_at: yesterday,
        expires_at: None,
        ends_at: None,
        renewing_since: None,
        tokens: pairs.map(|(name, token)| (name.to_owned(), Token::new(token))).into(),
    };
    let vault = Vault::new(home.path());
    let held = vault.lock(&account.name).await.unwrap();
    vault.save(&account.name, &session, &held).unwrap();
}

/// The account, open in a home of its own, with this clock.
pub(crate) fn open_in(
    fake: &FakeCoros,
    home: &TempDir,
    clock: &Arc<ManualClock>,
) -> Arc<dyn Platform> {
    open_with(fake, home, clock, Timeouts::default())
}

/// The same, waiting no longer than that for answers.
pub(crate) fn open_with(
    fake: &FakeCoros,
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
