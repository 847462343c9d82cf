//! How fast an account is asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::clock::Clock;

/// How many requests, and how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// Most in flight.
    pub max_parallel: u32,
    /// Least time between the beginnings of two.
    pub min_gap: Duration,
}

/// Lets an account's requests through one after another.
pub struct Pace {
    clock: Arc<dyn Clock>,
    slots: Semaphore,
    min_gap: Duration,
    next: Mutex<Timestamp>,
}

impl Pace {
    /// With nothing in flight.
    pub fn new(pacing: Pacing, clock: Arc<dyn Clock>) -> Self {
        let slots = usize::try_from(pacing.max_parallel.max(1)).unwrap_or(1);
        Self {
            clock,
            slots: Semaphore::new(slots.min(Semaphore::MAX_PERMITS)),
            min_gap: pacing.min_gap,
            next: Mutex::new(Timestamp::MIN),
        }
    }

    /// Waits for a free slot and for the gap; the slot is free again when the answer is dropped.
    pub(super) async fn enter(&self) -> Option<SemaphorePermit<'_>> {
        // The semaphore is never closed.
        let permit = self.slots.acquire().await.ok();
        let wait = self.reserve();
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        permit
    }

    /// Takes the next free moment; how long it is until then.
    fn reserve(&self) -> Duration {
        let now = self.clock.now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = now.max(*next);
        let gap = SignedDuration::try_from(self.min_gap).unwrap_or(SignedDuration::MAX);
        *next = mine.checked_add(gap).unwrap_or(Timestamp::MAX);
        Duration::try_from(mine.duration_since(now)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use crate::clock::ManualClock;

    use super::*;

    fn pace(clock: &Arc<ManualClock>, max_parallel: u32, gap_ms: u64) -> Pace {
        let pacing = Pacing { max_parallel, min_gap: Duration::from_millis(gap_ms) };
        Pace::new(pacing, Arc::clone(clock) as Arc<dyn Clock>)
    }

    #[tokio::test]
    async fn requests_keep_their_distance_but_nobody_waits_twice() {
        let clock = Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap()));
        let pace = pace(&clock, 1, 500);
        drop(pace.enter().await);
        assert!(clock.sleeps().is_empty());
        drop(pace.enter().await);
        assert_eq!(clock.sleeps(), [Duration::from_millis(500)]);
        clock.advance(Duration::from_secs(1));
        drop(pace.enter().await);
        assert_eq!(clock.sleeps().len(), 1, "the gap had passed");
    }

    #[tokio::test]
    async fn no_more_are_in_flight_than_may_be() {
        let clock = Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap()));
        let pace = pace(&clock, 2, 0);
        let held = [pace.enter().await, pace.enter().await];
        assert!(pace.slots.try_acquire().is_err());
        drop(held);
        assert!(pace.slots.try_acquire().is_ok());
    }
}
