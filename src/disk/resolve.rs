//! Follows links as the kernel's `fs.protected_symlinks` does, on every machine: resolving a path
//! before a rename would otherwise go round that protection.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// As many as the kernel follows.
const MAX_LINKS: usize = 40;

/// Sticky, and writable by all.
const SHARED: u32 = 0o1002;

/// Returns a path without links, also for a file that does not exist yet.
///
/// # Errors
/// `PermissionDenied` for another user's link in a sticky folder that all may write to, such as
/// `/tmp`: its owner could have the file written elsewhere.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    resolve_as(path, rustix::process::geteuid().as_raw())
}

fn resolve_as(path: &Path, uid: u32) -> io::Result<PathBuf> {
    let mut done = PathBuf::new();
    let mut left: VecDeque<OsString> = components(path);
    let mut links = 0;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            leave(&mut done);
            continue;
        }
        let next = done.join(&part);
        let Some(link) = link_at(&next)? else {
            done = next;
            continue;
        };
        links += 1;
        if links > MAX_LINKS {
            return Err(io::Error::other("too many links"));
        }
        refuse_foreign(&next, &done, link.uid(), uid)?;
        for part in components(&fs::read_link(&next)?).into_iter().rev() {
            left.push_front(part);
        }
    }
    Ok(if done.as_os_str().is_empty() { PathBuf::from(".") } else { done })
}

/// An absolute one begins with the root, which takes the place of all before it when joined.
fn components(path: &Path) -> VecDeque<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.map(|part| part.as_os_str().to_owned()).collect()
}

/// Goes to the folder above; above the working folder only `..` can be written.
fn leave(done: &mut PathBuf) {
    if done.as_os_str().is_empty() || done.ends_with("..") {
        done.push("..");
    } else {
        done.pop();
    }
}

fn link_at(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata).filter(fs::Metadata::is_symlink)),
        // What is missing, or lies below a file, is no link; using it says what is wrong.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn refuse_foreign(link: &Path, folder: &Path, owner: u32, uid: u32) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if owner == uid || fs::metadata(folder)?.mode() & SHARED != SHARED {
        return Ok(());
    }
    let what = format!("{} is another user's link in a shared folder", link.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn own() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    /// A folder of this mode with a link to a file outside it.
    fn linked(mode: u32) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let real = root.path().canonicalize().unwrap();
        let (folder, target) = (real.join("folder"), real.join("target"));
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        symlink("../target", folder.join("link")).unwrap();
        (root, folder.join("link"), target)
    }

    #[test]
    fn another_user_s_link_is_refused_where_all_may_write() {
        let (_root, link, target) = linked(0o1777);
        assert_eq!(resolve_as(&link, own()).unwrap(), target);
        let refused = resolve_as(&link, own() + 1).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied);
        let below = resolve_as(&link.join("a/b"), own() + 1).unwrap_err();
        assert_eq!(below.kind(), io::ErrorKind::PermissionDenied, "a folder on the way counts");
        for mode in [0o755, 0o777, 0o1755] {
            let (_root, link, target) = linked(mode);
            assert_eq!(resolve_as(&link, own() + 1).unwrap(), target, "{mode:o}");
        }
    }

    #[test]
    fn a_link_behind_a_link_is_looked_at_too() {
        let (root, link, _) = linked(0o1777);
        let first = root.path().join("first");
        symlink(&link, &first).unwrap();
        assert!(resolve_as(&first, own() + 1).is_err());
    }

    #[test]
    fn a_path_is_resolved_as_far_as_it_exists() {
        let (root, _, target) = linked(0o755);
        let real = root.path().canonicalize().unwrap();
        fs::create_dir(&target).unwrap();
        assert_eq!(resolve(&real.join("folder/link/new/file")).unwrap(), target.join("new/file"));
        assert_eq!(resolve(&real.join("folder/link/../x")).unwrap(), real.join("x"));
        assert_eq!(resolve(Path::new("./no/such")).unwrap(), Path::new("no/such"));
        assert_eq!(resolve(Path::new(".")).unwrap(), Path::new("."));
        assert_eq!(resolve(Path::new("../../a")).unwrap(), Path::new("../../a"));
        symlink("self", real.join("self")).unwrap();
        assert!(resolve(&real.join("self")).is_err());
    }
}
