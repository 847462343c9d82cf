//! What is known about logins: what keeps the next one from being tried.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The first cooldown of a login that was throttled or blocked; doubled by each further one.
pub const FIRST_COOLDOWN: Duration = Duration::from_secs(2 * 3600);
const LONGEST_COOLDOWN: Duration = Duration::from_secs(24 * 3600);

/// What logins of an account came to; outlives its sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Logins {
    /// Nothing touches the login before this time.
    pub cooldown_until: Option<Timestamp>,
    /// Why, in words for people.
    pub cooldown_reason: String,
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

    /// Begins a cooldown, of at least the time that was asked for; returns its end.
    pub fn cool_down(
        &mut self,
        now: Timestamp,
        reason: String,
        asked: Option<Duration>,
    ) -> Timestamp {
        let doubled = Duration::from_secs(self.cooldown_s.saturating_mul(2));
        let wait = doubled.clamp(FIRST_COOLDOWN, LONGEST_COOLDOWN).max(asked.unwrap_or_default());
        self.cooldown_s = wait.min(LONGEST_COOLDOWN).as_secs();
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_hours(24));
        let until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        (self.cooldown_until, self.cooldown_reason) = (Some(until), reason);
        until
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
            let until = logins.cool_down(now, "throttled".to_owned(), None);
            assert_eq!(logins.cooling_down(now), Some(until));
            hours.push(until.duration_since(now).as_hours());
            now = until;
        }
        assert_eq!(hours, [2, 4, 8, 16, 24, 24]);
        logins.succeeded();
        let asked = Duration::from_secs(3 * 3600);
        let until = logins.cool_down(now, "throttled".to_owned(), Some(asked));
        assert_eq!(until.duration_since(now).as_hours(), 3);
    }
}
