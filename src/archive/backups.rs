//! Copies of what apply replaced or removed: the last resort, so nothing is called stored before it
//! was read back.
//!
//! `<sha256>.fit` holds the raw bytes, `<sha256>.json` beside it what a restore needs to know. Knows
//! no platform and no state.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountName, ActivityType, Address, Details, ProfileId, RemoteId, Sha256, Unusable,
};
use crate::fit;

use super::disk::{self, Access};

/// The folder of backups.
#[derive(Clone, Debug)]
pub struct Backups {
    folder: PathBuf,
}

/// First 12 hex digits of a backup's hash: what people type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackupId(String);

impl BackupId {
    /// The id of bytes with this hash.
    pub fn of(sha256: &Sha256) -> Self {
        Self(sha256.as_str().chars().take(12).collect())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is known about an activity when it is backed up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The account that holds it.
    pub account: AccountName,
    /// Whose account that is.
    pub profile: Option<ProfileId>,
    /// Its id there.
    pub id: RemoteId,
    /// The step for whose sake it is replaced.
    pub address: Option<Address>,
    /// Start in UTC.
    pub start: Option<Timestamp>,
    /// Wall-clock seconds.
    pub elapsed_s: Option<u32>,
    /// Title as listed, untrusted.
    pub title: Option<String>,
    /// Canonical type as listed.
    pub kind: ActivityType,
    /// What people wrote about it.
    pub details: Details,
    /// Now.
    pub at: Timestamp,
}

/// A backup as its JSON tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The account that held it.
    pub account: AccountName,
    /// Whose account that was.
    pub profile: Option<ProfileId>,
    /// Its id there.
    pub id: RemoteId,
    /// The step for whose sake it was replaced.
    pub address: Option<Address>,
    /// Start in UTC.
    pub start: Option<Timestamp>,
    /// Wall-clock seconds.
    pub elapsed_s: Option<u32>,
    /// Title as it was listed, untrusted.
    pub title: Option<String>,
    /// Canonical type as it was listed.
    pub kind: ActivityType,
    /// What people had written about it.
    pub details: Details,
    /// Size in bytes.
    pub bytes: u64,
    /// Hash of the bytes.
    pub sha256: Sha256,
    /// When it was backed up.
    pub at: Timestamp,
}

impl Backup {
    fn of(subject: Subject, bytes: &[u8], sha256: Sha256) -> Self {
        Self {
            account: subject.account,
            profile: subject.profile,
            id: subject.id,
            address: subject.address,
            start: subject.start,
            elapsed_s: subject.elapsed_s,
            title: subject.title,
            kind: subject.kind,
            details: subject.details,
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            sha256,
            at: subject.at,
        }
    }

    /// The backup's own id; `id` is the activity's.
    pub fn backup_id(&self) -> BackupId {
        BackupId::of(&self.sha256)
    }
}

/// What the folder of backups holds.
#[derive(Debug, Default)]
pub struct Stock {
    /// Newest first.
    pub backups: Vec<Backup>,
    /// What cannot be read.
    pub faults: Vec<BackupError>,
}

/// Why a backup cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The machine failed.
    #[error("{}: {source}", .path.display())]
    Io {
        /// At this file or folder.
        path: PathBuf,
        /// In this way.
        source: io::Error,
    },
    /// What the disk gives back is not what was written.
    #[error("{} does not hold what was written to it", .path.display())]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// The bytes would restore nothing.
    #[error("not a whole activity file: {detail}")]
    Unreadable {
        /// What is wrong with them.
        detail: String,
    },
    /// The details beside a backup cannot be read.
    #[error("{}: {source}", .path.display())]
    Details {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// There is no such backup.
    #[error("no backup '{0}'")]
    Unknown(String),
}

impl Backups {
    /// The backups in this folder, which is made when the first one is stored.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Stores a copy and returns once it is surely there: written, synced, read back, hashed, parsed.
    ///
    /// Equal bytes are one backup, which then tells about its newest subject.
    ///
    /// # Errors
    /// In every case of which the original must not be removed.
    pub fn store(&self, bytes: &[u8], subject: Subject) -> Result<BackupId, BackupError> {
        whole(bytes)?;
        let sha256 = Sha256::of(bytes);
        let path = self.fit(&sha256);
        disk::create_private_dir(&self.folder).map_err(io_at(&self.folder))?;
        disk::write_atomically(&path, bytes, Access::Private).map_err(io_at(&path))?;
        self.read_back(&sha256)?;
        let backup = Backup::of(subject, bytes, sha256);
        self.describe(&backup)?;
        Ok(backup.backup_id())
    }

