//! Accounts of the fake COROS, through the binary and through the library.

use std::collections::HashMap;
use std::sync::Arc;

use fit_sync::clock::ManualClock;
use fit_sync::domain::{Activity, RemoteId};
use fit_sync::platform::{ListRequest, Page, Platform, PlatformError, Window};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::cli::{Cli, Ran};
use crate::support::coros;
use crate::support::fake_coros::{FakeCoros, Switches};
use crate::support::fit;
use crate::support::world::NOW;

/// The account's name in every manifest.
pub(super) const NAME: &str = "me";

/// A home with one COROS account and the binary.
pub(super) struct Stage {
    pub(super) cli: Cli,
    pub(super) fake: FakeCoros,
}

impl Stage {
    /// With the right password in the private file of home.
    pub(super) fn new(switches: Switches) -> Self {
        let key = format!("password: '{}'", switches.password);
        let fake = FakeCoros::start(switches);
        let cli = Cli::new(
            "accounts:\n  archive: { platform: directory, path: archive }\nsync_rules:\n  - { name: \
             keep, source: me, destination: archive }\n",
        );
        let stage = Self { cli, fake };
        stage.account(&key);
        stage
    }

    /// Writes the account of this machine, with one more key.
    pub(super) fn account(&self, key: &str) {
        let region = self.fake.world().switches.region;
        let endpoints = self.fake.endpoints();
        let text = format!(
            "accounts:\n  {NAME}: {{ platform: coros, region: {region}, email: runner@example.com, \
             min_gap_ms: 0, endpoints: {endpoints}, {key} }}\n"
        );
        self.cli.accounts(&text);
    }

    /// Runs the binary with this on stdin.
    pub(super) fn fed(&self, args: &str, stdin: &str) -> Ran {
        self.cli.fed(args, stdin)
    }

    /// The session's file, if there is one.
    pub(super) fn session(&self) -> Option<Value> {
        self.cli.kept(&format!("sessions/{NAME}.json"))
    }

    /// What is known about logins.
    pub(super) fn logins(&self) -> Value {
        self.cli.kept(&format!("logins/{NAME}.json")).unwrap_or_default()
    }
}

/// An open account, logged in, with nothing counted yet.
pub(super) struct Account {
    pub(super) fake: FakeCoros,
    pub(super) platform: Arc<dyn Platform>,
    pub(super) clock: Arc<ManualClock>,
    home: TempDir,
}

impl Account {
    /// The same account in a later run.
    pub(super) fn reopened(&self) -> Arc<dyn Platform> {
        coros::open_in(&self.fake, &self.home, &self.clock)
    }

    pub(super) async fn open(switches: Switches) -> Self {
        let fake = FakeCoros::start(switches);
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let platform = coros::open_in(&fake, &home, &clock);
        platform.whoami().await.unwrap();
        fake.take_seen();
        Self { fake, platform, clock, home }
    }

    pub(super) async fn page(
        &self,
        window: Window,
        known: &HashMap<RemoteId, Activity>,
    ) -> Result<Page, PlatformError> {
        self.platform.list(ListRequest { window, page: None, known }).await
    }

    /// Everything, as the first reading sees it.
    pub(super) async fn all(&self) -> Vec<Activity> {
        let page = self.page(Window::default(), &HashMap::new()).await.unwrap();
        assert!(page.complete);
        page.activities
    }
}

/// A ride of the tenth minute of that day of May.
pub(super) fn ride(day: u8) -> fit::FitFile {
    let start = format!("2026-05-{day:02}T06:10:00Z").parse().unwrap();
    fit::FitFile::new(start).records(10).distance_m(30_000)
}
