//! The steps of a plan, from what they are about.

use crate::domain::{Activity, neutralise};
use crate::manifest::Rule;

use super::model::{Action, Change, DestinationRef, Protocol, SourceRef, Step, StepKey};
use super::reason::StepReason;
use super::select::Entry;
use super::world::AccountView;

pub(super) fn upload(rule: &Rule, entry: &Entry<'_>, reason: StepReason) -> Step {
    step(rule, entry, Action::Upload, reason)
}

pub(super) fn replace(
    view: &AccountView<'_>,
    rule: &Rule,
    entry: &Entry<'_>,
    old: &Activity,
    reason: StepReason,
    changes: Vec<Change>,
) -> Step {
    let capabilities = &view.capabilities;
    let protocol = Protocol::from(capabilities.replace);
    Step {
        protocol: Some(protocol),
        destination: DestinationRef {
            account: rule.destination.clone(),
            id: Some(old.id.clone()),
            fingerprint: Some(old.fingerprint.clone()),
        },
        changes,
        loses: capabilities.loses_on_replace.iter().map(|&loss| loss.to_owned()).collect(),
        ..step(rule, entry, Action::Replace, reason)
    }
}

fn step(rule: &Rule, entry: &Entry<'_>, action: Action, reason: StepReason) -> Step {
    let activity = entry.activity;
    Step {
        address: entry.address.clone(),
        rule: rule.name.clone(),
        action,
        reason,
        protocol: None,
        key: StepKey {
            start: activity.start.unwrap_or_default(),
            elapsed_s: activity.elapsed_s,
            kind: activity.kind.clone(),
        },
        source: SourceRef {
            account: rule.source.clone(),
            id: activity.id.clone(),
            fingerprint: activity.fingerprint.clone(),
            title: activity.title.as_deref().map(neutralise),
            distance_m: activity.distance_m,
        },
        destination: DestinationRef {
            account: rule.destination.clone(),
            id: None,
            fingerprint: None,
        },
        changes: Vec::new(),
        loses: Vec::new(),
    }
}
