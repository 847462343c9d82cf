//! `download`: by row, by id, or all; into the cache or a folder.

use std::fs;
use std::path::{Path, PathBuf};

use super::world::{cli, shows};
use crate::support::cli::{Cli, Ran, ride};

fn path(ran: &Ran) -> PathBuf {
    assert_eq!(ran.stdout.lines().count(), 1, "{ran:#?}");
    PathBuf::from(ran.stdout.trim_end())
}

#[test]
fn a_row_goes_into_the_cache_and_its_path_is_told() {
    let cli = cli();
    let ran = cli.run("download --account watch --index 1").ok().tells("Morning Run");
    let place = path(&ran);
    let name = "cache/fit/watch/running/2026/2026-11-07_060211_running_Morning-Run.fit";
    assert_eq!(place, cli.home(name));
    assert_eq!(fs::read(&place).unwrap(), cli.files("watch")["Morning Run.fit"]);
    let start: jiff::Timestamp = "2026-11-07T06:02:11Z".parse().unwrap();
    assert_eq!(
        fs::metadata(&place).unwrap().modified().unwrap(),
        std::time::SystemTime::from(start)
    );
}

#[test]
fn a_copy_goes_into_a_folder_and_spares_what_is_there() {
    let cli = cli();
    let copy = "download --account watch --id Autumn%20Hike.fit --output-dir out/deep";
    let args = || copy.split_whitespace().map(|arg| arg.replace("%20", " "));
    let place = path(&cli.args(args()).ok());
    assert_eq!(place, cli.path("out/deep/2026-11-03_091530_hiking_Autumn-Hike.fit"));
    assert!(!cli.home("cache").exists(), "a folder's files are here already");
    assert_eq!(path(&cli.args(args()).ok()), place);
    assert_eq!(cli.files("out").len(), 1);
    fs::write(&place, "my own notes").unwrap();
    let second = path(&cli.args(args()).ok());
    assert_eq!(second, cli.path("out/deep/2026-11-03_091530_hiking_Autumn-Hike-2.fit"));
    assert_eq!(fs::read(&place).unwrap(), b"my own notes");
    assert_eq!(fs::read(&second).unwrap(), cli.files("watch")["Autumn Hike.fit"]);
}

#[test]
fn a_number_means_the_row_that_was_shown() {
    let cli = cli();
    cli.run("list --account watch --activity-type running --limit 1").ok();
    cli.run("list --account watch --title 越野").ok();
    let shown = |args: &str| path(&cli.run(&format!("download --account watch {args}")).ok());
    assert!(shown("--index 1").ends_with("2026-11-01_233000_trail_running_西湖越野跑.fit"));
    let run = "2026-11-07_060211_running_Morning-Run.fit";
    assert!(shown("--index 1 --activity-type running").ends_with(run));
    assert!(
        shown("--index 4 --limit 10").ends_with("2026-11-01_233000_trail_running_西湖越野跑.fit")
    );
    cli.run("download --account watch --index 2").exits(1).tells("the list has 1");
    // What is shown by somebody who asks for nothing counts too.
    cli.run("download --account watch").ok();
    assert!(shown("--index 1").ends_with(run));
    // A newcomer does not move the rows that were shown.
    cli.fit("watch/new.fit", &ride("2026-11-19T06:00:00Z"));
    cli.run("list --account archive --refresh").ok();
    cli.run("list --account watch --refresh --json --limit 3").ok();
    cli.fit("watch/newer.fit", &ride("2026-11-19T07:00:00Z"));
    cli.run("plan").ok();
    assert!(shown("--index 2").ends_with(run));
}

#[test]
fn without_a_choice_it_shows_the_rows_and_how_to_choose() {
    let cli = cli();
    shows(&cli, "download-offer", "download --account watch --limit 2");
    assert!(!cli.home("cache").exists());
}

