//! What became of an apply, for people and for the history.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::domain::neutralise;
use crate::engine::{Resumed, StepReport, Unresumed, UnresumedReason};
use crate::event::Phase;
use crate::plan::{Action, Document};
use crate::state::RunCounts;
use crate::state::StepRecord;

/// The numbers that the history keeps.
pub fn apply_counts(steps: &[StepReport]) -> RunCounts {
    let mut counts = RunCounts::new();
    for step in steps {
        *counts.entry(step.phase.as_str().to_owned()).or_default() += 1;
    }
    counts
}

/// One calm summary of a plan's steps: what was done, what was not, and what to run next. What became
/// of those of earlier runs was told before; those that are open still are counted.
pub fn apply_summary(document: &Document, settled: &Resumed, steps: &[StepReport]) -> String {
    let mut out = String::new();
    let resumed = settled.steps.iter().map(|step| step.phase);
    let open: Vec<Phase> = resumed.filter(|phase| !phase.is_final()).collect();
    let left = settled.left.len();
    if steps.is_empty() && open.is_empty() && left == 0 {
        return out;
    }
    let is_good = |step: &StepReport| matches!(step.phase, Phase::Confirmed | Phase::Adopted);
    let is_told = |step: &StepReport| step.phase == Phase::Confirmed && !step.detail.is_empty();
    for step in steps.iter().filter(|step| !is_good(step) || is_told(step)) {
        let _ = writeln!(out, "  {}", line(step));
    }
    let of = |action: Action| {
        let done = |step: &&StepReport| step.phase == Phase::Confirmed && step.action == action;
        steps.iter().filter(done).count()
    };
    let _ = write!(
        out,
        "Applied plan {}: {} uploaded, {} replaced",
        document.id.short(),
        of(Action::Upload),
        of(Action::Replace)
    );
    for phase in Phase::ALL.into_iter().filter(|phase| *phase != Phase::Confirmed) {
        let number = steps.iter().filter(|step| step.phase == phase).count();
        let number = number + open.iter().filter(|open| **open == phase).count();
        if number > 0 {
            let _ = write!(out, ", {number} {}", phase.as_str().replace('_', " "));
        }
    }
    if left > 0 {
        let _ = write!(out, ", {left} left open");
    }
    out.push_str(".\n");
    let ended = steps.iter().map(|step| (step.phase, step.is_question()));
    if let Some(next) = next_of(ended.chain(open.iter().map(|phase| (*phase, false)))) {
        let _ = writeln!(out, "{} {next}", "next:".bold());
    }
    out
}

/// What became of the steps that earlier runs had left open.
pub fn settled_summary(settled: &Resumed) -> String {
    let mut out = String::new();
    let again = |step: &&StepReport| matches!(step.phase, Phase::NotTried | Phase::Failed);
    for step in settled.steps.iter().filter(|step| !again(step)) {
        let _ = writeln!(out, "  settled from an earlier run: {}", line(step));
    }
    let planned_again = settled.steps.iter().filter(again).count();
    if planned_again > 0 {
        let _ = writeln!(out, "  an earlier run left {planned_again} steps undone: planned again");
    }
    for left in &settled.left {
        let words = left_words(left);
        let text = format!("{} {}: {}", left.address, left.phase.as_str(), words.happened);
        let _ = writeln!(out, "  left from an earlier run: {}", neutralise(&text));
        let _ = writeln!(out, "    {}", neutralise(&words.means));
        let _ = writeln!(out, "    {} {}", "next:".bold(), neutralise(&words.next));
    }
    out
}

/// Steps of earlier runs that failed and that no step of the plan takes up again.
pub fn not_taken_up(failed: &[StepRecord]) -> String {
    let mut out = String::new();
    for record in failed {
        let address = neutralise(record.step.address.as_str());
        let _ = writeln!(out, "  failed in an earlier run and not planned again: {address}");
        let _ = writeln!(out, "    {} fit_sync explain {address}", "next:".bold());
    }
    out
}

