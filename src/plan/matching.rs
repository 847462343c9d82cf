//! Which activity of one side is which of the other: one-to-one, and never guessed.
//!
//! Five steps, each on what the former left over: fixed pairs (links and decisions) and equal bytes;
//! the same start second; a near start with the same stretch of time; then, for those still alone,
//! what overlaps them, what lies within the other, and what looks like them shifted by quarter hours. Two sorts and a sweep:
//! O(n log n) and the conflicts.

use std::collections::{HashMap, HashSet};

use crate::domain::{Activity, Interval, Sha256};

use super::choice::{self, Edge, Score};
use super::suspects::{Shapes, Sharing, Spans};
use super::twins::Twins;

/// Overlap from which two stretches of time are the same recording, in thousandths.
pub(super) const SAME_PERMILLE: u32 = 800;
/// Furthest apart that two starts of one recording may be.
pub(in crate::plan) const NEAR_S: i64 = 120;
/// Crowds with more pairs than this are a question, not a calculation, and this many of a crowd are
/// named: nobody starts a hundred recordings at once.
const CROWD: usize = 10_000;
const NAMED_OF_A_CROWD: usize = 10;

/// An activity that looks for its counterpart.
#[derive(Clone, Debug)]
pub struct Seeker<'a> {
    /// The activity; it has a start.
    pub activity: &'a Activity,
    /// Its account, as a number: recordings of one account are all wanted.
    pub account: usize,
    /// Its counterpart by link or decision.
    pub fixed: Option<Fixed>,
    /// Those that a person said it is not.
    pub excluded: Vec<usize>,
}

/// A counterpart by link or decision: a place in [`Field::activities`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// Both sides are what they were then.
    Sure(usize),
    /// The same, of what apply did not put there and the rule would replace: found when nothing else
    /// there looked like it.
    Found(usize),
    /// One side has another start by now: an edited one, unless what is there is clearly another's.
    Moved(usize),
}

impl Fixed {
    /// The place.
    pub fn place(self) -> usize {
        let (Self::Sure(place) | Self::Found(place) | Self::Moved(place)) = self;
        place
    }
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
    /// It lies within these, or they within it, and more than the time says that they are one.
    Contained(Vec<usize>),
    /// It shares much of its time with these.
    Overlap(Vec<usize>),
    /// It is like these, shifted by quarter hours.
    ZoneSuspect(Vec<usize>),
    /// Nothing is like it.
    Alone,
}

impl Outcome {
    /// The places that it is about.
    pub fn places(&self) -> &[usize] {
        match self {
            Self::Match(place, _) => std::slice::from_ref(place),
            Self::Ambiguous(places)
            | Self::Contained(places)
            | Self::Overlap(places)
            | Self::ZoneSuspect(places) => places,
            Self::Alone => &[],
        }
    }
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
    let by_start = by_start(field);
    let twins = Twins::of(seekers);
    let mut matcher = Matcher {
        seekers,
        field,
        by_start: &by_start,
        outcomes: vec![None; seekers.len()],
        taken: vec![false; field.activities.len()],
        // A remembered pair keeps its place before anything is found, whomever it is listed like.
        rank: twins.last_rank(),
        twins,
    };
    matcher.fixed(|fixed| matches!(fixed, Fixed::Sure(_)));
    matcher.found();
    for rank in 0..=matcher.twins.last_rank() {
        matcher.rank = rank;
        matcher.bytes();
        matcher.exact();
        matcher.near();
        matcher.fixed(|fixed| matches!(fixed, Fixed::Moved(_)));
    }
    matcher.leftovers();
    matcher.outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Alone)).collect()
}

/// (start second, place), sorted.
fn by_start(field: &Field<'_>) -> Vec<(i64, usize)> {
    let rows = field.activities.iter().enumerate();
    let mut by_start: Vec<(i64, usize)> =
        rows.filter_map(|(place, row)| Some((row.start?.as_second(), place))).collect();
    by_start.sort_unstable();
    by_start
}

