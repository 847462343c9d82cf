//! The original out of the zip in which Garmin hands it out.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use crate::domain::Sha256;
use crate::platform::PlatformError;

/// Larger than any activity.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

fn is_fit(name: Result<std::borrow::Cow<'_, str>, zip::result::ZipError>) -> bool {
    name.is_ok_and(|name| name.to_lowercase().ends_with(".fit"))
}

/// What every zip begins with; the page of a gateway does not.
const ZIP: &[u8] = b"PK";

/// The first FIT file in a zip, whole: sizes come from its central directory, its sum is checked.
pub(super) fn original(zipped: &[u8]) -> Result<Vec<u8>, PlatformError> {
    if !zipped.starts_with(ZIP) {
        return Err(PlatformError::Protocol("the download is no zip".to_owned()));
    }
    let corrupt = |why: &str| PlatformError::Broken {
        problem: format!("no whole zip: {why}"),
        sha256: Sha256::of(zipped),
    };
    let mut archive =
        ZipArchive::new(Cursor::new(zipped)).map_err(|error| corrupt(&error.to_string()))?;
    let index = (0..archive.len()).find(|index| archive.name_for_index(*index).is_some_and(is_fit));
    // Uploaded as another format: there is no original that could be synced.
    let index = index.ok_or(PlatformError::NotFound)?;
    let entry = archive.by_index(index).map_err(|error| corrupt(&error.to_string()))?;
    let mut bytes = Vec::new();
    entry
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| corrupt(&error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(corrupt("its file is far too large"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn the_first_fit_file_is_the_original() {
        let zip = zipped(&[("a.json", b"{}"), ("7_ACTIVITY.FIT", b"fit bytes"), ("b.fit", b"x")]);
        assert_eq!(original(&zip).unwrap(), b"fit bytes");
        assert_eq!(original(&zipped(&[("7.gpx", b"<gpx>")])), Err(PlatformError::NotFound));
        assert_eq!(original(&zipped(&[])), Err(PlatformError::NotFound));
    }

    #[test]
    fn half_a_zip_and_a_changed_one_are_no_originals() {
        let zip = zipped(&[("a.fit", &[7; 500])]);
        let half = &zip[..zip.len() / 2];
        assert!(matches!(original(half), Err(PlatformError::Broken { .. })));
        for other in [&b"<html>"[..], b""] {
            assert!(matches!(original(other), Err(PlatformError::Protocol(_))));
        }
        let mut changed = zip;
        changed[40] ^= 0xff;
        assert!(matches!(original(&changed), Err(PlatformError::Broken { .. })));
    }
}
