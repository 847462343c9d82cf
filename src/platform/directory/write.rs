//! Places files: whole or not at all, and never over another one.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

use crate::platform::PlatformError;

const PREFIX: &str = ".fit_sync-";
const SUFFIX: &str = ".tmp";

/// Whether a name was still free.
pub(super) enum Placed {
    /// The file stands under its name and is on the disk.
    Done,
    /// The name is taken; the temporary file may try another one.
    Taken(TempPath),
}

/// Writes bytes to a temporary file that vanishes if it is not placed; they are on the disk then.
pub(super) fn temporary(
    folder: &Path,
    random: [u8; 16],
    bytes: &[u8],
) -> Result<TempPath, PlatformError> {
    let mut file: NamedTempFile = tempfile::Builder::new()
        .prefix(&temporary_name(random))
        .rand_bytes(0)
        // Like any other new file; the umask takes its share.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(|error| not_written(folder, &error))?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| not_written(folder, &error))?;
    Ok(file.into_temp_path())
}

/// Gives a temporary file its name in the same folder, if that name is free.
pub(super) fn place(temporary: TempPath, target: &Path) -> Result<Placed, PlatformError> {
    let folder = target.parent().unwrap_or(target);
    if let Err(refused) = temporary.persist_noclobber(target) {
        if refused.error.kind() == io::ErrorKind::AlreadyExists {
            return Ok(Placed::Taken(refused.path));
        }
        // Some network and memory-stick file systems know neither a rename that spares others nor
        // hard links: then the name is reserved by an empty file of our own and taken over.
        match OpenOptions::new().write(true).create_new(true).open(target) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(Placed::Taken(refused.path));
            }
            Err(error) => return Err(not_written(target, &error)),
        }
        if let Err(refused) = refused.path.persist(target) {
            let _ = fs::remove_file(target);
            return Err(not_written(target, &refused.error));
        }
    }
    sync_folder(folder).map_err(|error| {
        PlatformError::Unconfirmed(format!("{} may not be on the disk: {error}", shown(target)))
    })?;
    Ok(Placed::Done)
}

/// Makes a folder and those above it, down from `root`, which is made as well.
pub(super) fn create_folders(root: &Path, relative: &str) -> Result<(), PlatformError> {
    create(root)?;
    let mut folder = root.to_path_buf();
    for part in relative.split('/').filter(|part| !part.is_empty()) {
        folder.push(part);
        create(&folder)?;
    }
    Ok(())
}

fn create(folder: &Path) -> Result<(), PlatformError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
    match folder.parent() {
        Some(parent) => sync_folder(parent).map_err(|error| not_written(parent, &error)),
        None => Ok(()),
    }
}

/// Returns the name of a temporary file of ours.
pub(super) fn temporary_name(random: [u8; 16]) -> String {
    format!("{PREFIX}{}{SUFFIX}", hex::encode(random))
}

/// Whether a name is one of our temporary files': exactly, since nothing else may be removed.
pub(super) fn is_temporary(name: &str) -> bool {
    name.strip_prefix(PREFIX).and_then(|name| name.strip_suffix(SUFFIX)).is_some_and(|hex| {
        hex.len() == 32 && hex.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    })
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Not every file system can sync a folder; those that cannot have nothing to lose by it.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// What it means that a folder takes nothing: that is no fault of the file, and may be mended.
fn not_written(place: &Path, error: &io::Error) -> PlatformError {
    match error.kind() {
        // A temporary file's name says nothing to anybody.
        kind @ (io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            PlatformError::Unavailable(format!("{}: {kind}", shown(place)))
        }
        _ => failed(place, error),
    }
}

/// What a fault of the file system means: nothing was done.
pub(super) fn failed(path: &Path, error: &io::Error) -> PlatformError {
    fault(format!("{}: {error}", shown(path)), error)
}

/// What a fault of the account's own folder means. A plan tells it, so it does not name the place,
/// which is another one on another machine.
pub(super) fn root_failed(error: &io::Error) -> PlatformError {
    fault(format!("the folder cannot be read: {error}"), error)
}

pub(super) fn fault(text: String, error: &io::Error) -> PlatformError {
    let lasting = matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::FileTooLarge
    );
    if error.kind() == io::ErrorKind::NotFound {
        PlatformError::NotFound
    } else if lasting {
        PlatformError::Permanent(text)
    } else {
        PlatformError::Transient(text)
    }
}

pub(super) fn shown(path: &Path) -> String {
    crate::domain::neutralise(&path.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_takes_nothing_is_no_fault_of_a_file() {
        for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
            let error = not_written(Path::new("/archive"), &io::Error::from(kind));
            assert_eq!(error, PlatformError::Unavailable(format!("/archive: {kind}")));
        }
        let full = not_written(Path::new("/archive"), &io::Error::from(io::ErrorKind::StorageFull));
        assert!(matches!(full, PlatformError::Transient(_)), "{full}");
    }

    #[test]
    fn only_our_own_temporary_names_are_known() {
        let hex = "0123456789abcdef0123456789abcdef";
        assert!(is_temporary(&format!(".fit_sync-{hex}.tmp")));
        for name in [
            ".fit_sync-id",
            ".fit_sync-.tmp",
            ".fit_sync-mine.tmp",
            "fit_sync-0123456789abcdef0123456789abcdef.tmp",
        ] {
            assert!(!is_temporary(name), "{name}");
        }
    }

    #[test]
    fn a_taken_name_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("a.fit");
        fs::write(&target, "old").unwrap();
        let temporary = temporary(folder.path(), [1; 16], b"new").unwrap();
        assert!(matches!(place(temporary, &target).unwrap(), Placed::Taken(_)));
        assert_eq!(fs::read_to_string(&target).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
