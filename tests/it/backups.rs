//! Backups: nothing is called stored that could not be restored.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use fit_sync::archive::{
    AccountRef, ArchiveError, BackupId, Backups, Blobs, Claim, ClaimOwner, ClaimReason, Condition,
    Subject,
};
use fit_sync::disk::{FileLock, LockMode};
use fit_sync::domain::{
    AccountName, ActivityType, Details, Fingerprint, ProfileId, RemoteId, Sha256, StateId,
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::support::cli::tree;
use crate::support::fit::FitFile;

fn start() -> Timestamp {
    "2026-11-02T05:58:41Z".parse().unwrap()
}

fn ride(elapsed_s: u32) -> Vec<u8> {
    let file = FitFile::new(start()).elapsed_s(elapsed_s).records(10);
    file.build()
}

fn subject(id: &str, hours: i64) -> Subject {
    Subject {
        account: AccountName::new("garmin_us"),
        profile: None,
        id: RemoteId::new(id),
        fingerprint: Fingerprint::new("0f"),
        address: None,
        replaced_by: None,
        start: Some(start()),
        elapsed_s: Some(3067),
        title: Some("Morning Run".to_owned()),
        kind: ActivityType::opaque("running"),
        details: Details {
            description: Some("wet".to_owned()),
            private: Some(true),
            ..Details::default()
        },
        at: start() + SignedDuration::from_hours(hours),
    }
}

/// Stores a backup for a step that is over.
fn stored(folder: &TempDir, bytes: &[u8], subject: Subject) -> BackupId {
    let store = folder.path().join("backups");
    let id = Backups::new(&store).store(bytes, subject, &claim(99)).unwrap();
    Blobs::new(&store).release(&claim(99).owner).unwrap();
    id
}

fn folder() -> (TempDir, Backups) {
    let folder = tempfile::tempdir().unwrap();
    let backups = Backups::new(folder.path().join("backups"));
    (folder, backups)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_backup_is_found_again_with_everything_a_restore_needs() {
    let (folder, backups) = folder();
    assert!(backups.list().unwrap().backups.is_empty());
    let bytes = ride(3067);
    let id = stored(&folder, &bytes, subject("4711", 1));
    let sha256 = Sha256::of(&bytes);
    let (backup, stored) = backups.load(id.as_str()).unwrap();
    assert_eq!(stored, bytes);
    assert_eq!((&backup.id, &backup.sha256), (&id, &sha256));
    assert_eq!(backup.subject, subject("4711", 1));
    let root = folder.path().join("backups");
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&root.join(format!("{sha256}.fit"))), 0o600);
    assert_eq!(mode(&root.join(format!("{sha256}.{id}.json"))), 0o600);
}

#[test]
fn one_original_of_two_accounts_is_two_backups_of_one_file() {
    let (folder, backups) = folder();
    let other = |subject: Subject| Subject {
        account: AccountName::new("garmin_cn"),
        profile: Some(ProfileId::new("cn")),
        title: Some("secret birthday run".to_owned()),
        ..subject
    };
    let ours = stored(&folder, &ride(100), subject("1", 1));
    let theirs = stored(&folder, &ride(100), other(subject("1", 1)));
    let again = stored(&folder, &ride(100), subject("1", 2));
    assert_eq!(backups.list().unwrap().backups.len(), 3);
    let title = |id: &str| backups.load(id).unwrap().0.subject.title.unwrap();
    assert_eq!(title(ours.as_str()), "Morning Run");
    assert_eq!(title(theirs.as_str()), "secret birthday run");
    assert_eq!(files(folder.path(), "fit"), 1);
    backups.prune(&[ours, again], later()).unwrap();
    assert_eq!(backups.load(theirs.as_str()).unwrap().1, ride(100), "others need the bytes");
    backups.prune(&[theirs], later()).unwrap();
    assert_eq!((files(folder.path(), "fit"), files(folder.path(), "json")), (0, 0));
}

