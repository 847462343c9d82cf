//! Every fault, as people see it.

use std::collections::BTreeSet;
use std::fs;

use fit_sync::manifest::{CODES, Decisions, find};
use fit_sync::render::diagnostics;

use super::world::World;
use crate::support::snapshot;

/// Two accounts to make rules with.
const ACCOUNTS: &str = "accounts: { garmin_us: {}, garmin_cn: {}, coros_sg: {}, archive: { platform: directory, path: a }, worm: { platform: worm, path: w } }\n";

/// A manifest with one rule that has these further keys.
fn rule(keys: &str) -> String {
    format!("{ACCOUNTS}sync_rules:\n  - source: garmin_us\n    destination: garmin_cn\n{keys}")
}

/// A manifest with these rules.
fn rules(text: &str) -> String {
    format!("{ACCOUNTS}sync_rules:\n{text}")
}

/// Name of the snapshot, which is the code or begins with it, and the manifest.
fn texts() -> Vec<(&'static str, String)> {
    let case = |name, text: &str| (name, text.to_owned());
    vec![
        case("empty_manifest", "# nothing yet\n"),
        case("empty_manifest-no_bytes", ""),
        case(
            "syntax_error",
            "accounts:\n  garmin_us: {email: me@example.com\n",
        ),
        case("syntax_error-tab", "accounts:\n\tgarmin_us: {}\n"),
        case("syntax_error-colon", "sync_rules:\n  - title: a: b\n"),
        case(
            "syntax_error-quote",
            "accounts:\n  garmin_us: { email: \"me }\n",
        ),
        case("syntax_error-tag", "accounts: !mine\n  garmin_us: {}\n"),
        case(
            "syntax_error-alias",
            "accounts: { garmin_us: { email: *me } }\n",
        ),
        ("too_deep", format!("accounts: {}\n", "[".repeat(5_000))),
        ("too_many_values", bomb()),
        case("several_documents", "accounts: {}\n---\naccounts: {}\n"),
        case(
            "duplicate_key",
            "accounts:\n  garmin_us: {}\n  garmin_us: {}\n",
        ),
        case(
            "unknown_key",
            "acounts: {}\nsync_rulez: []\naccounts:\n  garmin_us: { emial: a, source: b, colour: red }\n",
        ),
        case(
            "wrong_type",
            "accounts: [garmin_us]\nsync_rules: { source: a }\ncache: 7\nlimits: { max_uploads: many }\n",
        ),
        (
            "wrong_type-values",
            rule(
                "    activity_types: 7\n    title: [a]\n    exclude_types: [running, [cycling], null]\n",
            ),
        ),
        case(
            "wrong_type-account",
            "accounts:\n  garmin_us: { email: 5, allow_login: \"yes\", max_parallel: \"2\", password_env: \"\" }\n  garmin_cn: x\n",
        ),
        (
            "wrong_type-rule",
            rules("  - garmin_us to garmin_cn\n  -\n"),
        ),
        (
            "missing_key",
            rules("  - activity_types: [running]\n  - source: garmin_us\n"),
        ),
        case(
            "missing_key-account",
            "accounts:\n  watch: { email: me@example.com }\n  coros_uss: {}\n  archive: { platform: directory }\n  trail: { platform: coros }\n",
        ),
        ("bad_name", rule("    name: US to CN\n")),
        case(
            "bad_name-account",
            "accounts: { \"../x\": { platform: garmin, region: cn } }\n",
        ),
        (
            "bad_date",
            rule("    start_date: 2023-02-29\n    end_date: yesterday\n"),
        ),
        ("bad_distance", rule("    min_distance: 1mi\n")),
        ("bad_duration", rule("    max_duration: 90\n")),
        case(
            "bad_number",
            "limits: { max_uploads: -1, max_replaces: 1.5 }\naccounts: { garmin_us: { max_parallel: 0 } }\n",
        ),
        case("bad_ratio", "limits: { min_inventory_ratio: 50% }\n"),
        (
            "bad_pattern",
            rule("    title: \"(越野\"\n    device: \"\\\\w{1000}\"\n"),
        ),
        case(
            "bad_path",
            "accounts: { archive: { platform: directory, path: ~other/fit } }\n",
        ),
        case(
            "bad_url",
            "accounts: { garmin_us: { proxy: \"me:secret@proxy\", endpoints: { sso: \"https://user:secret@host\", connect: ftp://host, diauth: [] } } }\n",
        ),
        case(
            "insecure_url",
            "accounts: { coros_us: { endpoints: { api: \"http://api.example.com\" } } }\n",
        ),
        (
            "unknown_strategy",
            rule("    conflict_strategy: replace_exsting\n"),
        ),
        (
            "unknown_activity_type",
            rule("    activity_types: [runing, quidditch]\n"),
        ),
        case(
            "unknown_platform",
            "accounts: { a: { platform: garmn }, b: { platform: strava } }\n",
        ),
        case(
            "unknown_region",
            "accounts:\n  a: { platform: coros, region: uss }\n  b: { platform: garmin, region: mars }\n",
        ),
        case(
            "unknown_endpoint",
            "accounts: { garmin_us: { endpoints: { ssso: \"https://h\", api: \"https://h\" } } }\n",
        ),
        case(
            "key_not_for_platform",
            "accounts:\n  garmin_us: { path: x }\n  archive: { platform: directory, path: a, region: cn, email: a, endpoints: { a: b } }\n",
        ),
        (
            "unknown_account",
            rules("  - { source: garmin_uss, destination: strava }\n"),
        ),
        (
            "duplicate_rule",
            rules(
                "  - { name: a, source: garmin_us, destination: garmin_cn }\n  - { name: a, source: garmin_us, destination: archive }\n",
            ),
        ),
        (
            "same_account",
            rules("  - { source: garmin_us, destination: garmin_us }\n"),
        ),
        (
            "cannot_upload",
            rules("  - { source: garmin_us, destination: coros_sg }\n"),
        ),
        (
            "cannot_replace",
            rules(
                "  - { source: garmin_us, destination: worm, conflict_strategy: replace_existing }\n",
            ),
        ),
        (
            "replace_both_ways",
            rules(
                "  - { source: garmin_us, destination: garmin_cn, conflict_strategy: replace_existing }\n  - { source: garmin_cn, destination: garmin_us, conflict_strategy: replace_existing }\n",
            ),
        ),
        (
            "start_after_end",
            rules(
                "  - { source: garmin_us, destination: garmin_cn, start_date: 2024-01-01, end_date: 2023-01-01 }\n  - { source: garmin_us, destination: archive, start_date: -1d, end_date: -9d }\n",
            ),
        ),
        (
            "empty_range",
            rule(
                "    min_distance: 2km\n    max_distance: 1km\n    min_duration: 2h\n    max_duration: 1h\n",
            ),
        ),
    ]
}

