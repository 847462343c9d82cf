//! A lock of the kernel's on a file: it ends with its process, however that ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Attempts to open a lock's file while somebody keeps removing it.
const MAX_ATTEMPTS: usize = 10;

/// Who may hold a lock beside this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockMode {
    /// Others that share it.
    Shared,
    /// No other.
    Exclusive,
}

/// A lock that is held until this is dropped, or the process ends. Its file stays.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

/// The result of asking for a lock without waiting.
#[derive(Debug)]
pub enum Attempt {
    /// It is taken.
    Locked(FileLock),
    /// Another holds it; the file may say who.
    Held(File),
}

impl FileLock {
    /// Waits for the lock at a path, whose folder must exist.
    ///
    /// # Errors
    /// If the file cannot be made, opened or locked.
    pub fn wait(path: &Path, mode: LockMode) -> io::Result<Self> {
        let lock = |file: File| match mode {
            LockMode::Shared => file.lock_shared().map(|()| Attempt::Locked(Self { file })),
            LockMode::Exclusive => file.lock().map(|()| Attempt::Locked(Self { file })),
        };
        match locked(path, lock)? {
            Attempt::Locked(lock) => Ok(lock),
            Attempt::Held(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Takes the lock at a path for itself alone, if it is free.
    ///
    /// # Errors
    /// If the file cannot be made, opened or locked.
    pub fn attempt(path: &Path) -> io::Result<Attempt> {
        locked(path, |file| match file.try_lock() {
            Ok(()) => Ok(Attempt::Locked(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(Attempt::Held(file)),
            Err(TryLockError::Error(error)) => Err(error),
        })
    }

    /// The file, for a word about the holder.
    pub fn file(&mut self) -> &mut File {
        &mut self.file
    }
}

/// Opens and locks a file, and makes sure that it still is the one at its path: a lock on a removed
/// file keeps no one out.
fn locked(path: &Path, lock: impl Fn(File) -> io::Result<Attempt>) -> io::Result<Attempt> {
    for _ in 0..MAX_ATTEMPTS {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let attempt = lock(options.open(path)?)?;
        let Attempt::Locked(FileLock { file }) = &attempt else { return Ok(attempt) };
        let mine = file.metadata()?;
        let here = fs::metadata(path);
        if here.is_ok_and(|here| (here.dev(), here.ino()) == (mine.dev(), mine.ino())) {
            return Ok(attempt);
        }
    }
    Err(io::Error::other("the lock's file is removed again and again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_free(path: &Path) -> bool {
        matches!(FileLock::attempt(path).unwrap(), Attempt::Locked(_))
    }

    #[test]
    fn shared_ones_go_together_and_keep_an_exclusive_one_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let first = FileLock::wait(&path, LockMode::Shared).unwrap();
        let second = FileLock::wait(&path, LockMode::Shared).unwrap();
        assert!(!is_free(&path));
        drop(first);
        assert!(!is_free(&path));
        drop(second);
        let alone = FileLock::wait(&path, LockMode::Exclusive).unwrap();
        assert!(!is_free(&path));
        drop(alone);
        assert!(is_free(&path));
    }

    #[test]
    fn a_removed_file_is_no_way_around() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let stale = FileLock::wait(&path, LockMode::Exclusive).unwrap();
        fs::remove_file(&path).unwrap();
        let new = FileLock::wait(&path, LockMode::Exclusive).unwrap();
        drop(stale);
        assert!(!is_free(&path));
        drop(new);
    }
}
