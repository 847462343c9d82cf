//! When an activity took place: the facts that identity rests on.

use jiff::Timestamp;

/// The identity of a recording: its start second in UTC and how long it lasted by the wall clock.
///
/// `session.start_time` equalled the platforms' listed UTC start in 121 of 121 measured cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Start, whole seconds, UTC.
    pub start: Timestamp,
    /// Wall-clock length in seconds (pauses included); unknown in some listings.
    pub elapsed_s: Option<u32>,
}

impl Key {
    /// The time from start to end, where the end is known.
    pub fn interval(&self) -> Option<Interval> {
        self.elapsed_s.map(|elapsed| Interval::new(self.start, elapsed))
    }
}

/// A closed stretch of time in whole seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First second.
    pub start_s: i64,
    /// Last second, not before the first.
    pub end_s: i64,
}

impl Interval {
    /// From a start and a length in seconds.
    pub fn new(start: Timestamp, elapsed_s: u32) -> Self {
        let start_s = start.as_second();
        Self { start_s, end_s: start_s + i64::from(elapsed_s) }
    }

    /// Length in seconds.
    pub fn length_s(&self) -> i64 {
        self.end_s - self.start_s
    }

    /// Seconds that both have in common.
    pub fn common_s(&self, other: &Self) -> i64 {
        (self.end_s.min(other.end_s) - self.start_s.max(other.start_s)).max(0)
    }

    /// Intersection over union in thousandths: 1000 is the same stretch, 0 nothing in common.
    ///
    /// Two instants are the same stretch if they are the same instant.
    pub fn overlap_permille(&self, other: &Self) -> u32 {
        let union = self.end_s.max(other.end_s) - self.start_s.min(other.start_s);
        if union == 0 {
            return 1000;
        }
        // Disjoint stretches have no seconds in common, so the hull may stand for their union.
        let permille = self.common_s(other).saturating_mul(1000) / union;
        u32::try_from(permille).unwrap_or_default()
    }
}