/// Aliases of aliases of aliases.
pub(crate) fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![alias; 9].join(", ")
        ));
    }
    text
}

/// The code that a snapshot's name begins with.
fn code(name: &str) -> &str {
    name.split('-').next().unwrap()
}

#[test]
fn every_fault_is_shown_where_it_stands() {
    for (name, text) in texts() {
        let world = World::with(&text);
        let findings = world.findings();
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
        assert!(codes.contains(&code(name)), "{name}: {codes:?}");
        snapshot::check("diagnostics", name, &world.shown(&findings));
    }
}

#[test]
fn faults_of_files_are_shown() {
    let world = World::new();
    let missing = find(None, &world.path("work"), &world.path("home")).unwrap_err();
    snapshot::check(
        "diagnostics",
        "manifest_not_found",
        &world.shown(&[missing]),
    );
    snapshot::check(
        "diagnostics",
        "manifest_not_found-named",
        &world.shown(&world.findings()),
    );
    fs::create_dir(world.path("work/fit_sync.yaml")).unwrap();
    snapshot::check(
        "diagnostics",
        "unreadable_file",
        &world.shown(&world.findings()),
    );
    fs::remove_dir(world.path("work/fit_sync.yaml")).unwrap();
    world.write(
        "work/fit_sync.yaml",
        b"accounts:\n  garmin_us: { email: \xe9 }\n",
    );
    snapshot::check("diagnostics", "not_utf8", &world.shown(&world.findings()));
    let large = fs::File::create(world.path("work/fit_sync.yaml")).unwrap();
    large.set_len(100 << 20).unwrap();
    snapshot::check(
        "diagnostics",
        "file_too_large",
        &world.shown(&world.findings()),
    );
}

