//! Opens the state file: permissions, pragmas, and ways around what the disk cannot do.

use std::ffi::OsString;
use std::fs::{self, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::M;

use crate::domain::StateId;

use super::StateError;
use super::place::{Place, beside};
use super::schema::{SCHEMA, check, copy_before_migration, latest, migrate};

/// How long a write waits for another process before it is `Busy`.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the state is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Creates and migrates the file where needed.
    ReadWrite,
    /// Leaves the file as it is; a missing one reads as empty.
    ReadOnly,
}

/// The open state. Calls take effect, durably, before they return.
#[derive(Debug)]
pub struct Store {
    pub(super) conn: Connection,
    place: Place,
    path: Option<PathBuf>,
}

impl Store {
    /// Opens the state file, whose folder must exist.
    pub fn open(path: &Path, access: Access) -> Result<Self, StateError> {
        Self::open_schema(path, access, Place::of(path), SCHEMA)
    }

    /// An empty state that nobody else sees and that is gone when dropped.
    pub fn open_in_memory() -> Result<Self, StateError> {
        let mut conn = Connection::open_in_memory()?;
        settings(&conn)?;
        migrate(&mut conn, SCHEMA)?;
        Ok(Self { conn, place: Place::Local, path: None })
    }

    /// What the user should know about where the state lies, if anything.
    pub fn warning(&self) -> Option<&'static str> {
        match self.place {
            Place::Local => None,
            Place::Network => Some(
                "the state lies on a network file system: while one process uses it, others cannot",
            ),
        }
    }

    /// Returns the id of this state, which no other state has; a copy of the file keeps it.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn state_id(&self) -> Result<StateId, StateError> {
        let select = "SELECT value FROM meta WHERE key = 'state_id'";
        Ok(StateId::new(self.conn.query_row(select, [], |row| row.get::<_, String>(0))?))
    }

    /// Gives this state an id of its own: it was copied, and the other copy has gone another way. What
    /// its steps tell of accounts is not the last word on them any more.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn renew_id(&self) -> Result<(), StateError> {
        let id = "UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'state_id'";
        let copied =
            "INSERT INTO meta SELECT 'copied_with', coalesce(max(id), 0) FROM step WHERE true
             ON CONFLICT (key) DO UPDATE SET value = excluded.value";
        let tx = self.write()?;
        self.conn.execute(id, [])?;
        self.conn.execute(copied, [])?;
        Ok(tx.commit()?)
    }

    /// As [`Store::open`], with a schema and a place of the caller's.
    pub(super) fn open_schema(
        path: &Path,
        access: Access,
        place: Place,
        schema: &[M<'_>],
    ) -> Result<Self, StateError> {
        let conn = match access {
            Access::ReadWrite => open_to_write(path, place, schema)?,
            Access::ReadOnly if !path.exists() => return Self::open_in_memory(),
            Access::ReadOnly => open_to_read(path, schema)?,
        };
        let path = Some(path.canonicalize()?);
        Ok(Self { conn, place, path })
    }

    /// Where the file lies; `None` of a state that is in memory only.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether the state with this id lies there, as far as can be seen.
    pub fn is_at(path: &Path, id: &StateId) -> bool {
        match Self::open(path, Access::ReadOnly).and_then(|there| there.state_id()) {
            Ok(there) => there == *id,
            // One that is locked, or broken for now, is there.
            Err(_) => true,
        }
    }

    /// Begins a transaction that holds the write lock from the start, so that it cannot fail half
    /// way because another process wrote in between.
    pub(super) fn write(&self) -> Result<Transaction<'_>, StateError> {
        let behavior = TransactionBehavior::Immediate;
        Ok(Transaction::new_unchecked(&self.conn, behavior)?)
    }

    /// Begins a transaction in which all reads see the same state.
    pub(super) fn read(&self) -> Result<Transaction<'_>, StateError> {
        let behavior = TransactionBehavior::Deferred;
        Ok(Transaction::new_unchecked(&self.conn, behavior)?)
    }
}

