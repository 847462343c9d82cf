//! The README keeps its word: every command line in it runs, every command and option exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use regex::Regex;

use crate::support::cli::Cli;

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// The contents of all fences of a language, in order.
fn fences(text: &str, language: &str) -> Vec<String> {
    let pattern = format!("(?ms)^```{language}\n(.*?)^```$");
    let fences = Regex::new(&pattern).unwrap();
    fences.captures_iter(text).map(|fence| fence[1].to_owned()).collect()
}

/// The arguments of a shell's line, without its comment.
fn words(line: &str) -> Vec<String> {
    let line = line.split_once("  #").or(line.split_once(" # ")).map_or(line, |(line, _)| line);
    let parts = line.split('"').enumerate();
    let mut words = Vec::new();
    for (place, part) in parts {
        match place % 2 {
            1 => words.push(part.to_owned()),
            _ => words.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    words
}

/// Where the README's reader works: the examples, its manifest, and a file to look at.
fn reader() -> Cli {
    let cli = Cli::new(&fences(&readme(), "yaml")[0]);
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for entry in walkdir::WalkDir::new(&examples) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(&examples).unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            cli.put(Path::new("examples").join(below), &bytes);
            cli.put(below.with_file_name(below.file_name().unwrap()), &bytes);
        }
    }
    cli.manifest(&fences(&readme(), "yaml")[0]);
    fs::copy(cli.path("quickstart/watch/Evening Ride.fit"), cli.path("ride.fit")).unwrap();
    cli
}

#[test]
fn every_command_line_runs() {
    let cli = reader();
    let mut run = 0;
    for line in fences(&readme(), "sh").iter().flat_map(|fence| fence.lines()) {
        let words = words(line);
        let args: Vec<&str> = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice()
        {
            ["cargo", "run", "--", args @ ..] | ["fit_sync", args @ ..] => args.to_vec(),
            ["cargo", "test"] | [] => continue,
            other => panic!("what does the README mean by {other:?}?"),
        };
        let args: Vec<String> = args
            .into_iter()
            .map(|arg| match arg {
                "ADDRESS" => "everyday/2026-11-14T06:02:11Z".to_owned(),
                "ID" => "running/2026/2026-11-14_060211_running_Morning-Run.fit".to_owned(),
                other => other.to_owned(),
            })
            .collect();
        let ran = cli.args(&args);
        // A pair in sync is no question that could be answered so.
        let wanted = if args.iter().any(|arg| arg == "distinct") { 6 } else { 0 };
        assert_eq!(ran.code, wanted, "{line}: {ran:#?}");
        run += 1;
    }
    assert!(run > 20, "the README's command lines were not found: {run}");
    assert_eq!(cli.activities("runs"), ["2026-11-16_073000_trail_running_Ridge-Run.fit"]);
}

/// The commands that the help of some command lists.
fn commands(cli: &Cli, above: &[&str]) -> Vec<String> {
    let help = cli.args(above.iter().copied().chain(["--help"])).ok().stdout;
    let Some((_, list)) = help.split_once("Commands:\n") else { return Vec::new() };
    let names = Regex::new(r"(?m)^  ([a-z-]+)").unwrap();
    let list = list.split("\n\n").next().unwrap_or_default();
    let names = names.captures_iter(list).map(|name| name[1].to_owned());
    names.filter(|name| name != "help").collect()
}

#[test]
fn the_table_of_commands_is_the_help_s() {
    let text = readme();
    let (_, table) = text.split_once("\n## Commands\n").unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows = Regex::new(r"(?m)^\| `([a-z-]+)` \|").unwrap();
    let told: BTreeSet<String> = rows.captures_iter(table).map(|row| row[1].to_owned()).collect();
    let known: BTreeSet<String> = commands(&Cli::empty(), &[]).into_iter().collect();
    assert_eq!(told, known);
}

#[test]
fn every_option_that_is_named_exists() {
    let cli = Cli::empty();
    let options = Regex::new(r"--[a-z][a-z-]+").unwrap();
    let found = |text: &str| -> BTreeSet<String> {
        options.find_iter(text).map(|option| option.as_str().to_owned()).collect()
    };
    let mut known = found(&cli.run("--help").ok().stdout);
    for command in commands(&cli, &[]) {
        known.extend(found(&cli.args([&command, "--help"]).ok().stdout));
        for below in commands(&cli, &[&command]) {
            known.extend(found(&cli.args([&command, &below, "--help"]).ok().stdout));
        }
    }
    // cargo's own.
    known.extend(["--path", "--example"].map(str::to_owned));
    let told = found(&readme());
    let strange: Vec<&String> = told.difference(&known).collect();
    assert!(strange.is_empty(), "{strange:?}");
}
