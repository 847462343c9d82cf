//! The inventory: everything, or what is new. A daily reading is the newest page and the count; if
//! known and new are not all, or the last whole reading is a week old, everything is read again, which
//! alone tells what was removed.

use std::collections::{HashMap, HashSet};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::{
    Activity, ActivityType, Coverage, Fingerprint, Note, ProfileId, RemoteId, Unusable,
};
use crate::platform::{Page, PlatformError, Window};

use super::api::{Api, Call};
use super::details::is_closed;
use super::types::{Count, ListedActivity, id};

/// Rows of a page, as careful clients ask for.
const ROWS: usize = 100;
/// More pages than anybody has.
const MOST_PAGES: usize = 1000;
/// Everything is read at least so often.
const WHOLE_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Seconds of 1998: before, a watch's clock was never set (2^28 seconds after its epoch).
const CLOCKS_BEGIN: i64 = 899_501_056;

/// By how much local times may be out of order.
const UNSURE: SignedDuration = SignedDuration::from_hours(26);

/// What a row remembers about its reading: when everything was read, and by how much Garmin's count
/// was off then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hint {
    read_at: i64,
    off_by: i64,
}

impl Hint {
    fn parse(text: &str) -> Option<Self> {
        let (read_at, off_by) = text.split_once(' ')?;
        Some(Self { read_at: read_at.parse().ok()?, off_by: off_by.parse().ok()? })
    }

    fn text(self) -> String {
        format!("{} {}", self.read_at, self.off_by)
    }
}

/// Rows of one account.
pub(super) struct Reader<'a> {
    pub(super) api: &'a Api,
    pub(super) region: &'static str,
    pub(super) profile: ProfileId,
}

/// Rows as read, and whether some were somebody else's.
#[derive(Default)]
struct Rows {
    activities: Vec<Activity>,
    seen: HashSet<RemoteId>,
    foreign: usize,
    /// Some row came twice: something moved meanwhile.
    moved: bool,
}

