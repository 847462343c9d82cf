//! Files on this machine that outlive a run: cache, backups and locks, and how such files are written.

mod backups;
mod cache;
mod lock;
mod place;
mod spool;

pub use crate::disk;
pub use backups::{Backup, BackupError, BackupId, Backups, Stock, Subject};
pub use cache::{Cache, Cached, Entry, Item, Swept};
pub use lock::{AccountLocks, LockError, Owner};
pub use place::{Placed, place};
pub use spool::Spool;
