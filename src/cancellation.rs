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
