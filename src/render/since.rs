//! What a plan does otherwise than a reviewed one, for people.

use crate::domain::neutralise;
use crate::plan::{Action, Document, Now, Since, Step};

/// Rows of one kind that are named one by one.
const MAX_NAMED: usize = 20;

/// A line per difference; the first counts them.
pub fn since(since: &Since, reviewed: &Document) -> Vec<String> {
    let head = format!("Since plan {}", reviewed.id.short());
    if since.is_empty() {
        return vec![format!("{head}: the same steps and questions.")];
    }
    let parts = [
        (since.more.len(), "more"),
        (since.changed.len(), "changed"),
        (since.gone.len(), "gone"),
        (since.asked.len(), "asked"),
        (since.answered.len(), "answered"),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let counts: Vec<String> = parts.map(|(number, word)| format!("{number} {word}")).collect();
    let mut lines = vec![format!("{head}: {}.", counts.join(", "))];
    // What removes something is never shortened.
    let (replaces, uploads): (Vec<&Step>, Vec<&Step>) =
        since.more.iter().partition(|step| step.action == Action::Replace);
    lines.extend(replaces.into_iter().map(|step| row("more", step, &does(step))));
    lines.extend(since.changed.iter().map(|(before, today)| changed(before, today)));
    lines.extend(some(&uploads, "more", |step| row("more", step, &does(step))));
    lines.extend(some(&since.gone, "gone", |(step, now)| {
        row("gone", step, &format!("{}: {}", does(step), became(*now)))
    }));
    lines.extend(some(&since.asked, "asked", |conflict| {
        neutralise(&format!("asked {}: {}", conflict.address, conflict.reason))
    }));
    lines.extend(some(&since.answered, "answered", |address| {
        neutralise(&format!("answered {address}"))
    }));
    lines
}

fn some<T>(rows: &[T], word: &str, line: impl Fn(&T) -> String) -> Vec<String> {
    let more = rows.len().saturating_sub(MAX_NAMED);
    let more = (more > 0).then(|| format!("{word} and {more} others"));
    rows.iter().take(MAX_NAMED).map(line).chain(more).collect()
}

fn row(word: &str, step: &Step, what: &str) -> String {
    neutralise(&format!("{word} {}: {what}", step.address))
}

fn does(step: &Step) -> String {
    match (step.action, &step.destination.id) {
        (Action::Upload, _) => "upload".to_owned(),
        (Action::Replace, Some(id)) => format!("replace {id}"),
        (Action::Replace, None) => "replace".to_owned(),
    }
}

fn changed(before: &Step, today: &Step) -> String {
    let (was, is) = (does(before), does(today));
    let what = if was != is {
        format!("{is}, reviewed was {was}")
    } else if before.source.fingerprint != today.source.fingerprint {
        format!("{is}: the source has changed")
    } else {
        format!("{is}: that has changed")
    };
    row("changed", today, &what)
}

fn became(now: Now) -> String {
    match now {
        Now::InSync => "in sync now".to_owned(),
        Now::Asked(reason) => format!("a question now, {reason}"),
        Now::Skipped(reason) => format!("left alone now, {reason}"),
        Now::Absent => "not there any more".to_owned(),
    }
}
