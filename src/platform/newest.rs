//! A cheap look at a web account: its newest page on top of what an earlier whole reading knew.
//!
//! Such a look sees what is new and what newest rows have gone. It cannot see for certain what was
//! added or swapped further down, so a whole reading follows every second day.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Activity, Coverage, RemoteId};

use super::Page;

/// How old a whole reading may be for a cheap look to stand on it.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(36);

/// By how much starts may be out of order in a list that is in order of local time.
const MAX_ZONES_APART: SignedDuration = SignedDuration::from_hours(26);

/// When everything was read, and by how much the platform's count was off then.
///
/// How far the count is off is expected again. It decides only whether more is read, never whether a
/// listing is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WholeReading {
    pub(super) read_at: Timestamp,
    pub(super) off_by: i64,
}

impl WholeReading {
    /// Reads what [`WholeReading::text`] wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (read_at, off_by) = text.split_once(' ')?;
        let read_at = Timestamp::from_second(read_at.parse().ok()?).ok()?;
        Some(Self { read_at, off_by: off_by.parse().ok()? })
    }

    /// Returns what a row's hint keeps of its reading.
    pub(super) fn text(self) -> String {
        format!("{} {}", self.read_at.as_second(), self.off_by)
    }

    /// Returns the oldest of the readings that rows come from; `None` if there are no rows, or if
    /// some row was in no whole reading.
    pub(super) fn oldest(readings: impl Iterator<Item = Option<Self>>) -> Option<Self> {
        let readings: Option<Vec<Self>> = readings.collect();
        readings?.into_iter().min_by_key(|reading| reading.read_at)
    }

    /// Returns whether a cheap look may stand on it. After a clock was set back it may not: how old
    /// the reading is, nothing tells then.
    fn is_young(self, now: Timestamp) -> bool {
        let age = now.duration_since(self.read_at);
        !age.is_negative() && age <= MAX_AGE
    }
}

/// The newest page of an account, and what the platform says beside it.
pub(super) struct Newest {
    /// Its rows, each once.
    pub(super) rows: Vec<Activity>,
    /// How many activities there are, as the platform counts.
    pub(super) count: u64,
    /// Whether the page shows everything, so that its end is the account's.
    pub(super) is_only: bool,
}

impl Newest {
    /// Returns what is known together with the newest page; `None` if something speaks for reading
    /// everything.
    pub(super) fn over(
        self,
        known: &HashMap<RemoteId, Activity>,
        last: WholeReading,
        now: Timestamp,
    ) -> Option<Page> {
        let shown: HashMap<&RemoteId, &Activity> =
            self.rows.iter().map(|row| (&row.id, row)).collect();
        let fresh = shown.keys().filter(|id| !known.contains_key(**id)).count();
        let expected = i64::try_from(known.len() + fresh).ok()?.checked_add(last.off_by)?;
        let overlaps = self.is_only || fresh < shown.len();
        let sure = self.sure();
        let is_missing = |row: &Activity| {
            let should = self.is_only || row.start.zip(sure).is_some_and(|(start, at)| start > at);
            should && !shown.contains_key(&row.id)
        };
        let speaks_for_more = !last.is_young(now)
            || !overlaps
            || i64::try_from(self.count).ok()? != expected
            || known.values().any(is_missing);
        if speaks_for_more {
            return None;
        }
        let rest: Vec<Activity> =
            known.values().filter(|row| !shown.contains_key(&row.id)).cloned().collect();
        let mut activities = self.rows;
        activities.extend(rest);
        activities.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| b.id.cmp(&a.id)));
        let read = sure.map_or(Coverage::Remembered, Coverage::Since);
        Some(Page { activities, complete: true, read, ..Page::default() })
    }

    /// Returns the start from which everything stands surely on the page: it is in order of local
    /// time, so near its end nothing is sure.
    fn sure(&self) -> Option<Timestamp> {
        let oldest = self.rows.iter().filter_map(|row| row.start).min()?;
        oldest.checked_add(MAX_ZONES_APART).ok()
    }
}

/// Returns whether two readings show the same rows, in whatever order those of one moment came.
pub(super) fn agree(a: &[Activity], b: &[Activity]) -> bool {
    let by_id = |rows: &'_ [Activity]| -> HashMap<RemoteId, Activity> {
        rows.iter().map(|row| (row.id.clone(), row.clone())).collect()
    };
    by_id(a) == by_id(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fingerprint, Unusable};

    const READ: &str = "2026-11-20T12:00:00Z";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn rows(days: std::ops::Range<i64>) -> Vec<Activity> {
        days.map(|day| {
            let id = RemoteId::new(day.to_string());
            let start = Timestamp::from_second(day * 86_400).unwrap();
            let row = Activity::unusable(id, Fingerprint::new(""), Unusable::NoOriginal);
            Activity { start: Some(start), ..row }
        })
        .collect()
    }

    fn known(days: std::ops::Range<i64>) -> HashMap<RemoteId, Activity> {
        rows(days).into_iter().map(|row| (row.id.clone(), row)).collect()
    }

    fn look(newest: std::ops::Range<i64>, count: u64, off_by: i64, now: &str) -> Option<Page> {
        let last = WholeReading { read_at: at(READ), off_by };
        let newest = Newest { rows: rows(newest), count, is_only: false };
        newest.over(&known(0..20), last, at(now))
    }

    #[test]
    fn what_is_new_joins_what_is_known_and_only_the_page_counts_as_read() {
        let page = look(10..22, 22, 0, "2026-11-21T12:00:00Z").unwrap();
        assert_eq!(page.activities.len(), 22);
        assert!(page.activities.is_sorted_by(|a, b| a.start > b.start));
        let since = Timestamp::from_second(10 * 86_400 + 26 * 3600).unwrap();
        assert_eq!((page.complete, page.read), (true, Coverage::Since(since)));
    }

    #[test]
    fn everything_is_read_where_anything_speaks_for_it() {
        let day = "2026-11-21T12:00:00Z";
        for (newest, count, off_by, now, why) in [
            (10..20, 21, 0, day, "an unexpected count"),
            (10..20, 20, 1, day, "a count that is not off any more"),
            (20..30, 30, 0, day, "a page that does not reach what is known"),
            (10..19, 20, 0, day, "a newest row that has gone"),
            (10..20, 20, 0, "2026-11-22T00:00:01Z", "a reading older than 36 hours"),
            (10..20, 20, 0, "2026-11-20T11:59:59Z", "a clock that was set back"),
        ] {
            assert!(look(newest, count, off_by, now).is_none(), "{why}");
        }
        assert!(look(10..20, 23, 3, "2026-11-22T00:00:00Z").is_some());
    }

    #[test]
    fn a_reading_is_kept_in_a_hint_and_the_oldest_counts() {
        let reading = WholeReading { read_at: at(READ), off_by: -3 };
        assert_eq!(WholeReading::parse(&reading.text()), Some(reading));
        assert_eq!(WholeReading::parse("x"), None);
        let later = WholeReading { read_at: at("2026-11-21T12:00:00Z"), off_by: 0 };
        let oldest = |all: &[Option<WholeReading>]| WholeReading::oldest(all.iter().copied());
        assert_eq!(oldest(&[Some(later), Some(reading)]), Some(reading));
        assert_eq!(oldest(&[Some(later), None]), None);
        assert_eq!(oldest(&[]), None);
    }
}
