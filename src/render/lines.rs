//! Events as JSON Lines, one object each.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{AccountName, Action, Address, neutralise};
use crate::event::{Event, Phase};
use crate::plan::PlanId;

use super::plan_text::count;
use super::report::{PhaseCounts, ReportedExit};
use super::time::stamp;

/// One line of `apply --json`. `seq` counts from 1, without gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// The steps of a plan begin.
    RunStarted {
        /// Number of the line.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// Its number in the history.
        run: String,
        /// Steps that it intends to do.
        steps: u64,
    },
    /// An account was read.
    Refresh {
        /// Number of the line.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// Which account.
        account: AccountName,
        /// Activities in it.
        count: u64,
        /// Whether all of it could be read.
        complete: bool,
    },
    /// A step went on.
    Step {
        /// Number of the line.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// Which step.
        address: Address,
        /// What it does.
        action: Action,
        /// The title of what it sends; null where there is none.
        title: Option<String>,
        /// The size of what it sends; null before that is known.
        bytes: Option<u64>,
        /// How far it came.
        phase: Phase,
        /// Counts from 1 the times that this was tried.
        attempt: u32,
        /// For people; may be empty.
        detail: String,
    },
    /// Something that a person should know.
    Diagnostic {
        /// Number of the line.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// How bad it is.
        severity: Severity,
        /// The account, step or file that it is about; null for the whole run.
        subject: Option<String>,
        /// What is the matter.
        message: String,
        /// What to do next, if there is something to do.
        help: Option<String>,
    },
    /// The last line.
    Summary {
        /// Number of the line.
        seq: u64,
        /// When.
        ts: Timestamp,
        /// The plan that was executed; null if it did not come to one.
        plan: Option<PlanId>,
        /// The run's number in the history; null if no step was written down.
        run: Option<String>,
        /// Steps by their last phase.
        counts: PhaseCounts,
        /// How it ended.
        exit: ReportedExit,
    },
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The run does not go on, or leaves something out.
    Error,
    /// Worth knowing.
    Note,
}

/// What is waited for where steps are not seen yet, and until when.
pub fn settling(steps: usize, until: Timestamp) -> String {
    let until = stamp(until);
    match steps {
        0 => format!(
            "waiting until {until}, since what was sent there before this state began may not be \
             listed yet"
        ),
        _ => format!(
            "waiting until {until} at the latest for what {} did there to be listed",
            count(steps as u64, "step")
        ),
    }
}

impl Line {
    /// The line of an event; `None` for mere progress.
    pub fn of(seq: u64, ts: Timestamp, event: &Event) -> Option<Self> {
        let note = |subject: String, message: String| Self::Diagnostic {
            seq,
            ts,
            severity: Severity::Note,
            subject: Some(neutralise(&subject)),
            message: neutralise(&message),
            help: None,
        };
        Some(match event {
            Event::RunStarted { run, steps } => {
                Self::RunStarted { seq, ts, run: run.to_string(), steps: *steps as u64 }
            }
            Event::Refreshed { account, count, complete } => {
                let (account, count) = (account.clone(), *count as u64);
                Self::Refresh { seq, ts, account, count, complete: *complete }
            }
            Event::Step { address, action, title, bytes, phase, attempt, detail } => Self::Step {
                seq,
                ts,
                address: address.clone(),
                action: *action,
                title: title.as_deref().map(neutralise),
                bytes: *bytes,
                phase: *phase,
                attempt: *attempt,
                detail: neutralise(detail),
            },
            Event::Noted { account, note: found } => {
                note(format!("{account}/{}", found.subject), found.message.clone())
            }
            Event::Settling { account, steps, until } => {
                note(account.to_string(), settling(*steps, *until))
            }
            Event::Waiting { account, holder } => {
                note(account.to_string(), format!("waiting for another run: {holder}"))
            }
            Event::Reading { .. } | Event::Comparing { .. } | Event::Fetching { .. } => {
                return None;
            }
        })
    }

    /// The object on a line of its own.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }
}