impl Reader<'_> {
    /// The activities of some days, read anew: nothing that is known is taken for granted.
    pub(super) async fn days(&self, window: Window) -> Result<Page, PlatformError> {
        let mut rows = Rows::default();
        for number in 0..MOST_PAGES {
            let page = self.page(number * ROWS, window).await?;
            self.take(&mut rows, &page);
            if page.len() < ROWS {
                let complete = rows.foreign == 0 && !rows.moved;
                let activities = rows.activities;
                let read = Coverage::Whole;
                return Ok(Page { activities, complete, read, ..Page::default() });
            }
        }
        Err(PlatformError::Protocol("Garmin's list does not end".to_owned()))
    }

    /// The account's activities, reading as little as is safe.
    pub(super) async fn read(
        &self,
        known: &HashMap<RemoteId, Activity>,
    ) -> Result<Page, PlatformError> {
        let count = self.count().await?;
        let first = self.page(0, Window::default()).await?;
        if let Some(page) = self.grown(&first, count, known) {
            return Ok(page);
        }
        // One page is one moment; over several the list may have moved.
        let is_one_page = first.len() < ROWS && first.len() as u64 >= count;
        let mut rows = self.whole(first, count).await?;
        if is_one_page {
            return Ok(self.finished(rows, count));
        }
        let mut after = self.count().await?;
        if after != count || rows.moved {
            rows = self.whole(self.page(0, Window::default()).await?, after).await?;
            let last = self.count().await?;
            if last != after {
                rows.moved = true;
            }
            after = last;
        }
        Ok(self.finished(rows, after))
    }

    /// Known rows and those of the newest page, if they are all.
    fn grown(
        &self,
        first: &[ListedActivity],
        count: u64,
        known: &HashMap<RemoteId, Activity>,
    ) -> Option<Page> {
        let hints = known.values().map(|row| row.hint.as_deref().and_then(Hint::parse));
        let hints: Option<Vec<Hint>> = hints.collect();
        let oldest = hints?.into_iter().min_by_key(|hint| hint.read_at)?;
        let now = self.api.clock.now();
        let read_at = Timestamp::from_second(oldest.read_at).ok()?;
        if now.duration_since(read_at) > WHOLE_EVERY {
            return None;
        }
        let mut rows = Rows::default();
        self.take(&mut rows, first);
        if self.lacks(&rows, known) {
            return None;
        }
        let overlaps =
            first.len() < ROWS || rows.activities.iter().any(|r| known.contains_key(&r.id));
        let fresh = rows.activities.iter().filter(|row| !known.contains_key(&row.id)).count();
        let expected = i64::try_from(known.len() + fresh).ok()?.checked_add(oldest.off_by)?;
        if !overlaps || rows.foreign > 0 || i64::try_from(count).ok()? != expected {
            return None;
        }
        for row in &mut rows.activities {
            row.hint = Some(oldest.text());
        }
        let rest = known.values().filter(|row| !rows.seen.contains(&row.id)).cloned();
        let mut activities = rows.activities;
        activities.extend(rest);
        activities.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| b.id.cmp(&a.id)));
        Some(Page { activities, complete: true, ..Page::default() })
    }

    /// Whether the newest page lacks a known activity that should be on it. The page is in order of
    /// local time, so near its end nothing is sure.
    fn lacks(&self, rows: &Rows, known: &HashMap<RemoteId, Activity>) -> bool {
        let oldest = rows.activities.iter().filter_map(|row| row.start).min();
        let sure = oldest.and_then(|oldest| oldest.checked_add(UNSURE).ok());
        known.values().any(|row| {
            let newer = row.start.zip(sure).is_some_and(|(start, sure)| start > sure);
            newer && !rows.seen.contains(&row.id)
        })
    }

    /// All pages after a first one. A first page that is short although there are more is as long as
    /// this server lets pages be.
    async fn whole(&self, first: Vec<ListedActivity>, count: u64) -> Result<Rows, PlatformError> {
        let mut rows = Rows::default();
        let is_capped = !first.is_empty() && first.len() < ROWS && (first.len() as u64) < count;
        let full = if is_capped { first.len() } else { ROWS };
        let mut page = first;
        for number in 1..=MOST_PAGES {
            let is_last = page.len() < full;
            self.take(&mut rows, &page);
            if is_last {
                return Ok(rows);
            }
            page = self.page(number * full, Window::default()).await?;
        }
        Err(PlatformError::Protocol("Garmin's list does not end".to_owned()))
    }

    fn finished(&self, mut rows: Rows, count: u64) -> Page {
        let listed = i64::try_from(rows.activities.len()).unwrap_or(i64::MAX);
        let off_by = i64::try_from(count).unwrap_or(i64::MAX).saturating_sub(listed);
        let hint = Hint { read_at: self.api.clock.now().as_second(), off_by };
        for row in &mut rows.activities {
            row.hint = Some(hint.text());
        }
        let mut notes = Vec::new();
        if rows.foreign > 0 {
            let message = format!("{} activities of somebody else were listed", rows.foreign);
            notes.push(Note { subject: "list".to_owned(), message });
        }
        let complete = rows.foreign == 0 && !rows.moved;
        let read = Coverage::Whole;
        Page { activities: rows.activities, complete, read, notes, ..Page::default() }
    }

    async fn count(&self) -> Result<u64, PlatformError> {
        let call = Call::get("/activitylist-service/activities/count");
        self.api.read::<Count>(&call).await.map(|count| count.total_count)
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
        self.api.read(&call).await
    }

    /// Takes a page's rows: each once, no legs of a multisport, nobody else's.
    fn take(&self, rows: &mut Rows, page: &[ListedActivity]) {
        for listed in page {
            if id(listed.parent_id.as_ref()).is_some() {
                continue;
            }
            let owner = id(listed.owner_id.as_ref())
                .map(|owner| ProfileId::of_account("garmin", self.region, &owner));
            if owner.is_some_and(|owner| owner != self.profile) {
                rows.foreign += 1;
                continue;
            }
            let Some(row) = row(listed) else { continue };
            if rows.seen.insert(row.id.clone()) {
                rows.activities.push(row);
            } else {
                rows.moved = true;
            }
        }
    }
}

/// A row as Garmin lists it, in our terms.
fn row(listed: &ListedActivity) -> Option<Activity> {
    let id = RemoteId::new(id(listed.activity_id.as_ref())?);
    let begin = || Timestamp::from_millisecond(listed.begin_timestamp?).ok();
    let start = listed.start_time_gmt.as_deref().and_then(instant).or_else(begin);
    let local = listed.start_time_local.as_deref().and_then(instant);
    let offset = start.zip(local).map(|(start, local)| local.duration_since(start).as_secs());
    let key = listed.activity_type.as_ref().and_then(|kind| kind.type_key.as_deref());
    let key = key.unwrap_or("other");
    let elapsed_s = whole(elapsed(listed, start).or(listed.duration));
    let distance_m = whole(listed.distance);
    let is_set = start.is_some_and(|start| start.as_second() >= CLOCKS_BEGIN);
    let unusable = match listed.manual_activity {
        Some(true) => Some(Unusable::NoOriginal),
        _ if !is_set => Some(Unusable::ClockNotSet),
        _ => None,
    };
    let start = start.filter(|_| is_set);
    let access = listed.privacy.as_ref().and_then(|privacy| privacy.type_key.as_deref());
    Some(Activity {
        fingerprint: Fingerprint::of_listing(start, elapsed_s, distance_m, key),
        start,
        elapsed_s,
        timer_s: whole(listed.duration),
        local_offset_s: offset.and_then(|offset| i32::try_from(offset).ok()),
        kind: ActivityType::of_garmin(key),
        title: listed.activity_name.clone().filter(|title| !title.is_empty()),
        distance_m,
        device: listed.manufacturer.clone().filter(|name| !name.is_empty()),
        private: access.map(is_closed),
        unusable,
        ..Activity::unusable(id, Fingerprint::new(""), Unusable::NoOriginal)
    })
}

