//! What runs have sent and a destination does not list yet: it counts as there.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::{AccountName, Activity, Link, LinkStatus, RemoteId, Side, Unusable, Verdict};

use super::choice::Score;
use super::decide::{Judge, Ruling, in_sync};
use super::owners::Owned;
use super::question::Question;
use super::reason::{ConflictReason, InSyncReason, StepReason};
use super::recall::Memory;
use super::world::World;

/// An activity that was sent, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Underway {
    /// The account that it came from.
    pub account: AccountName,
    /// Its source's id there.
    pub source: RemoteId,
    /// What was sent, as it will be listed.
    pub activity: Activity,
    /// Since when it should have been listed, so that a person must look; `None` while it may be late.
    pub overdue_since: Option<Timestamp>,
}

impl<'a> Judge<'a> {
    /// Everything that is under way to this destination.
    pub(super) fn find_underway(&self) -> Vec<Underway> {
        let memory = self.world.memory;
        let mut underway = memory.underway.get(self.destination).cloned().unwrap_or_default();
        let into = memory.links.iter().filter(|((_, to), _)| to == self.destination);
        for ((from, _), links) in into {
            let unlisted = links.iter().filter(|link| {
                matches!(link.status, LinkStatus::Pending { .. }) && self.place(link).is_none()
            });
            underway.extend(unlisted.map(|link| of_link(from, link, self.world.today)));
        }
        underway
    }
}

impl<'a> Judge<'a> {
    /// An event that is on its way already, as it seems.
    pub(super) fn rule_on_underway(
        &self,
        event: &Owned<'a>,
        memory: &Memory<'a>,
        one: &Underway,
    ) -> Ruling<'a> {
        match (memory, one.overdue_since) {
            (Memory::Pending(link), _) => self.rule_on_pending(event, link),
            (_, None) => in_sync(None, InSyncReason::Pending),
            (_, Some(since)) => self.rule_on_overdue(event, since),
        }
    }

    pub(super) fn rule_on_pending(&self, event: &Owned<'a>, link: &Link) -> Ruling<'a> {
        let LinkStatus::Pending { since, .. } = link.status else {
            return in_sync(None, InSyncReason::Linked);
        };
        if !link.status.never_appeared(self.world.today) {
            return in_sync(None, InSyncReason::Pending);
        }
        self.rule_on_overdue(event, since)
    }

    /// What was sent long ago and is not listed is sent again by a person's word only: a word about
    /// this upload, not one about an earlier.
    fn rule_on_overdue(&self, event: &Owned<'a>, since: Timestamp) -> Ruling<'a> {
        match self.decision(event, Verdict::Distinct) {
            Some(decision) if decision.at > since => Ruling::Upload(StepReason::Distinct),
            Some(_) | None => {
                Ruling::Conflict(Question::of(ConflictReason::NeverAppeared, Vec::new()))
            }
        }
    }
}

/// What is under way, and which of it has a source that is there still.
pub(super) struct Traffic<'u> {
    underway: &'u [Underway],
    sources: HashSet<(&'u AccountName, &'u RemoteId)>,
    by_start: HashMap<Timestamp, Vec<&'u Underway>>,
    /// How many activities stand before it among those of the destination.
    listed: usize,
}

impl<'u> Traffic<'u> {
    pub(super) fn of(underway: &'u [Underway], world: &'u World<'_>, listed: usize) -> Self {
        let accounts: HashSet<&AccountName> = underway.iter().map(|one| &one.account).collect();
        let views = accounts.into_iter().filter_map(|name| Some((name, world.accounts.get(name)?)));
        let sources = views.flat_map(|(name, view)| {
            view.inventory.activities.iter().map(move |activity| (name, &activity.id))
        });
        let mut by_start: HashMap<Timestamp, Vec<&Underway>> = HashMap::new();
        for one in underway {
            by_start.entry(one.activity.start.unwrap_or_default()).or_default().push(one);
        }
        Self { underway, sources: sources.collect(), by_start, listed }
    }

    /// What stands at a place behind everything that is listed.
    pub(super) fn at(&self, place: usize) -> Option<&'u Underway> {
        self.underway.get(place.checked_sub(self.listed)?)
    }

    /// What may be an event, whatever is listed: no list tells its device.
    pub(super) fn like(&self, event: &Owned<'_>) -> Option<&'u Underway> {
        let activity = event.entry.activity;
        let of_start = self.by_start.get(&activity.start?)?.iter().copied();
        let mut others = of_start.filter(|one| !self.is_sibling(one, event));
        others.find(|one| Score::of_same_start(activity, &one.activity).is_some())
    }

    /// The places of what came from an event's own source and has a source there: all recordings of
    /// one account are wanted. What a gone one has left on its way may be the event itself.
    pub(super) fn siblings(&self, event: &Owned<'_>) -> impl Iterator<Item = usize> {
        let places = self.underway.iter().enumerate();
        let siblings = places.filter(|(_, one)| self.is_sibling(one, event));
        siblings.map(|(place, _)| self.listed + place)
    }

    fn is_sibling(&self, one: &Underway, event: &Owned<'_>) -> bool {
        one.account == event.rule.source && self.sources.contains(&(&one.account, &one.source))
    }
}

fn of_link(from: &AccountName, link: &Link, today: Date) -> Underway {
    let side = link.destination.as_ref().unwrap_or(&link.source);
    let overdue_since = match link.status {
        LinkStatus::Pending { since, .. } if link.status.never_appeared(today) => Some(since),
        LinkStatus::Pending { .. } | LinkStatus::Confirmed => None,
    };
    Underway {
        overdue_since,
        account: from.clone(),
        source: link.source.id.clone(),
        activity: activity(side),
    }
}

fn activity(side: &Side) -> Activity {
    Activity {
        start: side.start,
        elapsed_s: side.elapsed_s,
        kind: side.kind.clone(),
        distance_m: side.distance_m,
        sha256: side.sha256.clone(),
        unusable: None,
        ..Activity::unusable(side.id.clone(), side.fingerprint.clone(), Unusable::NoOriginal)
    }
}
