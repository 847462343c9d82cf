//! Steps that wait for another one of their plan.
//!
//! What a replace takes away is gone by the time that a rule onward would send it, and what takes its
//! place is not what the plan was reviewed with. The step onward comes with the next plan.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{AccountName, RemoteId, RuleName};

use super::context::{Counts, Skip};
use super::model::{Action, Step};
use super::reason::SkipReason;

/// An activity of an account.
type Place<'a> = (&'a AccountName, &'a RemoteId);

/// Takes the steps that wait for another one out of a plan, and says so.
pub(super) fn leave_what_waits(
    steps: &mut Vec<Step>,
    counts: &mut BTreeMap<RuleName, Counts>,
) -> Vec<Skip> {
    let waiting = waiting(steps);
    let both = waiting.iter().filter_map(|(n, first)| steps.get(*n).zip(steps.get(*first)));
    let left = both.map(|(step, first)| {
        let counts = counts.entry(step.rule.clone()).or_default();
        match step.action {
            Action::Upload => counts.upload -= 1,
            Action::Replace => counts.replace -= 1,
        }
        counts.skip += 1;
        Skip {
            address: step.address.clone(),
            rule: step.rule.clone(),
            reason: SkipReason::NotCompared,
            detail: Some(format!("waits for {}", first.address)),
            is_news: false,
        }
    });
    let left = left.collect();
    let mut number = 0..;
    steps.retain(|_| number.next().is_none_or(|number| !waiting.contains_key(&number)));
    left
}

/// The steps that wait, each with the one that it waits for; by their numbers.
fn waiting(steps: &[Step]) -> BTreeMap<usize, usize> {
    let replaced = steps.iter().enumerate().filter_map(|(n, step)| Some((old_of(step)?, n)));
    let mut chains = Chains {
        steps,
        replacing: replaced.collect(),
        seen: vec![false; steps.len()],
        sources: HashMap::new(),
        replaced: HashMap::new(),
        waiting: BTreeMap::new(),
    };
    (0..steps.len()).for_each(|number| chains.judge(number));
    chains.waiting
}

struct Chains<'a> {
    steps: &'a [Step],
    /// The step that replaces an activity.
    replacing: HashMap<Place<'a>, usize>,
    seen: Vec<bool>,
    /// What the steps that do not wait send, and what they take away, by the first of them.
    sources: HashMap<Place<'a>, usize>,
    replaced: HashMap<Place<'a>, usize>,
    waiting: BTreeMap<usize, usize>,
}

impl<'a> Chains<'a> {
    /// Judges a step after all that come before it: from where a chain begins to its end. In a ring
    /// one of them is the first, and the last one waits for it.
    fn judge(&mut self, number: usize) {
        let mut chain = Vec::new();
        let mut next = Some(number);
        while let Some(number) = next.filter(|number| self.seen.get(*number) == Some(&false)) {
            if let Some(seen) = self.seen.get_mut(number) {
                *seen = true;
            }
            chain.push(number);
            let source = self.steps.get(number).map(source_of);
            next = source.and_then(|source| self.replacing.get(&source).copied());
        }
        while let Some(number) = chain.pop() {
            self.take(number);
        }
    }

    fn take(&mut self, number: usize) {
        let Some(step) = self.steps.get(number) else { return };
        let (source, old) = (source_of(step), old_of(step));
        let is_needed = old.and_then(|old| self.sources.get(&old));
        match self.replaced.get(&source).or(is_needed) {
            Some(first) => {
                self.waiting.insert(number, *first);
            }
            None => {
                self.sources.entry(source).or_insert(number);
                self.replaced.extend(old.map(|old| (old, number)));
            }
        }
    }
}

fn source_of(step: &Step) -> Place<'_> {
    (&step.source.account, &step.source.id)
}

fn old_of(step: &Step) -> Option<Place<'_>> {
    Some((&step.destination.account, step.destination.id.as_ref()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Activity, Address, Fingerprint, Unusable};
    use crate::manifest::{ConflictStrategy, Filter, Rule};
    use crate::plan::select::Entry;
    use crate::plan::steps::upload;

    /// A step from one place to an account, perhaps in place of another one there.
    fn step((from, to): (u8, u8), source: u8, old: Option<u8>) -> Step {
        let account = |number: u8| AccountName::new(number.to_string());
        let id = |number: u8| RemoteId::new(number.to_string());
        let name = RuleName::new(format!("{from}-{to}"));
        let (source, destination) = (id(source), account(to));
        let address = Address::of_id(&name, &source);
        let strategy = ConflictStrategy::default();
        let filter = Filter::default();
        let rule = Rule { name, source: account(from), destination, filter, strategy, line: 1 };
        let activity = Activity::unusable(source, Fingerprint::new("f"), Unusable::NoOriginal);
        let entry = Entry { address, activity: &activity };
        let mut step = upload(&rule, &entry, crate::plan::StepReason::MissingAtDestination);
        step.destination.id = old.map(id);
        step
    }

    fn waits(steps: &[Step]) -> Vec<usize> {
        waiting(steps).into_keys().collect()
    }

    #[test]
    fn every_second_step_of_a_chain_waits_in_whatever_order() {
        let chain = [
            step((0, 1), 7, Some(7)),
            step((1, 2), 7, Some(7)),
            step((2, 3), 7, Some(7)),
            step((1, 4), 7, None),
        ];
        assert_eq!(waits(&chain), [1, 3]);
        let backwards: Vec<Step> = chain.into_iter().rev().collect();
        assert_eq!(waits(&backwards), [0, 2]);
    }

    #[test]
    fn of_a_ring_nothing_is_sent_that_another_step_takes_away() {
        let ring = [step((0, 1), 7, Some(7)), step((1, 2), 7, Some(7)), step((2, 0), 7, Some(7))];
        assert_eq!(ring.len() - waits(&ring).len(), 1);
    }

    proptest! {
        #[test]
        fn what_does_not_wait_can_be_carried_out_in_any_order(
            drawn in prop::collection::vec((0u8..4, 0u8..4, 0u8..3, prop::option::of(0u8..3)), 0..12),
        ) {
            let steps: Vec<Step> = drawn
                .into_iter()
                .filter(|(from, to, ..)| from != to)
                .map(|(from, to, source, old)| step((from, to), source, old))
                .collect();
            let waiting = waiting(&steps);
            let is_done = |number: &usize| !waiting.contains_key(number);
            let done: Vec<usize> = (0..steps.len()).filter(is_done).collect();
            for one in &done {
                for other in &done {
                    prop_assert_ne!(Some(source_of(&steps[*one])), old_of(&steps[*other]));
                }
            }
            for (late, first) in &waiting {
                let (late, first_step) = (&steps[*late], &steps[*first]);
                prop_assert!(is_done(first));
                prop_assert!(
                    Some(source_of(late)) == old_of(first_step)
                        || old_of(late) == Some(source_of(first_step))
                );
            }
        }
    }
}
