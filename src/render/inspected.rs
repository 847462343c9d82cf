//! What is in a FIT file, for people.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::domain::{neutralise, rounded};
use crate::fit::{Detail, DetailPart, SessionDetail};
use crate::plan::clock;

/// A file, part by part; or why it cannot be used.
pub fn inspected(file: &str, detail: Option<&Detail>, problem: Option<&str>) -> String {
    let mut out = format!("{}\n", neutralise(file).bold());
    if let Some(problem) = problem {
        let _ = writeln!(out, "  {} {}", "not usable:".red(), neutralise(problem));
    }
    let parts = detail.map(|detail| detail.parts.as_slice()).unwrap_or_default();
    for (number, part) in parts.iter().enumerate() {
        if parts.len() > 1 {
            let _ = writeln!(out, "  part {} of {}", number + 1, parts.len());
        }
        one_part(&mut out, part);
    }
    out
}

fn one_part(out: &mut String, part: &DetailPart) {
    let mut line = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(out, "  {name:<14} {}", neutralise(&value));
        }
    };
    line("type", part.file_type.clone());
    let maker = [part.manufacturer.as_deref(), part.product.as_deref()];
    let maker: Vec<&str> = maker.into_iter().flatten().collect();
    line("made by", (!maker.is_empty()).then(|| maker.join(" ")));
    line("serial", part.serial.map(|serial| serial.to_string()));
    line("created", part.time_created.map(|time| time.to_string()));
    line("records", Some(part.records.to_string()));
    let columns = part.columns.iter().map(|(name, count)| format!("{name} {count}"));
    let columns: Vec<String> = columns.collect();
    line("of these", (!columns.is_empty()).then(|| columns.join(", ")));
    line("laps", Some(part.laps.to_string()).filter(|number| number != "0"));
    line("first record", part.first_record.map(|time| time.to_string()));
    line("last record", part.last_record.map(|time| time.to_string()));
    line("dev fields", Some(part.developer_fields.to_string()).filter(|number| number != "0"));
    for session in &part.sessions {
        line("session", Some(session_line(session)));
    }
    for device in &part.devices {
        let words = [&device.kind, &device.manufacturer, &device.product];
        let words: Vec<&str> = words.into_iter().filter_map(|word| word.as_deref()).collect();
        line("device", (!words.is_empty()).then(|| words.join(" ")));
    }
    let messages: Vec<String> =
        part.messages.iter().map(|(name, number)| format!("{name} {number}")).collect();
    line("messages", (!messages.is_empty()).then(|| messages.join(", ")));
}

fn session_line(session: &SessionDetail) -> String {
    let facts = &session.facts;
    let seconds = |ms: u32| clock(rounded(ms, 1000));
    let parts = [
        Some(facts.kind().to_string()),
        facts.start.map(|start| format!("start {start}")),
        facts.elapsed_ms.map(|ms| format!("elapsed {}", seconds(ms))),
        facts.timer_ms.map(|ms| format!("timer {}", seconds(ms))),
        facts.distance_cm.map(|cm| format!("{} m", rounded(cm, 100))),
        facts.ascent_m.map(|metres| format!("ascent {metres} m")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
