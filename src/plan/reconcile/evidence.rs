//! What there is to be seen of a step at one moment. Read, never remembered.

use crate::domain::RemoteId;
use crate::plan::reason::ConflictReason;

use super::entry::{Cause, Outcome};
use super::why::Why;

/// What is seen of a step and its accounts. Values only: looking changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What the reading of the destination's days around the step is worth.
    pub days: Days,
    /// What the step put there.
    pub arrival: Option<RemoteId>,
    /// The other one that the step has sent, before it turned round or back.
    pub earlier: Option<RemoteId>,
    /// Whether more people than allowed see the activity whose id is known.
    pub visibility: Visibility,
    /// Whether that activity's bytes were compared in vain, and why.
    pub unverified: Option<Why>,
    /// Whether its details could not be set, and why.
    pub undetailed: Option<Why>,
    /// Whether details of the old one are due.
    pub details_due: bool,
    /// What else is at the destination.
    pub there: There,
    /// The activity to be replaced.
    pub old: Old,
    /// The activity to be sent.
    pub source: Source,
    /// Whether a plan would send it again: a rule takes what the source lists.
    pub is_wanted: bool,
    /// The activity that the destination named as the duplicate.
    pub named: Named,
    /// Whether the bytes to be sent are at hand: for what removes something, on the disk.
    pub bytes: bool,
    /// Whether the time is over that the destination may need to show what it took, or to forget what
    /// was removed.
    pub settled: bool,
    /// Whether enough of that time is over to ask once more.
    pub paused: bool,
    /// Whether what was sent should have been listed a week ago.
    pub overdue: bool,
    /// Whether it was sent in this run.
    pub sent_now: bool,
    /// Whether the old one's removal was asked for in this run.
    pub asked_now: bool,
    /// Whether the destination refused it on an earlier day, too.
    pub refused_before: bool,
    /// Why this run asks nothing more for this step.
    pub given_up: Option<GivenUp>,
    /// Whether somebody wants the run to end.
    pub stopped: bool,
}

/// Why a run asks nothing more for a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenUp {
    /// How the step ends if nothing was sent or removed for it.
    pub outcome: Outcome,
    /// Why.
    pub why: Why,
    /// What kind of failure.
    pub cause: Option<Cause>,
}

/// What a reading of the destination's days is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Days {
    /// There is none of this run that is young enough, or none since the last send.
    Due,
    /// They cannot be read now.
    Unread(String, Cause),
    /// Rows may be missing: absence proves nothing.
    Incomplete,
    /// Every row, at most ten minutes ago and since the last send.
    Complete,
}

/// Who sees the activity whose id is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// More than may, for all that is known.
    TooWide,
    /// It could not be hidden in this run.
    Stuck(String),
    /// The platform does not know the id yet.
    NotYet,
}

/// What else is at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum There {
    /// Nothing that matters.
    Nothing,
    /// This recording, and it is no other's counterpart.
    Same(RemoteId),
    /// Something that a person must look at.
    Question(ConflictReason),
}

/// The activity to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Old {
    /// There, as planned.
    AsPlanned,
    /// There, but changed.
    Changed,
    /// Not there, in a complete reading.
    Gone,
    /// Not known.
    Unknown,
}

/// The activity to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// As planned.
    AsPlanned,
    /// Listed otherwise.
    Changed,
    /// Not listed any more.
    Gone,
}

/// The activity that a destination named as the duplicate of what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Nothing was looked at yet.
    Unasked,
    /// This recording, and it is no other's counterpart.
    Same(RemoteId),
    /// This recording in another version; for what is put back also another one of its very time.
    Version(RemoteId),
    /// Another activity, or somebody's counterpart.
    Other,
    /// None that is there: what was deleted still stands in the way.
    Gone,
    /// One that is there and is not listed yet.
    Unlisted,
    /// It cannot be seen.
    Unclear,
}
