//! Every way in, every answer, with and without a code, with a cooldown and with a stored session:
//! the requests that were made, the files that are left, the words, the exit code.

use crate::support::fake_garmin::{Code, Switches, Trouble};

use super::stage::{Counts, Stage};

/// What a login comes to.
struct Cell {
    what: &'static str,
    mobile: Trouble,
    widget: Trouble,
    /// Requests without a code, and with one.
    counts: [Counts; 2],
    exit: i32,
    says: &'static str,
    leaves: Leaves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    Session(&'static str),
    Cooldown,
    Refusal,
    Nothing,
}

/// In both domains.
const DOMAINS: [&str; 2] = ["garmin.com", "garmin.cn"];

const LOGGED_IN: &str = "logged in";

fn cells() -> Vec<Cell> {
    use Trouble::{InBody, Kind, Lost, None, Status, Titled, Wait};
    let cell = |what, mobile, widget, counts, exit, says, leaves| Cell {
        what,
        mobile,
        widget,
        counts,
        exit,
        says,
        leaves,
    };
    let by_widget = Leaves::Session("widget");
    let then_widget = [[5, 1, 1, 0], [7, 1, 1, 0]];
    let refused = |what, kind, says| {
        cell(what, Kind(200, kind), None, [[2, 0, 0, 0]; 2], 4, says, Leaves::Refusal)
    };
    let shown = |what, status, title, says| {
        let widget = Titled(status, title);
        cell(what, Status(403), widget, [[5, 0, 0, 0]; 2], 4, says, Leaves::Refusal)
    };
    vec![
        cell(
            "plain",
            None,
            None,
            [[2, 1, 1, 0], [3, 1, 1, 0]],
            0,
            LOGGED_IN,
            Leaves::Session("mobile"),
        ),
        refused("locked", "ACCOUNT_LOCKED", "the account is locked"),
        refused("captcha", "CAPTCHA_REQUIRED", "wants a captcha solved"),
        refused("consent", "CONSENT_REQUIRED", "wants its terms accepted"),
        refused("phone", "UPDATE_PHONE_NUMBER", "wants the phone number updated"),
        refused("child", "CHILD_ACCOUNT", "child or family account"),
        refused("new password", "PASSWORD_RESET_REQUIRED", "wants a new password set"),
        refused("unknown", "SOMETHING_NEW", "SOMETHING_NEW: as the fake was told"),
        cell("429", Status(429), None, then_widget, 0, LOGGED_IN, by_widget),
        cell("427", Status(427), None, then_widget, 0, LOGGED_IN, by_widget),
        cell("429 in the body", InBody("429"), None, then_widget, 0, LOGGED_IN, by_widget),
        cell("427 in the body", InBody("427"), None, then_widget, 0, LOGGED_IN, by_widget),
        cell("403", Status(403), None, then_widget, 0, LOGGED_IN, by_widget),
        cell("a page", Status(200), None, then_widget, 0, LOGGED_IN, by_widget),
        cell("502", Status(502), None, then_widget, 0, LOGGED_IN, by_widget),
        cell("lost", Lost, None, then_widget, 0, LOGGED_IN, by_widget),
        cell(
            "429 twice",
            Status(429),
            Status(429),
            [[4, 0, 0, 0]; 2],
            4,
            "left alone until 2026-11-20T14:00",
            Leaves::Cooldown,
        ),
        cell(
            "429 with a time",
            Wait(429, 14_400),
            Wait(429, 60),
            [[4, 0, 0, 0]; 2],
            4,
            "left alone until 2026-11-20T16:00",
            Leaves::Cooldown,
        ),
        cell(
            "429 then 403",
            Status(429),
            Status(403),
            [[4, 0, 0, 0]; 2],
            4,
            "left alone until",
            Leaves::Cooldown,
        ),
        cell(
            "403 then 429",
            Status(403),
            Status(429),
            [[4, 0, 0, 0]; 2],
            4,
            "left alone until",
            Leaves::Cooldown,
        ),
        cell(
            "403 twice",
            Status(403),
            Status(403),
            [[4, 0, 0, 0]; 2],
            4,
            "gateway blocks this login",
            Leaves::Nothing,
        ),
        cell(
            "502 twice",
            Status(502),
            Status(502),
            [[4, 0, 0, 0]; 2],
            5,
            "not available",
            Leaves::Nothing,
        ),
        cell(
            "a page at the widget",
            Status(403),
            Titled(200, "Hello"),
            [[5, 0, 0, 0]; 2],
            4,
            "gateway blocks this login",
            Leaves::Nothing,
        ),
        cell(
            "down at the widget",
            Status(502),
            Titled(200, "Bad Gateway"),
            [[5, 0, 0, 0]; 2],
            5,
            "not available",
            Leaves::Nothing,
        ),
        shown("locked at the widget", 200, "Account Locked", "the account is locked"),
        shown("invalid at the widget", 200, "Invalid Login", "password is wrong"),
        shown("phone at the widget", 200, "Update Phone Number", "wants the phone number updated"),
        shown("child at the widget", 200, "Unable to sign in", "child or family account"),
        shown("account error at the widget", 200, "Account Error", "refuses the login"),
        shown(
            "the form again",
            401,
            "GARMIN Authentication Application",
            "the login form came back",
        ),
    ]
}

fn stage(cell: &Cell, domain: &'static str, code: Option<Code>) -> Stage {
    let mut switches = Switches::of(domain);
    switches.mobile = cell.mobile.clone();
    switches.widget = cell.widget.clone();
    let asks = code.is_some();
    switches.code = code;
    let mut stage = Stage::new(switches);
    if asks {
        stage.cli.set("FIT_SYNC_ME_MFA_CODE", "123456");
    }
    stage
}

fn left(stage: &Stage) -> Leaves {
    let logins = stage.logins();
    let session = stage.session();
    match session.as_ref().and_then(|session| session["obtained_by"].as_str()) {
        Some("mobile") => return Leaves::Session("mobile"),
        Some("widget") => return Leaves::Session("widget"),
        Some(other) => panic!("{other}"),
        None => {}
    }
    if logins["cooldown_until"].is_string() {
        Leaves::Cooldown
    } else if logins["refused"].is_string() {
        Leaves::Refusal
    } else {
        Leaves::Nothing
    }
}

#[test]
fn every_answer_has_its_requests_its_file_its_words_and_its_exit_code() {
    for (cell, domain) in cells().iter().flat_map(|cell| DOMAINS.map(|domain| (cell, domain))) {
        for (number, code) in [None, Some(Code::new("123456"))].into_iter().enumerate() {
            let what = format!("{} at {domain}, code: {}", cell.what, code.is_some());
            let stage = stage(cell, domain, code);
            let ran = stage.cli.run("auth").exits(cell.exit);
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert!(told.contains(cell.says), "{what}: no '{}' in {ran:#?}", cell.says);
            assert_eq!(stage.fake.take_counts(), cell.counts[number], "{what}");
            assert_eq!(left(&stage), cell.leaves, "{what}");
            after(&what, cell, &stage);
        }
    }
}

/// What the second run does, whatever the first came to.
fn after(what: &str, cell: &Cell, stage: &Stage) {
    match cell.leaves {
        Leaves::Session(_) => {
            stage.cli.run("auth").ok().says("the stored session works");
            assert_eq!(stage.fake.take_counts(), [0, 0, 1, 0], "{what}");
        }
        Leaves::Cooldown => {
            for again in ["auth", "auth --force"] {
                stage.cli.run(again).exits(4).tells("left alone until");
                assert_eq!(stage.fake.take_counts(), [0; 4], "{what}");
            }
        }
        // A person may try again.
        Leaves::Refusal | Leaves::Nothing => {
            stage.cli.run("auth").exits(cell.exit);
            assert_ne!(stage.fake.take_counts(), [0; 4], "{what}");
        }
    }
}

#[test]
fn a_wrong_password_ends_everything_at_once() {
    for blocked in [Trouble::None, Trouble::Status(403)] {
        let mut switches = Switches::of("garmin.com");
        switches.mobile = blocked.clone();
        let stage = Stage::without_password(switches);
        stage.account("password: wrong");
        stage.cli.run("auth").exits(4).tells("password is wrong");
        let direct = blocked == Trouble::None;
        let counts = if direct { [2, 0, 0, 0] } else { [5, 0, 0, 0] };
        assert_eq!(stage.fake.take_counts(), counts);
        assert!(stage.session().is_none());
    }
}

#[test]
fn without_a_way_to_a_code_a_run_stops_and_says_what_to_do() {
    for (mobile, counts) in [(Trouble::None, [2, 0, 0, 0]), (Trouble::Status(403), [6, 0, 0, 0])] {
        let mut switches = Switches::of("garmin.com");
        switches.code = Some(Code::new("123456"));
        switches.mobile = mobile;
        let stage = Stage::new(switches);
        let ran = stage.cli.run("auth").exits(4);
        ran.tells("one-time code").tells("FIT_SYNC_ME_MFA_CODE").tells("mfa_command");
        assert_eq!(stage.fake.take_counts(), counts);
        assert!(stage.session().is_none());
        assert_eq!(stage.logins()["needs_code"], true);
    }
}

#[test]
fn a_code_comes_from_a_command_and_a_wrong_one_is_sent_once() {
    let mut switches = Switches::of("garmin.cn");
    switches.code = Some(Code { method: "totp", ..Code::new("654321") });
    let stage = Stage::new(switches);
    stage.account("password: right, mfa_command: 'echo 654321; echo more'");
    stage.cli.run("auth").ok().says(LOGGED_IN);
    assert_eq!(stage.fake.take_counts(), [3, 1, 1, 0]);
    stage.account("password: right, mfa_command: 'echo 111111'");
    stage.cli.run("auth --force").exits(4).tells("code was not accepted");
    assert_eq!(stage.fake.take_counts(), [3, 0, 0, 0]);
    assert!(stage.session().is_some(), "the session that was there stays");
    stage.account("password: right, mfa_command: 'exit 1'");
    stage.cli.run("auth --force").exits(4).tells("mfa_command failed");
}

#[test]
fn the_widget_asks_for_the_code_to_be_sent_unless_it_was() {
    for (code, sent) in [
        (Code::new("123456"), 1),
        (Code { is_sent: true, ..Code::new("123456") }, 0),
        (Code { method: "totp", ..Code::new("123456") }, 0),
    ] {
        let mut switches = Switches::of("garmin.com");
        switches.mobile = Trouble::Status(403);
        switches.code = Some(code);
        let mut stage = Stage::new(switches);
        stage.cli.set("FIT_SYNC_ME_MFA_CODE", "123456");
        stage.cli.run("auth").ok();
        assert_eq!(stage.fake.world().account.codes_sent, sent);
    }
}

#[test]
fn tokens_may_be_refused_at_every_step_of_getting_them() {
    struct Step {
        change: fn(&mut Switches),
        counts: [Counts; 2],
        exits: [i32; 2],
        says: &'static str,
    }
    let steps = [
        // The second id is the first that is in use.
        Step {
            change: |s| s.client_ids = vec!["GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4"],
            counts: [[2, 2, 1, 0]; 2],
            exits: [0, 0],
            says: LOGGED_IN,
        },
        // None is: in China the older way, elsewhere another ticket and then the end.
        Step {
            change: |s| s.client_ids = Vec::new(),
            counts: [[5, 8, 0, 0], [2, 4, 3, 0]],
            exits: [4, 0],
            says: "",
        },
        // And the refusals have used the ticket up.
        Step {
            change: |s| {
                s.client_ids = Vec::new();
                s.refusal_burns_ticket = true;
            },
            counts: [[5, 8, 0, 0], [5, 8, 2, 0]],
            exits: [4, 4],
            says: "none of the known names",
        },
        Step {
            change: |s| s.exchange = Trouble::Status(429),
            counts: [[2, 1, 0, 0]; 2],
            exits: [4, 4],
            says: "left alone until",
        },
        Step {
            change: |s| s.exchange = Trouble::Status(503),
            counts: [[2, 1, 0, 0]; 2],
            exits: [5, 5],
            says: "not available",
        },
        Step {
            change: |s| s.exchange = Trouble::Lost,
            counts: [[2, 1, 0, 0]; 2],
            exits: [5, 5],
            says: "not available",
        },
        // A token that the API rejects is none; the other way's may do, but does not.
        Step {
            change: |s| s.api = Trouble::Status(401),
            counts: [[5, 2, 2, 0]; 2],
            exits: [4, 4],
            says: "API rejects",
        },
        Step {
            change: |s| s.api = Trouble::Status(403),
            counts: [[2, 1, 1, 0]; 2],
            exits: [4, 4],
            says: "gateway blocks",
        },
    ];
    for (number, step) in steps.iter().enumerate() {
        for (region, domain) in DOMAINS.into_iter().enumerate() {
            let mut switches = Switches::of(domain);
            (step.change)(&mut switches);
            let stage = Stage::new(switches);
            let ran = stage.cli.run("auth").exits(step.exits[region]);
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert!(told.contains(step.says), "{number} at {domain}: {ran:#?}");
            assert_eq!(stage.fake.take_counts(), step.counts[region], "{number} at {domain}");
            assert_eq!(stage.session().is_some(), step.exits[region] == 0, "{number} at {domain}");
        }
    }
}

#[test]
fn a_session_that_could_not_be_tried_is_kept_for_the_next_run() {
    let mut switches = Switches::of("garmin.com");
    switches.api = Trouble::Status(503);
    let stage = Stage::new(switches);
    stage.cli.run("auth").ok().tells("could not be tried");
    assert_eq!(stage.session().unwrap()["profile"], serde_json::Value::Null);
    stage.fake.switch(|switches| switches.api = Trouble::None);
    stage.fake.take_counts();
    stage.cli.run("auth").ok().says("the stored session works");
    assert_eq!(stage.fake.take_counts(), [0, 0, 1, 0]);
    assert!(stage.session().unwrap()["profile"].is_string());
}

#[test]
fn cooldowns_double_and_end() {
    let mut switches = Switches::of("garmin.com");
    switches.mobile = Trouble::Status(429);
    switches.widget = Trouble::Status(429);
    let mut stage = Stage::new(switches);
    stage.cli.run("auth").exits(4).tells("until 2026-11-20T14:00");
    stage.at("2026-11-20T13:59:00Z");
    stage.fake.take_counts();
    stage.cli.run("auth").exits(4);
    assert_eq!(stage.fake.take_counts(), [0; 4]);
    stage.at("2026-11-20T14:00:10Z");
    stage.cli.run("auth").exits(4).tells("until 2026-11-20T18:00");
    stage.at("2026-11-20T19:00:00Z");
    stage.fake.switch(|switches| switches.mobile = Trouble::None);
    stage.cli.run("auth").ok().says(LOGGED_IN);
    assert_eq!(stage.logins()["cooldown_until"], serde_json::Value::Null);
}
