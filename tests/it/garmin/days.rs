//! Day after day: what is brought, what is left alone, and how many requests it takes.

use crate::support::cli::{ride, steps};
use crate::support::fake_garmin::{Change, FakeGarmin, Place, Stored, Trouble};

use super::stage::{BOTH_WAYS, Stage, bytes};

/// Requests to a fake's API since the last call, by what they begin with.
fn asked(fake: &FakeGarmin, begin: &str) -> usize {
    fake.world().seen.iter().filter(|seen| seen.what.starts_with(begin)).count()
}

#[test]
fn what_the_global_account_holds_comes_to_china_and_the_next_plan_is_empty() {
    let stage = Stage::new(3).logged_in();
    assert_eq!(steps(&stage.cli.run("plan --json").ok().json()).len(), 3);
    stage.cli.run("apply --auto-approve").ok();
    assert_eq!(stage.cn.world().activities.len(), 3);
    stage.cli.run("plan").ok().says("No changes");
    stage.cli.lose_state();
    stage.cli.run("plan").ok().says("No changes");
    stage.cli.run("apply --auto-approve").ok();
    let world = stage.cn.world();
    let bytes_there: Vec<&[u8]> =
        world.activities.iter().filter_map(|stored| stored.file.as_deref()).collect();
    assert_eq!(bytes_there.len(), 3);
    for number in 0..3 {
        assert!(bytes_there.contains(&bytes(number).as_slice()), "byte by byte");
    }
}

#[test]
fn a_daily_plan_without_news_costs_two_requests_per_account() {
    for counts_more in [0, 4] {
        let mut stage = Stage::new(250).logged_in();
        stage.us.switch(|switches| switches.counts_more = counts_more);
        stage.cli.run("plan").ok();
        // Count and three pages; a count that is off costs a look at the end and a second reading.
        let (first, whole) = if counts_more == 0 { (4, 4) } else { (10, 5) };
        assert_eq!(stage.us.take_counts(), [0, 0, first, 0], "the first reading");
        stage.cn.take_seen();
        stage.cli.run("plan").ok();
        assert_eq!(stage.us.take_counts(), [0, 0, 2, 0]);
        assert_eq!(stage.cn.take_counts()[2], 2);
        stage.us.world().store(&ride("2026-11-19T06:00:00Z").build(), "New");
        stage.cli.run("plan").ok().says("251 to upload");
        assert_eq!(stage.us.take_counts(), [0, 0, 2, 0], "one that is new");
        stage.us.world().store(&ride("2020-01-01T06:00:00Z").build(), "Late");
        stage.cli.run("plan").ok().says("252 to upload");
        assert_eq!(stage.us.take_counts(), [0, 0, whole, 0], "one that is late");
        stage.us.world().activities.remove(0);
        stage.cli.run("plan").ok().says("251 to upload");
        stage.us.take_seen();
        for (day, renewals, requests) in [(21, 1, 2), (22, 1, whole), (23, 1, 2)] {
            stage.cli.set("FIT_SYNC_NOW", format!("2026-11-{day}T12:00:00Z"));
            stage.cli.run("plan").ok().says("251 to upload");
            assert_eq!(stage.us.take_counts(), [0, renewals, requests, 0], "day {day}");
        }
    }
}

#[test]
fn five_thousand_activities_cost_their_pages_and_nothing_else() {
    let stage = Stage::new(1).logged_in();
    {
        let world = &mut *stage.us.world();
        let one = world.activities[0].clone();
        world.activities = (0..5000_u32)
            .map(|number| {
                let hours = jiff::SignedDuration::from_hours(7 * i64::from(number));
                let start = one.start.checked_sub(hours).unwrap();
                Stored { id: one.id + u64::from(number), start, ..one.clone() }
            })
            .collect();
    }
    stage.cli.run("plan --format summary").ok().says("5000 to upload");
    assert_eq!(stage.us.take_counts(), [0, 0, 52, 0]);
}

#[test]
fn legs_manual_entries_and_strangers_are_told_apart() {
    let stage = Stage::new(2).logged_in();
    {
        let world = &mut *stage.us.world();
        let one = world.activities[0].clone();
        world.activities.push(Stored { id: 7, parent: Some(one.id), ..one.clone() });
        let start = "2026-10-01T06:00:00Z".parse().unwrap();
        world.activities.push(Stored { id: 8, file: None, start, ..one });
    }
    let plan = stage.cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan).len(), 2);
    assert_eq!(plan["context"]["skips"][0]["reason"], "no_original");
    stage.us.world().activities[0].owner = 99;
    stage.cli.run("plan --refresh full").exits(5).says("only part of garmin_us could be read");
    stage.cli.run("apply --auto-approve").exits(10);
    assert_eq!(stage.cn.world().activities.len(), 1, "nothing of somebody else is brought");
}

