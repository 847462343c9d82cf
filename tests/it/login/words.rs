//! What people and programs are told about sessions.

use serde_json::json;

use crate::support::fake_garmin::Switches;

use super::stage::Stage;

#[test]
fn status_contacts_nothing_and_tells_each_state() {
    let mut stage = Stage::new(Switches::of("garmin.com"));
    let status = |stage: &Stage, exit| {
        stage.cli.run("auth --status").exits(exit);
        stage.cli.run("auth --status --json").exits(exit).json()
    };
    let one = |state: &str, end: Option<&str>| {
        let account =
            json!({ "name": "me", "state": state, "expires_at": end, "cooldown_until": null });
        json!({ "format": "fit_sync.auth/1", "accounts": [account] })
    };
    assert_eq!(status(&stage, 4), one("none", None));
    stage.cli.run("auth").ok();
    stage.fake.take_counts();
    let known = status(&stage, 0);
    assert_eq!(known["accounts"][0]["state"], "ok");
    assert!(known["accounts"][0]["expires_at"].as_str().unwrap() <= "2026-12-20T12:01:00Z");
    let text = stage.cli.run("auth --status").ok();
    text.says("runner@example.com").says("Garmin Connect global").says("profile ");
    stage.at("2027-02-01T00:00:00Z");
    assert_eq!(status(&stage, 4)["accounts"][0]["state"], "expired");
    assert_eq!(stage.fake.take_counts(), [0; 4]);
}

#[test]
fn json_goes_with_status_only() {
    let stage = Stage::new(Switches::of("garmin.com"));
    stage.cli.run("auth --json").exits(64);
    stage.cli.run("auth --status --force").exits(64);
}

#[test]
fn unreachable_hosts_are_no_matter_of_logins() {
    let stage = Stage::new(Switches::of("garmin.com"));
    let endpoints = "{ sso: 'http://127.0.0.1:1', connectapi: 'http://127.0.0.1:1' }";
    let text = format!(
        "accounts:\n  me: {{ platform: garmin, region: cn, email: a@example.com, password: x, endpoints: {endpoints} }}\n"
    );
    std::fs::write(stage.cli.home("accounts.yaml"), text).unwrap();
    stage.cli.run("auth").exits(5).tells("cannot be reached");
    assert_eq!(stage.logins(), serde_json::Value::Null);
}

#[test]
fn passwords_come_from_the_first_place_that_has_one() {
    let mut stage = Stage::without_password(Switches::of("garmin.com"));
    stage.cli.run("auth").exits(4).tells("FIT_SYNC_ME_PASSWORD");
    assert_eq!(stage.fake.take_counts(), [0; 4], "without a password nothing is asked");
    stage.account("password: wrong, password_command: 'echo right'");
    stage.cli.run("auth").ok();
    stage.cli.put("password", "right\nnot this\n");
    let file = stage.cli.path("password");
    stage.account(&format!("password: wrong, password_file: '{}'", file.display()));
    stage.cli.run("auth --force").ok();
    stage.account("password_env: MINE, password_command: 'echo wrong'");
    stage.cli.set("MINE", "right");
    stage.cli.run("auth --force").ok();
    stage.account("password: wrong");
    stage.cli.set("FIT_SYNC_ME_PASSWORD", "right");
    stage.cli.run("auth --force").ok();
    stage.account("password_command: 'exit 3'");
    stage.cli.run("auth --force").ok();
    stage.cli.set("FIT_SYNC_ME_PASSWORD", "");
    stage.cli.run("auth --force").exits(4).tells("password_command failed");
}
