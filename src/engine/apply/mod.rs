//! The second straight line: what was approved comes true, step by step.
//!
//! Each step is reconciled: [`observe`] looks and returns values, [`next`](crate::plan::reconcile::next)
//! decides, [`perform`] makes the one move and writes it down, until the step rests. The same loop
//! serves a first run, a run after a crash, an old activity that is put back, and a restore. No step
//! decides what the plan has not said.

mod aims;
mod breaker;
mod bytes;
mod first;
mod links;
mod observe;
pub(super) mod orphans;
mod perform;
mod place;
mod queue;
mod restore;
mod restored;
mod resume;
mod run;
mod saved;
mod task;
mod view;

use crate::domain::Address;
use crate::event::Phase;
use crate::plan::reconcile::Cause as StepCause;
use crate::plan::{Action, Document};
use crate::state::RunId;

use super::error::EngineError;

pub use orphans::{Foreign, foreign_steps};
pub use restore::{Restore, plan_restore, restore};
pub use restored::failed_restores;
pub use resume::{Resumed, Unresumed, UnresumedReason, resume};
pub use run::apply;
pub use saved::check_accounts;

/// What kind of failure ended a step.
pub type Cause = StepCause;

/// What is to be done, and how it was approved.
#[derive(Clone, Copy, Debug)]
pub enum Approved<'a> {
    /// The plan that was just made.
    Fresh(&'a Document),
    /// A plan of another day: each step is checked against the world of today.
    Saved(&'a Document),
}

impl Approved<'_> {
    fn document(&self) -> &Document {
        match self {
            Self::Fresh(document) | Self::Saved(document) => document,
        }
    }
}

/// How a run of apply goes about its steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Most steps under way per destination; `None`: as its platform says.
    pub parallel: Option<u32>,
    /// Failed steps after which nothing new is begun; `None`: never.
    pub max_failures: Option<u32>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// Which.
    pub address: Address,
    /// What it does.
    pub action: Action,
    /// How far it came.
    pub phase: Phase,
    /// For people; may be empty.
    pub detail: String,
    /// The question that it has become, if so.
    pub question: Option<String>,
    /// What kind of failure ended it, if one did.
    pub cause: Option<Cause>,
}

impl StepReport {
    /// Whether a person must decide before it can go on.
    pub fn is_question(&self) -> bool {
        self.question.is_some()
    }
}

/// What became of a run.
#[derive(Debug)]
pub struct RunReport {
    /// Its number in the history.
    pub run: RunId,
    /// In the order of the plan.
    pub steps: Vec<StepReport>,
    /// What kept it from going on, if something did; most often the disk of its journal.
    pub broken: Option<EngineError>,
}
