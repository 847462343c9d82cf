//! Giving files their names without ever taking one from another file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::domain::FileName;

use super::disk::{self, Access, Care};

/// Files of one name that a folder may hold.
const MAX_OF_A_NAME: usize = 1000;

/// Whether a file had to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// It was.
    New,
    /// One with the same bytes stood there.
    There,
}

/// Places bytes in a folder under the first of a name's numbers that is free or holds the same
/// already; other bytes are never overwritten.
///
/// # Errors
/// If they cannot be written with that care, or a thousand other files have the name.
pub fn place(
    folder: &Path,
    name: &FileName,
    bytes: &[u8],
    access: Access,
    modified: Option<Timestamp>,
    care: Care,
) -> io::Result<(PathBuf, Placed)> {
    for ordinal in 1..=MAX_OF_A_NAME {
        let path = folder.join(name.nth(ordinal));
        if holds(&path, bytes) {
            return Ok((path, Placed::There));
        }
        match disk::write_new(&path, bytes, access, modified, care) {
            Ok(()) => return Ok((path, Placed::New)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    let many = format!("{MAX_OF_A_NAME} files are named {}", name.nth(1));
    Err(io::Error::new(io::ErrorKind::AlreadyExists, many))
}

fn holds(path: &Path, bytes: &[u8]) -> bool {
    let length = fs::metadata(path).map(|metadata| metadata.len());
    length.is_ok_and(|length| length == bytes.len() as u64)
        && fs::read(path).is_ok_and(|there| there == bytes)
}
