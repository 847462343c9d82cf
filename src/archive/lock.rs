//! One writer at a time per account.
//!
//! A lock is a file per name in each of several folders. It stays in place on release, since removing
//! it could remove another process's lock; its content only names the last holder.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{self, Attempt, FileLock};

/// Who holds a lock, for the people who wait for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Name of the user, or the number.
    pub user: String,
    /// Name of the machine.
    pub host: String,
    /// Number of the process.
    pub pid: u32,
    /// Page of the pipeline, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}, pid {}", self.user, self.host, self.pid)?;
        self.run_url.as_ref().map_or(Ok(()), |url| write!(f, ", {url}"))
    }
}

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("{name} is locked")]
    Held {
        /// Which.
        name: String,
        /// Who; `None` where they have not said so yet.
        owner: Option<Owner>,
    },
    /// The file cannot be made, opened or locked.
    #[error("{}: it cannot be locked: {error}", path.display())]
    Io {
        /// The lock's file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// AccountLocks that are held until this is dropped, or the process ends.
#[derive(Debug)]
pub struct AccountLocks {
    names: BTreeSet<String>,
    locks: Vec<FileLock>,
}

impl AccountLocks {
    /// Takes every name in every folder, or nothing. Folders are made, closed to others.
    ///
    /// # Errors
    /// `Held` if another run has one of them; `Io` if a file cannot be made or locked.
    pub fn take(
        folders: &[PathBuf],
        names: &BTreeSet<String>,
        owner: &Owner,
    ) -> Result<Self, LockError> {
        let mut taken = Self { names: names.clone(), locks: Vec::new() };
        for folder in folders {
            if names.is_empty() {
                break;
            }
            disk::create_private_dir(folder)
                .map_err(|error| LockError::Io { path: folder.clone(), error })?;
            for name in names {
                let path = folder.join(format!("{name}.lock"));
                taken.locks.push(take_one(&path, name)?);
            }
        }
        for lock in &mut taken.locks {
            // The lock holds without it; only its message would be poorer.
            let _ = sign(lock.file(), owner);
        }
        Ok(taken)
    }

    /// Whether one of these names is held.
    pub fn hold_any(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.names.contains(name))
    }
}

impl Drop for AccountLocks {
    fn drop(&mut self) {
        for lock in &mut self.locks {
            // Who held it is of no interest any more; closing the file releases it.
            let _ = lock.file().set_len(0);
        }
    }
}

fn take_one(path: &Path, name: &str) -> Result<FileLock, LockError> {
    let attempt = FileLock::attempt(path)
        .map_err(|error| LockError::Io { path: path.to_path_buf(), error })?;
    match attempt {
        Attempt::Locked(lock) => Ok(lock),
        Attempt::Held(mut file) => {
            Err(LockError::Held { name: name.to_owned(), owner: signature(&mut file) })
        }
    }
}

fn sign(file: &mut File, owner: &Owner) -> io::Result<()> {
    let text = serde_json::to_string(owner)?;
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())
}

fn signature(file: &mut File) -> Option<Owner> {
    let mut text = String::new();
    file.take(64 * 1024).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn owner(pid: u32) -> Owner {
        Owner { user: "me".to_owned(), host: "here".to_owned(), pid, run_url: None }
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn holder(result: Result<AccountLocks, LockError>) -> Owner {
        match result.unwrap_err() {
            LockError::Held { owner, .. } => owner.unwrap(),
            other @ LockError::Io { .. } => panic!("{other}"),
        }
    }

    #[test]
    fn a_name_has_one_owner_and_says_who() {
        let home = tempfile::tempdir().unwrap();
        let folders = [home.path().join("a"), home.path().join("b")];
        let first = AccountLocks::take(&folders, &names(&["x", "y"]), &owner(1)).unwrap();
        assert_eq!(holder(AccountLocks::take(&folders, &names(&["y", "z"]), &owner(2))), owner(1));
        assert_eq!(holder(AccountLocks::take(&folders[1..], &names(&["x"]), &owner(2))), owner(1));
        let other = AccountLocks::take(&folders, &names(&["z"]), &owner(2)).unwrap();
        assert!(other.hold_any(&["y".to_owned(), "z".to_owned()]));
        assert!(!other.hold_any(&["x".to_owned()]));
        drop(first);
        let _again = AccountLocks::take(&folders, &names(&["x", "y"]), &owner(3)).unwrap();
    }

    #[test]
    fn what_cannot_be_taken_as_a_whole_is_not_taken() {
        let home = tempfile::tempdir().unwrap();
        let folders = [home.path().join("a")];
        let _held = AccountLocks::take(&folders, &names(&["y"]), &owner(1)).unwrap();
        assert_eq!(holder(AccountLocks::take(&folders, &names(&["x", "y"]), &owner(2))), owner(1));
        let _free = AccountLocks::take(&folders, &names(&["x"]), &owner(3)).unwrap();
    }

    #[test]
    fn its_files_are_closed_to_others() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("locks");
        let _held =
            AccountLocks::take(std::slice::from_ref(&folder), &names(&["x"]), &owner(1)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("x.lock"))), (0o700, 0o600));
    }

    #[test]
    fn without_names_nothing_is_made() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("locks");
        let _none =
            AccountLocks::take(std::slice::from_ref(&folder), &names(&[]), &owner(1)).unwrap();
        assert!(!folder.exists());
    }
}
