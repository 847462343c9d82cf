//! One row of an inventory, and the inventory.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ActivityType, Content, Coverage, Fingerprint, Interval, Key, RemoteId, Sha256};

/// An activity as its account lists it, in whole seconds and metres.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// The platform's id.
    pub id: RemoteId,
    /// Changes when the activity changes; a title does not count.
    pub fingerprint: Fingerprint,
    /// Start in UTC; `None` where the clock was not set or nothing tells it.
    pub start: Option<Timestamp>,
    /// The start is only a record's time: good for exact matches, not for near ones.
    pub weak_start: bool,
    /// Wall-clock seconds.
    pub elapsed_s: Option<u32>,
    /// Seconds in motion or with the timer running.
    pub timer_s: Option<u32>,
    /// Seconds east of UTC at the start.
    pub local_offset_s: Option<i32>,
    /// Canonical type.
    pub kind: ActivityType,
    /// The athlete's title, untrusted.
    pub title: Option<String>,
    /// Metres.
    pub distance_m: Option<u32>,
    /// Name of the device, untrusted.
    pub device: Option<String>,
    /// Hash of the bytes, where the platform shows them without a download.
    pub sha256: Option<Sha256>,
    /// Facts of the file, where the platform shows them without a download.
    pub content: Option<Content>,
    /// Why it cannot be synced, if so.
    pub unusable: Option<Unusable>,
    /// Whether only the athlete sees it; `None` where the platform does not list that.
    pub private: Option<bool>,
    /// The platform's own note, needed to fetch it again or to know it unread; opaque to others.
    pub hint: Option<String>,
}

impl Activity {
    /// Start and elapsed time, if the start is known.
    pub fn key(&self) -> Option<Key> {
        Some(Key { start: self.start?, elapsed_s: self.elapsed_s })
    }

    /// From start to end, if both are known.
    pub fn interval(&self) -> Option<Interval> {
        self.key()?.interval()
    }

    /// Whether two rows of an account that shows no bytes say the same, so that only the files can tell
    /// one recording that is there twice from those of two devices.
    pub fn is_listed_as(&self, other: &Self) -> bool {
        self.sha256.is_none()
            && other.sha256.is_none()
            && self.start.is_some()
            && self.elapsed_s.is_some()
            && (self.start, self.elapsed_s, self.distance_m)
                == (other.start, other.elapsed_s, other.distance_m)
            && (&self.kind, &self.device) == (&other.kind, &other.device)
    }

    /// Why its file cannot be opened now, if so.
    pub fn unopened(&self) -> Option<&str> {
        match &self.unusable {
            Some(Unusable::Unopened { detail }) => Some(detail),
            _ => None,
        }
    }

    /// An activity of which only the id is known, with the reason why it cannot be used.
    pub fn unusable(id: RemoteId, fingerprint: Fingerprint, reason: Unusable) -> Self {
        Self {
            id,
            fingerprint,
            start: None,
            weak_start: false,
            elapsed_s: None,
            timer_s: None,
            local_offset_s: None,
            kind: ActivityType::other(),
            title: None,
            distance_m: None,
            device: None,
            sha256: None,
            content: None,
            unusable: Some(reason),
            private: None,
            hint: None,
        }
    }
}

/// Why an item of an account cannot be synced. `detail` is for people and names the defect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unusable {
    /// The platform holds no file for it (entered by hand, or lost).
    NoOriginal,
    /// The file is broken.
    Unreadable {
        /// What is wrong with it.
        detail: String,
    },
    /// The file cannot be opened now: nobody knows which recording it holds.
    Unopened {
        /// Why not.
        detail: String,
    },
    /// A FIT file of another type, such as a course or settings.
    NotAnActivity {
        /// What it is instead.
        detail: String,
    },
    /// The recording device did not know the time.
    ClockNotSet,
    /// A chain of activities that do not overlap: which of them is meant, a person must say.
    SeveralActivities,
}

/// All activities of an account as last read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// In order of start, then id; those without a start last.
    pub activities: Vec<Activity>,
    /// False if some part could not be read that no row stands for: then nothing may be concluded from
    /// absence.
    pub complete: bool,
    /// When it was read; `None` if never.
    pub refreshed_at: Option<Timestamp>,
    /// Which part of it was read row by row then. The state does not keep this: what is loaded from
    /// there is remembered.
    pub read: Coverage,
}

impl Inventory {
    /// Sorts activities into the one order that everything relies on.
    pub fn new(mut activities: Vec<Activity>, complete: bool, at: Option<Timestamp>) -> Self {
        activities.sort_by(|a, b| {
            let key = |row: &Activity| (row.start.is_none(), row.start);
            key(a).cmp(&key(b)).then_with(|| a.id.cmp(&b.id))
        });
        Self { activities, complete, refreshed_at: at, read: Coverage::Remembered }
    }

    /// The rows of files that cannot be opened now.
    pub fn unopened(&self) -> impl Iterator<Item = &Activity> {
        // Those without a start are last.
        let undated = self.activities.iter().rev().take_while(|row| row.start.is_none());
        undated.filter(|row| row.unopened().is_some())
    }

    /// Whether every part of it could be read, and every file.
    pub fn is_whole(&self) -> bool {
        self.complete && self.unopened().next().is_none()
    }
}

/// Something worth telling about an account's reading that is no activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    /// What it is about, such as a path inside the account.
    pub subject: String,
    /// What is the matter.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.message)
    }
}
