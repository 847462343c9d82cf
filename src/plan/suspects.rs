//! What may be one recording although it does not match: a partial overlap, a whole and its part, a
//! shift by whole time zones.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::Interval;

use super::matching::{Field, Matcher, NEAR_S, SAME_PERMILLE, Seeker};

/// Overlap from which two recordings are suspicious.
const SUSPICIOUS_PERMILLE: u32 = 300;
/// Further ones add nothing to the question.
const MAX_SUSPECTS: usize = 50;
/// A zone is a multiple of quarter hours, at most 14 hours.
const QUARTER_S: i64 = 15 * 60;
const LARGEST_SHIFT_S: i64 = 56 * QUARTER_S;

impl Matcher<'_, '_> {
    pub(super) fn overlapping(&self, seeker: &Seeker<'_>, multi: &MultiSport) -> Vec<usize> {
        let Some(start) = seeker.activity.start else {
            return Vec::new();
        };
        let stretch = seeker.activity.interval().unwrap_or(Interval::new(start, 0));
        // Whoever shares 30 % of the union is at most 10/3 as long, so it cannot start earlier.
        let reach = stretch.length_s().saturating_mul(1000) / i64::from(SUSPICIOUS_PERMILLE) + 1;
        let first_s = stretch.start_s - reach.max(NEAR_S);
        let last_s = stretch.end_s.max(stretch.start_s + NEAR_S);
        let earlier = multi.reaching(stretch).filter(|(start, _)| *start < first_s);
        let window = self.starting(first_s, last_s).iter().copied();
        let mut found: Vec<(u32, usize)> = window
            .chain(earlier)
            .map(|(_, place)| place)
            .filter(|place| !seeker.excluded.contains(place))
            .filter(|place| !self.field.placed.contains(&(*place, seeker.account)))
            .filter_map(|place| Some((self.suspicion(seeker, place)?, place)))
            .take(MAX_SUSPECTS)
            .collect();
        found.sort_unstable_by_key(|(permille, place)| (std::cmp::Reverse(*permille), *place));
        found.into_iter().map(|(_, place)| place).collect()
    }

    /// The overlap of two activities that may be one recording or a whole and its part. Where an
    /// end is not known, a near start is enough.
    fn suspicion(&self, seeker: &Seeker<'_>, place: usize) -> Option<u32> {
        let candidate = self.field.activities.get(place)?;
        let stretches = seeker.activity.interval().zip(candidate.interval());
        let Some((stretch, other)) = stretches else {
            return is_near(candidate.start, seeker.activity.start).then_some(0);
        };
        let permille = stretch.overlap_permille(&other);
        let shorter = stretch.length_s().min(other.length_s());
        let part = candidate.kind.is_multi_sport() != seeker.activity.kind.is_multi_sport()
            && shorter > 0
            && stretch.common_s(&other).saturating_mul(1000)
                >= shorter.saturating_mul(i64::from(SAME_PERMILLE));
        (permille >= SUSPICIOUS_PERMILLE || part).then_some(permille)
    }

    pub(super) fn zone_suspects(&self, seeker: &Seeker<'_>, shapes: &Shapes) -> Vec<usize> {
        let activity = seeker.activity;
        let (Some(start), Some(elapsed)) = (activity.start, activity.elapsed_s) else {
            return Vec::new();
        };
        let start = start.as_second();
        let lengths = elapsed.saturating_sub(2)..=elapsed.saturating_add(2);
        let mut found: Vec<usize> = lengths
            .flat_map(|elapsed| {
                shapes.between(elapsed, start - LARGEST_SHIFT_S - 2, start + LARGEST_SHIFT_S + 2)
            })
            .filter(|(other, place)| {
                let candidate = self.field.activities.get(*place);
                is_shifted(other - start)
                    && self.is_candidate(seeker, *place)
                    && candidate.is_some_and(|candidate| {
                        candidate.kind.family() == activity.kind.family()
                            && same_distance(candidate.distance_m, activity.distance_m)
                    })
            })
            .map(|(_, place)| place)
            .collect();
        found.sort_unstable();
        found
    }
}

fn is_near(a: Option<Timestamp>, b: Option<Timestamp>) -> bool {
    let apart = a.zip(b).map(|(a, b)| (a.as_second() - b.as_second()).abs());
    apart.is_some_and(|apart_s| apart_s <= NEAR_S)
}

fn is_shifted(difference_s: i64) -> bool {
    let distance = difference_s.abs();
    let off = (distance % QUARTER_S).min(QUARTER_S - distance % QUARTER_S);
    off <= 2 && (QUARTER_S - 2..=LARGEST_SHIFT_S + 2).contains(&distance)
}

/// Within 1 %; an unknown distance equals any.
fn same_distance(a: Option<u32>, b: Option<u32>) -> bool {
    match (a.unwrap_or_default(), b.unwrap_or_default()) {
        (0, _) | (_, 0) => true,
        (a, b) => u64::from(a.abs_diff(b)) * 100 <= u64::from(a.max(b)),
    }
}

/// Multisport activities by start: parents may begin long before a leg.
pub(super) struct MultiSport {
    by_start: Vec<(i64, usize)>,
    longest_s: i64,
}

impl MultiSport {
    pub(super) fn of(field: &Field<'_>) -> Self {
        let stretches = field.activities.iter().enumerate().filter_map(|(place, activity)| {
            activity
                .kind
                .is_multi_sport()
                .then(|| activity.interval())
                .flatten()
                .map(|i| (i, place))
        });
        let mut longest_s = 0;
        let mut by_start = Vec::new();
        for (stretch, place) in stretches {
            longest_s = longest_s.max(stretch.length_s());
            by_start.push((stretch.start_s, place));
        }
        by_start.sort_unstable();
        Self { by_start, longest_s }
    }

    fn reaching(&self, stretch: Interval) -> impl Iterator<Item = (i64, usize)> {
        let from = self.by_start.partition_point(|(s, _)| *s < stretch.start_s - self.longest_s);
        let tail = self.by_start.get(from..).unwrap_or_default();
        tail.iter().copied().take_while(move |(start, _)| *start <= stretch.end_s)
    }
}

/// Unmatched activities by length and start, for the search of shifted ones.
pub(super) struct Shapes {
    by_length: HashMap<u32, Vec<(i64, usize)>>,
}

impl Shapes {
    pub(super) fn of(matcher: &Matcher<'_, '_>) -> Self {
        let mut by_length: HashMap<u32, Vec<(i64, usize)>> = HashMap::new();
        for (start, place) in matcher.by_start {
            let length = matcher.field.activities.get(*place).and_then(|a| a.elapsed_s);
            if let Some(length) = length.filter(|_| matcher.is_free(*place)) {
                by_length.entry(length).or_default().push((*start, *place));
            }
        }
        Self { by_length }
    }

    fn between(
        &self,
        length: u32,
        first_s: i64,
        last_s: i64,
    ) -> impl Iterator<Item = (i64, usize)> {
        let all = self.by_length.get(&length).map(Vec::as_slice).unwrap_or_default();
        let from = all.partition_point(|(start, _)| *start < first_s);
        let tail = all.get(from..).unwrap_or_default();
        tail.iter().copied().take_while(move |(start, _)| *start <= last_s)
    }
}
