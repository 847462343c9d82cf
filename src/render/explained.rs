//! Why an activity is uploaded, replaced, in sync, skipped or a question, for people.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::domain::{LinkOrigin, LinkStatus, neutralise};
use crate::engine::{Evidence, Explanation, InForce, Standing, Word};
use crate::plan::{Action, clock};
use crate::state::StepRecord;

use super::answers::particulars;
use super::diff::one_line;
use super::reasons::{self, Next};
use super::time::stamp;

const MARGIN: usize = 13;

/// The whole explanation; `manifest` is the file's name as people know it.
pub fn explained(explanation: &Explanation, manifest: &str) -> String {
    let mut out = String::new();
    let Explanation { address, standing, .. } = explanation;
    let address_shown = neutralise(address.as_str());
    let _ = writeln!(out, "{}: {}", address_shown.bold(), headline(&standing.word));
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "  {name:<MARGIN$} {}", neutralise(text));
    };
    line("why", &why(&standing.word));
    if let Some(detail) = detail(&standing.word, manifest) {
        line("", &detail);
    }
    line("rule", &rule(standing, manifest));
    line("source", &one_line(&standing.source));
    for (counterpart, evidence) in standing.counterparts.iter().zip(&explanation.evidence) {
        let paired = matches!(standing.word, Word::Conflict(_));
        line(if paired { "could be" } else { "destination" }, &one_line(counterpart));
        line("", &evidence_line(evidence));
    }
    if let Some((nearest, evidence)) = &explanation.nearest {
        line("nearest", &one_line(nearest));
        line("", &evidence_line(evidence));
    }
    if let Word::Step { changes, .. } = &standing.word {
        for change in changes {
            line("changes", &format!("{}: {} -> {}", change.field, change.from, change.to));
        }
    }
    remembered(explanation, &mut line);
    for step in &explanation.steps {
        line("run", &past(step));
    }
    let read = explanation.read.iter().map(|(account, at)| match at {
        Some(at) => format!("{account} {}", stamp(*at)),
        None => format!("{account} never"),
    });
    line("read", &read.collect::<Vec<_>>().join(", "));
    for next in next(&standing.word) {
        line("next", &next.words(&address_shown, standing));
    }
    out
}

fn headline(word: &Word) -> String {
    match word {
        Word::Step { action: Action::Upload, reason, .. } => {
            format!("{}, {reason}", "upload".green())
        }
        Word::Step { action: Action::Replace, reason, .. } => {
            format!("{}, {reason}", "replace".magenta())
        }
        Word::InSync(reason) => format!("in sync, {reason}"),
        Word::Skip { reason, .. } => format!("{}, {reason}", "skipped".dimmed()),
        Word::Conflict(conflict) => format!("{}, {}", "conflict".yellow(), conflict.reason),
        Word::Blocked(_) => "blocked".red().to_string(),
    }
}

fn why(word: &Word) -> String {
    match word {
        Word::Step { reason, .. } => reasons::step(*reason).to_owned(),
        Word::InSync(reason) => reasons::in_sync(*reason).to_owned(),
        Word::Skip { reason, .. } => reasons::skip(*reason).to_owned(),
        Word::Conflict(conflict) => reasons::conflict(conflict.reason).to_owned(),
        Word::Blocked(message) => format!("the rule cannot be planned: {message}"),
    }
}

fn next(word: &Word) -> Vec<Next> {
    match word {
        Word::Step { .. } => vec![Next::Apply],
        Word::InSync(reason) => reasons::after_in_sync(*reason),
        Word::Skip { reason, .. } => reasons::after_skip(*reason),
        Word::Conflict(conflict) => reasons::after_conflict(conflict.reason),
        Word::Blocked(_) => vec![Next::PlanAgain],
    }
}

/// What exactly; a line of the manifest as people open it.
fn detail(word: &Word, manifest: &str) -> Option<String> {
    let detail = match word {
        Word::Skip { detail, .. } => detail.as_deref()?,
        Word::Step { loses, .. } if !loses.is_empty() => {
            return Some(format!("the old one loses {}", loses.join(" and ")));
        }
        Word::Conflict(conflict) => {
            return Some(particulars(conflict).join("; ")).filter(|text| !text.is_empty());
        }
        Word::Step { .. } | Word::InSync(_) | Word::Blocked(_) => return None,
    };
    let line = detail.strip_prefix("line ").and_then(|rest| rest.strip_suffix(" of the manifest"));
    Some(line.map_or_else(|| detail.to_owned(), |line| format!("{manifest}:{line}")))
}

