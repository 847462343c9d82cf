//! What is known about logins: what keeps the next one from being tried.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long the login is left alone after the first throttled one; doubled by each further one.
pub const FIRST_COOLDOWN: Duration = Duration::from_secs(2 * 3600);
const LONGEST_COOLDOWN: Duration = Duration::from_secs(24 * 3600);

/// What logins of an account came to; outlives its sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Logins {
    /// Nothing touches the login before.
    pub cooldown_until: Option<Timestamp>,
    /// How long the last cooldown was.
    pub cooldown_s: u64,
    /// The platform asks for a one-time code.
    pub needs_code: bool,
    /// Why the last login was refused; only a person may try again.
    pub refused: Option<String>,
}

impl Logins {
    /// The end of a cooldown that lasts.
    pub fn cooling_down(&self, now: Timestamp) -> Option<Timestamp> {
        self.cooldown_until.filter(|until| *until > now)
    }

    /// A login was throttled.
    pub fn throttled(&mut self, now: Timestamp, asked: Option<Duration>) {
        let doubled = Duration::from_secs(self.cooldown_s.saturating_mul(2));
        let wait = doubled.clamp(FIRST_COOLDOWN, LONGEST_COOLDOWN).max(asked.unwrap_or_default());
        self.cooldown_s = wait.min(LONGEST_COOLDOWN).as_secs();
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(24));
        self.cooldown_until = Some(now.checked_add(wait).unwrap_or(Timestamp::MAX));
    }

    /// A login succeeded. Whether it asked for a code is worth remembering.
    pub fn succeeded(&mut self) {
        *self = Self { needs_code: self.needs_code, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cooldowns_double_up_to_a_day_and_end() {
        let mut logins = Logins::default();
        let mut now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let mut hours = Vec::new();
        for _ in 0..6 {
            assert_eq!(logins.cooling_down(now), None);
            logins.throttled(now, None);
            let until = logins.cooling_down(now).unwrap();
            hours.push(until.duration_since(now).as_hours());
            now = until;
        }
        assert_eq!(hours, [2, 4, 8, 16, 24, 24]);
        logins.succeeded();
        logins.throttled(now, Some(Duration::from_secs(3 * 3600)));
        assert_eq!(logins.cooling_down(now).unwrap().duration_since(now).as_hours(), 3);
    }
}
