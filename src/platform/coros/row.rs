//! From a row of COROS' list to an activity.

use jiff::Timestamp;

use crate::domain::{Activity, ActivityType, Fingerprint, RemoteId, Unusable};

use super::types::{Row, id};

/// Returns the activity that a row describes, with the row's code as its hint; `None` if the row
/// names none.
pub(super) fn row(listed: &Row) -> Option<Activity> {
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
}