#[test]
fn the_newest_is_listed_first() {
    let (folder, backups) = folder();
    stored(&folder, &ride(100), subject("1", 1));
    stored(&folder, &ride(200), subject("2", 3));
    stored(&folder, &ride(100), subject("3", 2));
    let stock = backups.list().unwrap();
    let ids: Vec<&str> = stock.backups.iter().map(|b| b.subject.id.as_str()).collect();
    assert_eq!(ids, ["2", "3", "1"]);
    assert!(stock.faults.is_empty());
}

#[test]
fn a_backup_is_found_by_the_beginning_of_its_id_if_it_is_the_only_one() {
    let (folder, backups) = folder();
    // Of more than 16, two begin alike.
    let ids: Vec<String> = (1..=17)
        .map(|n| stored(&folder, &ride(100), subject(&n.to_string(), 1)).to_string())
        .collect();
    let alike = |digit: &str| ids.iter().filter(|id| id.starts_with(digit)).count();
    let first = ids.iter().map(|id| &id[..1]).find(|digit| alike(digit) > 1).unwrap();
    let Err(ArchiveError::Ambiguous { ids: named, .. }) = backups.load(first) else { panic!() };
    assert_eq!(named.len(), alike(first));
    assert_eq!(backups.load(&ids[3]).unwrap().0.id.as_str(), ids[3]);
    for unknown in ["", "x", "../"] {
        assert!(matches!(backups.load(unknown), Err(ArchiveError::Unknown(_))), "{unknown}");
    }
}

#[test]
fn the_details_can_be_read_again_until_the_old_one_goes() {
    let (folder, backups) = folder();
    let id = stored(&folder, &ride(100), subject("1", 1));
    let edited = Details { title: Some("Edited meanwhile".to_owned()), ..Details::default() };
    backups.update(&id, edited.clone()).unwrap();
    let (backup, bytes) = backups.load(id.as_str()).unwrap();
    assert_eq!((backup.subject.details, bytes), (edited, ride(100)));
    assert_eq!(backups.list().unwrap().backups.len(), 1);
}

#[test]
fn an_error_page_or_half_a_file_is_no_backup() {
    let (folder, backups) = folder();
    let whole = ride(100);
    for bytes in [b"<html>".as_slice(), &whole[..whole.len() / 2], b""] {
        let answer = backups.store(bytes, subject("1", 1), &claim(99));
        assert!(matches!(answer, Err(ArchiveError::Unreadable { .. })));
    }
    assert!(!folder.path().join("backups").exists());
    let unset = FitFile::new(start()).clock_not_set().build();
    stored(&folder, &unset, subject("1", 1));
}

#[test]
fn an_altered_backup_is_not_restored_and_harms_no_other() {
    let (folder, backups) = folder();
    let id = stored(&folder, &ride(100), subject("1", 1));
    let good = stored(&folder, &ride(200), subject("2", 1));
    let sha256 = Sha256::of(&ride(100));
    let root = folder.path().join("backups");
    fs::write(root.join(format!("{sha256}.fit")), ride(300)).unwrap();
    let answer = backups.load(id.as_str());
    assert!(matches!(answer, Err(ArchiveError::Altered { .. })));
    let backup = backups.find(id.as_str()).unwrap();
    assert_eq!(backups.condition(&backup).unwrap(), Condition::Altered);
    let (file, aside) = (root.join(format!("{sha256}.fit")), root.join("aside"));
    fs::rename(&file, &aside).unwrap();
    assert!(matches!(backups.load(id.as_str()), Err(ArchiveError::Missing { .. })));
    assert_eq!(backups.condition(&backup).unwrap(), Condition::Missing);
    fs::rename(&aside, &file).unwrap();
    assert!(backups.claim(&id, &claim(1)).is_err(), "what is not there protects nothing");
    fs::write(root.join(format!("{sha256}.{id}.json")), "{").unwrap();
    let stock = backups.list().unwrap();
    assert_eq!((stock.backups.len(), stock.faults.len()), (1, 1));
    assert_eq!(backups.load(good.as_str()).unwrap().1, ride(200));
    let old = backups.older_than(later()).unwrap();
    assert_eq!((old.free.len(), old.faults.len()), (1, 1));
    Blobs::new(&root).sweep(later()).unwrap();
    assert_eq!(files(folder.path(), "fit"), 2, "a JSON that cannot be read names its bytes");
}

