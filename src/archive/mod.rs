//! Files on this machine that outlive a run: cache, backups and locks, and how such files are written.

mod backups;
mod lock;
mod spool;

pub use crate::disk;
pub use backups::{Backup, BackupError, BackupId, Backups, Stock, Subject};
pub use lock::{LockError, Locks, Owner};
pub use spool::Spool;
