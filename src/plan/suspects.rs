//! What may be one recording although it does not match: a partial overlap, a whole and its part, a
//! shift by whole time zones.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::domain::{Activity, Interval};

use super::choice::serial;
use super::matching::{Field, Matcher, NEAR_S, SAME_PERMILLE, Seeker};

/// Overlap from which two recordings are suspicious.
const SUSPICIOUS_PERMILLE: u32 = 300;
/// Seconds by which a start or an end that is the same may be off.
const SECONDS_APART: i64 = 2;
/// Further ones add nothing to the question.
const MAX_SUSPECTS: usize = 50;
/// A zone is a multiple of quarter hours, at most 14 hours.
const QUARTER_S: i64 = 15 * 60;
const LARGEST_SHIFT_S: i64 = 56 * QUARTER_S;

/// What shares its time with a seeker.
#[derive(Default)]
pub(super) struct Sharing {
    /// Much of the time of both is the same, or one is a part of the other's sports.
    pub(super) overlapping: Vec<usize>,
    /// The shorter of both lies within the other one, and a second sign says that they are one.
    pub(super) contained: Vec<usize>,
}

impl Matcher<'_, '_> {
    /// What may be a seeker's recording, cut or not, best first.
    pub(super) fn sharing(&self, seeker: &Seeker<'_>, spans: &Spans) -> Sharing {
        let Some(start) = seeker.activity.start else { return Sharing::default() };
        let stretch = seeker.activity.interval().unwrap_or(Interval::new(start, 0));
        let near = self.starting(stretch.start_s - NEAR_S, stretch.start_s + NEAR_S);
        let endless = near.iter().map(|(_, place)| *place).filter(|place| {
            let row = self.field.activities.get(*place);
            row.is_some_and(|row| row.interval().is_none() || seeker.activity.interval().is_none())
        });
        let mut contained: Vec<(u32, usize)> = Vec::new();
        let mut overlapping: Vec<(u32, usize)> = Vec::new();
        let around = spans.overlapping(stretch).chain(endless);
        for place in around.filter(|place| !seeker.excluded.contains(place)) {
            let Some(row) = self.field.activities.get(place) else { continue };
            let found = match relation(seeker.activity, row) {
                Some((Share::Contained, permille)) => Some((&mut contained, permille)),
                Some((Share::Overlapping, permille)) => Some((&mut overlapping, permille)),
                None => None,
            };
            if let Some((list, permille)) = found.filter(|(list, _)| list.len() < MAX_SUSPECTS) {
                list.push((permille, place));
            }
        }
        let sorted = |mut found: Vec<(u32, usize)>| {
            found.sort_unstable_by_key(|(permille, place)| (Reverse(*permille), *place));
            found.dedup();
            found.into_iter().map(|(_, place)| place).collect()
        };
        Sharing { contained: sorted(contained), overlapping: sorted(overlapping) }
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

/// How two recordings share their time.
enum Share {
    Contained,
    Overlapping,
}

/// How two activities share their time, if that is suspicious, and the overlap in thousandths. Where an
/// end is not known, a near start is enough.
fn relation(a: &Activity, b: &Activity) -> Option<(Share, u32)> {
    let Some((one, other)) = a.interval().zip(b.interval()) else {
        return is_near(a.start, b.start).then_some((Share::Overlapping, 0));
    };
    let permille = one.overlap_permille(&other);
    let shorter = one.length_s().min(other.length_s());
    let is_within = shorter > 0
        && one.common_s(&other).saturating_mul(1000)
            >= shorter.saturating_mul(i64::from(SAME_PERMILLE));
    let is_part = is_within && a.kind.is_multi_sport() != b.kind.is_multi_sport();
    if permille >= SUSPICIOUS_PERMILLE || is_part {
        return Some((Share::Overlapping, permille));
    }
    let is_contained = is_within && has_second_sign(a, b, one, other);
    is_contained.then_some((Share::Contained, permille))
}

/// Whether more than its time says that a recording is a part of another one: the same start or end, the
/// same device, the same distance.
fn has_second_sign(a: &Activity, b: &Activity, one: Interval, other: Interval) -> bool {
    let is_same = |a: i64, b: i64| (a - b).abs() <= SECONDS_APART;
    let distances = a.distance_m.zip(b.distance_m).filter(|(a, b)| *a > 0 && *b > 0);
    is_same(one.start_s, other.start_s)
        || is_same(one.end_s, other.end_s)
        || serial(a).is_some_and(|number| serial(b) == Some(number))
        || distances.is_some_and(|(a, b)| same_distance(Some(a), Some(b)))
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

/// Activities by length and start: all that share a second with a stretch are found, without a look at
/// those that do not.
pub(super) struct Spans {
    /// Those of less than `2^n` seconds, and not less than half of that, by `n`.
    by_length: BTreeMap<u32, Vec<(Interval, usize)>>,
}

impl Spans {
    pub(super) fn of(field: &Field<'_>) -> Self {
        let mut by_length: BTreeMap<u32, Vec<(Interval, usize)>> = BTreeMap::new();
        for (place, activity) in field.activities.iter().enumerate() {
            let Some(interval) = activity.interval() else { continue };
            by_length.entry(class(interval)).or_default().push((interval, place));
        }
        by_length.values_mut().for_each(|all| all.sort_unstable_by_key(|(i, _)| i.start_s));
        Self { by_length }
    }

    /// The places that share time with a stretch.
    fn overlapping(&self, stretch: Interval) -> impl Iterator<Item = usize> {
        self.by_length.iter().flat_map(move |(class, all)| {
            let longest_s = 1i64.checked_shl(*class).unwrap_or(i64::MAX);
            let first_s = stretch.start_s.saturating_sub(longest_s);
            let from = all.partition_point(|(interval, _)| interval.start_s < first_s);
            let tail = all.get(from..).unwrap_or_default().iter();
            tail.take_while(move |(interval, _)| interval.start_s <= stretch.end_s)
                .filter(move |(interval, _)| interval.end_s >= stretch.start_s)
                .map(|(_, place)| *place)
        })
    }
}

fn class(interval: Interval) -> u32 {
    i64::BITS - interval.length_s().max(0).leading_zeros()
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
