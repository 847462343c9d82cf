//! `init`: a manifest to start from, and the way from an old configuration.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::cli::Cli;
use crate::support::snapshot;

/// As earlier versions kept it in home.
const OLD: &str = r#"{
  "accounts": {
    "garmin_us": { "email": "me@example.com", "password": "s3cr3t: #1 \"q\"" },
    "garmin_cn": { "email": "me@example.cn", "password": 12345678 },
    "my_coros": { "platform": "coros", "region": "eu", "password_file": "coros.txt", "email": "me@example.com" },
    "disk": { "platform": "directory", "path": "archive", "proxy": null }
  },
  "sync_rules": [
    { "source": "garmin_us", "destination": "garmin_cn", "activity_types": ["running", "cycling"],
      "start_date": "2024-01-01", "conflict_strategy": "skip_existing" },
    { "name": "no", "source": "my_coros", "destination": "disk", "title": "^no: \\d+$", "min_distance": 800 }
  ],
  "cache": { "max_age_days": 3, "directory": "/elsewhere" },
  "state": "/elsewhere/state.db"
}
"#;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn old_home(text: &str) -> Cli {
    let cli = Cli::empty();
    fs::create_dir(cli.home("")).unwrap();
    fs::write(cli.home("config.json"), text).unwrap();
    cli
}

fn neutral(cli: &Cli, text: &str) -> String {
    text.replace(&cli.root().display().to_string(), "/ROOT")
}

#[test]
fn from_nothing_comes_a_manifest_that_is_valid_as_it_stands() {
    let cli = Cli::empty();
    let ran = cli.run("init").ok().says("Wrote fit_sync.yaml.\n").tells("next:");
    assert!(!ran.stderr.contains("warning"));
    let text = fs::read_to_string(cli.path("fit_sync.yaml")).unwrap();
    snapshot::check("cli", "init_starter", &text);
    let valid = cli.run("validate").ok().says("fit_sync.yaml is valid: 2 accounts, 1 rule.");
    assert_eq!(valid.stderr, "");
    assert!(!cli.home("accounts.yaml").exists());
    // What it shows in comments is valid too.
    let shown = text.replace("\n    # ", "\n    ").replace("# limits", "limits");
    let shown: Vec<&str> = shown.lines().filter(|line| !line.contains("  The ")).collect();
    cli.manifest(&shown.join("\n"));
    let valid = cli.run("validate").ok();
    assert_eq!(valid.stderr, "");
}

#[test]
fn an_old_configuration_becomes_a_manifest_and_a_private_file() {
    let cli = old_home(OLD);
    let ran = cli.run("init").ok();
    snapshot::check("cli", "init_told", &neutral(&cli, &format!("{}{}", ran.stdout, ran.stderr)));
    let manifest = fs::read_to_string(cli.path("fit_sync.yaml")).unwrap();
    let accounts = fs::read_to_string(cli.home("accounts.yaml")).unwrap();
    snapshot::check("cli", "init_manifest", &neutral(&cli, &manifest));
    snapshot::check("cli", "init_accounts", &neutral(&cli, &accounts));
    assert!(!manifest.contains("s3cr3t") && !manifest.contains("12345678"));
    assert!(!ran.stdout.contains("s3cr3t") && !ran.stderr.contains("s3cr3t"));
    assert_eq!(mode(&cli.home("accounts.yaml")), 0o600);
    assert_eq!(mode(&cli.home("")), 0o700);
    assert_eq!(fs::read_to_string(cli.home("config.json")).unwrap(), OLD, "left as it is");
    let valid = cli.run("validate").ok().says("4 accounts, 2 rules");
    assert_eq!(valid.stderr, "");
    // Also where others can read it, and under version control.
    fs::create_dir(cli.path(".git")).unwrap();
    cli.run("validate").ok();
}

#[test]
fn an_old_configuration_loads_as_it_is() {
    let cli = old_home(OLD);
    fs::set_permissions(cli.home(""), fs::Permissions::from_mode(0o700)).unwrap();
    let valid = cli.run("validate").ok();
    assert!(valid.stdout.contains("config.json is valid: 4 accounts, 2 rules."), "{valid:?}");
}

#[test]
fn nothing_is_overwritten() {
    let cli = old_home(OLD);
    cli.manifest("mine: true\n");
    cli.run("init").exits(1).tells("fit_sync.yaml is there already");
    assert_eq!(fs::read_to_string(cli.path("fit_sync.yaml")).unwrap(), "mine: true\n");
    assert!(!cli.home("accounts.yaml").exists());
    fs::remove_file(cli.path("fit_sync.yaml")).unwrap();
    fs::write(cli.home("accounts.yaml"), "accounts: {}\n").unwrap();
    cli.run("init").exits(1).tells("accounts.yaml is there already");
    assert!(!cli.path("fit_sync.yaml").exists());
    // A dangling link is something, too.
    fs::remove_file(cli.home("accounts.yaml")).unwrap();
    std::os::unix::fs::symlink("nowhere", cli.path("fit_sync.yaml")).unwrap();
    cli.run("init").exits(1);
    assert!(!cli.home("accounts.yaml").exists());
}

#[test]
fn places_can_be_named() {
    let cli = Cli::empty();
    let plain =
        r#"{ "accounts": { "a": { "platform": "directory", "path": "x" } }, "sync_rules": [] }"#;
    cli.put("old/config.json", plain);
    cli.run("init --from old/config.json --config new.yaml").ok().says("Wrote new.yaml from");
    let text = fs::read_to_string(cli.path("new.yaml")).unwrap();
    assert!(text.contains(&format!("path: {}/old/x", cli.work().display())), "{text}");
    assert!(!cli.home("accounts.yaml").exists(), "nothing is secret");
    cli.run("validate --config new.yaml").ok();
    cli.run("init --from missing.json --config other.yaml").exits(3).tells("no such manifest");
    cli.run("init --config missing/folder.yaml").exits(1).tells("cannot be written");
}

#[test]
fn a_faulty_configuration_is_told_and_nothing_written() {
    let cli = old_home(&OLD.replace("conflict_strategy", "conflict_stratgy"));
    cli.run("init").exits(3).tells("did you mean 'conflict_strategy'?");
    assert!(!cli.path("fit_sync.yaml").exists() && !cli.home("accounts.yaml").exists());
}
