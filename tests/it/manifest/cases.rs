//! Every fault, as people see it.

use std::collections::BTreeSet;
use std::fs;

use fit_sync::manifest::{CODES, Decisions, find};
use fit_sync::render::diagnostics;

use super::world::World;
use crate::support::snapshot;

/// Manifests with faults. A file's name is the code that it shows, or begins with it.
const FAULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/manifest/faults");

/// Name and text of every case; what no file can show in a few lines is made here.
fn texts() -> Vec<(String, String)> {
    let mut texts = vec![
        ("too_deep".to_owned(), format!("accounts: {}\n", "[".repeat(5_000))),
        ("too_many_values".to_owned(), bomb()),
    ];
    for entry in fs::read_dir(FAULTS).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        texts.push((name, fs::read_to_string(&path).unwrap()));
    }
    texts
}

/// Aliases of aliases of aliases.
pub(crate) fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let alias = format!("*a{}", level - 1);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", vec![alias; 9].join(", ")));
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
        assert!(codes.contains(&code(&name)), "{name}: {codes:?}");
        snapshot::check("diagnostics", &name, &world.shown(&findings));
    }
}

#[test]
fn faults_of_files_are_shown() {
    let world = World::new();
    let missing = find(None, &world.path("work"), &world.path("home")).unwrap_err();
    snapshot::check("diagnostics", "manifest_not_found", &world.shown(&[missing]));
    snapshot::check("diagnostics", "manifest_not_found-named", &world.shown(&world.findings()));
    fs::create_dir(world.path("work/fit_sync.yaml")).unwrap();
    snapshot::check("diagnostics", "unreadable_file", &world.shown(&world.findings()));
    fs::remove_dir(world.path("work/fit_sync.yaml")).unwrap();
    world.write("work/fit_sync.yaml", b"accounts:\n  garmin_us: { email: \xe9 }\n");
    snapshot::check("diagnostics", "not_utf8", &world.shown(&world.findings()));
    let large = fs::File::create(world.path("work/fit_sync.yaml")).unwrap();
    large.set_len(100 << 20).unwrap();
    snapshot::check("diagnostics", "file_too_large", &world.shown(&world.findings()));
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
    snapshot::check("diagnostics", "not_private-open", &open.shown(&open.findings()));
    let tree = World::with(text);
    fs::create_dir(tree.path("work/.git")).unwrap();
    snapshot::check("diagnostics", "not_private-git", &tree.shown(&tree.findings()));
    let mut foreign = World::with(text);
    foreign.uid += 1;
    snapshot::check("diagnostics", "not_private-foreign", &foreign.shown(&foreign.findings()));
    let home = World::with("accounts: {}\n");
    home.write("home/accounts.yaml", "accounts: { garmin_us: { password: hunter2 } }\n");
    home.open();
    snapshot::check("diagnostics", "not_private-home", &home.shown(&home.findings()));
}

#[test]
fn a_readable_password_file_is_a_warning() {
    let world = World::with("accounts: { garmin_us: { password_file: /etc/passwd } }\n");
    assert!(world.load().is_ok());
    snapshot::check("diagnostics", "readable_password_file", &world.shown(&world.findings()));
}

#[test]
fn too_many_faults_are_cut_off() {
    let text: String = (0..5_000).map(|i| format!("key{i}: 1\n")).collect();
    let world = World::with(&text);
    let findings = world.findings();
    let last = findings.len() - 2;
    snapshot::check("diagnostics", "too_many_faults", &world.shown(&findings[last..]));
}

#[test]
fn faults_of_both_files_are_reported_in_one_run() {
    let world = World::with("acounts: {}\n");
    world.write("home/accounts.yaml", "accounts: { garmin_us: { emial: x } }\nrules: []\n");
    snapshot::check("diagnostics", "unknown_key-both_files", &world.shown(&world.findings()));
    world.write("home/accounts.yaml", "accounts: {\n");
    assert_eq!(world.codes(), ["syntax_error", "unknown_key"]);
    let rule = "sync_rules: [{ source: garmin_us, destination: garmin_cn }]\n";
    world.write("work/fit_sync.yaml", format!("accounts: []\n{rule}"));
    assert_eq!(world.codes(), ["syntax_error", "wrong_type"], "nothing follows from a fault");
    fs::remove_file(world.path("work/fit_sync.yaml")).unwrap();
    assert_eq!(world.codes(), ["syntax_error", "manifest_not_found"]);
    world.write("work/fit_sync.yaml", "acounts: {}\n");
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
    let missing: Vec<&&str> = CODES.iter().filter(|code| !shown.contains(**code)).collect();
    assert!(missing.is_empty(), "no snapshot shows {missing:?}");
}
