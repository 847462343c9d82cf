//! Removes old backups for good, but none that a step under way may still need.

use jiff::Timestamp;

use crate::domain::Sha256;

use super::backups::{Backup, BackupId, Backups};
use super::blobs::remove;
use super::claims::Claims;
use super::disk::LockMode;
use super::error::ArchiveError;

/// A backup that steps under way need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedBackup {
    /// The backup.
    pub backup: Backup,
    /// The claims on its bytes.
    pub claims: Claims,
}

/// Backups that are older than a time.
#[derive(Debug, Default)]
pub struct OldBackups {
    /// Those that no step needs, newest first.
    pub free: Vec<Backup>,
    /// Those that stay.
    pub claimed: Vec<ClaimedBackup>,
    /// What cannot be read, and stays.
    pub faults: Vec<ArchiveError>,
}

/// The result of a prune.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Backups that are gone.
    pub removed: Vec<Backup>,
    /// Old ones that stay, since steps need them.
    pub claimed: Vec<ClaimedBackup>,
}

impl Backups {
    /// Returns the backups that were made before a time.
    ///
    /// # Errors
    /// If the store or its claims cannot be read.
    pub fn older_than(&self, before: Timestamp) -> Result<OldBackups, ArchiveError> {
        let stock = self.list()?;
        let claimed = self.blobs.claimed()?;
        let mut old = OldBackups { faults: stock.faults, ..OldBackups::default() };
        for backup in stock.backups.into_iter().filter(|backup| backup.subject.at < before) {
            if claimed.contains(&backup.sha256) {
                let claims = self.blobs.claims(&backup.sha256)?;
                old.claimed.push(ClaimedBackup { backup, claims });
            } else {
                old.free.push(backup);
            }
        }
        Ok(old)
    }

    /// Returns the claims on a backup.
    ///
    /// # Errors
    /// If the claims cannot be read.
    pub fn claims(&self, backup: &Backup) -> Result<Claims, ArchiveError> {
        self.blobs.claims(&backup.sha256)
    }

    /// Removes those of some backups that were made before a time and are not claimed. Both are
    /// looked at under the store's lock, since a step may have begun after they were chosen.
    ///
    /// # Errors
    /// If the store cannot be locked or read, or a file cannot be removed.
    pub fn prune(&self, chosen: &[BackupId], before: Timestamp) -> Result<Pruned, ArchiveError> {
        if chosen.is_empty() {
            return Ok(Pruned { removed: Vec::new(), claimed: self.older_than(before)?.claimed });
        }
        let _lock = self.blobs.lock(LockMode::Exclusive)?;
        let OldBackups { mut free, claimed, .. } = self.older_than(before)?;
        free.retain(|backup| chosen.contains(&backup.id));
        for backup in &free {
            remove(&self.json(&backup.sha256, &backup.id))?;
        }
        let needed = self.blobs.needed()?;
        let bytes = free.iter().map(|backup| &backup.sha256);
        let unneeded: Vec<Sha256> = bytes.filter(|it| !needed.contains(it)).cloned().collect();
        self.blobs.discard(&unneeded)?;
        Ok(Pruned { removed: free, claimed })
    }
}
