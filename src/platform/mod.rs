//! The accounts' side of the world: one trait, one folder per platform.
//!
//! A platform lists, downloads, uploads, deletes, and translates errors. It knows no other
//! platform, no plan, no state and no prompt.

mod coros;
pub mod directory;
mod error;
mod garmin;
mod http;
pub mod login;
mod look;
mod newest;
mod pacing;
mod registry;
pub mod row;
pub mod session_provider;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{
    Activity, ActivityType, Capabilities, Coverage, Key, Note, Profile, RemoteId, Sha256,
};
use jiff::Timestamp;
use jiff::civil::Date;

pub use crate::domain::Details;
pub use crate::net::Urgency;
pub use error::{AuthFailure, PlatformError, Rejection};
pub(crate) use http::error::{exhausted, retry};
pub use pacing::pacing;
pub use registry::{OpenError, Opening, catalog, open, opener, session_provider};

/// An open account.
#[async_trait]
pub trait Platform: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> Capabilities;

    /// Whose account it is.
    async fn whoami(&self) -> Result<Profile, PlatformError>;

    /// Makes the account ready to be written to; a directory gets its folder and marker.
    async fn prepare(&self) -> Result<Profile, PlatformError> {
        self.whoami().await
    }

    /// Removes what an interrupted write left half done; what cannot be removed does no harm. Asked
    /// only by who keeps all others from writing.
    async fn tidy(&self) {}

    /// Lists one page of the activities, newest first.
    ///
    /// A window is read row by row, whatever is known; what is known may only spare opening files
    /// that look unchanged. A listing without a window may take what is known for what is there,
    /// and says by [`Page::read`] how far it did not.
    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError>;

    /// Returns an activity as it is listed at this moment; `None` if a complete listing of its days
    /// does not show it. An activity that was moved to other days counts as gone.
    async fn look(
        &self,
        activity: &Activity,
        known: &HashMap<RemoteId, Activity>,
    ) -> Result<Option<Activity>, PlatformError> {
        look::look(self, activity, known).await
    }

    /// The original file, un-zipped and un-converted.
    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError>;

    /// Sends a file once, as urgent as the file is. An error other than `Unconfirmed` means that
    /// nothing was stored.
    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError>;

    /// Whether it was given these bytes lately, or since a moment, listed or not. Asked only of a
    /// platform that names what it was given.
    async fn has_taken(
        &self,
        _file: &FitFile,
        _since: Option<Timestamp>,
    ) -> Result<bool, PlatformError> {
        Err(PlatformError::Unsupported)
    }

    /// What became of an upload that was still being processed. Is asked after a stop, too.
    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError>;

    /// Removes an activity; `NotFound` where it was not there. A platform that can tell removes it
    /// only as it is given, and answers `Changed` otherwise.
    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError>;

    /// What people wrote about an activity. Is asked after a stop, too: what was hidden then is looked
    /// at.
    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError>;

    /// Sets those details that the platform can set. Is done after a stop, too: an activity may be
    /// visible to too many.
    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError>;
}

/// Which part of an account to list.
#[derive(Clone, Debug)]
pub struct ListRequest<'a> {
    /// Local calendar days, both inclusive; `None` is open.
    pub window: Window,
    /// Where the previous page ended.
    pub page: Option<PageToken>,
    /// Rows of the last reading, so that a platform need not read again what has not changed.
    pub known: &'a HashMap<RemoteId, Activity>,
}

/// A stretch of local calendar days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// First day.
    pub first: Option<Date>,
    /// Last day.
    pub last: Option<Date>,
}

/// A platform's own way to go on after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageToken(pub String);

/// Some activities.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Newest first.
    pub activities: Vec<Activity>,
    /// How to go on; `None` at the end.
    pub next: Option<PageToken>,
    /// How many there are in all, if the platform says so.
    pub total: Option<u64>,
    /// False if part of the account could not be read.
    pub complete: bool,
    /// Which part of it was read row by row now.
    pub read: Coverage,
    /// What else was found.
    pub notes: Vec<Note>,
}

/// The bytes of an activity as its account holds them.
#[derive(Clone, Debug)]
pub struct Original {
    /// A whole FIT file, unzipped.
    pub bytes: Vec<u8>,
}

/// A verified FIT file on its way to an account.
#[derive(Clone, Debug)]
pub struct FitFile {
    /// The bytes; never changed on the way.
    pub bytes: Vec<u8>,
    /// Their hash.
    pub sha256: Sha256,
    /// Identity of the recording.
    pub key: Key,
    /// Canonical type.
    pub kind: ActivityType,
    /// The source's title, untrusted.
    pub title: Option<String>,
    /// Seconds east of UTC at the start.
    pub local_offset_s: Option<i32>,
    /// Whether it is still sent after a stop.
    pub urgency: Urgency,
}

/// How an upload was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uploaded {
    /// Stored under this id.
    Stored(RemoteId),
    /// Still being processed.
    Processing(UploadTicket),
}

/// A platform's own receipt of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadTicket {
    /// What the platform calls it.
    pub name: String,
    /// How long it wants to be left alone before each question; `None` if it does not say.
    pub wait: Option<Duration>,
}

impl UploadTicket {
    /// One that may be asked about at once.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), wait: None }
    }
}

/// What became of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UploadStatus {
    /// Stored under this id.
    Stored(RemoteId),
    /// Stored, but the platform does not say under which id.
    Finished,
    /// Not yet decided.
    Processing,
}
