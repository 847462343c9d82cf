//! The inventory: everything, or what is new. A daily reading is the newest page, which tells the
//! count too; if known and new are not all, or the last whole reading is a week old, everything is read
//! again, which alone tells what was removed.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp};

use crate::domain::{Activity, ActivityType, Coverage, Fingerprint, RemoteId, Unusable};
use crate::platform::{Page, PlatformError, Window};

use super::api::{Api, Call};
use super::types::{ListData, Row, id};

/// Rows of a page, as careful clients ask for.
const ROWS: u64 = 100;
/// More pages than anybody has.
const MOST_PAGES: u64 = 1000;
/// Everything is read at least so often.
const WHOLE_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);
/// By how much local times may be out of order.
const UNSURE: SignedDuration = SignedDuration::from_hours(26);

/// What a row remembers: its own code, which fetches its file; when everything was read; and by how
/// much COROS' count was off then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hint {
    pub(super) code: u64,
    read_at: i64,
    off_by: i64,
}

impl Hint {
    pub(super) fn of(row: &Activity) -> Option<Self> {
        let mut words = row.hint.as_deref()?.split(' ');
        let code = words.next()?.parse().ok()?;
        let (read_at, off_by) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { code, read_at, off_by })
    }

    fn text(self) -> String {
        format!("{} {} {}", self.code, self.read_at, self.off_by)
    }

    /// The row with what it was read with.
    fn onto(row: &mut Activity, read_at: i64, off_by: i64) {
        let code = row.hint.as_deref().and_then(|code| code.parse().ok()).unwrap_or_default();
        row.hint = Some(Self { code, read_at, off_by }.text());
    }
}

/// Rows of some pages.
#[derive(Default)]
struct Rows {
    activities: Vec<Activity>,
    seen: HashSet<RemoteId>,
    count: u64,
    /// The count changed, or some row came twice: something moved meanwhile.
    moved: bool,
    /// A page had fewer rows than it must have, or one that cannot be read.
    lacking: bool,
}

/// Days as COROS filters them; it compares local days, so both ends are a day wider than wanted.
#[derive(Clone, Copy)]
struct Days {
    first: Date,
    last: Date,
}

impl Days {
    fn of(window: Window, now: Timestamp) -> Self {
        let wide = Date::constant(2000, 1, 1);
        let today = now.to_zoned(TimeZone::UTC).date();
        let moved = |day: Date, days: i32| day.checked_add(Span::new().days(days)).unwrap_or(day);
        Self {
            first: window.first.map_or(wide, |day| moved(day, -1)),
            last: window.last.map_or(moved(today, 2), |day| moved(day, 1)),
        }
    }
}

/// The account's activities, reading as little as is safe.
pub(super) async fn read(
    api: &Api,
    window: Window,
    known: &HashMap<RemoteId, Activity>,
) -> Result<Page, PlatformError> {
    let days = Days::of(window, api.clock.now());
    let first = page(api, days, 1).await?;
    let is_open = window == Window::default();
    if let Some(page) = grown(api.clock.now(), &first, known).filter(|_| is_open) {
        return Ok(page);
    }
    let mut rows = whole(api, days, first).await?;
    if rows.moved || rows.lacking {
        let before =
            std::mem::replace(&mut rows, whole(api, days, page(api, days, 1).await?).await?);
        // A total that is always off, and a row that always comes twice, are no drift.
        rows.moved &= before.seen != rows.seen;
    }
    let complete = !rows.moved && !rows.lacking;
    if complete {
        // A part is no base for what is new: the next reading begins anew.
        let now = api.clock.now().as_second();
        let off_by = signed(rows.count).saturating_sub(length(&rows.activities));
        rows.activities.iter_mut().for_each(|row| Hint::onto(row, now, off_by));
    }
    rows.activities.retain(|row| is_within(row, window));
    let read = Coverage::Whole;
    Ok(Page { activities: rows.activities, complete, read, ..Page::default() })
}

/// The rows of the days around a moment, by which a single activity is looked at.
pub(super) async fn around(api: &Api, start: Timestamp) -> Result<Vec<Activity>, PlatformError> {
    let day = start.to_zoned(TimeZone::UTC).date();
    let days = Days::of(Window { first: Some(day), last: Some(day) }, api.clock.now());
    let first = page(api, days, 1).await?;
    let rows = whole(api, days, first).await?;
    match rows.lacking {
        true => Err(in_part()),
        false => Ok(rows.activities),
    }
}

/// All rows, by which a single activity is looked for whose day is not known.
pub(super) async fn all(api: &Api) -> Result<Vec<Activity>, PlatformError> {
    let page = read(api, Window::default(), &HashMap::new()).await?;
    page.complete.then_some(page.activities).ok_or_else(in_part)
}

fn in_part() -> PlatformError {
    PlatformError::Transient("COROS lists only a part".to_owned())
}

