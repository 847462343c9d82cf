//! Other ways to a session: the person's browser, and tokens of other tools.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::fake_garmin::{Host, Switches};

use super::stage::Stage;

const LATER: &str = "2026-11-21T12:00:00Z";

/// python-garminconnect's file, for this fake.
fn di(stage: &Stage) -> Value {
    stage.fake.world().newer_tokens()
}

/// garth's pair, for this fake.
fn pair(stage: &Stage, domain: Option<&str>) -> [Value; 2] {
    let [mut older, newer] = stage.fake.world().older_tokens();
    older["domain"] = domain.into();
    [older, newer]
}

fn put(stage: &Stage, path: &str, value: &Value) {
    stage.cli.put(path, value.to_string());
}

#[test]
fn the_browser_s_address_text_or_ticket_opens_the_account() {
    for domain in ["garmin.com", "garmin.cn"] {
        let stage = Stage::without_password(Switches::of(domain));
        let sso = stage.fake.world().base(Host::Sso).to_owned();
        let service = format!("{sso}/sso/embed");
        for form in ["{service}?ticket={ticket}", "{ticket}", "serviceTicket: '{ticket}'"] {
            let ticket = stage.fake.world().account.ticket("", &service, "cas");
            let pasted = form.replace("{service}", &service).replace("{ticket}", &ticket);
            let ran = stage.fed("auth --browser", &format!("{pasted}\n")).ok().says("logged in");
            ran.tells(&format!("{sso}/sso/signin?id=gauth-widget&embedWidget=true"));
            assert_eq!(stage.fake.take_counts(), [0, 1, 1, 0], "{form}");
        }
    }
}

#[test]
fn a_browser_without_a_ticket_opens_nothing() {
    let stage = Stage::without_password(Switches::of("garmin.com"));
    for (pasted, says) in [
        ("", "nothing was pasted"),
        ("\n", "nothing was pasted"),
        ("https://example.com/\n", "no ticket"),
    ] {
        stage.fed("auth --browser", pasted).exits(4).tells(says);
    }
    assert_eq!(stage.fake.take_counts(), [0; 4]);
    stage.fed("auth --browser", "ST-0-old-cas\n").exits(4);
    assert!(stage.session().is_none());
}

#[test]
fn only_the_browser_and_imports_lift_a_cooldown() {
    let stage = Stage::without_password(Switches::of("garmin.com"));
    let file = stage.cli.home("logins/me.json");
    std::fs::create_dir(stage.cli.home("logins")).unwrap();
    let cooldown = r#"{"cooldown_until":"2026-11-20T20:00:00Z","cooldown_s":28800}"#;
    std::fs::write(&file, cooldown).unwrap();
    stage.cli.run("auth --force").exits(4).tells("left alone until 2026-11-20T20:00:00Z");
    stage.cli.run("auth --status --json").exits(4).says("\"state\": \"cooldown\"");
    assert_eq!(stage.fake.take_counts(), [0; 4]);
    put(&stage, "garmin_tokens.json", &di(&stage));
    stage.cli.run("auth --account me --import garminconnect:garmin_tokens.json").ok();
    assert_eq!(stage.logins()["cooldown_until"], Value::Null);
}

#[test]
fn a_garminconnect_file_is_taken_over_with_a_warning() {
    let mut stage = Stage::without_password(Switches::of("garmin.cn"));
    put(&stage, "tokens/garmin_tokens.json", &di(&stage));
    for place in ["tokens", "tokens/garmin_tokens.json"] {
        let ran = stage.cli.run(&format!("auth --account me --import garminconnect:{place}")).ok();
        ran.says("taken over").says("its own copy ends");
        assert_eq!(stage.fake.take_counts(), [0, 0, 1, 0]);
    }
    stage.at(LATER);
    stage.fake.world().account.access.clear();
    stage.cli.run("auth").ok().says("the stored session works");
    assert_eq!(stage.fake.take_counts(), [0, 1, 2, 0], "the API said that the token had ended");
}

#[test]
fn default_places_are_those_of_the_other_tools() {
    let mut stage = Stage::without_password(Switches::of("garmin.com"));
    let user = stage.cli.root().join("user");
    std::fs::create_dir(user.join(".garminconnect")).unwrap();
    let file = user.join(".garminconnect/garmin_tokens.json");
    std::fs::write(file, di(&stage).to_string()).unwrap();
    stage.cli.run("auth --account me --import garminconnect").ok();
    stage.cli.run("auth --account me --import garth").exits(1).tells(".garth");
    stage.cli.set("GARMINTOKENS", di(&stage).to_string());
    stage.cli.run("auth --account me --import garminconnect").ok();
}

