//! A request to end the run: what is in flight is finished, nothing new is begun.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;

/// A cancellation that clones share.
#[derive(Clone, Debug)]
pub struct Cancellation {
    requested: Arc<watch::Sender<bool>>,
}

impl Default for Cancellation {
    fn default() -> Self {
        Self { requested: Arc::new(watch::Sender::new(false)) }
    }
}

impl Cancellation {
    /// Requests the end of the run.
    pub fn request(&self) {
        self.requested.send_replace(true);
    }

    /// Returns whether the end was requested.
    pub fn is_requested(&self) -> bool {
        *self.requested.borrow()
    }

    /// Works until done or cancelled: for work that may be dropped half way, such as reading.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut requested = self.requested.subscribe();
        tokio::select! {
            biased;
            // The sender lives as long as this value, so waiting ends with a request only.
            _ = requested.wait_for(|requested| *requested) => None,
            done = work => Some(done),
        }
    }

    /// Sleeps until the time has passed or the run is cancelled.
    pub async fn sleep(&self, clock: &dyn Clock, duration: Duration) {
        self.race(clock.sleep(duration)).await;
    }
}

/// The run was cancelled before something began: nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped before it was sent")]
pub struct Cancelled;

/// A clock on which the n-th sleep lasts for ever, and the run is cancelled meanwhile.
#[cfg(test)]
pub(crate) struct CancellingClock {
    pub(crate) manual: crate::clock::ManualClock,
    pub(crate) stop: Cancellation,
    pub(crate) at_sleep: usize,
}

#[cfg(test)]
#[async_trait::async_trait]
impl Clock for CancellingClock {
    fn now(&self) -> jiff::Timestamp {
        self.manual.now()
    }

    async fn sleep(&self, duration: Duration) {
        if self.manual.sleeps().len() + 1 == self.at_sleep && !self.stop.is_requested() {
            self.stop.request();
            std::future::pending::<()>().await;
        }
        self.manual.sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use crate::clock::ManualClock;

    use super::*;

    #[tokio::test]
    async fn a_sleep_ends_with_the_request() {
        let stop = Cancellation::default();
        let manual = ManualClock::new(Timestamp::UNIX_EPOCH);
        let clock = CancellingClock { manual, stop: stop.clone(), at_sleep: 1 };
        stop.sleep(&clock, Duration::from_secs(86_400)).await;
        assert!(stop.is_requested() && clock.manual.sleeps().is_empty());
        assert_eq!(stop.race(async { 1 }).await, None, "nothing is begun afterwards");
    }
}
