//! Backups through the binary: listed, put back where they were, not undone by the next plan.

use fit_sync::archive::{AccountRef, Backups, Blobs, Claim, ClaimOwner, ClaimReason};
use fit_sync::domain::{AccountName, RemoteId, Sha256, StateId};
use fit_sync::plan::reconcile::{Entry, Outcome, Why};
use fit_sync::state::{Access, Effects, Step as JournalStep, Store};
use serde_json::Value;

use crate::support::cli::{Cli, REPLACING, ride, tree};

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
    assert_eq!(listed[0]["sha256"], Sha256::of(&old).as_str());
    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(id.len(), 12);
    let shown = cli.run(&format!("backup show {}", &id[..5])).ok();
    shown.says("sha256:").says("replaced_by:").says("id: ride.fit");
    cli.run("backup show 000000000000").exits(1).tells("backup list");
}

#[test]
fn a_restored_activity_stays_where_its_source_was_renamed_and_its_name_given_away() {
    let (cli, _) = replaced();
    std::fs::rename(cli.path("watch/ride.fit"), cli.path("watch/renamed.fit")).unwrap();
    cli.fit("watch/ride.fit", &ride("2026-11-12T06:00:00Z"));
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    cli.run(&format!("backup restore {id}")).ok().says("confirmed");
    cli.run("plan").ok().says("1 to upload, 0 to replace");
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
fn what_no_run_has_put_in_its_place_is_not_taken_away() {
    let (cli, _) = replaced();
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    for name in cli.activities("archive") {
        std::fs::remove_file(cli.path("archive").join(name)).unwrap();
    }
    let other = ride(START).distance_m(43_000).serial(4711);
    cli.fit("archive/mine.fit", &other);
    cli.run(&format!("backup restore {id}")).exits(6).tells("mine.fit").tells("--to");
    assert_eq!(cli.activities("archive"), ["mine.fit"], "it is there as it was");
}

#[test]
fn a_backup_of_another_folder_of_that_name_is_refused() {
    let (mut cli, _) = replaced();
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    std::fs::rename(cli.path("archive"), cli.path("elsewhere")).unwrap();
    cli.lose_state();
    cli.set("FIT_SYNC_SEED", "2");
    cli.run("apply --auto-approve").ok();
    let there = cli.activities("archive");
    cli.run(&format!("backup restore {id}")).exits(6).tells("another account").tells("--to");
    assert_eq!(cli.activities("archive"), there);
}

#[test]
fn what_is_taken_away_for_a_backup_is_named() {
    let (cli, _) = replaced();
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    let restored = cli.run(&format!("backup restore {id}")).ok().says("was taken away for it");
    let ids: Vec<Value> = backups(&cli).iter().map(|backup| backup["id"].clone()).collect();
    assert!(ids.iter().any(|id| restored.stdout.contains(id.as_str().unwrap())));
}

#[test]
fn old_backups_are_pruned_and_young_ones_stay() {
    let (cli, old) = replaced();
    cli.run("backup prune --older-than 30d").ok().says("Removed 0 backups.");
    cli.run("backup prune --older-than soon").exits(64);
    let mut later = cli;
    later.set("FIT_SYNC_NOW", "2027-02-01T00:00:00Z");
    let dry = later.run("backup prune --older-than 30d --dry-run").ok();
    dry.says("Would remove 1 backup.").says("archive");
    later.run("backup prune --older-than 30d").exits(6).tells("--yes");
    assert_eq!(backups(&later).len(), 1);
    later.run("backup prune --older-than 30d --dry-run --yes").exits(64);
    later.run("backup prune --older-than 30d -y").ok().says("Removed 1 backup.");
    assert!(backups(&later).is_empty());
    let left = tree(&later.home("backups"));
    let is_of_it = |(name, bytes): (&String, &Vec<u8>)| name.ends_with(".json") || *bytes == old;
    assert!(!left.iter().any(is_of_it), "{:?}", left.keys());
}

#[test]
fn a_restore_to_an_unknown_account_says_what_was_meant() {
    let (cli, _) = replaced();
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    cli.run(&format!("backup restore {id} --to archiv")).exits(3).tells("did you mean 'archive'");
}

#[test]
fn without_a_manifest_home_is_meant_and_v_says_so() {
    let (cli, _) = replaced();
    std::fs::remove_file(cli.path("fit_sync.yaml")).unwrap();
    for command in ["backup list -v", "state list -v", "backup prune --older-than 30d -v"] {
        cli.run(command).ok().tells("there is no manifest: what lies in home is meant");
    }
    assert_eq!(backups(&cli).len(), 1);
    std::os::unix::fs::symlink("nowhere.yaml", cli.path("fit_sync.yaml")).unwrap();
    cli.run("backup list").exits(3);
}

/// A step of another state, whose manifest and state this run never sees, claims the backup.
fn claimed_elsewhere(cli: &Cli) -> (Blobs, Claim) {
    let blobs = Blobs::new(cli.home("backups"));
    let sha256 = backups(cli)[0]["sha256"].as_str().unwrap().to_owned();
    let account = |name: &str| AccountRef { name: AccountName::new(name), profile: None };
    let claim = Claim {
        owner: ClaimOwner { state: StateId::new("ab".repeat(16)), step: 7 },
        state: None,
        address: "other/2026-11-19T06:12:33Z".parse().unwrap(),
        source: account("watch"),
        destination: account("garmin_us"),
        at: "2026-11-20T12:00:00Z".parse().unwrap(),
        why: ClaimReason::Backup,
        journal: Vec::new(),
    };
    blobs.claim(&Sha256::new(sha256), &claim).unwrap();
    (blobs, claim)
}

#[test]
fn what_a_step_of_any_state_needs_stays_and_is_named() {
    let (mut cli, _) = replaced();
    let (blobs, claim) = claimed_elsewhere(&cli);
    cli.set("FIT_SYNC_NOW", "2027-02-01T00:00:00Z");
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    let named = "other/2026-11-19T06:12:33Z at garmin_us";
    cli.run(&format!("backup show {id}")).ok().says(named);
    for prune in ["--dry-run", "--yes", ""] {
        let ran = cli.run(&format!("backup prune --older-than 30d {prune}")).ok();
        ran.says("0 backups.").says("Kept 1 backup").says(named);
    }
    cli.lose_state();
    let nowhere = "garmin_us is no account of the manifest any more";
    cli.run("apply --auto-approve").exits(10).says(nowhere).says("1 left open");
    cli.run("backup prune --older-than 30d --yes").ok().says("Kept 1 backup");
    assert_eq!(Backups::new(cli.home("backups")).load(&id).unwrap().0.id.as_str(), id);
    cli.run(&format!("state rm {}", claim.address)).ok();
    assert!(blobs.claimants().unwrap().is_empty(), "no state and no account needs it any more");
    cli.run("apply --auto-approve").ok();
    cli.run("backup prune --older-than 30d --yes").ok().says("Removed 1 backup.");
}

#[test]
fn under_a_faulty_manifest_nothing_is_pruned_and_nothing_answered() {
    let (mut cli, _) = replaced();
    cli.set("FIT_SYNC_NOW", "2027-02-01T00:00:00Z");
    let id = backups(&cli)[0]["id"].as_str().unwrap().to_owned();
    let good = std::fs::read_to_string(cli.path("fit_sync.yaml")).unwrap();
    cli.manifest(&good.replace("source:", "sauce:"));
    for command in [
        "backup prune --older-than 30d --yes",
        "backup prune --older-than 30d --dry-run",
        "backup list",
        &format!("backup show {id}"),
        "state list",
        "state show",
        "state history",
        "state verify",
        "state rm keep/2026-11-19T06:12:33Z",
    ] {
        cli.run(command).exits(3).tells("fit_sync.yaml:");
    }
    cli.run("backup list --config no.yaml").exits(3);
    cli.manifest(&good);
    assert_eq!(backups(&cli).len(), 1);
}

fn id_of_backup(cli: &Cli) -> String {
    backups(cli)[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_restore_that_cannot_begin_says_so_by_its_exit() {
    let (cli, _) = replaced();
    let restore = format!("backup restore {}", id_of_backup(&cli));
    let marker = cli.path("archive/.fit_sync-id");
    let kept = std::fs::read(&marker).unwrap();
    std::fs::remove_file(&marker).unwrap();
    cli.run(&restore).exits(5).tells("the backup is untouched");
    std::fs::write(&marker, kept).unwrap();
    std::fs::rename(cli.path("archive"), cli.path("elsewhere")).unwrap();
    cli.run(&restore).exits(5).tells("the backup is untouched");
    std::fs::rename(cli.path("elsewhere"), cli.path("archive")).unwrap();
    let manifest = std::fs::read_to_string(cli.path("fit_sync.yaml")).unwrap();
    cli.manifest(&manifest.replace("archive", "third"));
    cli.run(&restore).exits(3).tells("archive, which is no account of the manifest").tells("--to");
    cli.manifest(&manifest);
    cli.fit("archive/other.fit", &ride(START).distance_m(43_000).serial(4711));
    cli.run(&restore).exits(6).tells("it is not clear what stands in its place");
    std::fs::remove_file(cli.path("archive/other.fit")).unwrap();
    cli.run(&restore).ok();
}

#[test]
fn a_backup_without_its_file_is_told_as_unusable() {
    let (cli, old) = replaced();
    let (id, file) = (id_of_backup(&cli), format!("backups/{}.fit", Sha256::of(&old)));
    cli.run("backup list").ok();
    assert_eq!(backups(&cli)[0]["unusable"], Value::Null);
    for (harm, listed, told) in [
        ("other bytes", "its file holds something else", "holds something else than was stored"),
        ("", "its file is gone", "has no file any more"),
    ] {
        match harm {
            "" => std::fs::remove_file(cli.home(&file)).unwrap(),
            bytes => std::fs::write(cli.home(&file), bytes).unwrap(),
        }
        assert_eq!(backups(&cli)[0]["unusable"], listed);
        cli.run("backup list").ok().says(&format!("unusable: {listed}"));
        let there = cli.files("archive");
        let ran = cli.run(&format!("backup restore {id}")).exits(1);
        ran.tells(told).tells("what took its place stays as it is").tells("backup list");
        assert_eq!(cli.files("archive"), there);
    }
}

/// A restore's journal, as a later apply writes it that finds nothing came of it.
fn fails_later(cli: &Cli, id: &str) {
    let open = || Store::open(&cli.home("state.db"), Access::ReadWrite).unwrap();
    let row =
        |store: &Store| store.account_named(&AccountName::new("archive")).unwrap().unwrap().row;
    let done = {
        let store = open();
        store.steps_about(row(&store), &RemoteId::new(id), row(&store)).unwrap().pop().unwrap()
    };
    cli.lose_state();
    cli.run("plan").ok();
    let store = open();
    let at = done.entries[0].at;
    let mut entries: Vec<Entry> = vec![done.entries[0].entry.clone()];
    entries.push(Entry::Ended { outcome: Outcome::Failed, why: Why::NotBegun, cause: None });
    let run = store.begin_run(None, at).unwrap();
    let step = JournalStep { source: row(&store), destination: row(&store), ..done.step };
    store.begin_step(run, &step, &entries, Effects::default(), at).unwrap();
}

#[test]
fn a_restore_that_finds_it_there_takes_no_decision_of_an_earlier_one_back() {
    let (cli, _) = replaced();
    let id = id_of_backup(&cli);
    cli.run(&format!("backup restore {id}")).ok();
    let decided = || std::fs::read_to_string(cli.path("fit_sync.decisions.yaml")).unwrap();
    let before = decided();
    let store = Store::open(&cli.home("state.db"), Access::ReadWrite).unwrap();
    let account = store.account_named(&AccountName::new("archive")).unwrap().unwrap().row;
    let done = store.steps_about(account, &RemoteId::new(&id), account).unwrap().pop().unwrap();
    let at = done.entries[0].at;
    let failed = Entry::Ended { outcome: Outcome::Failed, why: Why::NotBegun, cause: None };
    let run = store.begin_run(None, at).unwrap();
    let entries = [done.entries[0].entry.clone(), failed];
    store.begin_step(run, &done.step, &entries, Effects::default(), at).unwrap();
    drop(store);
    cli.run("apply --auto-approve").ok().says("No changes.");
    assert_eq!(decided(), before);
}

#[test]
fn a_restore_that_is_found_to_have_failed_takes_its_decision_back() {
    let (cli, _) = replaced();
    let id = id_of_backup(&cli);
    cli.run(&format!("backup restore {id}")).ok();
    let decided = || std::fs::read_to_string(cli.path("fit_sync.decisions.yaml")).unwrap();
    cli.run("apply --auto-approve").ok().says("No changes.");
    assert!(!decided().contains("undecide\""), "{}", decided());
    let before = decided();
    fails_later(&cli, &id);
    cli.run("plan").ok();
    assert_eq!(decided(), before, "a plan writes nothing");
    cli.run("apply --auto-approve")
        .tells("its backup was not put back; that decision is taken back");
    assert!(decided()[before.len()..].contains("undecide"), "{}", decided());
    let told = cli.run("apply --auto-approve");
    assert!(!told.stderr.contains("taken back"), "once");
}
