//! Every login: both forms of it, every answer at every step, with and without a code. The requests
//! that were made, the files that are left, the words, the exit code.

use crate::support::fake_coros::{Place, Switches, Trouble};

use super::stage::Stage;

/// What a login comes to.
#[derive(Clone, Copy)]
struct Cell {
    place: Place,
    trouble: Trouble,
    exit: i32,
    says: &'static str,
    leaves: Leaves,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaves {
    Session,
    Cooldown,
    Refusal,
    Nothing,
}

const LOGGED_IN: &str = "logged in";

/// The requests of a login, a letter each.
fn letters(seen: &[String]) -> String {
    let letter = |what: &String| match what.as_str() {
        "POST /account/login" => 'L',
        "POST /account/captcha" => 'C',
        "POST /account/2fa/login/verify" => 'V',
        "GET /account/query" => 'Q',
        other => panic!("{other} at a login"),
    };
    seen.iter().map(letter).collect()
}

fn cell(place: Place, trouble: Trouble, exit: i32, says: &'static str, leaves: Leaves) -> Cell {
    Cell { place, trouble, exit, says, leaves }
}

/// Troubles that mean the same wherever a login meets them.
fn anywhere(place: Place) -> [Cell; 11] {
    use Leaves::{Cooldown, Nothing, Refusal};
    use Trouble::{Halved, Lost, Reset, Result, Status, Wait};
    [
        cell(place, Status(429), 4, "left alone until 2026-11-20T14:00", Cooldown),
        cell(place, Wait(429, 14_400), 4, "left alone until 2026-11-20T16:00", Cooldown),
        cell(place, Status(403), 4, "gateway blocks this login", Cooldown),
        cell(place, Status(500), 5, "not available", Nothing),
        cell(place, Status(503), 5, "not available", Nothing),
        cell(place, Status(404), 4, "not understood", Nothing),
        cell(place, Status(200), 4, "gateway blocks this login", Cooldown),
        cell(place, Halved, 4, "not understood", Nothing),
        cell(place, Reset, 5, "not available", Nothing),
        cell(place, Lost, 5, "not available", Nothing),
        cell(place, Result("2077", "Account is frozen"), 4, "2077 Account is frozen", Refusal),
    ]
}

fn at_the_login() -> Vec<Cell> {
    let at = |trouble, exit, says, leaves| cell(Place::Login, trouble, exit, says, leaves);
    let mut cells = anywhere(Place::Login).to_vec();
    cells.extend([
        at(Trouble::Bare, 4, "not understood", Leaves::Nothing),
        at(Trouble::Result("1030", "no"), 4, "password is wrong", Leaves::Refusal),
        at(Trouble::Result("1019", "no"), 4, "rejects", Leaves::Nothing),
        at(Trouble::Status(401), 4, "rejects", Leaves::Nothing),
    ]);
    cells
}

fn stage(newer_form: bool, code: bool, change: impl FnOnce(&mut Switches)) -> Stage {
    let mut switches = Switches::of("eu");
    switches.newer_form = newer_form;
    switches.code = code.then(|| "246810".to_owned());
    change(&mut switches);
    let mut stage = Stage::new(switches);
    if code {
        stage.cli.set("FIT_SYNC_ME_MFA_CODE", "246810");
    }
    stage
}

fn left(stage: &Stage) -> Leaves {
    let logins = stage.logins();
    match stage.session() {
        Some(_) => Leaves::Session,
        None if logins["cooldown_until"].is_string() => Leaves::Cooldown,
        None if logins["refused"].is_string() => Leaves::Refusal,
        None => Leaves::Nothing,
    }
}

/// Runs `auth` and looks at everything that it leaves.
#[track_caller]
fn check(what: &str, stage: &Stage, cell: &Cell, requests: &str) {
    let ran = stage.cli.run("auth").exits(cell.exit);
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains(cell.says), "{what}: no '{}' in {ran:#?}", cell.says);
    assert_eq!(letters(&stage.fake.take_seen()), requests, "{what}");
    assert_eq!(left(stage), cell.leaves, "{what}");
    match cell.leaves {
        Leaves::Session => {
            stage.cli.run("auth").ok().says("the stored session works");
            assert_eq!(letters(&stage.fake.take_seen()), "Q", "{what}");
        }
        Leaves::Cooldown => {
            for again in ["auth", "auth --force", "plan"] {
                let ran = stage.cli.run(again).exits(4);
                let told = format!("{}{}", ran.stdout, ran.stderr);
                assert!(told.contains("left alone until"), "{what}: {ran:#?}");
                assert_eq!(stage.fake.take_seen(), [""; 0], "{what}");
            }
        }
        Leaves::Refusal => {
            stage.cli.run("plan").exits(4).says("none is tried without a person");
            assert_eq!(stage.fake.take_seen(), [""; 0], "{what}: only a person may try again");
            stage.cli.run("auth").exits(cell.exit);
            assert_eq!(letters(&stage.fake.take_seen()), requests, "{what}");
        }
        Leaves::Nothing => {
            stage.cli.run("auth").exits(cell.exit);
            assert_eq!(letters(&stage.fake.take_seen()), requests, "{what}");
        }
    }
}

