//! How a row remembers which zip it was read from, and where in it.

use std::collections::HashMap;
use std::fmt;

use crate::domain::{Activity, RemoteId};

use super::super::scan::Stamp;

/// Where an activity stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Index in the export's directory: of the activity, or of the zip that holds it.
    pub(super) outer: usize,
    /// Index in the inner zip's directory.
    pub(super) inner: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inner {
            None => write!(f, "{}", self.outer),
            Some(inner) => write!(f, "{}.{inner}", self.outer),
        }
    }
}

/// The note that a row keeps: the zip as it was, how many rows it had, and the row's place.
pub(super) fn hint(stamp: Stamp, rows: usize, place: Place) -> String {
    format!("{} {place}", whole(stamp, rows))
}

fn whole(stamp: Stamp, rows: usize) -> String {
    format!("zip:{}:{rows}", stamp.of_bytes())
}

/// Whether these rows are all that a zip of this stamp holds.
pub(super) fn is_all(known: &HashMap<RemoteId, Activity>, stamp: Stamp) -> bool {
    let whole = whole(stamp, known.len());
    let told = |row: &Activity| {
        let hint = row.hint.as_deref().and_then(|hint| hint.split_once(' '));
        hint.is_some_and(|(from, _)| from == whole)
    };
    !known.is_empty() && known.values().all(told)
}

/// The place in a hint, if it is of a zip with this stamp.
pub(super) fn place(hint: &str, stamp: Stamp) -> Option<Place> {
    let (from, place) = hint.split_once(' ')?;
    let (of, _) = from.rsplit_once(':')?;
    if of != format!("zip:{}", stamp.of_bytes()) {
        return None;
    }
    match place.split_once('.') {
        None => Some(Place { outer: place.parse().ok()?, inner: None }),
        Some((outer, inner)) => {
            Some(Place { outer: outer.parse().ok()?, inner: Some(inner.parse().ok()?) })
        }
    }
}
