//! What platforms there are and what each can do: plain values, so that the manifest's check needs
//! no platform.

use std::fmt;

/// All platforms this build knows.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// In alphabetical order of their ids.
    pub platforms: Vec<PlatformSpec>,
}

impl Catalog {
    /// The platform of that id.
    pub fn platform(&self, id: &str) -> Option<&PlatformSpec> {
        self.platforms.iter().find(|spec| spec.id == id)
    }
}

/// A platform describes itself as data.
#[derive(Clone, Debug)]
pub struct PlatformSpec {
    /// As in a manifest's `platform:`.
    pub id: &'static str,
    /// As people call it.
    pub name: &'static str,
    /// Its regions; empty for one that has none.
    pub regions: &'static [RegionSpec],
    /// Keys that an account of it may have besides those that every account may have.
    pub account_keys: &'static [&'static str],
    /// Names of the base URLs that an account's `endpoints` may replace.
    pub endpoints: &'static [&'static str],
    /// How it is asked; `None` for one that is asked over no wire.
    pub requests: Option<RequestSpec>,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// How a platform is asked over a wire, unless an account says otherwise, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestSpec {
    /// Most requests in flight.
    pub max_parallel: u32,
    /// Least milliseconds between the beginnings of two.
    pub min_gap_ms: u64,
    /// Least milliseconds from the beginning of a change to that of the next request.
    pub change_gap_ms: u64,
    /// Requests that fetching a file takes when all goes well.
    pub download: u32,
    /// The same for adding an activity.
    pub upload: u32,
    /// The same for putting one in the place of another, backup included.
    pub replace: u32,
}

/// A region of a platform.
#[derive(Clone, Copy, Debug)]
pub struct RegionSpec {
    /// As in a manifest's `region:`.
    pub id: &'static str,
    /// The account name that implies platform and region, such as `garmin_us`.
    pub implied_by: &'static str,
    /// Whether activities can be uploaded there.
    pub uploads: bool,
    /// The page that shows people an activity, with `{id}` in its place; `None` if none is known.
    pub activity_url: Option<&'static str>,
}

/// What a platform can do; asked with the manifest, not when a step fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Takes new activities.
    pub upload: bool,
    /// Removes activities.
    pub delete: bool,
    /// Shows an activity's bytes in the listing, so comparing costs nothing.
    pub lists_bytes: bool,
    /// How an activity is replaced.
    pub replace: ReplaceProtocol,
    /// Which details can be set.
    pub editable: Editable,
    /// Largest file that it takes, in bytes.
    pub max_upload_bytes: Option<u64>,
    /// Steps that may be under way at one time.
    pub parallel: u32,
    /// So many steps share the place of one request: where an upload is answered long before it is
    /// stored, the next one need not wait.
    pub steps_per_request: u32,
    /// Seconds that it may need to show what it took, or to forget what it deleted.
    pub settle_s: u64,
    /// How it tells of what it was given and does not list yet.
    pub unlisted: Unlisted,
    /// What a replaced activity loses because no file holds it, in the words of a plan's `loses`.
    pub loses_on_replace: &'static [&'static str],
}

/// How a platform tells of a file that it was given and does not list yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlisted {
    /// It refuses the same once more.
    Refused,
    /// It names what it was given, listed or not.
    Named,
    /// Not at all.
    Silent,
}

/// Which details of an activity can be set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Editable {
    /// Title.
    pub title: bool,
    /// Description.
    pub description: bool,
    /// Activity type.
    pub kind: bool,
    /// Who may see it.
    pub privacy: bool,
}

/// The order of a replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplaceProtocol {
    /// The platform takes duplicates: the new one first, so there is always one.
    UploadThenDelete,
    /// The platform refuses duplicates: the old one must go first, after a verified backup.
    DeleteThenUpload,
}

impl fmt::Display for ReplaceProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UploadThenDelete => "upload_then_delete",
            Self::DeleteThenUpload => "delete_then_upload",
        })
    }
}
