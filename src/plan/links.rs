//! Finding again what a link means: by id, and for files that were renamed by their bytes.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::{Activity, ActivityType, Key, Link, RemoteId, Sha256, Side};

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

    /// The link of a recording on that side: it proves nothing of another one that has the id now.
    pub(super) fn find<'r>(&self, now: impl Into<Recording<'r>>) -> Option<&'a Link> {
        self.find_if(&now.into(), |now, side| now.is_of(side))
    }

    /// The link of an activity whose start may have been edited since.
    pub(super) fn find_moved(&self, activity: &Activity) -> Option<&'a Link> {
        self.find_if(&activity.into(), |now, side| now.has_moved_from(side))
    }

    fn find_if(
        &self,
        now: &Recording<'_>,
        is_it: impl Fn(&Recording<'_>, &Side) -> bool,
    ) -> Option<&'a Link> {
        let named = self.by_id.get(now.id);
        let found = match named {
            Some((side, _)) if now.is_equal(side) => named,
            _ => {
                let same = now.sha256.and_then(|sha256| self.by_bytes.get(sha256));
                same.or(named.filter(|(side, _)| is_it(now, side)))
            }
        };
        found.map(|(_, link)| *link)
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
        let (named, now) = self.named(side).unzip();
        if now.is_some_and(|now| now.is_equal(side)) {
            return named;
        }
        let same = side.sha256.as_ref().and_then(|sha256| self.by_bytes.get(sha256)).copied();
        same.or(named.filter(|_| now.is_some_and(|now| now.is_of(side))))
    }

    /// Where a link's side stands whose start may have been edited since.
    pub(super) fn find_moved(&self, side: &Side) -> Option<usize> {
        self.named(side).filter(|(_, now)| now.has_moved_from(side)).map(|(place, _)| place)
    }

    fn named(&self, side: &Side) -> Option<(usize, Recording<'a>)> {
        let place = *self.by_id.get(&side.id)?;
        Some((place, self.activities.get(place)?.into()))
    }
}

/// What is known of what an account lists, or listed once, under an id. Names of files are used again,
/// and people put another recording under an old id, so the id alone says nothing.
#[derive(Clone, Copy)]
pub(super) struct Recording<'a> {
    id: &'a RemoteId,
    sha256: Option<&'a Sha256>,
    start: Option<Timestamp>,
    elapsed_s: Option<u32>,
    distance_m: Option<u32>,
    kind: &'a ActivityType,
}

impl Recording<'_> {
    /// Whether it has a side's bytes.
    fn is_equal(&self, side: &Side) -> bool {
        self.sha256.is_some() && self.sha256 == side.sha256.as_ref()
    }

    /// Whether it is what a side was then, perhaps edited: what is of another time is another
    /// recording.
    fn is_of(&self, side: &Side) -> bool {
        let interval = |start: Option<Timestamp>, elapsed_s| {
            start.map(|start| Key { start, elapsed_s }).and_then(|key| key.interval())
        };
        let then = interval(side.start, side.elapsed_s);
        let now = interval(self.start, self.elapsed_s);
        side.start == self.start || then.zip(now).is_none_or(|(then, now)| then.common_s(&now) > 0)
    }

    /// Whether only the start may have been edited, by a zone or a day. Where bytes are listed they
    /// say that it is another recording.
    fn has_moved_from(&self, side: &Side) -> bool {
        const DAY_AND_ZONE_S: u64 = 26 * 3600;
        let is_listed = side.sha256.is_none() || self.sha256.is_none();
        let starts = side.start.zip(self.start);
        let apart = starts.map(|(then, now)| then.as_second().abs_diff(now.as_second()));
        is_listed
            && apart.is_some_and(|seconds| seconds <= DAY_AND_ZONE_S)
            && !side.extent_changed(self.elapsed_s, self.distance_m, self.kind)
    }
}

impl<'a> From<&'a Activity> for Recording<'a> {
    fn from(activity: &'a Activity) -> Self {
        Self {
            id: &activity.id,
            sha256: activity.sha256.as_ref(),
            start: activity.start,
            elapsed_s: activity.elapsed_s,
            distance_m: activity.distance_m,
            kind: &activity.kind,
        }
    }
}

impl<'a> From<&'a Side> for Recording<'a> {
    fn from(side: &'a Side) -> Self {
        Self {
            id: &side.id,
            sha256: side.sha256.as_ref(),
            start: side.start,
            elapsed_s: side.elapsed_s,
            distance_m: side.distance_m,
            kind: &side.kind,
        }
    }
}
