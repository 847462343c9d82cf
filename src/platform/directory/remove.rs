//! Removes files: exactly the one that was looked at, and what interrupted runs left behind.

use std::ffi::OsString;
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use walkdir::WalkDir;

use crate::domain::Sha256;
use crate::platform::PlatformError;

use super::path::{Packing, is_hidden};
use super::read::{self, Unread};
use super::write::{failed, is_temporary, shown, sync_folder, temporary_name};

/// How old a temporary file must be before it is taken for one that was left behind.
const MIN_AGE: SignedDuration = SignedDuration::from_hours(24);
/// Files of one name beside which a file is put back.
const MAX_OF_A_NAME: usize = 1000;

/// Removes a file for good, if it still has the bytes of this hash.
///
/// Another program may put another file in its place at any moment, so the file is first taken out of
/// its place and only then looked at for the last time; another one goes back.
pub(super) fn remove(
    path: &Path,
    packing: Packing,
    sha256: &Sha256,
    random: [u8; 16],
) -> Result<(), PlatformError> {
    check(path, packing, sha256).map_err(|error| at(path, error))?;
    remove_aside(path, packing, sha256, random)
}

fn remove_aside(
    path: &Path,
    packing: Packing,
    sha256: &Sha256,
    random: [u8; 16],
) -> Result<(), PlatformError> {
    let folder = path.parent().unwrap_or(path);
    let aside = folder.join(temporary_name(random));
    fs::rename(path, &aside).map_err(|error| failed(path, &error))?;
    if let Err(error) = check(&aside, packing, sha256) {
        put_back(&aside, path)?;
        return Err(at(path, error));
    }
    fs::remove_file(&aside).map_err(|error| {
        PlatformError::Unconfirmed(format!("{} lies at {}: {error}", shown(path), shown(&aside)))
    })?;
    sync_folder(folder).map_err(|error| {
        PlatformError::Unconfirmed(format!("{} may come back: {error}", shown(path)))
    })
}

/// Why a file is not removed.
enum Refused {
    Unread(io::Error),
    Changed,
}

fn at(path: &Path, refused: Refused) -> PlatformError {
    match refused {
        Refused::Unread(error) => failed(path, &error),
        Refused::Changed => PlatformError::Changed,
    }
}

fn check(path: &Path, packing: Packing, sha256: &Sha256) -> Result<(), Refused> {
    match read::bytes(path, packing) {
        Ok(bytes) if Sha256::of(&bytes) == *sha256 => Ok(()),
        Ok(_) | Err(Unread::Defect(_)) => Err(Refused::Changed),
        Err(Unread::Io(error)) => Err(Refused::Unread(error)),
    }
}

/// Gives a file its name back, or one beside it where that was taken meanwhile.
fn put_back(aside: &Path, path: &Path) -> Result<(), PlatformError> {
    let lost = |error: &io::Error| {
        let (path, aside) = (shown(path), shown(aside));
        PlatformError::Unconfirmed(format!("{path} was changed and lies at {aside} now: {error}"))
    };
    for ordinal in 1..=MAX_OF_A_NAME {
        match rename_to_free(aside, &beside(path, ordinal)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => return result.map_err(|error| lost(&error)),
        }
    }
    Err(lost(&io::ErrorKind::AlreadyExists.into()))
}

fn beside(path: &Path, ordinal: usize) -> PathBuf {
    if ordinal == 1 {
        return path.to_path_buf();
    }
    let mut name = OsString::from(format!("{ordinal}-"));
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => {
            // A file system without hard links: the name is reserved and taken over.
            OpenOptions::new().write(true).create_new(true).open(to)?;
            fs::rename(from, to).inspect_err(|_| {
                let _ = fs::remove_file(to);
            })
        }
    }
}

/// Removes temporary files that an interrupted run left in this tree more than a day ago; links are not
/// followed. A younger one may be under way on another machine.
pub(super) fn remove_leftovers(root: &Path, now: Timestamp) {
    let visible = |entry: &walkdir::DirEntry| {
        entry.depth() == 0 || !entry.file_type().is_dir() || !is_hidden(entry.file_name())
    };
    let entries = WalkDir::new(root).into_iter().filter_entry(visible);
    for entry in entries.filter_map(Result::ok) {
        let is_ours = entry.file_type().is_file()
            && entry.file_name().to_str().is_some_and(is_temporary)
            && entry.metadata().is_ok_and(|metadata| is_old(&metadata, now));
        if is_ours {
            // What cannot be removed stays hidden and harmless.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A file that was renamed keeps the time of its last change, but not that of its last renaming.
fn is_old(metadata: &Metadata, now: Timestamp) -> bool {
    let latest = Timestamp::from_second(metadata.mtime().max(metadata.ctime()));
    latest.is_ok_and(|latest| now.duration_since(latest) > MIN_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_goes_back_and_over_none() {
        let folder = tempfile::tempdir().unwrap();
        let (aside, path) = (folder.path().join("aside"), folder.path().join("a.fit"));
        fs::write(&aside, "theirs").unwrap();
        put_back(&aside, &path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        fs::write(&aside, "second").unwrap();
        put_back(&aside, &path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(folder.path().join("2-a.fit")).unwrap(), "second");
        assert!(!aside.exists());
    }

    #[test]
    fn only_the_bytes_that_are_meant_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.fit");
        for remove in [remove, remove_aside] {
            fs::write(&path, "theirs").unwrap();
            let remove = |bytes: &[u8]| remove(&path, Packing::Plain, &Sha256::of(bytes), [1; 16]);
            assert_eq!(remove(b"mine"), Err(PlatformError::Changed));
            assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
            assert_eq!(remove(b"theirs"), Ok(()));
            assert_eq!(remove(b"theirs"), Err(PlatformError::NotFound));
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