fn rule(standing: &Standing, manifest: &str) -> String {
    let rule = &standing.rule;
    let (source, destination, strategy) = (&rule.source, &rule.destination, rule.strategy);
    let at = match rule.line {
        0 => String::new(),
        line => format!(" ({manifest}:{line})"),
    };
    format!("{}: {source} -> {destination}, {}{at}", rule.name, strategy.as_str())
}

/// How near two activities are.
fn evidence_line(evidence: &Evidence) -> String {
    let amount = |apart: i64, unit: fn(u64) -> String, more: &str, less: &str| {
        let size = unit(apart.unsigned_abs());
        format!("{size} {}", if apart > 0 { more } else { less })
    };
    let time = |seconds: u64| match u32::try_from(seconds) {
        Ok(seconds) if seconds >= 120 => clock(seconds),
        Ok(_) | Err(_) => format!("{seconds} s"),
    };
    let starts = evidence.starts_later_s.map(|apart| match apart {
        0 => "the same start".to_owned(),
        apart => format!("starts {}", amount(apart, time, "later", "earlier")),
    });
    let longer = evidence.longer_s.map(|apart| match apart {
        0 => "the same length".to_owned(),
        apart => amount(apart, time, "longer", "shorter"),
    });
    let farther = evidence.farther_m.map(|apart| match apart {
        0 => "the same distance".to_owned(),
        apart => amount(apart, |metres| format!("{metres} m"), "farther", "less far"),
    });
    let overlap = evidence.overlap_permille.map(|permille| match permille {
        0 => "no time in common".to_owned(),
        permille => format!("overlap {}.{} %", permille / 10, permille % 10),
    });
    let told = |same: Option<bool>, what: &str| {
        same.map(|same| if same { format!("the same {what}") } else { format!("other {what}") })
    };
    let kind = (!evidence.same_family).then(|| "another kind of sport".to_owned());
    let parts = [
        starts,
        overlap,
        longer,
        farther,
        kind,
        told(evidence.same_device, "device"),
        told(evidence.same_bytes, "bytes"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What stands in the memory and in the decisions file.
fn remembered(explanation: &Explanation, line: &mut impl FnMut(&str, &str)) {
    if let Some(notice) = explanation.notice {
        line("notice", reasons::notice(notice));
    }
    if let Some(link) = &explanation.link {
        let origin = match link.origin {
            LinkOrigin::Placed => "apply put it there",
            LinkOrigin::Found => "both were there and matched",
            LinkOrigin::Adopted => "a person said that they are the same",
        };
        let there = link.destination.as_ref().map_or("not listed yet", |side| side.id.as_str());
        let status = match link.status {
            LinkStatus::Confirmed => String::new(),
            LinkStatus::Pending { since, full_reads } => {
                format!("; sent {since}, not seen in {full_reads} complete readings")
            }
        };
        line("link", &format!("{there}: {origin}{status}"));
    }
    if let Some(refusal) = &explanation.refusal {
        line("refused", &refusal.detail);
    }
    for (decision, in_force) in &explanation.decisions {
        let void = match in_force {
            InForce::Yes => "",
            InForce::Changed => "; void, the activity has changed since",
        };
        let with = decision.destination.as_ref().map(|party| format!(" as {}", party.id));
        let with = with.unwrap_or_default();
        line("decided", &format!("{} {}{with}{void}", decision.at, decision.decision.as_str()));
    }
}

/// A step of an earlier run.
fn past(step: &StepRecord) -> String {
    let began = step.entries.first().map(|written| stamp(written.at)).unwrap_or_default();
    let mut phases = Vec::new();
    let mut run = step.run;
    for written in &step.entries {
        if written.run != run {
            run = written.run;
            phases.push(format!("(run {})", run.0));
        }
        phases.extend(written.entry.phase().map(|phase| phase.as_str().to_owned()));
    }
    format!("{}  {began}  {}: {}", step.run.0, step.step.action, phases.join(" "))
}
