//! What a person must decide about one activity.

use super::context::ActivityRef;
use super::model::Change;
use super::reason::ConflictReason;

/// A question, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) reason: ConflictReason,
    /// What it could be, best first.
    pub(super) candidates: Vec<ActivityRef>,
    /// What the one at the destination has and would lose.
    pub(super) loses: Vec<String>,
    /// In what the listed activity and its file differ.
    pub(super) changes: Vec<Change>,
}

impl Question {
    pub(super) fn of(reason: ConflictReason, candidates: Vec<ActivityRef>) -> Self {
        Self { reason, candidates, loses: Vec::new(), changes: Vec::new() }
    }

    pub(super) fn losing(candidate: ActivityRef, loses: Vec<String>) -> Self {
        Self { loses, ..Self::of(ConflictReason::WouldLoseData, vec![candidate]) }
    }
}
