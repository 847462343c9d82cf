//! Finding the files of a folder, and reading those that are not known yet on all cores.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use walkdir::{DirEntry, WalkDir};

use crate::domain::{Activity, Note, RemoteId, neutralise};
use crate::platform::PlatformError;

use super::path::{self, Packing};
use super::read::FileRow;
use super::{cores, marker, read, write};

/// A file may change twice within what a file system tells apart, so a fresh time says nothing.
const SETTLES_AFTER_NS: i128 = 2_000_000_000;
/// Raised when rows of the same bytes come to look different.
const ROWS: u32 = 1;

/// What a file looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Bytes on the disk.
    pub(super) size: u64,
    /// Last change of its bytes, nanoseconds since 1970.
    modified_ns: i128,
    /// Last change of anything about it, which nobody can set.
    changed_ns: i128,
    inode: u64,
}

impl Stamp {
    /// Of a file on the disk.
    pub(super) fn of(metadata: &Metadata) -> Self {
        let modified_ns = metadata.modified().map_or(0, since_1970);
        let changed_ns =
            i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        Self { size: metadata.len(), modified_ns, changed_ns, inode: metadata.ino() }
    }

    /// What of it stays the same while its bytes do, whatever is done to its name and mode.
    pub(super) fn of_bytes(&self) -> String {
        format!("{ROWS}:{}:{}", self.size, self.modified_ns)
    }

    /// Whether it is old enough to tell the next change.
    pub(super) fn is_settled(self, now: Timestamp) -> bool {
        self.modified_ns < now.as_nanosecond() - SETTLES_AFTER_NS
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.of_bytes(), self.changed_ns, self.inode)
    }
}

/// A file that may be an activity.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) id: RemoteId,
    pub(super) path: PathBuf,
    pub(super) packing: Packing,
    pub(super) stamp: Stamp,
    /// Whether the stamp is old enough to tell the next change.
    pub(super) settled: bool,
}

/// What a walk through a folder has found.
#[derive(Debug)]
pub(super) struct Tree {
    /// By path.
    pub(super) files: Vec<Found>,
    pub(super) notes: Vec<Note>,
    /// False if a part could not be looked into.
    pub(super) complete: bool,
    /// Whether something has gone between being found and being looked at.
    pub(super) vanished: bool,
}

/// What the files of a tree are.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// One per file, newest first.
    pub(super) activities: Vec<Activity>,
    /// The files whose bytes could not be had now.
    pub(super) unopened: Vec<Note>,
    /// Whether a file has gone since it was found.
    pub(super) vanished: bool,
}

/// Looks through a folder; `now` tells which files are too fresh to be known again.
pub(super) fn walk(root: &Path, now: Timestamp) -> Result<Tree, PlatformError> {
    // The root's own faults are the account's, not a note's.
    std::fs::read_dir(root).map_err(|error| write::root_failed(&error))?;
    let mut walk = Walk::default();
    let mut entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    while let Some(entry) = entries.next() {
        match entry {
            Ok(entry) if entry.depth() > 0 && is_ignored(entry.file_name()) => {
                walk.ignore(entry.file_name(), entry.depth());
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
            }
            Ok(entry) => walk.visit(root, &entry),
            Err(error) => walk.fault(root, &error),
        }
    }
    Ok(walk.finish(now))
}

/// Names that are never looked at: hidden ones, and what a file system check keeps for itself at the
/// root of a disk, closed to everybody.
fn is_ignored(name: &OsStr) -> bool {
    path::is_hidden(name) || name == "lost+found"
}

#[derive(Default)]
struct Walk {
    relative: Vec<PathBuf>,
    files: Vec<(PathBuf, Packing, Stamp)>,
    notes: Vec<Note>,
    incomplete: bool,
    vanished: bool,
    dot_files: usize,
    dangling: usize,
}

impl Walk {
    fn ignore(&mut self, name: &OsStr, depth: usize) {
        let ours =
            name.to_str().is_some_and(write::is_temporary) || (depth == 1 && name == marker::NAME);
        if path::is_hidden(name) && !ours {
            self.dot_files += 1;
        }
    }

