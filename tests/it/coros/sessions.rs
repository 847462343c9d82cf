//! How accounts are opened: forms, codes, browsers' tokens, regions, and rivals.

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use fit_sync::clock::ManualClock;
use fit_sync::manifest::Account;
use fit_sync::platform::login::{Ask, CodeRequest, Credentials, LoginError};
use fit_sync::platform::session_provider::{Force, Opened};
use fit_sync::platform::{self, ListRequest, Opening, Window};
use fit_sync::vault::Vault;
use secrecy::SecretString;
use serde_json::json;

use crate::support::coros;
use crate::support::fake_coros::{FakeCoros, Place, Switches, Trouble};
use crate::support::garmin::Literal;
use crate::support::world::{NOW, opening};

use super::stage::{self, Stage};

const LOGIN: &str = "POST /account/login";
const QUERY: &str = "GET /account/query";

#[test]
fn the_newer_form_is_enough_and_the_older_one_follows_only_an_unknown_form() {
    for (newer_form, requests) in [(true, vec![LOGIN]), (false, vec![LOGIN, LOGIN])] {
        let mut switches = Switches::of("cn");
        switches.newer_form = newer_form;
        let stage = Stage::new(switches);
        stage.cli.run("auth").ok().says("logged in");
        assert_eq!(stage.fake.take_seen(), requests);
        let session = stage.session().unwrap();
        assert_eq!((&session["region"], &session["expires_at"]), (&json!("cn"), &json!(null)));
        stage.cli.run("auth").ok().says("the stored session works");
        assert_eq!(stage.fake.take_seen(), [QUERY]);
    }
}

#[test]
fn a_wrong_password_is_sent_once() {
    let stage = Stage::new(Switches::of("eu"));
    stage.account("password: wrong");
    stage.cli.run("auth").exits(4).tells("password is wrong");
    assert_eq!(stage.fake.take_seen(), [LOGIN]);
    assert!(stage.logins()["refused"].is_string());
    stage.cli.run("plan").exits(4);
    assert!(stage.fake.take_seen().is_empty(), "only a person may try again");
}

#[test]
fn every_trouble_at_the_login_has_its_words_and_its_exit_code() {
    let wanted = [
        (Trouble::Status(403), 4, "gateway blocks"),
        (Trouble::Status(429), 4, "left alone until"),
        (Trouble::Status(502), 5, "not available"),
        (Trouble::Status(200), 4, "gateway blocks"),
        (Trouble::Lost, 5, "not available"),
        (Trouble::Result("2077", "Account is frozen"), 4, "2077 Account is frozen"),
    ];
    for (trouble, exit, words) in wanted {
        let stage = Stage::new(Switches::of("cn"));
        stage.fake.fails(Place::Login, trouble);
        stage.cli.run("auth").exits(exit).tells(words);
        assert_eq!(stage.fake.take_seen(), [LOGIN], "{trouble:?}");
        assert!(stage.session().is_none());
    }
}

#[test]
fn a_code_comes_from_the_environment_or_a_command_and_is_sent_once() {
    let mut switches = Switches::of("us");
    switches.code = Some("246810".to_owned());
    let mut stage = Stage::new(switches);
    let steps = [LOGIN, "POST /account/captcha", "POST /account/2fa/login/verify"];
    stage.cli.run("auth").exits(4).tells("one-time code").tells("FIT_SYNC_ME_MFA_CODE");
    assert_eq!(stage.fake.take_seen(), steps[..2]);
    assert_eq!(stage.logins()["needs_code"], true);
    stage.cli.run("plan").exits(4);
    assert!(stage.fake.take_seen().is_empty(), "a run without a code asks for none");
    stage.account("password: right, mfa_command: 'echo 246810'");
    stage.cli.run("auth").ok().says("logged in");
    assert_eq!(stage.fake.take_seen(), steps);
    stage.cli.set("FIT_SYNC_ME_MFA_CODE", "111111");
    stage.account("password: right");
    stage.cli.run("auth --force").exits(4).tells("code was not accepted");
    assert_eq!(stage.fake.take_seen(), steps);
    assert!(stage.session().is_some(), "the session that was there stays");
}

