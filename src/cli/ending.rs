//! How an apply ends, as pipelines know it.

use crate::engine::{Applied, Cause, Left, LeftReason, Settled};
use crate::event::Phase;
use crate::plan::Document;

use super::commands::plan::blocked_exit;
use super::exit::Exit;

/// How an apply ends, from what became of its steps and from what the plan could not do.
pub fn apply_exit(
    document: &Document,
    settled: &Settled,
    finished: &[Applied],
    is_saved: bool,
) -> Exit {
    // What an earlier run left undone was planned again: this run's steps speak for it.
    let again = |step: &&Applied| matches!(step.phase, Phase::NotTried | Phase::Failed);
    let looked_at = settled.steps.iter().filter(|step| !again(step));
    let steps: Vec<&Applied> = looked_at.chain(finished).collect();
    let wrote = steps.iter().any(|step| is_written(step.phase));
    let mut exits: Vec<Exit> = steps.iter().map(|step| step_exit(step, wrote)).collect();
    let stale = |step: &Applied| step.phase == Phase::Stale;
    if is_saved && !finished.is_empty() && finished.iter().all(stale) {
        exits.push(Exit::StalePlan);
    }
    exits.extend(settled.left.iter().map(left_exit));
    exits.extend(document.context.blocked.iter().map(|blocked| {
        match blocked_exit(blocked.reason) {
            Exit::Unavailable if wrote => Exit::Partly,
            other => other,
        }
    }));
    if steps.iter().any(|step| step.is_question()) || !document.context.conflicts.is_empty() {
        exits.push(Exit::Decide);
    }
    Exit::worst(exits)
}

/// How a restore ends: it is done, or it waits.
pub fn restore_exit(step: &Applied) -> Exit {
    match step_exit(step, is_written(step.phase)) {
        Exit::Done if step.is_question() || step.phase == Phase::Skipped => Exit::Decide,
        other => other,
    }
}

/// How a run ends in which a step of an earlier one could not be looked at.
fn left_exit(left: &Left) -> Exit {
    match &left.why {
        LeftReason::Blocked(_, reason, _) if blocked_exit(*reason) == Exit::Login => Exit::Login,
        LeftReason::Blocked(..)
        | LeftReason::NotInManifest(_)
        | LeftReason::NotLocked(_)
        | LeftReason::Unreadable => Exit::Partly,
    }
}

/// Whether something was sent, for better or worse.
fn is_written(phase: Phase) -> bool {
    match phase {
        Phase::Confirmed
        | Phase::Pending
        | Phase::Sent
        | Phase::Removed
        | Phase::Restored
        | Phase::Held
        | Phase::Unknown => true,
        Phase::Intent
        | Phase::Fetched
        | Phase::BackedUp
        | Phase::Adopted
        | Phase::Failed
        | Phase::Stale
        | Phase::Skipped
        | Phase::NotTried => false,
    }
}

fn step_exit(step: &Applied, wrote: bool) -> Exit {
    match step.phase {
        Phase::Failed | Phase::NotTried | Phase::Held | Phase::Pending | Phase::Unknown
            if step.cause == Some(Cause::Login) =>
        {
            Exit::Login
        }
        Phase::Failed | Phase::NotTried if step.cause == Some(Cause::Unavailable) && !wrote => {
            Exit::Unavailable
        }
        Phase::Confirmed | Phase::Adopted | Phase::Skipped => Exit::Done,
        Phase::Intent
        | Phase::Fetched
        | Phase::BackedUp
        | Phase::Removed
        | Phase::Sent
        | Phase::Pending
        | Phase::Restored
        | Phase::Held
        | Phase::Failed
        | Phase::Stale
        | Phase::NotTried
        | Phase::Unknown => Exit::Partly,
    }
}
