//! What an account lists, and which of its days this run has read row by row, and when.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use jiff::civil::Date;
use jiff::{Span, Timestamp};

use crate::domain::{Activity, Coverage, Inventory, RemoteId, Side};
use crate::plan::reconcile::Cause;
use crate::platform::Window;

use super::super::plan::utc_day;

/// Seconds by which a recording's neighbours may start before it and still matter to it.
const REACH_S: i64 = 3 * 24 * 3600;

/// An account as this run knows it.
pub(super) struct View {
    rows: BTreeMap<(i64, RemoteId), Rc<Activity>>,
    starts: HashMap<RemoteId, i64>,
    /// Ids that were listed with another start before: none of them is new.
    moved: HashSet<RemoteId>,
    /// Ids that were listed at the beginning of this run, and that a later reading does not show.
    vanished: HashSet<RemoteId>,
    /// Complete readings of single days.
    days: BTreeMap<Date, Reading>,
    /// Readings of single days that lack rows.
    partly: BTreeMap<Date, Reading>,
    /// Of everything from a day on.
    since: Option<(Date, Reading)>,
    /// Of everything.
    whole: Option<Reading>,
    /// Of everything, lacking rows.
    whole_partly: Option<Reading>,
    /// The last reading that failed: where in the order of events, why, and what kind of failure.
    failed: Option<(u64, String, Cause)>,
}

/// A reading of some days, row by row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// When it began.
    pub(super) at: Timestamp,
    /// Where it began in the order of this run's readings and changes.
    pub(super) order: u64,
    /// False if rows may be missing.
    pub(super) complete: bool,
}

impl View {
    /// An account as it was read for the plan.
    pub(super) fn of(inventory: Inventory) -> Self {
        let mut view = Self {
            rows: BTreeMap::new(),
            starts: HashMap::new(),
            moved: HashSet::new(),
            vanished: HashSet::new(),
            days: BTreeMap::new(),
            partly: BTreeMap::new(),
            since: None,
            whole: None,
            whole_partly: None,
            failed: None,
        };
        view.take_whole(inventory, 0);
        view
    }

    /// Takes a reading of the whole account.
    pub(super) fn take_whole(&mut self, inventory: Inventory, order: u64) {
        let (at, complete) = (inventory.refreshed_at, inventory.complete);
        let reading = at.map(|at| Reading { at, order, complete });
        match inventory.read {
            Coverage::Whole if !complete => self.whole_partly = reading,
            Coverage::Whole => self.whole = reading,
            Coverage::Since(start) => {
                let first = day_after(utc_day(start));
                self.since = reading.map(|reading| (first, reading));
            }
            Coverage::Remembered => {}
        }
        self.note_moves(&inventory.activities);
        self.rows.clear();
        let before = std::mem::take(&mut self.starts);
        inventory.activities.into_iter().for_each(|row| self.put(row));
        self.note_vanished(before.into_keys());
    }

    fn note_moves(&mut self, rows: &[Activity]) {
        let moved = rows
            .iter()
            .filter(|row| self.starts.get(&row.id).is_some_and(|before| *before != second_of(row)));
        self.moved.extend(moved.map(|row| row.id.clone()));
    }

    fn note_vanished(&mut self, before: impl Iterator<Item = RemoteId>) {
        let vanished: Vec<RemoteId> = before.filter(|id| !self.starts.contains_key(id)).collect();
        self.vanished.extend(vanished);
    }

    /// Whether somebody has removed this since the run began.
    pub(super) fn has_vanished(&self, id: &RemoteId) -> bool {
        self.vanished.contains(id) && !self.starts.contains_key(id)
    }

    /// Notes that this was another's counterpart when it had another start.
    pub(super) fn note_linked(&mut self, side: &Side) {
        let now = self.starts.get(&side.id);
        if side.start.zip(now).is_some_and(|(then, now)| then.as_second() != *now) {
            self.moved.insert(side.id.clone());
        }
    }