    /// All backups.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn list(&self) -> Result<Stock, BackupError> {
        let mut stock = Stock::default();
        for sha256 in self.hashes()? {
            match self.described(&sha256) {
                Ok(backup) => stock.backups.push(backup),
                Err(fault) => stock.faults.push(fault),
            }
        }
        stock.backups.sort_by(|a, b| {
            let newest_first = b.at.cmp(&a.at);
            newest_first.then_with(|| a.sha256.cmp(&b.sha256))
        });
        Ok(stock)
    }

    /// A backup and its bytes, which are known to be those that were stored. Takes an id as people
    /// type it, or a whole hash.
    ///
    /// # Errors
    /// If there is none, or it has been altered.
    pub fn load(&self, id: &str) -> Result<(Backup, Vec<u8>), BackupError> {
        let sha256 = self.find(id)?;
        Ok((self.described(&sha256)?, self.read_back(&sha256)?))
    }

    /// Removes a backup for good.
    ///
    /// # Errors
    /// If there is none, or it cannot be removed.
    pub fn remove(&self, id: &str) -> Result<(), BackupError> {
        let sha256 = self.find(id)?;
        for path in [self.fit(&sha256), self.details(&sha256)] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                result => result.map_err(io_at(&path))?,
            }
        }
        disk::sync_folder(&self.folder).map_err(io_at(&self.folder))
    }

    /// The hashes of all described backups, in order.
    fn hashes(&self) -> Result<Vec<Sha256>, BackupError> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io_at(&self.folder))?,
        };
        let mut hashes = Vec::new();
        for entry in entries {
            let name = entry.map_err(io_at(&self.folder))?.file_name();
            hashes.extend(name.to_str().and_then(hash_in));
        }
        hashes.sort_unstable();
        Ok(hashes)
    }

    fn find(&self, id: &str) -> Result<Sha256, BackupError> {
        self.hashes()?
            .into_iter()
            .find(|sha256| BackupId::of(sha256).as_str() == id || sha256.as_str() == id)
            .ok_or_else(|| BackupError::Unknown(id.to_owned()))
    }

    fn described(&self, sha256: &Sha256) -> Result<Backup, BackupError> {
        let path = self.details(sha256);
        let text = fs::read(&path).map_err(io_at(&path))?;
        match serde_json::from_slice::<Backup>(&text) {
            Ok(backup) if backup.sha256 == *sha256 => Ok(backup),
            Ok(_) => Err(BackupError::Altered { path }),
            Err(source) => Err(BackupError::Details { path, source }),
        }
    }

    fn describe(&self, backup: &Backup) -> Result<(), BackupError> {
        let path = self.details(&backup.sha256);
        let mut text =
            serde_json::to_vec_pretty(backup).map_err(|source| BackupError::Details {
                path: path.clone(),
                source,
            })?;
        text.push(b'\n');
        disk::write_atomically(&path, &text, Access::Private).map_err(io_at(&path))?;
        if fs::read(&path).map_err(io_at(&path))? == text {
            Ok(())
        } else {
            Err(BackupError::Altered { path })
        }
    }

    fn read_back(&self, sha256: &Sha256) -> Result<Vec<u8>, BackupError> {
        let path = self.fit(sha256);
        let bytes = fs::read(&path).map_err(io_at(&path))?;
        if Sha256::of(&bytes) == *sha256 {
            whole(&bytes)?;
            Ok(bytes)
        } else {
            Err(BackupError::Altered { path })
        }
    }

    fn fit(&self, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{sha256}.fit"))
    }

    fn details(&self, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{sha256}.json"))
    }
}

/// Refuses an error page or half a download; a whole file without a start is still worth keeping.
fn whole(bytes: &[u8]) -> Result<(), BackupError> {
    match fit::read(bytes) {
        Ok(_) => Ok(()),
        Err(Unusable::Unreadable { detail } | Unusable::NotAnActivity { detail }) => {
            Err(BackupError::Unreadable { detail })
        }
        Err(Unusable::NoOriginal | Unusable::ClockNotSet | Unusable::SeveralActivities) => Ok(()),
    }
}

/// The hash in a name `<sha256>.json`.
fn hash_in(name: &str) -> Option<Sha256> {
    let stem = name.strip_suffix(".json")?;
    let hex = stem.len() == 64 && stem.chars().all(|c| c.is_ascii_hexdigit());
    hex.then(|| Sha256::new(stem))
}

fn io_at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_path_buf();
    move |source| BackupError::Io { path, source }
}
