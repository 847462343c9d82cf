//! Corners of the main line: files with several activities, places of the memory, broken markers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::cli::{Cli, MANIFEST, REPLACING, Ran, context, ride, steps, tree};

const START: &str = "2026-11-01T06:12:33Z";
const LATER: &str = "2026-11-02T06:12:33Z";

const TWO_RULES: &str = "\
accounts:
  watch: { platform: directory, path: watch }
  phone: { platform: directory, path: phone }
  archive: { platform: directory, path: archive }
  attic: { platform: directory, path: attic }
sync_rules:
  - { name: keep, source: watch, destination: archive }
  - { name: more, source: phone, destination: attic }
";

#[test]
fn an_account_that_went_away_stops_only_its_own_steps_of_a_saved_plan() {
    let cli = Cli::new(TWO_RULES);
    cli.fit("watch/a.fit", &ride(START));
    cli.fit("phone/b.fit", &ride(LATER));
    cli.run("plan --out saved.json").ok();
    fs::rename(cli.path("phone"), cli.path("away")).unwrap();
    let ran = cli.run("apply saved.json").exits(10).says("1 uploaded, 0 replaced, 1 not tried");
    assert!(ran.stdout.contains(&format!("more/{LATER} not_tried: its folder")), "{ran:#?}");
    cli.run("apply saved.json").exits(5);
    fs::rename(cli.path("away"), cli.path("phone")).unwrap();
    cli.run("apply saved.json").ok().says("1 uploaded");
    cli.run("plan").ok().says("No changes. 2 activities");
}

#[test]
fn a_folder_under_two_names_or_a_copy_of_its_marker_is_refused() {
    let cli = Cli::new(TWO_RULES);
    cli.fit("watch/a.fit", &ride(START));
    cli.fit("phone/b.fit", &ride(LATER));
    cli.run("apply --auto-approve").ok();
    let before = cli.files("archive");
    let marker = cli.path("attic/.fit_sync-id");
    fs::copy(cli.path("archive/.fit_sync-id"), &marker).unwrap();
    let ran = cli.run("apply --auto-approve").exits(3).tells("carry the same marker");
    ran.tells("attic/.fit_sync-id");
    fs::remove_file(&marker).unwrap();
    cli.manifest(&TWO_RULES.replace("path: attic", "path: archive"));
    cli.run("apply --auto-approve").exits(3).tells("one account under two names");
    assert_eq!(cli.files("archive"), before);
}

#[test]
fn several_activities_in_one_file_are_a_question_that_can_be_decided() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/two.fit", &ride(START).chain(ride(LATER)));
    let plan = cli.run("plan --json").ok().json();
    let address = format!("keep/{START}");
    let question = (address.clone(), "keep".into(), "several_activities".into());
    assert_eq!(context(&plan, "conflicts"), [question]);
    cli.run("apply --auto-approve").exits(6);
    assert!(cli.activities("archive").is_empty());
    cli.run(&format!("state distinct {address}")).ok();
    cli.run("apply --auto-approve").ok().says("1 uploaded");
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
    cli.lose_state();
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
}

#[test]
fn recordings_of_two_devices_are_both_wanted() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.fit("watch/b.fit", &ride(START).serial(7).maker(294, 802));
    cli.run("apply --auto-approve").ok().says("2 uploaded");
    cli.run("plan").ok().says("No changes. 2 activities");
    cli.lose_state();
    cli.run("plan").ok().says("No changes. 2 activities");
    cli.fit("watch/copy.fit", &ride(START));
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(context(&plan, "skips")[0].2, "same_bytes_in_source");
}

#[test]
fn a_recording_that_was_cut_off_is_copied_and_found_again() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/cut.fit", &ride(START).without_sessions());
    cli.fit("watch/open.fit", &ride(LATER).elapsed_unknown());
    cli.run("apply --auto-approve").ok().says("2 uploaded");
    cli.run("plan").ok().says("No changes. 2 activities");
    cli.lose_state();
    cli.run("plan").ok().says("No changes. 2 activities");
}

