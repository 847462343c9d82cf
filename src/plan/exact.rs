//! Activities that start in the same second, told apart by how long they lasted and what recorded
//! them. Equal starts are legal: two devices may record one ride.

use std::cmp::Reverse;

use crate::domain::Activity;

use super::matching::{Evidence, Outcome, SAME_PERMILLE, TIE_PERMILLE};

/// Groups with more pairs than this are a question, not a calculation.
const MOST_PAIRS: usize = 250_000;

/// How well two activities with the same start second fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    /// `None` where an end is unknown.
    overlap_permille: Option<u32>,
    same_device: bool,
    elapsed_apart_s: u32,
}

impl Score {
    pub(super) fn of(a: &Activity, b: &Activity) -> Self {
        let overlap = a
            .interval()
            .zip(b.interval())
            .map(|(a, b)| a.overlap_permille(&b));
        let apart = a.elapsed_s.zip(b.elapsed_s).map(|(a, b)| a.abs_diff(b));
        Self {
            overlap_permille: overlap,
            same_device: same_device(a, b),
            elapsed_apart_s: apart.unwrap_or(u32::MAX),
        }
    }

    fn fits(&self) -> bool {
        self.overlap_permille
            .is_none_or(|permille| permille >= SAME_PERMILLE)
    }

    fn permille(&self) -> u32 {
        self.overlap_permille.unwrap_or(1000)
    }
}

fn same_device(a: &Activity, b: &Activity) -> bool {
    let serial = |activity: &Activity| {
        activity
            .content
            .as_ref()
            .and_then(|content| content.parts.first()?.serial)
    };
    match (serial(a), serial(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.device.is_some() && a.device == b.device,
    }
}

/// Pairs of seekers and places that fit, best first and only where both ends agree; seekers that
/// cannot be told apart are ambiguous, and those that nothing fits have no outcome.
pub(super) fn pairs(
    numbers: &[usize],
    places: &[usize],
    score: impl Fn(usize, usize) -> Option<Score>,
) -> Vec<(usize, Outcome)> {
    if numbers.len().saturating_mul(places.len()) > MOST_PAIRS {
        return numbers
            .iter()
            .map(|n| (*n, Outcome::Ambiguous(places.to_vec())))
            .collect();
    }
    let mut edges: Vec<(usize, usize, Score)> = Vec::new();
    for number in numbers {
        for place in places {
            let fitting = score(*number, *place).filter(Score::fits);
            edges.extend(fitting.map(|score| (*number, *place, score)));
        }
    }
    let mut outcomes = Vec::new();
    loop {
        let agreed = agreed(&edges);
        if agreed.is_empty() {
            break;
        }
        for (number, place) in agreed {
            outcomes.push((number, Outcome::Match(place, Evidence::Start)));
            edges.retain(|edge| edge.0 != number && edge.1 != place);
        }
    }
    outcomes.extend(questions(edges));
    outcomes
}

/// Pairs of which each is the other's clear first choice.
fn agreed(edges: &[(usize, usize, Score)]) -> Vec<(usize, usize)> {
    let mut agreed = Vec::new();
    let mut numbers: Vec<usize> = edges.iter().map(|edge| edge.0).collect();
    numbers.dedup();
    for number in numbers {
        let mine = edges
            .iter()
            .filter(|edge| edge.0 == number)
            .map(|edge| (edge.1, edge.2));
        let Some(place) = first_choice(mine.collect()) else {
            continue;
        };
        let theirs = edges
            .iter()
            .filter(|edge| edge.1 == place)
            .map(|edge| (edge.0, edge.2));
        if first_choice(theirs.collect()) == Some(number) {
            agreed.push((number, place));
        }
    }
    agreed
}

/// The best of several: by overlap, then by device, then by length; `None` if they tie.
fn first_choice(mut rivals: Vec<(usize, Score)>) -> Option<usize> {
    let best = rivals.iter().map(|(_, score)| score.permille()).max()?;
    rivals.retain(|(_, score)| best - score.permille() <= TIE_PERMILLE);
    if rivals.iter().any(|(_, score)| score.same_device) {
        rivals.retain(|(_, score)| score.same_device);
    }
    let nearest = rivals
        .iter()
        .map(|(_, score)| score.elapsed_apart_s)
        .min()?;
    rivals.retain(|(_, score)| score.elapsed_apart_s == nearest);
    match rivals.as_slice() {
        [(only, _)] => Some(*only),
        _ => None,
    }
}

fn questions(mut edges: Vec<(usize, usize, Score)>) -> Vec<(usize, Outcome)> {
    edges.sort_by_key(|(number, place, score)| (*number, Reverse(score.permille()), *place));
    edges
        .chunk_by(|a, b| a.0 == b.0)
        .filter_map(|chunk| {
            let number = chunk.first()?.0;
            let places = chunk.iter().map(|(_, place, _)| *place).collect();
            Some((number, Outcome::Ambiguous(places)))
        })
        .collect()
}
