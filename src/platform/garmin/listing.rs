//! Reads the account's list: its newest page, some days, or everything.
//!
//! Each page after the first begins with the last row of the page before. So a page that is empty, or
//! that begins with another row, proves that something is missing or has moved, and a page of that one
//! row alone proves the end; a server may make its pages as short as it likes. Garmin's count proves
//! nothing: it says when reading a second time is worthwhile.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use crate::domain::{Activity, Coverage, Note, ProfileId, RemoteId};
use crate::platform::newest::{Newest, WholeReading, agree};
use crate::platform::{Page, PlatformError, Window};

use super::api::{Api, Call};
use super::row::row;
use super::types::{Count, ListedActivity, id};

/// Rows of a page, as careful clients ask for.
const ROWS: usize = 100;
/// Rows that no server makes its pages shorter than: Garmin's own default.
const MIN_ROWS: usize = 20;
/// More pages than any account has.
const MAX_PAGES: usize = 1000;

/// Reads the list of one account.
pub(super) struct Reader<'a> {
    pub(super) api: &'a Api,
    pub(super) region: &'static str,
    pub(super) profile: ProfileId,
}

/// Rows as they were listed.
#[derive(Default)]
struct Rows {
    /// The account's activities, each once.
    activities: Vec<Activity>,
    /// Ids of all rows.
    seen: HashSet<String>,
    /// The id of the last row.
    last: Option<String>,
    /// Where the last row stands in the list, counted from one.
    end: usize,
    /// Rows that are parts of another activity.
    legs: usize,
    /// Rows of somebody else.
    foreign: usize,
    /// Something is surely missing: a page that cannot be empty, a row that cannot be read.
    has_gap: bool,
    /// A row came twice, or not where it stood before.
    has_moved: bool,
}

impl Rows {
    /// Returns whether every row is the account's and was listed in its place.
    fn is_steady(&self) -> bool {
        !self.has_gap && !self.has_moved && self.foreign == 0
    }

    /// Returns whether this second reading shows everything, given the first.
    fn is_confirmed_by(&self, first: &Self) -> bool {
        let may_agree = !self.has_gap && self.foreign == 0;
        may_agree && agree(&self.activities, &first.activities)
    }

    /// Returns by how much a count is more than the activities.
    fn off_by(&self, count: u64) -> i64 {
        let listed = i64::try_from(self.activities.len()).unwrap_or(i64::MAX);
        i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(listed)
    }

    /// Returns whether a count is explained by the legs that were listed, or is off as it was before.
    fn explains(&self, count: u64, before: Option<WholeReading>) -> bool {
        let off_by = self.off_by(count);
        let legs = i64::try_from(self.legs).unwrap_or(i64::MAX);
        (0..=legs).contains(&off_by) || before.is_some_and(|before| before.off_by == off_by)
    }
}

