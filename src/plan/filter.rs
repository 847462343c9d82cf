//! Whether a filter wants an activity: the one meaning that rules, `list`, `download` and `sync`
//! share.

use jiff::civil::Date;
use jiff::tz::Offset;

use crate::domain::Activity;
use crate::manifest::{Filter, Located};

use super::reason::SkipReason;

/// The manifest's line of the filter that speaks against an activity; `None` for one of the command
/// line.
pub(super) type Line = Option<usize>;

/// Whether a filter wants an activity; `today` is what relative days are counted from.
pub fn wants(filter: &Filter, activity: &Activity, today: Date) -> bool {
    objection(filter, activity, today).is_none()
}

/// Why a filter does not want an activity.
pub(super) fn objection(
    filter: &Filter,
    activity: &Activity,
    today: Date,
) -> Option<(SkipReason, Line)> {
    by_type(filter, activity)
        .map(|line| (SkipReason::FilteredType, line))
        .or_else(|| by_date(filter, activity, today).map(|line| (SkipReason::FilteredDate, line)))
        .or_else(|| by_facts(filter, activity).map(|line| (SkipReason::Filtered, line)))
}

fn against<T>(filter: Option<&Located<T>>, passes: impl Fn(&T) -> bool) -> Option<Line> {
    let filter = filter?;
    (!passes(&filter.value)).then_some(filter.line)
}

fn by_type(filter: &Filter, activity: &Activity) -> Option<Line> {
    against(filter.types.as_ref(), |types| types.iter().any(|kind| kind.includes(&activity.kind)))
        .or_else(|| {
            against(filter.exclude_types.as_ref(), |types| {
                !types.iter().any(|kind| kind.includes(&activity.kind))
            })
        })
}

/// An activity without a start lies on no day that is asked for.
fn by_date(filter: &Filter, activity: &Activity, today: Date) -> Option<Line> {
    let day = local_day(activity);
    against(filter.start_date.as_ref(), |bound| day.is_some_and(|day| bound.on(today) <= day))
        .or_else(|| {
            against(filter.end_date.as_ref(), |bound| day.is_some_and(|day| day <= bound.on(today)))
        })
}

/// The activity's own calendar day: in its local time where that is known, else in UTC.
fn local_day(activity: &Activity) -> Option<Date> {
    let offset = activity.local_offset_s.and_then(|seconds| Offset::from_seconds(seconds).ok());
    Some(offset.unwrap_or(Offset::UTC).to_datetime(activity.start?).date())
}

fn by_facts(filter: &Filter, activity: &Activity) -> Option<Line> {
    let title = activity.title.as_deref().unwrap_or_default();
    let device = activity.device.as_deref().unwrap_or_default();
    let duration = activity.elapsed_s.or(activity.timer_s);
    let least = |bound: Option<&Located<u32>>, fact: Option<u32>| {
        against(bound, |least| fact.is_some_and(|fact| fact >= *least))
    };
    let most = |bound: Option<&Located<u32>>, fact: Option<u32>| {
        against(bound, |most| fact.is_none_or(|fact| fact <= *most))
    };
    against(filter.title.as_ref(), |pattern| pattern.is_match(title))
        .or_else(|| against(filter.device.as_ref(), |pattern| pattern.is_match(device)))
        .or_else(|| least(filter.min_distance_m.as_ref(), activity.distance_m))
        .or_else(|| most(filter.max_distance_m.as_ref(), activity.distance_m))
        .or_else(|| least(filter.min_duration_s.as_ref(), duration))
        .or_else(|| most(filter.max_duration_s.as_ref(), duration))
}
