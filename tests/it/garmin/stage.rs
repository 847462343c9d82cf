//! Two Garmin accounts, global and China, a rule from one to the other, and the binary.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::cli::{Cli, ride};
use crate::support::fake_garmin::{FakeGarmin, Switches};

pub(super) struct Stage {
    pub(super) cli: Cli,
    pub(super) us: FakeGarmin,
    pub(super) cn: FakeGarmin,
}

impl Stage {
    /// With that many rides in the global account.
    pub(super) fn new(rides: u32) -> Self {
        Self::with_keys(rides, "min_gap_ms: 0")
    }

    /// With more keys in both accounts.
    pub(super) fn with_keys(rides: u32, keys: &str) -> Self {
        let us = FakeGarmin::start(Switches { profile: 1, ..Switches::of("garmin.com") });
        let cn = FakeGarmin::start(Switches { profile: 2, ..Switches::of("garmin.cn") });
        for number in 0..rides {
            us.world().store(&bytes(number), &format!("Ride {number}"));
        }
        let cli = Cli::new(&manifest("skip_existing"));
        let home = cli.home("");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
        let stage = Self { cli, us, cn };
        stage.accounts(keys);
        stage
    }

    /// Writes the accounts of this machine, with more keys in both.
    pub(super) fn accounts(&self, keys: &str) {
        let line = |name: &str, fake: &FakeGarmin| {
            let endpoints = fake.endpoints();
            format!("  {name}: {{ email: runner@example.com, endpoints: {endpoints}, {keys} }}\n")
        };
        let text =
            format!("accounts:\n{}{}", line("garmin_us", &self.us), line("garmin_cn", &self.cn));
        let path = self.cli.home("accounts.yaml");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Logged in to both, with counts at zero.
    pub(super) fn logged_in(mut self) -> Self {
        self.cli.set("FIT_SYNC_GARMIN_US_PASSWORD", "right");
        self.cli.set("FIT_SYNC_GARMIN_CN_PASSWORD", "right");
        self.cli.run("auth").ok();
        self.forget_counts();
        self
    }

    pub(super) fn forget_counts(&self) {
        self.us.take_seen();
        self.cn.take_seen();
    }

    /// Replaces what differs.
    pub(super) fn replacing(self) -> Self {
        self.cli.manifest(&manifest("replace_existing"));
        self
    }
}

/// Both ways at once.
pub(super) const BOTH_WAYS: &str = "\
accounts: { garmin_us: {}, garmin_cn: {} }
sync_rules:
  - { name: us-to-cn, source: garmin_us, destination: garmin_cn }
  - { name: cn-to-us, source: garmin_cn, destination: garmin_us }
";

fn manifest(strategy: &str) -> String {
    format!(
        "accounts: {{ garmin_us: {{}}, garmin_cn: {{}} }}\nsync_rules:\n  - {{ name: us-to-cn, source: \
         garmin_us, destination: garmin_cn, conflict_strategy: {strategy} }}\n"
    )
}

/// A ride of its own day.
pub(super) fn bytes(number: u32) -> Vec<u8> {
    let first: jiff::Timestamp = "2026-11-01T06:12:33Z".parse().unwrap();
    let start =
        first.checked_sub(jiff::SignedDuration::from_hours(24 * i64::from(number))).unwrap();
    ride(&start.to_string()).build()
}
