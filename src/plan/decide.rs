//! From matches to what is to be done about each owned event.

use std::collections::{HashMap, HashSet};

use crate::domain::{
    AccountName, Activity, Content, Fingerprint, Link, LinkOrigin, RuleName, Unusable, Verdict,
};
use crate::manifest::ConflictStrategy;

use super::compare;
use super::context::ActivityRef;
use super::copies::Copies;
use super::links::{Links, Places};
use super::matching::{self, Evidence, Field, Outcome, Seeker};
use super::model::Change;
use super::owners::Owned;
use super::question::Question;
use super::reason::{ConflictReason, InSyncReason, SkipReason, StepReason};
use super::recall::{Known, Memory};
use super::twins::Twins;
use super::underway::{Traffic, Underway};
use super::unopened::Unopened;
use super::world::{AccountView, Decided, Force, World};

/// What is to be done about an event.
#[derive(Debug)]
pub(super) enum Ruling<'a> {
    Upload(StepReason),
    Replace {
        old: &'a Activity,
        reason: StepReason,
        changes: Vec<Change>,
    },
    InSync {
        with: Option<&'a Activity>,
        reason: InSyncReason,
        notice: Option<Notice>,
    },
    Skip(SkipReason),
    Conflict(Question),
    /// Its original and that of this account's activity must be read first.
    Compare(&'a AccountName, &'a Activity),
}

/// Something about a pair in sync that its owner may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The source was edited since; the rule does not replace.
    ChangedAtSource,
    /// The destination was edited since; it is never overwritten.
    ChangedAtDestination,
    /// An open step has placed it, or is to take it away; it goes onward once that is settled.
    Unsettled,
}

/// Rules on every event of one destination.
pub(super) fn decide<'a>(
    world: &'a World<'a>,
    destination: &'a AccountName,
    view: &'a AccountView<'a>,
    owned: &[Owned<'a>],
) -> Vec<Ruling<'a>> {
    let judge = Judge::new(world, destination, view, owned);
    let underway = judge.find_underway();
    let traffic = Traffic::of(&underway, world, view.inventory.activities.len());
    let mut memories = Vec::with_capacity(owned.len());
    let mut seekers = Vec::with_capacity(owned.len());
    for event in owned {
        let mut excluded = judge.excluded(event);
        let (memory, fixed) = judge.remember(event, &excluded);
        excluded.extend(traffic.siblings(event));
        memories.push(memory);
        seekers.push(Seeker {
            activity: event.entry.activity,
            account: judge.account_number(&event.rule.source),
            fixed,
            excluded,
        });
    }
    a_persons_word_comes_first(&memories, &mut seekers);
    let outcomes = matching::find(&seekers, &judge.field(&underway));
    let twins = Twins::of(&seekers);
    let first = |number| seekers.get(twins.first(number)?).map(|seeker| seeker.activity);
    let events = owned.iter().zip(memories).zip(outcomes).enumerate();
    events
        .map(|(number, ((event, memory), outcome))| {
            let ruling = judge.rule(event, &memory, outcome, &traffic);
            judge.tell_from_twin(event, &memory, first(number), ruling)
        })
        .collect()
}

/// What a person adopted for one event is no link's of another.
fn a_persons_word_comes_first(memories: &[Memory<'_>], seekers: &mut [Seeker<'_>]) {
    let adopted: HashSet<usize> = memories
        .iter()
        .filter_map(|memory| match memory {
            Memory::Adopted(place) => Some(*place),
            Memory::Nothing
            | Memory::Linked(_)
            | Memory::SameEvent
            | Memory::Removed
            | Memory::Unseen
            | Memory::Pending(_) => None,
        })
        .collect();
    for (memory, seeker) in memories.iter().zip(seekers) {
        if !matches!(memory, Memory::Adopted(_)) {
            seeker.fixed = seeker.fixed.filter(|fixed| !adopted.contains(&fixed.place()));
        }
    }
}