/// A person who has these codes.
struct Person(Mutex<Vec<&'static str>>);

impl Ask for Person {
    fn credentials(&self, account: &Account) -> Result<Credentials, LoginError> {
        Literal.credentials(account)
    }

    fn code(&self, _: &Account, request: &CodeRequest) -> Result<Option<SecretString>, LoginError> {
        let mut codes = self.0.lock().unwrap();
        assert_eq!((request.way.as_str(), request.attempt as usize + codes.len()), ("e-mail", 4));
        Ok(codes.pop().map(SecretString::from))
    }

    fn has_code(&self, _: &Account) -> bool {
        false
    }

    fn browser(&self, _: &Account, address: &str) -> Result<SecretString, LoginError> {
        panic!("nobody opens {address}")
    }
}

#[tokio::test]
async fn a_person_may_try_three_codes_of_one_mail() {
    for (last, verified) in [("246810", true), ("333333", false)] {
        let mut switches = Switches::of("us");
        switches.code = Some("246810".to_owned());
        let fake = FakeCoros::start(switches);
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let opening = Opening {
            vault: Vault::new(home.path()),
            ask: Arc::new(Person(Mutex::new(vec![last, "222222", "111111"]))),
            ..opening(&clock)
        };
        let sessions =
            platform::session_provider(&coros::account(&fake), &opening).unwrap().unwrap();
        match sessions.open_interactive(Force::No).await {
            Ok(Opened::LoggedIn(session)) => assert!(verified && session.profile.is_some()),
            Err(LoginError::CodeRefused) => assert!(!verified),
            other => panic!("{other:?}"),
        }
        assert_eq!(fake.world().codes_sent, 1);
        assert_eq!(fake.count("/account/2fa/login/verify"), 3);
        assert_eq!(fake.count("/account/login"), 1);
    }
}

/// A proxy that lets nobody through, and the hosts that it was asked for.
fn gatekeeper() -> (String, Arc<Mutex<BTreeSet<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(BTreeSet::new()));
    let noted = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            noted.lock().unwrap().insert(line.split(' ').nth(1).unwrap().to_owned());
            let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
        }
    });
    (address, asked)
}

#[test]
fn a_login_begins_in_the_region_of_the_manifest_and_a_session_stays_in_its_own() {
    let hosts: Vec<String> = ["teamapi", "teamcnapi", "teameuapi", "teamsgapi"]
        .into_iter()
        .chain(["training", "trainingcn", "trainingeu", "trainingsg"])
        .map(|name| format!("https://{name}.coros.com"))
        .collect();
    for (number, host) in [(1, "teamapi"), (2, "teamcnapi"), (3, "teameuapi"), (4, "teamsgapi")] {
        let (proxy, asked) = gatekeeper();
        let stage = Stage::new(Switches::of("us"));
        stage.cli.accounts(&format!(
            "accounts:\n  me: {{ platform: coros, region: us, email: a@example.com, password: right, \
             min_gap_ms: 0, proxy: '{proxy}' }}\n"
        ));
        stage.cli.run("plan").exits(5);
        let login = BTreeSet::from(["teamapi.coros.com:443".to_owned()]);
        assert_eq!(std::mem::take(&mut *asked.lock().unwrap()), login);
        let session = json!({
            "format": "fit_sync.session/1", "platform": "coros", "region": "us",
            "profile": "00000000000000000000000000000000", "hosts": hosts, "obtained_by": "password",
            "obtained_at": "2026-11-19T00:00:00Z", "renewed_at": "2026-11-19T00:00:00Z",
            "expires_at": null, "ends_at": null, "renewing_since": null,
            "tokens": {
                "access_token": "Qx7TOKEN", "region_id": number.to_string(), "user_id": "42",
            },
        });
        stage.cli.keep("sessions/me.json", &session);
        stage.cli.run("plan").exits(5);
        let own = BTreeSet::from([format!("{host}.coros.com:443")]);
        assert_eq!(*asked.lock().unwrap(), own, "and no other host, the app's least of all");
    }
}

