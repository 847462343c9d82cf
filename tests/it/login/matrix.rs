//! Every way in, every answer, with and without a code, with a cooldown and with a stored session:
//! the requests that were made, the files that are left, the words, the exit code.

use crate::support::fake_garmin::{Code, Host, Switches, Trouble};

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
    let plain = Cell {
        what: "plain",
        mobile: Trouble::None,
        widget: Trouble::None,
        counts: [[2, 1, 1, 0], [3, 1, 1, 0]],
        exit: 0,
        says: LOGGED_IN,
        leaves: Leaves::Session("mobile"),
    };
    let mut cells = vec![plain];
    cells.extend(refused_by_data());
    cells.extend(saved_by_the_widget());
    cells.extend(closed_on_both_ways());
    cells.extend(refused_by_a_page());
    cells
}

/// The account's owner must do something: nothing else is tried.
fn refused_by_data() -> impl Iterator<Item = Cell> {
    let kinds = [
        ("ACCOUNT_LOCKED", "the account is locked"),
        ("CAPTCHA_REQUIRED", "wants a captcha solved"),
        ("CONSENT_REQUIRED", "wants its terms accepted"),
        ("UPDATE_PHONE_NUMBER", "wants the phone number updated"),
        ("CHILD_ACCOUNT", "child or family account"),
        ("PASSWORD_RESET_REQUIRED", "wants a new password set"),
        ("SOMETHING_NEW", "SOMETHING_NEW: as the fake was told"),
    ];
    kinds.into_iter().map(|(kind, says)| Cell {
        what: kind,
        mobile: Trouble::Kind(200, kind),
        widget: Trouble::None,
        counts: [[2, 0, 0, 0]; 2],
        exit: 4,
        says,
        leaves: Leaves::Refusal,
    })
}

/// The first way is closed, the second is not.
fn saved_by_the_widget() -> impl Iterator<Item = Cell> {
    let troubles = [
        ("429", Trouble::Status(429)),
        ("427", Trouble::Status(427)),
        ("429 in the body", Trouble::InBody("429")),
        ("427 in the body", Trouble::InBody("427")),
        ("403", Trouble::Status(403)),
        ("a page", Trouble::Status(200)),
        ("502", Trouble::Status(502)),
        ("lost", Trouble::Lost),
    ];
    troubles.into_iter().map(|(what, mobile)| Cell {
        what,
        mobile,
        widget: Trouble::None,
        counts: [[5, 1, 1, 0], [7, 1, 1, 0]],
        exit: 0,
        says: LOGGED_IN,
        leaves: Leaves::Session("widget"),
    })
}

/// Both ways are closed: a throttle or a blocking gateway is remembered, whichever way it came.
fn closed_on_both_ways() -> impl Iterator<Item = Cell> {
    use Trouble::{Status, Titled, Wait};
    let (cooldown, nothing) = (Leaves::Cooldown, Leaves::Nothing);
    let gateway = "gateway blocks this login";
    let closed = [
        ("429 twice", Status(429), Status(429), 4, 4, "until 2026-11-20T14:00", cooldown),
        ("with a time", Wait(429, 14_400), Wait(429, 60), 4, 4, "until 2026-11-20T16:00", cooldown),
        ("429 then 403", Status(429), Status(403), 4, 4, "left alone until", cooldown),
        ("403 then 429", Status(403), Status(429), 4, 4, "left alone until", cooldown),
        ("403 twice", Status(403), Status(403), 4, 4, gateway, cooldown),
        ("502 twice", Status(502), Status(502), 4, 5, "not available", nothing),
        ("403, a page", Status(403), Titled(200, "Hello"), 5, 4, gateway, cooldown),
        ("pages only", Status(200), Titled(200, "Hello"), 5, 4, gateway, cooldown),
        ("502, down", Status(502), Titled(200, "Bad Gateway"), 5, 5, "not available", nothing),
    ];
    closed.into_iter().map(|(what, mobile, widget, requests, exit, says, leaves)| Cell {
        what,
        mobile,
        widget,
        counts: [[requests, 0, 0, 0]; 2],
        exit,
        says,
        leaves,
    })
}