pub(super) struct Judge<'a> {
    pub(super) world: &'a World<'a>,
    pub(super) destination: &'a AccountName,
    pub(super) view: &'a AccountView<'a>,
    pub(super) places: Places<'a>,
    pub(super) unopened: Unopened<'a>,
    pub(super) by_fingerprint: HashMap<&'a Fingerprint, Vec<usize>>,
    pub(super) decided: HashMap<&'a RuleName, Decided<'a>>,
    pub(super) sources: Vec<&'a AccountName>,
    pub(super) links: HashMap<&'a AccountName, Known<'a>>,
}

impl<'a> Judge<'a> {
    fn new(
        world: &'a World<'a>,
        destination: &'a AccountName,
        view: &'a AccountView<'a>,
        owned: &[Owned<'a>],
    ) -> Self {
        let mut by_fingerprint: HashMap<&Fingerprint, Vec<usize>> = HashMap::new();
        if !world.memory.decisions.is_empty() {
            for (place, activity) in view.inventory.activities.iter().enumerate() {
                by_fingerprint.entry(&activity.fingerprint).or_default().push(place);
            }
        }
        let mut sources: Vec<&AccountName> =
            world.manifest.rules.iter().map(|r| &r.source).collect();
        sources.sort_unstable();
        sources.dedup();
        let involved = owned
            .iter()
            .flat_map(|event| {
                std::iter::once(&event.rule.source).chain(event.covers.iter().map(|(a, _)| *a))
            })
            .collect::<HashSet<_>>();
        let links = involved
            .into_iter()
            .map(|source| {
                let there = world.memory.links_between(source, destination).iter();
                let back = world.memory.links_between(destination, source).iter();
                let known = Known {
                    there: Links::of(there, |link| Some(&link.source)),
                    back: Links::of(back, |link| link.destination.as_ref()),
                };
                (source, known)
            })
            .collect();
        let rules = world.manifest.rules.iter().filter(|rule| rule.destination == *destination);
        let decided = rules.map(|rule| {
            let profile = world.accounts.get(&rule.source).and_then(|view| view.profile.as_ref());
            (&rule.name, Decided::about(world.memory, &rule.name, &rule.source, profile))
        });
        Self {
            world,
            destination,
            view,
            places: Places::of(&view.inventory.activities),
            unopened: Unopened::of(world, destination, view),
            by_fingerprint,
            decided: decided.collect(),
            sources,
            links,
        }
    }

    fn account_number(&self, account: &AccountName) -> usize {
        self.sources.binary_search(&account).unwrap_or(usize::MAX)
    }

    pub(super) fn activity(&self, place: usize) -> Option<&'a Activity> {
        self.view.inventory.activities.get(place)
    }