fn later() -> Timestamp {
    start() + SignedDuration::from_hours(24 * 365)
}

fn files(folder: &Path, extension: &str) -> usize {
    let of_kind = |name: &&String| name.ends_with(&format!(".{extension}"));
    tree(&folder.join("backups")).keys().filter(of_kind).count()
}

fn account(name: &str) -> AccountRef {
    AccountRef { name: AccountName::new(name), profile: None }
}

/// A claim of this step; states are numbered as steps are.
fn claim(step: i64) -> Claim {
    Claim {
        owner: ClaimOwner { state: StateId::new(format!("{step:032x}")), step },
        state: None,
        address: "keep/@1".parse().unwrap(),
        source: account("watch"),
        destination: account("garmin_us"),
        at: start(),
        why: ClaimReason::Payload,
        journal: Vec::new(),
    }
}

#[test]
fn old_backups_go_and_claimed_and_young_ones_stay() {
    let (folder, backups) = folder();
    let old = stored(&folder, &ride(100), subject("1", 1));
    let needed = stored(&folder, &ride(200), subject("2", 1));
    let young = stored(&folder, &ride(300), subject("3", 9));
    backups.claim(&needed, &claim(1)).unwrap();
    let before = start() + SignedDuration::from_hours(5);
    let chosen = [old.clone(), needed.clone(), young.clone()];
    let pruned = backups.prune(&chosen, before).unwrap();
    let ids: Vec<_> = pruned.removed.iter().map(|backup| &backup.id).collect();
    assert_eq!(ids, [&old]);
    assert_eq!(pruned.claimed[0].backup.id, needed);
    assert_eq!(pruned.claimed[0].claims.readable, [claim(1)]);
    assert!(matches!(backups.load(old.as_str()), Err(ArchiveError::Unknown(_))));
    for id in [&needed, &young] {
        backups.load(id.as_str()).unwrap();
    }
    assert_eq!(files(folder.path(), "fit"), 2);
    Blobs::new(folder.path().join("backups")).release(&claim(1).owner).unwrap();
    assert_eq!(backups.prune(&chosen, before).unwrap().removed.len(), 1);
}

/// It is chosen, a step begins, then it is pruned.
#[test]
fn a_claim_that_is_made_after_the_look_holds() {
    let (folder, backups) = folder();
    let id = stored(&folder, &ride(100), subject("1", 1));
    let chosen: Vec<_> =
        backups.older_than(later()).unwrap().free.into_iter().map(|it| it.id).collect();
    backups.claim(&id, &claim(1)).unwrap();
    let pruned = backups.prune(&chosen, later()).unwrap();
    assert_eq!((pruned.removed.len(), pruned.claimed.len()), (0, 1));
    backups.load(id.as_str()).unwrap();
}

/// However a prune and a step fall upon each other.
#[test]
fn a_backup_is_claimed_from_its_first_moment() {
    let (_folder, backups) = folder();
    let is_over = AtomicBool::new(false);
    let kept: Vec<bool> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::SeqCst) {
                let free = backups.older_than(later()).unwrap().free;
                let chosen: Vec<_> = free.into_iter().map(|backup| backup.id).collect();
                backups.prune(&chosen, later()).unwrap();
            }
        });
        let keep = |step: i64| {
            let bytes = ride(100 + u32::try_from(step).unwrap());
            let stored = backups.store(&bytes, subject(&step.to_string(), 1), &claim(step));
            stored.is_ok_and(|id| backups.load(id.as_str()).is_ok_and(|(_, there)| there == bytes))
        };
        let kept = (0..40).map(keep).collect();
        is_over.store(true, Ordering::SeqCst);
        kept
    });
    assert_eq!(kept, [true; 40]);
}