#[test]
fn keys_for_private_files_are_refused_elsewhere() {
    let text = "accounts:
  garmin_us:
    password: hunter2
    password_command: pass show garmin
state: fit.db
backups: b
cache: { directory: cache }
";
    let open = World::with(text);
    open.open();
    snapshot::check(
        "diagnostics",
        "not_private-open",
        &open.shown(&open.findings()),
    );
    let tree = World::with(text);
    fs::create_dir(tree.path("work/.git")).unwrap();
    snapshot::check(
        "diagnostics",
        "not_private-git",
        &tree.shown(&tree.findings()),
    );
    let mut foreign = World::with(text);
    foreign.uid += 1;
    snapshot::check(
        "diagnostics",
        "not_private-foreign",
        &foreign.shown(&foreign.findings()),
    );
    let home = World::with("accounts: {}\n");
    home.write(
        "home/accounts.yaml",
        "accounts: { garmin_us: { password: hunter2 } }\n",
    );
    home.open();
    snapshot::check(
        "diagnostics",
        "not_private-home",
        &home.shown(&home.findings()),
    );
}

#[test]
fn a_readable_password_file_is_a_warning() {
    let world = World::with("accounts: { garmin_us: { password_file: /etc/passwd } }\n");
    assert!(world.load().is_ok());
    snapshot::check(
        "diagnostics",
        "readable_password_file",
        &world.shown(&world.findings()),
    );
}

#[test]
fn too_many_faults_are_cut_off() {
    let text: String = (0..5_000).map(|i| format!("key{i}: 1\n")).collect();
    let world = World::with(&text);
    let findings = world.findings();
    let last = findings.len() - 2;
    snapshot::check(
        "diagnostics",
        "too_many_faults",
        &world.shown(&findings[last..]),
    );
}

#[test]
fn faults_of_both_files_are_reported_in_one_run() {
    let world = World::with("acounts: {}\n");
    world.write(
        "home/accounts.yaml",
        "accounts: { garmin_us: { emial: x } }\nrules: []\n",
    );
    snapshot::check(
        "diagnostics",
        "unknown_key-both_files",
        &world.shown(&world.findings()),
    );
    world.write("home/accounts.yaml", "accounts: {\n");
    assert_eq!(world.codes(), ["syntax_error", "unknown_key"]);
    let json = diagnostics::json(&world.findings());
    let json = json.replace(world.root().to_str().unwrap(), "/DIR");
    snapshot::check("diagnostics", "json", &json);
}

#[test]
fn faults_of_decisions_are_shown() {
    let world = World::new();
    world.write(
        "work/d.yaml",
        "- decision: adpot\n  rule: r\n- decision: ignore\n  rule: r\n  address: r/@1\n  source: { account: us, id: 1, fingerprint: f, nme: x }\n  at: 2026-01-01T00:00:00Z\n",
    );
    let findings = Decisions::load(&world.path("work/d.yaml")).unwrap_err();
    snapshot::check("diagnostics", "bad_decision", &world.shown(&findings));
}

#[test]
fn every_code_has_a_snapshot() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/diagnostics");
    let shown: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".snap").map(|name| code(name).to_owned()))
        .collect();
    let missing: Vec<&&str> = CODES
        .iter()
        .filter(|code| !shown.contains(**code))
        .collect();
    assert!(missing.is_empty(), "no snapshot shows {missing:?}");
}
