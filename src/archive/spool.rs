//! Bytes on their way: kept from before an old activity is removed until its replacement was seen.

use std::path::PathBuf;
use std::{fs, io};

use crate::domain::Sha256;

use super::disk::{self, Access};

/// A private folder of files named by their hash.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// The spool in this folder, which is made when it is first needed.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Keeps bytes until they are removed.
    ///
    /// # Errors
    /// If they are not surely on the disk.
    pub fn put(&self, sha256: &Sha256, bytes: &[u8]) -> io::Result<()> {
        disk::create_private_dir(&self.folder)?;
        disk::write_atomically(&self.path(sha256), bytes, Access::Private)
    }

    /// The bytes, if they are there and still what they were.
    pub fn get(&self, sha256: &Sha256) -> Option<Vec<u8>> {
        let bytes = fs::read(self.path(sha256)).ok()?;
        (Sha256::of(&bytes) == *sha256).then_some(bytes)
    }

    /// What is kept, by hash.
    pub fn list(&self) -> Vec<Sha256> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().filter_map(Result::ok);
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter_map(|name| Some(Sha256::new(name.strip_suffix(".fit")?))).collect()
    }

    /// Lets go of bytes; what is not there needs no removing, and what stays does no harm.
    pub fn remove(&self, sha256: &Sha256) {
        let _ = fs::remove_file(self.path(sha256));
    }

    fn path(&self, sha256: &Sha256) -> PathBuf {
        self.folder.join(format!("{sha256}.fit"))
    }
}
