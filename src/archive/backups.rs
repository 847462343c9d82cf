//! Copies of what apply replaced or removed: the last resort, so nothing is called stored before it
//! was read back.
//!
//! The bytes lie in the store by their hash. Beside them stands one JSON per backup,
//! `<sha256>.<id>.json`, with what a restore needs to know: two accounts with the same original are
//! two backups of one file. Knows no platform and no state.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountName, ActivityType, Address, Details, Fingerprint, Party, ProfileId, RemoteId, RuleName,
    Sha256, Unusable,
};
use crate::fit;

use super::blobs::{Blobs, StoredFile, is_hex};
use super::claims::Claim;
use super::disk::{self, Access, LockMode};
use super::error::{ArchiveError, io_at};

/// Hex digits of an id.
const ID_DIGITS: usize = 12;

/// The backups of a store.
#[derive(Clone, Debug)]
pub struct Backups {
    pub(super) blobs: Blobs,
}

/// 12 hex digits that name one backup: what people type, or the beginning of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BackupId(String);

impl BackupId {
    /// The id of a backup: of whose activity it is, which one, as it was listed, when, and what it holds;
    /// a clock may say the same time twice.
    pub fn of(subject: &Subject, sha256: &Sha256) -> Self {
        let (account, profile) = (&subject.account, subject.profile.as_ref());
        let whose = profile.map_or(account.as_str(), ProfileId::as_str);
        let at = subject.at.to_string();
        let (id, fingerprint) = (subject.id.as_str(), subject.fingerprint.as_str());
        let parts = ["fit_sync/backup/1", whose, id, fingerprint, &at, sha256.as_str()];
        let digest = Sha256::of(parts.join("\0").as_bytes());
        Self(digest.as_str().chars().take(ID_DIGITS).collect())
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        (text.len() == ID_DIGITS && is_hex(text)).then(|| Self(text.to_owned()))
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The account that holds it.
    pub account: AccountName,
    /// Whose account that is.
    pub profile: Option<ProfileId>,
    /// Its id there.
    pub id: RemoteId,
    /// Its fingerprint as it was listed.
    pub fingerprint: Fingerprint,
    /// The step for whose sake it is replaced, for people.
    pub address: Option<Address>,
    /// What takes its place, if anything.
    pub replaced_by: Option<ReplacedBy>,
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
    /// When it was backed up.
    pub at: Timestamp,
}

/// What takes the place of a backed-up activity: enough to find it again, and to decide about it,
/// without a state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedBy {
    /// The rule that asks for it.
    pub rule: RuleName,
    /// The source activity.
    pub source: Party,
    /// Hash of the bytes that are sent.
    pub payload: Sha256,
}

/// A backup as its JSON tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// Its own id; the activity's is the subject's.
    pub id: BackupId,
    /// Hash of the bytes.
    pub sha256: Sha256,
    /// Size in bytes.
    pub bytes: u64,
    /// The activity.
    pub subject: Subject,
}

/// Whether a backup can be put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Its bytes are as they were stored.
    Whole,
    /// Its file holds something else.
    Altered,
    /// Its file is gone.
    Missing,
}

/// The backups of a store.
#[derive(Debug, Default)]
pub struct Stock {
    /// Newest first.
    pub backups: Vec<Backup>,
    /// What cannot be read.
    pub faults: Vec<ArchiveError>,
}

