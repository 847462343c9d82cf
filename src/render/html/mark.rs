//! What is to be seen at a glance: a shape and a colour, never a colour alone.

use std::fmt;

use crate::event::Phase;
use crate::plan::Action;

use super::super::report::ReportedStep;

/// What matters most comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Question,
    Undone,
    Waiting,
    Replace,
    Upload,
    Done,
    Left,
}

impl Mark {
    pub(super) fn of_action(action: Action) -> Self {
        match action {
            Action::Replace => Self::Replace,
            Action::Upload => Self::Upload,
        }
    }

    pub(super) fn of_step(step: &ReportedStep) -> Self {
        if step.question.is_some() {
            return Self::Question;
        }
        Self::of_phase(step.phase)
    }

    pub(super) fn of_phase(phase: Option<Phase>) -> Self {
        match phase {
            Some(Phase::Confirmed | Phase::Adopted) => Self::Done,
            Some(Phase::Failed | Phase::Restored | Phase::Stale) => Self::Undone,
            Some(
                Phase::Intent
                | Phase::Fetched
                | Phase::BackedUp
                | Phase::Removed
                | Phase::Sent
                | Phase::Pending
                | Phase::Held
                | Phase::Unknown,
            ) => Self::Waiting,
            Some(Phase::Skipped | Phase::NotTried) | None => Self::Left,
        }
    }

    /// One of it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Question => "to decide",
            Self::Undone => "not done",
            Self::Waiting => "waiting",
            Self::Replace => "to replace",
            Self::Upload => "to upload",
            Self::Done => "done",
            Self::Left => "left",
        }
    }
}

/// As templates and style call it.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Question => "question",
            Self::Undone => "undone",
            Self::Waiting => "waiting",
            Self::Replace => "replace",
            Self::Upload => "upload",
            Self::Done => "done",
            Self::Left => "left",
        })
    }
}
