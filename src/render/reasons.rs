//! The closed lists of reasons in whole sentences, and what a person may do next.

use crate::engine::Standing;
use crate::event::Phase;
use crate::plan::{ConflictReason, InSyncReason, Notice, SkipReason, StepReason};

use super::answers::answers;

/// What a person may do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Nothing,
    Apply,
    Diff,
    Decide(ConflictReason),
    Forget,
    Undecide,
    EditRule,
    Inspect,
    PlanAgain,
}

impl Next {
    pub(super) fn words(self, address: &str, standing: &Standing) -> String {
        match self {
            Self::Nothing => "nothing to do".to_owned(),
            Self::Apply => "fit_sync apply".to_owned(),
            Self::Diff => format!("fit_sync diff {address}"),
            Self::Decide(reason) => {
                let Standing { rule, counterparts, .. } = standing;
                answers(reason, address, counterparts, &rule.destination)
            }
            Self::Forget => format!("fit_sync state rm {address}   to have it planned again"),
            Self::Undecide => format!("fit_sync state undecide {address}   to be asked again"),
            Self::EditRule => "change the rule if it should be taken".to_owned(),
            Self::Inspect => "fit_sync inspect FILE tells more about a file".to_owned(),
            Self::PlanAgain => "fit_sync plan   goes on with it".to_owned(),
        }
    }
}

pub(super) fn step(reason: StepReason) -> &'static str {
    match reason {
        StepReason::MissingAtDestination => "nothing at the destination is this recording",
        StepReason::Distinct => "a person said that it is none of those at the destination",
        StepReason::ContentDiffers => {
            "the destination holds the same recording with other content, and the rule replaces"
        }
        StepReason::Forced => "--force takes it although it is there or in question",
    }
}

pub(super) fn in_sync(reason: InSyncReason) -> &'static str {
    match reason {
        InSyncReason::Linked => "an earlier run made or found this pair",
        InSyncReason::SameBytes => "both sides hold the same bytes",
        InSyncReason::SameActivity => "both sides hold the same recording",
        InSyncReason::Adopted => "a person said that both are the same",
        InSyncReason::Pending => "it was sent and is not listed yet; it is not sent again",
    }
}

pub(super) fn after_in_sync(reason: InSyncReason) -> Vec<Next> {
    match reason {
        InSyncReason::SameBytes => vec![Next::Nothing],
        InSyncReason::Linked | InSyncReason::SameActivity => vec![Next::Nothing, Next::Diff],
        InSyncReason::Adopted => vec![Next::Nothing, Next::Undecide],
        InSyncReason::Pending => vec![Next::PlanAgain],
    }
}

/// What an owner may want to know of a pair with nothing to do.
pub fn notice(notice: Notice) -> &'static str {
    match notice {
        Notice::ChangedAtSource => "changed at the source since; the rule does not replace",
        Notice::ChangedAtDestination => "changed at the destination since; it is not overwritten",
        Notice::Unsettled => "placed, or to be replaced, by a step that is not settled; it waits",
    }
}

pub(super) fn skip(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::FilteredType => "the rule's activity types do not take it",
        SkipReason::FilteredDate => "the rule's dates do not take it",
        SkipReason::Filtered => "a filter of the rule does not take it",
        SkipReason::NoOriginal => "the source holds no file for it",
        SkipReason::Unreadable => "its file is broken",
        SkipReason::NotAnActivity => "it is a FIT file of another kind",
        SkipReason::ClockNotSet => "the device did not know the time, so nothing can be matched",
        SkipReason::UnsupportedByDestination => "the destination's platform cannot hold it",
        SkipReason::RejectedByDestination => "the destination refused it for good",
        SkipReason::TooLarge => "it is larger than the destination takes",
        SkipReason::RemovedAtDestination => {
            "it was at the destination and a person removed it; it is never brought back by itself"
        }
        SkipReason::IsOurCopy => "apply brought it here from that very destination",
        SkipReason::CoveredByRule => "another rule owns this event",
        SkipReason::SameBytesInSource => "the source holds the same bytes twice",
        SkipReason::SameRecordingInSource => "the source holds the same recording twice",
        SkipReason::Ignored => "a person said to leave it alone",
        SkipReason::NotCompared => "it is there, and whether its content differs is not known yet",
    }
}

