//! The file that tells a destination folder from an empty mount point.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::{ProfileId, Sha256};
use crate::platform::PlatformError;

use super::write::{self, Placed};

/// Its name in the root of a destination.
pub(super) const NAME: &str = ".fit_sync-id";
const FORMAT: &str = "fit_sync.directory/1";

#[derive(Serialize, Deserialize)]
struct Marker {
    format: String,
    id: String,
}

/// The id in the folder's marker; `None` without a marker or without a folder.
pub(super) fn read(root: &Path) -> Result<Option<ProfileId>, PlatformError> {
    let text = match fs::read_to_string(root.join(NAME)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if root.is_dir() => return Err(broken(&error)),
        Err(error) => return Err(write::root_failed(&error)),
    };
    let marker: Marker = serde_json::from_str(&text).map_err(|error| broken(&error))?;
    if marker.format != FORMAT {
        return Err(broken(&format!("unknown format '{}'", marker.format)));
    }
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if marker.id.len() != 32 || !marker.id.chars().all(hex) {
        return Err(broken(&"its id is not 32 hex digits"));
    }
    Ok(Some(ProfileId::new(marker.id)))
}

/// The id in the folder's marker, which is made of these random bytes and its name if there is none:
/// where the bytes are given, two folders still get two ids.
pub(super) fn read_or_create(root: &Path, random: [u8; 16]) -> Result<ProfileId, PlatformError> {
    if let Some(id) = read(root)? {
        return Ok(id);
    }
    let name = root.file_name().unwrap_or_default().as_encoded_bytes();
    let id: String = Sha256::of(&[&random, name].concat()).as_str().chars().take(32).collect();
    let marker = Marker { format: FORMAT.to_owned(), id: id.clone() };
    let text = serde_json::to_string(&marker).map_err(|error| broken(&error))?;
    let temporary = write::temporary(root, random, format!("{text}\n").as_bytes())?;
    match write::place(temporary, &root.join(NAME))? {
        Placed::Done => Ok(ProfileId::new(id)),
        // Somebody else was faster; theirs is the folder's id.
        Placed::Taken(_) => read(root)?.ok_or_else(|| broken(&"it vanished")),
    }
}

fn broken(why: &dyn std::fmt::Display) -> PlatformError {
    PlatformError::Permanent(format!("the folder's marker {NAME} cannot be used: {why}"))
}
