//! What a step has brought to its destination, told from what was there before and from what others
//! brought. Never the newest.

use std::collections::BTreeSet;

use crate::domain::{AccountName, Activity, RemoteId};
use crate::plan::matching::{self, Field, Outcome, Seeker};

use super::Run;
use super::task::{Parcel, Task};

/// Furthest apart that the start in a file and the listed one may be.
const NEAR_S: i64 = 120;

/// What there is to be seen of a step.
#[derive(Clone, Debug)]
pub(super) enum Brought {
    /// Nothing.
    Nothing,
    /// This activity.
    One(Box<Activity>),
    /// Several that could be it; which, nobody can tell.
    Several,
}

impl Run<'_> {
    /// The activity that a task brought to its destination, if it is the only one under way.
    pub(super) fn new_one(&self, task: &Task) -> Option<Activity> {
        match self.brought(&task.step.destination.account, &[task]).pop() {
            Some(Brought::One(new)) => Some(*new),
            Some(Brought::Nothing | Brought::Several) | None => None,
        }
    }

    /// What each of these tasks brought to this account: by the id that the account gave and lists, else by
    /// its bytes or its very time among those that were not there before; each activity is one
    /// task's only.
    pub(super) fn brought(&self, account: &AccountName, tasks: &[&Task]) -> Vec<Brought> {
        let seekers: Vec<(usize, &Task, &Parcel)> = tasks
            .iter()
            .enumerate()
            .filter(|(_, task)| !self.is_listed_by_id(account, task))
            .filter_map(|(number, task)| Some((number, *task, task.parcel.as_ref()?)))
            .collect();
        let by_id = tasks.iter().map(|task| {
            let listed = task.new.as_ref().and_then(|id| self.listed(account, id));
            listed.map_or(Brought::Nothing, |new| Brought::One(Box::new(new)))
        });
        let mut brought: Vec<Brought> = by_id.collect();
        // What another of them is known by is not this one's.
        let named: BTreeSet<&RemoteId> =
            tasks.iter().filter_map(|task| task.new.as_ref()).collect();
        for (number, found) in self.brought_unnamed(account, &seekers, &named) {
            if let Some(slot) = brought.get_mut(number) {
                *slot = found;
            }
        }
        brought
    }

    /// Some platforms name an id at first under which they never list anything.
    fn is_listed_by_id(&self, account: &AccountName, task: &Task) -> bool {
        task.new.as_ref().is_some_and(|id| self.listed(account, id).is_some())
    }

    fn brought_unnamed(
        &self,
        account: &AccountName,
        tasks: &[(usize, &Task, &Parcel)],
        named: &BTreeSet<&RemoteId>,
    ) -> Vec<(usize, Brought)> {
        let Some(inventory) = self.inventory(account) else { return Vec::new() };
        let rows = &inventory.activities;
        let near: BTreeSet<usize> =
            tasks.iter().flat_map(|(_, _, parcel)| starting_near(rows, parcel)).collect();
        let known = self.known.borrow();
        let is_new = |row: &&Activity| {
            !named.contains(&row.id) && !known.get(account).is_some_and(|ids| ids.contains(&row.id))
        };
        let activities: Vec<&Activity> =
            near.into_iter().filter_map(|place| rows.get(place)).filter(is_new).collect();
        let sought: Vec<Activity> = tasks
            .iter()
            .map(|(_, task, parcel)| parcel.activity(task.step.source.id.clone()))
            .collect();
        let seekers: Vec<Seeker<'_>> = tasks
            .iter()
            .zip(&sought)
            .map(|((_, task, parcel), activity)| Seeker {
                activity,
                account: 0,
                fixed: None,
                excluded: not_its_own(&activities, task, parcel),
            })
            .collect();
        let field = Field { activities, ..Field::default() };
        let found = |outcome: Outcome| match outcome {
            Outcome::Match(place, _) => field
                .activities
                .get(place)
                .map_or(Brought::Nothing, |new| Brought::One(Box::new((*new).clone()))),
            Outcome::Ambiguous(_) => Brought::Several,
            Outcome::Overlap(_) | Outcome::ZoneSuspect(_) | Outcome::Alone => Brought::Nothing,
        };
        let outcomes = matching::find(&seekers, &field);
        tasks
            .iter()
            .zip(outcomes)
            .map(|((number, _, _), outcome)| (*number, found(outcome)))
            .collect()
    }
}

/// Places of the activities that start about when a parcel does; the rows are in order of start.
fn starting_near(rows: &[Activity], parcel: &Parcel) -> std::ops::Range<usize> {
    let second = |row: &Activity| row.start.map_or(i64::MAX, |start| start.as_second());
    let start = parcel.start.as_second();
    let from = rows.partition_point(|row| second(row) < start - NEAR_S);
    let to = rows.partition_point(|row| second(row) <= start + NEAR_S);
    from..to
}

/// Places of what was there before the step, and of what surely holds other bytes.
fn not_its_own(activities: &[&Activity], task: &Task, parcel: &Parcel) -> Vec<usize> {
    let is_other = |row: &Activity| {
        task.known.contains(&row.id)
            || row.sha256.as_ref().is_some_and(|sha256| *sha256 != parcel.sha256)
    };
    let rows = activities.iter().enumerate();
    rows.filter(|(_, row)| is_other(row)).map(|(place, _)| place).collect()
}
