//! The planning cases of "Cases that broke others" in the design: each is a test.

use fit_sync::plan::{Plan, SkipReason};

use crate::support::scenario::Scenario;

fn us_to_archive() -> Scenario {
    Scenario::new().rule("us -> archive")
}

fn uploads(plan: &Plan) -> Vec<&str> {
    plan.document.body.steps.iter().map(|step| step.source.id.as_str()).collect()
}

fn counts(plan: &Plan) -> (u64, u64, u64) {
    let counts = plan.document.context.counts;
    (counts.upload, counts.in_sync, counts.conflict)
}

/// dailysync: only what is newer than the newest at the destination was considered.
#[test]
fn late_and_back_dated_activities_are_found() {
    let plan = us_to_archive()
        .has(
            "us",
            "late 2019-03-01T06:00:00Z running 3000s
             new 2026-11-10T06:00:00Z running 3000s",
        )
        .has("archive", "a 2026-11-10T06:00:00Z running 3000s")
        .plan();
    assert_eq!(uploads(&plan), ["late"]);
}

/// dailysync, runalyze#1763, tapiriik#140 #177 #241: local times were compared.
#[test]
fn travel_across_zones_changes_nothing() {
    let plan = us_to_archive()
        .has("us", "1 2026-11-10T22:00:00Z running 3000s offset=-28800")
        .has("archive", "a 2026-11-10T22:00:00Z running 3000s offset=32400")
        .plan();
    assert_eq!(counts(&plan), (0, 1, 0));
}

/// garmin-health-data#67: a unique start lost a day of data.
#[test]
fn equal_starts_are_legal_everywhere() {
    let rows =
        "1 2026-11-10T06:00:00Z cycling 5400s\n2 2026-11-10T06:00:00Z strength_training 900s";
    let scenario = us_to_archive().has("us", rows);
    assert_eq!(uploads(&scenario.plan()), ["1", "2"]);
    assert_eq!(counts(&scenario.applied().plan()), (0, 2, 0));
    assert_eq!(counts(&scenario.applied().forgetful().plan()), (0, 2, 0));
}

/// hevy2garmin#74: a window of ten minutes matched an unrelated run.
#[test]
fn overlap_decides_and_not_distance_in_time() {
    let plan = us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running 300s 1000m")
        .has("archive", "a 2026-11-10T06:06:00Z running 1800s 5000m")
        .plan();
    assert_eq!(counts(&plan), (1, 0, 0));
}

/// Distinct activities of one watch started 28 s and 78 s apart.
#[test]
fn short_activities_close_together_stay_apart() {
    let rows = "1 2026-11-10T06:00:00Z running 25s\n2 2026-11-10T06:00:28Z running 45s
        3 2026-11-10T06:01:46Z running 1800s";
    let scenario = us_to_archive().has("us", rows);
    assert_eq!(counts(&scenario.plan()), (3, 0, 0));
    assert_eq!(counts(&scenario.applied().forgetful().plan()), (0, 3, 0));
}

/// Both watches worn, both rules upload on the first day.
#[test]
fn an_event_has_one_owner_on_the_first_day_too() {
    let scenario = Scenario::new()
        .rule("fenix -> archive")
        .rule("pace -> archive")
        .has("fenix", "1 2026-11-10T06:00:00Z running 3000s")
        .has("pace", "2 2026-11-10T06:00:31Z running 2960s");
    assert_eq!(uploads(&scenario.plan()), ["1"]);
    assert_eq!(uploads(&scenario.applied().plan()), [""; 0]);
    assert_eq!(uploads(&scenario.applied().forgetful().plan()), [""; 0]);
}

/// Copies were skipped as "ours" on their way into the backup.
#[test]
fn a_copy_is_skipped_only_on_its_way_back() {
    let scenario = Scenario::new()
        .rule("us -> watch")
        .rule("watch -> us")
        .rule("watch -> backup")
        .has("us", "1 2026-11-10T06:00:00Z running 3000s")
        .applied();
    let plan = scenario.plan();
    let skipped: Vec<_> = plan.document.context.skips.iter().map(|skip| skip.reason).collect();
    assert_eq!(skipped, [SkipReason::IsOurCopy]);
    let step = &plan.document.body.steps[0];
    assert_eq!((step.rule.as_str(), plan.document.body.steps.len()), ("watch-to-backup", 1));
}

/// A crash between upload and record (hevy2garmin#44): what is there is found, whatever is known.
#[test]
fn an_upload_that_was_not_recorded_is_found_by_its_key() {
    let scenario = us_to_archive().has("us", "1 2026-11-10T06:00:00Z running 3000s 10000m");
    let plan = scenario.applied().forgetful().plan();
    assert_eq!(counts(&plan), (0, 1, 0));
}

/// Rows missing while something arrived: an inventory in part proves nothing absent.
#[test]
fn nothing_is_concluded_from_a_reading_in_part() {
    let plan = us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running 3000s")
        .read_in_part("archive")
        .plan();
    assert_eq!(counts(&plan), (0, 0, 0));
    assert_eq!(plan.document.context.blocked.len(), 1);
}

/// What a question is about is unmatched too: it may be what another recording is shifted from.
#[test]
fn a_shift_is_suspected_from_what_another_question_is_about() {
    let plan = us_to_archive()
        .has(
            "us",
            "unclear 2026-11-06T21:21:59Z running
             shifted 2026-11-06T22:21:59Z running 3000s",
        )
        .has(
            "archive",
            "a 2026-11-06T21:21:59Z running
             b 2026-11-06T21:21:59Z running 3000s",
        )
        .plan();
    assert_eq!(counts(&plan), (0, 0, 2), "nobody guesses, nothing is uploaded");
}
