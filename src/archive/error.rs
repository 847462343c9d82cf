//! What can be wrong with the store and its backups.

use std::io;
use std::path::{Path, PathBuf};

use super::backups::BackupId;

/// Why bytes cannot be stored, claimed, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
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
    /// What was written is gone.
    #[error("{} is gone", .path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The bytes would restore nothing.
    #[error("not a whole activity file: {detail}")]
    Unreadable {
        /// What is wrong with them.
        detail: String,
    },
    /// The JSON of a backup or a claim cannot be read or made.
    #[error("{}: {source}", .path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// What an earlier run left open is written where it cannot be read.
    #[error(
        "{}: this claim tells what an earlier run left open, and cannot be read", .path.display()
    )]
    UnreadableClaim {
        /// The claim's file.
        path: PathBuf,
    },
    /// There is no such backup.
    #[error("no backup '{0}'")]
    Unknown(String),
    /// Several backups have an id that begins so.
    #[error("'{prefix}' is the beginning of several ids: {}", list(.ids))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The ids that begin so.
        ids: Vec<BackupId>,
    },
}

fn list(ids: &[BackupId]) -> String {
    ids.iter().map(BackupId::as_str).collect::<Vec<_>>().join(", ")
}

pub(super) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let path = path.to_path_buf();
    move |source| ArchiveError::Io { path, source }
}