#[test]
fn everything_is_fetched_once() {
    let cli = cli();
    let ran = cli.run("download --account watch --all").ok();
    ran.tells("watch: 5 activities, 5 fetched, 0 were there.");
    let ran = cli.run("download --account watch --all").ok();
    assert_eq!(ran.stdout.lines().count(), 5, "{ran:#?}");
    let ran = ran.tells("watch: 5 activities, 0 fetched, 5 were there.");
    assert!(ran.stdout.lines().all(|line| Path::new(line).is_file()), "{ran:#?}");
    let filtered = "download --account watch --all --activity-type running --output-dir out";
    cli.run(filtered).ok().tells("watch: 2 activities, 2 fetched, 0 were there.");
    cli.run(filtered).ok().tells("watch: 2 activities, 0 fetched, 2 were there.");
    assert_eq!(cli.files("out").len(), 2);
    cli.run("download --account watch --all --limit 1 --output-dir one").ok();
    assert_eq!(cli.activities("one"), ["2026-11-07_060211_running_Morning-Run.fit"]);
}

#[test]
fn a_file_that_changed_since_the_list_is_fetched_as_it_is_now() {
    let cli = cli();
    cli.run("list --account watch").ok();
    let edited = ride("2026-11-05T15:41:07Z").distance_m(41_000);
    cli.fit("watch/Evening Ride.fit", &edited);
    let ran = cli.args(["download", "--account", "watch", "--id", "Evening Ride.fit"]).ok();
    assert_eq!(fs::read(path(&ran)).unwrap(), edited.build());
    cli.fit("watch/late.fit", &ride("2026-11-19T06:00:00Z"));
    cli.run("download --account watch --id late.fit").ok();
    fs::remove_file(cli.path("watch/late.fit")).unwrap();
    cli.run("clear-cache").ok();
    cli.run("download --account watch --id late.fit").exits(1);
}

#[test]
fn a_damaged_file_of_the_cache_is_fetched_again() {
    let cli = cli();
    let place = path(&cli.run("download --account watch --index 1").ok());
    fs::write(&place, "damaged").unwrap();
    assert_eq!(path(&cli.run("download --account watch --index 1").ok()), place);
    assert_eq!(fs::read(&place).unwrap(), cli.files("watch")["Morning Run.fit"]);
}

#[test]
fn what_is_wrong_with_the_question_is_said() {
    let cli = cli();
    for (name, args, code) in [
        ("account", "download --account wacth --index 1", 3),
        ("type", "download --account watch --all --activity-type cyclin", 3),
        ("row", "download --account watch --index 9", 1),
        ("row-0", "download --account watch --index 0", 1),
        ("id", "download --account watch --id nope.fit", 1),
        ("nothing-to-fetch", "download --account watch --id settings.fit", 1),
    ] {
        shows(&cli, &format!("download-wrong-{name}"), args);
        cli.run(args).exits(code);
    }
    for wrong in [
        "download",
        "download --index 1",
        "download --account watch --index one",
        "download --account watch --index -1",
        "download --account watch --index 1 --all",
        "download --account watch --id a --index 1",
    ] {
        cli.run(wrong).exits(64);
    }
    cli.put("taken", "a file");
    cli.run("download --account watch --index 1 --output-dir taken").exits(1).tells("taken");
    assert!(!cli.home("cache").exists());
}

#[test]
fn a_cache_that_cannot_be_written_is_told() {
    let cli = cli();
    cli.run("list").ok();
    fs::write(cli.home("cache"), "no folder").unwrap();
    cli.run("download --account watch --index 1").exits(1).tells("cannot be kept");
    cli.run("download --account watch --index 1 --output-dir out").ok();
}

#[test]
fn the_cache_may_lie_elsewhere() {
    let cli = Cli::new("");
    super::world::put(&cli);
    let manifest = format!("{}cache: {{ directory: mine }}\n", crate::support::cli::MANIFEST);
    fs::create_dir(cli.home("")).unwrap();
    cli.manifest(&manifest);
    cli.run("download --account watch --index 1").exits(3);
    let mut cli = cli;
    cli.set("FIT_SYNC_TRUST_MANIFEST", "1");
    let place = path(&cli.run("download --account watch --index 1").ok());
    assert!(place.starts_with(cli.path("mine/fit/watch")), "{}", place.display());
    cli.run("clear-cache").ok().says("1 FIT file");
    assert!(!place.exists());
}