/// Seconds from start to end; old servers give milliseconds.
fn elapsed(listed: &ListedActivity, start: Option<Timestamp>) -> Option<f64> {
    let elapsed = listed.elapsed_duration?;
    let end = listed.end_time_gmt.as_deref().and_then(instant);
    let between = start.zip(end).map(|(start, end)| end.duration_since(start).as_secs_f64());
    let about = between.or(listed.duration).filter(|seconds| *seconds > 0.0);
    let is_ms = about.is_some_and(|seconds| elapsed > 900.0 * seconds);
    Some(if is_ms { elapsed / 1000.0 } else { elapsed })
}

/// `2026-01-08 14:10:21`, read as UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Whole units, half up; nothing for zero, for what is below and for what is absurd.
fn whole(value: Option<f64>) -> Option<u32> {
    let value = value.filter(|value| value.is_finite())?;
    let rounded = (value + 0.5).floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bounds are checked"
    )]
    (rounded >= 1.0 && rounded < f64::from(u32::MAX)).then_some(rounded as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_in_utc_with_its_offset() {
        let listed: ListedActivity = serde_json::from_str(
            r#"{"activityId": 21482825013, "activityName": "Base", "startTimeGMT": "2026-01-08 14:10:21",
            "startTimeLocal": "2026-01-08 08:10:21", "activityType": {"typeId": 6, "typeKey": "trail_running"},
            "distance": 4261.5, "duration": 2223.3, "elapsedDuration": 2225.5, "privacy": {"typeKey": "private"}}"#,
        )
        .unwrap();
        let row = row(&listed).unwrap();
        assert_eq!(row.id.as_str(), "21482825013");
        assert_eq!(row.start.unwrap().to_string(), "2026-01-08T14:10:21Z");
        assert_eq!(row.local_offset_s, Some(-21_600));
        assert_eq!(
            (row.elapsed_s, row.timer_s, row.distance_m),
            (Some(2226), Some(2223), Some(4262))
        );
        assert_eq!(row.kind.as_str(), "trail_running");
        assert_eq!(row.private, Some(true));
        assert_eq!(row.unusable, None);
    }

    #[test]
    fn nothing_is_known_of_what_is_missing_or_absurd() {
        let listed: ListedActivity = serde_json::from_str(
            r#"{"activityId": "7", "activityName": null, "distance": -1e300, "duration": 0.0}"#,
        )
        .unwrap();
        let row = row(&listed).unwrap();
        assert_eq!((row.start, row.distance_m, row.timer_s, row.title), (None, None, None, None));
        assert!(super::row(&ListedActivity::default()).is_none());
    }

    #[test]
    fn old_servers_milliseconds_and_clocks_that_were_never_set_are_known() {
        let read = |text: &str| row(&serde_json::from_str(text).unwrap()).unwrap();
        let ms = read(
            r#"{"activityId": 1, "startTimeGMT": "2016-01-08T14:10:21.0", "duration": 2000.0,
            "elapsedDuration": 2225440.9, "beginTimestamp": 1452262221000}"#,
        );
        assert_eq!(ms.elapsed_s, Some(2225));
        let paused = read(
            r#"{"activityId": 2, "startTimeGMT": "2016-01-08 06:00:00", "duration": 30.0,
            "elapsedDuration": 36000.0, "endTimeGMT": "2016-01-08 16:00:00"}"#,
        );
        assert_eq!(paused.elapsed_s, Some(36_000));
        let stamped = read(r#"{"activityId": 3, "beginTimestamp": 1452262221000}"#);
        assert_eq!(stamped.start.unwrap().to_string(), "2016-01-08T14:10:21Z");
        let unset = read(r#"{"activityId": 4, "startTimeGMT": "1989-12-31 00:00:10"}"#);
        assert_eq!((unset.start, unset.unusable), (None, Some(Unusable::ClockNotSet)));
    }

    #[test]
    fn what_not_everybody_may_see_is_private() {
        let read = |access: &str| {
            let text = format!(r#"{{"activityId": 1, "privacy": {{"typeKey": {access}}}}}"#);
            row(&serde_json::from_str(&text).unwrap()).unwrap().private
        };
        assert_eq!(read("\"public\""), Some(false));
        assert_eq!(read("\"subscribers\""), Some(true));
        assert_eq!(read("\"private\""), Some(true));
        assert_eq!(read("null"), None);
    }

    #[test]
    fn a_hint_is_read_back() {
        let hint = Hint { read_at: 1_700_000_000, off_by: -3 };
        assert_eq!(Hint::parse(&hint.text()), Some(hint));
        assert_eq!(Hint::parse("x"), None);
    }
}
