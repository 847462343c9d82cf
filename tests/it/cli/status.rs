//! `status`, what an execution costs, and where titles lead: of an account on the wire.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::cli::{Cli, MANIFEST, ride};
use crate::support::fake_garmin::{FakeGarmin, Switches};
use crate::support::snapshot;

/// Garmin's account in home, with one more key.
fn garmin(cli: &Cli, fake: &FakeGarmin, key: &str) {
    let text = format!(
        "accounts:\n  garmin_us: {{ email: runner@example.com, password: right, endpoints: {}{key} }}\n",
        fake.endpoints()
    );
    fs::create_dir_all(cli.home("")).unwrap();
    fs::set_permissions(cli.home(""), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(cli.home("accounts.yaml"), text).unwrap();
    fs::set_permissions(cli.home("accounts.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
}

const FROM_GARMIN: &str = "\
accounts: { garmin_us: {}, archive: { platform: directory, path: archive } }
sync_rules:
  - { name: keep, source: garmin_us, destination: archive }
";

#[test]
fn before_anything_was_read_there_is_nothing_and_nothing_is_made() {
    let cli = Cli::new(MANIFEST);
    let shown = cli.run("status").ok().stdout;
    assert!(shown.contains("none yet") && shown.contains("never read"), "{shown}");
    assert!(!cli.home("state.db").exists(), "looking leaves nothing behind");
}

#[test]
fn one_screen_tells_sessions_the_last_apply_what_waits_and_what_a_plan_would_do() {
    let fake = FakeGarmin::start(Switches::of("garmin.com"));
    let mut cli = Cli::new(FROM_GARMIN);
    garmin(&cli, &fake, ", min_gap_ms: 0");
    for day in 1..=3 {
        fake.world().store(&ride(&format!("2026-11-{day:02}T06:00:00Z")).build(), "Ride");
    }
    cli.fit("archive/a.fit", &ride("2026-11-03T06:00:01Z"));
    cli.fit("archive/b.fit", &ride("2026-11-03T06:00:02Z"));
    cli.run("apply --only keep/2026-11-01* --auto-approve").ok();
    fake.take_seen();
    cli.set("FIT_SYNC_NOW", "2026-11-21T12:00:00Z");
    let shown = cli.run("status").ok().stdout;
    assert!(fake.take_seen().is_empty(), "no account is asked");
    snapshot::check("cli", "status", &shown);
    assert!(!shown.contains("runner@"), "addresses are for auth only: {shown}");
    let json = cli.run("status --json").ok().json();
    assert_eq!(json["format"], "fit_sync.status/1");
    assert_eq!(json["accounts"][1]["session"]["state"], "ok");
    assert_eq!(json["accounts"][1]["pace"]["min_gap_ms"], 0);
    assert_eq!(json["last_apply"]["exit"], 0);
    assert_eq!(json["plan"]["counts"]["upload"], 1);
    assert_eq!(json["plan"]["conflicts"][0], "keep/2026-11-03T06:00:00Z");
}

#[test]
fn titles_lead_to_the_platform_s_pages_where_a_terminal_can() {
    let fake = FakeGarmin::start(Switches::of("garmin.com"));
    let mut cli = Cli::new(FROM_GARMIN);
    garmin(&cli, &fake, ", min_gap_ms: 0");
    let id = fake.world().store(&ride("2026-11-01T06:00:00Z").build(), "Ride");
    let plain = cli.run("plan").ok().stdout;
    cli.set("FORCE_HYPERLINK", "1");
    assert_eq!(cli.run("plan").ok().stdout, plain, "a pipe is no terminal");
    let linked = cli.run("plan --color always").ok().stdout;
    let link = format!("\u{1b}]8;;https://connect.garmin.com/modern/activity/{id}\u{1b}\\Ride");
    assert!(linked.contains(&link), "{linked:?}");
    assert_eq!(anstream::adapter::strip_str(&linked).to_string(), plain);
}

#[test]
fn a_long_execution_says_beforehand_what_it_takes() {
    let fake = FakeGarmin::start(Switches::of("garmin.com"));
    let cli = Cli::new(FROM_GARMIN);
    for day in 1..=7 {
        fake.world().store(&ride(&format!("2026-11-{day:02}T06:00:00Z")).build(), "Ride");
    }
    garmin(&cli, &fake, ", min_gap_ms: 10000");
    cli.run("auth").ok();
    let announced = "some 7 requests: at least 2 minutes";
    cli.run("plan").ok().tells(announced);
    assert_eq!(cli.run("plan -q").ok().stderr, "");
    garmin(&cli, &fake, ", min_gap_ms: 100");
    let short = cli.run("plan").ok().stderr;
    assert!(!short.contains("requests"), "{short}");
}
