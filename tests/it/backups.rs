//! Backups: nothing is called stored that could not be restored.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use fit_sync::archive::{BackupError, BackupId, Backups, Subject};
use fit_sync::domain::{AccountName, ActivityType, Details, RemoteId, Sha256};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

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
        address: None,
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
    let id = backups.store(&bytes, subject("4711", 1)).unwrap();
    let sha256 = Sha256::of(&bytes);
    assert_eq!(id, BackupId::of(&sha256));
    let (backup, stored) = backups.load(id.as_str()).unwrap();
    assert_eq!(stored, bytes);
    assert_eq!(backup.id.as_str(), "4711");
    assert_eq!(backup.details, subject("4711", 1).details);
    assert_eq!(backup.sha256, sha256);
    assert_eq!(backups.load(sha256.as_str()).unwrap().0, backup);
    let root = folder.path().join("backups");
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&root.join(format!("{sha256}.fit"))), 0o600);
    assert_eq!(fs::read_dir(root).unwrap().count(), 2);
}

#[test]
fn the_newest_is_listed_first_and_equal_bytes_are_one_backup() {
    let (_folder, backups) = folder();
    backups.store(&ride(100), subject("1", 1)).unwrap();
    backups.store(&ride(200), subject("2", 3)).unwrap();
    backups.store(&ride(100), subject("3", 2)).unwrap();
    let stock = backups.list().unwrap();
    let ids: Vec<&str> = stock.backups.iter().map(|b| b.id.as_str()).collect();
    assert_eq!(ids, ["2", "3"]);
    assert!(stock.faults.is_empty());
}

#[test]
fn an_error_page_or_half_a_file_is_no_backup() {
    let (folder, backups) = folder();
    let whole = ride(100);
    for bytes in [b"<html>".as_slice(), &whole[..whole.len() / 2], b""] {
        let answer = backups.store(bytes, subject("1", 1));
        assert!(matches!(answer, Err(BackupError::Unreadable { .. })));
    }
    assert!(!folder.path().join("backups").exists());
    let unset = FitFile::new(start()).clock_not_set().build();
    backups.store(&unset, subject("1", 1)).unwrap();
}

#[test]
fn an_altered_backup_is_not_restored_and_harms_no_other() {
    let (folder, backups) = folder();
    let id = backups.store(&ride(100), subject("1", 1)).unwrap();
    let good = backups.store(&ride(200), subject("2", 1)).unwrap();
    let path = |extension: &str| {
        let sha256 = Sha256::of(&ride(100));
        folder.path().join(format!("backups/{sha256}.{extension}"))
    };
    fs::write(path("fit"), ride(300)).unwrap();
    let answer = backups.load(id.as_str());
    assert!(matches!(answer, Err(BackupError::Altered { .. })));
    fs::write(path("json"), "{").unwrap();
    let stock = backups.list().unwrap();
    assert_eq!((stock.backups.len(), stock.faults.len()), (1, 1));
    assert_eq!(backups.load(good.as_str()).unwrap().1, ride(200));
}

#[test]
fn a_removed_backup_is_gone() {
    let (folder, backups) = folder();
    let id = backups.store(&ride(100), subject("1", 1)).unwrap();
    backups.remove(id.as_str()).unwrap();
    let answer = backups.remove(id.as_str());
    assert!(matches!(answer, Err(BackupError::Unknown(_))));
    let left = fs::read_dir(folder.path().join("backups")).unwrap();
    assert_eq!(left.count(), 0);
}
