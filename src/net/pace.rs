//! How fast an account is asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::clock::Clock;

/// However often an account asks to wait, its gaps grow no further than by this.
const SLOWEST: u32 = 8;

/// How many requests, and how far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// Most in flight.
    pub max_parallel: u32,
    /// Least time between the beginnings of two.
    pub min_gap: Duration,
    /// Least time from the beginning of a change to that of the next request.
    pub change_gap: Duration,
}

/// Which gap follows a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// That of a reading.
    Usual,
    /// That of a change.
    Change,
}

/// Lets an account's requests through one after another.
pub struct Pace {
    clock: Arc<dyn Clock>,
    slots: Semaphore,
    /// Changes that wait for a slot.
    changes: watch::Sender<u32>,
    pacing: Pacing,
    flow: Mutex<Flow>,
}

/// When the next request may begin, and by how much all gaps have grown.
struct Flow {
    next: Timestamp,
    slowness: u32,
}

impl Pace {
    /// With nothing in flight.
    pub fn new(pacing: Pacing, clock: Arc<dyn Clock>) -> Self {
        let slots = usize::try_from(pacing.max_parallel.max(1)).unwrap_or(1);
        Self {
            clock,
            slots: Semaphore::new(slots.min(Semaphore::MAX_PERMITS)),
            changes: watch::Sender::new(0),
            pacing,
            flow: Mutex::new(Flow { next: Timestamp::MIN, slowness: 1 }),
        }
    }

    /// Waits for a free slot and for the gap; the slot is free again when the answer is dropped.
    pub(super) async fn enter(&self, gap: Gap) -> Option<SemaphorePermit<'_>> {
        let permit = match gap {
            Gap::Usual => self.slot_of_reading().await,
            Gap::Change => {
                let _waiting = Waiting::begin(&self.changes);
                self.slots.acquire().await.ok()
            }
        };
        let wait = self.reserve(gap);
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
        permit
    }

    /// A reading lets changes go first: what was sent is worked on while it waits.
    async fn slot_of_reading(&self) -> Option<SemaphorePermit<'_>> {
        loop {
            // Neither the channel nor the semaphore is ever closed.
            self.changes.subscribe().wait_for(|waiting| *waiting == 0).await.ok()?;
            let permit = self.slots.acquire().await.ok()?;
            if *self.changes.borrow() == 0 {
                return Some(permit);
            }
        }
    }

    /// Takes the next free moment; how long it is until then.
    fn reserve(&self, gap: Gap) -> Duration {
        let now = self.clock.now();
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = now.max(flow.next);
        let gap = match gap {
            Gap::Usual => self.pacing.min_gap,
            Gap::Change => self.pacing.change_gap,
        };
        flow.next = after(mine, gap.saturating_mul(flow.slowness));
        Duration::try_from(mine.duration_since(now)).unwrap_or_default()
    }

    /// Lets nothing through for so long, and everything at twice the distance from then on.
    pub(super) fn slow_down(&self, wait: Duration) {
        let until = after(self.clock.now(), wait);
        let mut flow = self.flow.lock().unwrap_or_else(PoisonError::into_inner);
        flow.next = flow.next.max(until);
        flow.slowness = (flow.slowness * 2).min(SLOWEST);
    }
}

/// A change that waits for a slot, until it has it or is given up.
struct Waiting<'a>(&'a watch::Sender<u32>);

impl<'a> Waiting<'a> {
    fn begin(changes: &'a watch::Sender<u32>) -> Self {
        changes.send_modify(|waiting| *waiting += 1);
        Self(changes)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}

fn after(moment: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    moment.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use crate::clock::ManualClock;

    use super::*;

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap()))
    }

    fn pace(clock: &Arc<ManualClock>, max_parallel: u32, gap_ms: u64) -> Pace {
        let min_gap = Duration::from_millis(gap_ms);
        let pacing = Pacing { max_parallel, min_gap, change_gap: 2 * min_gap };
        Pace::new(pacing, Arc::clone(clock) as Arc<dyn Clock>)
    }

    #[tokio::test]
    async fn requests_keep_their_distance_but_nobody_waits_twice() {
        let clock = clock();
        let pace = pace(&clock, 1, 500);
        drop(pace.enter(Gap::Usual).await);
        assert!(clock.sleeps().is_empty());
        drop(pace.enter(Gap::Usual).await);
        assert_eq!(clock.sleeps(), [Duration::from_millis(500)]);
        clock.advance(Duration::from_secs(1));
        drop(pace.enter(Gap::Usual).await);
        assert_eq!(clock.sleeps().len(), 1, "the gap had passed");
    }

    #[tokio::test]
    async fn a_change_is_followed_by_a_longer_gap() {
        let clock = clock();
        let pace = pace(&clock, 1, 500);
        for gap in [Gap::Change, Gap::Change, Gap::Usual, Gap::Usual] {
            drop(pace.enter(gap).await);
        }
        assert_eq!(clock.sleeps(), [1000, 1000, 500].map(Duration::from_millis));
    }

    #[tokio::test]
    async fn an_account_that_asks_to_wait_is_left_alone_and_then_asked_less_often() {
        let clock = clock();
        let pace = pace(&clock, 1, 500);
        drop(pace.enter(Gap::Usual).await);
        pace.slow_down(Duration::from_secs(60));
        drop(pace.enter(Gap::Usual).await);
        drop(pace.enter(Gap::Usual).await);
        assert_eq!(clock.sleeps(), [60_000, 1000].map(Duration::from_millis));
        (0..9).for_each(|_| pace.slow_down(Duration::ZERO));
        drop(pace.enter(Gap::Usual).await);
        drop(pace.enter(Gap::Usual).await);
        assert_eq!(clock.sleeps().last(), Some(&Duration::from_secs(4)), "and no further");
    }

    #[tokio::test]
    async fn a_change_goes_before_the_readings_that_wait() {
        let pace = pace(&clock(), 1, 0);
        let order = Mutex::new(Vec::new());
        let held = pace.enter(Gap::Usual).await;
        let enter = async |name, gap| {
            let permit = pace.enter(gap).await;
            order.lock().unwrap().push(name);
            drop(permit);
        };
        let all = async {
            tokio::join!(
                enter("reading", Gap::Usual),
                enter("change", Gap::Change),
                enter("another", Gap::Change),
                async { drop(held) }
            )
        };
        all.await;
        assert_eq!(*order.lock().unwrap(), ["change", "another", "reading"]);
    }

    #[tokio::test]
    async fn no_more_are_in_flight_than_may_be() {
        let pace = pace(&clock(), 2, 0);
        let held = [pace.enter(Gap::Usual).await, pace.enter(Gap::Usual).await];
        assert!(pace.slots.try_acquire().is_err());
        drop(held);
        assert!(pace.slots.try_acquire().is_ok());
    }
}
