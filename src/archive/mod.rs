//! Files on this machine that outlive a run: cache and backups, and how such files are written.

mod backups;
pub mod disk;
mod spool;

pub use backups::{Backup, BackupError, BackupId, Backups, Stock, Subject};
pub use spool::Spool;
