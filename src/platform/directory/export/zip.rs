//! One zip, opened by its directory, and the bytes of its entries.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use zip::read::ZipArchiveMetadata;
use zip::result::ZipError;
use zip::{CompressionMethod, ZipArchive, ZipReadOptions};

use super::super::path::Packing;
use super::super::read::{Unread, is_defect};
use super::bounds::Bounds;
use super::guard;
use super::medium::Medium;
use super::member::{self, Members};

/// An opened zip; many may read in it.
#[derive(Clone, Debug)]
pub(super) struct Zip {
    medium: Medium,
    directory: Arc<ZipArchiveMetadata>,
    bounds: Bounds,
}

impl Zip {
    /// Reads the directory of a zip.
    pub(super) fn open(medium: Medium, bounds: Bounds) -> Result<Self, Unread> {
        guard::check(&medium, bounds.entries)?;
        let opened =
            ZipArchive::new(medium.reader(bounds.directory)).map_err(|error| unread(&error))?;
        let directory = opened.metadata();
        if directory.len() > bounds.entries {
            return Err(Unread::Defect(format!("has more than {} entries", bounds.entries)));
        }
        Ok(Self { medium, directory, bounds })
    }

    /// What is in it.
    pub(super) fn members(&self) -> Members {
        member::members(&self.directory)
    }

    /// The unzipped bytes of an activity.
    pub(super) fn activity(&self, index: usize) -> Result<Vec<u8>, Unread> {
        let entry = self.directory.entry(index).map_err(|error| unread(&error))?;
        let no_activity = || Unread::Defect("not an activity".to_owned());
        let packing = member::packing(&entry).ok_or_else(no_activity)?;
        let mut bytes = Vec::new();
        let (most, size) = (self.bounds.activity, entry.size());
        self.unzip(index, most, |reader, limit| {
            // Within the limit, or this would not be asked: grown bit by bit, buffers of all sizes
            // would leave holes between the rows that stay.
            bytes.reserve_exact(usize::try_from(size).unwrap_or_default());
            reader.take(limit).read_to_end(&mut bytes).map(|read| read as u64)
        })?;
        match packing {
            Packing::Plain => Ok(bytes),
            Packing::Gzip => self.gunzip(&bytes),
        }
    }

    /// A zip inside this one: a part of the same file if it is stored as it is, else a copy on the
    /// disk that has no name and goes with its last reader. The number is that of the bytes copied.
    pub(super) fn inner(&self, index: usize) -> Result<(Self, u64), Unread> {
        let entry = self.directory.entry(index).map_err(|error| unread(&error))?;
        if entry.compression() == CompressionMethod::Stored && !entry.encrypted() {
            let mut reader = self.medium.reader(u64::MAX);
            let length = entry.compressed_size();
            let file = entry
                .with_reader(&mut reader, ZipReadOptions::new())
                .map_err(|error| unread(&error))?;
            let part = file.data_start().and_then(|start| self.medium.part(start, length));
            let gone = || Unread::Defect("longer than the zip around it".to_owned());
            let part = part.ok_or_else(gone)?;
            return Ok((Self::open(part, self.bounds)?, 0));
        }
        let mut copy = tempfile::tempfile().map_err(Unread::Io)?;
        let most = self.bounds.inner;
        let copied = self.unzip(index, most, |reader, limit| copy_all(reader, &mut copy, limit))?;
        let medium = Medium::whole(copy).map_err(Unread::Io)?;
        Ok((Self::open(medium, self.bounds)?, copied))
    }

    /// Hands an entry's unzipped bytes to `take`, which takes at most so many and says how many.
    fn unzip(
        &self,
        index: usize,
        most: u64,
        take: impl FnOnce(&mut dyn Read, u64) -> io::Result<u64>,
    ) -> Result<u64, Unread> {
        let entry = self.directory.entry(index).map_err(|error| unread(&error))?;
        let limit = self.bounds.unzipped(entry.compressed_size(), most);
        if entry.size() > limit {
            return Err(Unread::Defect(self.bounds.exceeded(limit, most)));
        }
        let mut reader = self.medium.reader(u64::MAX);
        let mut file = entry
            .with_reader(&mut reader, ZipReadOptions::new())
            .map_err(|error| unread(&error))?;
        let taken = take(&mut file, limit + 1).map_err(broken)?;
        if taken > limit {
            return Err(Unread::Defect(self.bounds.exceeded(limit, most)));
        }
        Ok(taken)
    }

    fn gunzip(&self, packed: &[u8]) -> Result<Vec<u8>, Unread> {
        let most = self.bounds.activity;
        let limit = self.bounds.unzipped(packed.len() as u64, most);
        // Its last bytes tell the length of its last member: a good guess, and bounded like the rest.
        let told = packed.last_chunk().map_or(0, |last| u64::from(u32::from_le_bytes(*last)));
        let mut bytes = Vec::with_capacity(usize::try_from(told.min(limit)).unwrap_or_default());
        let decoder = MultiGzDecoder::new(BufReader::new(packed));
        decoder.take(limit + 1).read_to_end(&mut bytes).map_err(broken)?;
        if bytes.len() as u64 > limit {
            return Err(Unread::Defect(self.bounds.exceeded(limit, most)));
        }
        Ok(bytes)
    }
}

fn copy_all(reader: &mut dyn Read, copy: &mut File, limit: u64) -> io::Result<u64> {
    io::copy(&mut reader.take(limit), copy)
}

/// An error while unzipping: of the entry, or of the disk.
fn broken(error: io::Error) -> Unread {
    let kind = error.kind();
    if is_defect(kind) || kind == io::ErrorKind::Other {
        Unread::Defect(format!("cannot be unzipped: {error}"))
    } else {
        Unread::Io(error)
    }
}

fn unread(error: &ZipError) -> Unread {
    match error {
        ZipError::Io(error) => broken(io::Error::new(error.kind(), error.to_string())),
        ZipError::InvalidArchive(what) => Unread::Defect(format!("a broken zip: {what}")),
        ZipError::UnsupportedArchive(what) => Unread::Defect((*what).to_owned()),
        other => Unread::Defect(other.to_string()),
    }
}
