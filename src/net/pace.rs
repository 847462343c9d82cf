//! How fast an account is asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::cancellation::Cancellation;
use crate::clock::Clock;

use super::NetError;
use super::flow::Flow;

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

/// Whether a request is still sent after a stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Urgency {
    /// Is not sent once a stop is requested.
    #[default]
    Normal,
    /// Is sent all the same, soon: without it an activity is missing or visible to too many.
    Final,
}

/// Lets an account's requests through one after another.
pub struct Pace {
    clock: Arc<dyn Clock>,
    stop: Cancellation,
    slots: Semaphore,
    /// Changes that wait for a slot.
    changes: watch::Sender<u32>,
    pacing: Pacing,
    flow: Mutex<Flow>,
}

impl Pace {
    /// With nothing in flight.
    pub fn new(pacing: Pacing, clock: Arc<dyn Clock>, stop: Cancellation) -> Self {
        let slots = usize::try_from(pacing.max_parallel.max(1)).unwrap_or(1);
        Self {
            clock,
            stop,
            slots: Semaphore::new(slots.min(Semaphore::MAX_PERMITS)),
            changes: watch::Sender::new(0),
            pacing,
            flow: Mutex::new(Flow::new()),
        }
    }

    /// Waits for a free slot and for the gap; the slot is free again when the answer is dropped.
    ///
    /// # Errors
    /// `Cancelled` after a stop, `Throttled` after a 429 that asked for too long a wait; both only
    /// for what is not final.
    pub(super) async fn enter(
        &self,
        gap: Gap,
        urgency: Urgency,
    ) -> Result<Option<SemaphorePermit<'_>>, NetError> {
        let slot = match urgency {
            Urgency::Normal => self.stop.race(self.slot(gap)).await.ok_or(NetError::Cancelled)?,
            Urgency::Final => self.slot(gap).await,
        };
        match self.pass(gap).await {
            Err(_) if urgency == Urgency::Final => {
                let wait = self.flow().reserve_soon(self.gap_after(gap));
                self.sleep(wait).await;
            }
            passed => passed?,
        }
        Ok(slot)
    }

    /// Waits for the gap and for what the account asked.
    async fn pass(&self, gap: Gap) -> Result<(), NetError> {
        self.check_open()?;
        let wait = self.flow().reserve(self.gap_after(gap));
        self.stop.race(self.sleep(wait)).await.ok_or(NetError::Cancelled)?;
        self.check_open()
    }

    fn check_open(&self) -> Result<(), NetError> {
        if self.locked().is_closed() { Err(NetError::Throttled) } else { Ok(()) }
    }

    async fn sleep(&self, wait: Duration) {
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }

    /// A free slot; the semaphore is never closed.
    async fn slot(&self, gap: Gap) -> Option<SemaphorePermit<'_>> {
        match gap {
            Gap::Usual => self.slot_of_reading().await,
            Gap::Change => {
                let _waiting = Waiting::begin(&self.changes);
                self.slots.acquire().await.ok()
            }
        }
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

    /// Lets nothing through for so long, and everything at twice the distance from then on; where
    /// that is longer than anything waits, nothing more at all.
    pub(super) fn slow_down(&self, wait: Duration) {
        self.flow().slow_down(wait);
    }

    fn gap_after(&self, gap: Gap) -> Duration {
        match gap {
            Gap::Usual => self.pacing.min_gap,
            Gap::Change => self.pacing.change_gap,
        }
    }

    /// The flow as of now.
    fn flow(&self) -> MutexGuard<'_, Flow> {
        let now = self.clock.now();
        let mut flow = self.locked();
        flow.note_time(now);
        flow
    }

    fn locked(&self) -> MutexGuard<'_, Flow> {
        self.flow.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use crate::cancellation::CancellingClock;
    use crate::clock::ManualClock;
    use crate::net::flow::MAX_FINAL_WAIT;
    use crate::net::retry::MAX_WAIT;

    use super::*;

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn clock() -> Arc<ManualClock> {
        Arc::new(ManualClock::new(NOW.parse().unwrap()))
    }

    fn pace(clock: &Arc<ManualClock>, max_parallel: u32, gap_ms: u64) -> Pace {
        let min_gap = Duration::from_millis(gap_ms);
        let pacing = Pacing { max_parallel, min_gap, change_gap: 2 * min_gap };
        Pace::new(pacing, Arc::clone(clock) as Arc<dyn Clock>, Cancellation::default())
    }

    /// A pace whose clock cancels the run during the n-th sleep.
    fn cancelled_at(at_sleep: usize, gap_ms: u64) -> (Arc<CancellingClock>, Pace) {
        let (manual, stop) = (ManualClock::new(NOW.parse().unwrap()), Cancellation::default());
        let clock = Arc::new(CancellingClock { manual, stop: stop.clone(), at_sleep });
        let min_gap = Duration::from_millis(gap_ms);
        let pacing = Pacing { max_parallel: 1, min_gap, change_gap: 2 * min_gap };
        let pace = Pace::new(pacing, Arc::clone(&clock) as Arc<dyn Clock>, stop);
        (clock, pace)
    }

    async fn enter(pace: &Pace, gap: Gap, urgency: Urgency) -> Result<(), NetError> {
        pace.enter(gap, urgency).await.map(drop)
    }

    #[tokio::test]
    async fn requests_keep_their_distance_but_nobody_waits_twice() {
        let clock = clock();
        let pace = pace(&clock, 1, 500);
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        assert!(clock.sleeps().is_empty());
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        assert_eq!(clock.sleeps(), [Duration::from_millis(500)]);
        clock.advance(Duration::from_secs(1));
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        assert_eq!(clock.sleeps().len(), 1, "the gap had passed");
    }

    #[tokio::test]
    async fn a_change_is_followed_by_a_longer_gap() {
        let clock = clock();
        let pace = pace(&clock, 1, 500);
        for gap in [Gap::Change, Gap::Change, Gap::Usual, Gap::Usual] {
            enter(&pace, gap, Urgency::Normal).await.unwrap();
        }
        assert_eq!(clock.sleeps(), [1000, 1000, 500].map(Duration::from_millis));
    }

    #[tokio::test]
    async fn an_account_that_asks_to_wait_is_left_alone_and_then_asked_less_often() {
        let clock = clock();
        let pace = pace(&clock, 1, 500);
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        pace.slow_down(Duration::from_secs(60));
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        assert_eq!(clock.sleeps(), [60_000, 1000].map(Duration::from_millis));
        (0..9).for_each(|_| pace.slow_down(Duration::ZERO));
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        assert_eq!(clock.sleeps().last(), Some(&Duration::from_secs(4)), "and no further");
    }

    #[tokio::test]
    async fn a_change_goes_before_the_readings_that_wait() {
        let pace = pace(&clock(), 1, 0);
        let order = Mutex::new(Vec::new());
        let held = pace.enter(Gap::Usual, Urgency::Normal).await;
        let enter = async |name, gap| {
            let permit = pace.enter(gap, Urgency::Normal).await;
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
        let enter = async || pace.enter(Gap::Usual, Urgency::Normal).await.unwrap();
        let held = [enter().await, enter().await];
        assert!(pace.slots.try_acquire().is_err());
        drop(held);
        assert!(pace.slots.try_acquire().is_ok());
    }

    #[tokio::test]
    async fn a_stop_ends_a_wait_and_what_has_not_begun_is_not_sent() {
        let (clock, pace) = cancelled_at(1, 500);
        pace.slow_down(Duration::from_secs(600));
        for _ in 0..2 {
            let ended = enter(&pace, Gap::Change, Urgency::Normal).await;
            assert_eq!(ended, Err(NetError::Cancelled));
        }
        assert!(clock.manual.sleeps().is_empty(), "no wait was sat out");
    }

    #[tokio::test]
    async fn a_stop_ends_the_wait_for_a_slot() {
        for gap in [Gap::Usual, Gap::Change] {
            let (clock, pace) = cancelled_at(0, 500);
            let held = pace.enter(Gap::Usual, Urgency::Normal).await.unwrap();
            let waiting = enter(&pace, gap, Urgency::Normal);
            let (ended, ()) = tokio::join!(waiting, async { clock.stop.request() });
            assert_eq!(ended, Err(NetError::Cancelled));
            assert_eq!(*pace.changes.borrow(), 0, "none waits any more");
            drop(held);
        }
    }

    #[tokio::test]
    async fn what_is_final_is_sent_after_a_stop_and_waits_a_little() {
        for (asked, waited) in [(0, 1000), (2, 2000), (600, 3000)] {
            let (clock, pace) = cancelled_at(1, 500);
            enter(&pace, Gap::Change, Urgency::Normal).await.unwrap();
            pace.slow_down(Duration::from_secs(asked));
            // The stop comes while it waits for the grown gap, or for what was asked.
            enter(&pace, Gap::Change, Urgency::Final).await.unwrap();
            assert!(clock.stop.is_requested());
            assert_eq!(clock.manual.sleeps(), [Duration::from_millis(waited)], "{asked} s");
        }
    }

    #[tokio::test]
    async fn an_account_that_asks_for_too_long_is_asked_nothing_more() {
        let clock = clock();
        let pace = pace(&clock, 1, 0);
        for wait in [MAX_WAIT + Duration::from_secs(1), Duration::MAX] {
            pace.slow_down(wait);
            let ended = enter(&pace, Gap::Usual, Urgency::Normal).await;
            assert_eq!(ended, Err(NetError::Throttled));
        }
        assert!(clock.sleeps().is_empty());
        enter(&pace, Gap::Change, Urgency::Final).await.unwrap();
        assert_eq!(clock.sleeps(), [MAX_FINAL_WAIT]);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_makes_no_wait_longer() {
        let clock = clock();
        let pace = pace(&clock, 1, 500);
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        pace.slow_down(Duration::from_secs(60));
        clock.set("2026-11-19T12:00:00Z".parse().unwrap());
        enter(&pace, Gap::Usual, Urgency::Normal).await.unwrap();
        assert_eq!(clock.sleeps(), [Duration::from_secs(60)]);
    }
}
