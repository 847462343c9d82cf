//! One activity as its account lists it at this moment.

use std::collections::{HashMap, HashSet};

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::domain::{Activity, RemoteId};

use super::{ListRequest, Platform, PlatformError, Window};

/// Lists the days around an activity and returns its row; `None` if a complete listing does not
/// show it.
///
/// What has no start is looked for in the whole account, where nothing that is known may stand for
/// what is listed.
pub(super) async fn look<P: Platform + ?Sized>(
    platform: &P,
    activity: &Activity,
    known: &HashMap<RemoteId, Activity>,
) -> Result<Option<Activity>, PlatformError> {
    let window = activity.start.map_or_else(Window::default, around);
    let nothing = HashMap::new();
    let known = if window == Window::default() { &nothing } else { known };
    let (mut next, mut total, mut is_whole) = (None, None, true);
    let mut seen = HashSet::new();
    loop {
        let page = platform.list(ListRequest { window, page: next, known }).await?;
        is_whole &= page.complete && (total.is_none() || page.total == total);
        total = page.total;
        for row in page.activities {
            if row.id == activity.id {
                return Ok(Some(row));
            }
            // A row that comes twice pushed another one over the edge of a page.
            is_whole &= seen.insert(row.id);
        }
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    is_whole &= total.is_none_or(|total| total == seen.len() as u64);
    if is_whole { Ok(None) } else { Err(PlatformError::Transient("only a part was listed".into())) }
}

/// The day of a start in UTC and its neighbours, which hold its day in every time zone.
fn around(start: Timestamp) -> Window {
    let day = start.to_zoned(TimeZone::UTC).date();
    Window {
        first: Some(day.saturating_sub(Span::new().days(1))),
        last: Some(day.saturating_add(Span::new().days(1))),
    }
}