#[test]
fn a_private_manifest_may_name_the_places_of_state_and_backups() {
    let cli = Cli::new(&format!("{REPLACING}state: mine/state.db\nbackups: mine/old\n"));
    cli.run("plan").exits(3).tells("chmod 600 fit_sync.yaml");
    fs::set_permissions(cli.path("fit_sync.yaml"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(cli.path("mine")).unwrap();
    cli.fit("watch/a.fit", &ride(START).distance_m(30_400));
    cli.fit("archive/a.fit", &ride(START));
    cli.run("apply --auto-approve").ok().says("1 replaced");
    assert!(cli.path("mine/state.db").exists() && !cli.home("state.db").exists());
    assert!(tree(&cli.path("mine/old")).values().any(|bytes| *bytes == ride(START).build()));
    cli.run("state list").ok().says("watch/a.fit");
    fs::create_dir(cli.path(".git")).unwrap();
    cli.run("plan").exits(3).tells("fit_sync.yaml:6");
    let mut trusting = cli;
    trusting.set("FIT_SYNC_TRUST_MANIFEST", "1");
    trusting.run("plan").ok();
}

#[test]
fn a_broken_marker_keeps_the_folder_as_it_is() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    for marker in ["", "{}", "nonsense", r#"{"format":"fit_sync.directory/9","id":"0"}"#] {
        cli.put("archive/.fit_sync-id", marker);
        let before = cli.files("archive");
        let plan = cli.run("plan --json").exits(1);
        assert_eq!(plan.json()["context"]["blocked"][0]["account"], "archive");
        cli.run("apply --auto-approve").exits(1);
        assert_eq!(cli.files("archive"), before);
    }
}

#[test]
fn a_folder_that_cannot_be_a_folder_is_told_without_its_place() {
    let cli = Cli::new(&MANIFEST.replace("path: archive", "path: file/archive"));
    cli.fit("watch/a.fit", &ride(START));
    cli.put("file", "a file");
    let plan = cli.run("plan --json");
    assert_eq!(steps(&plan.json()), []);
    assert_eq!(plan.json()["context"]["blocked"][0]["account"], "archive");
    assert!(!plan.stdout.contains(&*cli.root().to_string_lossy()), "{plan:#?}");
    assert_ne!(plan.code, 0);
}

#[test]
fn a_plan_that_cannot_be_saved_is_a_failure() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    for place in ["no/such/folder/saved.json", "watch", "fit_sync.yaml/saved.json"] {
        cli.args(["plan", "--out", place]).exits(1).tells(place);
    }
    assert_eq!(cli.activities("watch"), ["a.fit"]);
}

#[test]
fn readers_do_not_wait_for_a_writer() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.run("apply --auto-approve").ok();
    let writer = rusqlite::Connection::open(cli.home("state.db")).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; UPDATE account SET name = name").unwrap();
    for command in ["state list", "state show", "state history", "state verify"] {
        cli.run(command).ok();
    }
    writer.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_write_that_stays_busy_ends_with_8() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.run("apply --auto-approve").ok();
    cli.fit("watch/b.fit", &ride(LATER));
    let writer = rusqlite::Connection::open(cli.home("state.db")).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    cli.run("apply --auto-approve").exits(8);
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(cli.activities("archive").len(), 1);
    cli.run("apply --auto-approve").ok().says("1 uploaded");
}

/// Runs the binary on a terminal of its own, by way of `script`, and types an answer.
fn on_a_terminal(cli: &Cli, args: &str, answer: &str) -> Option<Ran> {
    let script = "/usr/bin/script";
    if !fs::exists(script).unwrap() || cfg!(not(target_os = "linux")) {
        return None;
    }
    let binary = cli.command(args.split(' '));
    let line = format!("{} {args}", binary.get_program().display());
    let mut command = Command::new(script);
    command.args(["-qec", &line, "/dev/null"]).env_clear().current_dir(cli.work());
    command.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), answer.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Some(Ran::of(&command, &output))
}

#[test]
fn a_person_is_asked_and_only_yes_is_yes() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    for answer in ["no\n", "y\n", "\n", "YES\n"] {
        let Some(ran) = on_a_terminal(&cli, "apply", answer) else {
            return;
        };
        ran.exits(6).says("Only 'yes' is accepted");
        assert!(!cli.path("archive").exists(), "{answer:?}");
    }
    on_a_terminal(&cli, "apply --no-input", "yes\n").unwrap().exits(6).says("--auto-approve");
    on_a_terminal(&cli, "apply", "yes\n").unwrap().ok().says("uploaded");
    assert_eq!(cli.activities("archive").len(), 1);
    // Nothing to do: nothing to ask.
    on_a_terminal(&cli, "apply", "").unwrap().ok();
    let mut pipeline = Cli::new(MANIFEST);
    pipeline.fit("watch/a.fit", &ride(START));
    pipeline.set("CI", "true");
    on_a_terminal(&pipeline, "apply", "yes\n").unwrap().exits(6);
    assert_eq!(pipeline.run("state history --json").ok().json()["runs"], json!([]));
}
