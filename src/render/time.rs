//! Times to the second: nobody needs parts of one.

use jiff::{SignedDuration, Timestamp};

/// For people who look at activities: `2026-11-19 06:12:33Z`.
pub(super) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// As addresses and logs have it: `2026-11-19T06:12:33Z`.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// How long ago something was: `20 s`, `15 min`, `30 h`, `9 days`.
pub fn age(age: SignedDuration) -> String {
    match age.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
