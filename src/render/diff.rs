//! What stands behind an address on both sides, for people and as JSON.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::domain::neutralise;
use crate::engine::{Fetched, Pairing};
use crate::plan::{ActivityRef, Change, clock};

use super::column::{distance, pad};
use super::difference::{Difference, FieldDifference, RecordDifference, Stretches, difference};
use super::highlight::highlighted;
use super::time::second;

/// Both sides, and every field in which they differ.
pub fn diff(pairing: &Pairing) -> String {
    let mut out = format!("{}\n", neutralise(pairing.address.as_str()).bold());
    side(&mut out, "source", &pairing.source);
    if pairing.destinations.is_empty() {
        let _ = writeln!(out, "\n  {} holds nothing like it.", pairing.standing.rule.destination);
    }
    for fetched in &pairing.destinations {
        out.push('\n');
        side(&mut out, "destination", fetched);
        match compared(pairing, fetched) {
            None => {}
            Some(Ok(found)) => differences(&mut out, &found),
            Some(Err(why)) => {
                let _ = writeln!(out, "  {} {}", "not comparable:".red(), neutralise(&why));
            }
        }
    }
    out
}

/// The same as a document.
pub fn diff_json(pairing: &Pairing) -> Value {
    let rows = pairing.destinations.iter().map(|fetched| {
        let (found, problem) = match compared(pairing, fetched) {
            Some(Ok(found)) => (Some(found), None),
            Some(Err(why)) => (None, Some(why)),
            None => (None, fetched.file.as_ref().err().cloned()),
        };
        json!({ "destination": fetched.activity, "difference": found, "problem": problem })
    });
    json!({
        "format": "fit_sync.diff/1",
        "address": pairing.address,
        "source": pairing.source.activity,
        "problem": pairing.source.file.as_ref().err(),
        "comparisons": rows.collect::<Vec<Value>>(),
    })
}

/// How two files differ, if both are at hand.
fn compared(pairing: &Pairing, fetched: &Fetched) -> Option<Result<Difference, String>> {
    let (source, destination) =
        pairing.source.file.as_ref().ok().zip(fetched.file.as_ref().ok())?;
    Some(difference(destination, source))
}

fn side(out: &mut String, which: &str, fetched: &Fetched) {
    let _ = writeln!(out, "  {}  {}", pad(which, 11), one_line(&fetched.activity));
    if let Err(why) = &fetched.file {
        let _ = writeln!(out, "  {}  {} {}", pad("", 11), "no file:".red(), neutralise(why));
    }
}

/// An activity with everything that tells it from others.
pub(super) fn one_line(activity: &ActivityRef) -> String {
    let start = activity.start.map(second);
    let title = activity.title.as_deref().map(|title| format!("\"{title}\""));
    let parts = [
        Some(format!("{}/{}", activity.account, activity.id)),
        start,
        Some(activity.kind.to_string()),
        Some(distance(activity.distance_m)).filter(|text| !text.is_empty()),
        activity.elapsed_s.map(clock),
        title,
    ];
    neutralise(&parts.into_iter().flatten().collect::<Vec<_>>().join("  "))
}

fn differences(out: &mut String, found: &Difference) {
    if found.same_bytes {
        out.push_str("\n  The same bytes.\n");
        return;
    }
    let records = &found.records;
    if found.changes.is_empty() && records.is_same() {
        out.push_str("\n  Other bytes, but nothing that is compared differs.\n");
        return;
    }
    out.push('\n');
    changes(out, &found.changes);
    record_lines(out, records);
}

fn changes(out: &mut String, changes: &[Change]) {
    let width = changes.iter().map(|change| change.field.len()).max().unwrap_or_default();
    for change in changes {
        let (from, to) = highlighted(&change.from, &change.to);
        let field = neutralise(&change.field);
        let _ = writeln!(out, "  {} {}   {from} -> {to}", "~".magenta(), pad(&field, width));
    }
}

fn record_lines(out: &mut String, records: &RecordDifference) {
    let RecordDifference { source, destination, paired, .. } = records;
    let _ = writeln!(out, "\n  records: {destination} -> {source}, {paired} of the same second");
    stretch_line(
        out,
        &"-".red().to_string(),
        "only at the destination",
        &records.only_at_destination,
    );
    stretch_line(out, &"+".green().to_string(), "only in the source", &records.only_in_source);
    let width = records.fields.iter().map(|field| field.field.len()).max().unwrap_or_default();
    for field in &records.fields {
        field_line(out, field, width, *paired);
    }
}

fn stretch_line(out: &mut String, sign: &str, words: &str, missing: &Stretches) {
    let Some((from, to)) = &missing.first else { return };
    let more = match missing.stretches - 1 {
        0 => String::new(),
        more => format!(", and {more} more stretches"),
    };
    let when = if from == to { from.clone() } else { format!("{from} to {to}") };
    let _ = writeln!(out, "  {sign} {} {words}: {when}{more}", missing.records);
}

fn field_line(out: &mut String, field: &FieldDifference, width: usize, paired: usize) {
    let name = pad(&field.field, width);
    let shown = match (&field.from, &field.to) {
        (None, None) => String::new(),
        (from, to) => {
            let word = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
            let (from, to) = highlighted(&word(from), &word(to));
            format!(": {from} -> {to}")
        }
    };
    let FieldDifference { records, at, .. } = field;
    let _ = writeln!(
        out,
        "  {} {name}   in {records} of {paired}, first at {at}{shown}",
        "~".magenta()
    );
}
