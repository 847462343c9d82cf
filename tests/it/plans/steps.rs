//! What is uploaded and replaced, and what is in sync.

use super::{saves, shows};
use crate::support::scenario::Scenario;

fn us_to_archive() -> Scenario {
    Scenario::new().rule("garmin_us -> archive")
}

fn archive_to_us() -> Scenario {
    Scenario::new().rule("archive -> garmin_us").replacing()
}

const RUN: &str = "1 2026-11-19T06:12:33Z running 3067s 10060m \"Morning Run\" records=3000";

#[test]
fn what_is_missing_is_uploaded() {
    let scenario = us_to_archive().has("garmin_us", RUN).has(
        "garmin_us",
        "2 2026-11-20T17:00:00Z cycling 5564s 40210m \"Evening Ride\"
         3 2026-11-18T07:00:00Z yoga",
    );
    shows("upload", &scenario);
    saves("upload", &scenario);
}

#[test]
fn what_differs_is_replaced() {
    let scenario = archive_to_us().has("archive", &format!("{RUN} ascent=140")).has(
        "garmin_us",
        "g1 2026-11-19T06:12:33Z running 3066s 10017m \"Running\" records=2990 ascent=112",
    );
    shows("replace", &scenario);
    saves("replace", &scenario);
}

#[test]
fn a_directory_takes_the_new_file_before_it_gives_the_old_one_away() {
    let scenario = us_to_archive()
        .replacing()
        .has("garmin_us", RUN)
        .has("archive", "a.fit 2026-11-19T06:12:33Z running 3067s 10012m records=3000 sha=a");
    saves("replace_in_a_directory", &scenario);
}

#[test]
fn several_sessions_are_compared_one_by_one() {
    let scenario = archive_to_us()
        .has("archive", "1 2026-11-19T06:12:33Z multi_sport 3067s 10060m records=3000 sessions=2")
        .has(
            "garmin_us",
            "g 2026-11-19T06:12:33Z multi_sport 3067s 10012m records=3000 sessions=2",
        );
    shows("replace_with_several_sessions", &scenario);
}

#[test]
fn without_replace_existing_a_pair_is_left_as_it_is() {
    let scenario = us_to_archive()
        .has("garmin_us", RUN)
        .has("archive", "a 2026-11-19T06:12:33Z running 3067s 10012m records=3000");
    shows("same_activity", &scenario);
}

#[test]
fn a_pair_with_equal_content_is_in_sync() {
    let scenario = archive_to_us()
        .has("archive", RUN)
        .has("garmin_us", "g 2026-11-19T06:12:33Z running 3067s 10060m \"Run\" records=3000");
    shows("same_activity_compared", &scenario);
}

#[test]
fn a_pair_whose_originals_were_not_read_is_not_compared() {
    let scenario = archive_to_us()
        .has("archive", RUN)
        .has("garmin_us", "g 2026-11-19T06:12:33Z running 3067s 10060m");
    shows("not_compared", &scenario);
}

#[test]
fn equal_bytes_need_no_comparison_whatever_the_listing_says() {
    let scenario = Scenario::new()
        .rule("watch -> archive")
        .replacing()
        .has("watch", "w.fit 2026-11-19T06:12:33Z running 3067s 10060m sha=a")
        .has("archive", "a.fit 2026-11-19T06:12:33Z running 3067s 10060m sha=a");
    shows("same_bytes", &scenario);
}

#[test]
fn a_linked_pair_is_in_sync() {
    let scenario = us_to_archive()
        .has("garmin_us", RUN)
        .has("archive", "a 2026-11-19T06:12:33Z running 3067s 10012m")
        .placed("garmin_us/1 -> archive/a")
        .listing_pairs();
    shows("linked", &scenario);
    saves("linked", &scenario);
}

#[test]
fn an_upload_that_is_not_listed_yet_blocks_another() {
    let scenario = us_to_archive()
        .has("garmin_us", RUN)
        .pending("garmin_us/1 -> archive", "2026-11-19T09:00:00Z", 5)
        .listing_pairs();
    shows("pending", &scenario);
    saves("pending", &scenario);
}

#[test]
fn force_replaces_equal_pairs_that_are_not_ours_and_uploads_questions_of_time() {
    let scenario = archive_to_us()
        .forced()
        .has(
            "archive",
            "equal 2026-11-01T06:00:00Z running 3000s 10000m records=3000
             ours 2026-11-02T06:00:00Z running 3000s 10000m records=3000
             overlapping 2026-11-03T06:00:00Z running 3000s 10000m
             shifted 2026-11-04T06:00:00Z running 3000s 10000m
             either 2026-11-05T06:00:00Z running 3000s 10000m",
        )
        .has(
            "garmin_us",
            "1 2026-11-01T06:00:00Z running 3000s 10000m records=3000
             2 2026-11-02T06:00:00Z running 3000s 10000m records=3000
             3 2026-11-03T06:25:00Z running 3000s 10000m
             4 2026-11-04T09:00:00Z running 3000s 10000m
             5 2026-11-05T06:00:00Z running 3000s 10000m
             6 2026-11-05T06:00:00Z running 3000s 10000m",
        )
        .placed("archive/ours -> garmin_us/2");
    shows("forced", &scenario);
    saves("forced", &scenario);
}