/// Both forms, without and with a code.
fn kinds() -> impl Iterator<Item = (bool, bool)> {
    [true, false].into_iter().flat_map(|newer| [false, true].map(|code| (newer, code)))
}

#[test]
fn a_login_takes_as_many_requests_as_it_must() {
    let plain = cell(Place::Login, Trouble::Bare, 0, LOGGED_IN, Leaves::Session);
    let wanted = ["L", "LCV", "LL", "LLCV"];
    for ((newer_form, code), requests) in kinds().zip(wanted) {
        for region_id in [serde_json::json!(3), serde_json::json!("3")] {
            let says = Some(region_id);
            let stage = stage(newer_form, code, |switches| switches.says_region = says);
            check("plain", &stage, &plain, requests);
        }
        let terse = stage(newer_form, code, |switches| switches.login_is_terse = true);
        // With a code the first answer has said it.
        let asked = if code { "" } else { "Q" };
        check("terse", &terse, &plain, &format!("{requests}{asked}"));
    }
}

#[test]
fn what_is_answered_at_the_login_ends_it() {
    for cell in at_the_login() {
        for (newer_form, code) in [(true, false), (false, true)] {
            let stage = stage(newer_form, code, |_| {});
            stage.fake.fails(cell.place, cell.trouble);
            let what = format!("{:?}, newer: {newer_form}, code: {code}", cell.trouble);
            check(&what, &stage, &cell, "L");
        }
    }
}

#[test]
fn only_an_unknown_form_is_followed_by_the_older_one() {
    let refused = Trouble::Result("1031", "Parameter input error");
    let stage = stage(true, false, |_| {});
    stage.fake.fails_for(1, Place::Login, refused);
    let plain = cell(Place::Login, refused, 0, LOGGED_IN, Leaves::Session);
    check("once", &stage, &plain, "LL");
    let stage = self::stage(true, false, |_| {});
    stage.fake.fails(Place::Login, refused);
    let never = cell(Place::Login, refused, 4, "1031", Leaves::Nothing);
    check("always", &stage, &never, "LL");
    // What the older form is answered is no less final.
    let stage = self::stage(false, false, |_| {});
    stage.account("password: wrong");
    let wrong = cell(Place::Login, refused, 4, "password is wrong", Leaves::Refusal);
    check("wrong", &stage, &wrong, "LL");
}

#[test]
fn what_is_answered_on_the_way_to_a_code_ends_it() {
    for (place, tail) in [(Place::Captcha, "C"), (Place::Verify, "CV")] {
        let mut cells = anywhere(place).to_vec();
        cells.push(cell(place, Trouble::Result("1031", "no"), 4, "1031", Leaves::Nothing));
        for cell in cells {
            let stage = stage(true, true, |_| {});
            stage.fake.fails(cell.place, cell.trouble);
            let what = format!("{:?} at {place:?}", cell.trouble);
            check(&what, &stage, &cell, &format!("L{tail}"));
        }
    }
}

