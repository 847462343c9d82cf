//! What a person must decide, and what needs no person.

use fit_sync::domain::RefusalReason;
use fit_sync::plan::{Action, ConflictReason};

use super::{saves, shows};
use crate::support::scenario::Scenario;

fn us_to_archive() -> Scenario {
    Scenario::new().rule("us -> archive")
}

#[test]
fn two_that_fit_equally_are_ambiguous() {
    let scenario =
        us_to_archive().has("us", "1 2026-11-10T06:00:00Z running 3011s 10010m \"Tempo\"").has(
            "archive",
            "4720 2026-11-10T06:00:01Z running 3011s 10010m \"Tempo\"
             4721 2026-11-10T06:00:02Z running 3009s 10000m \"Imported\"",
        );
    shows("ambiguous", &scenario);
    saves("ambiguous", &scenario);
}

#[test]
fn equal_starts_without_lengths_are_ambiguous() {
    let scenario = us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running")
        .has("archive", "a 2026-11-10T06:00:00Z running\nb 2026-11-10T06:00:00Z running");
    shows("ambiguous_without_lengths", &scenario);
}

#[test]
fn two_devices_on_one_ride_are_told_apart_by_length_and_device() {
    let scenario = us_to_archive()
        .has(
            "us",
            "1 2026-11-10T06:00:00Z cycling 5400s device=edge
             2 2026-11-10T06:00:00Z cycling 5400s device=fenix
             3 2026-11-11T06:00:00Z cycling 5400s
             4 2026-11-11T06:00:00Z cycling 5388s
             5 2026-11-12T06:00:00Z cycling 5400s
             6 2026-11-12T06:00:00Z cycling 2400s",
        )
        .has(
            "archive",
            "a 2026-11-10T06:00:00Z cycling 5400s device=fenix
             b 2026-11-10T06:00:00Z cycling 5400s device=edge
             c 2026-11-11T06:00:00Z cycling 5388s
             d 2026-11-11T06:00:00Z cycling 5400s
             e 2026-11-12T06:00:00Z cycling 2400s
             f 2026-11-12T06:00:00Z cycling 5400s",
        );
    shows("two_devices", &scenario);
}

#[test]
fn a_clear_pair_is_not_drawn_into_its_neighbours_question() {
    // 2 is b's clear choice; what is left for 1 is a.
    let scenario = us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running 1000s\n2 2026-11-10T06:01:05Z running 1000s")
        .has(
            "archive",
            "a 2026-11-10T05:59:20Z running 1000s\nb 2026-11-10T06:01:04Z running 1000s",
        );
    shows("near_neighbours", &scenario);
}

#[test]
fn the_same_run_shifted_by_quarter_hours_is_suspicious() {
    let scenario = us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running 3600s 10000m")
        .has("archive", "a 2026-11-10T14:00:01Z trail_running 3602s 10090m");
    shows("zone_suspect", &scenario);
    saves("zone_suspect", &scenario);
}

#[test]
fn what_only_looks_like_a_zone_is_uploaded() {
    let scenario = us_to_archive()
        .has(
            "us",
            "other_length 2026-11-01T06:00:00Z running 3600s 10000m
             other_distance 2026-11-02T06:00:00Z running 3600s 10000m
             other_family 2026-11-03T06:00:00Z running 3600s 10000m
             no_zone 2026-11-04T06:00:00Z running 3600s 10000m
             too_far 2026-11-05T00:00:00Z running 3600s 10000m
             matched 2026-11-06T06:00:00Z running 3600s 10000m
             its_match 2026-11-06T08:00:00Z running 3600s 10000m",
        )
        .has(
            "archive",
            "a 2026-11-01T08:00:00Z running 3603s 10000m
             b 2026-11-02T08:00:00Z running 3600s 10102m
             c 2026-11-03T08:00:00Z cycling 3600s 10000m
             d 2026-11-04T08:05:00Z running 3600s 10000m
             e 2026-11-05T14:15:00Z running 3600s 10000m
             f 2026-11-06T08:00:00Z running 3600s 10000m",
        );
    shows("zone_suspects_that_are_none", &scenario);
}

