//! Nothing secret is ever quoted, also not from broken texts.

use proptest::prelude::*;

use super::world::World;
use fit_sync::manifest::{Decisions, append};
use fit_sync::render::diagnostics;

const CANARY: &str = "Zk9canary";

/// Everything that is printed about a manifest, and about machine accounts with the same text.
fn printed(text: &str) -> String {
    let mut out = String::new();
    for open in [false, true] {
        let world = World::with(text);
        world.write("home/accounts.yaml", text);
        if open {
            world.open();
        }
        let findings = world.findings();
        out.push_str(&diagnostics::text(&findings, false));
        out.push_str(&diagnostics::text(&findings, true));
        out.push_str(&diagnostics::json(&findings));
        out.push_str(&format!("{findings:?}"));
    }
    out
}

#[test]
fn secrets_in_any_position_stay_hidden() {
    let texts = [
        "accounts:\n  garmin_us:\n    password: CANARY\n    emial: x\n",
        "accounts:\n  garmin_us: { password: CANARY, emial: x }\n",
        "accounts: { garmin_us: { email: x, pasword: CANARY } }\n",
        "accounts: { garmin_us: { email: x, passwort: CANARY, pwd: CANARY } }\n",
        "accounts:\n  garmin_us:\n    password: [CANARY]\n",
        "accounts:\n  garmin_us:\n    password: { CANARY: CANARY }\n",
        "accounts:\n  garmin_us:\n    password:\n      CANARY: 1\n",
        "accounts:\n  garmin_us:\n    password: |\n      CANARY\n      CANARY\n    x: 1\n",
        "accounts:\n  garmin_us:\n    ? password\n    : CANARY\n    x: 1\n",
        "accounts:\n  garmin_us:\n    email: x\n\t:    password: |\n      CANARY\n    region: us\n",
        "password: CANARY\n",
        "sync_rules:\n  - password: CANARY\n    source: CANARY\n",
        "cache: { password: CANARY }\n",
        "{\"accounts\": {\"garmin_us\": {\"password\": \"CANARY\", \"x\": 1}}}\n",
        "{\n  \"accounts\": {\n    \"garmin_us\": {\n      \"password\":\n\"CANARY\",\n \"x\": 1}}}\n",
        "{\"accounts\": {\"garmin_us\": {\"password\": \"CANARY\", \"x\": 1}\n",
        "{\"accounts\": {\"garmin_us\": {\"password\": \"CANARY, \"x\": 1}}}\n",
        "accounts:\n  garmin_us:\n    password: 'CANARY\n    email: x\n",
        "accounts:\n  garmin_us:\n    password: \"CANARY\n",
        "accounts:\n  garmin_us:\n    password:CANARY\n",
        "accounts:\n  garmin_us:\n    password CANARY\n    email: x\n",
        "accounts:\n  garmin_us:\n    password = CANARY\n",
        "accounts:\n  garmin_us:\n    password: @CANARY\n",
        "accounts:\n  garmin_us:\n    password: CANARY: CANARY\n",
        "accounts:\n  garmin_us:\n    password: *CANARY\n",
        "accounts:\n  garmin_us:\n\tpassword: CANARY\n",
        "accounts:\n  garmin_us:\n    password: CANARY # not CANARY any more\n    x: 1 # was CANARY\n",
        "x: &p CANARY\naccounts:\n  garmin_us: { password: *p }\n",
        "accounts:\n  garmin_us:\n    password: !secret CANARY\n",
        "accounts:\n  garmin_us:\n    password_command: echo CANARY\n    mfa_command: echo CANARY\n",
        "accounts: { garmin_us: { proxy: \"http://me:CANARY@proxy:1\" } }\n",
        "accounts: { garmin_us: { proxy: \"me:CANARY@proxy:1\" } }\n",
        "accounts: { garmin_us: { proxy: [\"http://me:CANARY@proxy:1\"] } }\n",
        "accounts: { garmin_us: { endpoints: { sso: \"https://me:CANARY@h\", x: \"https://CANARY@h\" } } }\n",
        "accounts: { garmin_us: { email: [CANARY@example.com] } }\n",
        "sync_rules: [{ source: CANARY@example.com, destination: \"http://u:CANARY@h\" }]\n",
        "CANARY@example.com: 1\n",
        "accounts: { CANARY@example.com: {} }\n",
        "accounts: { \"password: CANARY\": {}, x: { \"password CANARY\": 1 } }\n",
        "accounts: { a: { platform: \"me@CANARY.com\", region: x } }\n",
    ];
    for text in texts {
        let text = text.replace("CANARY", CANARY);
        let out = printed(&text);
        assert!(!out.contains(CANARY), "{text}\n{out}");
    }
}

/// A manifest with a password, cut and damaged anywhere but in the password's own line.
fn broken() -> impl Strategy<Value = String> {
    let head = "accounts:\n  garmin_us:\n    email: x\n";
    let tail = "\n    region: us\nsync_rules:\n  - source: garmin_us\n    title: \"a\"\n";
    let styles = prop_oneof![
        Just("    password: Zk9canary"),
        Just("    password: \"Zk9canary\""),
        Just("    password: 'Zk9canary'"),
        Just("    password: |\n      Zk9canary"),
        Just("    { password: Zk9canary, x: 1 }"),
        Just("    \"password\": \"Zk9canary\","),
    ];
    let junk = "[ \\-:{}\\[\\],\"'|>&*!?#%@\n\ta]{0,4}";
    (styles, 0..=head.len(), 0..=tail.len(), junk, junk).prop_map(
        move |(style, first, second, one, two)| {
            let (a, b) = head.split_at(first);
            let (c, d) = tail.split_at(second);
            format!("{a}{one}{b}{style}{c}{two}{d}")
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn secrets_in_broken_texts_stay_hidden(text in broken()) {
        let out = printed(&text);
        prop_assert!(!out.contains(CANARY), "{}\n{}", text, out);
    }
}

#[test]
fn the_model_does_not_print_its_secrets() {
    let world = World::with(&format!(
        "accounts: {{ garmin_us: {{ password: {CANARY}, proxy: \"http://me:{CANARY}@h\" }} }}\n"
    ));
    let manifest = world.load().unwrap();
    assert!(!format!("{manifest:?}").contains(CANARY));
}

#[test]
fn a_damaged_decisions_file_stops_an_append() {
    let world = World::new();
    let path = world.path("work/m.decisions.yaml");
    assert!(Decisions::load(&path).unwrap().entries().is_empty());
    world.write("work/m.decisions.yaml", "- nonsense\n");
    let decision = serde_json::json!({
        "decision": "ignore", "rule": "r", "address": "r/@1",
        "source": { "account": "us", "id": "1", "fingerprint": "f" },
        "at": "2026-01-01T00:00:00Z",
    });
    assert!(append(&path, &serde_json::from_value(decision).unwrap()).is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "- nonsense\n");
}
