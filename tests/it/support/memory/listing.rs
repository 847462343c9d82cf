//! How the account lists what it holds.

use fit_sync::domain::{Activity, Coverage};
use fit_sync::platform::{ListRequest, Page, PageToken, PlatformError, Window};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use super::script::{Fault, ListFault};
use super::world::World;

/// Rows that a reading by count looks at before it believes the rest.
const LOOKED_AT: usize = 1;
/// How long after a whole reading a count is believed, as by the clients of web platforms.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(36);

/// Returns one page and has the account do what it does after a listing.
pub(super) fn page(
    world: &mut World,
    request: &ListRequest<'_>,
    fault: Option<Fault>,
) -> Result<Page, PlatformError> {
    let offset = match &request.page {
        Some(PageToken(text)) => {
            text.parse().map_err(|_| PlatformError::Protocol(format!("no page '{text}'")))?
        }
        None => 0usize,
    };
    let rows = visible(world, request.window);
    let mut page = match by_count(world, request, &rows) {
        Some(page) => page,
        None => cut(world, &rows, offset),
    };
    if page.next.is_none() {
        if request.window == Window::default() && page.read == Coverage::Whole {
            world.whole_at = world.now();
        }
        after_listing(world, &rows);
    }
    if let Some(Fault::List(fault)) = fault {
        distort(world, request, &mut page, fault)?;
    }
    Ok(page)
}

/// What lists show now, newest first.
fn visible(world: &World, window: Window) -> Vec<Activity> {
    let now = world.now();
    let items = world.items.values();
    let items = items.filter(|item| item.hidden.is_none_or(|lag| lag.is_over(now)));
    let items =
        items.flat_map(|item| std::iter::repeat_n(&item.row, if item.twice { 2 } else { 1 }));
    let ghosts = world.ghosts.iter().filter(|ghost| !ghost.lag.is_over(now));
    let rows = items.chain(ghosts.map(|ghost| &ghost.row));
    let mut rows: Vec<Activity> = rows.filter(|row| holds(window, row)).cloned().collect();
    if world.quirks.rows_hide_privacy {
        rows.iter_mut().for_each(|row| row.private = None);
    }
    rows.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
    rows
}

/// Whether an activity's local day lies in a window; one without a day lies in every window.
fn holds(window: Window, row: &Activity) -> bool {
    let Some(day) = row.start.and_then(|start| local_day(start, row.local_offset_s)) else {
        return true;
    };
    window.first.is_none_or(|first| first <= day) && window.last.is_none_or(|last| day <= last)
}

fn local_day(start: Timestamp, offset_s: Option<i32>) -> Option<Date> {
    let offset = SignedDuration::from_secs(i64::from(offset_s.unwrap_or_default()));
    let local = start.checked_add(offset).ok()?;
    Some(local.to_zoned(TimeZone::UTC).date())
}

/// The known rows and the newest one, if there are as many as the account holds.
fn by_count(world: &World, request: &ListRequest<'_>, rows: &[Activity]) -> Option<Page> {
    let is_whole = request.window == Window::default() && request.page.is_none();
    let age = world.now().zip(world.whole_at).map(|(now, at)| now.duration_since(at));
    let is_old = age.is_some_and(|age| age > MAX_AGE);
    if !(world.quirks.counts_only && is_whole) || request.known.is_empty() || is_old {
        return None;
    }
    let looked_at = rows.iter().take(LOOKED_AT);
    let fresh: Vec<&Activity> =
        looked_at.filter(|row| !request.known.contains_key(&row.id)).collect();
    if request.known.len() + fresh.len() != rows.len() {
        return None;
    }
    let newest = rows.first().and_then(|row| row.start);
    let read = newest.map_or(Coverage::Remembered, Coverage::Since);
    let mut known: Vec<&Activity> = request.known.values().collect();
    known.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
    Some(Page {
        activities: fresh.into_iter().chain(known).cloned().collect(),
        next: None,
        total: u64::try_from(rows.len()).ok(),
        complete: true,
        read,
        notes: Vec::new(),
    })
}

fn cut(world: &World, rows: &[Activity], offset: usize) -> Page {
    let total = rows.len();
    let size = world.settings.page_size.map_or(total, usize::from);
    let end = offset.saturating_add(size);
    Page {
        activities: rows.iter().skip(offset).take(size).cloned().collect(),
        next: (end < total).then(|| PageToken(end.to_string())),
        total: u64::try_from(total).ok(),
        complete: true,
        read: Coverage::Whole,
        notes: Vec::new(),
    }
}

/// Lets what is late come nearer, and gives other ids to what was listed for the first time.
fn after_listing(world: &mut World, listed: &[Activity]) {
    for item in world.items.values_mut() {
        if let Some(lag) = &mut item.hidden {
            lag.listed();
        }
    }
    let now = world.now();
    world.ghosts.iter_mut().for_each(|ghost| ghost.lag.listed());
    world.ghosts.retain(|ghost| !ghost.lag.is_over(now));
    let first: Vec<_> = listed.iter().map(|row| &row.id).collect();
    let first: Vec<_> = first.into_iter().filter(|id| world.fleeting.remove(*id)).collect();
    first.into_iter().for_each(|id| world.rename(id));
}

fn distort(
    world: &mut World,
    request: &ListRequest<'_>,
    page: &mut Page,
    fault: ListFault,
) -> Result<(), PlatformError> {
    let is_whole = request.window == Window::default();
    match fault {
        ListFault::Arrives(row) => {
            world.insert(*row, None);
        }
        ListFault::Vanishes(id) => world.remove(&id)?,
        ListFault::Incomplete => page.complete = false,
        ListFault::Unreadable => {
            page.activities.pop();
            page.complete = false;
        }
        ListFault::Gap if is_whole => {
            page.activities.truncate(page.activities.len() / 2);
            (page.next, page.complete, page.total) = (None, false, None);
        }
        ListFault::Empty if is_whole => {
            *page =
                Page { total: Some(0), complete: true, read: Coverage::Whole, ..Page::default() };
        }
        ListFault::Gap | ListFault::Empty => {}
    }
    Ok(())
}
