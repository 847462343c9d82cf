//! What goes wrong, and when.

use fit_sync::domain::{Activity, RemoteId};
use fit_sync::platform::PlatformError;

/// What can be asked of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `whoami` and `prepare`.
    WhoAmI,
    /// One page of `list`.
    List,
    /// `download`.
    Download,
    /// `upload`.
    Upload,
    /// `upload_status`.
    UploadStatus,
    /// `delete`.
    Delete,
    /// `details`.
    Details,
    /// `set_details`.
    SetDetails,
}

/// What becomes of one call. Faults of an operation are used up in the order of their scripting.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing: this call passes, so that a later one can fail.
    Passes(Operation),
    /// Nothing is done, and this is the answer.
    Fails(Operation, PlatformError),
    /// All is done, but the caller only learns that the answer was lost.
    LosesAnswer(Operation),
    /// Nothing is done; this and every later call finds the session ended.
    EndsSession(Operation),
    /// An upload goes wrong.
    Upload(UploadFault),
    /// A download goes wrong.
    Download(DownloadFault),
    /// A page goes wrong.
    List(ListFault),
    /// The details are taken, but who may see the activity stays as it was.
    KeepsPrivacy,
}

/// How an upload goes wrong.
#[derive(Clone, Debug)]
pub enum UploadFault {
    /// Nothing is stored; this activity, real or not, is said to be the same.
    NamesDuplicate(Option<RemoteId>),
    /// Nothing is stored; the activity deleted last is said to be the same.
    NamesDeleted,
    /// Nothing is stored; the answer is a success that names this activity.
    NamesStored(RemoteId),
    /// Answered with an id under which nothing will ever be found.
    Dropped,
    /// Stored, but as these bytes.
    Alters(Vec<u8>),
    /// Stored, but not shown in the next so many listings.
    ListedLate(u32),
    /// Stored, and shown twice in every listing.
    ListedTwice,
    /// Stored, but its ticket is answered with `Processing` so many times.
    Processes(u32),
    /// As `Processes`, but in the end it is refused, and nothing was stored.
    ProcessesInVain(u32),
    /// As `Processes`, but in the end no id is told.
    ProcessesUnnamed(u32),
}

/// How a download goes wrong.
#[derive(Clone, Debug)]
pub enum DownloadFault {
    /// Only the first half arrives.
    Truncated,
    /// Other bytes arrive.
    OtherBytes(Vec<u8>),
}

/// How a page goes wrong.
#[derive(Clone, Debug)]
pub enum ListFault {
    /// After this page a new activity arrives: the total changes, and what follows moves down.
    Arrives(Box<Activity>),
    /// After this page an activity goes: what follows moves up.
    Vanishes(RemoteId),
    /// The platform says that it could not read everything.
    Incomplete,
    /// One file cannot be read: its row is missing, and the platform says so.
    Unreadable,
    /// A page in the middle is empty: half of a reading without a window is missing.
    Gap,
    /// A reading without a window finds nothing.
    Empty,
}

impl Fault {
    /// The operation that it befalls.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Passes(operation)
            | Self::Fails(operation, _)
            | Self::LosesAnswer(operation)
            | Self::EndsSession(operation) => *operation,
            Self::Upload(_) => Operation::Upload,
            Self::Download(_) => Operation::Download,
            Self::List(_) => Operation::List,
            Self::KeepsPrivacy => Operation::SetDetails,
        }
    }
}
