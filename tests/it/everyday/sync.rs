//! `sync`: plan and apply in one go, about the rules that are named, as narrow as is said.

use super::world::{cli, shows};
use crate::support::cli::{Cli, MANIFEST, Ran, ride};

const THREE: &str = "\
accounts:
  watch: { platform: directory, path: watch }
  phone: { platform: directory, path: phone }
  archive: { platform: directory, path: archive }
sync_rules:
  - { name: keep, source: watch, destination: archive, activity_types: [running, hiking] }
  - { name: also, source: phone, destination: archive }
";

fn three() -> Cli {
    let cli = Cli::new(THREE);
    super::world::put(&cli);
    cli.fit("phone/walk.fit", &ride("2026-11-09T10:00:00Z").sport(11, 0));
    cli
}

#[track_caller]
fn uploads(ran: &Ran) -> Vec<&str> {
    let rows = ran.stdout.lines().filter(|line| line.starts_with("  + "));
    rows.map(|row| row[4..24].trim()).collect()
}

#[test]
fn it_plans_and_applies_and_the_second_time_has_nothing_to_do() {
    let cli = cli();
    shows(&cli, "sync", "sync --auto-approve");
    assert_eq!(cli.activities("archive").len(), 4);
    cli.run("sync --auto-approve").ok().says("No changes. 4 activities are in sync.");
    cli.run("apply --auto-approve").ok().says("No changes. 4 activities are in sync.");
}

#[test]
fn nobody_there_to_ask_means_no() {
    let cli = cli();
    shows(&cli, "sync-nobody", "sync");
    assert!(!cli.path("archive").exists());
    cli.run("sync --no-input").exits(6);
}

#[test]
fn a_dry_run_writes_to_no_account() {
    let cli = cli();
    shows(&cli, "sync-dry-run", "sync --dry-run --activity-type running,cycling");
    assert!(!cli.path("archive").exists());
    cli.run("sync --dry-run --auto-approve").exits(64);
}

#[test]
fn rules_are_those_of_the_named_ends() {
    let cli = three();
    let dry = |args: &str| cli.run(&format!("sync --dry-run {args}")).ok();
    assert_eq!(uploads(&dry("--source phone")), ["2026-11-09 10:00:00Z"]);
    assert_eq!(uploads(&dry("--destination archive")).len(), 4);
    // The manifest's filter holds for a way that it names.
    let both = dry("--source watch --destination archive").says("keep: watch -> archive");
    assert_eq!(uploads(&both).len(), 3);
    // A way that it does not name is made of the flags.
    let new = dry("--source watch --destination phone").says("watch-to-phone: watch -> phone");
    assert_eq!(uploads(&new).len(), 4);
    cli.run("sync --source watch --destination phone --auto-approve").ok().says("4 uploaded");
    assert!(!cli.path("archive").exists());
    cli.run("sync --source watch --destination phone --auto-approve").ok().says("No changes.");
}

#[test]
fn flags_make_the_filters_narrower_and_never_wider() {
    let cli = three();
    let dry = |args: &str| cli.run(&format!("sync --dry-run --source watch {args}")).ok();
    assert_eq!(uploads(&dry("--activity-type running")).len(), 2);
    assert_eq!(uploads(&dry("--activity-type cycling")), [""; 0]);
    assert_eq!(uploads(&dry("--activity-type trail_running,cycling")), ["2026-11-01 23:30:00Z"]);
    assert_eq!(uploads(&dry("--start-date 2026-11-03")).len(), 2);
    assert_eq!(uploads(&dry("--start-date -30d --end-date 2026-11-03")).len(), 2);
}

#[test]
fn what_is_wrong_with_the_question_is_said() {
    let cli = three();
    for (name, args) in [
        ("account", "sync --source wacth"),
        ("no-rule", "sync --source archive"),
        ("one-account", "sync --source watch --destination watch"),
        ("type", "sync --activity-type runing --auto-approve"),
        ("day", "sync --start-date 2024-02-30 --auto-approve"),
        ("days", "sync --start-date -1d --end-date -2d --auto-approve"),
    ] {
        shows(&cli, &format!("sync-wrong-{name}"), args);
        cli.run(args).exits(3);
    }
    let (accounts, _) = THREE.split_once("sync_rules").unwrap();
    cli.manifest(accounts);
    cli.run("sync --auto-approve").exits(3).tells("no sync_rules");
    cli.run("sync --source watch --destination archive --auto-approve").ok().says("4 uploaded");
    assert_eq!(cli.activities("phone").len(), 1);
}

#[test]
fn force_replaces_what_is_equal_unless_we_put_it_there() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride("2026-11-01T06:00:00Z"));
    cli.fit("archive/a.fit", &ride("2026-11-01T06:00:00Z").developer_fields(2));
    cli.fit("watch/b.fit", &ride("2026-11-02T06:00:00Z").serial(9));
    cli.fit(
        "archive/b.fit",
        &ride("2026-11-02T06:00:00Z")
            .serial(9)
            .time_created("2026-11-03T00:00:00Z".parse().unwrap()),
    );
    cli.fit("watch/c.fit", &ride("2026-11-03T06:00:00Z"));
    cli.run("plan").ok().says("1 to upload, 0 to replace");
    let forced = cli.run("sync --force --dry-run").ok().says("1 to replace");
    // What would lose a serial number is asked about, whatever the force.
    assert!(forced.stdout.contains("would_lose_data"), "{forced:#?}");
    cli.run("sync --force --auto-approve").exits(6).says("1 uploaded, 1 replaced");
    cli.run("sync --force --auto-approve").exits(6).says("0 to upload, 0 to replace, 1 conflict");
}

#[test]
fn force_uploads_what_only_overlaps_and_leaves_what_is_ambiguous() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/long.fit", &ride("2026-11-01T06:00:00Z").elapsed_s(7200));
    cli.fit("archive/half.fit", &ride("2026-11-01T06:00:00Z").elapsed_s(3600));
    cli.fit("watch/twice.fit", &ride("2026-11-05T06:00:00Z").elapsed_s(3000));
    cli.fit("archive/one.fit", &ride("2026-11-05T06:00:00Z").elapsed_s(3010).serial(1));
    cli.fit("archive/two.fit", &ride("2026-11-05T06:00:00Z").elapsed_s(3010).serial(2));
    shows(&cli, "sync-force", "sync --force --dry-run");
}

#[test]
fn limits_hold_whatever_the_force() {
    let cli = Cli::new(&format!("{MANIFEST}limits: {{ max_replaces: 0 }}\n"));
    cli.fit("watch/a.fit", &ride("2026-11-01T06:00:00Z"));
    cli.fit("archive/a.fit", &ride("2026-11-01T06:00:00Z").distance_m(29_000));
    let before = cli.files("archive");
    cli.run("sync --force --auto-approve").exits(6).tells("max_replaces");
    assert_eq!(cli.files("archive"), before);
}

#[test]
fn equal_bytes_are_replaced_by_no_force() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride("2026-11-01T06:00:00Z"));
    cli.fit("archive/other.fit", &ride("2026-11-01T06:00:00Z"));
    cli.run("sync --force --auto-approve").ok().says("No changes. 1 activity is in sync.");
    assert_eq!(cli.activities("archive"), ["other.fit"]);
}