    fn visit(&mut self, root: &Path, entry: &DirEntry) {
        let name = entry.file_name().to_string_lossy();
        let (Some(packing), true) = (path::packing(&name), entry.file_type().is_file()) else {
            return;
        };
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            Err(error) => return self.fault(root, &error),
        };
        let stamp = Stamp::of(&metadata);
        self.relative.push(relative(root, entry.path()));
        self.files.push((entry.path().to_path_buf(), packing, stamp));
    }

    fn fault(&mut self, root: &Path, error: &walkdir::Error) {
        let path = error.path().unwrap_or(root);
        if let Some(name) = path.file_name().filter(|name| is_ignored(name)) {
            return self.ignore(name, error.depth());
        }
        let kind = error.io_error().map(io::Error::kind);
        let message = if let Some(ancestor) = error.loop_ancestor() {
            let ancestor = shown(&relative(root, ancestor));
            format!("a link back to its own folder {ancestor} is not followed")
        } else if kind == Some(io::ErrorKind::NotFound) {
            // Either a link to nothing, or removed since its folder was read.
            match path.symlink_metadata() {
                Ok(_) => self.dangling += 1,
                Err(_) => self.vanished = true,
            }
            return;
        } else {
            self.incomplete = true;
            let why = error.io_error().map_or_else(|| error.to_string(), io::Error::to_string);
            format!("cannot be read: {why}")
        };
        self.notes.push(Note { subject: shown(&relative(root, path)), message });
    }

    fn finish(mut self, now: Timestamp) -> Tree {
        let ignored: Vec<String> =
            [counted(self.dot_files, "dot-file"), counted(self.dangling, "dangling link")]
                .into_iter()
                .flatten()
                .collect();
        if !ignored.is_empty() {
            self.notes.push(Note {
                subject: ".".to_owned(),
                message: format!("{} ignored", ignored.join(" and ")),
            });
        }
        let files = path::ids(&self.relative)
            .into_iter()
            .zip(self.files)
            .map(|(id, (path, packing, stamp))| Found {
                id,
                path,
                packing,
                stamp,
                settled: stamp.is_settled(now),
            })
            .collect();
        Tree { files, notes: self.notes, complete: !self.incomplete, vanished: self.vanished }
    }
}

pub(super) fn counted(count: usize, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{count} {what}s")),
    }
}

fn relative(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_path_buf()
}

fn shown(relative: &Path) -> String {
    if relative.as_os_str().is_empty() {
        ".".to_owned()
    } else {
        neutralise(&relative.to_string_lossy())
    }
}

fn since_1970(time: SystemTime) -> i128 {
    let nanoseconds =
        |duration: std::time::Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => nanoseconds(after),
        Err(before) => -nanoseconds(before.duration()),
    }
}

/// Reads the rows of files. Those that look as they did when `known` was read are not opened; the
/// others are read by so many threads.
pub(super) fn rows(files: &[Found], known: &HashMap<RemoteId, Activity>, threads: usize) -> Rows {
    let (activities, unread): (Vec<Activity>, Vec<&Found>) = split(files, known);
    let mut rows = Rows { activities, ..Rows::default() };
    for read in cores::spread(&unread, threads, |found| read::row(found)) {
        match read {
            FileRow::Read(row) => rows.activities.push(row),
            FileRow::Unopened(row, message) => {
                rows.unopened.push(Note { subject: row.id.to_string(), message });
                rows.activities.push(row);
            }
            FileRow::Vanished => rows.vanished = true,
        }
    }
    newest_first(&mut rows.activities);
    rows.unopened.sort_by(|a, b| a.subject.cmp(&b.subject));
    rows
}

/// The order in which platforms list.
pub(super) fn newest_first(rows: &mut [Activity]) {
    rows.sort_unstable_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
}

fn split<'a>(
    files: &'a [Found],
    known: &HashMap<RemoteId, Activity>,
) -> (Vec<Activity>, Vec<&'a Found>) {
    let mut rows = Vec::with_capacity(files.len());
    let mut unread = Vec::new();
    for found in files {
        let stamp = found.stamp.to_string();
        match known.get(&found.id) {
            Some(row) if row.hint.as_deref() == Some(stamp.as_str()) => rows.push(row.clone()),
            _ => unread.push(found),
        }
    }
    (rows, unread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_do_not_depend_on_the_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..40 {
            let path = folder.path().join(format!("{}.fit", number * 7 % 40));
            std::fs::write(path, format!("broken {number}")).unwrap();
        }
        let tree = walk(folder.path(), Timestamp::MAX).unwrap();
        let one = rows(&tree.files, &HashMap::new(), 1).activities;
        assert_eq!(one.len(), 40);
        for threads in [2, 7, 100] {
            assert_eq!(rows(&tree.files, &HashMap::new(), threads).activities, one);
        }
    }

    #[test]
    fn a_file_that_has_gone_since_it_was_found_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.fit", "b.fit"] {
            std::fs::write(folder.path().join(name), "broken").unwrap();
        }
        let tree = walk(folder.path(), Timestamp::MAX).unwrap();
        assert!(!tree.vanished && !rows(&tree.files, &HashMap::new(), 1).vanished);
        std::fs::remove_file(folder.path().join("a.fit")).unwrap();
        let rows = rows(&tree.files, &HashMap::new(), 1);
        assert!(rows.vanished && rows.activities.len() == 1);
    }

    #[test]
    fn what_a_file_system_check_keeps_is_not_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("lost+found")).unwrap();
        std::fs::write(folder.path().join("lost+found/a.fit"), "x").unwrap();
        let tree = walk(folder.path(), Timestamp::MAX).unwrap();
        assert!(tree.files.is_empty() && tree.notes.is_empty() && tree.complete);
    }
}
