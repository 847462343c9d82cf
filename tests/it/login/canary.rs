//! Secrets of logins stay in the files of sessions, however much is told.

use crate::support::cli::{Ran, tree};
use crate::support::fake_garmin::{Code, Host, Renewal, Switches, Trouble};

use super::stage::Stage;

/// Every password, code, token, ticket and cookie of these runs holds one of them.
const CANARIES: [&str; 5] = ["Zk9", "778899", "runner@example", "right-pass", "MFA-1"];

#[track_caller]
fn silent(what: &str, bytes: &[u8]) {
    for canary in CANARIES {
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{canary} in {what}:\n{}", String::from_utf8_lossy(bytes));
    }
}

fn silent_run(ran: &Ran) {
    silent("stdout", ran.stdout.as_bytes());
    silent("stderr", ran.stderr.as_bytes());
}

fn silent_home(stage: &Stage) {
    for (name, bytes) in tree(&stage.cli.root()) {
        let known = ["home/accounts.yaml", "home/sessions/me.json"];
        if !known.contains(&name.as_str()) {
            silent(&name, &bytes);
        }
    }
}

fn switches() -> Switches {
    let mut switches = Switches::of("garmin.cn");
    switches.password = "right-pass".to_owned();
    switches.code = Some(Code::new("778899"));
    switches
}

#[test]
fn whole_logins_are_silent_at_the_highest_verbosity() {
    let mut stage = Stage::new(switches());
    stage.cli.set("FIT_SYNC_ME_MFA_CODE", "778899");
    for mobile in
        [Trouble::None, Trouble::Status(403), Trouble::Kind(401, "Zk9KIND"), Trouble::Lost]
    {
        let known = matches!(mobile, Trouble::Kind(..));
        stage.fake.switch(|switches| switches.mobile = mobile);
        let ran = stage.cli.run("auth --force -vvv");
        assert!(ran.stderr.contains("POST ") && ran.stderr.contains("<hidden>"), "{ran:#?}");
        if !known {
            silent_run(&ran.ok());
        }
        silent_home(&stage);
    }
    stage.fake.switch(|switches| switches.mobile = Trouble::None);
    stage.at("2026-11-21T12:00:00Z");
    silent_run(&stage.cli.run("auth -vvv").ok());
    stage.fake.switch(|switches| switches.renewal = Renewal::LosesAnswer);
    stage.at("2026-11-22T13:00:00Z");
    silent_run(&stage.cli.run("auth -vvv").ok());
    stage.fake.world().account.refresh.clear();
    stage.at("2026-11-23T14:00:00Z");
    silent_run(&stage.cli.run("auth -vvv").ok());
    silent_home(&stage);
}

#[test]
fn tickets_from_a_browser_are_silent() {
    let stage = Stage::new(switches());
    let service = format!("{}/sso/embed", stage.fake.world().base(Host::Sso));
    let ticket = stage.fake.world().account.ticket("Zk9", &service, "cas");
    silent_run(&stage.fed("auth --browser -vvv", &format!("{service}?ticket={ticket}\n")).ok());
    silent_run(&stage.fed("auth --browser -vvv", &format!("{service}?ticket={ticket}\n")).exits(4));
    silent_home(&stage);
}

#[test]
fn refused_passwords_are_silent() {
    let stage = Stage::without_password(switches());
    stage.account("password: Zk9wrong");
    silent_run(&stage.cli.run("auth -vvv").exits(4));
    silent_home(&stage);
}
