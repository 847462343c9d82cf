//! Two streams, colours, closed pipes, and remote text that wants to harm.

use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Stdio;

use serde_json::Value;

use crate::support::cli::{Cli, MANIFEST, Ran, context, ride, steps};

const EARLY: &str = "2026-11-01T06:12:33Z";

/// Ends the line, colours, moves, reverses, rings.
const HOSTILE: &str = "a\u{1b}[2J\u{1b}]0;t\u{7}\u{202e}b\u{2066}\nc\r\u{9b}31m\u{7f}\u{200f}越";

fn one() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}".contains(c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

#[track_caller]
fn harmless(text: &str) {
    let found: String = text.chars().filter(|c| *c != '\n' && is_hostile(*c)).collect();
    assert!(found.is_empty(), "{:?} in {text:?}", found);
}

fn strings(value: &Value, check: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => check(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, check)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            check(name);
            strings(value, check);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[track_caller]
fn harmless_run(ran: &Ran) {
    harmless(&ran.stdout);
    harmless(&ran.stderr);
    if let Ok(json) = serde_json::from_str::<Value>(&ran.stdout) {
        strings(&json, &mut |text| {
            assert!(!text.contains(is_hostile), "{text:?} in {ran:#?}");
        });
    }
}

/// Uploads, conflicts, pairs and broken files, all with hostile names.
fn hostile() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit(format!("watch/{HOSTILE}/{HOSTILE}.fit"), &ride(EARLY));
    cli.put(format!("watch/{HOSTILE} broken.fit"), "nothing");
    cli.put(format!("watch/{HOSTILE} broken.fit.gz"), "nothing");
    cli.fit(format!("watch/{HOSTILE} unclear.fit"), &ride("2026-11-02T06:12:33Z"));
    cli.fit(format!("archive/{HOSTILE} half.fit"), &ride("2026-11-02T06:12:33Z").elapsed_s(1500));
    cli.fit(format!("watch/{HOSTILE} pair.fit"), &ride("2026-11-03T06:12:33Z"));
    cli.fit(format!("archive/{HOSTILE} pair.fit"), &ride("2026-11-03T06:12:33Z"));
    cli
}

#[test]
fn hostile_names_are_harmless_in_every_output() {
    let cli = hostile();
    for command in [
        "plan",
        "plan -vvv",
        "plan --all",
        "plan --json --all",
        "plan --format summary",
        "plan --out saved.json",
        "show saved.json",
        "show -v saved.json --json",
    ] {
        harmless_run(&cli.run(command).ok());
    }
    let saved = std::fs::read_to_string(cli.path("saved.json")).unwrap();
    harmless(&saved);
    harmless_run(&cli.run("apply -vv saved.json").exits(6).says("1 uploaded"));
    harmless_run(&cli.run("apply -vv --auto-approve").exits(6));
    for command in ["list", "show", "history"] {
        harmless_run(&cli.run(&format!("state {command}")).ok());
        harmless_run(&cli.run(&format!("state {command} --json")).ok());
    }
    harmless_run(&cli.run("state show keep/2026-11-01T06:12:33Z").ok());
    harmless_run(&cli.run("state show keep/2026-11-01T06:12:33Z --json").ok());
    harmless_run(&cli.run("state ignore keep/2026-11-02T06:12:33Z").ok());
    harmless(&std::fs::read_to_string(cli.path("fit_sync.decisions.yaml")).unwrap());
    for name in cli.activities("archive").iter().filter(|name| name.starts_with("cycling/")) {
        harmless(name);
    }
}

