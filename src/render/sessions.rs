//! What is known about accounts' sessions, for people and for programs.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::clock::age;
use crate::domain::{AccountName, ProfileId, neutralise};

use super::column::pad;

/// An account and its session.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// The account.
    pub name: AccountName,
    /// Platform and region, as people know them.
    pub place: String,
    /// Login name.
    pub email: Option<String>,
    /// Whether it can be used.
    pub state: SessionState,
    /// When somebody logged in, and how.
    pub obtained: Option<(Timestamp, String)>,
    /// When it ends for good, if that is known.
    pub ends_at: Option<Timestamp>,
    /// Until when the login is left alone.
    pub cooldown_until: Option<Timestamp>,
    /// Whose it is.
    pub profile: Option<ProfileId>,
    /// What else keeps it from being used.
    pub trouble: Option<String>,
}

/// Whether a session can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// As far as is known here.
    Ok,
    /// It is over, or not this account's.
    Expired,
    /// There is none.
    None,
    /// There is none, and the login is left alone for a while.
    Cooldown,
}

impl SessionState {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Expired => "expired",
            Self::None => "none",
            Self::Cooldown => "cooldown",
        }
    }
}

/// Sessions, an account each.
pub fn sessions(rows: &[SessionRow], now: Timestamp) -> String {
    let mut out = String::new();
    let width = rows.iter().map(|row| row.name.as_str().chars().count()).max().unwrap_or_default();
    for row in rows {
        let email = row.email.as_deref().map_or(String::new(), |email| format!("  {email}"));
        let mut line = format!(
            "{}  {}  {}{email}",
            pad(row.name.as_str(), width),
            pad(row.state.word(), 8),
            row.place
        );
        if let Some((at, how)) = &row.obtained {
            let _ = write!(line, "; login {} ago ({how})", days(age(now, *at)));
        }
        match (row.state, row.ends_at) {
            (SessionState::Ok, Some(end)) => {
                let _ = write!(line, "; ends in {} unless used", days(age(end, now)));
            }
            (SessionState::Ok, None) => line.push_str("; end not known"),
            (_, Some(end)) => {
                let _ = write!(line, "; ended {} ago", days(age(now, end)));
            }
            (_, None) => {}
        }
        if let Some(until) = row.cooldown_until {
            let _ = write!(line, "; login left alone until {until:.0}");
        }
        if let Some(profile) = &row.profile {
            let _ = write!(line, "; profile {}", profile.as_str());
        }
        if let Some(trouble) = &row.trouble {
            let _ = write!(line, "; {trouble}");
        }
        let _ = writeln!(out, "{}", neutralise(&line));
    }
    if rows.is_empty() {
        out.push_str("No account of the manifest needs a login.\n");
    }
    out
}

fn days(span: Duration) -> String {
    let minutes = span.as_secs() / 60;
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}

/// Sessions as `fit_sync.auth/1`.
pub fn sessions_json(rows: &[SessionRow]) -> serde_json::Value {
    let accounts: Vec<serde_json::Value> = rows
        .iter()
        .map(|row| {
            serde_json::json!({
                "name": row.name,
                "state": row.state,
                "expires_at": row.ends_at,
                "cooldown_until": row.cooldown_until,
            })
        })
        .collect();
    serde_json::json!({ "format": "fit_sync.auth/1", "accounts": accounts })
}
