//! A stretch of a file as something to read and seek in, by many at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes read ahead: a directory is read in pieces of a few bytes.
const AHEAD: u64 = 4096;

/// A zip's bytes: a whole file, or a stored zip inside another one.
#[derive(Clone, Debug)]
pub(super) struct Medium {
    file: Arc<File>,
    start: u64,
    length: u64,
}

impl Medium {
    /// A whole file.
    pub(super) fn whole(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), start: 0, length })
    }

    /// A part of it; `None` if there is not so much.
    pub(super) fn part(&self, start: u64, length: u64) -> Option<Self> {
        let end = start.checked_add(length)?;
        let inside = end <= self.length;
        inside.then(|| Self { file: Arc::clone(&self.file), start: self.start + start, length })
    }

    /// Its number of bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// A reader that gives no more than so many bytes in all.
    pub(super) fn reader(&self, most: u64) -> Reader<'_> {
        Reader { medium: self, at: 0, left: most, ahead: Vec::new(), ahead_at: 0 }
    }

    /// The bytes from there on, as many as there are and fit.
    pub(super) fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let there = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let wanted = there.min(buffer.len());
        match buffer.get_mut(..wanted) {
            Some(buffer) if wanted > 0 => self.file.read_at(buffer, self.start + at),
            _ => Ok(0),
        }
    }
}

/// A place in a medium.
pub(super) struct Reader<'a> {
    medium: &'a Medium,
    at: u64,
    left: u64,
    ahead: Vec<u8>,
    ahead_at: u64,
}

impl Reader<'_> {
    fn buffered(&self) -> &[u8] {
        let skip = self.at.checked_sub(self.ahead_at).and_then(|skip| usize::try_from(skip).ok());
        skip.and_then(|skip| self.ahead.get(skip..)).unwrap_or_default()
    }

    fn fill(&mut self) -> io::Result<()> {
        let length = usize::try_from(AHEAD.min(self.left)).unwrap_or_default();
        self.ahead.resize(length, 0);
        let read = self.medium.read_at(&mut self.ahead, self.at);
        self.ahead.truncate(*read.as_ref().unwrap_or(&0));
        self.ahead_at = self.at;
        read.map(|_| ())
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && self.at < self.medium.length && !buffer.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its directory is too large"));
        }
        let large = buffer.len() as u64 >= AHEAD;
        if self.buffered().is_empty() && !large {
            self.fill()?;
        }
        let read = match self.buffered() {
            [] => {
                let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
                self.medium.read_at(buffer.get_mut(..most).unwrap_or_default(), self.at)?
            }
            mut ahead => ahead.read(buffer)?,
        };
        self.at += read as u64;
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

impl Seek for Reader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.medium.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let before = || io::Error::new(io::ErrorKind::InvalidInput, "before the beginning");
        self.at = at.ok_or_else(before)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn medium(bytes: &[u8]) -> Medium {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Medium::whole(file).unwrap()
    }

    #[test]
    fn a_part_is_read_like_a_file() {
        let bytes: Vec<u8> = (0..20_000u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let whole = medium(&bytes);
        let part = whole.part(100, 9_000).unwrap();
        let mut read = Vec::new();
        let mut reader = part.reader(u64::MAX);
        assert_eq!(reader.read(&mut [0; 3]).unwrap(), 3);
        reader.read_to_end(&mut read).unwrap();
        assert_eq!(read, bytes[103..9_100]);
        reader.seek(SeekFrom::End(-5)).unwrap();
        let mut tail = [0; 5];
        reader.read_exact(&mut tail).unwrap();
        assert_eq!(tail, bytes[9_095..9_100]);
        assert!(reader.seek(SeekFrom::Current(-9_001)).is_err());
        assert!(whole.part(19_999, 2).is_none() && whole.part(u64::MAX, 2).is_none());
    }

    #[test]
    fn a_reader_stops_at_its_bound() {
        let whole = medium(&[7; 10_000]);
        let mut read = Vec::new();
        assert!(whole.reader(5_000).read_to_end(&mut read).is_err());
        assert_eq!(read.len(), 5_000);
        assert_eq!(whole.reader(10_000).read_to_end(&mut Vec::new()).unwrap(), 10_000);
    }
}
