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
const MAX_BYTES: u64 = 256 * 1024 * 1024;

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
    let mut bytes = Vec::new();
    let read = match packing {
        Packing::Plain => file.take(MAX_BYTES + 1).read_to_end(&mut bytes),
        Packing::Gzip => MultiGzDecoder::new(BufReader::new(file))
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes),
    };
    match (read, packing) {
        (Ok(_), _) if exceeds(bytes.len()) => Err(Unread::Defect(too_large())),
        (Ok(_), _) => Ok(bytes),
        (Err(error), Packing::Gzip) if is_defect(error.kind()) => {
            Err(Unread::Defect(format!("cannot be unzipped: {error}")))
        }
        (Err(error), _) => Err(Unread::Io(error)),
    }
}

fn exceeds(length: usize) -> bool {
    u64::try_from(length).map_or(true, |length| length > MAX_BYTES)
}

fn too_large() -> String {
    format!("larger than {} MiB", MAX_BYTES / (1024 * 1024))
}

/// How the decoder says that the packing is broken, as opposed to the disk.
fn is_defect(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
    )
}

/// The row of a file; `None` if it has gone since it was found.
pub(super) fn row(found: &Found) -> Option<Activity> {
    let read = if found.packing == Packing::Plain && found.stamp.size > MAX_BYTES {
        Err(Unread::Defect(too_large()))
    } else {
        bytes(&found.path, found.packing)
    };
    let (mut row, lasting) = match read {
        Ok(bytes) => (row::of_bytes(&found.id, &bytes), true),
        Err(Unread::Io(error)) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(unread) => {
            let lasting = match unread {
                Unread::Io(_) => false,
                Unread::Defect(_) => true,
            };
            let stamp = Sha256::of(found.stamp.to_string().as_bytes());
            let reason = Unusable::Unreadable {
                detail: unread.to_string(),
            };
            let row = Activity::unusable(found.id.clone(), Fingerprint::of_bytes(&stamp), reason);
            (row, lasting)
        }
    };
    row.title = title_of_stem(path::stem(&found.id), &row.kind);
    row.hint = (lasting && found.settled).then(|| found.stamp.to_string());
    Some(row)
}

/// The type that a file's content tells.
pub(super) fn kind(bytes: &[u8]) -> ActivityType {
    fit::read(bytes).map_or_else(|_| ActivityType::other(), |content| content.kind())
}
