//! What a zip's directory lists, sorted into what is read and what is not.

use zip::CompressionMethod;
use zip::read::{ZipArchiveMetadata, ZipFileEntry};

use super::super::path::Packing;
use super::name::{Named, named};

/// An entry that is an activity or may hold some.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Place in the directory.
    pub(super) index: usize,
    /// Path inside its zip, harmless.
    pub(super) path: String,
    /// What to do with it.
    pub(super) what: What,
    /// Bytes as they are in the zip.
    pub(super) packed: u64,
    /// Bytes unzipped, as the directory says.
    pub(super) size: u64,
    /// Checksum, as the directory says.
    pub(super) crc: u32,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A FIT file.
    Activity(Packing),
    /// A zip of its own.
    Zip,
    /// Not to be read, and why.
    Unusable(String),
}

/// A whole directory.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// In the directory's order.
    pub(super) named: Vec<Member>,
    /// Files that are neither FIT files nor zips.
    pub(super) others: usize,
    /// Files whose names, or whose folders' names, begin with a dot.
    pub(super) hidden: usize,
}

/// Sorts a directory.
pub(super) fn members(directory: &ZipArchiveMetadata) -> Members {
    let mut found = Members::default();
    let mut shares = overlapping(directory).into_iter().peekable();
    for index in 0..directory.len() {
        let shared = shares.next_if_eq(&index).is_some();
        let Ok(entry) = directory.entry(index) else { continue };
        if entry.is_dir() {
            continue;
        }
        match named(&name_of(&entry)) {
            Named::Hidden => found.hidden += 1,
            Named::Other => found.others += 1,
            Named::Outside(path) => {
                let why = "its name leads out of the zip".to_owned();
                found.named.push(member(&entry, index, path, What::Unusable(why)));
            }
            Named::Activity(path, packing) => {
                let what = readable(&entry, shared, What::Activity(packing));
                found.named.push(member(&entry, index, path, what));
            }
            Named::Zip(path) => {
                let what = readable(&entry, shared, What::Zip);
                found.named.push(member(&entry, index, path, what));
            }
        }
    }
    if directory.has_duplicate_names() {
        let why = "several entries have the same name; only the last of each can be read";
        found.named.push(Member {
            index: directory.len(),
            path: "(entries of the same name)".to_owned(),
            what: What::Unusable(why.to_owned()),
            packed: 0,
            size: 0,
            crc: 0,
        });
    }
    found
}

/// How one entry is packed, if it is an activity.
pub(super) fn packing(entry: &ZipFileEntry<'_>) -> Option<Packing> {
    match named(&name_of(entry)) {
        Named::Activity(_, packing) => Some(packing),
        Named::Zip(_) | Named::Outside(_) | Named::Hidden | Named::Other => None,
    }
}

fn member(entry: &ZipFileEntry<'_>, index: usize, path: String, what: What) -> Member {
    let (packed, size, crc) = (entry.compressed_size(), entry.size(), entry.crc32());
    Member { index, path, what, packed, size, crc }
}

fn readable(entry: &ZipFileEntry<'_>, shared: bool, what: What) -> What {
    if entry.encrypted() {
        What::Unusable("encrypted; unzip it with its password into a folder".to_owned())
    } else if entry.is_symlink() {
        What::Unusable("a link, not a file".to_owned())
    } else if !matches!(
        entry.compression(),
        CompressionMethod::Stored | CompressionMethod::Deflated
    ) {
        What::Unusable(format!("packed by {}, which is not supported", entry.compression()))
    } else if shared {
        What::Unusable("shares its bytes with another entry, as zip bombs do".to_owned())
    } else {
        what
    }
}

/// As its flags say; else whatever can be told of its bytes.
fn name_of(entry: &ZipFileEntry<'_>) -> String {
    let lossy = || String::from_utf8_lossy(entry.name_raw()).into_owned();
    entry.name().map_or_else(|_| lossy(), |name| name.into_owned())
}

/// Entries that begin inside another one, in the directory's order.
fn overlapping(directory: &ZipArchiveMetadata) -> Vec<usize> {
    /// Bytes of an entry's own header, without its name.
    const HEADER: u64 = 30;
    let mut stretches: Vec<(u64, u64, usize)> = (0..directory.len())
        .filter_map(|index| {
            let entry = directory.entry(index).ok()?;
            let start = entry.header_start();
            let length = HEADER.saturating_add(entry.compressed_size());
            Some((start, start.saturating_add(length), index))
        })
        .collect();
    stretches.sort_unstable();
    let mut reached = 0;
    let mut inside = Vec::new();
    for (start, end, index) in stretches {
        if start < reached {
            inside.push(index);
        }
        reached = reached.max(end);
    }
    inside.sort_unstable();
    inside
}