fn open_to_write(path: &Path, place: Place, schema: &[M<'_>]) -> Result<Connection, StateError> {
    make_private(path)?;
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    if conn.is_readonly("main")? {
        let closed = "the file may not be written";
        return Err(StateError::Unwritable(closed.to_owned()));
    }
    conn.busy_timeout(PATIENCE)?;
    let version = check(&conn, schema)?;
    match place {
        Place::Local => use_wal(&conn)?,
        Place::Network => {
            conn.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            conn.pragma_update(None, "journal_mode", "TRUNCATE")?;
            // Where the locks of the file system do not work, it shows here and not half way.
            conn.execute_batch("BEGIN EXCLUSIVE; COMMIT")?;
        }
    }
    settings(&conn)?;
    if version < latest(schema) {
        if version > 0 {
            copy_before_migration(&conn, path, version)?;
        }
        migrate(&mut conn, schema)?;
    }
    Ok(conn)
}

/// Switches a new file to WAL, which SQLite refuses at once, without patience, while another process
/// does the same; a transaction has the patience to wait for it.
fn use_wal(conn: &Connection) -> Result<(), StateError> {
    let switch = || conn.pragma_update(None, "journal_mode", "WAL");
    for _ in 0..9 {
        match switch().map_err(StateError::from) {
            Err(StateError::Busy) => conn.execute_batch("BEGIN IMMEDIATE; COMMIT")?,
            other => return other,
        }
    }
    Ok(switch()?)
}

/// Creates the file if it is missing, and closes it to others.
///
/// An existing file is not opened here: closing it again would drop the locks of this process.
fn make_private(path: &Path) -> Result<(), StateError> {
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let metadata = fs::metadata(path)?;
            if metadata.is_file() && metadata.permissions().mode() & 0o077 != 0 {
                // Some disks, such as Windows' drives under WSL, know no modes.
                let _kept = fs::set_permissions(path, Permissions::from_mode(0o600));
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn open_to_read(path: &Path, schema: &[M<'_>]) -> Result<Connection, StateError> {
    let (conn, version) = match open_unwritten(path, schema, Media::Writable) {
        // Without its own shared memory beside it, a WAL file can only be read if nobody writes.
        Err(StateError::Unwritable(_)) if !has_wal(path) => {
            open_unwritten(path, schema, Media::ReadOnly)?
        }
        other => other?,
    };
    if version < latest(schema) {
        let mut copy = Connection::open_in_memory()?;
        Backup::new(&conn, &mut copy)?.run_to_completion(i32::MAX, Duration::ZERO, None)?;
        settings(&copy)?;
        migrate(&mut copy, schema)?;
        return Ok(copy);
    }
    settings(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

/// What a file that is only read lies on.
#[derive(Clone, Copy)]
enum Media {
    Writable,
    ReadOnly,
}

fn open_unwritten(
    path: &Path,
    schema: &[M<'_>],
    media: Media,
) -> Result<(Connection, i64), StateError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = match media {
        Media::Writable => Connection::open_with_flags(path, flags)?,
        Media::ReadOnly => {
            flags |= OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(immutable_uri(path), flags)?
        }
    };
    conn.busy_timeout(PATIENCE)?;
    let version = check(&conn, schema)?;
    Ok((conn, version))
}

fn immutable_uri(path: &Path) -> PathBuf {
    let mut uri = b"file:".to_vec();
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'%' | b'?' | b'#' => uri.extend(format!("%{byte:02x}").bytes()),
            other => uri.push(*other),
        }
    }
    uri.extend(b"?immutable=1");
    PathBuf::from(OsString::from_vec(uri))
}

fn has_wal(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|wal| wal.len() > 0)
}

fn settings(conn: &Connection) -> Result<(), StateError> {
    conn.set_prepared_statement_cache_capacity(64);
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "trusted_schema", false)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountName, Profile, ProfileId};

    fn add_account(store: &Store, id: &str) -> Result<(), StateError> {
        let profile = Profile { id: Some(ProfileId::new(id)), location: None };
        store.account(&AccountName::new("a"), "garmin", None, &profile)?;
        Ok(())
    }

    #[test]
    fn a_full_disk_is_told_and_nothing_is_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let store = Store::open(&path, Access::ReadWrite).unwrap();
        let pages: i64 =
            store.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        store.conn.pragma_update(None, "max_page_count", pages).unwrap();
        let long = "x".repeat(100_000);
        let full = add_account(&store, &long).unwrap_err();
        assert!(matches!(full, StateError::Full), "{full}");
        assert_eq!(store.accounts().unwrap(), []);
        store.conn.pragma_update(None, "max_page_count", pages + 200).unwrap();
        add_account(&store, &long).unwrap();
        assert_eq!(store.verify().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn on_a_network_there_is_no_shared_memory_and_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(Store::open(&path, Access::ReadWrite).unwrap());
        let far = |access| Store::open_schema(&path, access, Place::Network, SCHEMA);
        let store = far(Access::ReadWrite).unwrap();
        assert!(store.warning().is_some());
        add_account(&store, "p").unwrap();
        assert!(!folder.path().join("state.db-wal").exists());
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        let read = other.query_row("SELECT count(*) FROM account", [], |row| row.get::<_, i64>(0));
        assert!(matches!(StateError::from(read.unwrap_err()), StateError::Busy));
        drop((store, other));
        assert_eq!(far(Access::ReadOnly).unwrap().accounts().unwrap().len(), 1);
        assert_eq!(Store::open(&path, Access::ReadWrite).unwrap().warning(), None);
    }

    #[test]
    fn a_state_on_read_only_media_is_read_without_its_shared_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("50% of #1? state.db");
        add_account(&Store::open(&path, Access::ReadWrite).unwrap(), "p").unwrap();
        // A link to nowhere: no shared memory can be made, as on read-only media, even by root.
        std::os::unix::fs::symlink("/nowhere/shm", beside(&path, "-shm")).unwrap();
        let store = Store::open(&path, Access::ReadOnly).unwrap();
        assert_eq!(store.accounts().unwrap().len(), 1);
        fs::write(beside(&path, "-wal"), b"what another process wrote").unwrap();
        let unread = Store::open(&path, Access::ReadOnly).unwrap_err();
        assert!(matches!(unread, StateError::Unwritable(_)), "{unread}");
    }
    #[test]
    fn a_write_that_stays_busy_says_so_and_the_next_one_works() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let store = Store::open(&path, Access::ReadWrite).unwrap();
        store.conn.busy_timeout(Duration::from_millis(10)).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let busy = add_account(&store, "p").unwrap_err();
        assert!(matches!(busy, StateError::Busy), "{busy}");
        other.execute_batch("COMMIT").unwrap();
        add_account(&store, "p").unwrap();
    }
}
