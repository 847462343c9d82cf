//! Secrets go in and never come out: whole flows, and every byte that they write or print.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::cli::{Cli, Ran, ride, tree};

/// Every secret and every address holds one of these words.
const CANARIES: [&str; 6] = ["Zk9pass", "Zk9proxy", "Zk9mail", "Zk9env", "Zk9file", "Zk9cmd"];

const MACHINE: &str = "\
accounts:
  garmin_us: { email: Zk9mail@example.com, password: Zk9pass, proxy: 'http://me:Zk9proxy@proxy.example:8080' }
  garmin_cn: { email: Zk9mail@example.cn, password_command: 'echo Zk9cmd' }
  coros_eu: { email: Zk9mail@example.eu, password_file: secret.txt }
";

const MANIFEST: &str = "\
accounts:
  watch: { platform: directory, path: watch }
  archive: { platform: directory, path: archive }
  coros_cn: { email: Zk9mail@example.net, password_env: CANARY }
sync_rules:
  - { name: keep, source: watch, destination: archive, conflict_strategy: replace_existing }
  - { name: far, source: garmin_us, destination: archive }
  - { name: farther, source: coros_cn, destination: garmin_cn }
  - { name: farthest, source: watch, destination: coros_eu }
";

#[track_caller]
fn silent(what: &str, bytes: &[u8]) {
    for canary in CANARIES {
        let found = bytes.windows(canary.len()).any(|window| window == canary.as_bytes());
        assert!(!found, "{canary} in {what}:\n{}", String::from_utf8_lossy(bytes));
    }
}

#[track_caller]
fn silent_run(ran: &Ran) {
    silent("stdout", ran.stdout.as_bytes());
    silent("stderr", ran.stderr.as_bytes());
}

fn world(manifest: &str) -> Cli {
    let mut cli = Cli::new(manifest);
    cli.set("CANARY", "Zk9env");
    cli.set("FIT_SYNC_COROS_EU_PASSWORD", "Zk9env");
    fs::create_dir(cli.home("")).unwrap();
    fs::set_permissions(cli.home(""), fs::Permissions::from_mode(0o700)).unwrap();
    for (name, text) in [("accounts.yaml", MACHINE), ("secret.txt", "Zk9file\n")] {
        fs::write(cli.home(name), text).unwrap();
        fs::set_permissions(cli.home(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    cli.fit("watch/a.fit", &ride("2026-11-01T06:12:33Z").distance_m(30_400));
    cli.fit("watch/b.fit", &ride("2026-11-02T06:12:33Z"));
    cli.fit("watch/c.fit", &ride("2026-11-03T06:12:33Z"));
    cli.fit("archive/a.fit", &ride("2026-11-01T06:12:33Z"));
    cli.fit("archive/half.fit", &ride("2026-11-03T06:12:33Z").elapsed_s(1500));
    cli
}

/// Everything that was written, except what the user wrote.
fn silent_files(cli: &Cli) {
    let ours = ["home/accounts.yaml", "home/secret.txt", "work/fit_sync.yaml"];
    for (name, bytes) in tree(&cli.root()) {
        if !ours.contains(&name.as_str()) {
            silent(&name, &bytes);
        }
    }
}

#[test]
fn whole_flows_keep_their_secrets() {
    let cli = world(MANIFEST);
    for command in [
        "validate",
        "validate --json",
        "plan -vvv --color always",
        "plan -vvv --json --all --out saved.json",
        "plan --format summary",
        "show saved.json -v",
        "state ignore keep/2026-11-03T06:12:33Z",
        "apply -vvv",
        "apply -vvv saved.json",
        "apply -vvv --auto-approve",
        "apply -vvv --auto-approve",
        "plan -vvv --refresh full",
        "state show",
        "state show --json",
        "state list --json",
        "state history",
        "state verify",
        "state show garmin_us",
        "state rm keep/2026-11-02T06:12:33Z",
        "plan --rule Zk9",
    ] {
        let ran = cli.run(command);
        assert!(ran.code != 64 && ran.code != 70, "{ran:#?}");
        silent_run(&ran);
    }
    assert!(cli.activities("archive").len() > 2, "the flow has done something");
    assert!(cli.home("backups").exists());
    silent_files(&cli);
}

#[test]
fn faults_keep_the_secrets_that_stand_beside_them() {
    for (from, to) in [
        ("name: keep", "nmae: keep"),
        ("source: garmin_us", "source: Zk9mail@example.com"),
        ("email: Zk9mail@example.net", "email: [Zk9mail@example.net"),
        ("password_env: CANARY", "password: Zk9pass"),
        ("password_env: CANARY", "password: Zk9pass, platfrom: coros"),
        ("password_env: CANARY", "proxy: 'http://me:Zk9proxy@h'"),
        ("password_env: CANARY", "password_command: 'echo Zk9cmd', region: nowhere"),
    ] {
        let cli = world(&MANIFEST.replacen(from, to, 1));
        for command in ["validate", "validate --json", "plan -vvv", "apply -vvv --auto-approve"] {
            silent_run(&cli.run(command).exits(3));
        }
        silent_files(&cli);
    }
    let cli = world(MANIFEST);
    for damaged in [
        MACHINE.replacen("password: Zk9pass", "passwort: Zk9pass", 1),
        MACHINE.replacen("'http://me:Zk9proxy", "http://me:Zk9proxy", 1),
        MACHINE.replacen(" }", "", 1),
        MACHINE.replace("accounts:", "acounts:"),
        MACHINE.replace("password_file: secret.txt", "password_file: nosuch-Zk9file"),
    ] {
        fs::write(cli.home("accounts.yaml"), damaged).unwrap();
        for command in ["validate", "validate --json", "plan -vvv", "apply -vvv --auto-approve"] {
            silent_run(&cli.run(command));
        }
    }
    silent_files(&cli);
}
