//! The same accounts give the same bytes in every format, wherever and however they are read.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::support::cli::{Cli, REPLACING, Ran, ride};

const PLAN: &str =
    "plan --out out/plan.json --markdown out/plan.md --html out/plan --junit out/plan.xml";
const APPLY: &str =
    "apply --auto-approve --report out/report.json --html out/apply --junit out/apply.xml";
const FORMATS: [&str; 5] = ["text", "json", "markdown", "html", "summary"];

/// Rows of every kind, in names that locales sort differently, around midnights of several zones.
fn world() -> Cli {
    let cli = Cli::new(REPLACING);
    let at = |day: u32, hour: u32| ride(&format!("2026-10-{day:02}T{hour:02}:59:59Z"));
    for (day, name) in (1..).zip(["I", "i", "ı", "İ", "ß", "z", "ä", "Z", "越野"]) {
        cli.fit(format!("watch/{name}.fit"), &at(day, 23 - day));
    }
    cli.fit("watch/differs.fit", &at(26, 23).distance_m(12_345));
    cli.fit("archive/differs.fit", &at(26, 23).distance_m(12_000));
    cli.fit("watch/twin.fit", &at(25, 0));
    cli.fit("archive/one.fit", &at(25, 0).serial(3).distance_m(1));
    cli.fit("archive/two.fit", &at(25, 0).serial(4).distance_m(2));
    cli.put("watch/broken.fit", b"nothing");
    std::fs::create_dir(cli.path("out")).unwrap();
    cli
}

/// Everything that a plan and an apply print and write.
fn told(cli: &Cli) -> BTreeMap<String, Vec<u8>> {
    let mut told = BTreeMap::new();
    for format in FORMATS {
        let ran = cli.run(&format!("plan --format {format}")).ok();
        told.insert(format!("stdout {format}"), ran.stdout.into_bytes());
    }
    cli.run(PLAN).ok();
    cli.run(APPLY).exits(6);
    told.extend(cli.files("out"));
    told
}

#[track_caller]
fn same(found: &BTreeMap<String, Vec<u8>>, wanted: &BTreeMap<String, Vec<u8>>, where_: &str) {
    assert_eq!(found.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>(), "{where_}");
    for (name, bytes) in found {
        assert!(*bytes == wanted[name], "{where_}: {name} differs");
    }
}

#[test]
fn zones_languages_and_threads_do_not_matter() {
    let wanted = told(&world());
    assert_eq!(wanted.len(), FORMATS.len() + 9, "{:?}", wanted.keys());
    for (name, value) in [
        ("TZ", "Pacific/Kiritimati"),
        ("TZ", "America/New_York"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "zh_CN.UTF-8"),
        ("TOKIO_WORKER_THREADS", "1"),
        ("RAYON_NUM_THREADS", "1"),
        ("COLUMNS", "20"),
    ] {
        let mut other = world();
        other.set(name, value);
        same(&told(&other), &wanted, &format!("{name}={value}"));
    }
}

#[test]
fn one_core_tells_the_same() {
    let taskset = Path::new("/usr/bin/taskset");
    if !taskset.exists() {
        return;
    }
    let (all, one) = (world(), world());
    for (args, code) in [(PLAN, 0), (APPLY, 6)] {
        all.run(args).exits(code);
        let binary = one.command(args.split(' '));
        let mut command = Command::new(taskset);
        command.args(["-c", "0"]).arg(binary.get_program()).args(binary.get_args()).env_clear();
        command.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = command.current_dir(one.work()).output().unwrap();
        Ran::of(&command, &output).exits(code);
    }
    same(&one.files("out"), &all.files("out"), "one core");
}
