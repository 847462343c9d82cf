//! Which activity of one side is which of the other: one-to-one, and never guessed.
//!
//! Five steps, each on what the former left over: fixed pairs (links and decisions) and equal bytes;
//! the same start second; a near start with the same stretch of time; then, for those still alone,
//! what overlaps them, and what looks like them shifted by quarter hours. Two sorts and a sweep:
//! O(n log n) and the conflicts.

use std::collections::{HashMap, HashSet};

use crate::domain::{Activity, Interval, Sha256};

use super::exact;

/// Overlap from which two stretches of time are the same recording, in thousandths.
pub(super) const SAME_PERMILLE: u32 = 800;
/// Overlap from which two recordings are suspicious.
const SUSPICIOUS_PERMILLE: u32 = 300;
/// Overlaps this close cannot be told apart.
pub(super) const TIE_PERMILLE: u32 = 50;
/// Furthest apart that two starts of one recording may be.
const NEAR_S: i64 = 120;
/// A zone is a multiple of quarter hours, at most 14 hours.
const QUARTER_S: i64 = 15 * 60;
const LARGEST_SHIFT_S: i64 = 56 * QUARTER_S;

/// An activity that looks for its counterpart.
#[derive(Clone, Debug)]
pub struct Seeker<'a> {
    /// The activity; it has a start.
    pub activity: &'a Activity,
    /// Its account, as a number: recordings of one account are all wanted.
    pub account: usize,
    /// Its counterpart by link or decision.
    pub fixed: Option<usize>,
    /// Those that a person said it is not.
    pub excluded: Vec<usize>,
}

/// The side on which counterparts are looked for.
#[derive(Clone, Debug, Default)]
pub struct Field<'a> {
    /// Its activities.
    pub activities: Vec<&'a Activity>,
    /// (place, account): linked to a living activity of that account.
    pub linked: HashSet<(usize, usize)>,
    /// (place, account): put there by apply from that account, which holds both recordings, so an
    /// overlap between them is no question.
    pub placed: HashSet<(usize, usize)>,
}

/// What was found for a seeker. Numbers are places in [`Field::activities`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its counterpart.
    Match(usize, Evidence),
    /// Several could be it.
    Ambiguous(Vec<usize>),
    /// It shares much of its time with these.
    Overlap(Vec<usize>),
    /// It is like these, shifted by quarter hours.
    ZoneSuspect(Vec<usize>),
    /// Nothing is like it.
    Alone,
}

/// What a match rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A link or a decision.
    Fixed,
    /// The same bytes.
    Bytes,
    /// The same start second.
    Start,
    /// A near start and the same stretch of time.
    Near,
}

/// Finds the counterpart of every seeker.
pub fn find(seekers: &[Seeker<'_>], field: &Field<'_>) -> Vec<Outcome> {
    let mut matcher = Matcher::new(seekers, field);
    matcher.fixed();
    matcher.bytes();
    matcher.exact();
    matcher.near();
    matcher.leftovers();
    matcher
        .outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or(Outcome::Alone))
        .collect()
}

struct Matcher<'s, 'a> {
    seekers: &'s [Seeker<'a>],
    field: &'s Field<'a>,
    /// (start second, place in the field), sorted.
    by_start: Vec<(i64, usize)>,
    outcomes: Vec<Option<Outcome>>,
    /// Matched, or part of a question: nobody else's.
    taken: Vec<bool>,
}

