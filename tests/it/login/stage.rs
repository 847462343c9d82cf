//! A home with one Garmin account, the binary, and a Garmin on this machine.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::support::cli::{Cli, Ran};
use crate::support::fake_garmin::{FakeGarmin, Switches};

/// Requests to login, tokens, API and website.
pub(super) type Counts = [usize; 4];

/// The account's name in every manifest.
pub(super) const NAME: &str = "me";

pub(super) struct Stage {
    pub(super) cli: Cli,
    pub(super) fake: FakeGarmin,
    region: &'static str,
}

impl Stage {
    /// With the right password in the private file of home.
    pub(super) fn new(switches: Switches) -> Self {
        let password = switches.password.clone();
        let stage = Self::without_password(switches);
        stage.account(&format!("password: '{password}'"));
        stage
    }

    /// With an account that has no password.
    pub(super) fn without_password(switches: Switches) -> Self {
        let region = if switches.domain == "garmin.cn" { "cn" } else { "global" };
        let fake = FakeGarmin::start(switches);
        let cli = Cli::new(
            "accounts:\n  archive: { platform: directory, path: archive }\nsync_rules:\n  - { name: \
             keep, source: me, destination: archive }\n",
        );
        let stage = Self { cli, fake, region };
        stage.account("max_parallel: 1");
        stage
    }

    /// Writes the account of this machine, with one more key.
    pub(super) fn account(&self, key: &str) {
        let (region, endpoints) = (self.region, self.fake.endpoints());
        let text = format!(
            "accounts:\n  {NAME}: {{ platform: garmin, region: {region}, email: runner@example.com, \
             endpoints: {endpoints}, {key} }}\n"
        );
        self.cli.accounts(&text);
    }

    /// Runs the binary with this on stdin.
    pub(super) fn fed(&self, args: &str, stdin: &str) -> Ran {
        self.cli.fed(args, stdin)
    }

    /// The session's file, if there is one.
    pub(super) fn session(&self) -> Option<Value> {
        let path = self.cli.home(&format!("sessions/{NAME}.json"));
        assert_eq!(fs::metadata(&path).ok()?.permissions().mode() & 0o777, 0o600);
        self.cli.kept(&format!("sessions/{NAME}.json"))
    }

    /// A token of the session's file.
    pub(super) fn token(&self, name: &str) -> String {
        self.session().unwrap()["tokens"][name].as_str().unwrap_or_default().to_owned()
    }

    /// What is known about logins.
    pub(super) fn logins(&self) -> Value {
        self.cli.kept(&format!("logins/{NAME}.json")).unwrap_or_default()
    }

    /// Sets the clock of the runs to come.
    pub(super) fn at(&mut self, now: &str) {
        self.cli.set("FIT_SYNC_NOW", now);
    }
}
