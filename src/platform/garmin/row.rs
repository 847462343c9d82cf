//! From a row of Garmin's list to an activity.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::domain::{Activity, ActivityType, Fingerprint, RemoteId, Unusable};

use super::details::is_closed;
use super::types::{ListedActivity, id};

/// Seconds of 1998: before, a watch's clock was never set (2^28 seconds after its epoch).
const CLOCKS_BEGIN: i64 = 899_501_056;

/// Returns the activity that a row describes; `None` if the row names none.
pub(super) fn row(listed: &ListedActivity) -> Option<Activity> {
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
}
