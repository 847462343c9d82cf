//! Whether a file is private, so that what it says may hold secrets and touch the machine.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What is known about a file's privacy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Privacy {
    /// The user's own, closed to others, in no git work tree.
    Private,
    /// Somebody else's.
    Foreign,
    /// Others can read or change it.
    Open,
    /// In the work tree at this folder: it may come from anybody's commit.
    InGit(PathBuf),
}

/// Whether manifests are believed whatever their file is like (`FIT_SYNC_TRUST_MANIFEST=1`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Only what stands in a private file.
    PrivateFiles,
    /// Everything: the user said so.
    Everything,
}

impl Privacy {
    /// Judges an open file at an absolute path.
    pub(super) fn of(path: &Path, metadata: &Metadata, uid: u32) -> Self {
        let Ok(real) = fs::canonicalize(path) else {
            return Self::Open;
        };
        if let Some(tree) = [path, &real].into_iter().find_map(work_tree) {
            return Self::InGit(tree);
        }
        if metadata.uid() != uid {
            return Self::Foreign;
        }
        if is_open(&real, metadata, uid) { Self::Open } else { Self::Private }
    }

    /// In words that follow "this file".
    pub(super) fn words(&self) -> String {
        match self {
            Self::Private => "is private".to_owned(),
            Self::Foreign => "belongs to another user".to_owned(),
            Self::Open => "can be read or changed by other users".to_owned(),
            Self::InGit(tree) => format!("is in the git work tree {}", tree.display()),
        }
    }
}

/// Whether other users can read or change a file: by its own mode, with no closed folder above it.
pub(super) fn is_open(real: &Path, metadata: &Metadata, uid: u32) -> bool {
    let reachable =
        !real.ancestors().skip(1).filter_map(|folder| fs::metadata(folder).ok()).any(|folder| {
            let ours = folder.uid() == uid || folder.uid() == 0;
            ours && folder.permissions().mode() & 0o011 == 0
        });
    reachable && metadata.permissions().mode() & 0o066 != 0
}

fn work_tree(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .skip(1)
        .find(|folder| fs::symlink_metadata(folder.join(".git")).is_ok())
        .map(Path::to_path_buf)
}
