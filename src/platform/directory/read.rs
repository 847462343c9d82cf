//! From a file to the row that describes it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::domain::{
    Activity, ActivityType, Content, Fingerprint, Part, RemoteId, Sha256, Unusable, title_of_stem,
};
use crate::fit;

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
        Ok(bytes) => (of_bytes(&found.id, &bytes), true),
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

/// What the bytes tell; title and hint are not theirs.
fn of_bytes(id: &RemoteId, bytes: &[u8]) -> Activity {
    let sha256 = Sha256::of(bytes);
    let fingerprint = Fingerprint::of_bytes(&sha256);
    let mut row = match fit::read(bytes) {
        Ok(content) => of_content(id, fingerprint, content),
        Err(reason) => Activity::unusable(id.clone(), fingerprint, reason),
    };
    row.sha256 = Some(sha256);
    row
}

fn of_content(id: &RemoteId, fingerprint: Fingerprint, content: Content) -> Activity {
    let key = content.key();
    Activity {
        id: id.clone(),
        fingerprint,
        start: key.map(|(key, _)| key.start),
        weak_start: key.is_some_and(|(_, weak)| weak),
        elapsed_s: key.and_then(|(key, _)| key.elapsed_s),
        timer_s: content.timer_s(),
        local_offset_s: content.parts.iter().find_map(|part| part.local_offset_s),
        kind: content.kind(),
        title: None,
        distance_m: content.distance_m(),
        device: content.parts.iter().find_map(device),
        sha256: None,
        unusable: fit::several_activities(&content).then_some(Unusable::SeveralActivities),
        content: Some(content),
        private: None,
        hint: None,
    }
}

/// The device's name, else the numbers of maker and product.
fn device(part: &Part) -> Option<String> {
    fit::device_name(part).or_else(|| {
        let (maker, product) = (part.manufacturer?, part.product?);
        Some(format!("{maker}/{product}"))
    })
}

/// The type that a file's content tells.
pub(super) fn kind(bytes: &[u8]) -> ActivityType {
    fit::read(bytes).map_or_else(|_| ActivityType::other(), |content| content.kind())
}
