//! A look at what a zip64 says about its size, before anything is reserved for it.

use std::io;

use super::super::read::Unread;
use super::medium::Medium;

const END: &[u8] = b"PK\x05\x06";
const LOCATOR: &[u8] = b"PK\x06\x07";
const END64: &[u8] = b"PK\x06\x06";

/// The end record, and the longest comment behind it.
const END_BYTES: usize = 22 + 65_535;
const LOCATOR_BYTES: usize = 20;
const END64_BYTES: usize = 56;

/// Refuses a zip64 that announces more entries than these, or whose record of them is not where it
/// should be. (Any other zip announces 65,535 at most.)
pub(super) fn check(medium: &Medium, most: usize) -> Result<(), Unread> {
    let length = medium.length();
    let tail = (END_BYTES + LOCATOR_BYTES) as u64;
    let from = length.saturating_sub(tail);
    let bytes = exactly(medium, from, usize::try_from(length - from).unwrap_or_default())?;
    for at in find(&bytes, END) {
        let locator = at.checked_sub(LOCATOR_BYTES).and_then(|at| bytes.get(at..));
        let Some(locator) = locator.filter(|locator| locator.starts_with(LOCATOR)) else {
            continue;
        };
        let end64 = number(locator, 8).unwrap_or(u64::MAX);
        let locator_at = from + (at - LOCATOR_BYTES) as u64;
        check_end64(medium, end64, locator_at, most)?;
    }
    Ok(())
}

fn check_end64(medium: &Medium, at: u64, locator_at: u64, most: usize) -> Result<(), Unread> {
    let misplaced = || Unread::Defect("the end of its directory is not where it says".to_owned());
    if at.checked_add(END64_BYTES as u64).is_none_or(|end| end > locator_at) {
        return Err(misplaced());
    }
    let record = exactly(medium, at, END64_BYTES)?;
    let size = number(&record, 4).and_then(|size| size.checked_add(12));
    if !record.starts_with(END64) || size != Some(locator_at - at) {
        return Err(misplaced());
    }
    match number(&record, 32) {
        Some(entries) if entries <= most as u64 => Ok(()),
        _ => Err(Unread::Defect(format!("has more than {most} entries"))),
    }
}

fn exactly(medium: &Medium, at: u64, length: usize) -> Result<Vec<u8>, Unread> {
    let mut bytes = vec![0; length];
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match medium.read_at(rest, at + done as u64) {
            Ok(0) => return Err(Unread::Defect("shorter than it was".to_owned())),
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Unread::Io(error)),
        }
    }
    Ok(bytes)
}

fn find<'a>(bytes: &'a [u8], magic: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    bytes.windows(magic.len()).enumerate().filter(move |(_, at)| *at == magic).map(|(at, _)| at)
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight))
}
