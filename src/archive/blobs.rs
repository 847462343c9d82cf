//! One store of bytes, `<sha256>.fit`: of backups, and of payloads on their way.
//!
//! Bytes are kept by hash and everything else by owner: what they mean stands in the JSON of each
//! backup, and which step needs them in its claim. A step that has ended removes its claim and never
//! the bytes, since others may need them; the next apply sweeps what nothing names any more.
//!
//! The store has a lock. Storing and claiming share it for the moment of the call, so that nothing
//! is removed between a look and a claim; removing takes it alone.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::domain::Sha256;

use super::backups::BackupId;
use super::claims::Claim;
use super::disk::{self, Access, Care, FileLock, LockMode};
use super::error::{ArchiveError, io_at};

/// Bytes, and temporary files, that are younger may be about to be claimed.
const MIN_AGE: SignedDuration = SignedDuration::from_hours(1);

/// The store in a folder.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

/// A file of the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum StoredFile {
    /// `<sha256>.fit`
    Bytes(Sha256),
    /// `<sha256>.<backup>.json`
    Backup(Sha256, BackupId),
}

impl StoredFile {
    fn parse(name: &str) -> Option<Self> {
        let (hash, rest) = name.split_once('.')?;
        let sha256 = (hash.len() == 64 && is_hex(hash)).then(|| Sha256::new(hash))?;
        match rest.split_once('.') {
            None if rest == "fit" => Some(Self::Bytes(sha256)),
            Some((id, "json")) => Some(Self::Backup(sha256, BackupId::parse(id)?)),
            _ => None,
        }
    }
}

impl Blobs {
    /// The store in this folder, which is made when the first bytes are put there.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Stores bytes, claimed for a step from their first moment, and returns once they are surely
    /// there: written, synced, read back, hashed.
    ///
    /// # Errors
    /// If they are not surely there.
    pub fn put(&self, bytes: &[u8], claim: &Claim) -> Result<Sha256, ArchiveError> {
        let _lock = self.lock(LockMode::Shared)?;
        let sha256 = self.write(bytes, claim.at)?;
        self.write_claim(&sha256, claim)?;
        Ok(sha256)
    }

    /// Returns the bytes with a hash; `None` if they are missing or altered.
    ///
    /// # Errors
    /// If the file is there but cannot be read.
    pub fn get(&self, sha256: &Sha256) -> Result<Option<Vec<u8>>, ArchiveError> {
        let path = self.path(sha256);
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes).filter(|bytes| Sha256::of(bytes) == *sha256)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_at(&path)(error)),
        }
    }

    /// Removes bytes that no backup and no claim names, and what interrupted writes left; returns
    /// how many files of bytes went. Only what is older than an hour.
    ///
    /// # Errors
    /// If the store cannot be read or locked, or a file cannot be removed.
    pub fn sweep(&self, now: Timestamp) -> Result<usize, ArchiveError> {
        let before = now.saturating_sub(MIN_AGE).unwrap_or(Timestamp::MIN);
        for folder in [&self.folder, &self.claims_folder()] {
            disk::remove_leftovers(folder, before);
        }
        if self.unneeded(before)?.is_empty() {
            return Ok(0);
        }
        let _lock = self.lock(LockMode::Exclusive)?;
        // Some may have been claimed before the lock was taken.
        let unneeded = self.unneeded(before)?;
        self.discard(&unneeded)?;
        Ok(unneeded.len())
    }

    fn unneeded(&self, before: Timestamp) -> Result<Vec<Sha256>, ArchiveError> {
        let needed = self.needed()?;
        let files = self.files()?.into_iter();
        let free = files.filter_map(|file| match file {
            StoredFile::Bytes(sha256) if !needed.contains(&sha256) => Some(sha256),
            StoredFile::Bytes(_) | StoredFile::Backup(..) => None,
        });
        Ok(free
            .filter(|sha256| written_at(&self.path(sha256)).is_some_and(|at| at < before))
            .collect())
    }

    /// The hashes that a backup or a claim names, whether or not either can be read.
    pub(super) fn needed(&self) -> Result<HashSet<Sha256>, ArchiveError> {
        let mut needed = self.claimed()?;
        needed.extend(self.files()?.into_iter().filter_map(|file| match file {
            StoredFile::Backup(sha256, _) => Some(sha256),
            StoredFile::Bytes(_) => None,
        }));
        Ok(needed)
    }

    /// Removes bytes for good; the lock must be held by the caller alone.
    pub(super) fn discard(&self, hashes: &[Sha256]) -> Result<(), ArchiveError> {
        for sha256 in hashes {
            remove(&self.path(sha256))?;
        }
        disk::sync_folder(&self.folder).map_err(io_at(&self.folder))
    }

    /// Writes bytes; the lock must be held by the caller.
    pub(super) fn write(&self, bytes: &[u8], now: Timestamp) -> Result<Sha256, ArchiveError> {
        let sha256 = Sha256::of(bytes);
        let path = self.path(&sha256);
        disk::replace(&path, bytes, Access::Private, Some(now), Care::Synced)
            .map_err(io_at(&path))?;
        self.get(&sha256)?.ok_or(ArchiveError::Altered { path })?;
        Ok(sha256)
    }

    /// Waits for the store's lock, and makes the store where needed.
    pub(super) fn lock(&self, mode: LockMode) -> Result<FileLock, ArchiveError> {
        disk::create_private_dir(&self.folder).map_err(io_at(&self.folder))?;
        let path = self.folder.join("store.lock");
        FileLock::wait(&path, mode).map_err(io_at(&path))
    }

    /// Every file of the store, in order.
    pub(super) fn files(&self) -> Result<Vec<StoredFile>, ArchiveError> {
        let names = names_in(&self.folder)?;
        let mut files: Vec<StoredFile> =
            names.iter().filter_map(|name| StoredFile::parse(name)).collect();
        files.sort_unstable();
        Ok(files)
    }

    pub(super) fn path(&self, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{sha256}.fit"))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The names in a folder; none in a missing one.
pub(super) fn names_in(folder: &Path) -> Result<Vec<String>, ArchiveError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(io_at(folder))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(io_at(folder))?.file_name().into_string());
    }
    Ok(names)
}

/// Removes a file, or finds it gone.
pub(super) fn remove(path: &Path) -> Result<(), ArchiveError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result.map_err(io_at(path)),
    }
}

pub(super) fn is_hex(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c))
}

/// When bytes were stored last, by the clock of the run that did so.
fn written_at(path: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(path).ok()?.modified().ok()?).ok()
}
