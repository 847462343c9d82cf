//! Recordings of one account that are listed alike: perhaps one recording twice, perhaps those of two
//! devices. Only their files tell, so nothing is concluded here; but the second one waits until the
//! first has its counterpart, or else both would be a question.

use std::collections::HashMap;

use crate::domain::Activity;

use super::matching::Seeker;

/// Seekers that are listed alike, by their numbers.
pub(super) struct Twins {
    /// Of each seeker that has any: its group, and how many of that come before it.
    places: Vec<Option<(usize, usize)>>,
    groups: Vec<Vec<usize>>,
}

impl Twins {
    pub(super) fn of(seekers: &[Seeker<'_>]) -> Self {
        let mut by_start: HashMap<_, Vec<usize>> = HashMap::new();
        for (number, seeker) in seekers.iter().enumerate() {
            let activity: &Activity = seeker.activity;
            let listed = (seeker.account, activity.start, activity.elapsed_s);
            by_start.entry(listed).or_default().push(number);
        }
        let mut twins = Self { places: vec![None; seekers.len()], groups: Vec::new() };
        by_start.into_values().filter(|group| group.len() > 1).for_each(|mut group| {
            // The linked one comes first, else the smaller id.
            group.sort_by_key(|number| {
                seekers.get(*number).map(|seeker| (seeker.fixed.is_none(), &seeker.activity.id))
            });
            twins.take(seekers, &group);
        });
        twins
    }

    /// Takes seekers of one start and length, first ones first.
    fn take(&mut self, seekers: &[Seeker<'_>], numbers: &[usize]) {
        let activity = |number: &usize| seekers.get(*number).map(|seeker| seeker.activity);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for number in numbers {
            let is_alike = |group: &&mut Vec<usize>| {
                let first = group.first().and_then(activity);
                first.zip(activity(number)).is_some_and(|(one, other)| one.is_listed_as(other))
            };
            match groups.iter_mut().find(is_alike) {
                Some(group) => group.push(*number),
                None => groups.push(vec![*number]),
            }
        }
        for group in groups.into_iter().filter(|group| group.len() > 1) {
            for (rank, number) in group.iter().enumerate() {
                if let Some(place) = self.places.get_mut(*number) {
                    *place = Some((self.groups.len(), rank));
                }
            }
            self.groups.push(group);
        }
    }

    /// How many of its kind come before a seeker.
    pub(super) fn rank(&self, number: usize) -> usize {
        self.place(number).map_or(0, |(_, rank)| rank)
    }

    fn place(&self, number: usize) -> Option<(usize, usize)> {
        *self.places.get(number)?
    }

    /// The one that a seeker waits for, if it does.
    pub(super) fn first(&self, number: usize) -> Option<usize> {
        self.mates(number).first().copied().filter(|first| *first != number)
    }

    pub(super) fn last_rank(&self) -> usize {
        self.groups.iter().map(|group| group.len() - 1).max().unwrap_or_default()
    }

    /// A seeker and those that are listed like it; none if it is the only one.
    pub(super) fn mates(&self, number: usize) -> &[usize] {
        let group = self.place(number).and_then(|(group, _)| self.groups.get(group));
        group.map(Vec::as_slice).unwrap_or_default()
    }
}