#[test]
fn hostile_files_can_be_inspected_and_hostile_arguments_refused() {
    let cli = hostile();
    let path = format!("watch/{HOSTILE}/{HOSTILE}.fit");
    harmless_run(&cli.args(["inspect", &path]).ok());
    harmless_run(&cli.args(["inspect", "--json", &path]).ok());
    harmless_run(&cli.args(["inspect", &format!("{HOSTILE}.fit")]).exits(1));
    harmless_run(&cli.args(["inspect", "--json", &format!("{HOSTILE}.fit")]).exits(1));
    harmless_run(&cli.args(["show", HOSTILE]).exits(1));
    harmless_run(&cli.args(["state", "show", HOSTILE]).exits(1));
    harmless_run(&cli.args(["state", "rm", HOSTILE]).exits(1));
    harmless_run(&cli.args(["state", "ignore", &format!("keep/@{HOSTILE}")]).exits(1));
    harmless_run(&cli.args(["plan", "--rule", HOSTILE]).exits(3));
    harmless_run(&cli.args(["plan", "--config", HOSTILE]).exits(3));
    harmless_run(&cli.args(["apply", "--auto-approve", "--expect-plan", HOSTILE]).exits(7));
}

#[test]
fn a_broken_file_with_a_hostile_name_can_be_addressed_as_shown() {
    let cli = hostile();
    let plan = cli.run("plan --json").ok().json();
    for (address, _, reason) in context(&plan, "skips") {
        assert_eq!(reason, "unreadable");
        cli.args(["state", "ignore", &address]).ok();
    }
    let plan = cli.run("plan --json").ok().json();
    assert!(context(&plan, "skips").len() == 2);
}

#[test]
fn names_that_are_not_utf_8_are_read_by_their_bytes() {
    let cli = Cli::new(MANIFEST);
    let name = |bytes: &[u8]| OsString::from_vec([b"watch/", bytes, b".fit"].concat());
    cli.fit(name(b"caf\xe9"), &ride(EARLY));
    cli.fit(name(b"caf\xe8"), &ride("2026-11-02T06:12:33Z"));
    cli.put(name(b"\xff\xfe"), "broken");
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan).len(), 2);
    assert_eq!(context(&plan, "skips")[0].0, "keep/@\u{fffd}\u{fffd}.fit");
    cli.run("plan").ok().says("caf\u{fffd}");
    cli.run("plan --out saved.json").ok();
    cli.run("apply saved.json").ok().says("2 uploaded");
    cli.run("plan").ok().says("No changes. 2 activities are in sync. 1 skipped.");
    cli.lose_state();
    cli.run("plan").ok().says("No changes. 2 activities are in sync. 1 skipped.");
    let broken = OsString::from_vec(b"watch/\xff\xfe.fit".to_vec());
    cli.args([OsString::from("inspect"), broken]).exits(1).says("\u{fffd}\u{fffd}.fit");
}

#[test]
fn the_product_goes_to_stdout_and_the_rest_to_stderr() {
    let cli = one();
    for command in ["plan --json", "plan --format summary", "plan --all --json"] {
        let plain = cli.run(command).ok().stdout;
        assert!(!plain.is_empty());
        for how in ["-q", "-v", "-vvv"] {
            assert_eq!(cli.run(&format!("{how} {command}")).ok().stdout, plain, "{how} {command}");
        }
    }
    cli.lose_state();
    assert!(cli.run("plan").ok().stderr.contains("first plan on an empty state"));
    cli.lose_state();
    assert_eq!(cli.run("plan -q").ok().stderr, "");
    cli.run("-v plan").ok().tells("read watch: 1 item");
    cli.run("plan -q --rule nosuch").exits(3).tells("nosuch");
    let refused = cli.run("apply -q");
    assert_eq!((refused.code, refused.stderr.contains("--auto-approve")), (6, true));
}

#[test]
fn v_lists_what_is_skipped_and_the_line_that_did_it() {
    let manifest = MANIFEST
        .replace("destination: archive }", "destination: archive, activity_types: [running] }");
    let cli = Cli::new(&manifest);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli.put("watch/x.fit", "broken");
    let brief = cli.run("plan").ok().stdout;
    assert_eq!(brief, "No changes. 0 activities are in sync. 2 skipped.\n");
    let full = cli.run("plan -v").ok().says("keep/2026-11-01T06:12:33Z  filtered_type (line 5");
    full.says("keep/@x.fit  unreadable (");
}