#[test]
fn an_overlap_comes_before_a_zone() {
    let scenario = us_to_archive().has("us", "1 2026-11-10T06:00:00Z cycling 7200s 50000m").has(
        "archive",
        "shifted 2026-11-10T12:00:00Z cycling 7200s 50000m
             both 2026-11-10T06:15:00Z cycling 7200s 50000m",
    );
    shows("overlap_before_zone", &scenario);
}

#[test]
fn an_overlap_with_a_matched_activity_is_a_question_too() {
    let scenario = us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running 3000s\n2 2026-11-10T06:15:00Z running 3000s")
        .has("archive", "a 2026-11-10T06:00:00Z running 3000s");
    shows("partial_overlap", &scenario);
    saves("partial_overlap", &scenario);
}

#[test]
fn a_part_of_another_one_is_a_question_where_a_second_sign_says_so() {
    let scenario = us_to_archive()
        .has(
            "us",
            "forgot_to_stop 2026-11-10T06:00:00Z running 28800s 12000m
             other 2026-11-11T06:00:00Z running 28800s 12000m",
        )
        .has(
            "archive",
            "cut 2026-11-10T06:00:00Z running 2400s 8000m
             within 2026-11-11T08:00:07Z running 2400s 8000m",
        );
    shows("contained", &scenario);
}

/// Found by the laws: after a lost memory, the one without a length was uploaded again.
#[test]
fn the_same_start_without_a_length_is_a_question_too() {
    let scenario = us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running\n2 2026-11-10T06:00:00Z running 3000s")
        .has("archive", "a 2026-11-10T06:00:00Z running 3000s");
    shows("same_start_without_length", &scenario);
}

/// Two minutes apart at most, as for a near match; without an end nothing else can be asked of them.
#[test]
fn a_near_start_without_a_length_is_a_question_too() {
    let scenario = us_to_archive()
        .has(
            "us",
            "
            1 2026-11-10T06:00:00Z running 3000s
            2 2026-11-11T06:00:00Z running
            3 2026-11-12T06:00:00Z running
        ",
        )
        .has(
            "archive",
            "
            a 2026-11-10T06:02:00Z running
            b 2026-11-11T05:59:59Z running 3000s
            c 2026-11-12T06:02:01Z running 3000s
        ",
        );
    shows("near_start_without_length", &scenario);
}

#[test]
fn less_than_a_third_is_no_overlap() {
    let scenario = us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running 1000s")
        .has("archive", "a 2026-11-10T06:09:00Z running 1000s");
    shows("little_overlap", &scenario);
}

#[test]
fn a_multisport_parent_and_its_legs_are_a_question() {
    let scenario = us_to_archive()
        .rule("legs -> garmin_us")
        .has("us", "parent 2026-11-10T06:00:00Z multi_sport 10000s")
        .has(
            "archive",
            "swim 2026-11-10T06:00:00Z open_water_swimming 1500s
             run 2026-11-10T07:56:40Z running 3000s",
        )
        .has("legs", "run 2026-11-10T07:56:40Z running 3000s")
        .has("garmin_us", "g 2026-11-10T06:00:00Z triathlon 10000s");
    shows("multisport", &scenario);
}

#[test]
fn weak_starts_match_exactly_or_not_at_all() {
    let scenario = us_to_archive()
        .has(
            "us",
            "exact 2026-11-10T06:00:00Z running 3000s weak
             near 2026-11-11T06:00:00Z running 3000s weak
             near_weak 2026-11-12T06:00:00Z running 3000s",
        )
        .has(
            "archive",
            "a 2026-11-10T06:00:00Z running 3000s
             b 2026-11-11T06:00:01Z running 3000s
             c 2026-11-12T06:00:01Z running 3000s weak",
        );
    shows("weak_starts", &scenario);
}

