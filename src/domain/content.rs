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
    /// FIT sport and sub-sport of the `sport` message, else of the laps: where there is no session.
    pub sport: Option<(u8, Option<u8>)>,
    /// Number of lap messages.
    pub laps: u32,
    /// Number of record messages.
    pub records: u32,
    /// How many of those hold what.
    pub columns: Columns,
    /// Time of the first record with a valid time.
    pub first_record: Option<Timestamp>,
    /// Time of the last record with a valid time.
    pub last_record: Option<Timestamp>,
    /// Number of developer field descriptions.
    pub developer_fields: u32,
    /// Seconds east of UTC, where the file can be believed about it.
    pub local_offset_s: Option<i32>,
}

/// A kind of value that records hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Latitude and longitude.
    Position,
    /// Beats per minute.
    HeartRate,
    /// Watts.
    Power,
    /// Revolutions or steps per minute.
    Cadence,
    /// Metres above the sea.
    Altitude,
    /// Degrees Celsius.
    Temperature,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 6] = [
        Self::Position,
        Self::HeartRate,
        Self::Power,
        Self::Cadence,
        Self::Altitude,
        Self::Temperature,
    ];

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Position => "positions",
            Self::HeartRate => "heart rate",
            Self::Power => "power",
            Self::Cadence => "cadence",
            Self::Altitude => "altitude",
            Self::Temperature => "temperature",
        }
    }
}

/// How many records hold a value of each column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Columns([u32; Column::ALL.len()]);

impl Columns {
    /// Records with a value of this column.
    pub fn count(&self, column: Column) -> u32 {
        self.0.get(column as usize).copied().unwrap_or_default()
    }

    /// Counts one more record with a value of this column.
    #[inline]
    pub fn add(&mut self, column: Column) {
        if let Some(count) = self.0.get_mut(column as usize) {
            *count = count.saturating_add(1);
        }
    }
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
    /// Which of [`SESSION_VALUES`] it holds, other than 0: a bit for each.
    #[serde(default, skip_serializing_if = "is_none_held")]
    pub holds: u16,
}

fn is_none_held(holds: &u16) -> bool {
    *holds == 0
}

/// Further values of a session that may be lost: FIT field number and the word for people.
pub const SESSION_VALUES: [(u8, &str); 7] = [
    (11, "calories"),
    (16, "average heart rate"),
    (17, "highest heart rate"),
    (18, "average cadence"),
    (20, "average power"),
    (21, "highest power"),
    (23, "descent"),
];

impl Session {
    /// Start and elapsed time of this session.
    pub fn key(&self) -> Option<Key> {
        Some(Key { start: self.start?, elapsed_s: self.elapsed_ms.map(|ms| rounded(ms, 1000)) })
    }

    /// The further values that it holds, in words.
    pub fn held(&self) -> impl Iterator<Item = &'static str> {
        let holds = self.holds;
        let values = SESSION_VALUES.iter().enumerate();
        values.filter(move |(bit, _)| holds >> bit & 1 == 1).map(|(_, (_, what))| *what)
    }

    /// The canonical type of this session.
    pub fn kind(&self) -> ActivityType {
        ActivityType::of_fit(self.sport, self.sub_sport)
    }
}

impl Content {
    /// The sessions of all parts that count, by start: of those that overlap, the longest, and of equal
    /// ones the last.
    pub fn sessions(&self) -> Vec<&Session> {
        let mut all: Vec<&Session> = self.parts.iter().flat_map(|part| &part.sessions).collect();
        all.sort_by_key(|session| (session.start.is_none(), session.start));
        let mut counted: Vec<&Session> = Vec::with_capacity(all.len());
        for session in all {
            match counted.last_mut() {
                Some(last) if last.overlaps(session) => {
                    if session.elapsed_ms >= last.elapsed_ms {
                        *last = session;
                    }
                }
                _ => counted.push(session),
            }
        }
        counted
    }

    /// Start of the earliest and end of the latest session; without sessions, of the records.
    ///
    /// The flag says whether the start is weak, that is taken from a record.
    pub fn key(&self) -> Option<(Key, bool)> {
        let all = self.parts.iter().flat_map(|part| &part.sessions);
        let mut keys: Vec<Key> = all.filter_map(Session::key).collect();
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

    /// The canonical type: of the only sport, or `multi_sport` for several; where no session tells it,
    /// of the `sport` message or the laps.
    pub fn kind(&self) -> ActivityType {
        let sessions = self.sessions().into_iter();
        let told = sessions.filter(|it| !it.is_transition() && it.sport.is_some());
        let mut kinds: Vec<ActivityType> = told.map(Session::kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        match kinds.as_slice() {
            [] => {
                let (sport, sub_sport) = self.parts.iter().find_map(|part| part.sport).unzip();
                ActivityType::of_fit(sport, sub_sport.flatten())
            }
            [one] => one.clone(),
            _ => ActivityType::multi_sport(),
        }
    }

    /// Sum of the sessions' distances in metres, half up; `None` if no session has one.
    pub fn distance_m(&self) -> Option<u32> {
        let metres: Vec<u32> = self.sessions().into_iter().filter_map(|s| s.distance_cm).collect();
        let sum = metres.iter().fold(0u32, |sum, cm| sum.saturating_add(*cm));
        (!metres.is_empty()).then(|| rounded(sum, 100))
    }

    /// Sum of the sessions' timer times in seconds, half up.
    pub fn timer_s(&self) -> Option<u32> {
        let times: Vec<u32> = self.sessions().into_iter().filter_map(|s| s.timer_ms).collect();
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

    /// Whether both lie in the same time, for more than the seconds by which legs are rounded.
    fn overlaps(&self, later: &Self) -> bool {
        const ROUNDING_S: i64 = 2;
        let (Some(first), Some(second)) = (self.key(), later.key()) else { return false };
        match first.interval().zip(second.interval()) {
            Some((a, b)) => first.start == second.start || a.common_s(&b) > ROUNDING_S,
            None => first.start == second.start,
        }
    }
}

/// `value / unit`, half up.
pub fn rounded(value: u32, unit: u32) -> u32 {
    value.saturating_add(unit / 2) / unit
}