pub(super) struct Matcher<'s, 'a> {
    seekers: &'s [Seeker<'a>],
    pub(super) field: &'s Field<'a>,
    /// (start second, place in the field), sorted.
    pub(super) by_start: &'s [(i64, usize)],
    outcomes: Vec<Option<Outcome>>,
    /// Matched, or part of a question: nobody else's.
    taken: Vec<bool>,
    twins: Twins,
    /// Twins of a higher rank wait.
    rank: usize,
}

impl<'s, 'a> Matcher<'s, 'a> {
    pub(super) fn settle(&mut self, seeker: usize, outcome: Outcome) {
        let places: &[usize] = match &outcome {
            Outcome::Match(place, _) => std::slice::from_ref(place),
            Outcome::Ambiguous(places) => places,
            Outcome::Contained(_)
            | Outcome::Overlap(_)
            | Outcome::ZoneSuspect(_)
            | Outcome::Alone => &[],
        };
        places.iter().for_each(|place| self.take(*place));
        if let Some(slot) = self.outcomes.get_mut(seeker) {
            *slot = Some(outcome);
        }
    }

    fn take(&mut self, place: usize) {
        if let Some(taken) = self.taken.get_mut(place) {
            *taken = true;
        }
    }

    pub(super) fn is_free(&self, place: usize) -> bool {
        self.taken.get(place) == Some(&false)
    }

    pub(super) fn is_candidate(&self, seeker: &Seeker<'_>, place: usize) -> bool {
        self.is_free(place)
            && !seeker.excluded.contains(&place)
            && !self.field.linked.contains(&(place, seeker.account))
    }

    /// Seekers without an outcome yet.
    pub(super) fn open(&self) -> Vec<(usize, &'s Seeker<'a>)> {
        let outcomes = self.outcomes.iter();
        self.seekers
            .iter()
            .enumerate()
            .zip(outcomes)
            .filter(|((number, _), o)| o.is_none() && self.twins.rank(*number) <= self.rank)
            .map(|(s, _)| s)
            .collect()
    }

    fn fixed(&mut self, is_due: impl Fn(Fixed) -> bool) {
        for (number, seeker) in self.open() {
            let due = seeker.fixed.filter(|fixed| is_due(*fixed)).map(Fixed::place);
            if let Some(place) = due.filter(|place| self.is_free(*place)) {
                self.settle(number, Outcome::Match(place, Evidence::Fixed));
            }
        }
    }

