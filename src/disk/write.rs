//! Writes files whole or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::resolve::resolve;

const PREFIX: &str = ".fit_sync-";
const SUFFIX: &str = ".tmp";

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Its owner only: 0600.
    Private,
    /// All that the umask lets.
    Shared,
}

/// What had to be done to a folder's mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It was made, or was 0700 already.
    Kept,
    /// It was open to others and is 0700 now.
    Tightened,
}

/// Replaces a file as [`replace`] does, with [`Care::Synced`].
///
/// # Errors
/// As [`replace`].
pub fn write_atomically(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    replace(path, bytes, access, None, Care::Synced)
}

/// Whether a writing waits for the disk. A killed process leaves a file whole either way; a machine
/// that loses its power may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// It does.
    Synced,
    /// It does not.
    Quick,
}

/// Writes a file under a name that is still free, whole or not at all.
///
/// # Errors
/// `AlreadyExists` if the name is taken, by whatever; that stays as it is.
pub fn write_new(
    path: &Path,
    bytes: &[u8],
    access: Access,
    modified: Option<Timestamp>,
    care: Care,
) -> io::Result<()> {
    let path = &resolve(folder_of(path))?.join(path.file_name().unwrap_or_default());
    let folder = folder_of(path);
    let file = temporary(folder, bytes, access, modified)?;
    if care == Care::Synced {
        file.as_file().sync_all()?;
    }
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(refused) if refused.error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(refused.error);
        }
        Err(refused) => {
            // Some network and memory-stick file systems know neither a rename that spares others
            // nor hard links: the name is reserved by an empty file of our own and taken over.
            OpenOptions::new().write(true).create_new(true).open(path)?;
            if let Err(refused) = refused.file.persist(path) {
                let _ = fs::remove_file(path);
                return Err(refused.error);
            }
        }
    }
    match care {
        Care::Synced => sync_folder(folder),
        Care::Quick => Ok(()),
    }
}

/// Writes a file by way of a temporary one in its folder; what was there before is replaced at once
/// or not at all. A link of the user's own is followed, so that it stays a link.
///
/// # Errors
/// If the bytes cannot be written with that care; then the old file stands, except if only the
/// folder could not be synced. `PermissionDenied` for another user's link in a shared folder.
pub fn replace(
    path: &Path,
    bytes: &[u8],
    access: Access,
    modified: Option<Timestamp>,
    care: Care,
) -> io::Result<()> {
    let path = resolve(path)?;
    let folder = folder_of(&path);
    let file = temporary(folder, bytes, access, modified)?;
    if care == Care::Synced {
        file.as_file().sync_all()?;
    }
    file.persist(&path).map_err(|refused| refused.error)?;
    match care {
        Care::Synced => sync_folder(folder),
        Care::Quick => Ok(()),
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

fn temporary(
    folder: &Path,
    bytes: &[u8],
    access: Access,
    modified: Option<Timestamp>,
) -> io::Result<NamedTempFile> {
    let mode = match access {
        Access::Private => 0o600,
        Access::Shared => 0o666,
    };
    let mut file = tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder)
        .map_err(nameless)?;
    file.write_all(bytes)?;
    if let Some(at) = modified {
        // A disk that cannot keep such a time still keeps the bytes.
        let _ = file.as_file().set_modified(at.into());
    }
    Ok(file)
}

/// A fault without the name of a temporary file, which is another one each
/// time.
fn nameless(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}

/// Removes temporary files of [`write_atomically`] that were left in a folder before a time. What
/// cannot be removed stays hidden and harmless.
pub fn remove_leftovers(folder: &Path, before: Timestamp) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|n| n.starts_with(PREFIX) && n.ends_with(SUFFIX));
        let modified = entry.metadata().and_then(|metadata| metadata.modified()).ok();
        let modified = modified.and_then(|at| Timestamp::try_from(at).ok());
        if ours && modified.is_some_and(|at| at < before) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes a folder, and those above it, that only its owner can enter: 0700.
///
/// # Errors
/// If it cannot be made, is no folder, belongs to somebody else and is open to others, or is reached
/// by another user's link in a shared folder.
pub fn create_private_dir(path: &Path) -> io::Result<Mode> {
    let path = &resolve(path)?;
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 == 0 {
        return Ok(Mode::Kept);
    }
    fs::set_permissions(path, Permissions::from_mode(0o700))?;
    Ok(Mode::Tightened)
}

/// Makes sure that a folder's names are on the disk.
///
/// # Errors
/// As the machine says, unless it is that this file system cannot do so.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_atomically(&path, b"one", Access::Private).unwrap();
        write_atomically(&path, b"two", Access::Private).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write_atomically(&link, b"new", Access::Shared).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read(&real).unwrap(), b"new");
    }

    #[test]
    fn another_user_s_link_in_a_shared_folder_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        let (shared, target) = (root.path().join("shared"), root.path().join("target"));
        fs::create_dir(&shared).unwrap();
        fs::create_dir(&target).unwrap();
        fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
        let link = shared.join("link");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        // Only root can make a link that belongs to another user.
        if std::os::unix::fs::lchown(&link, Some(4711), None).is_err() {
            return;
        }
        let path = link.join("a");
        for refused in [
            replace(&path, b"x", Access::Private, None, Care::Quick),
            write_new(&path, b"x", Access::Private, None, Care::Quick),
            create_private_dir(&link).map(|_| ()),
        ] {
            assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        }
        assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
    }

    #[test]
    fn a_fault_names_no_file_of_ours() {
        let fault = write_atomically(Path::new("/none/such/a"), b"new", Access::Shared);
        let fault = fault.unwrap_err();
        assert_eq!(fault.kind(), io::ErrorKind::NotFound);
        assert_eq!(fault.to_string(), "No such file or directory (os error 2)");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::create_dir(&path).unwrap();
        assert!(write_atomically(&path, b"new", Access::Shared).is_err());
        assert!(path.is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_open_to_others_is_tightened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        assert_eq!(create_private_dir(&path).unwrap(), Mode::Kept);
        assert_eq!(mode(&path), 0o700);
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(create_private_dir(&path).unwrap(), Mode::Tightened);
        assert_eq!(mode(&path), 0o700);
    }
}
