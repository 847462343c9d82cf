//! What the journal of a step can hold: one entry for each thing that was done or learned.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Activity, ActivityType, Fingerprint, Key, RefusalReason, RemoteId, Sha256, Side,
};
use crate::event::Phase;
use crate::plan::context::BlockedReason;
use crate::plan::model::{Change, Step};
use crate::plan::reason::{ConflictReason, SkipReason};

use super::why::Why;

/// One entry of a step's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// What the step is about.
    Intended {
        /// As planned.
        step: Box<Step>,
        /// Ids near its start that the destination listed before anything was sent.
        known: Vec<RemoteId>,
    },
    /// The bytes to be sent are here and verified.
    Fetched {
        /// What they are.
        payload: Payload,
    },
    /// The old activity's bytes and details are safe and were read back.
    BackedUp {
        /// Id of the backup.
        backup: String,
        /// Only its athlete could see it.
        private: bool,
    },
    /// The old activity is about to be removed.
    Removing {
        /// Its id.
        old: RemoteId,
    },
    /// The old activity is gone.
    Removed {
        /// Its id.
        old: RemoteId,
    },
    /// The bytes are about to be sent.
    Sending,
    /// The destination took them.
    Sent {
        /// Under this id, if it said so.
        id: Option<RemoteId>,
    },
    /// Sent, answer lost.
    Unanswered {
        /// What is known.
        message: String,
    },
    /// The destination answered that it holds them already.
    Duplicate {
        /// As this activity, if it said so.
        existing: Option<RemoteId>,
    },
    /// The destination refused the bytes for good.
    Refused {
        /// What kind of refusal.
        reason: RefusalReason,
        /// In the platform's words.
        message: String,
    },
    /// The destination took nothing: not reached, asked to wait, or no session.
    NotSent {
        /// Why.
        message: String,
    },
    /// The destination lists what was sent.
    Seen {
        /// Under this id.
        id: RemoteId,
    },
    /// A look showed that only the athlete sees it.
    Hidden {
        /// Its id.
        id: RemoteId,
    },
    /// It holds what was sent.
    Verified {
        /// Its id.
        id: RemoteId,
        /// What the platform computed again.
        recomputed: Vec<Change>,
    },
    /// It has the old one's title and other details.
    Detailed {
        /// Its id.
        id: RemoteId,
        /// Why some of them are in the backup only.
        lacking: Option<String>,
    },
    /// The new one will not come; the old one is put back from here on.
    TurnedRound {
        /// Why.
        reason: RefusalReason,
        /// For people.
        message: String,
        /// The question that stands in the new one's way, if it is one.
        question: Option<ConflictReason>,
    },
    /// What was sent before it turned round has shown itself: the old one stays away.
    TurnedBack,
    /// The step is over, or rests until the next run.
    Ended {
        /// How.
        outcome: Outcome,
        /// Why.
        why: Why,
        /// What kind of failure ended it, if one did.
        cause: Option<Cause>,
    },
}

impl Entry {
    /// What the step is about, if this tells so.
    pub fn step(&self) -> Option<&Step> {
        match self {
            Self::Intended { step, .. } => Some(step),
            _ => None,
        }
    }

    /// Whether both tell of the same kind of thing.
    pub fn is_alike(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The backup that this tells of.
    pub fn backup(&self) -> Option<&str> {
        match self {
            Self::BackedUp { backup, .. } => Some(backup),
            _ => None,
        }
    }

    /// The phase that people see when this is written; `None` for what is only bookkeeping.
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Intended { .. } => Some(Phase::Intent),
            Self::Fetched { .. } => Some(Phase::Fetched),
            Self::BackedUp { .. } => Some(Phase::BackedUp),
            Self::Removed { .. } => Some(Phase::Removed),
            Self::Sent { .. } => Some(Phase::Sent),
            Self::Unanswered { .. } => Some(Phase::Unknown),
            Self::Ended { outcome, .. } => Some(outcome.phase()),
            Self::Removing { .. }
            | Self::Sending
            | Self::Duplicate { .. }
            | Self::Refused { .. }
            | Self::NotSent { .. }
            | Self::Seen { .. }
            | Self::Hidden { .. }
            | Self::Verified { .. }
            | Self::Detailed { .. }
            | Self::TurnedRound { .. }
            | Self::TurnedBack => None,
        }
    }
}

/// How a step ended, or in what it rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// What was wanted is there.
    Confirmed,
    /// What was there already took the step's place.
    Adopted,
    /// The old activity was put back.
    Restored,
    /// Accepted, not listed yet; the next run looks again.
    Pending,
    /// Waits; the next run goes on with it first.
    Held,
    /// Did not succeed.
    Failed,
    /// The world changed since the plan.
    Stale,
    /// Left alone.
    Skipped {
        /// Why.
        reason: SkipReason,
    },
    /// A person must decide.
    Asked {
        /// What.
        question: ConflictReason,
    },
    /// The run ended before it.
    NotTried,
}

impl Outcome {
    /// Whether the step is over, for better or worse.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Held)
    }

    /// The phase that people see.
    pub fn phase(self) -> Phase {
        match self {
            Self::Confirmed => Phase::Confirmed,
            Self::Adopted => Phase::Adopted,
            Self::Restored => Phase::Restored,
            Self::Pending => Phase::Pending,
            Self::Held => Phase::Held,
            Self::Failed => Phase::Failed,
            Self::Stale => Phase::Stale,
            Self::Skipped { .. } | Self::Asked { .. } => Phase::Skipped,
            Self::NotTried => Phase::NotTried,
        }
    }
}

/// What kind of failure ended a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// No session.
    Login,
    /// Not reached, or asked to wait.
    Unavailable,
    /// Anything else.
    Other,
}

impl From<BlockedReason> for Cause {
    fn from(reason: BlockedReason) -> Self {
        match reason {
            BlockedReason::LoginNeeded => Self::Login,
            BlockedReason::Unavailable
            | BlockedReason::MarkerMissing
            | BlockedReason::InventoryIncomplete => Self::Unavailable,
            BlockedReason::Unsupported | BlockedReason::Failed => Self::Other,
        }
    }
}

/// What is known about the bytes that are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Their hash: the only proof that bytes are this payload.
    pub sha256: Sha256,
    /// Start in the file, UTC.
    pub start: Timestamp,
    /// Wall-clock seconds in the file.
    pub elapsed_s: Option<u32>,
    /// Metres in the file.
    pub distance_m: Option<u32>,
    /// Type in the file.
    pub kind: ActivityType,
    /// The title that goes with it, untrusted.
    pub title: Option<String>,
    /// Seconds east of UTC at the start.
    pub local_offset_s: Option<i32>,
    /// Only its athlete may see it.
    pub private: bool,
}

impl Payload {
    /// When the file says that the activity took place.
    pub fn key(&self) -> Key {
        Key { start: self.start, elapsed_s: self.elapsed_s }
    }

    /// The file as an activity, so that it can be looked for.
    pub fn activity(&self, id: &RemoteId) -> Activity {
        Activity {
            start: Some(self.start),
            elapsed_s: self.elapsed_s,
            kind: self.kind.clone(),
            distance_m: self.distance_m,
            sha256: Some(self.sha256.clone()),
            unusable: None,
            ..Activity::unusable(
                id.clone(),
                Fingerprint::of_bytes(&self.sha256),
                crate::domain::Unusable::NoOriginal,
            )
        }
    }

    /// The facts of the file as those of an activity that is not listed yet.
    pub fn side(&self, id: &RemoteId) -> Side {
        Side::of(&self.activity(id))
    }
}
