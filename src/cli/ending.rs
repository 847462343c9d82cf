//! How an apply ends, as pipelines know it.

use crate::engine::{Cause, Resumed, StepReport, Uncompared, Unresumed, UnresumedReason};
use crate::event::Phase;
use crate::plan::Document;
use crate::state::StepRecord;

use super::commands::plan::blocked_exit;
use super::exit::Exit;

/// What an apply has come to.
pub struct Ending<'a> {
    /// The plan that was executed.
    pub document: &'a Document,
    /// Whether it was a saved one.
    pub is_saved: bool,
    /// What became of the steps that earlier runs had left open.
    pub settled: &'a Resumed,
    /// Those of them that failed and that nothing takes up again.
    pub failed_for_good: &'a [StepRecord],
    /// What became of the plan's steps.
    pub finished: &'a [StepReport],
    /// The pairs whose originals could not be compared.
    pub uncompared: &'a [Uncompared],
}

/// How an apply ends, from what became of its steps and from what the plan could not do.
pub fn apply_exit(ending: &Ending<'_>) -> Exit {
    let Ending { document, settled, finished, .. } = *ending;
    // What an earlier run left undone was planned again: this run's steps speak for it.
    let again = |step: &&StepReport| matches!(step.phase, Phase::NotTried | Phase::Failed);
    let looked_at = settled.steps.iter().filter(|step| !again(step));
    let steps: Vec<&StepReport> = looked_at.chain(finished).collect();
    let wrote = steps.iter().any(|step| is_written(step.phase));
    let mut exits: Vec<Exit> = steps.iter().map(|step| step_exit(step, wrote)).collect();
    let stale = |step: &StepReport| step.phase == Phase::Stale;
    if ending.is_saved && !finished.is_empty() && finished.iter().all(stale) {
        exits.push(Exit::StalePlan);
    }
    exits.extend(settled.left.iter().map(left_exit));
    exits.extend(ending.failed_for_good.iter().map(|_| Exit::Partly));
    let faults = ending.uncompared.iter().filter(|pair| pair.is_fault());
    exits.extend(faults.map(|pair| uncompared_exit(pair, wrote)));
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

/// How a run ends whose own steps were not begun: what earlier ones left open counts all the same.
pub fn settled_exit(settled: &Resumed) -> Exit {
    let is_open = |step: &&StepReport| {
        matches!(step.phase, Phase::Held | Phase::Pending | Phase::Unknown | Phase::Restored)
    };
    let open = settled.steps.iter().filter(is_open);
    Exit::worst(open.map(|step| step_exit(step, true)).chain(settled.left.iter().map(left_exit)))
}

/// How a run ends in which two originals could not be compared. One that is missing or broken is not
/// there a minute later either.
fn uncompared_exit(pair: &Uncompared, wrote: bool) -> Exit {
    match blocked_exit(pair.cause) {
        Exit::Login => Exit::Login,
        _ if wrote || pair.refusal.is_some() => Exit::Partly,
        _ => Exit::Unavailable,
    }
}

/// How a restore ends: it is done, or it waits.
pub fn restore_exit(step: &StepReport) -> Exit {
    match step_exit(step, is_written(step.phase)) {
        Exit::Done if step.is_question() || step.phase == Phase::Skipped => Exit::Decide,
        other => other,
    }
}

/// How a run ends in which a step of an earlier one could not be looked at.
fn left_exit(left: &Unresumed) -> Exit {
    match &left.why {
        UnresumedReason::Blocked(_, reason, _) if blocked_exit(*reason) == Exit::Login => {
            Exit::Login
        }
        UnresumedReason::Blocked(..)
        | UnresumedReason::NotInManifest(_)
        | UnresumedReason::NotLocked(_)
        | UnresumedReason::OtherState(_)
        | UnresumedReason::Moved(_)
        | UnresumedReason::Unsettled(_)
        | UnresumedReason::Unreadable => Exit::Partly,
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

fn step_exit(step: &StepReport, wrote: bool) -> Exit {
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::{AccountName, Fingerprint, Refusal, RefusalReason, RemoteId};
    use crate::plan::{Action, BlockedReason, Body, Context, Counts, ManifestRef};

    fn nothing() -> Document {
        let context = Context {
            manifest: ManifestRef::from(&crate::domain::Sha256::of(b"")),
            inventories: Vec::new(),
            counts: Counts::default(),
            rules: Vec::new(),
            conflicts: Vec::new(),
            skips: Vec::new(),
            blocked: Vec::new(),
            limits: Vec::new(),
            open: Vec::new(),
            in_sync: None,
        };
        Document::seal(Body { accounts: Vec::new(), steps: Vec::new() }, context).unwrap()
    }

    fn step(phase: Phase) -> StepReport {
        StepReport {
            address: "keep/@a".parse().unwrap(),
            action: Action::Upload,
            phase,
            detail: String::new(),
            question: None,
            cause: None,
        }
    }

    fn pair(cause: BlockedReason, looks: Option<u32>) -> Uncompared {
        let account = AccountName::new("archive");
        let found = |looks| {
            let (id, fingerprint) = (RemoteId::new("a"), Fingerprint::new("f"));
            let reason = RefusalReason::NoOriginal;
            let found = Refusal::found(id, fingerprint, reason, "", Timestamp::UNIX_EPOCH);
            Refusal { looks, ..found }
        };
        Uncompared {
            address: "keep/@a".parse().unwrap(),
            between: (account.clone(), account.clone()),
            account,
            message: String::new(),
            cause,
            refusal: looks.map(found),
        }
    }

    fn exit(finished: &[StepReport], uncompared: &[Uncompared]) -> Exit {
        apply_exit(&Ending {
            document: &nothing(),
            is_saved: false,
            settled: &Resumed::default(),
            failed_for_good: &[],
            finished,
            uncompared,
        })
    }

    #[test]
    fn a_fault_while_comparing_is_10_or_5_if_nothing_was_sent() {
        let outage = [pair(BlockedReason::Unavailable, None)];
        assert_eq!(exit(&[], &outage), Exit::Unavailable);
        assert_eq!(exit(&[step(Phase::Skipped)], &outage), Exit::Unavailable);
        assert_eq!(exit(&[step(Phase::Confirmed)], &outage), Exit::Partly);
        assert_eq!(exit(&[], &[pair(BlockedReason::LoginNeeded, None)]), Exit::Login);
    }

    #[test]
    fn a_missing_original_counts_on_the_first_day() {
        assert_eq!(exit(&[], &[pair(BlockedReason::Failed, Some(1))]), Exit::Partly);
        assert_eq!(exit(&[], &[pair(BlockedReason::Failed, Some(2))]), Exit::Done);
    }

    #[test]
    fn skips_never_change_the_exit_and_failures_do() {
        assert_eq!(exit(&[step(Phase::Skipped), step(Phase::Confirmed)], &[]), Exit::Done);
        assert_eq!(exit(&[step(Phase::Failed), step(Phase::Confirmed)], &[]), Exit::Partly);
    }

    #[test]
    fn what_earlier_runs_left_open_counts_where_nothing_is_begun() {
        let of = |phases: &[Phase]| {
            let steps = phases.iter().map(|phase| step(*phase)).collect();
            settled_exit(&Resumed { steps, left: Vec::new() })
        };
        assert_eq!(of(&[]), Exit::Done);
        assert_eq!(of(&[Phase::Confirmed, Phase::NotTried, Phase::Failed]), Exit::Done);
        assert_eq!(of(&[Phase::Confirmed, Phase::Held]), Exit::Partly);
        let why = UnresumedReason::Unreadable;
        let address = "keep/@a".parse().unwrap();
        let left = Unresumed { address, phase: Phase::Sent, backup: None, why };
        let settled = Resumed { steps: Vec::new(), left: vec![left] };
        assert_eq!(settled_exit(&settled), Exit::Partly);
    }
}
