//! One at a time per account, across processes: a lock of the kernel's, which ends with its process.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use crate::disk;

/// Attempts to lock a file that somebody keeps removing.
const ATTEMPTS: usize = 10;

/// A lock that is held until this is dropped, or the process ends.
#[derive(Debug)]
pub struct Held {
    _file: File,
}

/// Waits for the lock at a path, on a thread that may block.
pub(super) async fn take(path: PathBuf) -> io::Result<Held> {
    tokio::task::spawn_blocking(move || take_blocking(&path))
        .await
        .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
}

fn take_blocking(path: &std::path::Path) -> io::Result<Held> {
    if let Some(folder) = path.parent() {
        disk::create_private_dir(folder)?;
    }
    for _ in 0..ATTEMPTS {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(path)?;
        file.lock()?;
        let mine = file.metadata()?;
        let here = fs::metadata(path);
        if here.is_ok_and(|here| (here.dev(), here.ino()) == (mine.dev(), mine.ino())) {
            return Ok(Held { _file: file });
        }
    }
    Err(io::Error::other("the lock's file is removed again and again"))
}
