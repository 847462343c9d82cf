//! From matches to what is to be done about each owned event.

use std::collections::{HashMap, HashSet};

use crate::domain::{
    AccountName, Activity, Content, Link, LinkOrigin, LinkStatus, RemoteId, Sha256, Side, Unusable,
    Verdict,
};
use crate::manifest::ConflictStrategy;

use super::compare;
use super::matching::{self, Evidence, Field, Outcome, Seeker};
use super::model::{ActivityRef, Change};
use super::owners::Owned;
use super::reason::{ConflictReason, InSyncReason, SkipReason, StepReason};
use super::world::{AccountView, Decided, Force, World, is_party};

/// Days and complete readings after which an accepted upload that never showed is a question.
const APPEARS_WITHIN_DAYS: i32 = 7;
const APPEARS_WITHIN_READINGS: u32 = 2;

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
    Conflict(ConflictReason, Vec<ActivityRef>),
    /// Both originals must be read first.
    Compare(&'a Activity),
}

/// Something about a pair in sync that its owner may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The source was edited since; the rule does not replace.
    ChangedAtSource,
    /// The destination was edited since; it is never overwritten.
    ChangedAtDestination,
}

/// How a link stands to the destination's inventory.
enum Memory<'a> {
    Nothing,
    /// A person said that this is it.
    Adopted,
    /// An earlier run made or found the pair.
    Linked(&'a Link),
    /// The pair belongs to another recording of the same event.
    SameEvent,
    /// Once there, now gone from a complete inventory.
    Removed,
    /// Linked, but not to be seen in an incomplete inventory.
    Unseen,
    Pending(&'a Link),
}

/// Rules on every event of one destination.
pub(super) fn decide<'a>(
    world: &'a World<'a>,
    destination: &'a AccountName,
    view: &'a AccountView<'a>,
    owned: &[Owned<'a>],
) -> Vec<Ruling<'a>> {
    let judge = Judge::new(world, destination, view, owned);
    let memories: Vec<(Memory<'a>, Option<usize>)> =
        owned.iter().map(|event| judge.remember(event)).collect();
    let seekers: Vec<Seeker<'a>> = owned
        .iter()
        .zip(&memories)
        .map(|(event, (_, fixed))| Seeker {
            activity: event.entry.activity,
            account: judge.account_number(&event.rule.source),
            fixed: *fixed,
            excluded: judge.excluded(event),
        })
        .collect();
    let outcomes = matching::find(&seekers, &judge.field(owned));
    owned
        .iter()
        .zip(memories)
        .zip(outcomes)
        .map(|((event, (memory, _)), outcome)| judge.rule(event, &memory, outcome))
        .collect()
}

struct Judge<'a> {
    world: &'a World<'a>,
    destination: &'a AccountName,
    view: &'a AccountView<'a>,
    places: HashMap<&'a RemoteId, usize>,
    by_bytes: HashMap<&'a Sha256, usize>,
    sources: Vec<&'a AccountName>,
    links: HashMap<&'a AccountName, Links<'a>>,
}

/// The links of one source to this destination, by what identifies the source's side.
#[derive(Default)]
struct Links<'a> {
    by_id: HashMap<&'a RemoteId, &'a Link>,
    by_bytes: HashMap<&'a Sha256, &'a Link>,
}

impl<'a> Links<'a> {
    fn of(links: &'a [Link]) -> Self {
        Self {
            by_id: links.iter().map(|link| (&link.source.id, link)).collect(),
            by_bytes: links.iter().filter_map(|l| Some((l.source.sha256.as_ref()?, l))).collect(),
        }
    }

    fn of_activity(&self, activity: &Activity) -> Option<&'a Link> {
        let renamed = || self.by_bytes.get(activity.sha256.as_ref()?);
        self.by_id.get(&activity.id).or_else(renamed).copied()
    }
}

impl<'a> Judge<'a> {
    fn new(
        world: &'a World<'a>,
        destination: &'a AccountName,
        view: &'a AccountView<'a>,
        owned: &[Owned<'a>],
    ) -> Self {
        let rows = view.inventory.activities.iter().enumerate();
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
            .map(|source| (source, Links::of(world.memory.links_between(source, destination))))
            .collect();
        Self {
            world,
            destination,
            view,
            places: rows.clone().map(|(place, activity)| (&activity.id, place)).collect(),
            by_bytes: rows.filter_map(|(place, a)| Some((a.sha256.as_ref()?, place))).collect(),
            sources,
            links,
        }
    }

    fn account_number(&self, account: &AccountName) -> usize {
        self.sources.binary_search(&account).unwrap_or(usize::MAX)
    }

    fn activity(&self, place: usize) -> Option<&'a Activity> {
        self.view.inventory.activities.get(place)
    }

