//! Apply, as it would go where nothing fails: in memory, on a scenario.

use fit_sync::domain::{
    AccountName, Activity, Address, Link, LinkOrigin, LinkStatus, RemoteId, RuleName, Side,
};
use fit_sync::plan::{Action, Plan, Step};
use proptest::sample::Index;

use super::scenario::Scenario;

fn shuffle<T>(rows: &mut [T], order: &[Index]) {
    for (place, index) in (0..rows.len()).zip(order) {
        rows.swap(place, index.index(rows.len()));
    }
}

impl Scenario {
    /// Does every step of its plan and remembers what apply would.
    pub(crate) fn applied(&self) -> Self {
        let plan = self.plan();
        let mut after = self.clone();
        after.link_pairs(&plan);
        for step in &plan.document.body.steps {
            after.take_step(step);
        }
        after
    }

    /// The state file is lost; decisions are a file of their own.
    pub(crate) fn forgetful(mut self) -> Self {
        self.memory.links.clear();
        self.memory.refusals.clear();
        self.memory.contents.clear();
        self
    }

    /// The same world, told in another order.
    pub(crate) fn shuffled(mut self, order: &[Index]) -> Self {
        for held in self.accounts.values_mut() {
            shuffle(&mut held.activities, order);
        }
        self.memory.links.values_mut().for_each(|links| shuffle(links, order));
        shuffle(&mut self.memory.decisions, order);
        for contents in self.memory.contents.values_mut() {
            let mut told: Vec<_> = contents.drain().collect();
            shuffle(&mut told, order);
            contents.extend(told);
        }
        self
    }

    fn take_step(&mut self, step: &Step) {
        let (from, to) = (&step.source.account, &step.destination.account);
        let source = self.activity(from, &step.source.id).clone();
        let content = self.memory.content(from, &source).cloned();
        if step.action == Action::Replace {
            let old = step.destination.id.clone().unwrap();
            self.activity(to, &old);
            let rows = &mut self.accounts.get_mut(to).unwrap().activities;
            rows.retain(|row| row.id != old);
        }
        self.made += 1;
        let id = RemoteId::new(format!("made-{}", self.made));
        let new = Activity { id, ..source.clone() };
        self.add(to, new.clone(), content);
        self.remember((from, to), (&step.rule, &step.address), (&source, &new), LinkOrigin::Placed);
    }

    fn link_pairs(&mut self, plan: &Plan) {
        for pair in &plan.in_sync {
            let Some(there) = &pair.destination else {
                continue;
            };
            let ((from, id), (to, found)) = (&pair.source, there);
            let source = self.activity(from, id).clone();
            let known = self.memory.links_between(from, to).iter();
            if known.clone().any(|l| l.destination.as_ref().is_some_and(|d| d.id == *found)) {
                continue;
            }
            let found = self.activity(to, found).clone();
            let names = (&pair.rule, &pair.address);
            self.remember((from, to), names, (&source, &found), LinkOrigin::Found);
        }
    }

    fn remember(
        &mut self,
        (from, to): (&AccountName, &AccountName),
        (rule, address): (&RuleName, &Address),
        (source, destination): (&Activity, &Activity),
        origin: LinkOrigin,
    ) {
        let links = self.memory.links.entry((from.clone(), to.clone())).or_default();
        links.retain(|link| link.source.id != source.id);
        links.push(Link {
            rule: rule.clone(),
            address: address.clone(),
            source: Side::of(source),
            destination: Some(Side::of(destination)),
            origin,
            status: LinkStatus::Confirmed,
        });
    }
}
