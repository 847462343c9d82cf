//! Somebody wants the run to end: what is in flight is finished, nothing new is begun.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::clock::Clock;

/// A wish to stop that many can see.
#[derive(Clone, Debug)]
pub struct Stop {
    wish: Arc<watch::Sender<bool>>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { wish: Arc::new(watch::Sender::new(false)) }
    }
}

impl Stop {
    /// Asks for the end.
    pub fn request(&self) {
        self.wish.send_replace(true);
    }

    /// Whether the end was asked for.
    pub fn is_requested(&self) -> bool {
        *self.wish.borrow()
    }

    /// Works, but not past a wish to stop: for work that may be dropped half way, such as reading.
    pub async fn race<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut wish = self.wish.subscribe();
        tokio::select! {
            biased;
            // The sender lives as long as this value, so waiting ends with a wish only.
            _ = wish.wait_for(|wished| *wished) => None,
            done = work => Some(done),
        }
    }

    /// Sleeps, but not past a wish to stop.
    pub async fn sleep(&self, clock: &dyn Clock, duration: Duration) {
        self.race(clock.sleep(duration)).await;
    }
}