    fn bytes(&mut self) {
        let mut places: HashMap<&Sha256, Vec<usize>> = HashMap::new();
        for (place, activity) in self.field.activities.iter().enumerate().rev() {
            if let Some(sha256) = activity.sha256.as_ref().filter(|_| activity.start.is_some()) {
                places.entry(sha256).or_default().push(place);
            }
        }
        for (number, seeker) in self.open() {
            let Some(same) = seeker.activity.sha256.as_ref().and_then(|sha| places.get(sha)) else {
                continue;
            };
            let found = same.iter().rev().find(|place| self.is_candidate(seeker, **place));
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
        let mut edges = Vec::new();
        for group in groups.chunk_by(|a, b| a.0 == b.0) {
            let Some((start, _)) = group.first() else {
                continue;
            };
            let places = self.starting(*start, *start);
            if group.len().saturating_mul(places.len()) > CROWD {
                group.iter().for_each(|(_, number)| self.crowd(*number, places));
                places.iter().for_each(|(_, place)| self.take(*place));
                continue;
            }
            let before = edges.len();
            for (_, number) in group {
                let fitting = places.iter().filter_map(|(_, place)| {
                    let (number, place) = (*number, *place);
                    let score = self.same_start(number, place)?;
                    Some(Edge { number, place, score })
                });
                edges.extend(fitting);
            }
            // By far the most: one here, one there.
            if edges.len() == before + 1
                && let Some(Edge { number, place, .. }) = edges.pop()
            {
                self.settle(number, Outcome::Match(place, Evidence::Start));
            }
        }
        self.choose(edges, Evidence::Start);
    }

    fn same_start(&self, number: usize, place: usize) -> Option<Score> {
        let (seeker, candidate) = (self.seekers.get(number)?, self.field.activities.get(place)?);
        let score = Score::of_same_start(seeker.activity, candidate)?;
        self.is_candidate(seeker, place).then_some(score)
    }

    /// Too many at once to tell apart.
    fn crowd(&mut self, number: usize, places: &[(i64, usize)]) {
        let named = places.iter().map(|(_, place)| *place).take(NAMED_OF_A_CROWD);
        self.settle(number, Outcome::Ambiguous(named.collect()));
    }

    fn choose(&mut self, edges: Vec<Edge>, evidence: Evidence) {
        for (number, outcome) in choice::settle(edges, evidence) {
            self.settle(number, outcome);
        }
    }

    /// What starts between two seconds, both inclusive: (start, place).
    pub(super) fn starting(&self, first_s: i64, last_s: i64) -> &'s [(i64, usize)] {
        let from = self.by_start.partition_point(|(start, _)| *start < first_s);
        let to = self.by_start.partition_point(|(start, _)| *start <= last_s);
        self.by_start.get(from..to).unwrap_or_default()
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
            let places = self.starting(stretch.start_s - NEAR_S, stretch.start_s + NEAR_S);
            if places.len().saturating_mul(places.len()) > CROWD {
                self.crowd(number, places);
                continue;
            }
            edges.extend(places.iter().filter_map(|(_, place)| {
                let score = Score::of_overlap(self.overlap(seeker, stretch, *place)?);
                self.is_candidate(seeker, *place).then_some(Edge { number, place: *place, score })
            }));
        }
        self.choose(edges, Evidence::Near);
    }

    /// The overlap with a near start that is one recording's.
    pub(super) fn overlap(
        &self,
        seeker: &Seeker<'_>,
        stretch: Interval,
        place: usize,
    ) -> Option<u32> {
        let candidate = self.field.activities.get(place)?;
        let permille = stretch.overlap_permille(&candidate.interval()?);
        let fits = permille >= SAME_PERMILLE
            && !candidate.weak_start
            && candidate.kind.compatible(&seeker.activity.kind);
        fits.then_some(permille)
    }

    /// A question matches nothing: what it asks about may still be what another is shifted from.
    fn free_what_is_only_asked_about(&mut self) {
        self.taken.fill(false);
        let matched: Vec<usize> = self
            .outcomes
            .iter()
            .filter_map(|outcome| match outcome {
                Some(Outcome::Match(place, _)) => Some(*place),
                _ => None,
            })
            .collect();
        matched.into_iter().for_each(|place| self.take(place));
    }

    /// Whether a place is the counterpart of what is listed like a seeker: the account holds both.
    fn is_of_twin(&self, number: usize, place: usize) -> bool {
        self.twins.mates(number).iter().any(|mate| {
            let outcome = self.outcomes.get(*mate);
            matches!(outcome, Some(Some(Outcome::Match(found, _))) if *found == place)
        })
    }

    /// The counterparts of other activities, by the account that holds those.
    fn counterparts(&self) -> HashSet<(usize, usize)> {
        let matched =
            self.seekers.iter().zip(&self.outcomes).filter_map(|(seeker, outcome)| match outcome {
                Some(Outcome::Match(place, _)) => Some((*place, seeker.account)),
                _ => None,
            });
        matched.chain(self.field.linked.iter().copied()).collect()
    }

    fn leftovers(&mut self) {
        self.free_what_is_only_asked_about();
        let open = self.open();
        if open.is_empty() {
            return;
        }
        let (spans, shapes) = (Spans::of(self.field), Shapes::of(self));
        let counterparts = self.counterparts();
        for (number, seeker) in open {
            let Sharing { mut overlapping, mut contained } = self.sharing(seeker, &spans);
            overlapping.retain(|place| {
                let is_placed = self.field.placed.contains(&(*place, seeker.account));
                !is_placed && !self.is_of_twin(number, *place)
            });
            contained.retain(|place| !counterparts.contains(&(*place, seeker.account)));
            let suspects = self.zone_suspects(seeker, &shapes);
            let outcomes = [
                (Outcome::Overlap as fn(Vec<usize>) -> Outcome, overlapping),
                (Outcome::Contained, contained),
                (Outcome::ZoneSuspect, suspects),
            ];
            let mut outcomes = outcomes.into_iter().filter(|(_, places)| !places.is_empty());
            if let Some((outcome, places)) = outcomes.next() {
                self.settle(number, outcome(places));
            }
        }
    }
}
