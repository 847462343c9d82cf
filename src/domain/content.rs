//! What a FIT file says about itself: the facts that identity and comparison need.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ActivityType, Key};

/// Facts of one whole, readable activity file, chained parts included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The parts of a chained file that are activities, in file order; at least one.
    pub parts: Vec<Part>,
}

/// Facts of one FIT file or of one part of a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// FIT manufacturer number (`file_id.manufacturer`).
    pub manufacturer: Option<u16>,
    /// FIT product number (`file_id.product`).
    pub product: Option<u16>,
    /// `file_id.product_name`, or the device's name where the maker writes one.
    pub product_name: Option<String>,
    /// `file_id.serial_number`; absent in COROS, Suunto, Zwift and most apps.
    pub serial: Option<u32>,
    /// Sessions in order of their start.
    pub sessions: Vec<Session>,
    /// Number of record messages.
    pub records: u32,
    /// Time of the first record with a valid time.
    pub first_record: Option<Timestamp>,
    /// Time of the last record with a valid time.
    pub last_record: Option<Timestamp>,
    /// Number of developer field descriptions.
    pub developer_fields: u32,
    /// Seconds east of UTC, where the file can be believed about it.
    pub local_offset_s: Option<i32>,
}

/// One FIT session, in FIT's own units.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `start_time`, if its clock was set.
    pub start: Option<Timestamp>,
    /// `total_elapsed_time` in milliseconds.
    pub elapsed_ms: Option<u32>,
    /// `total_timer_time` in milliseconds.
    pub timer_ms: Option<u32>,
    /// `total_distance` in centimetres.
    pub distance_cm: Option<u32>,
    /// `total_ascent` in metres.
    pub ascent_m: Option<u16>,
    /// FIT `sport` number.
    pub sport: Option<u8>,
    /// FIT `sub_sport` number.
    pub sub_sport: Option<u8>,
}

impl Session {
    /// Start and elapsed time of this session.
    pub fn key(&self) -> Option<Key> {
        Some(Key { start: self.start?, elapsed_s: self.elapsed_ms.map(|ms| rounded(ms, 1000)) })
    }

    /// The canonical type of this session.
    pub fn kind(&self) -> ActivityType {
        ActivityType::of_fit(self.sport, self.sub_sport)
    }
}

impl Content {
    /// All sessions of all parts, by start.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.parts.iter().flat_map(|part| part.sessions.iter())
    }

    /// Start of the earliest and end of the latest session; without sessions, of the records.
    ///
    /// The flag says whether the start is weak, that is taken from a record.
    pub fn key(&self) -> Option<(Key, bool)> {
        let mut keys: Vec<Key> = self.sessions().filter_map(Session::key).collect();
        keys.sort_unstable();
        if let Some(first) = keys.first() {
            let end = keys.iter().filter_map(Key::interval).map(|i| i.end_s).max();
            let elapsed = end.and_then(|end| u32::try_from(end - first.start.as_second()).ok());
            return Some((Key { start: first.start, elapsed_s: elapsed }, false));
        }
        let start = self.parts.iter().filter_map(|part| part.first_record).min()?;
        let end = self.parts.iter().filter_map(|part| part.last_record).max();
        let elapsed = end.and_then(|end| u32::try_from(end.as_second() - start.as_second()).ok());
        Some((Key { start, elapsed_s: elapsed }, true))
    }

    /// The canonical type: of the only sport, or `multi_sport` for several.
    pub fn kind(&self) -> ActivityType {
        let mut kinds: Vec<ActivityType> =
            self.sessions().filter(|session| !session.is_transition()).map(Session::kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        match kinds.as_slice() {
            [] => ActivityType::of_fit(None, None),
            [one] => one.clone(),
            _ => ActivityType::multi_sport(),
        }
    }

    /// Sum of the sessions' distances in metres, half up; `None` if no session has one.
    pub fn distance_m(&self) -> Option<u32> {
        let metres: Vec<u32> = self.sessions().filter_map(|s| s.distance_cm).collect();
        let sum = metres.iter().fold(0u32, |sum, cm| sum.saturating_add(*cm));
        (!metres.is_empty()).then(|| rounded(sum, 100))
    }

    /// Sum of the sessions' timer times in seconds, half up.
    pub fn timer_s(&self) -> Option<u32> {
        let times: Vec<u32> = self.sessions().filter_map(|s| s.timer_ms).collect();
        let sum = times.iter().fold(0u32, |sum, ms| sum.saturating_add(*ms));
        (!times.is_empty()).then(|| rounded(sum, 1000))
    }

    /// Number of records in all parts.
    pub fn records(&self) -> u32 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.records))
    }
}

impl Session {
    /// FIT sport 3, the change between two sports of a triathlon.
    fn is_transition(&self) -> bool {
        self.sport == Some(3)
    }
}

/// `value / unit`, half up.
pub fn rounded(value: u32, unit: u32) -> u32 {
    value.saturating_add(unit / 2) / unit
}
