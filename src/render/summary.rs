//! What became of an apply, for people and for the history.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::domain::neutralise;
use crate::engine::Applied;
use crate::event::Phase;
use crate::plan::{Action, Document};

/// The numbers that the history keeps.
pub fn apply_counts(steps: &[Applied]) -> Value {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for step in steps {
        *counts.entry(step.phase.as_str()).or_default() += 1;
    }
    json!(counts)
}

/// One calm summary: what was done, what was not, and what to run next.
pub fn apply_summary(document: &Document, settled: &[Applied], steps: &[Applied]) -> String {
    let mut out = String::new();
    let again = |step: &&Applied| matches!(step.phase, Phase::NotTried | Phase::Failed);
    for step in settled.iter().filter(|step| !again(step)) {
        let _ = writeln!(out, "  settled from an earlier run: {}", line(step));
    }
    let planned_again = settled.iter().filter(again).count();
    if planned_again > 0 {
        let _ = writeln!(out, "  an earlier run left {planned_again} steps undone: planned again");
    }
    if steps.is_empty() {
        return out;
    }
    for step in steps.iter().filter(|step| !matches!(step.phase, Phase::Confirmed | Phase::Adopted))
    {
        let _ = writeln!(out, "  {}", line(step));
    }
    let of = |action: Action| {
        let done = |step: &&Applied| step.phase == Phase::Confirmed && step.action == action;
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
        if number > 0 {
            let _ = write!(out, ", {number} {}", phase.as_str().replace('_', " "));
        }
    }
    out.push_str(".\n");
    if let Some(next) = next(steps) {
        let _ = writeln!(out, "{} {next}", "next:".bold());
    }
    out
}

fn line(step: &Applied) -> String {
    let words = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
    neutralise(&format!("{} {}{words}", step.address, step.phase.as_str()))
}

fn next(steps: &[Applied]) -> Option<&'static str> {
    let any = |phases: &[Phase]| steps.iter().any(|step| phases.contains(&step.phase));
    if any(&[Phase::Held, Phase::Unknown]) {
        return Some("run `fit_sync apply` again: it first looks what became of these");
    }
    if any(&[Phase::Failed, Phase::NotTried, Phase::Restored, Phase::Stale]) {
        return Some("run `fit_sync plan` to see what is left");
    }
    if any(&[Phase::Pending]) {
        return Some("run `fit_sync apply` later: it looks whether they are listed by then");
    }
    steps.iter().any(Applied::is_question).then_some("run `fit_sync plan` and decide what it asks")
}
