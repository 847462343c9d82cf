//! A small zip writer: exports as Garmin and Strava make them, and zips with a chosen defect.
//!
//! Layout after PKWARE's APPNOTE 6.3.10 (read 2026-11).

use std::io::Write as _;

/// A zip to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct ZipFile {
    entries: Vec<Entry>,
    comment: Vec<u8>,
}

/// One entry; everything that a zip says about it can be made to lie.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: Vec<u8>,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) size: u32,
    /// What the directory says about the packed size.
    pub(crate) packed: u32,
    /// The upper half is the Unix mode.
    pub(crate) attributes: u32,
    /// The entry whose header the directory points to in place of its own.
    pub(crate) header_of: Option<usize>,
    data: Vec<u8>,
}

const UTF8: u16 = 1 << 11;
const ENCRYPTED: u16 = 1;

impl Entry {
    pub(crate) fn stored(name: &str, bytes: &[u8]) -> Self {
        Self::new(name, 0, bytes, bytes.to_vec())
    }

    pub(crate) fn deflated(name: &str, bytes: &[u8]) -> Self {
        let mut encoder =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        Self::new(name, 8, bytes, encoder.finish().unwrap())
    }

    fn new(name: &str, method: u16, bytes: &[u8], data: Vec<u8>) -> Self {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        Self {
            name: name.as_bytes().to_vec(),
            flags: UTF8,
            method,
            crc: crc.sum(),
            size: u32::try_from(bytes.len()).unwrap(),
            packed: u32::try_from(data.len()).unwrap(),
            attributes: 0o100_644 << 16,
            header_of: None,
            data,
        }
    }

    /// Says that it is encrypted.
    pub(crate) fn encrypted(mut self) -> Self {
        self.flags |= ENCRYPTED;
        self
    }

    /// Says that it is a symbolic link.
    pub(crate) fn link(mut self) -> Self {
        self.attributes = 0o120_777 << 16;
        self
    }

    fn common(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(20u16.to_le_bytes());
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend(self.method.to_le_bytes());
        // 2026-11-19 06:12:32.
        bytes.extend(((6u16 << 11) | (12 << 5) | 16).to_le_bytes());
        bytes.extend(((46u16 << 9) | (11 << 5) | 19).to_le_bytes());
        bytes.extend(self.crc.to_le_bytes());
        bytes.extend(self.packed.to_le_bytes());
        bytes.extend(self.size.to_le_bytes());
        bytes.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        bytes.extend(0u16.to_le_bytes());
        bytes
    }
}

impl ZipFile {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn with(mut self, entry: Entry) -> Self {
        self.entries.push(entry);
        self
    }

    pub(crate) fn stored(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.with(Entry::stored(name, bytes.as_ref()))
    }

    pub(crate) fn deflated(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.with(Entry::deflated(name, bytes.as_ref()))
    }

    /// The bytes of the zip.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut starts = Vec::new();
        for entry in &self.entries {
            starts.push(u32::try_from(bytes.len()).unwrap());
            bytes.extend(b"PK\x03\x04");
            bytes.extend(entry.common());
            bytes.extend(&entry.name);
            bytes.extend(&entry.data);
        }
        let directory = bytes.len();
        for (place, entry) in self.entries.iter().enumerate() {
            bytes.extend(b"PK\x01\x02");
            bytes.extend([20, 3]);
            bytes.extend(entry.common());
            bytes.extend([0; 6]);
            bytes.extend(entry.attributes.to_le_bytes());
            bytes.extend(starts[entry.header_of.unwrap_or(place)].to_le_bytes());
            bytes.extend(&entry.name);
        }
        let length = u32::try_from(bytes.len() - directory).unwrap();
        let count = u16::try_from(self.entries.len()).unwrap();
        bytes.extend(b"PK\x05\x06");
        bytes.extend([0; 4]);
        bytes.extend(count.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(u32::try_from(directory).unwrap().to_le_bytes());
        bytes.extend(u16::try_from(self.comment.len()).unwrap().to_le_bytes());
        bytes.extend(&self.comment);
        bytes
    }

    /// Replaces the end by one of a zip64 that announces so many entries, its record standing there.
    pub(crate) fn zip64(&self, entries: u64, record_at: Option<u64>) -> Vec<u8> {
        let mut bytes = self.build();
        let end = bytes.len() - 22 - self.comment.len();
        let old = bytes.split_off(end);
        let length = u64::from(u32::from_le_bytes(old[12..16].try_into().unwrap()));
        let directory = u64::from(u32::from_le_bytes(old[16..20].try_into().unwrap()));
        let record = bytes.len() as u64;
        bytes.extend(b"PK\x06\x06");
        bytes.extend(44u64.to_le_bytes());
        bytes.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for number in [entries, entries, length, directory] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(b"PK\x06\x07");
        bytes.extend(0u32.to_le_bytes());
        bytes.extend(record_at.unwrap_or(record).to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        bytes.extend(b"PK\x05\x06");
        bytes.extend([0; 4]);
        bytes.extend([0xFF; 12]);
        bytes.extend([0; 2]);
        bytes
    }
}
