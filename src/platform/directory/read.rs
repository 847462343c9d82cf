//! From a file to the row that describes it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::domain::{Activity, ActivityType, Fingerprint, Sha256, Unusable, title_of_stem};
use crate::fit;
use crate::platform::row;

use super::path::{self, Packing};
use super::scan::Found;

/// Largest activity, in unzipped bytes: weeks of records stay far below, a zip bomb does not.
pub(super) const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Why a file's bytes cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// The machine could not give them now.
    #[error("cannot be opened: {0}")]
    Io(io::Error),
    /// The file itself is at fault; its bytes are not of use while they stay the same.
    #[error("{0}")]
    Defect(String),
}

/// A file's bytes, unzipped.
pub(super) fn bytes(path: &Path, packing: Packing) -> Result<Vec<u8>, Unread> {
    let file = File::open(path).map_err(Unread::Io)?;
    unpacked(file, packing, MAX_BYTES)
}

/// Reads no more than `most` bytes, whatever they unzip to.
pub(super) fn unpacked(packed: impl Read, packing: Packing, most: u64) -> Result<Vec<u8>, Unread> {
    let mut bytes = Vec::new();
    let read = match packing {
        Packing::Plain => packed.take(most + 1).read_to_end(&mut bytes),
        Packing::Gzip => {
            MultiGzDecoder::new(BufReader::new(packed)).take(most + 1).read_to_end(&mut bytes)
        }
    };
    match (read, packing) {
        (Ok(_), _) if exceeds(bytes.len(), most) => Err(Unread::Defect(too_large())),
        (Ok(_), _) => Ok(bytes),
        (Err(error), Packing::Gzip) if is_defect(error.kind()) => {
            Err(Unread::Defect(format!("cannot be unzipped: {error}")))
        }
        (Err(error), _) => Err(Unread::Io(error)),
    }
}

fn exceeds(length: usize, most: u64) -> bool {
    u64::try_from(length).map_or(true, |length| length > most)
}

fn too_large() -> String {
    format!("larger than {} MiB", MAX_BYTES / (1024 * 1024))
}

/// How the decoder says that the packing is broken, as opposed to the disk.
pub(super) fn is_defect(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

/// A file that was found, and read.
pub(super) enum FileRow {
    /// What the file is.
    Read(Activity),
    /// The machine could not give its bytes now, for this reason; the row stands for it.
    Unopened(Activity, String),
    /// It has gone since it was found.
    Vanished,
}

/// Reads the row of a file.
pub(super) fn row(found: &Found) -> FileRow {
    let read = if found.packing == Packing::Plain && found.stamp.size > MAX_BYTES {
        Err(Unread::Defect(too_large()))
    } else {
        bytes(&found.path, found.packing)
    };
    let described = |mut row: Activity| {
        row.title = title_of_stem(path::stem(&found.id), &row.kind);
        row
    };
    let unusable = |reason: Unusable| {
        let bytes = Sha256::of(found.stamp.of_bytes().as_bytes());
        Activity::unusable(found.id.clone(), Fingerprint::of_bytes(&bytes), reason)
    };
    let row = match read {
        Ok(bytes) => row::of_bytes(&found.id, &bytes),
        Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
            return FileRow::Vanished;
        }
        Err(unread @ Unread::Io(_)) => {
            let detail = unread.to_string();
            let reason = Unusable::Unopened { detail: detail.clone() };
            return FileRow::Unopened(described(unusable(reason)), detail);
        }
        Err(Unread::Defect(detail)) => unusable(Unusable::Unreadable { detail }),
    };
    let hint = found.settled.then(|| found.stamp.to_string());
    FileRow::Read(Activity { hint, ..described(row) })
}

/// The type that a file's content tells.
pub(super) fn kind(bytes: &[u8]) -> ActivityType {
    fit::read(bytes).map_or_else(|_| ActivityType::other(), |content| content.kind())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unzipped(packed: &[u8]) -> Result<Vec<u8>, Unread> {
        unpacked(packed, Packing::Gzip, 1000)
    }

    #[test]
    fn members_are_joined_and_what_grows_too_large_is_cut_off() {
        let two = [gzip(b"one"), gzip(b"two")].concat();
        assert_eq!(unzipped(&two).unwrap(), b"onetwo");
        assert_eq!(unzipped(&gzip(&[0; 1000])).unwrap().len(), 1000);
        let bomb = unzipped(&gzip(&[0; 1_000_000]));
        assert!(matches!(bomb, Err(Unread::Defect(_))));
    }

    #[test]
    fn broken_packing_is_the_file_s_fault() {
        let whole = gzip(b"one");
        for packed in [&whole[..whole.len() - 3], b"plain text", b""] {
            assert!(matches!(unzipped(packed), Err(Unread::Defect(_))));
        }
    }
}
