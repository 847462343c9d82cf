//! When an account's next request may begin.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::age;

use super::retry::MAX_WAIT;

/// However often an account asks to wait, its gaps grow no further than by this.
const MAX_SLOWNESS: u32 = 8;
/// After a stop, nothing waits longer than this for what a 429 asked.
pub(super) const MAX_FINAL_WAIT: Duration = Duration::from_secs(3);

/// What the next request has to wait for.
pub(super) struct Flow {
    /// When the latest request begins, and the gap that follows it.
    begins: Timestamp,
    gap: Duration,
    /// By how much all gaps have grown.
    slowness: u32,
    /// Until when the account asked to be left alone.
    asked_until: Timestamp,
    /// The account asked for more than anything waits.
    is_closed: bool,
    /// The time at the latest look.
    seen: Timestamp,
}

impl Flow {
    /// Waits for nothing.
    pub(super) fn new() -> Self {
        Self {
            begins: Timestamp::MIN,
            gap: Duration::ZERO,
            slowness: 1,
            asked_until: Timestamp::MIN,
            is_closed: false,
            seen: Timestamp::MIN,
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Notes the time. Where the clock was set back, what is waited for moves with it.
    pub(super) fn note_time(&mut self, now: Timestamp) {
        let back = age(self.seen, now);
        self.begins = before(self.begins, back);
        self.asked_until = before(self.asked_until, back);
        self.seen = now;
    }

    /// Takes the next free moment, and keeps a gap free after it; returns how long it is until then.
    pub(super) fn reserve(&mut self, gap: Duration) -> Duration {
        let free = after(self.begins, self.gap.saturating_mul(self.slowness));
        let begins = self.seen.max(free).max(self.asked_until);
        (self.begins, self.gap) = (begins, gap);
        age(begins, self.seen)
    }

    /// Takes the first moment that is no affront: the ordinary gap, and a little of what was asked.
    pub(super) fn reserve_soon(&mut self, gap: Duration) -> Duration {
        let free = age(after(self.begins, self.gap), self.seen).min(self.gap);
        let asked = age(self.asked_until, self.seen).min(MAX_FINAL_WAIT);
        let asked = if self.is_closed { MAX_FINAL_WAIT } else { asked };
        let wait = free.max(asked);
        (self.begins, self.gap) = (after(self.seen, wait), gap);
        wait
    }

    /// Lets nothing through for so long, and everything at twice the distance from then on; where
    /// that is longer than anything waits, nothing more at all.
    pub(super) fn slow_down(&mut self, wait: Duration) {
        self.slowness = (self.slowness * 2).min(MAX_SLOWNESS);
        if wait > MAX_WAIT {
            self.is_closed = true;
        } else {
            self.asked_until = self.asked_until.max(after(self.seen, wait));
        }
    }
}

fn after(moment: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    moment.checked_add(wait).unwrap_or(Timestamp::MAX)
}

fn before(moment: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    moment.checked_sub(wait).unwrap_or(Timestamp::MIN)
}
