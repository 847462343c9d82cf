//! Manifest, plan, apply, state: the line that everything else hangs on.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::cli::{Cli, MANIFEST, REPLACING, gzip, ride, steps};

const EARLY: &str = "2026-11-01T06:12:33Z";
const LATE: &str = "2026-11-02T06:12:33Z";

fn no_changes(cli: &Cli, in_sync: usize) {
    let activities = if in_sync == 1 { "activity is" } else { "activities are" };
    let wanted = format!("No changes. {in_sync} {activities} in sync.\n");
    assert_eq!(cli.run("plan").ok().stdout, wanted);
    cli.run("plan --detailed-exitcode").ok();
}

#[test]
fn what_is_missing_is_copied_once_and_never_again() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli.fit("watch/deep/b.FIT", &ride(LATE).sport(1, 0));
    let plan = cli.run("plan").ok();
    let line = "keep: watch -> archive   2 in source, 0 in sync, 2 to look at\n";
    assert!(plan.stdout.starts_with(line), "{}", plan.stdout);
    assert!(
        plan.stdout.ends_with("2 to upload, 0 to replace, 0 conflicts. 0 in sync, 0 skipped.\n")
    );
    assert!(!cli.path("archive").exists(), "a plan writes to no account");
    cli.run("apply --auto-approve").ok().says("2 uploaded, 0 replaced");
    no_changes(&cli, 2);
    cli.run("apply --auto-approve").ok();
    cli.lose_state();
    no_changes(&cli, 2);
    cli.run("apply --auto-approve").ok();
    assert_eq!(cli.activities("archive").len(), 2);
}

#[test]
fn a_destination_has_the_same_bytes_under_the_contract_s_names() {
    let cli = Cli::new(MANIFEST);
    let (plain, packed) = (ride(EARLY), ride(LATE).sport(1, 0));
    cli.fit("watch/Abend Ründe 越野.fit", &plain);
    cli.put("watch/2026-11-02_061233_running_Tempo.FIT.GZ", gzip(&packed.build()));
    cli.run("apply --auto-approve").ok();
    let names = [
        "cycling/2026/2026-11-01_061233_cycling_Abend-Ründe-越野.fit",
        "running/2026/2026-11-02_061233_running_Tempo.fit",
    ];
    assert_eq!(cli.activities("archive"), names);
    let files = cli.files("archive");
    assert_eq!(files[names[0]], plain.build());
    assert_eq!(files[names[1]], packed.build());
    let others: Vec<&String> =
        files.keys().filter(|name| !names.contains(&name.as_str())).collect();
    assert_eq!(others, [".fit_sync-id"], "a marker and nothing else");
    no_changes(&cli, 2);
}

#[test]
fn names_that_collide_are_numbered() {
    let cli = Cli::new(MANIFEST);
    // Two devices recorded one ride from the same second on, for very different times.
    cli.fit("watch/x/Ride.fit", &ride(EARLY));
    cli.fit("watch/y/Ride.fit", &ride(EARLY).elapsed_s(100).distance_m(700).maker(294, 1));
    cli.run("apply --auto-approve").ok();
    let name = "cycling/2026/2026-11-01_061233_cycling_Ride";
    assert_eq!(cli.activities("archive"), [format!("{name}-2.fit"), format!("{name}.fit")]);
    no_changes(&cli, 2);
}

#[test]
fn a_replace_names_the_changes_and_keeps_what_it_replaced() {
    let cli = Cli::new(REPLACING);
    let (better, worse) = (ride(EARLY).distance_m(30_400), ride(EARLY).distance_m(30_000));
    cli.fit("watch/a.fit", &better);
    cli.fit("archive/old.fit", &worse);
    let plan = cli.run("plan --json").ok().json();
    let step = &plan["body"]["steps"][0];
    assert_eq!(step["action"], "replace");
    assert_eq!(step["reason"], "content_differs");
    assert_eq!(step["protocol"], "upload_then_delete");
    let change = &step["changes"][0];
    assert_eq!(change["field"], "session.total_distance");
    assert_eq!((&change["from"], &change["to"]), (&"30000 m".into(), &"30400 m".into()));
    let text = cli.run("plan").ok();
    assert!(text.stdout.contains("~ session.total_distance   30000 m -> 30400 m\n"), "{text:#?}");
    cli.run("apply --auto-approve").ok().says("0 uploaded, 1 replaced");
    let name = "cycling/2026/2026-11-01_061233_cycling_a.fit";
    assert_eq!(cli.activities("archive"), [name]);
    assert_eq!(cli.files("archive")[name], better.build());
    no_changes(&cli, 1);
    let backups = crate::support::cli::tree(&cli.home("backups"));
    assert!(backups.values().any(|bytes| *bytes == worse.build()), "{:?}", backups.keys());
    let mode = |path: &str| fs::metadata(cli.home(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("state.db"), mode("backups")), (0o700, 0o600, 0o700));
    cli.lose_state();
    no_changes(&cli, 1);
}

#[test]
fn without_replace_existing_what_differs_stays() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY).distance_m(30_400));
    cli.fit("archive/old.fit", &ride(EARLY).distance_m(30_000));
    no_changes(&cli, 1);
    cli.run("apply --auto-approve").ok();
    assert_eq!(cli.activities("archive"), ["old.fit"]);
}

#[test]
fn detailed_exit_codes_tell_changes_from_none() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli.run("plan --detailed-exitcode").exits(2);
    cli.run("plan").ok();
    cli.run("plan --detailed-exitcode --json").exits(2);
}

#[test]
fn a_removed_copy_is_not_brought_back_and_a_renamed_one_is_known() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli.fit("watch/b.fit", &ride(LATE));
    cli.run("apply --auto-approve").ok();
    let archive = cli.path("archive/cycling/2026");
    fs::rename(archive.join("2026-11-01_061233_cycling_a.fit"), archive.join("My best ride.fit"))
        .unwrap();
    fs::remove_file(archive.join("2026-11-02_061233_cycling_b.fit")).unwrap();
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan), []);
    assert_eq!(plan["context"]["counts"]["in_sync"], 1);
    assert_eq!(plan["context"]["skips"][0]["reason"], "removed_at_destination");
}

#[test]
fn two_manifests_may_share_one_home() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli.put("other/fit_sync.yaml", MANIFEST.replace("keep", "also"));
    cli.fit("other/watch/b.fit", &ride(LATE));
    cli.run("apply --auto-approve").ok();
    cli.run("apply --auto-approve --config other/fit_sync.yaml").ok().says("1 uploaded");
    assert_eq!(cli.activities("archive").len(), 1);
    assert_eq!(cli.activities("other/archive").len(), 1);
    no_changes(&cli, 1);
    cli.run("plan --config other/fit_sync.yaml").ok().says("No changes. 1 activity");
}

#[test]
fn onward_rules_meet_in_the_next_run() {
    let cli = Cli::new(
        "accounts:\n  a: { platform: directory, path: a }\n  b: { platform: directory, path: b }\n  \
         c: { platform: directory, path: c }\nsync_rules:\n  - { source: a, destination: b }\n  \
         - { source: b, destination: a }\n  - { source: b, destination: c }\n",
    );
    cli.fit("a/one.fit", &ride(EARLY));
    cli.fit("b/two.fit", &ride(LATE));
    cli.run("apply --auto-approve").ok();
    cli.run("apply --auto-approve").ok();
    for folder in ["a", "b", "c"] {
        assert_eq!(cli.activities(folder).len(), 2, "{folder}");
    }
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan), []);
}
