//! Whether two originals of one activity hold the same, and what one lacks.
//!
//! Not compared: time of creation, serial number, order of messages, unknown fields, title. They
//! change from export to export.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::{Content, Session, rounded};

use super::model::Change;

/// Seconds by the clock, as `H:MM:SS`.
pub fn clock(seconds: u32) -> String {
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Every field in which two originals differ; none if they hold the same.
pub fn changes(destination: &Content, source: &Content) -> Vec<Change> {
    let mut changes = Vec::new();
    let (old, new) = (sessions(destination), sessions(source));
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

fn sessions(content: &Content) -> Vec<&Session> {
    let mut sessions: Vec<&Session> = content.sessions().collect();
    sessions.sort_by_key(|session| session.start);
    sessions
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
    let (sent_sessions, kept_sessions) = (sessions(sent), sessions(kept));
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

/// Whether the destination's original has something that the source's lacks: a device's serial
/// number, more sessions, more than 5 % more records, developer fields.
///
/// A file that went through another service comes back without its serial number. One that another
/// device recorded lacks nothing by that: it never was this device's.
pub(super) fn would_lose(destination: &Content, source: &Content) -> bool {
    let serial = |content: &Content| content.parts.iter().any(|part| part.serial.is_some());
    let developer = |content: &Content| content.parts.iter().any(|part| part.developer_fields > 0);
    (serial(destination) && !serial(source) && !are_of_two_devices(destination, source))
        || destination.sessions().count() > source.sessions().count()
        || u64::from(destination.records()) * 100 > u64::from(source.records()) * 105
        || (developer(destination) && !developer(source))
}

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