#[test]
fn garth_s_and_dailysync_s_pair_is_taken_over_in_every_form() {
    for domain in ["garmin.com", "garmin.cn"] {
        let stage = Stage::without_password(Switches::of(domain));
        let [older, newer] = pair(&stage, Some(domain));
        put(&stage, "garth/oauth1_token.json", &older);
        put(&stage, "garth/oauth2_token.json", &newer);
        let list = json!([older, newer]);
        put(&stage, "list.json", &list);
        stage.cli.put("secret.txt", STANDARD.encode(list.to_string()));
        put(&stage, "named.json", &json!({ "oauth1": older, "oauth2": newer }));
        for place in ["garth", "garth/oauth2_token.json", "list.json", "secret.txt", "named.json"] {
            let ran = stage.cli.run(&format!("auth --account me --import garth:{place}")).ok();
            ran.says("taken over").says("2027-03-18");
            assert_eq!(stage.fake.take_counts(), [0, 0, 1, 0], "{place}");
        }
        for text in [list.to_string(), serde_json::to_string_pretty(&list).unwrap()] {
            stage.fed("auth --account me --token-stdin", &format!("{text}\n")).ok();
            assert_eq!(stage.fake.take_counts(), [0, 0, 1, 0]);
        }
    }
}

#[test]
fn an_older_pair_renews_itself_by_whichever_service_takes_it() {
    for takes_older_refresh in [true, false] {
        let mut stage = Stage::without_password(Switches::of("garmin.com"));
        put(&stage, "list.json", &json!(pair(&stage, None)));
        stage.cli.run("auth --account me --import garth:list.json").ok();
        stage.fake.take_counts();
        stage.at(LATER);
        if takes_older_refresh {
            let id = "GARMIN_CONNECT_MOBILE_ANDROID_DI".to_owned();
            stage.fake.world().account.refresh.insert("older-refresh".to_owned(), id);
        }
        stage.cli.run("auth").ok().says("the stored session works");
        let api = if takes_older_refresh { 1 } else { 2 };
        assert_eq!(stage.fake.take_counts(), [0, 1, api, 0]);
        stage.at("2026-11-22T13:00:00Z");
        stage.cli.run("auth").ok();
        let counts = if takes_older_refresh { [0, 1, 1, 0] } else { [0, 0, 2, 0] };
        assert_eq!(stage.fake.take_counts(), counts, "what was refused is not tried again");
        stage.fake.switch(|switches| switches.older_exchange = false);
        stage.fake.world().account.refresh.clear();
        stage.at("2026-11-23T14:00:00Z");
        stage.cli.run("auth").exits(4).tells("no password is set");
    }
}

#[test]
fn tokens_of_the_other_region_are_refused_and_not_sent() {
    let stage = Stage::without_password(Switches::of("garmin.cn"));
    put(&stage, "list.json", &json!(pair(&stage, Some("garmin.com"))));
    stage.cli.run("auth --account me --import garth:list.json").exits(4).tells("for garmin.com");
    stage.fake.switch(|switches| switches.domain = "garmin.com");
    put(&stage, "di.json", &di(&stage));
    stage.cli.run("auth --account me --import garminconnect:di.json").exits(4).tells("garmin.com");
    assert_eq!(stage.fake.take_counts(), [0; 4]);
    assert!(stage.session().is_none());
}

#[test]
fn what_holds_no_tokens_is_said_and_changes_nothing() {
    let stage = Stage::new(Switches::of("garmin.com"));
    stage.cli.run("auth").ok();
    let before = stage.session();
    stage.fake.take_counts();
    stage.cli.put("empty.json", "{}");
    stage.cli.put("odd.json", "\u{feff}not json");
    put(
        &stage,
        "stale.json",
        &json!({ "di_token": "x", "di_refresh_token": "y", "di_client_id": "z" }),
    );
    for (args, exit) in [
        ("--import garminconnect:empty.json", 4),
        ("--import garth:odd.json", 4),
        ("--import garth:nowhere", 1),
        ("--import garminconnect:stale.json", 4),
        ("--import other", 64),
        ("--import garth:", 64),
    ] {
        stage.cli.run(&format!("auth --account me {args}")).exits(exit);
        assert_eq!(stage.session(), before, "{args}");
    }
    stage.fed("auth --account me --token-stdin", "").exits(4);
    stage.cli.run("auth --import garth").exits(64);
    stage.cli.run("auth --account nobody").exits(3).tells("no account 'nobody'");
    stage.cli.run("auth --account archive").ok().says("needs no login");
    assert_eq!(stage.session(), before);
}