#[test]
fn a_near_start_needs_a_compatible_type() {
    let scenario = us_to_archive()
        .has(
            "us",
            "same_family 2026-11-10T06:00:00Z running 3000s
             unknown 2026-11-11T06:00:00Z running 3000s
             other 2026-11-12T06:00:00Z running 3000s
             far 2026-11-13T06:00:00Z running 3000s",
        )
        .has(
            "archive",
            "a 2026-11-10T06:02:00Z trail_running 3000s
             b 2026-11-11T06:01:59Z coros_403 3000s
             c 2026-11-12T06:00:01Z cycling 3000s
             d 2026-11-13T06:02:01Z running 3000s",
        );
    shows("near_starts", &scenario);
}

#[test]
fn who_changed_since_the_link_decides() {
    let pairs = |scenario: Scenario| {
        let day = |day: u32, what: &str| format!("{day} 2026-11-0{day}T06:00:00Z running {what}\n");
        let rows: String = (1..=4).map(|n| day(n, "3000s 10000m records=3000")).collect();
        let mut scenario = scenario.has("us", &rows).has("archive", &rows);
        for n in 1..=4 {
            scenario = scenario.placed(&format!("us/{n} -> archive/{n}"));
        }
        scenario
            .edited("us", &day(1, "2900s 9700m records=2900"))
            .edited("archive", &day(2, "2900s 9700m records=2900"))
            .edited("us", &day(3, "2900s 9700m records=2900"))
            .edited("archive", &day(3, "2800s 9500m records=2900"))
            .edited("archive", &day(4, "3002s 10020m"))
    };
    shows("changed", &pairs(us_to_archive()));
    shows("changed_under_replace_existing", &pairs(us_to_archive().replacing()));
    saves("changed_on_both_sides", &pairs(us_to_archive()));
}

#[test]
fn what_would_be_lost_is_asked_about() {
    let fit = "running 3000s 10000m";
    let row = |n: u32, facts: &str| format!("{n} 2026-11-0{n}T06:00:00Z {fit} {facts}\n");
    let poor: String = (1..=5).map(|n| row(n, "records=1000")).collect();
    let rich = [
        row(1, "records=1000 serial=77"),
        row(2, "records=1000 sessions=2"),
        row(3, "records=1051"),
        row(4, "records=1000 developer=3"),
        row(5, "records=1050"),
    ];
    let scenario = Scenario::new()
        .rule("us -> archive")
        .replacing()
        .has("us", &poor)
        .has("archive", &rich.concat());
    shows("would_lose_data", &scenario);
}

#[test]
fn another_watch_s_serial_number_is_no_loss() {
    let row = |day: u32, second: u32, facts: &str| {
        format!(
            "{day} 2026-11-0{day}T06:00:{second:02}Z running 3000s 10000m records=1000 {facts}\n"
        )
    };
    let coros = [row(1, 7, "maker=294"), row(2, 0, "maker=294"), row(3, 7, "")];
    let garmin = [row(1, 0, "serial=77"), row(2, 0, "serial=77"), row(3, 0, "serial=77")];
    let scenario = Scenario::new()
        .rule("coros -> archive")
        .replacing()
        .has("coros", &coros.concat())
        .has("archive", &garmin.concat());
    // The second may be the same recording by way of COROS, the third by way of anything.
    shows("serial_of_another_watch", &scenario);
}

#[test]
fn an_upload_that_never_appeared_is_asked_about_after_a_week_and_two_readings() {
    let scenario = us_to_archive()
        .has(
            "us",
            "old 2026-11-01T06:00:00Z running 3000s
             young 2026-11-02T06:00:00Z running 3000s
             unread 2026-11-03T06:00:00Z running 3000s",
        )
        .pending("us/old -> archive", "2026-11-13T23:00:00Z", 2)
        .pending("us/young -> archive", "2026-11-14T01:00:00Z", 9)
        .pending("us/unread -> archive", "2026-11-01T09:00:00Z", 1);
    shows("never_appeared", &scenario);
}