#[test]
fn what_is_answered_to_whose_token_it_is_throttles_no_login() {
    let terse = |trouble| {
        let stage = stage(true, false, |switches| switches.login_is_terse = true);
        stage.fake.fails(Place::Query, trouble);
        stage
    };
    let at = |trouble, exit, says| {
        // Without the answer the login is lost: a gateway would meet one every night.
        let is_blocked = trouble == Trouble::Status(403);
        let leaves = if is_blocked { Leaves::Cooldown } else { Leaves::Nothing };
        cell(Place::Query, trouble, exit, says, leaves)
    };
    for cell in [
        at(Trouble::Status(429), 5, "rate limited"),
        at(Trouble::Status(502), 5, "not available"),
        at(Trouble::Lost, 5, "not available"),
        at(Trouble::Status(403), 4, "gateway"),
        at(Trouble::Result("1019", "no"), 4, "rejects"),
        at(Trouble::Bare, 4, "not understood"),
    ] {
        check(&format!("{:?}", cell.trouble), &terse(cell.trouble), &cell, "LQ");
    }
}

#[test]
fn a_run_without_a_code_asks_for_none_and_ends_with_4() {
    for newer_form in [true, false] {
        let mut switches = Switches::of("cn");
        switches.newer_form = newer_form;
        switches.code = Some("246810".to_owned());
        let stage = Stage::new(switches);
        let head = if newer_form { "L" } else { "LL" };
        // The first run cannot know.
        stage.cli.run("plan").exits(4).says("one-time code");
        assert_eq!(letters(&stage.fake.take_seen()), format!("{head}C"));
        for again in ["plan", "apply --auto-approve", "sync --dry-run"] {
            stage.cli.run(again).exits(4);
            assert_eq!(stage.fake.take_seen(), [""; 0], "{again}");
        }
        stage.account("password: right, mfa_command: 'exit 1'");
        stage.cli.run("auth").exits(4).tells("mfa_command failed");
        assert_eq!(letters(&stage.fake.take_seen()), format!("{head}C"));
        stage.account("password: right, mfa_command: 'echo 111111'");
        stage.cli.run("auth").exits(4).tells("code was not accepted");
        assert_eq!(
            letters(&stage.fake.take_seen()),
            format!("{head}CV"),
            "a command gives one code"
        );
        stage.account("password: right, mfa_command: 'echo 246810; echo more'");
        stage.cli.run("plan").ok();
        let seen = stage.fake.take_seen();
        let list = seen.iter().position(|what| what == "GET /activity/query").unwrap();
        assert_eq!(letters(&seen[..list]), format!("{head}CV"));
    }
}

#[test]
fn every_command_makes_one_new_login_at_most_and_the_second_refusal_stops_it() {
    for command in ["plan", "apply --auto-approve", "sync --dry-run", "list --account me --refresh"]
    {
        for works in [true, false] {
            let stage = stage(true, false, |_| {});
            stage.cli.run("auth").ok();
            stage.fake.world().tokens.clear();
            if !works {
                stage.fake.fails(Place::List, Trouble::Result("1019", "Access token is invalid"));
            }
            stage.fake.take_seen();
            let ran = stage.cli.run(command).exits(if works { 0 } else { 4 });
            let told = format!("{}{}", ran.stdout, ran.stderr);
            assert_eq!(told.contains("somebody else uses the account"), !works, "{ran:#?}");
            assert_eq!(stage.fake.count("/account/login"), 1, "{command}");
        }
    }
}

#[test]
fn where_no_login_is_allowed_none_is_made() {
    let stage = stage(true, false, |_| {});
    stage.account("password: right, allow_login: false");
    stage.cli.run("plan").exits(4).says("allow_login");
    assert_eq!(stage.fake.take_seen(), [""; 0]);
    stage.cli.run("auth").ok();
    stage.fake.world().tokens.clear();
    stage.fake.take_seen();
    stage.cli.run("plan").exits(4).says("the session has ended");
    assert_eq!(stage.fake.count("/account/login"), 0);
}
