//! Finding again what a link means: by id, and for files that were renamed by their bytes.

use std::collections::HashMap;

use crate::domain::{Activity, Key, Link, RemoteId, Sha256, Side};

/// Links by what identifies one of their sides.
#[derive(Default)]
pub(super) struct Links<'a> {
    by_id: HashMap<&'a RemoteId, (&'a Side, &'a Link)>,
    by_bytes: HashMap<&'a Sha256, (&'a Side, &'a Link)>,
}

impl<'a> Links<'a> {
    pub(super) fn of(
        links: impl Iterator<Item = &'a Link>,
        side: impl Fn(&'a Link) -> Option<&'a Side>,
    ) -> Self {
        let mut index = Self::default();
        let mut sides: Vec<(&Side, &Link)> =
            links.filter_map(|link| Some((side(link)?, link))).collect();
        sides.sort_unstable_by(|a, b| a.0.id.cmp(&b.0.id));
        for (side, link) in sides {
            index.by_id.entry(&side.id).or_insert((side, link));
            if let Some(sha256) = &side.sha256 {
                index.by_bytes.entry(sha256).or_insert((side, link));
            }
        }
        index
    }

    /// The link of an activity on that side.
    pub(super) fn find(&self, activity: &Activity) -> Option<&'a Link> {
        let named = self.by_id.get(&activity.id);
        let same = || self.by_bytes.get(activity.sha256.as_ref()?);
        let found = match named {
            Some((side, _)) if side.sha256 == activity.sha256 => named,
            Some((side, _)) => same().or(named.filter(|_| is_one_recording(side, activity))),
            None => same(),
        };
        found.map(|(_, link)| *link)
    }

    /// The link of what another link has as its side.
    pub(super) fn find_side(&self, side: &Side) -> Option<&'a Link> {
        let same = || self.by_bytes.get(side.sha256.as_ref()?);
        self.by_id.get(&side.id).or_else(same).map(|(_, link)| *link)
    }
}

/// An account's activities by what identifies them.
pub(super) struct Places<'a> {
    activities: &'a [Activity],
    by_id: HashMap<&'a RemoteId, usize>,
    by_bytes: HashMap<&'a Sha256, usize>,
}

impl<'a> Places<'a> {
    pub(super) fn of(activities: &'a [Activity]) -> Self {
        let rows = activities.iter().enumerate();
        Self {
            activities,
            by_id: rows.clone().map(|(place, row)| (&row.id, place)).collect(),
            by_bytes: rows.filter_map(|(place, row)| Some((row.sha256.as_ref()?, place))).collect(),
        }
    }

    /// Where a link's side stands now.
    pub(super) fn find(&self, side: &Side) -> Option<usize> {
        let named = self.by_id.get(&side.id).copied();
        let row = named.and_then(|place| self.activities.get(place));
        let same = || self.by_bytes.get(side.sha256.as_ref()?).copied();
        match row {
            Some(row) if row.sha256 == side.sha256 => named,
            Some(row) => same().or(named.filter(|_| is_one_recording(side, row))),
            None => same(),
        }
    }
}

/// Whether what has a side's id now is what had it then, perhaps edited: names of files are used
/// again, and people put another recording under an old id. Other bytes of another time are another
/// recording, and so is what a platform lists with another time, length and distance.
fn is_one_recording(side: &Side, now: &Activity) -> bool {
    let listed = side.sha256.is_none() || now.sha256.is_none();
    let then = side.start.map(|start| Key { start, elapsed_s: side.elapsed_s });
    let stretches = then.and_then(|key| key.interval()).zip(now.interval());
    side.start == now.start
        || stretches.is_none_or(|(then, now)| then.common_s(&now) > 0)
        || (listed && has_moved(side, now))
}

/// Whether only the start was edited, by a zone or a day.
fn has_moved(side: &Side, now: &Activity) -> bool {
    const DAY_AND_ZONE_S: u64 = 26 * 3600;
    let starts = side.start.zip(now.start);
    let apart = starts.map(|(then, now)| then.as_second().abs_diff(now.as_second()));
    apart.is_some_and(|seconds| seconds <= DAY_AND_ZONE_S)
        && !side.changed(&Activity { start: side.start, ..now.clone() })
}
