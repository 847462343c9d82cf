//! Times to the second: nobody needs parts of one.

use jiff::Timestamp;

/// For people who look at activities: `2026-11-19 06:12:33Z`.
pub(super) fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// As addresses and logs have it: `2026-11-19T06:12:33Z`.
pub(super) fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