    /// The destination's inventory, with what is known about where it came from.
    fn field(&self, owned: &[Owned<'a>]) -> Field<'a> {
        let mut field = Field {
            activities: self.view.inventory.activities.iter().collect(),
            ..Field::default()
        };
        let living: HashMap<&AccountName, HashSet<&RemoteId>> = self
            .world
            .accounts
            .iter()
            .filter(|(name, _)| owned.iter().any(|event| event.rule.source == **name))
            .map(|(name, view)| (name, view.inventory.activities.iter().map(|a| &a.id).collect()))
            .collect();
        for (account, links) in &self.links {
            let number = self.account_number(account);
            for link in links.by_id.values() {
                let Some(place) = link.destination.as_ref().and_then(|side| self.place(side))
                else {
                    continue;
                };
                if living.get(account).is_some_and(|ids| ids.contains(&link.source.id)) {
                    field.linked.insert((place, number));
                }
                if link.origin == LinkOrigin::Placed {
                    field.placed.insert((place, number));
                }
            }
        }
        field
    }

    /// Where a link's destination stands now; a renamed file is found by its bytes.
    fn place(&self, side: &Side) -> Option<usize> {
        let renamed = || self.by_bytes.get(side.sha256.as_ref()?);
        self.places.get(&side.id).or_else(renamed).copied()
    }

    fn remember(&self, event: &Owned<'a>) -> (Memory<'a>, Option<usize>) {
        let activity = event.entry.activity;
        if let Some(place) = self.adopted(event) {
            return (Memory::Adopted, Some(place));
        }
        if let Some(link) = self.links.get(&event.rule.source).and_then(|l| l.of_activity(activity))
        {
            return self.recall(link);
        }
        let covered = event.covers.iter().find_map(|(account, activity)| {
            let link = self.links.get(account)?.of_activity(activity)?;
            self.place(link.destination.as_ref()?)
        });
        match covered {
            Some(place) => (Memory::SameEvent, Some(place)),
            None => (Memory::Nothing, None),
        }
    }

    fn recall(&self, link: &'a Link) -> (Memory<'a>, Option<usize>) {
        let place = link.destination.as_ref().and_then(|side| self.place(side));
        match (place, link.status) {
            (Some(place), _) => (Memory::Linked(link), Some(place)),
            (None, LinkStatus::Pending { .. }) => (Memory::Pending(link), None),
            (None, LinkStatus::Confirmed) if self.view.inventory.complete => {
                (Memory::Removed, None)
            }
            (None, LinkStatus::Confirmed) => (Memory::Unseen, None),
        }
    }

    fn decided(&self, event: &Owned<'a>) -> Decided<'a> {
        let account = &event.rule.source;
        let profile = self.world.accounts.get(account).and_then(|view| view.profile.as_ref());
        Decided::about(self.world.memory, &event.rule.name, account, profile)
    }

    fn adopted(&self, event: &Owned<'a>) -> Option<usize> {
        if self.world.memory.decisions.is_empty() {
            return None;
        }
        let decision = self.decided(event).find(Verdict::Adopt, event.entry.activity)?;
        let party = decision.destination.as_ref()?;
        let by_id = self.places.get(&party.id).copied();
        let rows = || 0..self.view.inventory.activities.len();
        let means = |place: &usize| {
            self.activity(*place).is_some_and(|activity| {
                is_party(party, self.destination, self.view.profile.as_ref(), activity)
            })
        };
        by_id.filter(means).or_else(|| rows().find(means))
    }

    fn excluded(&self, event: &Owned<'a>) -> Vec<usize> {
        if self.world.memory.decisions.is_empty() {
            return Vec::new();
        }
        let Some(decision) = self.decided(event).find(Verdict::Distinct, event.entry.activity)
        else {
            return Vec::new();
        };
        let profile = self.view.profile.as_ref();
        let rows = self.view.inventory.activities.iter().enumerate();
        rows.filter(|(_, activity)| {
            let mut parties = decision.candidates.iter();
            parties.any(|party| is_party(party, self.destination, profile, activity))
        })
        .map(|(place, _)| place)
        .collect()
    }

    fn rule(&self, event: &Owned<'a>, memory: &Memory<'a>, outcome: Outcome) -> Ruling<'a> {
        let (source, id) = (&event.rule.source, &event.entry.activity.id);
        if self.world.memory.is_in_flight(source, self.destination, id) {
            return in_sync(None, InSyncReason::Pending);
        }
        match outcome {
            Outcome::Match(place, evidence) => match self.activity(place) {
                Some(found) => self.rule_on_pair(event, memory, found, evidence),
                None => Ruling::Upload(StepReason::MissingAtDestination),
            },
            Outcome::Ambiguous(places) => {
                self.rule_on_lone(event, memory, Some((ConflictReason::Ambiguous, places)))
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
            Memory::Pending(link) => return self.rule_on_pending(link),
            Memory::Nothing | Memory::Adopted | Memory::Linked(_) | Memory::SameEvent => {}
        }
        let references = |places: Vec<usize>| {
            let found = places.iter().filter_map(|place| self.activity(*place));
            found.map(|activity| ActivityRef::of(self.destination, activity)).collect()
        };
        let question = question
            .map(|(reason, places)| (reason, references(places)))
            .or_else(|| event.rivals.clone());
        let distinct =
            || self.decided(event).find(Verdict::Distinct, event.entry.activity).is_some();
        match question {
            Some((reason, candidates)) => self.force(reason, candidates),
            None if distinct() => Ruling::Upload(StepReason::Distinct),
            None if event.entry.activity.unusable == Some(Unusable::SeveralActivities) => {
                Ruling::Conflict(ConflictReason::SeveralActivities, Vec::new())
            }
            None => Ruling::Upload(StepReason::MissingAtDestination),
        }
    }

    fn force(&self, reason: ConflictReason, candidates: Vec<ActivityRef>) -> Ruling<'a> {
        let forced = self.world.options.force == Force::Yes
            && matches!(
                reason,
                ConflictReason::PartialOverlap | ConflictReason::PossibleTimeZoneDuplicate
            );
        if forced {
            Ruling::Upload(StepReason::Forced)
        } else {
            Ruling::Conflict(reason, candidates)
        }
    }

    fn rule_on_pending(&self, link: &Link) -> Ruling<'a> {
        let LinkStatus::Pending { since, full_reads } = link.status else {
            return in_sync(None, InSyncReason::Linked);
        };
        let since = jiff::tz::Offset::UTC.to_datetime(since).date();
        let days = self.world.today.since(since).map(|span| span.get_days()).unwrap_or_default();
        if days >= APPEARS_WITHIN_DAYS && full_reads >= APPEARS_WITHIN_READINGS {
            return Ruling::Conflict(ConflictReason::NeverAppeared, Vec::new());
        }
        in_sync(None, InSyncReason::Pending)
    }

    fn rule_on_pair(
        &self,
        event: &Owned<'a>,
        memory: &Memory<'a>,
        found: &'a Activity,
        evidence: Evidence,
    ) -> Ruling<'a> {
        let forced = self.world.options.force == Force::Yes;
        match (memory, evidence) {
            (Memory::Linked(link), _) => {
                let ours = link.origin == LinkOrigin::Placed;
                if forced && !ours {
                    return self.replace(event, found, StepReason::Forced);
                }
                self.rule_on_link(event, link, found)
            }
            (Memory::Adopted, _) => in_sync(Some(found), InSyncReason::Adopted),
            (Memory::Pending(_), _) => in_sync(Some(found), InSyncReason::Linked),
            _ if forced => self.replace(event, found, StepReason::Forced),
            (_, Evidence::Bytes) => in_sync(Some(found), InSyncReason::SameBytes),
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
                Ruling::Conflict(ConflictReason::ChangedOnBothSides, vec![candidate])
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
        let memory = self.world.memory;
        let source = memory.content(&event.rule.source, event.entry.activity);
        let destination = memory.content(self.destination, found);
        let (Some(source), Some(destination)) = (source, destination) else {
            return Ruling::Compare(found);
        };
        if compare::would_lose(destination, source) {
            let candidate = ActivityRef::of(self.destination, found);
            return Ruling::Conflict(ConflictReason::WouldLoseData, vec![candidate]);
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

fn in_sync(with: Option<&Activity>, reason: InSyncReason) -> Ruling<'_> {
    Ruling::InSync { with, reason, notice: None }
}

fn noticed(with: &Activity, notice: Notice) -> Ruling<'_> {
    Ruling::InSync { with: Some(with), reason: InSyncReason::Linked, notice: Some(notice) }
}
