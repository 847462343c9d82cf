//! Which activities a rule wants, and why it leaves the others alone.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use jiff::tz::Offset;

use crate::domain::{
    Activity, Address, Inventory, Refusal, RefusalReason, RemoteId, Sha256, Unusable, Verdict,
};
use crate::manifest::{Filter, Located, Rule};

use super::copies::Copies;
use super::reason::SkipReason;
use super::world::{AccountView, Decided, World};

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
        match sieve.reason_against(entry.activity, twin) {
            Some((reason, detail)) => selected.skipped.push((entry, reason, detail)),
            None => {
                seen.extend(entry.activity.sha256.as_ref());
                selected.wanted.push(entry);
            }
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

type Reason = (SkipReason, Option<String>);

struct Sieve<'a> {
    rule: &'a Rule,
    today: Date,
    decided: Decided<'a>,
    refusals: HashMap<&'a RemoteId, &'a Refusal>,
    copies: Copies<'a>,
}

impl<'a> Sieve<'a> {
    fn new(world: &'a World<'a>, rule: &'a Rule, source: &'a AccountView<'a>) -> Self {
        let memory = world.memory;
        let refusals = memory.refusals_between(&rule.source, &rule.destination).iter();
        Self {
            rule,
            today: world.today,
            decided: Decided::about(memory, &rule.name, &rule.source, source.profile.as_ref()),
            refusals: refusals.map(|refusal| (&refusal.id, refusal)).collect(),
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

    fn refused(&self, activity: &Activity) -> Option<Reason> {
        let refusal = self.refusals.get(&activity.id)?;
        let reason = match refusal.reason {
            RefusalReason::NoOriginal => SkipReason::NoOriginal,
            RefusalReason::Unreadable => SkipReason::Unreadable,
            RefusalReason::RejectedByDestination => SkipReason::RejectedByDestination,
            RefusalReason::TooLarge => SkipReason::TooLarge,
        };
        let detail = Some(refusal.detail.clone()).filter(|detail| !detail.is_empty());
        (refusal.fingerprint == activity.fingerprint).then_some((reason, detail))
    }

    fn filtered(&self, activity: &Activity) -> Option<Reason> {
        let filter = &self.rule.filter;
        by_type(filter, activity)
            .map(|line| (SkipReason::FilteredType, line))
            .or_else(|| {
                by_date(filter, activity, self.today).map(|line| (SkipReason::FilteredDate, line))
            })
            .or_else(|| by_facts(filter, activity).map(|line| (SkipReason::Filtered, line)))
            .map(|(reason, line)| (reason, line.map(|line| format!("line {line} of the manifest"))))
    }
}

fn unusable(unusable: &Unusable) -> Option<Reason> {
    match unusable {
        Unusable::NoOriginal => Some((SkipReason::NoOriginal, None)),
        Unusable::Unreadable { detail } => Some((SkipReason::Unreadable, Some(detail.clone()))),
        Unusable::NotAnActivity { detail } => {
            Some((SkipReason::NotAnActivity, Some(detail.clone())))
        }
        Unusable::ClockNotSet => Some((SkipReason::ClockNotSet, None)),
        // A question, and only if it were to be uploaded.
        Unusable::SeveralActivities => None,
    }
}

/// The manifest's line of the filter that speaks against an activity.
type Line = Option<usize>;

fn against<T>(filter: Option<&Located<T>>, passes: impl Fn(&T) -> bool) -> Option<Line> {
    let filter = filter?;
    (!passes(&filter.value)).then_some(filter.line)
}

fn by_type(filter: &Filter, activity: &Activity) -> Option<Line> {
    against(filter.types.as_ref(), |types| types.iter().any(|kind| kind.includes(&activity.kind)))
        .or_else(|| {
            against(filter.exclude_types.as_ref(), |types| {
                !types.iter().any(|kind| kind.includes(&activity.kind))
            })
        })
}

fn by_date(filter: &Filter, activity: &Activity, today: Date) -> Option<Line> {
    let day = local_day(activity)?;
    against(filter.start_date.as_ref(), |bound| bound.on(today) <= day)
        .or_else(|| against(filter.end_date.as_ref(), |bound| day <= bound.on(today)))
}

/// The activity's own calendar day: in its local time where that is known, else in UTC.
fn local_day(activity: &Activity) -> Option<Date> {
    let offset = activity.local_offset_s.and_then(|seconds| Offset::from_seconds(seconds).ok());
    Some(offset.unwrap_or(Offset::UTC).to_datetime(activity.start?).date())
}

fn by_facts(filter: &Filter, activity: &Activity) -> Option<Line> {
    let title = activity.title.as_deref().unwrap_or_default();
    let device = activity.device.as_deref().unwrap_or_default();
    let duration = activity.elapsed_s.or(activity.timer_s);
    let least = |bound: Option<&Located<u32>>, fact: Option<u32>| {
        against(bound, |least| fact.is_some_and(|fact| fact >= *least))
    };
    let most = |bound: Option<&Located<u32>>, fact: Option<u32>| {
        against(bound, |most| fact.is_none_or(|fact| fact <= *most))
    };
    against(filter.ids.as_ref(), |ids| ids.contains(&activity.id))
        .or_else(|| against(filter.title.as_ref(), |pattern| pattern.is_match(title)))
        .or_else(|| against(filter.device.as_ref(), |pattern| pattern.is_match(device)))
        .or_else(|| least(filter.min_distance_m.as_ref(), activity.distance_m))
        .or_else(|| most(filter.max_distance_m.as_ref(), activity.distance_m))
        .or_else(|| least(filter.min_duration_s.as_ref(), duration))
        .or_else(|| most(filter.max_duration_s.as_ref(), duration))
}