#[test]
fn a_file_with_several_activities_is_asked_about_only_if_it_were_uploaded() {
    let scenario = us_to_archive()
        .has(
            "us",
            "1 2026-11-10T06:00:00Z running 3000s several
             2 2026-11-11T06:00:00Z running 3000s several",
        )
        .has("archive", "a 2026-11-11T06:00:00Z running 3000s");
    shows("several_activities", &scenario);
}

/// Refused as a duplicate of `b`, which starts an hour later.
fn refused_as_duplicate(last_seen: &str) -> Scenario {
    us_to_archive()
        .has("us", "1 2026-11-10T06:00:00Z running 3000s 10000m \"Tempo\"")
        .has("archive", "b 2026-11-10T07:10:00Z running 2990s 9990m \"Imported\"")
        .found_refused(
            "us/1 -> archive/b",
            RefusalReason::DuplicateAtDestination,
            "409",
            (1, last_seen),
        )
}

#[test]
fn what_was_refused_as_a_duplicate_is_asked_about_with_the_named_one() {
    let scenario = refused_as_duplicate("2026-11-12T06:00:00Z");
    shows("refused_by_destination", &scenario);
    saves("refused_by_destination", &scenario);
}

#[test]
fn distinct_sends_a_refused_duplicate_once_more_and_no_oftener() {
    let decided = |last_seen: &str| refused_as_duplicate(last_seen).distinct("us/1 -> archive/b");
    // Scenarios decide at 2026-11-20T09:00:00Z.
    let once = decided("2026-11-12T06:00:00Z").plan().document;
    assert_eq!(
        once.body.steps.iter().map(|step| step.action).collect::<Vec<_>>(),
        [Action::Upload]
    );
    let again = decided("2026-11-20T09:00:01Z").plan().document;
    assert!(again.body.steps.is_empty());
    assert_eq!(again.context.conflicts[0].reason, ConflictReason::RefusedByDestination);
    let adopted = refused_as_duplicate("2026-11-12T06:00:00Z").adopt("us/1 -> archive/b");
    assert_eq!(adopted.plan().document.context.counts.in_sync, 1);
    let ignored = refused_as_duplicate("2026-11-12T06:00:00Z").ignore("us/1 -> archive");
    assert_eq!(ignored.plan().document.context.counts.skip, 1);
}

#[test]
fn what_has_no_file_at_the_destination_on_two_days_is_asked_about() {
    let found = |looks: u32, last_seen: &str| {
        us_to_archive()
            .replacing()
            .has("us", "1 2026-11-10T06:00:00Z running 3000s 10000m records=900")
            .has("archive", "a 2026-11-10T06:00:00Z running 3000s 10000m")
            .found_refused(
                "archive/a -> archive",
                RefusalReason::NoOriginal,
                "",
                (looks, last_seen),
            )
    };
    let conflicts = |scenario: Scenario| {
        let plan = scenario.plan();
        let reasons: Vec<ConflictReason> =
            plan.document.context.conflicts.iter().map(|conflict| conflict.reason).collect();
        (reasons, plan.to_compare.len())
    };
    let asked = (vec![ConflictReason::WouldLoseData], 0);
    assert_eq!(conflicts(found(1, "2026-11-20T06:00:00Z")), (Vec::new(), 1));
    assert_eq!(conflicts(found(2, "2026-11-20T06:00:00Z")), asked);
    assert_eq!(conflicts(found(2, "2026-11-14T06:00:00Z")), asked);
    // A week later it is looked at once more.
    assert_eq!(conflicts(found(2, "2026-11-13T06:00:00Z")), (Vec::new(), 1));
    assert_eq!(conflicts(found(4, "2026-01-01T06:00:00Z")), asked);
    assert_eq!(conflicts(found(4, "2026-01-01T06:00:00Z").retrying_refused()), (Vec::new(), 1));
}
