//! What a run works with.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::domain::{Catalog, Decision};
use crate::event::{Event, Events};
use crate::manifest::Manifest;
use crate::platform::{OpenError, Opening, Platform};
use crate::state::Store;

/// Opens an account of the manifest; the registry's `open`, or a test's own worlds.
pub type Open = dyn Fn(&crate::manifest::Account, &Opening) -> Result<Arc<dyn Platform>, OpenError>
    + Send
    + Sync;

/// Everything a run works with, handed down from the command line.
pub struct Session {
    /// What the user wants.
    pub manifest: Manifest,
    /// What people decided.
    pub decisions: Vec<Decision>,
    /// The memory.
    pub store: Store,
    /// What platforms there are.
    pub catalog: Catalog,
    /// How accounts are opened.
    pub open: Arc<Open>,
    /// What platforms are handed.
    pub opening: Opening,
    /// Where events go.
    pub events: Arc<dyn Events>,
    /// Folders of this machine.
    pub places: Places,
    /// Requested when the run is to end; platforms hold a clone (`Opening::stop`).
    pub stop: Cancellation,
}

/// Folders of this machine that a run writes to.
#[derive(Clone, Debug)]
pub struct Places {
    /// The store: what was replaced, and payloads on their way.
    pub backups: PathBuf,
    /// Where originals are kept, so that none is fetched twice.
    pub cache: PathBuf,
}

impl Session {
    /// The time.
    pub fn clock(&self) -> &dyn Clock {
        self.opening.clock.as_ref()
    }

    /// Tells what happened.
    pub(super) fn emit(&self, event: Event) {
        self.events.emit(event);
    }
}