impl Backups {
    /// The backups of the store in this folder, which is made when the first one is stored.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { blobs: Blobs::new(folder) }
    }

    /// Stores a copy, claimed for a step before anybody can prune it, and returns once it is surely
    /// there: parsed, written, synced, read back, hashed.
    ///
    /// # Errors
    /// In every case of which the original must not be removed.
    pub fn store(
        &self,
        bytes: &[u8],
        subject: Subject,
        claim: &Claim,
    ) -> Result<BackupId, ArchiveError> {
        check_whole(bytes)?;
        let _lock = self.blobs.lock(LockMode::Shared)?;
        let sha256 = self.blobs.write(bytes, subject.at)?;
        let id = BackupId::of(&subject, &sha256);
        let bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.describe(&Backup { id: id.clone(), sha256: sha256.clone(), bytes, subject })?;
        self.blobs.write_claim(&sha256, claim)?;
        Ok(id)
    }

    /// Claims a backup for a step, which then is neither pruned nor swept.
    ///
    /// # Errors
    /// If it is not there as it was stored, or the claim cannot be written.
    pub fn claim(&self, id: &BackupId, claim: &Claim) -> Result<(), ArchiveError> {
        let _lock = self.blobs.lock(LockMode::Shared)?;
        let backup = self.find(id.as_str())?;
        self.blobs.write_claim(&backup.sha256, claim)
    }

    /// Replaces the details of a backup, which people may have edited since it was made.
    ///
    /// # Errors
    /// If there is none, or the new details are not surely there.
    pub fn update(&self, id: &BackupId, details: Details) -> Result<(), ArchiveError> {
        let _lock = self.blobs.lock(LockMode::Shared)?;
        let mut backup = self.find(id.as_str())?;
        backup.subject.details = details;
        self.describe(&backup)
    }

    /// Returns whether a backup's bytes are there as they were stored.
    ///
    /// # Errors
    /// If the file is there but cannot be read.
    pub fn condition(&self, backup: &Backup) -> Result<Condition, ArchiveError> {
        let is_whole = self.blobs.get(&backup.sha256)?.is_some();
        Ok(match (is_whole, self.blobs.path(&backup.sha256).exists()) {
            (true, _) => Condition::Whole,
            (false, true) => Condition::Altered,
            (false, false) => Condition::Missing,
        })
    }

    /// Returns all backups.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn list(&self) -> Result<Stock, ArchiveError> {
        let mut stock = Stock::default();
        for (sha256, id) in self.ids()? {
            match self.described(&sha256, &id) {
                Ok(backup) => stock.backups.push(backup),
                Err(fault) => stock.faults.push(fault),
            }
        }
        stock.backups.sort_by(|a, b| (b.subject.at, &a.id).cmp(&(a.subject.at, &b.id)));
        Ok(stock)
    }

    /// Returns the backup whose id this is, or begins so.
    ///
    /// # Errors
    /// `Unknown` or `Ambiguous`; else if what is known about it cannot be read.
    pub fn find(&self, prefix: &str) -> Result<Backup, ArchiveError> {
        let mut fitting = self.ids()?;
        fitting.retain(|(_, id)| !prefix.is_empty() && id.as_str().starts_with(prefix));
        match fitting.as_slice() {
            [] => Err(ArchiveError::Unknown(prefix.to_owned())),
            [(sha256, id)] => self.described(sha256, id),
            [..] => Err(ArchiveError::Ambiguous {
                prefix: prefix.to_owned(),
                ids: fitting.into_iter().map(|(_, id)| id).collect(),
            }),
        }
    }

    /// Returns a backup, found as [`Backups::find`] does, and its bytes as they were stored.
    ///
    /// # Errors
    /// If there is none, or it has been altered.
    pub fn load(&self, prefix: &str) -> Result<(Backup, Vec<u8>), ArchiveError> {
        let backup = self.find(prefix)?;
        let path = self.blobs.path(&backup.sha256);
        match self.blobs.get(&backup.sha256)? {
            Some(bytes) => Ok((backup, bytes)),
            None if path.exists() => Err(ArchiveError::Altered { path }),
            None => Err(ArchiveError::Missing { path }),
        }
    }

    fn ids(&self) -> Result<Vec<(Sha256, BackupId)>, ArchiveError> {
        let files = self.blobs.files()?.into_iter();
        Ok(files
            .filter_map(|file| match file {
                StoredFile::Backup(sha256, id) => Some((sha256, id)),
                StoredFile::Bytes(_) => None,
            })
            .collect())
    }

    fn described(&self, sha256: &Sha256, id: &BackupId) -> Result<Backup, ArchiveError> {
        let path = self.json(sha256, id);
        let text = fs::read(&path).map_err(io_at(&path))?;
        match serde_json::from_slice::<Backup>(&text) {
            Ok(backup) if backup.sha256 == *sha256 && backup.id == *id => Ok(backup),
            Ok(_) => Err(ArchiveError::Altered { path }),
            Err(source) => Err(ArchiveError::Json { path, source }),
        }
    }

    fn describe(&self, backup: &Backup) -> Result<(), ArchiveError> {
        let path = self.json(&backup.sha256, &backup.id);
        let mut text = serde_json::to_vec_pretty(backup)
            .map_err(|source| ArchiveError::Json { path: path.clone(), source })?;
        text.push(b'\n');
        disk::write_atomically(&path, &text, Access::Private).map_err(io_at(&path))?;
        if fs::read(&path).map_err(io_at(&path))? == text {
            Ok(())
        } else {
            Err(ArchiveError::Altered { path })
        }
    }

    pub(super) fn json(&self, sha256: &Sha256, id: &BackupId) -> PathBuf {
        self.blobs.folder().join(format!("{sha256}.{id}.json"))
    }
}

/// Refuses an error page or half a download; a whole file without a start is still worth keeping.
fn check_whole(bytes: &[u8]) -> Result<(), ArchiveError> {
    match fit::read(bytes) {
        Ok(_) => Ok(()),
        Err(
            Unusable::Unreadable { detail }
            | Unusable::Unopened { detail }
            | Unusable::NotAnActivity { detail },
        ) => Err(ArchiveError::Unreadable { detail }),
        Err(Unusable::NoOriginal | Unusable::ClockNotSet | Unusable::SeveralActivities) => Ok(()),
    }
}
