//! The versions of the schema: which one a file has, and how it gets to the latest.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;
use rusqlite_migration::{M, Migrations};

use super::StateError;
use super::place::{beside, folder_of};
use super::row::number;

/// `fitS`, so that no other program's database is taken for a state.
const APPLICATION_ID: i64 = 0x6669_7453;

/// The steps from an empty file to the latest schema.
pub(super) const SCHEMA: &[M<'static>] = &[M::up(include_str!("migrations/001_initial.sql"))];

/// The schema's version, 0 for an empty file, if the file is a state that this build understands.
pub(super) fn check(conn: &Connection, schema: &[M<'_>]) -> Result<i64, StateError> {
    // One look: another process may be making the schema right now.
    let _tx = conn.unchecked_transaction()?;
    let pragma = |name: &str| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let objects: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    if (application, version, objects) == (0, 0, 0) {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        let of = "it is a database of another program";
        return Err(StateError::Corrupt(of.to_owned()));
    }
    if version > latest(schema) {
        return Err(StateError::Newer { found: version, known: latest(schema) });
    }
    if version < 1 {
        return Err(StateError::Corrupt(format!("schema {version} never was")));
    }
    Ok(version)
}

/// The version that this build writes.
pub(super) fn latest(schema: &[M<'_>]) -> i64 {
    number(schema.len())
}

/// Brings the schema to the latest version, or leaves all as it was.
pub(super) fn migrate(conn: &mut Connection, schema: &[M<'_>]) -> Result<(), StateError> {
    let migrations = Migrations::from_slice(schema);
    match migrations.to_latest(conn) {
        // Another process may have been faster.
        Err(_) if migrations.pending_migrations(conn) == Ok(0) => Ok(()),
        other => Ok(other?),
    }
}

/// Keeps the file as it was, beside it, so that an earlier version of the program can go on.
pub(super) fn copy_before_migration(
    conn: &Connection,
    path: &Path,
    version: i64,
) -> Result<(), StateError> {
    let copy = tempfile::NamedTempFile::new_in(folder_of(path))?;
    let mut target = Connection::open(copy.path())?;
    Backup::new(conn, &mut target)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
    target.close().map_err(|(_, error)| error)?;
    copy.as_file().sync_all()?;
    copy.persist(beside(path, &format!(".before-{version}"))).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::domain::{AccountName, Profile, ProfileId};
    use crate::state::place::Place;
    use crate::state::{Access, Store};

    /// The schema of a version to come.
    fn later(sql: &'static str) -> Vec<M<'static>> {
        SCHEMA.iter().cloned().chain([M::up(sql)]).collect()
    }

    fn next() -> Vec<M<'static>> {
        later("CREATE TABLE later (x TEXT) STRICT;")
    }

    fn now() -> i64 {
        latest(SCHEMA)
    }

    fn open(path: &Path, access: Access, schema: &[M<'_>]) -> Result<Store, StateError> {
        Store::open_schema(path, access, Place::Local, schema)
    }

    fn add_account(store: &Store, id: &str) -> Result<(), StateError> {
        let profile = Profile { id: Some(ProfileId::new(id)), location: None };
        store.account(&AccountName::new("a"), "garmin", None, &profile)?;
        Ok(())
    }

    fn version(path: &Path) -> i64 {
        let conn = Connection::open(path).unwrap();
        conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_migration_keeps_a_copy_of_what_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        add_account(&Store::open(&path, Access::ReadWrite).unwrap(), "p").unwrap();

        let migrated = open(&path, Access::ReadWrite, &next()).unwrap();
        assert_eq!(migrated.accounts().unwrap().len(), 1);
        let copy = folder.path().join(format!("state.db.before-{}", now()));
        assert_eq!((version(&path), version(&copy)), (now() + 1, now()));
        let mode = fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let earlier = Store::open(&copy, Access::ReadWrite).unwrap();
        assert_eq!(earlier.accounts().unwrap().len(), 1);
    }

    #[test]
    fn a_new_file_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(open(&path, Access::ReadWrite, &next()).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(version(&path), now() + 1);
    }

    #[test]
    fn a_failed_migration_leaves_the_file_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        add_account(&Store::open(&path, Access::ReadWrite).unwrap(), "p").unwrap();
        let broken = later("CREATE TABLE later (x TEXT) STRICT; no sql");
        assert!(open(&path, Access::ReadWrite, &broken).is_err());
        assert_eq!(version(&path), now());
        let still = Store::open(&path, Access::ReadWrite).unwrap();
        assert_eq!(still.accounts().unwrap().len(), 1);
    }

    #[test]
    fn reading_an_older_state_migrates_only_a_copy_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        add_account(&Store::open(&path, Access::ReadWrite).unwrap(), "p").unwrap();
        let read = open(&path, Access::ReadOnly, &next()).unwrap();
        read.conn.execute("INSERT INTO later VALUES ('x')", []).unwrap();
        assert_eq!(read.accounts().unwrap().len(), 1);
        assert_eq!(version(&path), now());
    }

    #[test]
    fn a_later_schema_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(open(&path, Access::ReadWrite, &next()).unwrap());
        for access in [Access::ReadWrite, Access::ReadOnly] {
            let refused = Store::open(&path, access).unwrap_err();
            assert!(matches!(
                refused,
                StateError::Newer { found, known } if (found, known) == (now() + 1, now())
            ));
        }
    }
}
