//! Reads the account's list: its newest page, some days, or everything.
//!
//! Every page but the last is as long as the first, and no page up to the announced last one is empty.
//! Where the numbers that COROS tells do not settle which page is the last, one more look does: the list
//! up to the last row's day shows nothing that was not shown before, and is not empty.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

use crate::domain::{Activity, Coverage, RemoteId};
use crate::platform::newest::{Newest, WholeReading, agree};
use crate::platform::{Page, PlatformError, Window};

use super::api::{Api, Call};
use super::row::row;
use super::types::{ListData, Row};

/// Rows of a page, as careful clients ask for.
const ROWS: u64 = 100;
/// More pages than any account has.
const MAX_PAGES: u64 = 1000;

/// Returns COROS' own code of a row's sport, which its hint begins with.
pub(super) fn code(row: &Activity) -> Option<&str> {
    row.hint.as_deref()?.split(' ').next()
}

/// Returns the whole reading that a row comes from; its hint tells it after the code.
fn reading(row: &Activity) -> Option<WholeReading> {
    WholeReading::parse(row.hint.as_deref()?.split_once(' ')?.1)
}

fn keep(activities: &mut [Activity], reading: WholeReading) {
    for row in activities {
        let code = code(row).unwrap_or_default();
        row.hint = Some(format!("{code} {}", reading.text()));
    }
}

/// Rows as they were listed.
#[derive(Default)]
struct Rows {
    /// The activities, each once.
    activities: Vec<Activity>,
    seen: HashSet<RemoteId>,
    /// What COROS counts, if it does.
    count: Option<u64>,
    /// Something is surely missing: a page that is too short, a row that cannot be read.
    has_gap: bool,
    /// The count changed, or a row came twice.
    has_moved: bool,
}

impl Rows {
    /// Returns by how much the count is more than the activities.
    fn off_by(&self) -> i64 {
        let listed = i64::try_from(self.activities.len()).unwrap_or(i64::MAX);
        let count = self.count.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
        count.map_or(0, |count| count.saturating_sub(listed))
    }

    /// Returns whether every row was listed in its place.
    fn is_steady(&self) -> bool {
        !self.has_gap && !self.has_moved
    }

    /// Returns whether the count is right, or off as it was before.
    fn is_explained(&self, before: Option<WholeReading>) -> bool {
        let off_by = self.off_by();
        off_by == 0 || before.is_some_and(|before| before.off_by == off_by)
    }

    /// Returns whether this second reading shows everything, given the first.
    fn is_confirmed_by(&self, first: &Self) -> bool {
        !self.has_gap && agree(&self.activities, &first.activities)
    }

    /// Takes a page's rows, each once.
    fn take(&mut self, data: &ListData) {
        self.has_moved |= data.count.is_some() && self.count.is_some() && data.count != self.count;
        self.count = data.count.or(self.count);
        for listed in data.data_list.iter().flatten() {
            let read = serde_json::from_value::<Row>(listed.clone()).ok();
            let Some(row) = read.as_ref().and_then(row) else {
                self.has_gap = true;
                continue;
            };
            if self.seen.insert(row.id.clone()) {
                self.activities.push(row);
            } else {
                self.has_moved = true;
            }
        }
    }
}

/// Days as COROS filters them; it compares local days, so both ends are a day wider than wanted.
#[derive(Clone, Copy)]
struct Days {
    first: Date,
    last: Date,
}

impl Days {
    fn of(window: Window, now: Timestamp) -> Self {
        // FIT counts its seconds from the last day of 1989.
        let wide = Date::constant(1990, 1, 1);
        let today = now.to_zoned(TimeZone::UTC).date();
        let moved = |day: Date, days: i32| day.checked_add(Span::new().days(days)).unwrap_or(day);
        Self {
            first: window.first.map_or(wide, |day| moved(day, -1)),
            last: window.last.map_or(moved(today, 2), |day| moved(day, 1)),
        }
    }
}

