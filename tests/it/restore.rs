//! Backups through the binary: listed, put back where they were, not undone by the next plan.

use serde_json::Value;

use crate::support::cli::{Cli, REPLACING, ride};

const START: &str = "2026-11-19T06:12:33Z";

/// A folder in which one activity was replaced by apply; the bytes of the old one.
fn replaced() -> (Cli, Vec<u8>) {
    let cli = Cli::new(REPLACING);
    let old = ride(START).distance_m(40_000);
    cli.fit("watch/ride.fit", &old);
    cli.run("apply --auto-approve").ok();
    cli.fit("watch/ride.fit", &ride(START).distance_m(44_000));
    cli.run("apply --auto-approve").ok();
    (cli, old.build())
}

fn backups(cli: &Cli) -> Vec<Value> {
    cli.run("backup list --json").ok().json()["backups"].as_array().unwrap().clone()
}

#[test]
fn a_replaced_activity_is_listed_with_what_it_was() {
    let (cli, old) = replaced();
    let listed = backups(&cli);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["start"], START);
    assert_eq!(listed[0]["account"], "archive");
    assert_eq!(listed[0]["bytes"], old.len());
    let sha256 = listed[0]["sha256"].as_str().unwrap();
    assert_eq!(listed[0]["id"], sha256[..12]);
    let id = listed[0]["id"].as_str().unwrap();
    cli.run(&format!("backup show {id}")).ok().says("sha256:");
    cli.run("backup show 000000000000").exits(1).tells("backup list");
}

#[test]
fn a_restored_activity_takes_its_place_back_and_stays() {
    let (cli, old) = replaced();
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    cli.run(&format!("backup restore {id}")).ok().says("confirmed");
    let there = cli.files("archive");
    let activities: Vec<&Vec<u8>> =
        there.iter().filter(|(name, _)| name.ends_with(".fit")).map(|(_, bytes)| bytes).collect();
    assert_eq!(activities, [&old], "the old one alone is there");
    cli.run("plan").ok().says("No changes.");
    cli.lose_state();
    cli.run("plan").ok().says("No changes.");
    assert_eq!(backups(&cli).len(), 2, "what the restore replaced is a backup too");
    cli.run(&format!("backup restore {id}")).ok().says("Nothing to do");
}

#[test]
fn a_backup_goes_back_even_where_nothing_stands_in_its_place() {
    let (cli, old) = replaced();
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    for name in cli.activities("archive") {
        std::fs::remove_file(cli.path("archive").join(name)).unwrap();
    }
    cli.run(&format!("backup restore {id}")).ok();
    assert!(cli.files("archive").values().any(|bytes| *bytes == old));
}

#[test]
fn old_backups_are_pruned_and_young_ones_stay() {
    let (cli, _) = replaced();
    cli.run("backup prune --older-than 30d").ok().says("Removed 0 backups.");
    cli.run("backup prune --older-than soon").exits(64);
    let mut later = cli;
    later.set("FIT_SYNC_NOW", "2027-02-01T00:00:00Z");
    later.run("backup prune --older-than 30d").ok().says("Removed 1 backup");
    assert!(backups(&later).is_empty());
}

#[test]
fn a_restore_to_an_unknown_account_says_what_was_meant() {
    let (cli, _) = replaced();
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    cli.run(&format!("backup restore {id} --to archiv")).exits(3).tells("did you mean 'archive'");
}
