//! Time as a value that is handed down, so that nothing below the command line asks the machine.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// The time of day and the means to let some of it pass.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
    /// Lets time pass.
    async fn sleep(&self, duration: Duration);
}

/// Returns the time from `since` to `now`: zero where the clock was set back in between.
pub fn age(now: Timestamp, since: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or_default()
}

/// The machine's own clock.
#[derive(Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        #[expect(clippy::disallowed_methods, reason = "the one place that waits")]
        tokio::time::sleep(duration).await;
    }
}

/// A clock that stands still, advances by what is slept, and returns at once.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<(Timestamp, Vec<Duration>)>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn new(now: Timestamp) -> Self {
        Self { state: Mutex::new((now, Vec::new())) }
    }

    /// Every sleep so far, in order.
    pub fn sleeps(&self) -> Vec<Duration> {
        self.locked().1.clone()
    }

    /// Lets time pass without anybody sleeping.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.locked();
        state.0 = after(state.0, duration);
    }

    /// Sets the clock, as a person or a time server does.
    pub fn set(&self, now: Timestamp) {
        self.locked().0 = now;
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, (Timestamp, Vec<Duration>)> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn after(now: Timestamp, duration: Duration) -> Timestamp {
    SignedDuration::try_from(duration)
        .ok()
        .and_then(|duration| now.checked_add(duration).ok())
        .unwrap_or(Timestamp::MAX)
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.locked().0
    }

    async fn sleep(&self, duration: Duration) {
        let mut state = self.locked();
        state.0 = after(state.0, duration);
        state.1.push(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_old() {
        let since: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let minute = Duration::from_secs(60);
        assert_eq!(age(after(since, minute), since), minute);
        assert_eq!(age(since, after(since, minute)), Duration::ZERO);
        assert_eq!(age(Timestamp::MIN, Timestamp::MAX), Duration::ZERO);
    }
}
