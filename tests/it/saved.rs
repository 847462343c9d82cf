//! `apply FILE`: a saved plan's steps are judged as a plan of the whole world judges them, and nothing
//! is sent that the file does not say.

use crate::support::cli::{Cli, MANIFEST, REPLACING, ride};

const THERE: &str = "2026-10-01T06:00:00Z";
/// As long as the way there, on the same day.
const BACK: &str = "2026-10-01T15:30:00Z";

/// Found by review: a destination's activity whose own counterpart was no step of the file looked like
/// the way back, shifted by hours.
#[test]
fn what_no_step_is_about_takes_part_in_matching() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/there.fit", &ride(THERE).distance_m(9_000));
    cli.fit("archive/there.fit", &ride(THERE).distance_m(9_001));
    cli.fit("watch/back.fit", &ride(BACK).distance_m(9_000));
    cli.run("plan --out plan.json").ok().says("1 to upload");
    cli.run("apply plan.json").ok().says("1 uploaded");
    cli.run("plan").ok().says("No changes.");
}

#[test]
fn a_filter_that_was_narrowed_since_does_not_undo_an_approval() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/there.fit", &ride(THERE));
    cli.fit("watch/back.fit", &ride(BACK));
    cli.run("plan --only *T06* --out plan.json").ok().says("1 to upload");
    cli.manifest(
        &MANIFEST.replace("destination: archive", "destination: archive, start_date: 2026-11-01"),
    );
    cli.run("apply plan.json").ok().says("1 uploaded");
    assert_eq!(cli.activities("archive").len(), 1);
}

#[test]
fn a_rule_that_is_gone_or_another_one_since_does_not_undo_an_approval() {
    let gone = "accounts:\n  watch: { platform: directory, path: watch }\n  archive: { platform: \
                directory, path: archive }\nsync_rules:\n  - { name: NAME, source: archive, \
                destination: watch }\n";
    for name in ["other", "keep"] {
        let cli = Cli::new(REPLACING);
        cli.fit("watch/there.fit", &ride(THERE).distance_m(10_000));
        cli.fit("archive/there.fit", &ride(THERE).distance_m(9_000));
        cli.fit("watch/back.fit", &ride(BACK).distance_m(12_000));
        cli.run("plan --out plan.json").ok().says("1 to upload, 1 to replace");
        cli.manifest(&gone.replace("NAME", name));
        cli.run("apply plan.json").ok().says("1 uploaded, 1 replaced");
    }
}

/// An address counts equal starts, and another one may have come before it since.
#[test]
fn a_reason_against_a_step_is_found_by_its_activity_and_not_by_its_address() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/b.fit", &ride(THERE));
    cli.run("plan --out plan.json").ok().says("1 to upload");
    cli.fit("watch/a.fit", &ride(THERE).elapsed_s(60).maker(294, 9));
    cli.run("plan").ok();
    cli.run(&format!("state ignore keep/{THERE}#2")).ok();
    cli.run("apply plan.json").says("ignored");
    assert_eq!(cli.activities("archive"), [""; 0]);
}

const CHAIN: &str = "\
accounts:
  a: { platform: directory, path: a }
  b: { platform: directory, path: b }
  c: { platform: directory, path: c }
sync_rules:
  - { name: one, source: a, destination: b, conflict_strategy: replace_existing }
  - { name: two, source: b, destination: c, conflict_strategy: replace_existing }
";

/// Found by the simulation: the second step's source was replaced by the first one.
#[test]
fn a_chain_is_done_by_two_plans_of_which_each_does_what_it_says() {
    for file in ["", "plan.json"] {
        let cli = Cli::new(CHAIN);
        for (folder, distance_m) in [("a", 11_000), ("b", 10_000), ("c", 9_000)] {
            cli.fit(format!("{folder}/ride.fit"), &ride(THERE).distance_m(distance_m));
        }
        for _ in 0..2 {
            cli.run("plan --out plan.json").ok().says("1 to replace");
            cli.run(&format!("apply --auto-approve {file}")).ok().says("1 replaced");
        }
        cli.run("plan").ok().says("No changes.");
        let held = |folder| cli.files(folder).into_values().find(|bytes| bytes.len() > 100);
        assert_eq!(held("c"), held("a"));
    }
}