/// Lists the account's activities. Without a window it reads as little as is safe; a window is read row
/// by row, and what is known says only whether reading a second time is worthwhile.
pub(super) async fn read(
    api: &Api,
    window: Window,
    known: &HashMap<RemoteId, Activity>,
) -> Result<Page, PlatformError> {
    let is_open = window == Window::default();
    let days = Days::of(window, api.clock.now());
    let before = WholeReading::oldest(known.values().map(reading)).filter(|_| is_open);
    let newest = page(api, days, 1).await?;
    if let Some(before) = before
        && let Some(page) = cheap(&newest, known, before, api.clock.now())
    {
        return Ok(page);
    }
    let lacks = |rows: &Rows| {
        let is_missing = |row: &Activity| !rows.seen.contains(&row.id);
        match is_open {
            // An account is not empty all at once.
            true => rows.activities.is_empty() && !known.is_empty(),
            false => known.values().any(|row| is_surely_within(row, window) && is_missing(row)),
        }
    };
    let first = whole(api, days, newest).await?;
    if first.is_steady() && first.is_explained(before) && !lacks(&first) {
        return Ok(finished(first, true, window, api.clock.now()));
    }
    let second = whole(api, days, page(api, days, 1).await?).await?;
    let is_explained = second.is_explained(before) || !first.is_steady();
    let is_whole = second.is_steady() && is_explained && !lacks(&second);
    let is_empty = is_open && lacks(&second);
    let complete = is_whole || (!is_empty && second.is_confirmed_by(&first));
    Ok(finished(second, complete, window, api.clock.now()))
}

fn finished(mut rows: Rows, complete: bool, window: Window, now: Timestamp) -> Page {
    // Some days are no base for a cheap look.
    if complete && window == Window::default() {
        let off_by = rows.off_by();
        keep(&mut rows.activities, WholeReading { read_at: now, off_by });
    }
    rows.activities.retain(|row| is_within(row, window));
    let read = Coverage::Whole;
    Page { activities: rows.activities, complete, read, ..Page::default() }
}

/// Lists the days around a moment, by which a single activity is looked at.
pub(super) async fn around(api: &Api, start: Timestamp) -> Result<Vec<Activity>, PlatformError> {
    let day = start.to_zoned(TimeZone::UTC).date();
    let window = Window { first: Some(day), last: Some(day) };
    let days = Days::of(window, api.clock.now());
    let rows = whole(api, days, page(api, days, 1).await?).await?;
    match rows.has_gap || rows.has_moved {
        true => Err(in_part()),
        false => Ok(rows.activities),
    }
}

/// Lists everything, by which a single activity is looked for whose day is not known.
pub(super) async fn all(api: &Api) -> Result<Vec<Activity>, PlatformError> {
    let page = read(api, Window::default(), &HashMap::new()).await?;
    page.complete.then_some(page.activities).ok_or_else(in_part)
}

fn in_part() -> PlatformError {
    PlatformError::Transient("COROS lists only a part".to_owned())
}

/// Returns what is known with the newest page, if that is enough. A page that shows everything is
/// better taken as a whole reading.
fn cheap(
    data: &ListData,
    known: &HashMap<RemoteId, Activity>,
    before: WholeReading,
    now: Timestamp,
) -> Option<Page> {
    let mut rows = Rows::default();
    rows.take(data);
    let count = data.count?;
    let is_only = data.total_page.map_or(data.rows() < ROWS, |pages| pages <= 1);
    if rows.has_gap || rows.has_moved || (is_only && count == data.rows()) {
        return None;
    }
    keep(&mut rows.activities, before);
    Newest { rows: rows.activities, count, is_only }.over(known, before, now)
}

/// Reads all pages after a first one.
async fn whole(api: &Api, days: Days, first: ListData) -> Result<Rows, PlatformError> {
    let mut rows = Rows::default();
    let full = first.rows();
    let (mut data, mut is_short) = (first, false);
    for number in 1..=MAX_PAGES {
        let (listed, total) = (data.rows(), data.total_page);
        rows.take(&data);
        // What is not past the end is neither empty nor shorter than the page before.
        let is_announced = total.is_some_and(|total| number <= total);
        rows.has_gap |= listed == 0 && is_announced;
        rows.has_gap |= listed > 0 && (is_short || listed > full);
        is_short = listed < full;
        let is_last = match (total, data.count) {
            (Some(total), _) => number >= total,
            (None, Some(count)) => listed == 0 || count == rows.activities.len() as u64,
            // Only an empty page is surely past the end.
            (None, None) => listed == 0,
        };
        if is_last {
            let is_settled = total.is_some() && rows.off_by() == 0 && data.count.is_some();
            rows.has_gap = rows.has_gap || !(is_settled || is_end(api, days, &rows).await?);
            return Ok(rows);
        }
        data = page(api, days, number + 1).await?;
    }
    Err(PlatformError::Protocol("COROS' list does not end".to_owned()))
}