#[test]
fn a_replace_keeps_title_and_privacy() {
    let stage = Stage::new(0).logged_in().replacing();
    let start = "2026-11-01T06:12:33Z";
    stage.us.world().store(&ride(start).distance_m(31_000).build(), "Theirs");
    {
        let world = &mut *stage.cn.world();
        world.store(&ride(start).distance_m(30_000).build(), "Mine");
        world.activities[0].access = "private".to_owned();
        world.activities[0].description = "Windy".to_owned();
    }
    stage.cli.run("apply --auto-approve").ok();
    {
        let world = stage.cn.world();
        let [stored] = world.activities.as_slice() else { panic!("{:?}", world.activities) };
        assert_eq!(stored.distance_m, 31_000);
        assert_eq!((stored.title.as_str(), stored.description.as_str()), ("Mine", "Windy"));
        assert_eq!(stored.access, "private");
    }
    stage.cli.run("plan").ok().says("No changes");
}

#[test]
fn the_way_back_adds_nothing() {
    let stage = Stage::new(3).logged_in();
    stage.cli.run("apply --auto-approve").ok();
    stage.cli.manifest(BOTH_WAYS);
    for round in 0..2 {
        stage.cli.run("plan").ok().says("No changes");
        stage.cli.run("apply --auto-approve").ok();
        assert_eq!(stage.us.world().changes, [], "round {round}");
        assert_eq!(stage.us.world().activities.len(), 3);
        assert_eq!(stage.cn.world().activities.len(), 3);
        stage.cli.lose_state();
    }
    stage.cn.world().store(&ride("2026-11-19T16:00:00Z").build(), "In China");
    stage.cli.run("apply --auto-approve").ok();
    assert_eq!(stage.us.world().activities.len(), 4, "only what began there goes back");
    stage.cli.run("plan").ok().says("No changes");
}

#[test]
fn a_server_that_dies_in_mid_run_leaves_what_the_next_run_ends() {
    for (is_source, place, after, code) in [
        (false, Place::Upload, 0, 10),
        (false, Place::Upload, 3, 10),
        (false, Place::Status, 1, 10),
        (false, Place::List, 0, 5),
        (true, Place::List, 1, 5),
        (true, Place::Download, 0, 5),
        (true, Place::Download, 4, 10),
    ] {
        let mut stage = Stage::new(6).logged_in();
        let what = format!("{place:?} after {after}");
        let fake = if is_source { &mut stage.us } else { &mut stage.cn };
        *fake.world().switches.at(place) = Trouble::After(after, Box::new(Trouble::Dies));
        let ran = stage.cli.run("apply --auto-approve");
        assert_eq!(ran.code, code, "{what}: {ran:#?}");
        let fake = if is_source { &mut stage.us } else { &mut stage.cn };
        *fake.world().switches.at(place) = Trouble::None;
        fake.revive();
        stage.cli.set("FIT_SYNC_NOW", "2026-11-20T13:00:00Z");
        let ran = stage.cli.run("apply --auto-approve");
        assert_eq!(ran.code, 0, "{what}: {ran:#?}");
        let stored = stage.cn.world().changes.len();
        assert_eq!((stored, stage.cn.world().activities.len()), (6, 6), "{what}: each once");
        stage.cli.run("plan").ok().says("No changes");
    }
}

#[test]
fn nothing_is_fetched_for_a_plan_unless_contents_are_compared() {
    let stage = Stage::new(2).logged_in();
    let start = "2026-11-01T06:12:33Z";
    stage.cn.world().store(&ride(start).distance_m(17_000).build(), "Mine");
    stage.cli.run("plan").ok().says("1 to upload, 0 to replace");
    assert_eq!((asked(&stage.us, "GET /download"), asked(&stage.cn, "GET /download")), (0, 0));
    let stage = stage.replacing();
    stage.cli.run("plan").ok().says("1 to upload, 1 to replace");
    assert_eq!((asked(&stage.us, "GET /download"), asked(&stage.cn, "GET /download")), (1, 1));
    stage.forget_counts();
    stage.cli.run("plan").ok().says("1 to upload, 1 to replace");
    assert_eq!((stage.us.take_counts()[2], stage.cn.take_counts()[2]), (2, 2), "compared once");
}

#[test]
fn an_apply_costs_one_file_each_and_one_reading_of_the_batch() {
    let stage = Stage::new(8).logged_in();
    stage.cli.run("plan").ok();
    stage.forget_counts();
    stage.cli.run("apply --auto-approve").ok();
    assert_eq!(stage.us.take_counts(), [0, 0, 2 + 8, 0]);
    assert_eq!(asked(&stage.cn, "POST /upload-service/upload"), 8);
    let lists = asked(&stage.cn, "GET /activitylist-service");
    assert_eq!(lists, 2 + 1, "before and after, however many were sent");
    stage.forget_counts();
    stage.cli.run("apply --auto-approve").ok();
    assert_eq!(stage.us.take_counts(), [0, 0, 2, 0]);
    assert_eq!(stage.cn.take_counts(), [0, 0, 2, 0], "nothing new, nothing more");
}

#[test]
fn imports_go_another_way() {
    let stage = Stage::new(2).logged_in();
    stage.accounts("min_gap_ms: 0, upload_as_import: true");
    stage.cli.run("apply --auto-approve").ok();
    assert_eq!(asked(&stage.cn, "POST /upload-service/upload/fit"), 2);
    let changes = stage.cn.world().changes.clone();
    assert!(matches!(changes.as_slice(), [Change::Stored(_), Change::Stored(_)]), "{changes:?}");
    stage.cli.run("plan").ok().says("No changes");
}
