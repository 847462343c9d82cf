//! `list`: the newest first, filtered, numbered, and as fresh as it says.

use serde_json::{Value, json};

use super::world::{cli, shows};
use crate::support::cli::{Cli, MANIFEST, NOW, Ran, ride};

fn titles(ran: &Ran) -> Vec<String> {
    let rows = ran.json()["activities"].as_array().unwrap().clone();
    let title = |row: &Value| row["title"].as_str().unwrap_or_default().to_owned();
    rows.iter().map(title).collect()
}

#[test]
fn a_table_for_people() {
    let cli = cli();
    shows(&cli, "list", "list --account watch");
    shows(&cli, "list-all-accounts", "list");
    shows(&cli, "list-limit", "list --account watch --limit 2");
    shows(&cli, "list-filtered", "list --account watch --activity-type trail_running --limit 10");
    shows(&cli, "list-none", "list --account watch --title Nothing");
    shows(&cli, "list-quiet", "list --account watch --limit 1 -q");
}

#[test]
fn rows_for_machines_are_the_contract_s() {
    let cli = cli();
    let list = cli.run("list --account watch --json").ok().json();
    assert_eq!(list["format"], "fit_sync.list/1");
    let rows = list["activities"].as_array().unwrap();
    assert_eq!(rows.len(), 5, "{list:#}");
    let first = json!({
        "account": "watch",
        "index": 1,
        "id": "Morning Run.fit",
        "start": "2026-11-07T06:02:11Z",
        "local_offset_s": -12_600,
        "elapsed_s": 3067,
        "type": "running",
        "title": "Morning Run",
        "distance_m": 10_055,
        "device": rows[0]["device"],
    });
    assert_eq!(rows[0], first);
    let last = &rows[4];
    assert_eq!((&last["start"], &last["index"]), (&Value::Null, &json!(5)), "{list:#}");
    assert_eq!(cli.run("list --json").ok().json(), list, "the archive has none");
}

#[test]
fn every_filter_of_a_rule_is_one_of_the_command_line() {
    let cli = cli();
    let of = |args: &str| titles(&cli.run(&format!("list --json {args}")).ok());
    assert_eq!(of("--activity-type running"), ["Morning Run", "西湖越野跑"]);
    assert_eq!(of("--activity-type hiking,trail_running"), ["Autumn Hike", "西湖越野跑"]);
    assert_eq!(of("--activity-type HIKING --activity-type garmin:road_biking").len(), 2);
    // The day is the athlete's own: 23:30 UTC is the next morning in China.
    assert_eq!(of("--end-date 2026-11-01"), [""; 0]);
    assert_eq!(of("--start-date 2026-11-02 --end-date 2026-11-02"), ["西湖越野跑"]);
    assert_eq!(of("--start-date -15d"), ["Morning Run", "Evening Ride"]);
    assert_eq!(of("--title ^Eve"), ["Evening Ride"]);
    assert_eq!(of("--title 越野"), ["西湖越野跑"]);
    assert_eq!(of("--min-distance 13km"), ["Evening Ride", "西湖越野跑"]);
    assert_eq!(of("--max-distance 12960 --min-distance 11000m"), ["Autumn Hike"]);
    assert_eq!(of("--min-duration 2h --max-duration 3h"), ["西湖越野跑"]);
    assert_eq!(of("--device nosuchdevice"), [""; 0]);
    assert_eq!(of("--limit 2"), ["Morning Run", "Evening Ride"]);
    assert_eq!(of("--limit 0").len(), 5);
}

#[test]
fn ten_rows_are_shown_and_the_rest_is_told() {
    let cli = Cli::new(MANIFEST);
    for day in 1..=12 {
        cli.fit(format!("watch/{day}.fit"), &ride(&format!("2026-11-{day:02}T06:00:00Z")));
    }
    let ran = cli.run("list --account watch").ok().tells("10 of 12 activities");
    assert_eq!(ran.stdout.lines().count(), 11, "{ran:#?}");
    let ran = cli.run("list --limit 0 --account watch").ok().tells("watch: 12 activities");
    assert_eq!(ran.stdout.lines().count(), 13, "{ran:#?}");
}

#[test]
fn what_is_wrong_with_the_question_is_said() {
    let cli = cli();
    for (name, args) in [
        ("account", "list --account wacth"),
        ("type", "list --activity-type runing"),
        ("day", "list --start-date 2024-02-30"),
        ("date", "list --end-date yesterday"),
        ("days", "list --start-date 2026-02-02 --end-date 2026-02-01"),
        ("distances", "list --min-distance 2km --max-distance 1km"),
        ("durations", "list --min-duration 2h --max-duration 1h"),
        ("pattern", "list --title ("),
    ] {
        shows(&cli, &format!("list-wrong-{name}"), args);
        cli.run(args).exits(3);
    }
    for wrong in [
        "list --limit ten",
        "list --limit -1",
        "list --min-distance far",
        "list --max-duration 90",
        "list --refresh --offline",
        "list extra",
    ] {
        cli.run(wrong).exits(64);
    }
    Cli::empty().run("list").exits(3);
}

#[test]
fn a_young_listing_is_used_as_it_is_and_an_old_one_read_again() {
    let mut cli = cli();
    cli.run("list --account watch").ok().tells("read just now");
    cli.fit("watch/new.fit", &ride("2026-11-19T06:00:00Z"));
    let five = |cli: &Cli, args: &str| titles(&cli.run(&format!("list --json {args}")).ok()).len();
    cli.set("FIT_SYNC_NOW", "2026-11-20T12:14:59Z");
    assert_eq!(five(&cli, ""), 5);
    cli.run("list --account watch").ok().tells("read 14 minutes ago");
    assert_eq!(five(&cli, "--refresh"), 6);
    cli.fit("watch/newer.fit", &ride("2026-11-19T07:00:00Z"));
    cli.set("FIT_SYNC_NOW", "2026-11-20T14:00:00Z");
    assert_eq!(five(&cli, "--offline --account watch"), 6);
    cli.run("list --offline --account watch").ok().tells("read 105 minutes ago");
    assert_eq!(five(&cli, ""), 7);
    cli.set("FIT_SYNC_NOW", NOW);
    assert_eq!(five(&cli, ""), 7, "a listing from the future is read again");
}

#[test]
fn accounts_alone_are_enough() {
    let cli = cli();
    let (accounts, _) = MANIFEST.split_once("sync_rules").unwrap();
    cli.manifest(accounts);
    assert_eq!(titles(&cli.run("list --json").exits(5)).len(), 5, "the archive is not made yet");
    cli.run("validate").ok();
    cli.run("plan").ok().says("No changes.").tells("no sync_rules");
    cli.run("download --account watch --index 1").ok();
}

#[test]
fn an_account_that_cannot_be_read_does_not_hide_the_others() {
    let cli = cli();
    cli.manifest(&MANIFEST.replace("path: archive", "path: archive/deep/none"));
    let (accounts, _) = MANIFEST.split_once("sync_rules").unwrap();
    cli.manifest(&accounts.replace("path: archive", "path: nowhere"));
    shows(&cli, "list-unreadable", "list --limit 1");
    shows(&cli, "list-offline-unread", "list --offline --account archive");
}

#[test]
fn hostile_titles_are_harmless() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a\u{1b}[31m\u{202e}b\u{7f}.fit", &ride("2026-11-01T06:00:00Z"));
    for args in ["list", "list --json", "download --account watch --index 1"] {
        let ran = cli.run(args).ok();
        let dangerous = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!ran.stdout.contains(dangerous) && !ran.stderr.contains(dangerous), "{ran:#?}");
    }
}