impl Reader<'_> {
    /// Lists the activities of some days, all of them row by row. What is known says only whether
    /// reading a second time is worthwhile.
    pub(super) async fn days(
        &self,
        window: Window,
        known: &HashMap<RemoteId, Activity>,
    ) -> Result<Page, PlatformError> {
        let lacks = |rows: &Rows| {
            let mut inside = known.values().filter(|row| is_within(row, window));
            inside.any(|row| !rows.seen.contains(row.id.as_str()))
        };
        let first = self.chain(self.page(0, window).await?, window, None).await?;
        if first.is_steady() && !lacks(&first) {
            return Ok(page(first, true));
        }
        let second = self.chain(self.page(0, window).await?, window, None).await?;
        let is_whole = second.is_steady() && !lacks(&second);
        let complete = is_whole || second.is_confirmed_by(&first);
        Ok(page(second, complete))
    }

    /// Lists the account's activities, reading as little as is safe.
    pub(super) async fn read(
        &self,
        known: &HashMap<RemoteId, Activity>,
    ) -> Result<Page, PlatformError> {
        let readings = known.values().map(|row| WholeReading::parse(row.hint.as_deref()?));
        let before = WholeReading::oldest(readings);
        let count = self.count().await?;
        let newest = self.page(0, Window::default()).await?;
        let is_one_page = is_only_page(&newest, count);
        if let Some(before) = before.filter(|_| !is_one_page)
            && let Some(page) = self.cheap(&newest, count, known, before)
        {
            return Ok(page);
        }
        let first = self.whole(newest, count, known).await?;
        if first.is_steady() && first.explains(count, before) {
            return Ok(self.finished(first, count, true));
        }
        let count = self.count().await?;
        let newest = self.page(0, Window::default()).await?;
        let second = self.whole(newest, count, known).await?;
        let is_explained = second.explains(count, before) || !first.is_steady();
        let complete = (second.is_steady() && is_explained) || second.is_confirmed_by(&first);
        Ok(self.finished(second, count, complete))
    }

    /// Returns what is known with the newest page, if that is enough.
    fn cheap(
        &self,
        newest: &[ListedActivity],
        count: u64,
        known: &HashMap<RemoteId, Activity>,
        before: WholeReading,
    ) -> Option<Page> {
        let mut rows = Rows::default();
        self.take(&mut rows, newest);
        if !rows.is_steady() {
            return None;
        }
        keep(&mut rows.activities, before);
        let newest = Newest { rows: rows.activities, count, is_only: false };
        newest.over(known, before, self.api.clock.now())
    }

    /// Reads everything from the first page on. An empty first page is a gap where something is
    /// counted or known.
    async fn whole(
        &self,
        newest: Vec<ListedActivity>,
        count: u64,
        known: &HashMap<RemoteId, Activity>,
    ) -> Result<Rows, PlatformError> {
        let is_empty = newest.is_empty();
        let mut rows = self.chain(newest, Window::default(), Some(count)).await?;
        rows.has_gap |= is_empty && (count > 0 || !known.is_empty());
        Ok(rows)
    }

    /// Reads on after a first page, until a page shows nothing but the last row of the one before.
    async fn chain(
        &self,
        first: Vec<ListedActivity>,
        window: Window,
        count: Option<u64>,
    ) -> Result<Rows, PlatformError> {
        let mut rows = Rows::default();
        self.take(&mut rows, &first);
        let is_end = match count {
            Some(count) => is_only_page(&first, count),
            None => first.len() < MIN_ROWS,
        };
        if first.is_empty() || is_end {
            return Ok(rows);
        }
        for _ in 0..MAX_PAGES {
            let before = rows.seen.len();
            let page = self.page(rows.end.saturating_sub(1), window).await?;
            self.take(&mut rows, &page);
            let is_short = page.len() < ROWS && count == Some(rows.end as u64);
            if is_short || rows.seen.len() == before {
                return Ok(rows);
            }
        }
        Err(PlatformError::Protocol("Garmin's list does not end".to_owned()))
    }

    fn finished(&self, mut rows: Rows, count: u64, complete: bool) -> Page {
        if complete {
            let read_at = self.api.clock.now();
            let off_by = rows.off_by(count);
            keep(&mut rows.activities, WholeReading { read_at, off_by });
        }
        page(rows, complete)
    }

    async fn count(&self) -> Result<u64, PlatformError> {
        let call = Call::get("/activitylist-service/activities/count");
        self.api.list::<Count>(&call).await.map(|count| count.total_count)
    }

    async fn page(
        &self,
        start: usize,
        window: Window,
    ) -> Result<Vec<ListedActivity>, PlatformError> {
        let mut query = vec![("start", start.to_string()), ("limit", ROWS.to_string())];
        let day = |name, day: Option<Date>| Some((name, day?.to_string()));
        query.extend(day("startDate", window.first));
        query.extend(day("endDate", window.last));
        let call =
            Call { query, ..Call::get("/activitylist-service/activities/search/activities") };
        self.api.list(&call).await
    }

    /// Takes the rows of a page: the account's own activities each once, no legs of a multisport. All
    /// but the first page begin with the last row of the one before.
    fn take(&self, rows: &mut Rows, page: &[ListedActivity]) {
        let repeated = rows.last.take();
        rows.has_gap |= repeated.is_some() && page.is_empty();
        rows.end = rows.end.saturating_sub(usize::from(repeated.is_some())) + page.len();
        for (number, listed) in page.iter().enumerate() {
            let Some(id) = id(listed.activity_id.as_ref()) else {
                rows.has_gap = true;
                continue;
            };
            let is_repeated = number == 0 && repeated.as_ref() == Some(&id);
            rows.has_moved |= number == 0 && repeated.is_some() && !is_repeated;
            rows.last = Some(id.clone());
            if rows.seen.insert(id) {
                self.sort(rows, listed);
            } else {
                rows.has_moved |= !is_repeated;
            }
        }
    }

    fn sort(&self, rows: &mut Rows, listed: &ListedActivity) {
        let owner = id(listed.owner_id.as_ref())
            .map(|owner| ProfileId::of_account("garmin", self.region, &owner));
        if id(listed.parent_id.as_ref()).is_some() {
            rows.legs += 1;
        } else if owner.is_some_and(|owner| owner != self.profile) {
            rows.foreign += 1;
        } else {
            rows.activities.extend(row(listed));
        }
    }
}

/// Returns whether a first page is short and as long as the count: one page is one moment.
fn is_only_page(page: &[ListedActivity], count: u64) -> bool {
    page.len() < ROWS && page.len() as u64 == count
}

fn keep(activities: &mut [Activity], reading: WholeReading) {
    for row in activities {
        row.hint = Some(reading.text());
    }
}

fn page(rows: Rows, complete: bool) -> Page {
    let mut notes = Vec::new();
    if rows.foreign > 0 {
        let message = format!("{} activities of somebody else were listed", rows.foreign);
        notes.push(Note { subject: "list".to_owned(), message });
    }
    let read = Coverage::Whole;
    Page { activities: rows.activities, complete, read, notes, ..Page::default() }
}

/// Returns whether an activity lies within a window by its day in UTC and by its local day: by which
/// of them Garmin filters is not known for certain.
fn is_within(row: &Activity, window: Window) -> bool {
    let Some(start) = row.start else { return false };
    let local = Offset::from_seconds(row.local_offset_s.unwrap_or_default()).ok();
    let days = [
        Some(start.to_zoned(TimeZone::UTC).date()),
        local.map(|offset| offset.to_datetime(start).date()),
    ];
    days.into_iter().flatten().all(|day| {
        window.first.is_none_or(|first| first <= day) && window.last.is_none_or(|last| day <= last)
    })
}