pub(super) fn after_skip(reason: SkipReason) -> Vec<Next> {
    match reason {
        SkipReason::FilteredType | SkipReason::FilteredDate | SkipReason::Filtered => {
            vec![Next::EditRule]
        }
        SkipReason::Unreadable | SkipReason::NotAnActivity => vec![Next::Inspect],
        SkipReason::RejectedByDestination
        | SkipReason::TooLarge
        | SkipReason::RemovedAtDestination => vec![Next::Forget],
        SkipReason::NoOriginal
        | SkipReason::ClockNotSet
        | SkipReason::UnsupportedByDestination
        | SkipReason::IsOurCopy
        | SkipReason::CoveredByRule
        | SkipReason::SameBytesInSource
        | SkipReason::SameRecordingInSource => vec![Next::Nothing],
        SkipReason::Ignored => vec![Next::Undecide],
        SkipReason::NotCompared => vec![Next::PlanAgain, Next::Diff],
    }
}

pub(super) fn conflict(reason: ConflictReason) -> &'static str {
    match reason {
        ConflictReason::Ambiguous => "several at the destination could be it equally well",
        ConflictReason::PossibleTimeZoneDuplicate => {
            "one at the destination is like it but for a shift by quarter hours"
        }
        ConflictReason::Contained => {
            "it is a part of another activity, or that one of it: one of them may be cut"
        }
        ConflictReason::PartialOverlap => "it shares a part of its time with another activity",
        ConflictReason::ChangedOnBothSides => "it was edited here and there since they were paired",
        ConflictReason::WouldLoseData => {
            "the one to be replaced holds something that this one lacks"
        }
        ConflictReason::NeverAppeared => "it was accepted long ago and was never listed",
        ConflictReason::SeveralActivities => "its file holds several activities one after another",
        ConflictReason::RefusedByDestination => {
            "the destination refused it as a duplicate of something of its own"
        }
    }
}

pub(super) fn after_conflict(reason: ConflictReason) -> Vec<Next> {
    match reason {
        ConflictReason::NeverAppeared | ConflictReason::SeveralActivities => {
            vec![Next::Decide(reason)]
        }
        ConflictReason::Ambiguous
        | ConflictReason::PossibleTimeZoneDuplicate
        | ConflictReason::Contained
        | ConflictReason::PartialOverlap
        | ConflictReason::ChangedOnBothSides
        | ConflictReason::RefusedByDestination
        | ConflictReason::WouldLoseData => vec![Next::Decide(reason), Next::Diff],
    }
}

/// What the phase means that a step ended in; empty where the word says it all.
pub(super) fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Intent => "begun, and nothing was done yet",
        Phase::Fetched => "prepared; nothing was sent or removed yet",
        Phase::BackedUp => "a backup was made; the next apply looks what was done since",
        Phase::Removed => "the old activity is in the backups; the next apply goes on",
        Phase::Sent => "the destination has taken it; the next apply looks whether it is there",
        Phase::Confirmed => "",
        Phase::Adopted => "it was there already",
        Phase::Pending => "taken, and not listed yet; the next apply looks again",
        Phase::Restored => "the new one was refused; the old one is back in its place",
        Phase::Held => "the platform makes it wait; the next apply goes on",
        Phase::Failed => "nothing of the activity is lost",
        Phase::Stale => "something changed since the plan; plan again",
        Phase::Skipped => "a reason against it was found",
        Phase::NotTried => "the run ended before it",
        Phase::Unknown => "sent, and the answer is lost; the next apply looks first",
    }
}