/// The summary of a run that was interrupted before its first step.
pub fn interrupted(settled: &Resumed) -> String {
    let mut out = String::new();
    let more = if settled.steps.is_empty() { "" } else { "more " };
    let _ = writeln!(out, "Interrupted before the first step: nothing {more}was sent or removed.");
    let _ = writeln!(out, "{} run `fit_sync apply` again", "next:".bold());
    out
}

/// What people are told about a step that could not be looked at.
pub struct LeftWords {
    /// Why it was left.
    pub happened: String,
    /// What it means for the activity.
    pub means: String,
    /// What to do about it.
    pub next: String,
}

/// What people are told about a step that could not be looked at.
pub fn left_words(left: &Unresumed) -> LeftWords {
    let forget = format!("forget it with `fit_sync state rm {}`", left.address);
    let next = match &left.why {
        UnresumedReason::NotInManifest(account) => {
            format!("put {account} back into the manifest and run `fit_sync apply`, or {forget}")
        }
        UnresumedReason::Blocked(account, ..) | UnresumedReason::NotLocked(account) => {
            format!("run `fit_sync apply` again when {account} can be reached")
        }
        UnresumedReason::OtherState(path) => {
            let path = path.to_string_lossy();
            // A path with a zero byte cannot be.
            let path = shlex::try_quote(&path).unwrap_or_default();
            format!("run `fit_sync apply --state {path}`")
        }
        UnresumedReason::Moved(account) => {
            format!("have {account} lie where it lay and run `fit_sync apply`, or {forget}")
        }
        UnresumedReason::Unsettled(_) => "run `fit_sync apply` again in a few minutes".to_owned(),
        UnresumedReason::Unreadable => forget,
    };
    let means = match (&left.backup, left.phase) {
        (Some(backup), Phase::Sent | Phase::Pending) => {
            format!("The new activity was sent; backup {backup} holds the old one.")
        }
        (Some(backup), _) => format!(
            "Backup {backup} holds the old activity; whether it or the new one is there, nobody \
             has looked since."
        ),
        (None, _) => "It may have been sent; nobody has looked since.".to_owned(),
    };
    LeftWords { happened: left.why.what(), means, next }
}

fn line(step: &StepReport) -> String {
    let words = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
    neutralise(&format!("{} {}{words}", step.address, step.phase.as_str()))
}

/// What to run next after steps that ended so, and as questions or not.
pub(super) fn next_of(steps: impl IntoIterator<Item = (Phase, bool)>) -> Option<&'static str> {
    let steps: Vec<(Phase, bool)> = steps.into_iter().collect();
    let any = |phases: &[Phase]| steps.iter().any(|(phase, _)| phases.contains(phase));
    if any(&[Phase::Held, Phase::Unknown]) {
        return Some("run `fit_sync apply` again: it first looks what became of these");
    }
    if any(&[Phase::Failed, Phase::NotTried, Phase::Restored, Phase::Stale]) {
        return Some("run `fit_sync plan` to see what is left");
    }
    if any(&[Phase::Pending]) {
        return Some("run `fit_sync apply` later: it looks whether they are listed by then");
    }
    let asks = steps.iter().any(|(_, is_question)| *is_question);
    asks.then_some("run `fit_sync plan` and decide what it asks")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Body, Context};

    #[test]
    fn what_an_earlier_run_left_open_is_counted() {
        let body = Body { accounts: Vec::new(), steps: Vec::new() };
        let document = Document::seal(body, Context::default()).unwrap();
        let step = |phase| StepReport {
            address: "keep/@1".parse().unwrap(),
            action: Action::Replace,
            phase,
            detail: String::new(),
            question: None,
            cause: None,
        };
        let resumed = |phase| Resumed { steps: vec![step(phase)], left: Vec::new() };
        let summary = apply_summary(&document, &resumed(Phase::Held), &[]);
        assert!(summary.contains("0 uploaded, 0 replaced, 1 held."), "{summary}");
        assert!(summary.contains("run `fit_sync apply` again"), "{summary}");
        let both = apply_summary(&document, &resumed(Phase::Held), &[step(Phase::Held)]);
        assert!(both.contains("2 held."), "{both}");
        assert_eq!(apply_summary(&document, &resumed(Phase::Confirmed), &[]), "");
    }
}