impl<'s, 'a> Matcher<'s, 'a> {
    fn new(seekers: &'s [Seeker<'a>], field: &'s Field<'a>) -> Self {
        let mut by_start: Vec<(i64, usize)> = field
            .activities
            .iter()
            .enumerate()
            .filter_map(|(place, activity)| Some((activity.start?.as_second(), place)))
            .collect();
        by_start.sort_unstable();
        Self {
            seekers,
            field,
            by_start,
            outcomes: vec![None; seekers.len()],
            taken: vec![false; field.activities.len()],
        }
    }

    fn settle(&mut self, seeker: usize, outcome: Outcome) {
        let places: &[usize] = match &outcome {
            Outcome::Match(place, _) => std::slice::from_ref(place),
            Outcome::Ambiguous(places) => places,
            Outcome::Overlap(_) | Outcome::ZoneSuspect(_) | Outcome::Alone => &[],
        };
        for place in places {
            if let Some(taken) = self.taken.get_mut(*place) {
                *taken = true;
            }
        }
        if let Some(slot) = self.outcomes.get_mut(seeker) {
            *slot = Some(outcome);
        }
    }

    fn is_free(&self, place: usize) -> bool {
        self.taken.get(place) == Some(&false)
    }

    fn is_candidate(&self, seeker: &Seeker<'_>, place: usize) -> bool {
        self.is_free(place)
            && !seeker.excluded.contains(&place)
            && !self.field.linked.contains(&(place, seeker.account))
    }

    /// Seekers without an outcome yet.
    fn open(&self) -> Vec<(usize, &'s Seeker<'a>)> {
        let outcomes = self.outcomes.iter();
        self.seekers
            .iter()
            .enumerate()
            .zip(outcomes)
            .filter(|(_, o)| o.is_none())
            .map(|(s, _)| s)
            .collect()
    }

    fn fixed(&mut self) {
        for (number, seeker) in self.open() {
            if let Some(place) = seeker.fixed.filter(|place| self.is_free(*place)) {
                self.settle(number, Outcome::Match(place, Evidence::Fixed));
            }
        }
    }

    fn bytes(&mut self) {
        let mut places: HashMap<&Sha256, Vec<usize>> = HashMap::new();
        for (place, activity) in self.field.activities.iter().enumerate().rev() {
            if let Some(sha256) = activity
                .sha256
                .as_ref()
                .filter(|_| activity.start.is_some())
            {
                places.entry(sha256).or_default().push(place);
            }
        }
        for (number, seeker) in self.open() {
            let Some(same) = seeker
                .activity
                .sha256
                .as_ref()
                .and_then(|sha| places.get(sha))
            else {
                continue;
            };
            let found = same
                .iter()
                .rev()
                .find(|place| self.is_candidate(seeker, **place));
            if let Some(place) = found.copied() {
                self.settle(number, Outcome::Match(place, Evidence::Bytes));
            }
        }
    }

    fn exact(&mut self) {
        let mut groups: Vec<(i64, usize)> = self
            .open()
            .into_iter()
            .filter_map(|(number, seeker)| Some((seeker.activity.start?.as_second(), number)))
            .collect();
        groups.sort_unstable();
        for group in groups.chunk_by(|a, b| a.0 == b.0) {
            let Some((start, _)) = group.first() else {
                continue;
            };
            let places = self.starting(*start, *start);
            if places.is_empty() {
                continue;
            }
            let numbers: Vec<usize> = group.iter().map(|(_, number)| *number).collect();
            let pairs = exact::pairs(&numbers, &places, |number, place| {
                let seeker = self.seekers.get(number)?;
                let candidate = self.field.activities.get(place)?;
                self.is_candidate(seeker, place)
                    .then(|| exact::Score::of(seeker.activity, candidate))
            });
            for (number, outcome) in pairs {
                self.settle(number, outcome);
            }
        }
    }

    /// Places of activities that start between two seconds, both inclusive.
    fn starting(&self, first_s: i64, last_s: i64) -> Vec<usize> {
        let from = self.by_start.partition_point(|(start, _)| *start < first_s);
        let tail = self.by_start.get(from..).unwrap_or_default();
        tail.iter()
            .take_while(|(start, _)| *start <= last_s)
            .map(|(_, place)| *place)
            .collect()
    }

    fn near(&mut self) {
        let mut edges: Vec<Edge> = Vec::new();
        for (number, seeker) in self.open() {
            let Some(stretch) = seeker.activity.interval() else {
                continue;
            };
            if seeker.activity.weak_start {
                continue;
            }
            for place in self.starting(stretch.start_s - NEAR_S, stretch.start_s + NEAR_S) {
                let permille = self.near_permille(seeker, stretch, place);
                edges.extend(permille.map(|permille| Edge {
                    number,
                    place,
                    permille,
                }));
            }
        }
        let by_seeker = best(&edges, |edge| edge.number);
        let by_place = best(&edges, |edge| edge.place);
        let mut numbers: Vec<usize> = by_seeker.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            let Some(mine) = by_seeker.get(&number) else {
                continue;
            };
            let Some(theirs) = by_place.get(&mine.edge.place) else {
                continue;
            };
            let tied = mine.contested || (theirs.contested && theirs.is_close(mine.edge.permille));
            if tied {
                let places = places_of(&edges, number);
                self.settle(number, Outcome::Ambiguous(places));
            } else if theirs.edge.number == number && self.is_free(mine.edge.place) {
                self.settle(number, Outcome::Match(mine.edge.place, Evidence::Near));
            }
        }
    }

    fn near_permille(&self, seeker: &Seeker<'_>, stretch: Interval, place: usize) -> Option<u32> {
        let candidate = self.field.activities.get(place)?;
        let permille = stretch.overlap_permille(&candidate.interval()?);
        let fits = permille >= SAME_PERMILLE
            && !candidate.weak_start
            && candidate.kind.compatible(&seeker.activity.kind)
            && self.is_candidate(seeker, place);
        fits.then_some(permille)
    }

    fn leftovers(&mut self) {
        let multi = MultiSport::of(self.field);
        let shapes = Shapes::of(self);
        for (number, seeker) in self.open() {
            let overlapping = self.overlapping(seeker, &multi);
            if !overlapping.is_empty() {
                self.settle(number, Outcome::Overlap(overlapping));
                continue;
            }
            let suspects = self.zone_suspects(seeker, &shapes);
            if !suspects.is_empty() {
                self.settle(number, Outcome::ZoneSuspect(suspects));
            }
        }
    }

    fn overlapping(&self, seeker: &Seeker<'_>, multi: &MultiSport) -> Vec<usize> {
        let Some(stretch) = seeker.activity.interval() else {
            return Vec::new();
        };
        // Whoever shares 30 % of the union is at most 10/3 as long, so it cannot start earlier.
        let reach = stretch.length_s().saturating_mul(1000) / i64::from(SUSPICIOUS_PERMILLE) + 1;
        let mut places: HashSet<usize> = self
            .starting(stretch.start_s - reach, stretch.end_s)
            .into_iter()
            .collect();
        places.extend(multi.reaching(stretch));
        let mut found: Vec<(u32, usize)> = places
            .into_iter()
            .filter(|place| !seeker.excluded.contains(place))
            .filter(|place| !self.field.placed.contains(&(*place, seeker.account)))
            .filter_map(|place| Some((self.suspicion(seeker, stretch, place)?, place)))
            .collect();
        found.sort_unstable_by_key(|(permille, place)| (std::cmp::Reverse(*permille), *place));
        found.into_iter().map(|(_, place)| place).collect()
    }

    /// The overlap of two activities that may be one recording or a whole and its part.
    fn suspicion(&self, seeker: &Seeker<'_>, stretch: Interval, place: usize) -> Option<u32> {
        let candidate = self.field.activities.get(place)?;
        let other = candidate.interval()?;
        let permille = stretch.overlap_permille(&other);
        let shorter = stretch.length_s().min(other.length_s());
        let part = candidate.kind.is_multi_sport() != seeker.activity.kind.is_multi_sport()
            && shorter > 0
            && stretch.common_s(&other).saturating_mul(1000)
                >= shorter.saturating_mul(i64::from(SAME_PERMILLE));
        (permille >= SUSPICIOUS_PERMILLE || part).then_some(permille)
    }

    fn zone_suspects(&self, seeker: &Seeker<'_>, shapes: &Shapes) -> Vec<usize> {
        let activity = seeker.activity;
        let (Some(start), Some(elapsed)) = (activity.start, activity.elapsed_s) else {
            return Vec::new();
        };
        let start = start.as_second();
        let lengths = elapsed.saturating_sub(2)..=elapsed.saturating_add(2);
        let mut found: Vec<usize> = lengths
            .flat_map(|elapsed| {
                shapes.between(
                    elapsed,
                    start - LARGEST_SHIFT_S - 2,
                    start + LARGEST_SHIFT_S + 2,
                )
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

/// A seeker and a candidate with a near start.
#[derive(Clone, Copy)]
struct Edge {
    number: usize,
    place: usize,
    permille: u32,
}

/// The best edge of one end, and whether another comes close to it.
struct Best {
    edge: Edge,
    contested: bool,
}

impl Best {
    fn is_close(&self, permille: u32) -> bool {
        self.edge.permille.saturating_sub(permille) <= TIE_PERMILLE
    }
}

fn best(edges: &[Edge], end: impl Fn(&Edge) -> usize) -> HashMap<usize, Best> {
    let mut best: HashMap<usize, Best> = HashMap::new();
    for edge in edges {
        match best.get_mut(&end(edge)) {
            None => {
                best.insert(
                    end(edge),
                    Best {
                        edge: *edge,
                        contested: false,
                    },
                );
            }
            Some(held) if edge.permille > held.edge.permille => {
                held.contested = edge.permille - held.edge.permille <= TIE_PERMILLE;
                held.edge = *edge;
            }
            Some(held) => held.contested |= held.is_close(edge.permille),
        }
    }
    best
}

fn places_of(edges: &[Edge], number: usize) -> Vec<usize> {
    let mut mine: Vec<&Edge> = edges.iter().filter(|edge| edge.number == number).collect();
    mine.sort_unstable_by_key(|edge| (std::cmp::Reverse(edge.permille), edge.place));
    mine.into_iter().map(|edge| edge.place).collect()
}

fn is_shifted(difference_s: i64) -> bool {
    let distance = difference_s.abs();
    let off = (distance % QUARTER_S).min(QUARTER_S - distance % QUARTER_S);
    off <= 2 && distance >= QUARTER_S - 2 && distance <= LARGEST_SHIFT_S + 2
}

/// Within 1 %; an unknown distance equals any.
fn same_distance(a: Option<u32>, b: Option<u32>) -> bool {
    match (a.unwrap_or_default(), b.unwrap_or_default()) {
        (0, _) | (_, 0) => true,
        (a, b) => u64::from(a.abs_diff(b)) * 100 <= u64::from(a.max(b)),
    }
}

/// Multisport activities by start: parents may begin long before a leg.
struct MultiSport {
    by_start: Vec<(i64, usize)>,
    longest_s: i64,
}

impl MultiSport {
    fn of(field: &Field<'_>) -> Self {
        let stretches = field
            .activities
            .iter()
            .enumerate()
            .filter_map(|(place, activity)| {
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
        Self {
            by_start,
            longest_s,
        }
    }

    fn reaching(&self, stretch: Interval) -> impl Iterator<Item = usize> {
        let from = self
            .by_start
            .partition_point(|(s, _)| *s < stretch.start_s - self.longest_s);
        let tail = self.by_start.get(from..).unwrap_or_default();
        tail.iter()
            .take_while(move |(s, _)| *s <= stretch.end_s)
            .map(|(_, place)| *place)
    }
}

/// Unmatched activities by length and start, for the search of shifted ones.
struct Shapes {
    by_length: HashMap<u32, Vec<(i64, usize)>>,
}

impl Shapes {
    fn of(matcher: &Matcher<'_, '_>) -> Self {
        let mut by_length: HashMap<u32, Vec<(i64, usize)>> = HashMap::new();
        for (start, place) in &matcher.by_start {
            let length = matcher
                .field
                .activities
                .get(*place)
                .and_then(|a| a.elapsed_s);
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
        let all = self
            .by_length
            .get(&length)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let from = all.partition_point(|(start, _)| *start < first_s);
        let tail = all.get(from..).unwrap_or_default();
        tail.iter()
            .copied()
            .take_while(move |(start, _)| *start <= last_s)
    }
}