/// Whether stdout and stderr of a refused apply have colours.
fn colours(cli: &Cli, args: &str) -> (bool, bool) {
    let ran = cli.run(&format!("apply {args}")).exits(6);
    (ran.stdout.contains('\u{1b}'), ran.stderr.contains('\u{1b}'))
}

#[test]
fn colours_are_decided_by_the_line_then_by_the_environment() {
    let (off, on) = ((false, false), (true, true));
    let cli = one();
    assert_eq!(colours(&cli, ""), off);
    assert_eq!(colours(&cli, "--color always"), on);
    assert_eq!(colours(&cli, "--color never"), off);
    assert_eq!(colours(&cli, "--color auto"), off);
    let with = |variables: &[(&str, &str)]| {
        let mut cli = one();
        variables.iter().for_each(|(name, value)| cli.set(name, value));
        cli
    };
    let forced = with(&[("CLICOLOR_FORCE", "1")]);
    assert_eq!(colours(&forced, ""), on);
    assert_eq!(colours(&forced, "--color never"), off);
    let forced = with(&[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")]);
    assert_eq!(colours(&forced, "--color never"), off);
    let without = with(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]);
    assert_eq!(colours(&without, ""), off);
    assert_eq!(colours(&without, "--color always"), on);
    let dumb = with(&[("TERM", "dumb")]);
    assert_eq!(colours(&dumb, ""), off);
    assert_eq!(colours(&dumb, "--color always"), on);
}

#[test]
fn json_and_completions_have_no_colours_whatever_is_asked() {
    let cli = one();
    for command in ["plan --json", "schema plan", "state show --json", "completions bash"] {
        let ran = cli.run(&format!("{command} --color always")).ok();
        assert!(!ran.stdout.contains('\u{1b}'), "{command}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let cli = one();
    (1..400).for_each(|number| cli.put(format!("watch/{number}.fit"), "broken"));
    cli.run("plan").ok();
    for command in ["plan -v", "plan --json", "schema manifest", "completions zsh", "--help"] {
        let mut child = cli
            .command(command.split(' '))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut first = [0];
        out.read_exact(&mut first).unwrap();
        drop(out);
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {stderr}");
        assert!(!stderr.contains("panic") && !stderr.contains("roken pipe"), "{stderr}");
    }
}

#[test]
fn a_product_that_cannot_be_written_is_a_failure() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else {
        return;
    };
    let cli = one();
    let mut command = cli.command(["plan", "--json"]);
    let output = command.stdout(full).output().unwrap();
    Ran::of(&command, &output).exits(1).tells("cannot be written");
}

#[test]
fn a_summary_has_at_most_twelve_lines_and_no_titles() {
    let mut manifest =
        "limits: { max_uploads: 0 }\naccounts:\n  watch: { platform: directory, path: \
                        watch }\n  gone: { platform: directory, path: gone }\n"
            .to_owned();
    let names: Vec<String> = (1..=20).map(|number| format!("folder{number}")).collect();
    for name in &names {
        manifest += &format!("  {name}: {{ platform: directory, path: {name} }}\n");
    }
    manifest += "sync_rules:\n  - { source: gone, destination: folder1 }\n";
    for name in &names {
        manifest += &format!("  - {{ source: watch, destination: {name} }}\n");
    }
    let cli = Cli::new(&manifest);
    cli.fit("watch/A title.fit", &ride(EARLY));
    let summary = cli.run("plan --format summary").exits(5).stdout;
    assert!(summary.lines().count() <= 12 && !summary.contains("title"), "{summary}");
    assert!(summary.contains("20 to upload") && summary.contains("blocked"), "{summary}");
}
