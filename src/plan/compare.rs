//! Whether two originals of one activity hold the same, and what one lacks.
//!
//! Not compared: time of creation, serial number, order of messages, unknown fields, title. They
//! change from export to export.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::{Column, Content, Part, Session, rounded};

use super::model::Change;

/// Seconds by the clock, as `H:MM:SS`.
pub fn clock(seconds: u32) -> String {
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Every field in which two originals differ; none if they hold the same.
pub fn changes(destination: &Content, source: &Content) -> Vec<Change> {
    let mut changes = Vec::new();
    let (old, new) = (destination.sessions(), source.sessions());
    let mut note = |field: &str, from: Option<String>, to: Option<String>| {
        if from != to {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
            changes.push(Change { field: field.to_owned(), from: shown(from), to: shown(to) });
        }
    };
    note("sessions", Some(old.len().to_string()), Some(new.len().to_string()));
    let several = old.len().max(new.len()) > 1;
    for (place, (old, new)) in old.iter().zip(&new).enumerate() {
        for (field, show) in SESSION_FIELDS {
            let shown = |session: &Session| {
                let text = show(session)?;
                Some(if several { format!("#{} {text}", place + 1) } else { text })
            };
            note(field, shown(old), shown(new));
        }
    }
    for (field, show) in FILE_FIELDS {
        note(field, show(destination), show(source));
    }
    changes
}

type Show<T> = fn(&T) -> Option<String>;

const SESSION_FIELDS: [(&str, Show<Session>); 6] = [
    ("session.start_time", |s| s.start.map(|start| start.to_string())),
    ("session.total_elapsed_time", |s| s.elapsed_ms.map(|ms| clock(rounded(ms, 1000)))),
    ("session.total_timer_time", |s| s.timer_ms.map(|ms| clock(rounded(ms, 1000)))),
    ("session.total_distance", |s| s.distance_cm.map(|cm| format!("{} m", rounded(cm, 100)))),
    ("session.total_ascent", |s| s.ascent_m.map(|m| format!("{m} m"))),
    ("session.sport", |s| Some(s.kind().to_string())),
];

const FILE_FIELDS: [(&str, Show<Content>); 5] = [
    ("records", |c| Some(c.records().to_string())),
    ("first_record", |c| text(c.parts.iter().filter_map(|part| part.first_record).min())),
    ("last_record", |c| text(c.parts.iter().filter_map(|part| part.last_record).max())),
    ("manufacturer", |c| c.parts.first()?.manufacturer.map(|number| number.to_string())),
    ("product", |c| c.parts.first()?.product.map(|number| number.to_string())),
];

fn text(time: Option<Timestamp>) -> Option<String> {
    time.map(|time| time.to_string())
}

/// Whether what a platform made of a file is that recording still, whole but for what platforms
/// compute anew: as many sessions, each as long and as far, and its records.
pub fn is_whole(sent: &Content, kept: &Content) -> bool {
    let (sent_sessions, kept_sessions) = (sent.sessions(), kept.sessions());
    let as_long = |a: Option<u32>, b: Option<u32>| match (a, b) {
        (Some(a), Some(b)) => a.abs_diff(b) <= 2000,
        (None, _) | (_, None) => true,
    };
    let as_far = |a: Option<u32>, b: Option<u32>| {
        let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
        a.abs_diff(b) <= 2000 || u64::from(a.abs_diff(b)) * 100 <= u64::from(a.max(b))
    };
    sent_sessions.len() == kept_sessions.len()
        && u64::from(sent.records()) * 100 <= u64::from(kept.records()) * 105
        && sent_sessions.iter().zip(&kept_sessions).all(|(sent, kept)| {
            sent.start == kept.start
                && as_long(sent.elapsed_ms, kept.elapsed_ms)
                && as_far(sent.distance_cm, kept.distance_cm)
                && sent.kind().family() == kept.kind().family()
        })
}

/// Whether two files hold one recording of one device, and differ at most in when they were written.
pub fn is_same_recording(one: &Content, other: &Content) -> bool {
    let serials = |content: &Content| -> Vec<Option<u32>> {
        content.parts.iter().map(|part| part.serial).collect()
    };
    changes(one, other).is_empty() && serials(one) == serials(other)
}

/// Records of a column that count as noise.
const FEW_RECORDS: u32 = 10;

/// What the destination's original has that the source's lacks, in words: the serial number of a
/// device, sessions, laps, values of sessions, records and their columns, developer fields.
///
/// A file that went through another service comes back without its serial number. One that another
/// device recorded lacks nothing by that: it never was this device's.
pub(super) fn losses(destination: &Content, source: &Content) -> Vec<String> {
    let mut losses = Vec::new();
    let serial = |content: &Content| content.parts.iter().find_map(|part| part.serial);
    if let (Some(number), None) = (serial(destination), serial(source))
        && !are_of_two_devices(destination, source)
    {
        losses.push(format!("the device's serial number ({number})"));
    }
    let (old, new) = (destination.sessions(), source.sessions());
    losses.extend(fewer("sessions", count_of(&old), count_of(&new)));
    let laps = [destination, source].map(|content| count_all(content, |part| part.laps));
    losses.extend(fewer("laps", laps[0], laps[1]));
    losses.extend(lost_values(&old, &new));
    let records = [destination, source].map(Content::records);
    if is_clearly_less(records[0], records[1]) {
        losses.extend(fewer("records", records[0], records[1]));
    }
    for column in Column::ALL {
        let [old, new] = [destination, source]
            .map(|content| count_all(content, |part| part.columns.count(column)));
        if old > new.saturating_add(FEW_RECORDS) && is_clearly_less(old, new) {
            losses.extend(fewer(&format!("records with {}", column.as_str()), old, new));
        }
    }
    let developer = [destination, source].map(|it| count_all(it, |part| part.developer_fields));
    if developer[0] > 0 && developer[1] == 0 {
        losses.extend(fewer("developer fields", developer[0], 0));
    }
    losses
}

fn count_all(content: &Content, of: impl Fn(&Part) -> u32) -> u32 {
    content.parts.iter().map(of).fold(0, u32::saturating_add)
}

fn count_of(sessions: &[&Session]) -> u32 {
    u32::try_from(sessions.len()).unwrap_or(u32::MAX)
}

/// By more than 5 %.
fn is_clearly_less(old: u32, new: u32) -> bool {
    u64::from(old) * 100 > u64::from(new) * 105
}

fn fewer(what: &str, old: u32, new: u32) -> Option<String> {
    match new {
        _ if new >= old => None,
        0 => Some(format!("all {old} {what}")),
        new => Some(format!("{} of {old} {what}", old - new)),
    }
}

/// Values of a session that would become 0 or go.
fn lost_values(old: &[&Session], new: &[&Session]) -> Vec<String> {
    let several = old.len() > 1;
    let mut lost = Vec::new();
    for (place, (old, new)) in old.iter().zip(new).enumerate() {
        let of = if several { format!(" of session {}", place + 1) } else { String::new() };
        for (what, show) in LOSABLE {
            if let (Some(value), None) = (show(old), show(new)) {
                lost.push(format!("{what}{of} ({value})"));
            }
        }
        let kept: Vec<&str> = new.held().collect();
        let gone = old.held().filter(|what| !kept.contains(what));
        lost.extend(gone.map(|what| format!("{what}{of}")));
    }
    lost
}

const LOSABLE: [(&str, Show<Session>); 4] = [
    ("elapsed time", |s| s.elapsed_ms.filter(|ms| *ms > 0).map(|ms| clock(rounded(ms, 1000)))),
    ("timer time", |s| s.timer_ms.filter(|ms| *ms > 0).map(|ms| clock(rounded(ms, 1000)))),
    ("distance", |s| {
        s.distance_cm.filter(|cm| *cm > 0).map(|cm| format!("{} m", rounded(cm, 100)))
    }),
    ("ascent", |s| s.ascent_m.filter(|m| *m > 0).map(|m| format!("{m} m"))),
];

/// Whether two devices recorded an event side by side: of different makers, begun in different
/// seconds. A re-export may name another maker, but it keeps the second.
fn are_of_two_devices(one: &Content, other: &Content) -> bool {
    let makers = |content: &Content| -> Option<BTreeSet<u16>> {
        content.parts.iter().map(|part| part.manufacturer).collect()
    };
    let start = |content: &Content| Some(content.key()?.0.start);
    let makers = makers(one).zip(makers(other));
    let starts = start(one).zip(start(other));
    makers.is_some_and(|(one, other)| one.is_disjoint(&other))
        && starts.is_some_and(|(one, other)| one != other)
}
