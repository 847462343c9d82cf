//! What is left alone, and why.

use fit_sync::domain::RefusalReason;
use fit_sync::plan::SkipReason;

use super::{saves, shows};
use crate::support::scenario::Scenario;

#[test]
fn filters_name_the_line_of_the_manifest() {
    let scenario = Scenario::new()
        .rule("us -> archive")
        .with("activity_types: [running, climbing]")
        .with("exclude_types: [treadmill_running]")
        .with("start_date: 2026-11-02")
        .with("end_date: -10d")
        .with("title: \"(?i)run\"")
        .with("device: fenix")
        .with("min_distance: 5km")
        .with("max_distance: 42km")
        .with("min_duration: 10m")
        .with("max_duration: 5h")
        .has(
            "us",
            "taken 2026-11-05T06:00:00Z trail_running 3000s 10000m \"Run\" device=fenix
             cycling 2026-11-05T06:00:01Z cycling 3000s 10000m \"Run\" device=fenix
             treadmill 2026-11-05T06:00:02Z treadmill_running 3000s 10000m \"Run\" device=fenix
             before 2026-11-01T23:59:59Z running 3000s 10000m \"Run\" device=fenix
             after 2026-11-11T00:00:00Z running 3000s 10000m \"Run\" device=fenix
             other_title 2026-11-05T06:00:03Z running 3000s 10000m \"Walk\" device=fenix
             other_device 2026-11-05T06:00:04Z running 3000s 10000m \"Run\" device=edge
             no_device 2026-11-05T06:00:05Z running 3000s 10000m \"Run\"
             short 2026-11-05T06:00:06Z running 3000s 4999m \"Run\" device=fenix
             far 2026-11-05T06:00:07Z running 17999s 42001m \"Run\" device=fenix
             brief 2026-11-05T06:00:08Z running 599s 10000m \"Run\" device=fenix
             long 2026-11-05T06:00:09Z running 18001s 10000m \"Run\" device=fenix",
        );
    shows("filtered", &scenario);
}

#[test]
fn dates_are_the_activitys_own_local_days_and_inclusive() {
    let scenario = Scenario::new()
        .rule("us -> archive")
        .with("start_date: 2026-11-02")
        .with("end_date: 2026-11-03")
        .has(
            "us",
            "first_second_here 2026-11-01T16:00:00Z running 60s offset=28800
             last_second_before 2026-11-01T15:59:59Z running 60s offset=28800
             first_second_there 2026-11-02T08:00:00Z running 60s offset=-28800
             last_second_there 2026-11-04T07:59:59Z running 60s offset=-28800
             next_day_there 2026-11-04T08:00:00Z running 60s offset=-28800
             utc 2026-11-03T23:59:59Z running 60s
             utc_after 2026-11-04T00:00:00Z running 60s",
        );
    shows("filtered_by_local_day", &scenario);
}

#[test]
fn what_is_no_activity_to_sync_has_its_reason() {
    let scenario = Scenario::new().rule("watch -> garmin_us").has(
        "watch",
        "by_hand 2026-11-01T06:00:00Z running 60s no_original
         broken.fit - other unreadable
         course.fit - other not_an_activity
         1989.fit - running 60s clock_not_set
         nothing.fit - running 60s",
    );
    shows("unusable", &scenario);
    saves("unusable", &scenario);
}

#[test]
fn a_clock_that_was_not_set_is_never_matched() {
    let scenario = Scenario::new()
        .rule("watch -> archive")
        .has("watch", "w - running 600s sha=a clock_not_set")
        .has("archive", "a - running 600s sha=a clock_not_set");
    shows("clock_not_set_on_both_sides", &scenario);
}

#[test]
fn equal_bytes_in_one_source_collapse_and_nothing_else_does() {
    let scenario = Scenario::new().rule("watch -> archive").has(
        "watch",
        "a.fit 2026-11-01T06:00:00Z running 60s sha=a
         b.fit 2026-11-01T06:00:00Z running 60s sha=a
         c.fit 2026-11-01T06:00:00Z running 60s sha=c",
    );
    shows("same_bytes_in_source", &scenario);
}

const ALIKE: &str = "1 2026-11-01T06:00:00Z running 3000s 10000m records=3000
    2 2026-11-01T06:00:00Z running 3000s 10000m records=3000";

