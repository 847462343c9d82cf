//! Files on this machine that outlive a run: cache and backups, and how such files are written.

mod backups;
pub mod disk;

pub use backups::{Backup, BackupError, BackupId, Backups, Stock, Subject};
