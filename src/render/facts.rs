//! What every row about an activity tells.

use jiff::Timestamp;

use crate::domain::{AccountName, RemoteId};
use crate::plan::{ActivityRef, Step};

pub(super) struct Facts<'a> {
    pub(super) account: &'a AccountName,
    pub(super) id: &'a RemoteId,
    pub(super) start: Option<Timestamp>,
    pub(super) kind: &'a str,
    pub(super) distance_m: Option<u32>,
    pub(super) elapsed_s: Option<u32>,
    pub(super) title: Option<&'a str>,
}

impl<'a> Facts<'a> {
    pub(super) fn of_ref(activity: &'a ActivityRef) -> Self {
        Self {
            account: &activity.account,
            id: &activity.id,
            start: activity.start,
            kind: activity.kind.as_str(),
            distance_m: activity.distance_m,
            elapsed_s: activity.elapsed_s,
            title: activity.title.as_deref(),
        }
    }

    pub(super) fn of_step(step: &'a Step) -> Self {
        Self {
            account: &step.source.account,
            id: &step.source.id,
            start: Some(step.key.start),
            kind: step.key.kind.as_str(),
            distance_m: step.source.distance_m,
            elapsed_s: step.key.elapsed_s,
            title: step.source.title.as_deref(),
        }
    }
}