#[test]
fn only_what_was_chosen_goes() {
    let (folder, backups) = folder();
    let old = stored(&folder, &ride(100), subject("1", 1));
    let other = stored(&folder, &ride(100), subject("1", 2));
    assert_eq!(backups.prune(&[old], later()).unwrap().removed.len(), 1);
    assert_eq!(backups.load(other.as_str()).unwrap().1, ride(100));
}

/// Removing waits for those who store, and storing for who removes.
#[test]
fn the_lock_of_the_store_is_shared_by_writers_and_taken_alone_by_prune() {
    let (folder, backups) = folder();
    let id = stored(&folder, &ride(100), subject("1", 1));
    let lock = folder.path().join("backups/store.lock");
    let order = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let held = FileLock::wait(&lock, LockMode::Shared).unwrap();
        stored(&folder, &ride(200), subject("2", 1));
        let prune = scope.spawn(|| {
            let pruned = backups.prune(std::slice::from_ref(&id), later()).unwrap();
            order.lock().unwrap().push("pruned");
            pruned
        });
        backups.claim(&id, &claim(1)).unwrap();
        order.lock().unwrap().push("claimed");
        drop(held);
        assert!(prune.join().unwrap().removed.is_empty());
    });
    assert_eq!(*order.lock().unwrap(), ["claimed", "pruned"]);
    backups.load(id.as_str()).unwrap();
}

#[test]
fn a_payload_stays_while_any_step_claims_it() {
    let (folder, _) = folder();
    let blobs = Blobs::new(folder.path().join("backups"));
    let sha256 = blobs.put(&ride(100), &claim(1)).unwrap();
    blobs.claim(&sha256, &claim(2)).unwrap();
    blobs.release(&claim(1).owner).unwrap();
    assert_eq!(blobs.sweep(later()).unwrap(), 0);
    assert_eq!(blobs.get(&sha256).unwrap(), Some(ride(100)), "the other one needs it");
    assert_eq!(blobs.claims(&sha256).unwrap().readable, [claim(2)]);
    assert_eq!(blobs.claims_of(&claim(1).owner.state).unwrap(), []);
    assert_eq!(blobs.claims_of(&claim(2).owner.state).unwrap(), [claim(2)]);
    blobs.release(&claim(2).owner).unwrap();
    assert_eq!(blobs.get(&sha256).unwrap(), Some(ride(100)), "nothing goes early");
    assert_eq!(blobs.sweep(start() + SignedDuration::from_mins(59)).unwrap(), 0);
    assert_eq!(blobs.sweep(start() + SignedDuration::from_mins(61)).unwrap(), 1);
    assert_eq!(blobs.get(&sha256).unwrap(), None);
    let gone = blobs.claim(&sha256, &claim(3));
    assert!(matches!(gone, Err(ArchiveError::Altered { .. })));
    assert!(blobs.claims(&sha256).unwrap().readable.is_empty());
}

#[test]
fn a_claim_that_cannot_be_read_holds() {
    let (folder, backups) = folder();
    let id = stored(&folder, &ride(100), subject("1", 1));
    backups.claim(&id, &claim(1)).unwrap();
    let claims = folder.path().join("backups/claims");
    assert_eq!(mode(&claims), 0o700);
    let file = fs::read_dir(&claims).unwrap().next().unwrap().unwrap().path();
    assert_eq!(mode(&file), 0o600);
    fs::write(&file, "").unwrap();
    let pruned = backups.prune(&[id], later()).unwrap();
    assert_eq!(pruned.removed, []);
    assert_eq!(pruned.claimed[0].claims.unreadable, [file]);
}

#[test]
fn altered_bytes_are_not_given_out_and_are_mended_by_the_next_put() {
    let (folder, _) = folder();
    let blobs = Blobs::new(folder.path().join("backups"));
    let sha256 = blobs.put(&ride(100), &claim(1)).unwrap();
    fs::write(folder.path().join(format!("backups/{sha256}.fit")), "half").unwrap();
    assert_eq!(blobs.get(&sha256).unwrap(), None);
    blobs.put(&ride(100), &claim(1)).unwrap();
    assert_eq!(blobs.get(&sha256).unwrap(), Some(ride(100)));
}
