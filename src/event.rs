//! The one stream of what happens: terminal, JSON lines, reports and tests read the same events.

use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{AccountName, Action, Address, Note};

/// Takes events as they happen.
pub trait Events: Send + Sync {
    /// Called once per event, in order.
    fn emit(&self, event: Event);
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A run of apply began.
    RunStarted {
        /// Its number in the state's history.
        run: i64,
        /// Steps that it intends to do.
        steps: usize,
    },
    /// An inventory is being read.
    Reading {
        /// Of this account.
        account: AccountName,
        /// Items so far.
        read: usize,
    },
    /// An inventory was read.
    Refreshed {
        /// Of this account.
        account: AccountName,
        /// Activities in it.
        count: usize,
        /// Whether all of it could be read.
        complete: bool,
    },
    /// Originals are being fetched to be compared.
    Comparing {
        /// Done so far.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// Originals are being fetched for a person.
    Fetching {
        /// From this account.
        account: AccountName,
        /// Done so far.
        done: usize,
        /// Of so many.
        of: usize,
    },
    /// A step went on.
    Step {
        /// Which.
        address: Address,
        /// What it does.
        action: Action,
        /// The title of what it sends, untrusted.
        title: Option<String>,
        /// The size of what it sends, once that is known.
        bytes: Option<u64>,
        /// How far it came.
        phase: Phase,
        /// Counts from 1 the times that this was tried.
        attempt: u32,
        /// For people; may be empty.
        detail: String,
    },
    /// What steps have done at an account is not listed yet; it is looked for until this time.
    Settling {
        /// The account.
        account: AccountName,
        /// Steps that wait.
        steps: usize,
        /// When they rest at the latest.
        until: Timestamp,
    },
    /// Somebody else writes to an account; their run is waited for.
    Waiting {
        /// The account.
        account: AccountName,
        /// Who they are.
        holder: String,
    },
    /// Something about an account that is worth telling.
    Noted {
        /// The account.
        account: AccountName,
        /// What.
        note: Note,
    },
}

/// How far a step of apply came: one enum for journal, events, report and summary.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Written down, nothing done yet.
    Intent,
    /// The source's bytes are here and verified.
    Fetched,
    /// The old activity's bytes and details are safe.
    BackedUp,
    /// The old activity was removed.
    Removed,
    /// The new bytes were sent and the platform answered.
    Sent,
    /// What was there already took the step's place.
    Adopted,
    /// Seen at the destination; the end of a good step.
    Confirmed,
    /// Accepted, but not listed yet.
    Pending,
    /// The old activity was put back.
    Restored,
    /// Waits for the platform; the next apply goes on with it first.
    Held,
    /// Did not succeed; nothing of the activity's is lost.
    Failed,
    /// The world changed since the plan; plan again.
    Stale,
    /// A reason against it was found; remembered.
    Skipped,
    /// The run ended before it.
    NotTried,
    /// Sent, answer lost; the next apply looks first.
    Unknown,
}

impl Phase {
    /// Every phase, in the order of the contract.
    pub const ALL: [Self; 15] = [
        Self::Intent,
        Self::Fetched,
        Self::BackedUp,
        Self::Removed,
        Self::Sent,
        Self::Adopted,
        Self::Confirmed,
        Self::Pending,
        Self::Restored,
        Self::Held,
        Self::Failed,
        Self::Stale,
        Self::Skipped,
        Self::NotTried,
        Self::Unknown,
    ];

    /// As it stands in the journal, events and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Fetched => "fetched",
            Self::BackedUp => "backed_up",
            Self::Removed => "removed",
            Self::Sent => "sent",
            Self::Adopted => "adopted",
            Self::Confirmed => "confirmed",
            Self::Pending => "pending",
            Self::Restored => "restored",
            Self::Held => "held",
            Self::Failed => "failed",
            Self::Stale => "stale",
            Self::Skipped => "skipped",
            Self::NotTried => "not_tried",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a phase back from the journal.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.as_str() == text)
    }

    /// Whether a step in this phase is over, for better or worse; the next apply looks at the others
    /// first.
    pub fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Intent
                | Self::Fetched
                | Self::BackedUp
                | Self::Removed
                | Self::Sent
                | Self::Pending
                | Self::Held
                | Self::Unknown
        )
    }
}

/// Keeps events for later; what tests and reports read.
#[derive(Debug, Default)]
pub struct Recorder {
    events: std::sync::Mutex<Vec<Event>>,
}

impl Recorder {
    /// Everything so far.
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }
}

impl Events for Recorder {
    fn emit(&self, event: Event) {
        self.events.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(event);
    }
}

/// Hands every event on to several listeners, in their order.
pub struct FanOut(pub Vec<Arc<dyn Events>>);

impl Events for FanOut {
    fn emit(&self, event: Event) {
        for listener in &self.0 {
            listener.emit(event.clone());
        }
    }
}