    /// The destination's inventory, with what is known about where it came from.
    fn field<'u>(&self, underway: &'u [Underway]) -> Field<'u>
    where
        'a: 'u,
    {
        let listed = self.view.inventory.activities.iter();
        let activities = listed.chain(underway.iter().map(|one| &one.activity)).collect();
        let mut field = Field { activities, ..Field::default() };
        let copies = Copies::of(self.world.memory, self.destination);
        for account in self.links.keys() {
            let number = self.account_number(account);
            let source = self.world.accounts.get(*account);
            for activity in source.iter().flat_map(|view| &view.inventory.activities) {
                // What began here and went round by way of other accounts has its place too.
                let began = || self.places.find(copies.origin(account, activity)?);
                let place = self.linked_place(account, activity).or_else(began);
                field.linked.extend(place.map(|place| (place, number)));
                let link = self.links.get(account).and_then(|known| known.there.find(activity));
                let placed = link.filter(|link| link.origin == LinkOrigin::Placed);
                let place = placed.and_then(|link| self.place(link));
                field.placed.extend(place.map(|place| (place, number)));
            }
        }
        field
    }

    fn rule(
        &self,
        event: &Owned<'a>,
        memory: &Memory<'a>,
        outcome: Outcome,
        traffic: &Traffic<'_>,
    ) -> Ruling<'a> {
        let (source, id) = (&event.rule.source, &event.entry.activity.id);
        if self.world.memory.is_in_flight(source, self.destination, id) {
            return in_sync(None, InSyncReason::Pending);
        }
        if self.world.memory.is_unsettled(source, id) {
            let (reason, notice) = (InSyncReason::Pending, Some(Notice::Unsettled));
            return Ruling::InSync { with: None, reason, notice };
        }
        let is_known = matches!(outcome, Outcome::Match(_, Evidence::Fixed | Evidence::Bytes));
        let like = || traffic.like(event).filter(|_| !is_known);
        if let Some(one) =
            outcome.places().iter().find_map(|place| traffic.at(*place)).or_else(like)
        {
            return self.rule_on_underway(event, memory, one);
        }
        match outcome {
            Outcome::Match(place, evidence) => match self.activity(place) {
                Some(found) => self.rule_on_pair(event, memory, found, evidence),
                None => Ruling::Upload(StepReason::MissingAtDestination),
            },
            Outcome::Ambiguous(places) => {
                self.rule_on_lone(event, memory, Some((ConflictReason::Ambiguous, places)))
            }
            Outcome::Contained(places) => {
                self.rule_on_lone(event, memory, Some((ConflictReason::Contained, places)))
            }
            Outcome::Overlap(places) => {
                self.rule_on_lone(event, memory, Some((ConflictReason::PartialOverlap, places)))
            }
            Outcome::ZoneSuspect(places) => {
                let question = (ConflictReason::PossibleTimeZoneDuplicate, places);
                self.rule_on_lone(event, memory, Some(question))
            }
            Outcome::Alone => self.rule_on_lone(event, memory, None),
        }
    }

    /// An event without a counterpart, with the question that stands in its way, if any.
    fn rule_on_lone(
        &self,
        event: &Owned<'a>,
        memory: &Memory<'a>,
        question: Option<(ConflictReason, Vec<usize>)>,
    ) -> Ruling<'a> {
        match memory {
            Memory::Removed => return Ruling::Skip(SkipReason::RemovedAtDestination),
            Memory::Unseen => return in_sync(None, InSyncReason::Linked),
            Memory::Pending(link) => return self.rule_on_pending(event, link),
            Memory::Adopted(_) | Memory::Nothing | Memory::Linked(_) | Memory::SameEvent => {}
        }
        if let Some(ruling) = self.rule_on_duplicate(event) {
            return ruling;
        }
        let references = |places: Vec<usize>| {
            let found = places.iter().filter_map(|place| self.activity(*place));
            found.map(|activity| ActivityRef::of(self.destination, activity)).collect()
        };
        let question = question
            .map(|(reason, places)| (reason, references(places)))
            .or_else(|| event.rivals.clone())
            .or_else(|| match memory {
                // Two events cannot both be the one that was adopted.
                Memory::Adopted(place) => {
                    Some((ConflictReason::Ambiguous, references(vec![*place])))
                }
                _ => None,
            });
        let distinct = || self.decision(event, Verdict::Distinct).is_some();
        match question {
            Some((reason, candidates)) => self.force(reason, candidates),
            None if distinct() => Ruling::Upload(StepReason::Distinct),
            None if event.entry.activity.unusable == Some(Unusable::SeveralActivities) => {
                Ruling::Conflict(Question::of(ConflictReason::SeveralActivities, Vec::new()))
            }
            None => Ruling::Upload(StepReason::MissingAtDestination),
        }
    }

    fn force(&self, reason: ConflictReason, candidates: Vec<ActivityRef>) -> Ruling<'a> {
        let forced = self.world.options.force == Force::Yes
            && matches!(
                reason,
                ConflictReason::Contained
                    | ConflictReason::PartialOverlap
                    | ConflictReason::PossibleTimeZoneDuplicate
            );
        if forced {
            Ruling::Upload(StepReason::Forced)
        } else {
            Ruling::Conflict(Question::of(reason, candidates))
        }
    }

    fn rule_on_pair(
        &self,
        event: &Owned<'a>,
        memory: &Memory<'a>,
        found: &'a Activity,
        evidence: Evidence,
    ) -> Ruling<'a> {
        let forced = self.world.options.force == Force::Yes;
        let is_decided = matches!(memory, Memory::Adopted(_));
        if let Some(question) = self.rule_on_changed(event, found).filter(|_| !is_decided) {
            return question;
        }
        match (memory, evidence) {
            // What stands there now cannot be seen.
            (Memory::Linked(_), _) if found.unopened().is_some() => {
                in_sync(Some(found), InSyncReason::Linked)
            }
            (Memory::Linked(link), Evidence::Fixed) => {
                let ours = link.origin == LinkOrigin::Placed;
                if forced && !ours {
                    return self.replace(event, found, StepReason::Forced);
                }
                self.rule_on_link(event, link, found)
            }
            (Memory::Adopted(_), Evidence::Fixed) => in_sync(Some(found), InSyncReason::Adopted),
            (Memory::Pending(_), _) => in_sync(Some(found), InSyncReason::Linked),
            (_, Evidence::Bytes) => in_sync(Some(found), InSyncReason::SameBytes),
            _ if forced => self.replace(event, found, StepReason::Forced),
            _ if event.rule.strategy == ConflictStrategy::ReplaceExisting => {
                self.replace(event, found, StepReason::ContentDiffers)
            }
            _ => in_sync(Some(found), InSyncReason::SameActivity),
        }
    }

    fn rule_on_link(&self, event: &Owned<'a>, link: &Link, found: &'a Activity) -> Ruling<'a> {
        let here = link.source.changed(event.entry.activity);
        let there = link.destination.as_ref().is_some_and(|side| side.changed(found));
        match (here, there) {
            (true, true) => {
                let candidate = ActivityRef::of(self.destination, found);
                Ruling::Conflict(Question::of(ConflictReason::ChangedOnBothSides, vec![candidate]))
            }
            (true, false) if event.rule.strategy == ConflictStrategy::ReplaceExisting => {
                self.replace(event, found, StepReason::ContentDiffers)
            }
            (true, false) => noticed(found, Notice::ChangedAtSource),
            (false, true) => noticed(found, Notice::ChangedAtDestination),
            (false, false) => in_sync(Some(found), InSyncReason::Linked),
        }
    }

    /// A replace if the originals differ and nothing would be lost.
    fn replace(&self, event: &Owned<'a>, found: &'a Activity, reason: StepReason) -> Ruling<'a> {
        // An open step, perhaps a restore, is about to take it away or has just placed it.
        if self.world.memory.is_unsettled(self.destination, &found.id) {
            let (reason, notice) = (InSyncReason::Pending, Some(Notice::Unsettled));
            return Ruling::InSync { with: Some(found), reason, notice };
        }
        if let Some(question @ Ruling::Conflict(..)) = self.rule_on_duplicate(event) {
            return question;
        }
        if let Some(reason) = self.removed_in_vain(event) {
            return Ruling::Skip(reason);
        }
        let memory = self.world.memory;
        let source = memory.content(&event.rule.source, event.entry.activity);
        let destination = memory.content(self.destination, found);
        if destination.is_none() && self.has_no_file(found) {
            let candidate = ActivityRef::of(self.destination, found);
            let loses = vec!["it has no file".to_owned()];
            return Ruling::Conflict(Question::losing(candidate, loses));
        }
        let (Some(source), Some(destination)) = (source, destination) else {
            return Ruling::Compare(self.destination, found);
        };
        let loses = compare::losses(destination, source);
        if !loses.is_empty() {
            let candidate = ActivityRef::of(self.destination, found);
            return Ruling::Conflict(Question::losing(candidate, loses));
        }
        self.replace_by_content(found, reason, source, destination)
    }

    fn replace_by_content(
        &self,
        found: &'a Activity,
        reason: StepReason,
        source: &Content,
        destination: &Content,
    ) -> Ruling<'a> {
        let changes = compare::changes(destination, source);
        if changes.is_empty() && reason != StepReason::Forced {
            return in_sync(Some(found), InSyncReason::SameActivity);
        }
        Ruling::Replace { old: found, reason, changes }
    }
}

pub(super) fn in_sync(with: Option<&Activity>, reason: InSyncReason) -> Ruling<'_> {
    Ruling::InSync { with, reason, notice: None }
}

fn noticed(with: &Activity, notice: Notice) -> Ruling<'_> {
    Ruling::InSync { with: Some(with), reason: InSyncReason::Linked, notice: Some(notice) }
}
