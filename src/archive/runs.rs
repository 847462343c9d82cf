//! How far each state has come, kept beside the store: an older copy of a state is known as one.

use std::fs;
use std::path::PathBuf;

use crate::domain::StateId;

use super::disk::{self, Access};
use super::error::{ArchiveError, io_at};

/// The last runs of the states of a home.
#[derive(Clone, Debug)]
pub struct LastRuns {
    folder: PathBuf,
}

impl LastRuns {
    /// Those beside the store in this folder.
    pub fn new(store: impl Into<PathBuf>) -> Self {
        Self { folder: store.into().join("runs") }
    }

    /// Returns the number of the last run of a state, as far as is known.
    pub fn of(&self, state: &StateId) -> Option<i64> {
        fs::read_to_string(self.folder.join(state.as_str())).ok()?.trim().parse().ok()
    }

    /// Notes that a run of a state begins.
    ///
    /// # Errors
    /// If that cannot be written.
    pub fn note(&self, state: &StateId, run: i64) -> Result<(), ArchiveError> {
        disk::create_private_dir(&self.folder).map_err(io_at(&self.folder))?;
        let path = self.folder.join(state.as_str());
        let text = format!("{run}\n");
        disk::write_atomically(&path, text.as_bytes(), Access::Private).map_err(io_at(&path))
    }
}
