//! Time that passes only when it is told to, and a clock that may show it wrong.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use fit_sync::clock::Clock;
use jiff::{SignedDuration, Timestamp};

/// The first instant of every world.
const BEGIN: &str = "2026-09-01T08:00:00Z";

/// The true time, and how far the machine's clock is off.
#[derive(Debug)]
pub(crate) struct Time {
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    now: Timestamp,
    behind: SignedDuration,
}

impl Time {
    pub(crate) fn new() -> Arc<Self> {
        let now = BEGIN.parse().unwrap_or_default();
        Arc::new(Self { state: Mutex::new(State { now, behind: SignedDuration::ZERO }) })
    }

    /// The true time.
    pub(crate) fn now(&self) -> Timestamp {
        self.state().now
    }

    pub(crate) fn pass(&self, duration: SignedDuration) {
        let mut state = self.state();
        state.now = state.now.saturating_add(duration).unwrap_or(Timestamp::MAX);
    }

    /// Sets the machine's clock back.
    pub(crate) fn set_back(&self, by: SignedDuration) {
        let mut state = self.state();
        state.behind = state.behind.saturating_add(by);
    }

    /// Sets the machine's clock right.
    pub(crate) fn set_right(&self) {
        self.state().behind = SignedDuration::ZERO;
    }

    /// Days and hours since the beginning, for stories.
    pub(crate) fn told(&self) -> String {
        let begin: Timestamp = BEGIN.parse().unwrap_or_default();
        let minutes = self.now().duration_since(begin).as_mins() + 8 * 60;
        let (day, rest) = (minutes / (24 * 60), minutes % (24 * 60));
        format!("day {} {:02}:{:02}", day + 1, rest / 60, rest % 60)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clock of the accounts, which is right.
#[derive(Debug)]
pub(crate) struct TrueClock(pub(crate) Arc<Time>);

/// The clock of the machine.
#[derive(Debug)]
pub(crate) struct MachineClock(pub(crate) Arc<Time>);

#[async_trait]
impl Clock for TrueClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.pass(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX));
    }
}

#[async_trait]
impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        let state = *self.0.state();
        state.now.saturating_sub(state.behind).unwrap_or(Timestamp::MIN)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.pass(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX));
    }
}
