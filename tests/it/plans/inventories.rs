//! What cannot be read or believed, what is too much, and what was not asked about.

use fit_sync::plan::BlockedReason;

use super::{saves, shows};
use crate::support::scenario::Scenario;

const THREE: &str = "1 2026-11-10T06:00:00Z running 3000s 9000m records=3000
    2 2026-11-11T06:00:00Z running 3000s 9000m records=3000
    3 2026-11-12T06:00:00Z running 3000s 9000m records=3000";
const ONE_THAT_DIFFERS: &str = "a 2026-11-10T06:00:00Z running 3000s 9100m records=3000";

fn us_to_archive() -> Scenario {
    let scenario = Scenario::new().rule("us -> archive").replacing();
    scenario.has("us", THREE).has("archive", ONE_THAT_DIFFERS)
}

#[test]
fn a_blocked_account_blocks_its_rules_only() {
    let scenario = us_to_archive().rule("us -> garmin_us").rule("garmin_us -> archive").blocked(
        "garmin_us",
        BlockedReason::LoginNeeded,
        "no session; run: fit_sync auth --account garmin_us",
    );
    shows("blocked", &scenario);
    saves("blocked", &scenario);
}

#[test]
fn nothing_is_written_to_a_destination_that_was_read_in_part() {
    shows("destination_read_in_part", &us_to_archive().read_in_part("archive"));
}

#[test]
fn nothing_is_replaced_from_a_source_that_was_read_in_part() {
    shows("source_read_in_part", &us_to_archive().read_in_part("us"));
}

#[test]
fn a_destination_that_shrank_is_a_limit_exceeded() {
    let scenario = us_to_archive().last_listed("archive", 3);
    shows("destination_shrank", &scenario);
    saves("destination_shrank", &scenario);
    shows("destination_shrank_by_half", &us_to_archive().last_listed("archive", 2));
}

/// A run that died after a removal leaves less than was there, and no account that fails.
#[test]
fn what_open_steps_have_taken_away_is_no_loss() {
    let shrunken = us_to_archive().last_listed("archive", 3);
    let limits = |world: &Scenario| world.plan().document.context.limits.len();
    assert_eq!(limits(&shrunken), 1);
    assert_eq!(limits(&shrunken.clone().unsettled("archive/gone")), 0);
    assert_eq!(limits(&shrunken.unsettled("archive/a")), 1, "that one is there");
}

#[test]
fn nothing_is_replaced_from_a_source_that_shrank() {
    shows("source_shrank", &us_to_archive().last_listed("us", 7));
}

#[test]
fn limits_that_are_exceeded_are_told() {
    let scenario = us_to_archive().limit("max_uploads: 1, max_replaces: 0");
    shows("limits", &scenario);
    saves("limits", &scenario);
    shows("limits_met", &us_to_archive().limit("max_uploads: 2, max_replaces: 1"));
}

#[test]
fn what_was_not_asked_about_is_excluded_and_exceeds_no_limit() {
    let scenario = us_to_archive().limit("max_uploads: 1");
    shows(
        "only",
        &scenario.clone().only("*T06:00:00Z").except("*/2026-11-1[!2]*").except("*-11-11*"),
    );
    let rules = scenario.rule("us -> garmin_us").only_rule("us-to-garmin_us");
    shows("only_one_rule", &rules);
    saves("only_one_rule", &rules);
}

#[test]
fn selection_comes_after_ownership() {
    let scenario = Scenario::new()
        .rule("fenix -> archive")
        .rule("pace -> archive")
        .has("fenix", "1 2026-11-10T06:00:00Z running 3000s")
        .has("pace", "2 2026-11-10T06:00:00Z running 3000s")
        .only_rule("pace-to-archive");
    shows("only_the_rule_that_does_not_own", &scenario);
}

#[test]
fn nothing_to_do_is_said_in_one_line() {
    let rows = "1 2026-11-10T06:00:00Z running 3000s\n2 2026-11-11T06:00:00Z running 3000s";
    let scenario = Scenario::new().rule("us -> archive").has("us", rows).has("archive", rows);
    let plan = scenario.plan();
    let brief =
        fit_sync::render::plan_text(&plan.document, &[], Default::default(), &Default::default());
    insta::assert_snapshot!(brief, @"No changes. 2 activities are in sync.");
}
