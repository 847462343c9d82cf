//! Which activities a rule wants, and why it leaves the others alone.

use std::collections::HashSet;

use jiff::civil::Date;

use crate::domain::{
    Activity, Address, Inventory, RefusalStanding, RemoteId, RuleName, Sha256, Unusable, Verdict,
};
use crate::manifest::Rule;

use super::copies::Copies;
use super::filter;
use super::reason::SkipReason;
use super::world::{AccountView, Decided, Memory, RetryRefused, World};

/// An activity of a rule's source under its address.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) address: Address,
    pub(super) activity: &'a Activity,
}

/// A rule's source, sorted into what is wanted and what is not.
#[derive(Debug, Default)]
pub(super) struct Selected<'a> {
    pub(super) wanted: Vec<Entry<'a>>,
    pub(super) skipped: Vec<(Entry<'a>, SkipReason, Option<String>)>,
}

/// Sorts the activities of a rule's source.
pub(super) fn select<'a>(
    world: &'a World<'a>,
    rule: &'a Rule,
    source: &'a AccountView<'a>,
) -> Selected<'a> {
    let sieve = Sieve::new(world, rule, source);
    let mut selected = Selected::default();
    let mut seen: HashSet<&Sha256> = HashSet::new();
    for entry in entries(rule, source.inventory) {
        let twin = entry.activity.sha256.as_ref().is_some_and(|sha256| seen.contains(sha256));
        let against = sieve.reason_against(entry.activity, twin);
        // What was refused is refused under every id.
        if against.is_none() || sieve.is_refused(entry.activity) {
            seen.extend(entry.activity.sha256.as_ref());
        }
        match against {
            Some((reason, detail)) => selected.skipped.push((entry, reason, detail)),
            None => selected.wanted.push(entry),
        }
    }
    selected
}

/// Gives every activity of a source its address; equal starts are counted in order of id.
pub(super) fn entries<'a>(rule: &Rule, inventory: &'a Inventory) -> Vec<Entry<'a>> {
    let activities = &inventory.activities;
    let mut entries = Vec::with_capacity(activities.len());
    for group in activities.chunk_by(|a, b| a.start.is_some() && a.start == b.start) {
        for (place, activity) in group.iter().enumerate() {
            let address = match activity.start {
                Some(start) => Address::of_start(&rule.name, start, place + 1),
                None => Address::of_id(&rule.name, &activity.id),
            };
            entries.push(Entry { address, activity });
        }
    }
    entries
}

/// The activity that an address means today.
pub fn activity_at<'a>(
    rule: &Rule,
    inventory: &'a Inventory,
    address: &Address,
) -> Option<&'a Activity> {
    let found = entries(rule, inventory).into_iter().find(|entry| entry.address == *address);
    found.map(|entry| entry.activity)
}

/// The address that an activity of a rule's source has today.
pub fn address_of(rule: &RuleName, inventory: &Inventory, activity: &Activity) -> Address {
    let Some(start) = activity.start else { return Address::of_id(rule, &activity.id) };
    let mut same = inventory.activities.iter().filter(|row| row.start == activity.start);
    let place = same.position(|row| row.id == activity.id).unwrap_or_default();
    Address::of_start(rule, start, place + 1)
}

type Reason = (SkipReason, Option<String>);

struct Sieve<'a> {
    rule: &'a Rule,
    inventory: &'a Inventory,
    today: Date,
    decided: Decided<'a>,
    memory: &'a Memory,
    approved: Option<&'a HashSet<RemoteId>>,
    retry: RetryRefused,
    copies: Copies<'a>,
}

impl<'a> Sieve<'a> {
    fn new(world: &'a World<'a>, rule: &'a Rule, source: &'a AccountView<'a>) -> Self {
        let memory = world.memory;
        Self {
            rule,
            inventory: source.inventory,
            today: world.today,
            decided: Decided::about(memory, &rule.name, &rule.source, source.profile.as_ref()),
            memory,
            approved: world.options.approved.get(&rule.name),
            retry: world.options.refused,
            copies: Copies::of(memory, &rule.destination),
        }
    }

    fn reason_against(&self, activity: &Activity, twin: bool) -> Option<Reason> {
        if let Some(reason) = activity.unusable.as_ref().and_then(unusable) {
            return Some(reason);
        }
        if activity.start.is_none() {
            return Some((SkipReason::ClockNotSet, None));
        }
        if twin {
            return Some((SkipReason::SameBytesInSource, None));
        }
        if self.decided.find(Verdict::Ignore, activity).is_some() {
            return Some((SkipReason::Ignored, None));
        }
        if self.copies.contains(&self.rule.source, activity) {
            return Some((SkipReason::IsOurCopy, None));
        }
        self.filtered(activity).or_else(|| self.refused(activity))
    }

    fn is_refused(&self, activity: &Activity) -> bool {
        self.filtered(activity).is_none() && self.refused(activity).is_some()
    }

    /// What was refused is left alone until its next date.
    fn refused(&self, activity: &Activity) -> Option<Reason> {
        let Rule { source, destination, .. } = self.rule;
        let refusal = self.memory.last_refusal(source, destination, &activity.id)?;
        let is_tried = self.retry == RetryRefused::Now
            || refusal.standing(self.today) == RefusalStanding::Due
            || refusal.fingerprint != activity.fingerprint;
        if is_tried {
            return None;
        }
        // That one is a question, and only if it were to be uploaded.
        if refusal.is_question() {
            return None;
        }
        if refusal.is_twin() && !self.stands_for(refusal.candidate.as_ref(), activity) {
            return None;
        }
        let reason = SkipReason::from(refusal.reason);
        let detail = Some(refusal.detail.clone()).filter(|detail| !detail.is_empty());
        Some((reason, detail))
    }

    /// Whether the twin for which an activity was left out is there still, and wanted.
    fn stands_for(&self, twin: Option<&RemoteId>, activity: &Activity) -> bool {
        let is_it = |row: &&Activity| Some(&row.id) == twin && row.is_listed_as(activity);
        self.inventory.activities.iter().find(is_it).is_some_and(|twin| {
            self.decided.find(Verdict::Ignore, twin).is_none() && self.filtered(twin).is_none()
        })
    }

    fn filtered(&self, activity: &Activity) -> Option<Reason> {
        if self.approved.is_some_and(|ids| ids.contains(&activity.id)) {
            return None;
        }
        let (reason, line) = filter::objection(&self.rule.filter, activity, self.today)?;
        Some((reason, line.map(|line| format!("line {line} of the manifest"))))
    }
}

fn unusable(unusable: &Unusable) -> Option<Reason> {
    match unusable {
        Unusable::NoOriginal => Some((SkipReason::NoOriginal, None)),
        Unusable::Unreadable { detail } | Unusable::Unopened { detail } => {
            Some((SkipReason::Unreadable, Some(detail.clone())))
        }
        Unusable::NotAnActivity { detail } => {
            Some((SkipReason::NotAnActivity, Some(detail.clone())))
        }
        Unusable::ClockNotSet => Some((SkipReason::ClockNotSet, None)),
        // A question, and only if it were to be uploaded.
        Unusable::SeveralActivities => None,
    }
}
