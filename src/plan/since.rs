//! What a plan of today does otherwise than one that was reviewed before.

use std::collections::{HashMap, HashSet};

use crate::domain::{AccountName, Address, RemoteId, RuleName};

use super::context::{ActivityRef, Conflict};
use super::model::{Document, Step};
use super::reason::{ConflictReason, SkipReason};

/// The differences, each list in the order of its plan. Titles do not count, nor where in the plan a
/// row stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// Steps of which the reviewed plan knows nothing.
    pub more: Vec<Step>,
    /// Steps that send the same activity to the same account and differ otherwise: as reviewed, as
    /// they are today.
    pub changed: Vec<(Step, Step)>,
    /// Reviewed steps that are not planned any more.
    pub gone: Vec<(Step, Now)>,
    /// Questions that were not there.
    pub asked: Vec<Conflict>,
    /// Questions that are not there any more.
    pub answered: Vec<Address>,
}

/// What has become of a reviewed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Now {
    /// The pair is in sync.
    InSync,
    /// It is a question now.
    Asked(ConflictReason),
    /// It is left alone now.
    Skipped(SkipReason),
    /// The plan does not mention it: its source or its rule is gone, or was left out.
    Absent,
}

impl Since {
    /// Whether both plans do and ask the same.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Compares a plan, whose pairs in sync are listed, with a reviewed one.
pub fn since(today: &Document, reviewed: &Document) -> Since {
    let known: HashMap<Way<'_>, &Step> =
        reviewed.body.steps.iter().map(|step| (way(step), step)).collect();
    let planned: HashMap<Way<'_>, &Step> =
        today.body.steps.iter().map(|step| (way(step), step)).collect();
    let mut since = Since::default();
    for step in &today.body.steps {
        match known.get(&way(step)) {
            None => since.more.push(step.clone()),
            Some(before) if does(before) != does(step) => {
                since.changed.push((Step::clone(before), step.clone()));
            }
            Some(_) => {}
        }
    }
    let standing = Standing::of(today);
    let gone = reviewed.body.steps.iter().filter(|step| !planned.contains_key(&way(step)));
    since.gone = gone.map(|step| (step.clone(), standing.of_step(step))).collect();
    let (asked_before, asked_now) = (questions(reviewed), questions(today));
    let (before, now) = (&reviewed.context.conflicts, &today.context.conflicts);
    let new = now.iter().filter(|conflict| !asked_before.contains(&question(conflict)));
    since.asked = new.cloned().collect();
    let old = before.iter().filter(|conflict| !asked_now.contains(&question(conflict)));
    since.answered = old.map(|conflict| conflict.address.clone()).collect();
    since
}

/// What is sent, and where to.
type Way<'a> = (&'a AccountName, &'a RemoteId, &'a AccountName);

fn way(step: &Step) -> Way<'_> {
    (&step.source.account, &step.source.id, &step.destination.account)
}

/// Everything that apply goes by.
fn does(step: &Step) -> impl PartialEq + '_ {
    let there = &step.destination;
    (step.action, step.protocol, &step.source.fingerprint, &there.id, &there.fingerprint)
}

/// What is asked, of which activity, and for which rule.
type Question<'a> = (Place<'a>, &'a RuleName, &'static str);

fn questions(document: &Document) -> HashSet<Question<'_>> {
    document.context.conflicts.iter().map(question).collect()
}

fn question(conflict: &Conflict) -> Question<'_> {
    (place(&conflict.source), &conflict.rule, conflict.reason.as_str())
}

/// An activity of an account.
type Place<'a> = (&'a AccountName, &'a RemoteId);

fn place(activity: &ActivityRef) -> Place<'_> {
    (&activity.account, &activity.id)
}

/// Where activities stand in a plan besides its steps.
struct Standing<'a> {
    in_sync: HashSet<Place<'a>>,
    conflicts: HashMap<Place<'a>, ConflictReason>,
    skips: HashMap<&'a Address, SkipReason>,
}

impl<'a> Standing<'a> {
    fn of(document: &'a Document) -> Self {
        let context = &document.context;
        let conflicts = context.conflicts.iter();
        Self {
            in_sync: context.in_sync.iter().flatten().map(|pair| place(&pair.source)).collect(),
            conflicts: conflicts.map(|row| (place(&row.source), row.reason)).collect(),
            skips: context.skips.iter().map(|row| (&row.address, row.reason)).collect(),
        }
    }

    fn of_step(&self, step: &Step) -> Now {
        let source = (&step.source.account, &step.source.id);
        if self.in_sync.contains(&source) {
            return Now::InSync;
        }
        if let Some(reason) = self.conflicts.get(&source) {
            return Now::Asked(*reason);
        }
        self.skips.get(&step.address).map_or(Now::Absent, |reason| Now::Skipped(*reason))
    }
}
