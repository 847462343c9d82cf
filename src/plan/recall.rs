//! What is remembered of an event: by the links of earlier runs and by people's decisions.

use crate::domain::{
    AccountName, Activity, Decision, Link, LinkOrigin, LinkStatus, Party, Verdict,
};
use crate::manifest::ConflictStrategy;

use super::decide::Judge;
use super::links::Links;
use super::matching::Fixed;
use super::owners::Owned;
use super::world::{Force, is_of, is_party};

/// How a link stands to the destination's inventory.
#[derive(Clone, Copy)]
pub(super) enum Memory<'a> {
    Nothing,
    /// A person said that this is it.
    Adopted(usize),
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

/// The links between a source and this destination, by the source's side.
pub(super) struct Known<'a> {
    pub(super) there: Links<'a>,
    /// Those of rules the other way.
    pub(super) back: Links<'a>,
}

impl<'a> Judge<'a> {
    /// Where the counterpart of an activity stands, by a link of either direction.
    pub(super) fn linked_place(&self, account: &AccountName, activity: &Activity) -> Option<usize> {
        let known = self.links.get(account)?;
        let there = known.there.find(activity).and_then(|link| self.place(link));
        there.or_else(|| self.places.find(&known.back.find(activity)?.source))
    }

    /// Where a link's destination stands now.
    pub(super) fn place(&self, link: &Link) -> Option<usize> {
        self.places.find(link.destination.as_ref()?)
    }

    /// What is remembered of an event: of its own recording, else of one that it covers, unless a
    /// person said that it is not so.
    pub(super) fn remember(
        &self,
        event: &Owned<'a>,
        excluded: &[usize],
    ) -> (Memory<'a>, Option<Fixed>) {
        let activity = event.entry.activity;
        if let Some(place) = self.adopted(event) {
            return (Memory::Adopted(place), Some(Fixed::Sure(place)));
        }
        let recall = |account: &AccountName, activity: &Activity| {
            let recalled = self.recall_of(account, activity)?;
            let told_apart = recalled.1.is_some_and(|fixed| excluded.contains(&fixed.place()));
            (!told_apart).then_some(recalled)
        };
        let mut own = recall(&event.rule.source, activity);
        if let Some((memory, fixed)) = own.take_if(|(_, fixed)| fixed.is_some()) {
            return (memory, fixed.map(|fixed| self.doubted(event, &memory, fixed)));
        }
        let mut others: Vec<(Memory<'a>, Option<Fixed>)> =
            event.covers.iter().filter_map(|(account, other)| recall(account, other)).collect();
        if let Some(fixed) = others.iter().find_map(|(_, fixed)| *fixed) {
            let memory = Memory::SameEvent;
            return (memory, Some(self.doubted(event, &memory, fixed)));
        }
        let other = (!others.is_empty()).then(|| others.swap_remove(0));
        own.or(other).unwrap_or((Memory::Nothing, None))
    }

    /// What would be replaced is fixed only as long as nothing else looks like it, unless apply put it
    /// there for this very activity.
    fn doubted(&self, event: &Owned<'a>, memory: &Memory<'a>, fixed: Fixed) -> Fixed {
        let is_forced = self.world.options.force == Force::Yes;
        let replaces = is_forced || event.rule.strategy == ConflictStrategy::ReplaceExisting;
        let stays = |link: &Link| !is_forced && !link.source.changed(event.entry.activity);
        let is_sure = match memory {
            Memory::Linked(link) => link.origin != LinkOrigin::Found || stays(link),
            _ => false,
        };
        match fixed {
            Fixed::Sure(place) if replaces && !is_sure => Fixed::Found(place),
            fixed => fixed,
        }
    }

    /// What the links of either direction say of an activity of a source.
    fn recall_of(
        &self,
        account: &AccountName,
        activity: &Activity,
    ) -> Option<(Memory<'a>, Option<Fixed>)> {
        let there = &self.links.get(account)?.there;
        if let Some(link) = there.find(activity) {
            return Some(self.recall(link, Fixed::Sure));
        }
        if let Some(place) = self.linked_place(account, activity) {
            return Some((Memory::SameEvent, Some(Fixed::Sure(place))));
        }
        there.find_moved(activity).map(|link| self.recall(link, Fixed::Moved))
    }

    fn recall(
        &self,
        link: &'a Link,
        fixed: impl Fn(usize) -> Fixed,
    ) -> (Memory<'a>, Option<Fixed>) {
        let moved = || self.places.find_moved(link.destination.as_ref()?).map(Fixed::Moved);
        match (self.place(link).map(fixed).or_else(moved), link.status) {
            (Some(found), _) => (Memory::Linked(link), Some(found)),
            (None, LinkStatus::Pending { .. }) => (Memory::Pending(link), None),
            (None, LinkStatus::Confirmed) if self.proves_absence(link) => (Memory::Removed, None),
            (None, LinkStatus::Confirmed) => (Memory::Unseen, None),
        }
    }

    /// Whether the inventory would show a link's destination if it were there.
    fn proves_absence(&self, link: &Link) -> bool {
        let start = link.destination.as_ref().and_then(|side| side.start);
        self.view.inventory.complete && !self.unopened.hides(start)
    }

    pub(super) fn decision(&self, event: &Owned<'a>, verdict: Verdict) -> Option<&'a Decision> {
        self.decided.get(&event.rule.name)?.find(verdict, event.entry.activity)
    }

    fn adopted(&self, event: &Owned<'a>) -> Option<usize> {
        let decision = self.decision(event, Verdict::Adopt)?;
        let party = decision.destination.as_ref()?;
        self.meant(party).next().or_else(|| self.came_back(party))
    }

    /// What was put back has another id on some platforms: the only one that looks the same, where
    /// nothing has the id any more.
    fn came_back(&self, party: &'a Party) -> Option<usize> {
        let profile = self.view.profile.as_ref();
        if !is_of(party, self.destination, profile)
            || self.view.inventory.activities.iter().any(|found| found.id == party.id)
        {
            return None;
        }
        match self.by_fingerprint.get(&party.fingerprint)?.as_slice() {
            [place] => Some(*place),
            _ => None,
        }
    }

    pub(super) fn excluded(&self, event: &Owned<'a>) -> Vec<usize> {
        let decision = self.decision(event, Verdict::Distinct);
        let candidates = decision.iter().flat_map(|decision| &decision.candidates);
        candidates.flat_map(|party| self.meant(party)).collect()
    }

    /// The destination's activities that a decision means by one of its parties.
    fn meant(&self, party: &'a Party) -> impl Iterator<Item = usize> {
        let places = self.by_fingerprint.get(&party.fingerprint).into_iter().flatten().copied();
        let profile = self.view.profile.as_ref();
        let means = move |place: &usize| {
            let activity = self.activity(*place);
            activity.is_some_and(|found| is_party(party, self.destination, profile, found))
        };
        places.filter(means)
    }
}
