//! The file: created, refused, shared.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fit_sync::domain::Inventory;
use fit_sync::state::{Access, Reading, StateError, Store};
use rusqlite::Connection;

use super::{activity, at, garmin};

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    (folder, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A state with some pages in it.
fn filled(path: &Path) {
    let store = Store::open(path, Access::ReadWrite).unwrap();
    let row = garmin(&store);
    let activities =
        (0..200).map(|n| activity(&format!("{n}"), Some("2026-11-19T06:12:33Z"))).collect();
    let now = at("2026-11-20T00:00:00Z");
    let inventory = Inventory::new(activities, true, Some(now));
    store.save_inventory(row, &inventory, Reading::Full, now).unwrap();
}

fn refused(path: &Path) -> [StateError; 2] {
    [Access::ReadWrite, Access::ReadOnly].map(|access| {
        let store = match Store::open(path, access) {
            Ok(store) => store,
            Err(error) => return error,
        };
        // Some damage shows only when the damaged page is read.
        match store.verify() {
            Ok(findings) if findings.is_empty() => panic!("{access:?} found nothing wrong"),
            Ok(findings) => StateError::Corrupt(findings.join("\n")),
            Err(error) => error,
        }
    })
}

#[test]
fn a_new_state_is_private_and_empty_and_keeps_what_it_is_told() {
    let (_folder, path) = place();
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(store.warning(), None);
    assert_eq!(store.accounts().unwrap(), []);
    let row = garmin(&store);
    assert_eq!(mode(&path.with_extension("db-wal")), 0o600);
    drop(store);

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    assert_eq!(mode(&path), 0o600, "closed to others again");
    assert_eq!(garmin(&store), row);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn an_empty_file_is_a_new_state() {
    let (_folder, path) = place();
    fs::write(&path, b"").unwrap();
    let store = Store::open(&path, Access::ReadOnly).unwrap();
    assert_eq!(store.accounts().unwrap(), []);
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    garmin(&Store::open(&path, Access::ReadWrite).unwrap());
}

#[test]
fn a_missing_state_reads_as_empty_and_is_not_made() {
    let (_folder, path) = place();
    let store = Store::open(&path, Access::ReadOnly).unwrap();
    assert_eq!(store.runs().unwrap(), []);
    assert!(!path.exists());
}

#[test]
fn reading_leaves_the_file_and_refuses_to_write() {
    let (_folder, path) = place();
    filled(&path);
    let before = fs::read(&path).unwrap();
    let store = Store::open(&path, Access::ReadOnly).unwrap();
    let row = garmin(&store);
    assert_eq!(store.inventory(row).unwrap().unwrap().activities.len(), 200);
    let refused = store.accept_count(row).unwrap_err();
    assert!(matches!(refused, StateError::Unwritable(_)), "{refused}");
    drop(store);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_state_is_corrupt() {
    let (folder, path) = place();
    for bytes in [b"no".as_slice(), b"PK\x03\x04 a zip", &[0x5a; 9000]] {
        fs::write(&path, bytes).unwrap();
        for error in refused(&path) {
            assert!(matches!(error, StateError::Corrupt(_)), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), bytes, "left as it was");
    }

    let other = folder.path().join("other.db");
    let conn = Connection::open(&other).unwrap();
    conn.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    for error in refused(&other) {
        assert!(matches!(error, StateError::Corrupt(_)), "{error}");
    }
}

#[test]
fn a_truncated_state_is_corrupt() {
    let (_folder, path) = place();
    filled(&path);
    let whole = fs::read(&path).unwrap();
    for length in [20, 50, 600, 4096, 10_000, whole.len() - 4096, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        for error in refused(&path) {
            assert!(matches!(error, StateError::Corrupt(_)), "{length}: {error}");
        }
    }
}

#[test]
fn damage_inside_is_found() {
    let (_folder, path) = place();
    filled(&path);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 6000].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    for error in refused(&path) {
        assert!(matches!(error, StateError::Corrupt(_)), "{error}");
    }
}

#[test]
fn rows_that_do_not_parse_are_found() {
    let (_folder, path) = place();
    filled(&path);
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "UPDATE activity SET row = '{}' WHERE id = '7';
         PRAGMA foreign_keys = OFF;
         INSERT INTO content VALUES (99, 'x', 'f', 'no json');",
    )
    .unwrap();
    drop(conn);
    let store = Store::open(&path, Access::ReadOnly).unwrap();
    let findings = store.verify().unwrap().join("\n");
    assert!(findings.contains("content row 1 refers to a missing account"), "{findings}");
    assert!(findings.contains("an activity cannot be read"), "{findings}");
    assert!(findings.contains("the facts of a file cannot be read"), "{findings}");
    let error = store.inventory(garmin(&store)).unwrap_err();
    assert!(matches!(error, StateError::Corrupt(_)), "{error}");
}

#[test]
fn where_nothing_can_be_written_the_state_is_unwritable() {
    let (folder, path) = place();
    fs::create_dir(&path).unwrap();
    let missing = folder.path().join("missing/state.db");
    for path in [&path, &missing] {
        let error = Store::open(path, Access::ReadWrite).unwrap_err();
        assert!(matches!(error, StateError::Unwritable(_)), "{error}");
    }
    let error = Store::open(&path, Access::ReadOnly).unwrap_err();
    assert!(matches!(error, StateError::Unwritable(_)), "{error}");
}

#[test]
fn a_reader_sees_what_was_before_while_a_writer_writes() {
    let (_folder, path) = place();
    filled(&path);
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE; DELETE FROM activity;").unwrap();
    for access in [Access::ReadOnly, Access::ReadWrite] {
        let reader = Store::open(&path, access).unwrap();
        let row = garmin(&reader);
        assert_eq!(reader.inventory(row).unwrap().unwrap().activities.len(), 200);
    }
    writer.execute_batch("COMMIT").unwrap();
}

#[test]
fn processes_that_open_a_new_state_at_once_get_the_same_one() {
    let (_folder, path) = place();
    let rows: Vec<_> = std::thread::scope(|scope| {
        let several = [(); 4]
            .map(|()| scope.spawn(|| garmin(&Store::open(&path, Access::ReadWrite).unwrap())));
        several.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(rows.iter().all(|row| *row == rows[0]));
}

#[test]
fn a_state_has_an_id_of_its_own_and_keeps_it() {
    let ((_one, one), (_other, other)) = (place(), place());
    let id = |path: &Path| Store::open(path, Access::ReadWrite).unwrap().state_id().unwrap();
    let first = id(&one);
    assert_eq!(first.as_str().len(), 32);
    assert_eq!(id(&one), first);
    assert_ne!(id(&other), first);
    assert_eq!(Store::open(&one, Access::ReadOnly).unwrap().state_id().unwrap(), first);
}
