//! Where things stand, on one screen.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;
use serde_json::{Value, json};

use crate::domain::neutralise;
use crate::engine::Overview;
use crate::state::{InventoryMeta, Run, StepRecord};

use super::column::pad;
use super::memory::run_json;
use super::plan_text::{count, plan_summary};
use super::sessions::{SessionRow, SessionState};
use super::time::stamp;

/// Steps and questions that are named; the others are counted.
const MOST: usize = 5;

/// An account as `status` shows it.
#[derive(Clone, Debug)]
pub struct StatusRow {
    /// Who it is, and its session.
    pub session: SessionRow,
    /// Whether it has a login at all.
    pub needs_login: bool,
    /// Most requests in flight, and least milliseconds between two; `None` if it is asked over no
    /// wire.
    pub pace: Option<(u32, u128)>,
}

/// Accounts, the last apply, what it left open, and what a plan would do.
pub fn status(rows: &[StatusRow], overview: &Overview) -> String {
    let mut out = format!("{}\n", "accounts".bold());
    out.push_str(&accounts(rows, overview));
    let _ = writeln!(out, "\n{}", "last apply".bold());
    let _ = writeln!(out, "  {}", last_apply(overview.last_run.as_ref()));
    let open = overview.open.iter().map(open_step);
    section(&mut out, "left open, for the next apply to look at", &open.collect::<Vec<_>>());
    let conflicts = &overview.document.context.conflicts;
    let conflicts = conflicts.iter().map(|row| format!("{}: {}", row.address, row.reason));
    section(&mut out, "for a person to decide", &conflicts.collect::<Vec<_>>());
    let _ = writeln!(out, "\n{}", "plan, from what was read last".bold());
    for line in plan_summary(&overview.document).lines() {
        let _ = writeln!(out, "  {line}");
    }
    out
}

fn section(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", title.bold());
    for line in lines.iter().take(MOST) {
        let _ = writeln!(out, "  {}", neutralise(line));
    }
    if let Some(more) = lines.len().checked_sub(MOST).filter(|more| *more > 0) {
        let _ = writeln!(out, "  and {more} more");
    }
}

fn accounts(rows: &[StatusRow], overview: &Overview) -> String {
    let lines = rows.iter().map(|row| {
        let read = listing_of(row, overview).map_or("never read".to_owned(), listing_words);
        let pace = row.pace.map_or(String::new(), |(most, gap)| {
            format!("{} at a time, {gap} ms apart", count(u64::from(most), "request"))
        });
        let trouble = row.session.trouble.clone().unwrap_or_default();
        [row.session.name.to_string(), row.session.place.clone(), login(row), read, pace, trouble]
    });
    let lines: Vec<[String; 6]> = lines.collect();
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (place, cell) in line.iter().enumerate() {
            let cells = lines.iter().filter_map(|line| line.get(place));
            let width = cells.map(|cell| unicode_width::UnicodeWidthStr::width(cell.as_str()));
            text.push_str("  ");
            text.push_str(&pad(cell, width.max().unwrap_or_default()));
        }
        let _ = writeln!(out, "{}", neutralise(text.trim_end()));
    }
    out
}

fn listing_of<'a>(row: &StatusRow, overview: &'a Overview) -> Option<&'a InventoryMeta> {
    let of = |(name, _): &&(_, _)| *name == row.session.name;
    overview.listings.iter().find(of)?.1.as_ref()
}

fn listing_words(meta: &InventoryMeta) -> String {
    let number = match meta.count {
        1 => "1 activity".to_owned(),
        number => format!("{number} activities"),
    };
    let gap = if meta.complete { "" } else { ", not all" };
    format!("{number}{gap}, read {}", stamp(meta.refreshed_at))
}

fn login(row: &StatusRow) -> String {
    if !row.needs_login {
        return "no login".to_owned();
    }
    let session = &row.session;
    let end = session.ends_at.map(|end| end.strftime("%Y-%m-%d").to_string());
    let mut words = match (session.state, end) {
        (SessionState::Ok, Some(end)) => format!("session ok until {end}, longer if used"),
        (SessionState::Ok, None) => "session ok".to_owned(),
        (SessionState::Expired, Some(end)) => format!("session over since {end}"),
        (SessionState::Expired, None) => "session over".to_owned(),
        (SessionState::None | SessionState::Cooldown, _) => "no session".to_owned(),
    };
    if let Some(until) = session.cooldown_until {
        let _ = write!(words, ", login left alone until {}", stamp(until));
    }
    words
}

fn last_apply(run: Option<&Run>) -> String {
    let Some(run) = run else { return "none yet".to_owned() };
    let began = format!("run {}, {}", run.id.0, stamp(run.started_at));
    let Some(end) = &run.end else {
        return format!("{began}, did not end: killed, or still running");
    };
    let counts = end.counts.iter();
    let counts = counts.map(|(phase, number)| format!(", {number} {}", phase.replace('_', " ")));
    format!("{began}, exit {}{}", end.exit, counts.collect::<String>())
}

fn open_step(record: &StepRecord) -> String {
    let phase = record.phase().map_or("", |phase| phase.as_str());
    format!("{} {phase}, since run {}", record.step.address, record.run.0)
}

/// The same as `fit_sync.status/1`.
pub fn status_json(rows: &[StatusRow], overview: &Overview) -> Value {
    let accounts: Vec<Value> = rows.iter().map(|row| account_json(row, overview)).collect();
    let open = overview.open.iter().map(|record| {
        json!({ "address": record.step.address, "phase": record.phase(), "run": record.run.0.to_string() })
    });
    let context = &overview.document.context;
    json!({
        "format": "fit_sync.status/1",
        "accounts": accounts,
        "last_apply": overview.last_run.as_ref().map(run_json),
        "open": open.collect::<Vec<_>>(),
        "plan": {
            "counts": context.counts,
            "conflicts": context.conflicts.iter().map(|row| &row.address).collect::<Vec<_>>(),
            "blocked": context.blocked,
            "limits": context.limits,
        },
    })
}

fn account_json(row: &StatusRow, overview: &Overview) -> Value {
    let session = &row.session;
    let login = row.needs_login.then(|| {
        json!({
            "state": session.state,
            "expires_at": session.ends_at,
            "cooldown_until": session.cooldown_until,
        })
    });
    let inventory = listing_of(row, overview).map(|meta| {
        json!({
            "count": meta.count,
            "complete": meta.complete,
            "refreshed_at": meta.refreshed_at,
        })
    });
    let pace = row.pace.map(|(most, gap)| {
        json!({ "max_parallel": most, "min_gap_ms": u64::try_from(gap).unwrap_or(u64::MAX) })
    });
    json!({ "name": session.name, "session": login, "inventory": inventory, "pace": pace })
}
