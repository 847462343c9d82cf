//! Sessions that last: renewed before they end, through crashes, lost answers and rivals.

use std::process::Stdio;

use tokio::sync::oneshot;

use crate::support::cli::Ran;
use crate::support::fake_garmin::{Renewal, Switches};

use super::stage::{NAME, Stage};

/// After the access token's end, before the session's.
const NEXT_DAY: &str = "2026-11-21T13:00:00Z";

fn logged_in(switches: Switches) -> Stage {
    let stage = Stage::new(switches);
    stage.cli.run("auth").ok();
    stage.fake.take_counts();
    stage
}

#[test]
fn a_session_is_renewed_by_itself_for_a_month_of_days() {
    let mut stage = logged_in(Switches::of("garmin.com"));
    let mut tokens = vec![stage.token("refresh_token")];
    for day in 21..=30 {
        stage.at(&format!("2026-11-{day}T12:00:00Z"));
        stage.cli.run("auth").ok().says("the stored session works");
        assert_eq!(stage.fake.take_counts(), [0, 1, 1, 0], "day {day}");
        tokens.push(stage.token("refresh_token"));
        stage.cli.run("auth").ok();
        assert_eq!(stage.fake.take_counts(), [0, 0, 1, 0], "twice on day {day}");
    }
    tokens.dedup();
    assert_eq!(tokens.len(), 11, "every renewal was kept");
}

#[test]
fn a_token_that_the_api_refuses_early_is_renewed_once() {
    let stage = logged_in(Switches::of("garmin.com"));
    stage.fake.world().account.access.clear();
    stage.cli.run("auth").ok().says("the stored session works");
    assert_eq!(stage.fake.take_counts(), [0, 1, 2, 0]);
}

#[test]
fn an_ended_session_takes_one_login() {
    let mut stage = logged_in(Switches::of("garmin.com"));
    stage.at("2027-01-20T12:00:00Z");
    stage.cli.run("auth").ok().says("logged in");
    assert_eq!(stage.fake.take_counts(), [2, 1, 1, 0], "an ended token is not even sent");
    stage.at("2027-01-21T12:00:00Z");
    stage.fake.world().account.refresh.clear();
    stage.cli.run("auth").ok().says("logged in");
    assert_eq!(stage.fake.take_counts(), [2, 2, 1, 0]);
}

#[test]
fn failures_of_the_token_service_cost_no_session() {
    let mut stage = logged_in(Switches::of("garmin.com"));
    let before = stage.token("refresh_token");
    stage.at(NEXT_DAY);
    stage.fake.switch(|switches| switches.renewal = Renewal::Fails(503));
    stage.cli.run("auth").exits(5).tells("not available");
    assert_eq!(stage.fake.take_counts(), [0, 3, 0, 0]);
    assert_eq!(stage.token("refresh_token"), before);
    stage.fake.switch(|switches| switches.renewal = Renewal::Works);
    stage.cli.run("auth").ok().says("the stored session works");
    assert_ne!(stage.token("refresh_token"), before);
}

#[test]
fn a_renewal_at_the_wrong_region_is_said() {
    let mut stage = logged_in(Switches::of("garmin.cn"));
    stage.at(NEXT_DAY);
    stage.fake.switch(|switches| switches.renewal = Renewal::OtherRegion);
    stage.cli.run("auth").ok().says("logged in");
    assert_eq!(stage.fake.take_counts(), [2, 2, 1, 0]);
}

#[test]
fn a_lost_answer_costs_at_most_one_login_and_it_is_said() {
    let mut stage = logged_in(Switches::of("garmin.com"));
    stage.at(NEXT_DAY);
    stage.fake.switch(|switches| switches.renewal = Renewal::LosesAnswer);
    let ran = stage.cli.run("auth").ok().says("logged in");
    ran.tells("lost when its renewal was interrupted; one new login is needed");
    assert_eq!(stage.fake.take_counts(), [2, 3, 1, 0]);
    stage.cli.run("auth").ok().says("the stored session works");
    assert_eq!(stage.fake.take_counts(), [0, 0, 1, 0]);
}

#[test]
fn a_run_that_is_killed_between_answer_and_saving_costs_at_most_one_login() {
    let mut stage = logged_in(Switches::of("garmin.com"));
    stage.at(NEXT_DAY);
    let (pid, killer) = oneshot::channel();
    stage.fake.switch(|switches| switches.renewal = Renewal::Kills(Some(killer)));
    let mut command = stage.cli.command(["auth"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    pid.send(child.id()).unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it was killed");
    assert_eq!(stage.fake.take_counts(), [0, 1, 0, 0]);
    assert!(stage.session().unwrap()["renewing_since"].is_string());
    let ran = stage.cli.run("auth").ok().says("logged in");
    ran.tells("lost when its renewal was interrupted");
    assert_eq!(stage.fake.take_counts(), [2, 2, 1, 0]);
    assert_eq!(stage.session().unwrap()["renewing_since"], serde_json::Value::Null);
}

#[test]
fn of_two_runs_at_once_one_renews_and_the_other_uses_it() {
    let mut stage = logged_in(Switches::of("garmin.com"));
    stage.at(NEXT_DAY);
    let children: Vec<_> = (0..4)
        .map(|_| {
            let mut command = stage.cli.command(["auth"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let child = command.spawn().unwrap();
            (command, child)
        })
        .collect();
    for (command, child) in children {
        let ran = Ran::of(&command, &child.wait_with_output().unwrap());
        ran.ok().says("the stored session works");
    }
    assert_eq!(stage.fake.take_counts(), [0, 1, 4, 0]);
}

#[test]
fn a_session_is_sent_to_no_other_hosts() {
    let stage = logged_in(Switches::of("garmin.com"));
    let rival = Stage::without_password(Switches::of("garmin.com"));
    let file = format!("sessions/{NAME}.json");
    std::fs::create_dir(rival.cli.home("sessions")).unwrap();
    std::fs::copy(stage.cli.home(&file), rival.cli.home(&file)).unwrap();
    rival.cli.run("auth --status").exits(4).says("made for other hosts");
    rival.cli.run("auth").exits(4).tells("no password is set");
    assert_eq!(rival.fake.take_counts(), [0; 4]);
    assert_eq!(stage.fake.take_counts(), [0; 4]);
}

#[test]
fn a_damaged_session_is_replaced_by_a_login() {
    let stage = logged_in(Switches::of("garmin.com"));
    std::fs::write(stage.cli.home(&format!("sessions/{NAME}.json")), "{}").unwrap();
    stage.cli.run("auth --status").exits(4).says("not what was saved there");
    stage.cli.run("auth").ok().says("logged in");
}
