//! The same accounts give the same bytes, wherever, whenever and however they are read.

use std::path::Path;
use std::process::Command;

use crate::support::cli::{Cli, Ran, gzip, ride};
use crate::support::fit::FitFile;

const MANIFEST: &str = "\
accounts:
  watch: { platform: directory, path: watch }
  phone: { platform: directory, path: phone }
  archive: { platform: directory, path: archive }
sync_rules:
  - { name: first, source: watch, destination: archive, start_date: 2026-02-01 }
  - { name: second, source: phone, destination: archive, conflict_strategy: replace_existing }
";

/// Files for every kind of row, with names that locales sort differently.
fn files() -> Vec<(String, Vec<u8>)> {
    let at = |day: u32, hour: u32| ride(&format!("2026-11-{day:02}T{hour:02}:59:59Z"));
    let mut files: Vec<(String, FitFile)> = Vec::new();
    let names = ["I", "i", "ı", "İ", "ß", "SS", "z", "ä", "Z", "越野"];
    for (day, name) in (1..).zip(names) {
        files.push((format!("watch/{name}.fit"), at(day, 23)));
        files.push((format!("phone/{name}.fit"), at(10 + day, 0)));
    }
    files.push(("watch/twin1.fit".to_owned(), at(25, 1)));
    files.push(("watch/twin2.fit".to_owned(), at(25, 1).serial(2)));
    files.push(("archive/one.fit".to_owned(), at(25, 1).serial(3)));
    files.push(("archive/two.fit".to_owned(), at(25, 1).serial(4)));
    files.push(("phone/both.fit".to_owned(), at(1, 23).maker(294, 802)));
    files.push(("phone/differs.fit".to_owned(), at(26, 1).distance_m(12_345)));
    files.push(("archive/differs.fit".to_owned(), at(26, 1).distance_m(12_000)));
    files.push(("archive/half.fit".to_owned(), at(2, 23).elapsed_s(1500)));
    let mut files: Vec<(String, Vec<u8>)> =
        files.into_iter().map(|(name, file)| (name, file.build())).collect();
    files.push(("watch/packed.fit.gz".to_owned(), gzip(&at(27, 1).build())));
    files.push(("watch/broken.fit".to_owned(), b"nothing".to_vec()));
    files.push(("phone/BROKEN.fit".to_owned(), b"nothing".to_vec()));
    files
}

fn world(reversed: bool) -> Cli {
    let cli = Cli::new(MANIFEST);
    let mut files = files();
    if reversed {
        files.reverse();
    }
    files.iter().for_each(|(name, bytes)| cli.put(name, bytes));
    cli
}

fn plan(cli: &Cli) -> String {
    cli.run("plan --json --all").ok().stdout
}

#[test]
fn places_zones_languages_and_orders_do_not_matter() {
    let cli = world(false);
    let wanted = plan(&cli);
    for kind in ["upload", "replace", "conflict", "skip"] {
        let counts = cli.run("plan --json").ok().json()["context"]["counts"].clone();
        assert!(counts[kind].as_u64() > Some(0), "no {kind} among {counts}");
    }
    assert!(!wanted.contains(&*cli.root().to_string_lossy()), "an absolute path");
    assert_eq!(plan(&cli), wanted, "warm");
    assert_eq!(cli.run("plan --json --all --refresh full").ok().stdout, wanted);
    assert_eq!(cli.run("plan --json --all --refresh none").ok().stdout, wanted);
    assert_eq!(plan(&world(true)), wanted, "another order and another place");
    for (name, value) in [
        ("TZ", "Asia/Shanghai"),
        ("TZ", "America/New_York"),
        ("TZ", "Pacific/Kiritimati"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "zh_CN.UTF-8"),
        ("LC_ALL", "C"),
        ("RAYON_NUM_THREADS", "1"),
        ("TOKIO_WORKER_THREADS", "1"),
        ("FIT_SYNC_SEED", "another"),
        ("FIT_SYNC_NOW", "2026-11-20T23:59:59.9Z"),
        ("COLUMNS", "20"),
    ] {
        let mut other = world(false);
        other.set(name, value);
        assert_eq!(plan(&other), wanted, "{name}={value}");
        assert_eq!(other.run("plan").ok().stdout, cli.run("plan").ok().stdout, "{name}={value}");
    }
}

#[test]
fn one_core_or_all_of_them_read_the_same() {
    let taskset = Path::new("/usr/bin/taskset");
    if !taskset.exists() {
        return;
    }
    let (all, one) = (world(false), world(false));
    let binary = one.command(["plan", "--json", "--all"]);
    let mut command = Command::new(taskset);
    command.args(["-c", "0"]).arg(binary.get_program()).args(binary.get_args()).env_clear();
    command.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = command.current_dir(one.work()).output().unwrap();
    assert_eq!(Ran::of(&command, &output).ok().stdout, plan(&all));
}

#[test]
fn a_saved_plan_has_one_id_everywhere() {
    let (here, mut there) = (world(false), world(true));
    there.set("TZ", "America/New_York");
    let id = |cli: &Cli| cli.run("plan --json --out saved.json").ok().json()["id"].clone();
    assert_eq!(id(&here), id(&there));
    let moved = std::fs::read(here.path("saved.json")).unwrap();
    there.put("moved.json", moved);
    there.run("apply moved.json").exits(6);
    assert_eq!(there.run("plan --json").ok().json()["body"]["steps"], serde_json::json!([]));
}
