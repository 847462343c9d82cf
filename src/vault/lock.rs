//! One at a time per account, across processes.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{self, FileLock, LockMode};

/// The lock on an account's session; held until this is dropped, or the process ends.
#[derive(Debug)]
pub struct SessionLock {
    _lock: FileLock,
}

/// Waits for the lock at a path, on a thread that may block.
pub(super) async fn take(path: PathBuf) -> io::Result<SessionLock> {
    tokio::task::spawn_blocking(move || take_blocking(&path))
        .await
        .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
}

fn take_blocking(path: &Path) -> io::Result<SessionLock> {
    if let Some(folder) = path.parent() {
        disk::create_private_dir(folder)?;
    }
    Ok(SessionLock { _lock: FileLock::wait(path, LockMode::Exclusive)? })
}
