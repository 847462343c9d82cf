//! Several rules into one destination: each event has one owner.
//!
//! The owner is the last rule with `replace_existing` among those that want the event, else the
//! first rule. That needs no memory, so it also holds on the first day and after the state is lost.

use std::collections::HashMap;

use crate::domain::{AccountName, Activity, Address, RemoteId, RuleName, Verdict};
use crate::manifest::{ConflictStrategy, Rule};

use super::context::ActivityRef;
use super::matching::{self, Field, Outcome, Seeker};
use super::reason::ConflictReason;
use super::select::Entry;
use super::world::{Decided, World, is_party};

/// An event that a rule owns.
#[derive(Debug)]
pub(super) struct Owned<'a> {
    pub(super) rule: &'a Rule,
    pub(super) entry: Entry<'a>,
    /// Recordings of the same event in the sources of other rules.
    pub(super) covers: Vec<(&'a AccountName, &'a Activity)>,
    /// Recordings in other sources that may or may not be the same event.
    pub(super) rivals: Option<(ConflictReason, Vec<ActivityRef>)>,
}

/// A wanted activity that another rule owns.
#[derive(Debug)]
pub(super) struct Covered<'a> {
    pub(super) rule: &'a Rule,
    pub(super) entry: Entry<'a>,
    pub(super) by: (RuleName, Address),
}

/// What the rules into one destination want.
pub(super) type Wishes<'a> = Vec<(&'a Rule, Vec<Entry<'a>>)>;

/// Gives every event its owner.
pub(super) fn assign<'a>(
    world: &'a World<'a>,
    wishes: Wishes<'a>,
) -> (Vec<Owned<'a>>, Vec<Covered<'a>>) {
    let mut owned: Vec<Owned<'a>> = Vec::new();
    let mut covered = Vec::new();
    for (rule, entries) in by_precedence(wishes) {
        let relations = relations(world, rule, &entries, &owned);
        let mut new = Vec::new();
        for (entry, relation) in entries.into_iter().zip(relations) {
            match relation {
                Relation::SameEvent(place) => {
                    let Some(owner) = owned.get_mut(place) else {
                        continue;
                    };
                    owner.covers.push((&rule.source, entry.activity));
                    let by = (owner.rule.name.clone(), owner.entry.address.clone());
                    covered.push(Covered { rule, entry, by });
                }
                Relation::Question(reason, places) => {
                    let rivals = Some((reason, references(&places, &owned)));
                    new.push(Owned { rule, entry, covers: Vec::new(), rivals });
                }
                Relation::None => {
                    new.push(Owned { rule, entry, covers: Vec::new(), rivals: None });
                }
            }
        }
        owned.extend(new);
    }
    (owned, covered)
}

/// How a wished activity stands to the events that are owned already, by their places.
enum Relation {
    SameEvent(usize),
    Question(ConflictReason, Vec<usize>),
    None,
}

/// The rules in the order in which they may claim events.
fn by_precedence(wishes: Wishes<'_>) -> Wishes<'_> {
    let (mut replacing, keeping): (Wishes<'_>, Wishes<'_>) = wishes
        .into_iter()
        .partition(|(rule, _)| rule.strategy == ConflictStrategy::ReplaceExisting);
    replacing.reverse();
    replacing.extend(keeping);
    replacing
}

fn relations(
    world: &World<'_>,
    rule: &Rule,
    entries: &[Entry<'_>],
    owned: &[Owned<'_>],
) -> Vec<Relation> {
    // Recordings of one account are all wanted: there only the very same one is covered.
    let (own, foreign): (Vec<usize>, Vec<usize>) = (0..owned.len())
        .partition(|place| owned.get(*place).is_some_and(|event| event.rule.source == rule.source));
    let event = |place: &usize| owned.get(*place);
    let own: HashMap<&RemoteId, usize> =
        own.iter().filter_map(|place| Some((&event(place)?.entry.activity.id, *place))).collect();
    let field = Field {
        activities: foreign.iter().filter_map(|p| Some(event(p)?.entry.activity)).collect(),
        ..Field::default()
    };
    let profile = world.accounts.get(&rule.source).and_then(|view| view.profile.as_ref());
    let decided = Decided::about(world.memory, &rule.name, &rule.source, profile);
    let seekers: Vec<Seeker<'_>> = entries
        .iter()
        .map(|entry| Seeker {
            activity: entry.activity,
            account: 0,
            fixed: None,
            excluded: excluded(world, &decided, entry, &foreign, owned),
        })
        .collect();
    let outcomes = matching::find(&seekers, &field);
    let relation = |entry: &Entry<'_>, outcome| match own.get(&entry.activity.id) {
        Some(place) => Relation::SameEvent(*place),
        None => relation_of(outcome, &foreign),
    };
    entries.iter().zip(outcomes).map(|(entry, outcome)| relation(entry, outcome)).collect()
}

fn relation_of(outcome: Outcome, foreign: &[usize]) -> Relation {
    let owned = |places: Vec<usize>| {
        places.iter().filter_map(|place| foreign.get(*place).copied()).collect::<Vec<_>>()
    };
    match outcome {
        Outcome::Match(place, _) => {
            foreign.get(place).map_or(Relation::None, |place| Relation::SameEvent(*place))
        }
        Outcome::Ambiguous(places) => Relation::Question(ConflictReason::Ambiguous, owned(places)),
        Outcome::Contained(places) => Relation::Question(ConflictReason::Contained, owned(places)),
        Outcome::Overlap(places) => {
            Relation::Question(ConflictReason::PartialOverlap, owned(places))
        }
        Outcome::ZoneSuspect(places) => {
            Relation::Question(ConflictReason::PossibleTimeZoneDuplicate, owned(places))
        }
        Outcome::Alone => Relation::None,
    }
}

/// Places among the foreign events that a person said the activity is not.
fn excluded(
    world: &World<'_>,
    decided: &Decided<'_>,
    entry: &Entry<'_>,
    foreign: &[usize],
    owned: &[Owned<'_>],
) -> Vec<usize> {
    let Some(decision) = decided.find(Verdict::Distinct, entry.activity) else {
        return Vec::new();
    };
    let is_excluded = |event: &Owned<'_>| {
        let account = &event.rule.source;
        let profile = world.accounts.get(account).and_then(|view| view.profile.as_ref());
        let activity = event.entry.activity;
        decision.candidates.iter().any(|party| is_party(party, account, profile, activity))
    };
    let places = foreign.iter().enumerate();
    places
        .filter(|(_, place)| owned.get(**place).is_some_and(is_excluded))
        .map(|(number, _)| number)
        .collect()
}

fn references(places: &[usize], owned: &[Owned<'_>]) -> Vec<ActivityRef> {
    let events = places.iter().filter_map(|place| owned.get(*place));
    events.map(|event| ActivityRef::of(&event.rule.source, event.entry.activity)).collect()
}
