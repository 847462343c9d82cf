//! When the network fails: nothing is brought twice, nothing is lost, and a later run ends the work.

use crate::support::fake_garmin::{Switches, Trouble};

use super::stage::Stage;

type Change = fn(&mut Switches, Trouble);

const PLACES: [(&str, Change); 5] = [
    ("list", |switches, trouble| switches.list = trouble),
    ("download", |switches, trouble| switches.download = trouble),
    ("upload", |switches, trouble| switches.upload = trouble),
    ("status", |switches, trouble| switches.status = trouble),
    ("change", |switches, trouble| {
        switches.details = trouble.clone();
        switches.edit = trouble.clone();
        switches.delete = trouble;
    }),
];

#[test]
fn whatever_fails_wherever_the_next_run_ends_the_work_without_doubles() {
    let troubles = [
        Trouble::Status(429),
        Trouble::Wait(429, 5),
        Trouble::Status(500),
        Trouble::Status(503),
        Trouble::Status(403),
        Trouble::Status(200),
        Trouble::Lost,
    ];
    for (place, change) in PLACES {
        for trouble in &troubles {
            let what = format!("{trouble:?} at {place}");
            let mut stage = Stage::new(2).logged_in();
            let fake = if matches!(place, "list" | "download") { &stage.us } else { &stage.cn };
            fake.switch(|switches| change(switches, trouble.clone()));
            let ran = stage.cli.run("apply --auto-approve");
            assert!(matches!(ran.code, 0 | 1 | 4 | 5 | 10), "{what}: {ran:#?}");
            assert_ne!(ran.code, 4, "{what}: no login is lost by it: {ran:#?}");
            fake.switch(|switches| change(switches, Trouble::None));
            // Time for what is in doubt to have appeared.
            stage.cli.set("FIT_SYNC_NOW", "2026-11-20T13:00:00Z");
            stage.cli.run("apply --auto-approve").ok();
            assert_eq!(stage.cn.world().activities.len(), 2, "{what}");
            stage.cli.run("plan").ok().says("No changes");
        }
    }
}

#[test]
fn a_wait_of_a_day_ends_the_run_with_5_and_garbled_lists_are_an_outage() {
    for (trouble, says) in [
        (Trouble::Wait(429, 86_400), "it asked to wait for longer than 15 minutes"),
        (Trouble::Status(200), "not available"),
        (Trouble::Says(200, "{}"), "not available"),
        (Trouble::Status(204), "not available"),
        (Trouble::Half, "not available"),
    ] {
        let stage = Stage::new(1).logged_in();
        stage.us.switch(|switches| switches.list = trouble.clone());
        let ran = stage.cli.run("plan").exits(5);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(says), "{trouble:?}: {ran:#?}");
        let requests = stage.us.take_counts()[2];
        assert_eq!(requests, if says.contains("15 minutes") { 1 } else { 3 }, "{trouble:?}");
    }
}

#[test]
fn uploads_that_are_stored_at_once_need_no_questions() {
    let stage = Stage::new(2).logged_in();
    stage.cn.switch(|switches| switches.uploads_at_once = true);
    stage.cli.run("apply --auto-approve").ok();
    let seen = stage.cn.take_seen();
    assert!(seen.iter().all(|seen| !seen.what.contains("/status/")), "{seen:?}");
    assert_eq!(stage.cn.world().activities.len(), 2);
}