    /// Takes a reading of the days of a window, which are the account's local days: of the first and
    /// the last one, rows may be missing.
    pub(super) fn take_days(&mut self, window: Window, rows: Vec<Activity>, reading: Reading) {
        let (Some(first), Some(last)) = (window.first, window.last) else { return };
        let (first, last) = (day_after(first), day_before(last));
        self.note_moves(&rows);
        if reading.complete {
            let within = self.rows.range((second(first), RemoteId::new(""))..);
            let within = within.take_while(|((start, _), _)| *start < second(day_after(last)));
            let within = within.map(|(_, row)| row.as_ref());
            let gone: Vec<RemoteId> =
                within.chain(self.unopened()).map(|row| row.id.clone()).collect();
            gone.iter().for_each(|id| self.remove(id));
            rows.into_iter().for_each(|row| self.put(row));
            self.note_vanished(gone.into_iter());
        } else {
            rows.into_iter().for_each(|row| self.put(row));
        }
        let mut day = first;
        while day <= last {
            let days = if reading.complete { &mut self.days } else { &mut self.partly };
            days.insert(day, reading);
            day = day_after(day);
        }
    }

    /// Has everything read once more before it is believed.
    pub(super) fn forget_readings(&mut self) {
        self.days.clear();
        self.partly.clear();
        (self.since, self.whole, self.whole_partly) = (None, None, None);
    }

    /// Notes that a reading failed.
    pub(super) fn note_failure(&mut self, order: u64, message: String, cause: Cause) {
        self.failed = Some((order, message, cause));
    }

    /// Why the account could not be read, if that was after everything else.
    pub(super) fn failure(&self, after: u64) -> Option<(String, Cause)> {
        let (order, message, cause) = self.failed.as_ref()?;
        (*order >= after).then(|| (message.clone(), *cause))
    }

    /// The reading on which it rests what is known of some days: of several the oldest.
    pub(super) fn reading(&self, first: Date, last: Date) -> Option<Reading> {
        weakest(first, last, |day| self.complete_of(day))
    }

    /// Whether all of it was read without a gap.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.is_some_and(|reading| reading.complete) && self.unopened().next().is_none()
    }

    /// The newest reading of some days that lacks rows.
    pub(super) fn partly(&self, first: Date, last: Date) -> Option<Reading> {
        let own = weakest(first, last, |day| self.partly.get(&day).copied());
        own.into_iter().chain(self.whole_partly).max_by_key(|reading| reading.order)
    }

    /// The newest complete reading of a day.
    fn complete_of(&self, day: Date) -> Option<Reading> {
        let since = self.since.filter(|(first, _)| *first <= day).map(|(_, reading)| reading);
        let own = self.days.get(&day).copied();
        let all = [own, since, self.whole].into_iter().flatten();
        all.filter(|reading| reading.complete).max_by_key(|reading| reading.order)
    }

    /// Puts a row in, in place of an earlier one of its id.
    pub(super) fn put(&mut self, row: Activity) {
        self.remove(&row.id);
        let start = second_of(&row);
        self.starts.insert(row.id.clone(), start);
        self.rows.insert((start, row.id.clone()), Rc::new(row));
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, id: &RemoteId) {
        if let Some(start) = self.starts.remove(id) {
            self.rows.remove(&(start, id.clone()));
        }
    }

    /// Whether what has this id was listed with another start before, so that nothing that was sent
    /// since is it. Where rows show their bytes, those tell.
    pub(super) fn has_moved(&self, id: &RemoteId) -> bool {
        self.is_another(id) && self.row(id).is_some_and(|row| row.sha256.is_none())
    }

    /// Whether what has this id was listed or linked with another start before: another recording.
    pub(super) fn is_another(&self, id: &RemoteId) -> bool {
        self.moved.contains(id)
    }

    /// The row of this id.
    pub(super) fn row(&self, id: &RemoteId) -> Option<Rc<Activity>> {
        let start = self.starts.get(id)?;
        self.rows.get(&(*start, id.clone())).cloned()
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// All rows, in order of start.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Activity> {
        self.rows.values().map(AsRef::as_ref)
    }

    /// Files that cannot be opened now.
    pub(super) fn unopened(&self) -> impl Iterator<Item = &Activity> {
        let undated = self.rows.range((i64::MAX, RemoteId::new(""))..);
        undated.map(|(_, row)| row.as_ref()).filter(|row| row.unopened().is_some())
    }

    /// Whether anything starts on some days.
    pub(super) fn has_rows(&self, first: Date, last: Date) -> bool {
        let from = (second(first), RemoteId::new(""));
        let found = self.rows.range(from..).next();
        found.is_some_and(|((start, _), _)| *start < second(day_after(last)))
    }

    /// Rows that start within so many seconds of a moment, in order of start.
    pub(super) fn near(&self, moment: Timestamp, seconds: i64) -> Vec<Rc<Activity>> {
        self.between(moment.as_second() - seconds, moment.as_second() + seconds)
    }

    /// Rows that may have to do with a recording of so many seconds, in order of start.
    pub(super) fn around(&self, start: Timestamp, elapsed_s: Option<u32>) -> Vec<Rc<Activity>> {
        let start = start.as_second();
        let end = start + i64::from(elapsed_s.unwrap_or_default());
        self.between(start - REACH_S.max(4 * (end - start)), end + REACH_S)
    }

    fn between(&self, first_s: i64, last_s: i64) -> Vec<Rc<Activity>> {
        let from = (first_s, RemoteId::new(""));
        let rows = self.rows.range(from..).take_while(|((start, _), _)| *start <= last_s);
        rows.map(|(_, row)| Rc::clone(row)).collect()
    }
}

