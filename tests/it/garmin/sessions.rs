//! Commands besides `auth`: stored sessions, renewals, and logins that need nobody.

use crate::support::fake_garmin::{Code, Trouble};

use super::stage::Stage;

const NOBODY: [usize; 4] = [0; 4];

#[test]
fn a_second_run_never_touches_the_login() {
    let mut stage = Stage::new(1).logged_in();
    for day in 21..25 {
        stage.cli.set("FIT_SYNC_NOW", format!("2026-11-{day}T13:00:00Z"));
        stage.cli.run("apply --auto-approve").ok();
        for fake in [&stage.us, &stage.cn] {
            let counts = fake.take_counts();
            assert_eq!((counts[0], counts[1]), (0, 1), "a renewal a day, no login");
        }
    }
}

#[test]
fn without_a_session_a_password_opens_the_account_once() {
    let stage = Stage::with_keys(1, "password: right, min_gap_ms: 0");
    stage.cli.run("plan").ok().says("1 to upload");
    assert_eq!(stage.us.take_counts()[..2], [2, 1]);
    stage.forget_counts();
    stage.cli.run("plan").ok();
    assert_eq!(stage.us.take_counts(), [0, 0, 2, 0]);
}

#[test]
fn where_nobody_can_log_in_nothing_is_asked_and_the_run_ends_with_4() {
    let stage = Stage::new(1);
    stage.cli.run("plan").exits(4).says("no session");
    assert_eq!((stage.us.take_counts(), stage.cn.take_counts()), (NOBODY, NOBODY));
    stage.accounts("password: right, allow_login: false");
    stage.cli.run("plan").exits(4).says("allow_login");
    assert_eq!((stage.us.take_counts(), stage.cn.take_counts()), (NOBODY, NOBODY));
}

#[test]
fn an_account_with_a_code_is_asked_once_and_then_left_to_a_person() {
    let mut stage = Stage::with_keys(1, "password: right, min_gap_ms: 0");
    stage.us.switch(|switches| switches.code = Some(Code::new("123456")));
    stage.cli.run("plan").exits(4).says("one-time code");
    assert_eq!(stage.us.take_counts(), [2, 0, 0, 0]);
    stage.cli.run("plan").exits(4).says("one-time code");
    assert_eq!(stage.us.take_counts(), NOBODY);
    stage.cli.set("FIT_SYNC_GARMIN_US_MFA_CODE", "123456");
    stage.cli.run("plan").ok().says("1 to upload");
    assert_eq!(stage.us.take_counts()[..2], [3, 1]);
}

#[test]
fn refusals_and_throttles_are_not_repeated_by_the_next_run() {
    for (trouble, says, counts) in [
        (Trouble::Kind(200, "ACCOUNT_LOCKED"), "locked", [2, 0, 0, 0]),
        (Trouble::Status(429), "left alone until", [4, 0, 0, 0]),
    ] {
        let stage = Stage::with_keys(1, "password: right, min_gap_ms: 0");
        stage.us.switch(|switches| {
            switches.mobile = trouble.clone();
            switches.widget = trouble.clone();
        });
        stage.cli.run("plan").exits(4).says(says);
        assert_eq!(stage.us.take_counts(), counts);
        stage.cli.run("plan").exits(4).says(says);
        assert_eq!(stage.us.take_counts(), NOBODY);
    }
}

#[test]
fn a_session_that_ends_soon_is_said_before_it_does() {
    let mut stage = Stage::new(0).logged_in();
    stage.us.switch(|switches| switches.refresh_s = 6 * 86_400);
    stage.cli.run("auth --force").ok();
    let ran = stage.cli.run("plan").ok();
    ran.tells("warning: the session of garmin_us ends on 2026-11-26");
    stage.us.switch(|switches| switches.refresh_s = 30 * 86_400);
    stage.cli.set("FIT_SYNC_NOW", "2026-11-22T12:00:00Z");
    let ran = stage.cli.run("plan").ok();
    assert!(!ran.stderr.contains("warning"), "the renewal made it longer: {ran:#?}");
}

#[test]
fn a_gateway_s_403_costs_no_session() {
    let stage = Stage::new(1).logged_in();
    stage.us.switch(|switches| switches.list = Trouble::Status(403));
    stage.cli.run("plan").exits(5).says("gateway");
    let counts = stage.us.take_counts();
    assert_eq!((counts[0], counts[1]), (0, 0));
    stage.us.switch(|switches| switches.list = Trouble::None);
    stage.cli.run("plan").ok();
}

#[test]
fn a_token_refused_in_mid_run_is_renewed_and_the_same_request_repeated() {
    let stage = Stage::new(2).logged_in();
    stage.cli.run("plan").ok();
    stage.us.world().account.access.clear();
    stage.cn.world().account.access.clear();
    stage.forget_counts();
    stage.cli.run("apply --auto-approve").ok();
    assert_eq!(stage.cn.take_counts()[..2], [0, 1]);
    assert_eq!(stage.cn.world().activities.len(), 2);
}

#[test]
fn a_run_tries_one_login_per_account_however_often_it_opens_it() {
    let stage = Stage::with_keys(1, "password: right, min_gap_ms: 0");
    for fake in [&stage.us, &stage.cn] {
        fake.switch(|switches| {
            switches.mobile = Trouble::Status(403);
            switches.widget = Trouble::Status(403);
        });
    }
    // What was blocked is left alone by the runs to come.
    for (command, requests) in [("apply --auto-approve", 4), ("plan", 0), ("sync --dry-run", 0)] {
        stage.cli.run(command).exits(4);
        assert_eq!(stage.us.take_counts(), [requests, 0, 0, 0], "{command}");
        assert_eq!(stage.cn.take_counts(), [requests, 0, 0, 0], "{command}");
    }
}
