//! Whether a pair that was found once is still the only one to think of: people import again what is
//! there in another version, and a replace would take the wrong one.

use super::choice::{self, Edge, Score};
use super::matching::{Evidence, Fixed, Matcher, NEAR_S, Outcome, Seeker};

impl Matcher<'_, '_> {
    /// Pairs that were found hold while nothing else fits as well.
    pub(super) fn found(&mut self) {
        for (number, seeker) in self.open() {
            let Some(Fixed::Found(place)) = seeker.fixed else { continue };
            if self.is_free(place) {
                let outcome = self.found_or_asked(number, seeker, place);
                self.settle(number, outcome);
            }
        }
    }

    fn found_or_asked(&self, number: usize, seeker: &Seeker<'_>, found: usize) -> Outcome {
        let fitting = self.fitting(number, seeker, found);
        let others = fitting.iter().map(|edge| edge.place).filter(|place| *place != found);
        let others: Vec<usize> = others.collect();
        let sha256 = |place: &usize| self.field.activities.get(*place)?.sha256.as_ref();
        let own = seeker.activity.sha256.as_ref();
        if let Some(same) = others.iter().find(|place| own.is_some() && sha256(place) == own) {
            return Outcome::Match(*same, Evidence::Bytes);
        }
        let is_best = choice::first_choice(&fitting).is_some_and(|edge| edge.place == found);
        if others.is_empty() || is_best {
            return Outcome::Match(found, Evidence::Fixed);
        }
        Outcome::Ambiguous(std::iter::once(found).chain(others).collect())
    }

    /// What fits a seeker best: those of the same start second, else those near it.
    fn fitting(&self, number: usize, seeker: &Seeker<'_>, found: usize) -> Vec<Edge> {
        let Some(start) = seeker.activity.start.map(|start| start.as_second()) else {
            return Vec::new();
        };
        let may_be = |place: &usize| *place == found || self.is_candidate(seeker, *place);
        let places = |first_s, last_s| {
            self.starting(first_s, last_s).iter().map(|(_, place)| *place).filter(may_be)
        };
        let edge = |place, score| Edge { number, place, score };
        let exact = places(start, start).filter_map(|place| {
            let candidate = self.field.activities.get(place)?;
            Some(edge(place, Score::of_same_start(seeker.activity, candidate)?))
        });
        let exact: Vec<Edge> = exact.collect();
        let stretch = seeker.activity.interval().filter(|_| !seeker.activity.weak_start);
        let Some(stretch) = stretch.filter(|_| exact.is_empty()) else {
            return exact;
        };
        let near = places(start - NEAR_S, start + NEAR_S).filter_map(|place| {
            let permille = self.overlap(seeker, stretch, place)?;
            Some(edge(place, Score::of_overlap(permille)))
        });
        near.collect()
    }
}