/// The window whose reading tells everything about some UTC days: the account's local days may begin
/// up to 14 hours earlier or later.
pub(super) fn window(first: Date, last: Date) -> Window {
    Window { first: Some(day_before(first)), last: Some(day_after(last)) }
}

pub(super) fn day_before(day: Date) -> Date {
    day.saturating_sub(Span::new().days(1))
}

pub(super) fn day_after(day: Date) -> Date {
    day.saturating_add(Span::new().days(1))
}

fn second_of(row: &Activity) -> i64 {
    row.start.map_or(i64::MAX, |start| start.as_second())
}

fn second(day: Date) -> i64 {
    let midnight = day.to_zoned(jiff::tz::TimeZone::UTC);
    midnight.map_or(i64::MAX, |midnight| midnight.timestamp().as_second())
}

fn weakest(
    first: Date,
    last: Date,
    reading_of: impl Fn(Date) -> Option<Reading>,
) -> Option<Reading> {
    let mut found: Option<Reading> = None;
    let mut day = first;
    while day <= last {
        let reading = reading_of(day)?;
        found = Some(match found {
            None => reading,
            Some(other) => Reading {
                at: reading.at.min(other.at),
                order: reading.order.min(other.order),
                complete: reading.complete && other.complete,
            },
        });
        day = day_after(day);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fingerprint, Unusable};

    fn row(id: &str, start: &str) -> Activity {
        let unusable =
            Activity::unusable(RemoteId::new(id), Fingerprint::new(start), Unusable::NoOriginal);
        Activity { start: Some(start.parse().unwrap()), unusable: None, ..unusable }
    }

    /// Found by the simulation: a person put another recording under a known id while a step was under
    /// way, and it was taken for what the step had sent.
    #[test]
    fn what_is_listed_with_another_start_is_not_new() {
        let first = vec![row("1", "2026-05-01T06:00:00Z"), row("2", "2026-05-02T06:00:00Z")];
        let mut view = View::of(Inventory::new(first, true, None));
        let at: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let days = window("2026-05-21".parse().unwrap(), "2026-05-21".parse().unwrap());
        let rows = vec![row("1", "2026-05-21T06:00:00Z"), row("3", "2026-05-21T06:00:00Z")];
        view.take_days(days, rows, Reading { at, order: 1, complete: true });
        let moved: Vec<bool> =
            ["1", "2", "3"].map(|id| view.has_moved(&RemoteId::new(id))).to_vec();
        assert_eq!(moved, [true, false, false]);
        let within = vec![row("3", "2026-05-21T09:00:00Z")];
        view.take_days(days, within, Reading { at, order: 2, complete: true });
        view.take_whole(Inventory::new(vec![row("2", "2026-05-09T06:00:00Z")], true, None), 3);
        assert!(["2", "3"].map(RemoteId::new).iter().all(|id| view.moved.contains(id)));
    }
}