/// Looks whether the last row is the list's last: up to its day something is listed, and nothing that
/// was not listed before.
async fn is_end(api: &Api, days: Days, rows: &Rows) -> Result<bool, PlatformError> {
    let starts = rows.activities.iter().filter(|row| row.start.is_some());
    let Some(last) = starts.min_by_key(|row| row.start) else {
        return Ok(rows.count.unwrap_or_default() == 0);
    };
    let Some(day) = local_day(last) else { return Ok(false) };
    let up_to = Days { last: day, ..days };
    let mut rest = Rows::default();
    rest.take(&page(api, up_to, 1).await?);
    Ok(!rest.has_gap && !rest.seen.is_empty() && rest.seen.is_subset(&rows.seen))
}

async fn page(api: &Api, days: Days, number: u64) -> Result<ListData, PlatformError> {
    let day = |day: Date| day.strftime("%Y%m%d").to_string();
    let query = vec![
        ("size", ROWS.to_string()),
        ("pageNumber", number.to_string()),
        ("startDay", day(days.first)),
        ("endDay", day(days.last)),
    ];
    let says_something = |data: &ListData| {
        data.count.is_some() || data.total_page.is_some() || data.data_list.is_some()
    };
    let take = |data| {
        let data: Option<ListData> = serde_json::from_value(data).ok()?;
        // Past the end there may be nothing to say; in the beginning that would be an empty account.
        data.filter(|data| number > 1 || says_something(data))
    };
    api.list(&Call::get("/activity/query", query), take).await
}

/// Returns an activity's own local day.
fn local_day(row: &Activity) -> Option<Date> {
    let offset = Offset::from_seconds(row.local_offset_s.unwrap_or_default()).ok()?;
    Some(offset.to_datetime(row.start?).date())
}

fn holds(window: Window, day: Date) -> bool {
    window.first.is_none_or(|first| first <= day) && window.last.is_none_or(|last| day <= last)
}

/// Returns whether an activity's own local day is a wanted one; one without a day always is.
fn is_within(row: &Activity, window: Window) -> bool {
    local_day(row).is_none_or(|day| holds(window, day))
}

/// Returns whether an activity is known to lie on a wanted day.
fn is_surely_within(row: &Activity, window: Window) -> bool {
    local_day(row).is_some_and(|day| holds(window, day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_tells_the_code_and_after_a_whole_reading_when_that_was() {
        let listed = serde_json::from_str::<Row>(r#"{"labelId": "1", "sportType": 102}"#).unwrap();
        let mut rows = vec![row(&listed).unwrap()];
        assert_eq!((code(&rows[0]), reading(&rows[0])), (Some("102"), None));
        let read_at = Timestamp::from_second(1_700_000_000).unwrap();
        for off_by in [-3, 0] {
            let whole = WholeReading { read_at, off_by };
            keep(&mut rows, whole);
            assert_eq!((code(&rows[0]), reading(&rows[0])), (Some("102"), Some(whole)));
        }
    }

    #[test]
    fn days_are_asked_for_a_day_wider() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let days = |first: Option<&str>, last: Option<&str>| {
            let day = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            let days = Days::of(Window { first: day(first), last: day(last) }, now);
            (days.first.to_string(), days.last.to_string())
        };
        assert_eq!(days(None, None), ("1990-01-01".to_owned(), "2026-11-22".to_owned()));
        let wider = ("2026-02-28".to_owned(), "2026-04-01".to_owned());
        assert_eq!(days(Some("2026-03-01"), Some("2026-03-31")), wider);
    }
}
