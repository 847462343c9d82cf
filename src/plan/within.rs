//! Whether a plan of today does nothing but what an approved plan of another day allows.
//!
//! Replaces must be the approved ones exactly, by id and fingerprint on both sides. Uploads remove
//! nothing, so any may pass, as long as they are no more than the limit.

use std::collections::HashMap;

use crate::domain::{AccountName, Address, Fingerprint, RemoteId};

use super::model::{Action, Body, Step};

/// Something that the approved plan does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A replace of which the approved plan knows nothing.
    Unplanned {
        /// The step of today.
        step: Box<Step>,
    },
    /// A replace that was approved otherwise.
    Changed {
        /// The step of today.
        step: Box<Step>,
        /// As it was approved.
        approved: Box<Step>,
        /// In what they differ; at least one.
        parts: Vec<Part>,
    },
    /// More uploads than the limit. Those that were not approved one by one are not allowed.
    TooManyUploads {
        /// Of today.
        planned: u64,
        /// The limit.
        allowed: u64,
        /// Those that the approved plan does not have.
        beyond: Vec<Address>,
    },
}

/// A part of a replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Which activity is sent.
    Source,
    /// What that activity holds.
    SourceContent,
    /// Which activity goes.
    Destination,
    /// What that activity holds.
    DestinationContent,
}

impl Difference {
    /// Whether it speaks against this step.
    fn forbids(&self, step: &Step) -> bool {
        match self {
            Self::Unplanned { step: other } | Self::Changed { step: other, .. } => **other == *step,
            Self::TooManyUploads { beyond, .. } => {
                step.action == Action::Upload && beyond.contains(&step.address)
            }
        }
    }
}

/// Everything in today's plan that the approved one does not allow; nothing if it lies within.
pub fn differences(today: &Body, approved: &Body, max_uploads: Option<u64>) -> Vec<Difference> {
    let known = Approved::of(approved);
    let steps = today.steps.iter().filter(|step| step.action == Action::Replace);
    let replaces = steps.filter_map(|step| known.against(step));
    replaces.chain(too_many(today, &known, max_uploads)).collect()
}

/// The steps of today that no difference speaks against.
pub fn allowed(today: &Body, differences: &[Difference]) -> Vec<Step> {
    let forbidden = |step: &Step| differences.iter().any(|difference| difference.forbids(step));
    today.steps.iter().filter(|step| !forbidden(step)).cloned().collect()
}

type Place<'a> = (&'a AccountName, &'a RemoteId);

/// The approved steps, by what they send and by what they remove.
struct Approved<'a> {
    replaced: HashMap<Place<'a>, &'a Step>,
    replacing: HashMap<(Place<'a>, &'a AccountName), &'a Step>,
    uploads: HashMap<(Place<'a>, &'a AccountName), &'a Fingerprint>,
}

impl<'a> Approved<'a> {
    fn of(body: &'a Body) -> Self {
        let of = |action| body.steps.iter().filter(move |step| step.action == action);
        let replaces = || of(Action::Replace);
        Self {
            replaced: replaces().filter_map(|step| Some((there(step)?, step))).collect(),
            replacing: replaces().map(|step| (way(step), step)).collect(),
            uploads: of(Action::Upload).map(|s| (way(s), &s.source.fingerprint)).collect(),
        }
    }

    fn against(&self, step: &Step) -> Option<Difference> {
        let same = there(step).and_then(|place| self.replaced.get(&place));
        let Some(approved) = same.or_else(|| self.replacing.get(&way(step))) else {
            return Some(Difference::Unplanned { step: Box::new(step.clone()) });
        };
        let parts = parts(step, approved);
        (!parts.is_empty()).then(|| Difference::Changed {
            step: Box::new(step.clone()),
            approved: Box::new(Step::clone(approved)),
            parts,
        })
    }

    fn has_upload(&self, step: &Step) -> bool {
        self.uploads.get(&way(step)).is_some_and(|print| **print == step.source.fingerprint)
    }
}

fn here(step: &Step) -> Place<'_> {
    (&step.source.account, &step.source.id)
}

fn there(step: &Step) -> Option<Place<'_>> {
    Some((&step.destination.account, step.destination.id.as_ref()?))
}

fn way(step: &Step) -> (Place<'_>, &AccountName) {
    (here(step), &step.destination.account)
}

fn parts(today: &Step, approved: &Step) -> Vec<Part> {
    let same_source = here(today) == here(approved);
    let same_destination = there(today) == there(approved);
    let content = today.source.fingerprint == approved.source.fingerprint;
    let old_content = today.destination.fingerprint == approved.destination.fingerprint;
    [
        (!same_source, Part::Source),
        (same_source && !content, Part::SourceContent),
        (!same_destination, Part::Destination),
        (same_destination && !old_content, Part::DestinationContent),
    ]
    .into_iter()
    .filter_map(|(differs, part)| differs.then_some(part))
    .collect()
}

fn too_many(today: &Body, known: &Approved<'_>, most: Option<u64>) -> Option<Difference> {
    let uploads = || today.steps.iter().filter(|step| step.action == Action::Upload);
    let (planned, allowed) = (uploads().count() as u64, most?);
    let beyond = || uploads().filter(|step| !known.has_upload(step));
    (planned > allowed).then(|| Difference::TooManyUploads {
        planned,
        allowed,
        beyond: beyond().map(|step| step.address.clone()).collect(),
    })
}