/// Known rows and those of the newest page, if they are all.
fn grown(now: Timestamp, first: &ListData, known: &HashMap<RemoteId, Activity>) -> Option<Page> {
    let hints: Option<Vec<Hint>> = known.values().map(Hint::of).collect();
    let oldest = hints?.into_iter().min_by_key(|hint| hint.read_at)?;
    let read_at = Timestamp::from_second(oldest.read_at).ok()?;
    if now.duration_since(read_at) > WHOLE_EVERY {
        return None;
    }
    let mut rows = Rows::default();
    rows.take(first);
    let is_known = |row: &Activity| known.contains_key(&row.id);
    let is_short = first.total_page.map_or(first.rows() < ROWS, |pages| pages <= 1);
    let overlaps = is_short || rows.activities.iter().any(is_known);
    let fresh = rows.activities.iter().filter(|row| !is_known(row)).count();
    let expected = signed((known.len() + fresh) as u64).checked_add(oldest.off_by)?;
    let is_whole = !rows.lacking && !lacks(&rows, is_short, known);
    if !overlaps || signed(first.count?) != expected || !is_whole {
        return None;
    }
    for row in &mut rows.activities {
        Hint::onto(row, oldest.read_at, oldest.off_by);
    }
    let rest = known.values().filter(|row| !rows.seen.contains(&row.id)).cloned();
    let mut activities = rows.activities;
    activities.extend(rest);
    activities.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| b.id.cmp(&a.id)));
    Some(Page { activities, complete: true, ..Page::default() })
}

/// Whether the newest page lacks a known activity that should be on it. The page is in order of local
/// time, so near its end nothing is sure; the only page has them all.
fn lacks(rows: &Rows, is_short: bool, known: &HashMap<RemoteId, Activity>) -> bool {
    let oldest = rows.activities.iter().filter_map(|row| row.start).min();
    let sure = oldest.and_then(|oldest| oldest.checked_add(UNSURE).ok());
    known.values().any(|row| {
        let newer = is_short || row.start.zip(sure).is_some_and(|(start, sure)| start > sure);
        newer && !rows.seen.contains(&row.id)
    })
}

/// All pages after a first one.
async fn whole(api: &Api, days: Days, first: ListData) -> Result<Rows, PlatformError> {
    let mut rows = Rows { count: first.count.unwrap_or_default(), ..Rows::default() };
    let says_count = first.count.is_some();
    let rows_of_first = first.rows();
    let mut data = first;
    for number in 1..=MOST_PAGES {
        let listed = data.rows();
        rows.moved |= data.count.is_some_and(|count| count != rows.count);
        rows.take(&data);
        let is_last = match data.total_page {
            Some(total) => number >= total,
            // Only an empty page is surely past the end.
            None => listed == 0 || (says_count && signed(rows.count) <= length(&rows.activities)),
        };
        // The first page of something is not empty, and every page but the last is as long.
        let expected = match data.total_page {
            Some(_) if !is_last => rows_of_first.max(1),
            _ => u64::from(number == 1).min(rows.count),
        };
        rows.lacking |= listed < expected;
        if listed == 0 || is_last {
            rows.moved |= says_count && signed(rows.count) != length(&rows.activities);
            if !says_count {
                rows.count = rows.activities.len() as u64;
            }
            return Ok(rows);
        }
        data = page(api, days, number + 1).await?;
    }
    Err(PlatformError::Protocol("COROS' list does not end".to_owned()))
}

async fn page(api: &Api, days: Days, number: u64) -> Result<ListData, PlatformError> {
    let day = |day: Date| day.strftime("%Y%m%d").to_string();
    let query = vec![
        ("size", ROWS.to_string()),
        ("pageNumber", number.to_string()),
        ("startDay", day(days.first)),
        ("endDay", day(days.last)),
    ];
    let data: Option<ListData> = api.read(&Call::get("/activity/query", query)).await?;
    let says_something = |data: &ListData| {
        data.count.is_some() || data.total_page.is_some() || data.data_list.is_some()
    };
    // Past the end there may be nothing to say; in the beginning that would be an empty account.
    data.filter(|data| number > 1 || says_something(data))
        .ok_or_else(|| PlatformError::Protocol("COROS' list says nothing".to_owned()))
}

impl Rows {
    /// Takes a page's rows, each once.
    fn take(&mut self, data: &ListData) {
        for listed in data.data_list.iter().flatten() {
            let read = serde_json::from_value::<Row>(listed.clone()).ok();
            let Some(row) = read.as_ref().and_then(row) else {
                self.lacking = true;
                continue;
            };
            if self.seen.insert(row.id.clone()) {
                self.activities.push(row);
            } else {
                self.moved = true;
            }
        }
    }
}

/// Whether an activity's own local day is a wanted one.
fn is_within(row: &Activity, window: Window) -> bool {
    let offset = Offset::from_seconds(row.local_offset_s.unwrap_or_default()).ok();
    let day = row.start.zip(offset).map(|(start, offset)| offset.to_datetime(start).date());
    let early = window.first.zip(day).is_some_and(|(first, day)| day < first);
    let late = window.last.zip(day).is_some_and(|(last, day)| day > last);
    !early && !late
}