#[test]
fn what_the_files_have_shown_to_be_one_recording_goes_over_once() {
    let twins = Scenario::new()
        .rule("us -> archive")
        .has("us", ALIKE)
        .has("us", "3 2026-11-01T06:00:00Z running 3000s 10000m")
        .found_refused(
            "us/2 -> archive/1",
            RefusalReason::SameRecordingInSource,
            "the source holds it as 1, too",
            (0, "2026-11-01T06:00:00Z"),
        );
    shows("same_recording_in_source", &twins.clone().lacks("us", "3"));
    assert_eq!(steps(&twins), 2);
    // What stood for both is gone, or not wanted any more.
    assert_eq!(steps(&twins.clone().lacks("us", "1").lacks("us", "3")), 1);
    assert_eq!(steps(&twins.lacks("us", "3").ignore("us/1 -> archive")), 1);
}

#[test]
fn the_first_of_what_is_listed_alike_has_the_counterpart_and_the_second_waits_for_the_files() {
    let found = Scenario::new()
        .rule("us -> archive")
        .has("us", ALIKE)
        .has("archive", "a 2026-11-01T06:00:00Z running 3000s 9990m records=3000");
    let plan = found.plan();
    let uploads: Vec<&str> =
        plan.document.body.steps.iter().map(|step| step.source.id.as_str()).collect();
    assert_eq!((uploads, plan.in_sync[0].source.1.as_str()), (vec!["2"], "1"));
    let linked = found.found("us/2 -> archive/a").plan();
    assert_eq!(linked.document.body.steps[0].source.id.as_str(), "1");
}

#[test]
fn nothing_is_replaced_by_a_recording_that_is_there_twice() {
    let twins = Scenario::new().rule("us -> archive").replacing().has("us", ALIKE).has(
        "archive",
        "a 2026-11-01T06:00:00Z running 3000s 9000m records=2900
         b 2026-11-01T06:00:40Z running 2990s 9500m records=2900",
    );
    let plan = twins.plan().document;
    let replaced: Vec<_> = plan.body.steps.iter().map(|step| step.destination.id.clone()).collect();
    assert_eq!(replaced.len(), 1);
    assert_eq!(plan.context.skips[0].reason, SkipReason::SameRecordingInSource);
}

#[test]
fn a_refused_file_is_refused_under_every_id() {
    let twins = Scenario::new()
        .rule("watch -> archive")
        .has(
            "watch",
            "a.fit 2026-11-01T06:00:00Z running 60s sha=a
             b.fit 2026-11-01T06:00:00Z running 60s sha=a",
        )
        .refused("watch/a.fit -> archive", RefusalReason::RejectedByDestination, "no");
    assert_eq!(steps(&twins), 0);
}

#[test]
fn a_refusal_is_remembered_until_the_activity_changes() {
    let rows = "big 2026-11-01T06:00:00Z running 60s
        bad 2026-11-02T06:00:00Z running 60s
        gone 2026-11-03T06:00:00Z running 60s
        broken 2026-11-04T06:00:00Z running 60s";
    let scenario = Scenario::new()
        .rule("us -> archive")
        .has("us", rows)
        .refused("us/big -> archive", RefusalReason::TooLarge, "over 25 MB")
        .refused("us/bad -> archive", RefusalReason::RejectedByDestination, "no \u{1b}[1mthanks")
        .refused("us/gone -> archive", RefusalReason::NoOriginal, "")
        .refused("us/broken -> archive", RefusalReason::Unreadable, "crc");
    shows("refused", &scenario);
    shows("refused_then_edited", &scenario.edited("us", "bad 2026-11-02T06:00:00Z running 61s"));
}

const ROW: &str = "1 2026-11-01T06:00:00Z running 60s";

fn steps(scenario: &Scenario) -> usize {
    scenario.plan().document.body.steps.len()
}

#[test]
fn a_refusal_is_a_skip_until_its_next_look() {
    // Today is 2026-11-20: the days of looks, the last of them, whether it is tried again.
    let cases = [
        (1, "2026-11-20T00:00:00Z", false),
        (1, "2026-11-19T23:59:59Z", true),
        (1, "2026-11-23T00:00:00Z", false),
        (2, "2026-11-14T00:00:00Z", false),
        (2, "2026-11-13T23:59:59Z", true),
        (3, "2026-10-22T00:00:00Z", false),
        (3, "2026-10-21T23:00:00Z", true),
        (4, "2025-01-01T00:00:00Z", false),
        (0, "2025-01-01T00:00:00Z", false),
    ];
    for (looks, last, is_tried) in cases {
        let refused = |reason| {
            let scenario = Scenario::new().rule("us -> archive").has("us", ROW);
            scenario.found_refused("us/1 -> archive", reason, "404", (looks, last))
        };
        for reason in [RefusalReason::NoOriginal, RefusalReason::RejectedByDestination] {
            let scenario = refused(reason);
            assert_eq!(steps(&scenario), usize::from(is_tried), "{looks} looks, last {last}");
            assert_eq!(steps(&scenario.retrying_refused()), 1);
        }
    }
}
