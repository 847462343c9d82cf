//! Who belongs to whom where several fit: pairs of which each is the other's clear first choice,
//! until none is left; the rest are questions. No order of seekers or places has a say.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use crate::domain::Activity;

use super::matching::{Evidence, Outcome, SAME_PERMILLE};

/// Overlaps this close cannot be told apart.
const TIE_PERMILLE: u32 = 50;

/// How well two activities fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    overlap_permille: u32,
    same_device: bool,
    elapsed_apart_s: u32,
}

impl Score {
    /// Of two with the same start second, if they fit: the same stretch of time, or an end is
    /// unknown.
    pub(super) fn of_same_start(a: &Activity, b: &Activity) -> Option<Self> {
        let overlap = a.interval().zip(b.interval()).map(|(a, b)| a.overlap_permille(&b));
        let apart = a.elapsed_s.zip(b.elapsed_s).map(|(a, b)| a.abs_diff(b));
        let score = Self {
            overlap_permille: overlap.unwrap_or(1000),
            same_device: same_device(a, b),
            elapsed_apart_s: apart.unwrap_or(u32::MAX),
        };
        (score.overlap_permille >= SAME_PERMILLE).then_some(score)
    }

    /// Where only the stretch of time says how well two fit.
    pub(super) fn of_overlap(overlap_permille: u32) -> Self {
        Self { overlap_permille, same_device: false, elapsed_apart_s: 0 }
    }
}

/// The serial number of the device that recorded an activity, where its file tells.
pub(super) fn serial(activity: &Activity) -> Option<u32> {
    activity.content.as_ref().and_then(|content| content.parts.first()?.serial)
}

fn same_device(a: &Activity, b: &Activity) -> bool {
    match (serial(a), serial(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.device.is_some() && a.device == b.device,
    }
}

/// A seeker and a place that fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) number: usize,
    pub(super) place: usize,
    pub(super) score: Score,
}

/// Pairs seekers with places; seekers that cannot be told apart are ambiguous, and those whose
/// places all went to others have no outcome.
pub(super) fn settle(edges: Vec<Edge>, evidence: Evidence) -> Vec<(usize, Outcome)> {
    let mut choice = Choice::of(edges);
    let mut outcomes = Vec::new();
    let mut open: Vec<usize> = choice.by_number.keys().copied().collect();
    while !open.is_empty() {
        let agreed: Vec<(usize, usize)> =
            open.iter().filter_map(|number| choice.agreed(*number)).collect();
        open = choice.take(&agreed);
        let matched = |(number, place)| (number, Outcome::Match(place, evidence));
        outcomes.extend(agreed.into_iter().map(matched));
    }
    outcomes.extend(choice.questions());
    outcomes
}

struct Choice {
    by_number: HashMap<usize, Vec<Edge>>,
    by_place: HashMap<usize, Vec<Edge>>,
}

impl Choice {
    fn of(edges: Vec<Edge>) -> Self {
        let mut by_number: HashMap<usize, Vec<Edge>> = HashMap::new();
        let mut by_place: HashMap<usize, Vec<Edge>> = HashMap::new();
        for edge in edges {
            by_number.entry(edge.number).or_default().push(edge);
            by_place.entry(edge.place).or_default().push(edge);
        }
        Self { by_number, by_place }
    }

    /// The place that is a seeker's clear first choice, and whose it is in turn.
    fn agreed(&self, number: usize) -> Option<(usize, usize)> {
        let mine = first_choice(self.by_number.get(&number)?)?;
        let theirs = first_choice(self.by_place.get(&mine.place)?)?;
        (theirs.number == number).then_some((number, mine.place))
    }

    /// Takes pairs out and returns the seekers to whom that may make a difference.
    fn take(&mut self, pairs: &[(usize, usize)]) -> Vec<usize> {
        let (mut numbers, mut places) = (HashSet::new(), HashSet::new());
        for (number, place) in pairs {
            let wanted = self.by_number.remove(number).unwrap_or_default();
            places.extend(wanted.iter().map(|edge| edge.place));
            let wanting = self.by_place.remove(place).unwrap_or_default();
            numbers.extend(wanting.iter().map(|edge| edge.number));
        }
        for number in &numbers {
            if let Some(edges) = self.by_number.get_mut(number) {
                edges.retain(|edge| self.by_place.contains_key(&edge.place));
            }
        }
        for place in places {
            if let Some(edges) = self.by_place.get_mut(&place) {
                edges.retain(|edge| self.by_number.contains_key(&edge.number));
                numbers.extend(edges.iter().map(|edge| edge.number));
            }
        }
        numbers.into_iter().filter(|number| self.by_number.contains_key(number)).collect()
    }

    fn questions(self) -> impl Iterator<Item = (usize, Outcome)> {
        self.by_number.into_iter().filter(|(_, edges)| !edges.is_empty()).map(
            |(number, mut edges)| {
                edges.sort_unstable_by_key(|e| (Reverse(e.score.overlap_permille), e.place));
                (number, Outcome::Ambiguous(edges.iter().map(|edge| edge.place).collect()))
            },
        )
    }
}

/// The best of several: by overlap, then by device, then by length; `None` if they tie.
pub(super) fn first_choice(edges: &[Edge]) -> Option<Edge> {
    if let [only] = edges {
        return Some(*only);
    }
    let mut rivals = edges.to_vec();
    let best = rivals.iter().map(|edge| edge.score.overlap_permille).max()?;
    rivals.retain(|edge| best - edge.score.overlap_permille <= TIE_PERMILLE);
    if rivals.iter().any(|edge| edge.score.same_device) {
        rivals.retain(|edge| edge.score.same_device);
    }
    let nearest = rivals.iter().map(|edge| edge.score.elapsed_apart_s).min()?;
    rivals.retain(|edge| edge.score.elapsed_apart_s == nearest);
    match rivals.as_slice() {
        [only] => Some(*only),
        _ => None,
    }
}
