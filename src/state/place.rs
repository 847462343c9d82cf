//! Whether the state lies where SQLite's locks and shared memory can be relied on.

use std::path::{Path, PathBuf};

/// What kind of file system a file lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A disk of this machine.
    Local,
    /// Somebody else's disk, or one that cannot be told from it.
    Network,
}

impl Place {
    /// Of a file, or of its folder where the file is missing.
    pub(super) fn of(path: &Path) -> Self {
        let stat = rustix::fs::statfs(path).or_else(|_| rustix::fs::statfs(folder_of(path)));
        match stat {
            Ok(stat) => kind(&stat, path),
            Err(_) => Self::Local,
        }
    }
}

/// The folder that a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."))
}

/// The file that has a suffix after its whole name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// NFS, SMB, CIFS, SMB2, AFS, Ceph and 9P (Windows' drives under WSL): `linux/magic.h` (2026-08).
#[cfg(target_os = "linux")]
const NETWORK: [u64; 7] = [
    0x6969,
    0x517b,
    0xff53_4d42,
    0xfe53_4d42,
    0x5346_414f,
    0x00c3_6400,
    0x0102_1997,
];

#[cfg(target_os = "linux")]
const FUSE: u64 = 0x6573_5546;

/// FUSE file systems that pass everything on to a local one; any other may be SSHFS or its like.
#[cfg(target_os = "linux")]
const LOCAL_FUSE: [&str; 5] = [
    "fuseblk",
    "fuse.bindfs",
    "fuse.fuse-overlayfs",
    "fuse.gocryptfs",
    "fuse.mergerfs",
];

#[cfg(target_os = "linux")]
fn kind(stat: &rustix::fs::StatFs, path: &Path) -> Place {
    let Ok(magic) = u64::try_from(stat.f_type) else {
        return Place::Local;
    };
    let far = if magic == FUSE {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let device = rustix::fs::stat(folder_of(path)).map(|stat| stat.st_dev);
        !device.is_ok_and(|device| {
            let device = (rustix::fs::major(device), rustix::fs::minor(device));
            mounted_as(&mounts, device).is_some_and(|kind| LOCAL_FUSE.contains(&kind))
        })
    } else {
        NETWORK.contains(&magic)
    };
    if far { Place::Network } else { Place::Local }
}

/// The type of the file system on a device, by `proc_pid_mountinfo(5)`:
/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`.
#[cfg(target_os = "linux")]
fn mounted_as(mounts: &str, (major, minor): (u32, u32)) -> Option<&str> {
    let device = format!("{major}:{minor}");
    let line = mounts
        .lines()
        .find(|line| line.split(' ').nth(2) == Some(device.as_str()))?;
    line.split_once(" - ")?.1.split(' ').next()
}

/// `MNT_LOCAL` of macOS' `sys/mount.h` is not set.
#[cfg(not(target_os = "linux"))]
fn kind(stat: &rustix::fs::StatFs, _path: &Path) -> Place {
    if stat.f_flags & 0x1000 == 0 {
        Place::Network
    } else {
        Place::Local
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_mount_is_found_by_its_device() {
        let mounts = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
                      90 22 0:54 / /mnt/far rw,nosuid shared:9 - fuse.sshfs me@far:/ rw\n";
        assert_eq!(mounted_as(mounts, (0, 54)), Some("fuse.sshfs"));
        assert_eq!(mounted_as(mounts, (8, 1)), Some("ext4"));
        assert_eq!(mounted_as(mounts, (0, 55)), None);
    }

    #[test]
    fn a_missing_file_is_where_its_folder_is() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("state.db");
        assert_eq!(Place::of(&missing), Place::of(folder.path()));
        assert_eq!(folder_of(Path::new("state.db")), Path::new("."));
    }
}
