//! Whether a file can be synced, and if not, why.

use super::chain::Defect;
use super::names;
use super::scan::{Scan, ScannedPart, scan};
use crate::domain::{Content, Interval, Part, Session, Unusable};

/// Why a file is no activity that can be synced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The file is not whole.
    #[error(transparent)]
    Broken(#[from] Defect),
    /// Another type of FIT file.
    #[error("{what}")]
    NotAnActivity {
        /// What it is instead, such as `a FIT file of type course`.
        what: String,
    },
    /// No start, because the device's clock was never set.
    #[error("the clock of the device was never set")]
    ClockNotSet,
    /// Neither a session nor a record tells a time.
    #[error("an activity without any session or record that tells a time")]
    NoStart,
}

impl From<Reason> for Unusable {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Broken(_) | Reason::NoStart => Self::Unreadable { detail: reason.to_string() },
            Reason::NotAnActivity { what } => Self::NotAnActivity { detail: what },
            Reason::ClockNotSet => Self::ClockNotSet,
        }
    }
}

/// Reads a file's facts: scan and check in one.
///
/// Says nothing about [`several_activities`], which such a file can still be listed with.
///
/// # Errors
/// Why the file cannot be synced.
pub fn read(bytes: &[u8]) -> Result<Content, Unusable> {
    let scan = scan(bytes).map_err(Reason::from)?;
    Ok(content(scan)?)
}

/// The activities of a scanned file, as facts; parts of other types are left out.
///
/// # Errors
/// If no part is an activity, or none of those tells when it took place.
pub fn content(scan: Scan) -> Result<Content, Reason> {
    let first_type = scan.parts.first().and_then(|part| part.file_type);
    let activities: Vec<ScannedPart> = scan.parts.into_iter().filter(is_activity).collect();
    if activities.is_empty() {
        return Err(Reason::NotAnActivity {
            what: match first_type {
                Some(number) => format!("a FIT file of type {}", names::file_type(number)),
                None => "a FIT file without a type".to_owned(),
            },
        });
    }
    let clock_never_set = activities.iter().any(|part| part.clock_never_set);
    let mut parts: Vec<Part> = activities.into_iter().map(|part| part.facts).collect();
    // They are kept for every file of an account, and hardly one has two.
    parts.shrink_to_fit();
    let content = Content { parts };
    match content.key() {
        Some(_) => Ok(content),
        None if clock_never_set => Err(Reason::ClockNotSet),
        None => Err(Reason::NoStart),
    }
}

const ACTIVITY: u8 = 4;

/// Sensors and old converters leave the type out: what holds a session is an activity then.
fn is_activity(part: &ScannedPart) -> bool {
    match part.file_type {
        Some(number) => number == ACTIVITY,
        None => !part.facts.sessions.is_empty(),
    }
}

/// Whether the parts of a chain are recordings of different times, so that they are not one item.
///
/// A chest strap's part lies within the watch's and does not count.
pub fn several_activities(content: &Content) -> bool {
    let mut stretches: Vec<Interval> = content.parts.iter().filter_map(stretch).collect();
    stretches.sort_by_key(|stretch| (stretch.start_s, stretch.end_s));
    let mut seen: Option<Interval> = None;
    for next in stretches {
        match seen {
            Some(seen) if next.start_s > seen.start_s && next.start_s >= seen.end_s => return true,
            Some(ref mut seen) => seen.end_s = seen.end_s.max(next.end_s),
            None => seen = Some(next),
        }
    }
    false
}

/// From the start of the first to the end of the last session; without sessions, of the records.
fn stretch(part: &Part) -> Option<Interval> {
    let keys = || part.sessions.iter().filter_map(Session::key);
    let (start_s, end_s) = match keys().map(|key| key.start.as_second()).min() {
        Some(start_s) => {
            let end_s = keys().filter_map(|key| key.interval()).map(|i| i.end_s);
            (start_s, end_s.max())
        }
        None => {
            let end_s = part.last_record.map(|last| last.as_second());
            (part.first_record?.as_second(), end_s)
        }
    };
    Some(Interval { start_s, end_s: end_s.unwrap_or(start_s).max(start_s) })
}
