//! Files on this machine that outlive a run: the cache, the store of bytes with its backups and
//! claims, and locks.

mod backups;
mod blobs;
mod cache;
mod claims;
mod error;
mod lock;
mod place;
mod prune;
mod runs;

pub use crate::disk;
pub use backups::{Backup, BackupId, Backups, Condition, ReplacedBy, Stock, Subject};
pub use blobs::Blobs;
pub use cache::{Cache, Cached, Entry, Item, Swept};
pub use claims::{AccountRef, Claim, ClaimOwner, ClaimReason, Claims};
pub use error::ArchiveError;
pub use lock::{AccountLocks, LockError, Owner};
pub use place::{Placed, place};
pub use prune::{ClaimedBackup, OldBackups, Pruned};
pub use runs::LastRuns;