/// The second way's pages say no.
fn refused_by_a_page() -> impl Iterator<Item = Cell> {
    let pages = [
        (200, "Account Locked", "the account is locked"),
        (200, "Invalid Login", "password is wrong"),
        (200, "Update Phone Number", "wants the phone number updated"),
        (200, "Unable to sign in", "child or family account"),
        (200, "Account Error", "refuses the login"),
        (401, "GARMIN Authentication Application", "the login form came back"),
    ];
    pages.into_iter().map(|(status, title, says)| Cell {
        what: title,
        mobile: Trouble::Status(403),
        widget: Trouble::Titled(status, title),
        counts: [[5, 0, 0, 0]; 2],
        exit: 4,
        says,
        leaves: Leaves::Refusal,
    })
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

/// What goes wrong after a ticket was given: requests and exit codes, global and in China.
struct Step {
    change: fn(&mut Switches),
    counts: [Counts; 2],
    exits: [i32; 2],
    says: &'static str,
}

fn step(
    change: fn(&mut Switches),
    counts: [Counts; 2],
    exits: [i32; 2],
    says: &'static str,
) -> Step {
    Step { change, counts, exits, says }
}

fn steps() -> [Step; 8] {
    fn none_in_use(switches: &mut Switches) {
        switches.client_ids = Vec::new();
    }
    fn none_in_use_and_burnt(switches: &mut Switches) {
        none_in_use(switches);
        switches.refusal_burns_ticket = true;
    }
    [
        step(
            |s| s.client_ids = vec!["GARMIN_CONNECT_MOBILE_ANDROID_DI_2024Q4"],
            [[2, 2, 1, 0]; 2],
            [0, 0],
            LOGGED_IN,
        ),
        // In China there is the older way, elsewhere another ticket and then the end.
        step(none_in_use, [[5, 8, 0, 0], [2, 4, 3, 0]], [4, 0], ""),
        step(
            none_in_use_and_burnt,
            [[5, 8, 0, 0], [5, 8, 2, 0]],
            [4, 4],
            "none of the known names",
        ),
        step(|s| s.exchange = Trouble::Status(429), [[2, 1, 0, 0]; 2], [4, 4], "left alone until"),
        step(|s| s.exchange = Trouble::Status(503), [[2, 1, 0, 0]; 2], [5, 5], "not available"),
        step(|s| s.exchange = Trouble::Lost, [[2, 1, 0, 0]; 2], [5, 5], "not available"),
        // The other way's token may do, but does not.
        step(|s| s.api = Trouble::Status(401), [[5, 2, 2, 0]; 2], [4, 4], "API rejects"),
        step(|s| s.api = Trouble::Status(403), [[2, 1, 1, 0]; 2], [4, 4], "gateway blocks"),
    ]
}

#[test]
fn tokens_may_be_refused_at_every_step_of_getting_them() {
    for (number, step) in steps().iter().enumerate() {
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
fn a_blocked_login_is_left_alone_until_time_a_browser_or_an_import_lifts_it() {
    let blocked = || {
        let mut switches = Switches::of("garmin.com");
        switches.mobile = Trouble::Status(403);
        switches.widget = Trouble::Status(403);
        let stage = Stage::new(switches);
        let ran = stage.cli.run("auth").exits(4);
        ran.tells("gateway blocks this login").tells("left alone until 2026-11-20T14:00");
        for command in ["plan", "apply --auto-approve", "auth", "auth --force"] {
            stage.fake.take_counts();
            stage.cli.run(command).exits(4);
            assert_eq!(stage.fake.take_counts(), [0; 4], "{command}");
        }
        stage.cli.run("clear-cache --auth-only").ok();
        stage.cli.run("auth").exits(4).tells("left alone until 2026-11-20T14:00");
        assert_eq!(stage.fake.take_counts(), [0; 4]);
        stage
    };
    let stage = blocked();
    let service = format!("{}/sso/embed", stage.fake.world().base(Host::Sso));
    let ticket = stage.fake.world().account.ticket("Zk9", &service, "cas");
    stage.fed("auth --browser", &format!("{service}?ticket={ticket}\n")).ok().says(LOGGED_IN);
    assert_eq!(stage.logins()["cooldown_until"], serde_json::Value::Null);
    let mut stage = blocked();
    stage.at("2026-11-20T14:00:10Z");
    stage.cli.run("auth").exits(4).tells("until 2026-11-20T18:00");
    assert_eq!(stage.fake.take_counts(), [4, 0, 0, 0], "after its time it is tried again");
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
