//! What is remembered about pairs of activities, so that the next plan need not find out again.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use super::{Activity, ActivityType, Address, Fingerprint, RemoteId, RuleName, Sha256};

/// A source activity and its counterpart at a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The rule that made or found it.
    pub rule: RuleName,
    /// Its address at that time; for people.
    pub address: Address,
    /// The source as it was then.
    pub source: Side,
    /// The destination as it was first listed; `None` while it has not been listed yet.
    pub destination: Option<Side>,
    /// How it came to be.
    pub origin: LinkOrigin,
    /// Whether the destination has been seen.
    pub status: LinkStatus,
}

/// One side of a link: its id, and the facts against which a change is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// The platform's id.
    pub id: RemoteId,
    /// Fingerprint then.
    pub fingerprint: Fingerprint,
    /// Hash of the bytes, where known; finds a renamed file.
    pub sha256: Option<Sha256>,
    /// Start then.
    pub start: Option<Timestamp>,
    /// Wall-clock seconds then.
    pub elapsed_s: Option<u32>,
    /// Metres then.
    pub distance_m: Option<u32>,
    /// Type then.
    pub kind: ActivityType,
}

impl Side {
    /// The facts of an activity as it is now.
    pub fn of(activity: &Activity) -> Self {
        Self {
            id: activity.id.clone(),
            fingerprint: activity.fingerprint.clone(),
            sha256: activity.sha256.clone(),
            start: activity.start,
            elapsed_s: activity.elapsed_s,
            distance_m: activity.distance_m,
            kind: activity.kind.clone(),
        }
    }

    /// Whether an activity changed since: its start, or its extent.
    pub fn changed(&self, now: &Activity) -> bool {
        self.start != now.start || self.extent_changed(now.elapsed_s, now.distance_m, &now.kind)
    }

    /// Whether the length changed by more than 2 s, the distance by more than 1 % and 20 m, or the
    /// family. Zero and missing are equal, since platforms recompute.
    pub fn extent_changed(
        &self,
        elapsed_s: Option<u32>,
        distance_m: Option<u32>,
        kind: &ActivityType,
    ) -> bool {
        let elapsed = self.elapsed_s.unwrap_or_default().abs_diff(elapsed_s.unwrap_or_default());
        let (was, is) = (self.distance_m.unwrap_or_default(), distance_m.unwrap_or_default());
        let distance = was.abs_diff(is);
        elapsed > 2
            || (distance > 20 && u64::from(distance) * 100 > u64::from(was.max(is)))
            || (self.kind != *kind && self.kind.family() != kind.family())
    }
}

/// How a link came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkOrigin {
    /// Apply put the destination's activity there.
    Placed,
    /// Both were there and matched.
    Found,
    /// A person said so.
    Adopted,
}

/// Whether a link's destination has been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStatus {
    /// Listed at least once.
    Confirmed,
    /// Accepted by the platform, not listed yet.
    Pending {
        /// When it was sent.
        since: Timestamp,
        /// Complete readings since then that did not show it.
        full_reads: u32,
    },
}

/// Days and complete readings after which an accepted upload that never showed is a question.
const APPEARS_WITHIN_DAYS: i32 = 7;
const APPEARS_WITHIN_READINGS: u32 = 2;

impl LinkStatus {
    /// Whether what was sent should have been listed long ago; `today` is a UTC day.
    pub fn never_appeared(self, today: Date) -> bool {
        let Self::Pending { since, full_reads } = self else { return false };
        let since = Offset::UTC.to_datetime(since).date();
        let days = today.since(since).map(|span| span.get_days()).unwrap_or_default();
        days >= APPEARS_WITHIN_DAYS && full_reads >= APPEARS_WITHIN_READINGS
    }
}