/// A row as COROS lists it, in our terms; its hint is its code alone.
fn row(listed: &Row) -> Option<Activity> {
    let id = RemoteId::new(id(&listed.label_id)?);
    let start = listed.start_time.filter(|seconds| *seconds > 0);
    let ended = listed.end_time.zip(start).map(|(end, start)| end.saturating_sub(start));
    let elapsed_s = ended.and_then(|s| u32::try_from(s).ok()).filter(|seconds| *seconds > 0);
    let elapsed_s = elapsed_s.or_else(|| whole_units(listed.total_time));
    let start = start.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let distance_m = whole_units(listed.distance);
    let code = listed.sport_type.unwrap_or_default();
    let kind = u16::try_from(code)
        .map_or_else(|_| ActivityType::opaque(&format!("coros_{code}")), ActivityType::of_coros);
    // Zones run from twelve hours west to fourteen east.
    let quarters = listed.start_timezone.filter(|quarters| (-48..=56).contains(quarters));
    Some(Activity {
        fingerprint: Fingerprint::of_listing(start, elapsed_s, distance_m, &code.to_string()),
        start,
        elapsed_s,
        timer_s: whole_units(listed.workout_time),
        local_offset_s: quarters.map(|quarters| quarters * 900),
        kind,
        title: listed.name.clone().filter(|title| !title.is_empty()),
        distance_m,
        device: listed.device.clone().filter(|name| !name.is_empty()),
        unusable: start.is_none().then_some(Unusable::ClockNotSet),
        hint: Some(code.to_string()),
        ..Activity::unusable(id, Fingerprint::new(""), Unusable::NoOriginal)
    })
}

/// Whole units, half up; nothing for zero, for what is below and for what is absurd.
fn whole_units(value: Option<f64>) -> Option<u32> {
    let rounded = (value.filter(|value| value.is_finite())? + 0.5).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bounds are checked"
    )]
    (rounded >= 1.0 && rounded < f64::from(u32::MAX)).then_some(rounded as u32)
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn length(rows: &[Activity]) -> i64 {
    signed(rows.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_row(text: &str) -> Option<Activity> {
        row(&serde_json::from_str::<Row>(text).unwrap())
    }

    #[test]
    fn a_row_is_read_with_its_zone_in_quarter_hours() {
        let row = read_row(
            r#"{"labelId": "467870248094171141", "sportType": 102, "mode": 15, "startTime": 1742680814,
            "endTime": 1742737890, "startTimezone": 23, "date": 20250323, "distance": 69282.43,
            "workoutTime": 56590, "totalTime": 57076, "name": "Ridge/Valley", "device": "COROS NOMAD"}"#,
        )
        .unwrap();
        assert_eq!(row.id.as_str(), "467870248094171141");
        assert_eq!(row.start.unwrap().as_second(), 1_742_680_814);
        assert_eq!(row.local_offset_s, Some(20_700), "+05:45");
        assert_eq!((row.elapsed_s, row.timer_s), (Some(57_076), Some(56_590)));
        assert_eq!((row.distance_m, row.kind.as_str()), (Some(69_282), "trail_running"));
        assert_eq!(row.title.as_deref(), Some("Ridge/Valley"));
        assert_eq!(row.unusable, None);
    }

    #[test]
    fn zero_is_unknown_and_ids_may_be_numbers() {
        let row = read_row(
            r#"{"labelId": 467870248094171141, "sportType": 403, "startTime": 0, "distance": 0,
            "workoutTime": 0, "name": null, "device": ""}"#,
        )
        .unwrap();
        assert_eq!(row.id.as_str(), "467870248094171141");
        assert_eq!(row.kind.as_str(), "coros_403");
        assert_eq!((row.start, row.distance_m, row.timer_s, row.title), (None, None, None, None));
        assert_eq!(row.unusable, Some(Unusable::ClockNotSet));
        assert!(read_row("{}").is_none());
        assert_eq!(
            read_row(r#"{"labelId":"1","sportType":70000}"#).unwrap().kind.as_str(),
            "coros_70000"
        );
    }

    #[test]
    fn a_hint_is_read_back() {
        let mut row = read_row(r#"{"labelId": "1", "sportType": 102}"#).unwrap();
        Hint::onto(&mut row, 1_700_000_000, -3);
        let hint = Hint { code: 102, read_at: 1_700_000_000, off_by: -3 };
        assert_eq!(Hint::of(&row), Some(hint));
        row.hint = Some("102".to_owned());
        assert_eq!(Hint::of(&row), None, "not read whole yet");
    }

    #[test]
    fn days_are_asked_for_a_day_wider() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let days = |first: Option<&str>, last: Option<&str>| {
            let day = |text: Option<&str>| text.map(|text| text.parse().unwrap());
            let days = Days::of(Window { first: day(first), last: day(last) }, now);
            (days.first.to_string(), days.last.to_string())
        };
        assert_eq!(days(None, None), ("2000-01-01".to_owned(), "2026-11-22".to_owned()));
        let wider = ("2026-02-28".to_owned(), "2026-04-01".to_owned());
        assert_eq!(days(Some("2026-03-01"), Some("2026-03-31")), wider);
    }
}