#[test]
fn a_browser_s_token_is_one_line() {
    let stage = Stage::new(Switches::of("cn"));
    stage.account("max_parallel: 1");
    stage.fake.world().tokens.insert("Qx7BROWSERTOKEN".to_owned());
    for given in ["Qx7BROWSERTOKEN\n", "a=b; CPL-coros-token=Qx7BROWSERTOKEN; CPL-coros-region=2\n"]
    {
        stage.fed("auth --account me --token-stdin", given).ok().says("the session is taken over");
        assert_eq!(stage.fake.take_seen(), [QUERY]);
    }
    stage.fed("auth --account me --token-stdin", "Qx7UNKNOWNTOKEN\n").exits(4);
    stage.fed("auth --account me --token-stdin", "two words\n").exits(4).tells("CPL-coros-token");
    assert!(stage.session().is_some(), "what was stored stays");
    stage.cli.run("auth --browser").exits(1).tells("--token-stdin");
}

#[test]
fn endpoints_of_another_region_than_the_account_s_are_an_error_that_names_it() {
    for region in [json!(3), json!("3")] {
        let mut switches = Switches::of("cn");
        switches.says_region = Some(region);
        let stage = Stage::new(switches);
        stage.cli.run("auth").exits(4).tells("region 'eu'");
        assert!(stage.session().is_none());
    }
    let mut switches = Switches::of("cn");
    switches.says_region = Some(json!(77));
    Stage::new(switches).cli.run("auth").exits(4).tells("region 77");
}

#[test]
fn what_a_login_does_not_say_is_asked_for() {
    let mut switches = Switches::of("cn");
    switches.login_is_terse = true;
    let stage = Stage::new(switches);
    stage.cli.run("auth").ok();
    assert_eq!(stage.fake.take_seen(), [LOGIN, QUERY]);
    assert_eq!(stage.session().unwrap()["tokens"]["user_id"], "424242424242424242");
}

#[tokio::test]
async fn a_token_is_used_until_it_is_refused_and_then_one_login_serves_all() {
    let account = stage::Account::open(Switches::of("cn")).await;
    let later = account.reopened();
    let known = HashMap::new();
    let request = || ListRequest { window: Window::default(), page: None, known: &known };
    later.list(request()).await.unwrap();
    assert_eq!(account.fake.count("/account/login"), 0);
    account.fake.world().tokens.clear();
    let lists = (0..4).map(|_| later.list(request()));
    for page in futures_util::future::join_all(lists).await {
        assert!(page.unwrap().complete);
    }
    assert_eq!(account.fake.count("/account/login"), 1);
}

#[test]
fn a_refused_token_costs_one_login_and_a_second_refusal_names_the_rival() {
    let stage = Stage::new(Switches::of("cn"));
    stage.cli.run("auth").ok();
    stage.fake.take_seen();
    stage.fake.world().tokens.clear();
    stage.cli.run("plan").ok();
    assert_eq!(stage.fake.count("/account/login"), 1);
    assert!(stage.session().unwrap()["renewing_since"].is_null(), "nothing was interrupted");
    stage.fake.take_seen();
    let refusal = Trouble::Result("1019", "Access token is invalid");
    stage.fake.fails(Place::List, refusal);
    stage.cli.run("plan").exits(4);
    assert_eq!(stage.fake.count("/account/login"), 1);
    stage.cli.run("plan --format json").exits(4).says("somebody else uses the account");
}

#[test]
fn a_session_without_a_password_ends_with_a_refusal() {
    let stage = Stage::new(Switches::of("cn"));
    stage.cli.run("auth").ok();
    stage.account("max_parallel: 1");
    stage.fake.world().tokens.clear();
    stage.fake.take_seen();
    for _ in 0..2 {
        stage.cli.run("plan").exits(4).says("the session has ended");
    }
    assert_eq!(stage.fake.count("/account/login"), 0);
}
