//! What the state remembers, for people.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::domain::{LinkStatus, Refusal, neutralise};
use crate::state::{Run, StoredLink, StoredRefusal};

use super::column::pad;
use super::time;

/// Linked pairs, a line each.
pub fn links(links: &[StoredLink]) -> String {
    let mut out = String::new();
    let addresses = links.iter().map(|stored| stored.link.address.as_str().chars().count());
    let width = addresses.max().unwrap_or_default();
    for stored in links {
        let link = &stored.link;
        let there = link.destination.as_ref().map_or("not listed yet", |side| side.id.as_str());
        let status = match link.status {
            LinkStatus::Confirmed => "",
            LinkStatus::Pending { .. } => "  pending",
        };
        let line = format!(
            "{}  {}/{} -> {}/{there}{status}",
            pad(link.address.as_str(), width),
            stored.source,
            link.source.id,
            stored.destination,
        );
        let _ = writeln!(out, "{}", neutralise(&line));
    }
    if links.is_empty() {
        out.push_str("No pairs are linked yet.\n");
    }
    out
}

/// What was refused, two lines each: between whom and why, then when and when again.
pub fn refusals(refusals: &[StoredRefusal]) -> String {
    let mut out = String::new();
    for StoredRefusal { source, destination, address, refusal } in refusals {
        let detail = match refusal.detail.as_str() {
            "" => String::new(),
            detail => format!(" ({detail})"),
        };
        let line = format!(
            "{address}  {source}/{} -> {destination}  {}{detail}",
            refusal.id,
            refusal.reason.as_str()
        );
        let _ = writeln!(out, "{}", neutralise(&line));
        let _ = writeln!(out, "    {}", looks(refusal));
    }
    if refusals.is_empty() {
        out.push_str("Nothing was refused.\n");
    }
    out
}

/// When a refusal was found, how often, and what brings the next look.
fn looks(refusal: &Refusal) -> String {
    let (first, last) = (time::second(refusal.first_seen), time::second(refusal.last_seen));
    let found = match refusal.looks {
        0 => format!("no look is needed, found {first}"),
        1 => format!("1 look, {last}"),
        days => format!("{days} looks, first {first}, last {last}"),
    };
    let next = match (refusal.next_look(), &refusal.candidate) {
        (Some(day), _) => format!("looked at again from {day} on"),
        (None, Some(candidate)) => format!("a person decides whether it is {candidate}"),
        (None, None) => "looked at again with --retry-refused".to_owned(),
    };
    neutralise(&format!("{found}; {next}"))
}

/// A refusal as `fit_sync.refusals/1` has it.
pub fn refusal_json(stored: &StoredRefusal) -> Value {
    let StoredRefusal { source, destination, address, refusal } = stored;
    json!({
        "address": address,
        "rule": address.rule(),
        "source": { "account": source, "id": refusal.id },
        "destination": { "account": destination },
        "reason": refusal.reason.as_str(),
        "detail": refusal.detail,
        "candidate": refusal.candidate,
        "first_seen": refusal.first_seen,
        "last_seen": refusal.last_seen,
        "looks": refusal.looks,
        "next_look": refusal.next_look(),
    })
}

/// Past runs, the newest first.
pub fn history(runs: &[Run]) -> String {
    let mut out = String::new();
    for run in runs {
        let end = match &run.end {
            Some(end) => {
                format!("ended {}  exit {}  {}", end.at, end.exit, json!(end.counts))
            }
            None => "not ended".to_owned(),
        };
        let _ = writeln!(out, "run {}  started {}  {end}", run.id.0, run.started_at);
    }
    if runs.is_empty() {
        out.push_str("Nothing was applied yet.\n");
    }
    out
}

/// A run as `fit_sync.history/1` has it.
pub fn run_json(run: &Run) -> Value {
    let end = run.end.as_ref();
    json!({
        "run": run.id.0.to_string(),
        "started_at": run.started_at,
        "ended_at": end.map(|end| end.at),
        "exit": end.map(|end| end.exit),
        "counts": end.map(|end| end.counts.clone()).unwrap_or_default(),
    })
}

/// A JSON document with its texts made harmless.
pub fn json(value: &Value) -> String {
    format!("{:#}\n", harmless(value))
}

fn harmless(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(neutralise(text)),
        Value::Array(items) => items.iter().map(harmless).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (neutralise(name), harmless(value))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A JSON value as indented lines.
pub fn outline(value: &Value) -> String {
    let mut out = String::new();
    lines(&mut out, value, 0);
    out
}

fn lines(out: &mut String, value: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::Object(_) | Value::Array(_) => {
                        let _ = writeln!(out, "{indent}{name}:");
                        lines(out, value, depth + 1);
                    }
                    Value::Null => {}
                    Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                        let _ = writeln!(out, "{indent}{name}: {}", scalar(value));
                    }
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                let _ = writeln!(out, "{indent}-");
                lines(out, item, depth + 1);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _ = writeln!(out, "{indent}{}", scalar(value));
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => neutralise(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}
