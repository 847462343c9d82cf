//! Repeating what failed, where the caller knows that it may be repeated.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;

use crate::clock::Clock;

use super::Answer;

/// The first try counts.
const TRIES: usize = 3;
/// Requests to wait that end an account's queue.
const MOST_STRIKES: u32 = 3;
/// How long to wait where the platform asks for it but does not say.
pub(super) const WAIT: Duration = Duration::from_secs(60);
/// Nobody waits longer than this for one request.
pub(super) const MOST_WAIT: Duration = Duration::from_secs(15 * 60);

/// What may be done after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Nothing.
    Never,
    /// The same after a short while, growing with each failure.
    Soon,
    /// The same after what the platform asked for.
    After(Option<Duration>),
}

/// How patient an account's requests are. Requests to wait are counted over the whole run.
pub struct Patience {
    clock: Arc<dyn Clock>,
    seed: u64,
    strikes: AtomicU32,
}

impl Patience {
    /// Nothing has failed yet; `seed` spreads the waits.
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self { clock, seed, strikes: AtomicU32::new(0) }
    }

    /// Makes a call, and makes it again where `judge` allows it: up to three times after failures,
    /// and until the account has asked to wait three times in this run.
    ///
    /// # Errors
    /// The last failure.
    pub async fn repeat<T, E, F: Future<Output = Result<T, E>>>(
        &self,
        judge: impl Fn(&E) -> Again,
        mut call: impl FnMut() -> F,
    ) -> Result<T, E> {
        let mut gaps = ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(TRIES - 1)
            .with_jitter()
            .with_jitter_seed(self.seed)
            .build();
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let wait = match (judge(&error), gaps.next()) {
                (Again::Soon, Some(gap)) => gap,
                (Again::After(wait), Some(_)) if self.may_wait(wait) => wait.unwrap_or(WAIT),
                (Again::Never | Again::Soon | Again::After(_), _) => return Err(error),
            };
            self.clock.sleep(wait).await;
        }
    }

    fn may_wait(&self, wait: Option<Duration>) -> bool {
        let strikes = self.strikes.fetch_add(1, Ordering::Relaxed) + 1;
        strikes < MOST_STRIKES && wait.unwrap_or(WAIT) <= MOST_WAIT
    }
}

/// How long an answer asks to wait: seconds, or until an HTTP date.
pub fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use url::Url;

    use crate::clock::ManualClock;

    use super::*;

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn patience() -> (Arc<ManualClock>, Patience) {
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        (Arc::clone(&clock), Patience::new(clock, 7))
    }

    async fn tries(patience: &Patience, again: Again) -> usize {
        let tries = Cell::new(0);
        let call = || {
            tries.set(tries.get() + 1);
            async { Err::<(), Again>(again) }
        };
        patience.repeat(|error| *error, call).await.unwrap_err();
        tries.get()
    }

    #[tokio::test]
    async fn failures_are_repeated_twice_with_growing_gaps() {
        let (clock, patience) = patience();
        assert_eq!(tries(&patience, Again::Soon).await, 3);
        let gaps = clock.sleeps();
        assert_eq!(gaps.len(), 2);
        assert!(gaps.iter().all(|gap| (1..=10).contains(&gap.as_secs())), "{gaps:?}");
        assert!(gaps[0] < gaps[1], "{gaps:?}");
    }

    #[tokio::test]
    async fn what_may_not_be_repeated_is_not() {
        let (clock, patience) = patience();
        assert_eq!(tries(&patience, Again::Never).await, 1);
        assert!(clock.sleeps().is_empty());
    }

    #[tokio::test]
    async fn requests_to_wait_are_obeyed_and_the_third_ends_the_queue() {
        let (clock, patience) = patience();
        let asked = Again::After(Some(Duration::from_secs(7)));
        assert_eq!(tries(&patience, asked).await, 3);
        assert_eq!(clock.sleeps(), [Duration::from_secs(7); 2]);
        assert_eq!(tries(&patience, Again::After(None)).await, 1, "the queue has ended");
    }

    #[tokio::test]
    async fn without_a_time_a_minute_is_waited_and_never_a_day() {
        let (clock, patience) = patience();
        assert_eq!(tries(&patience, Again::After(None)).await, 3);
        assert_eq!(clock.sleeps(), [WAIT; 2]);
        let (clock, patience) = self::patience();
        let day = Again::After(Some(Duration::from_secs(86_400)));
        assert_eq!(tries(&patience, day).await, 1);
        assert!(clock.sleeps().is_empty());
    }

    #[test]
    fn retry_after_has_two_forms() {
        let answer = |value: &str| Answer {
            status: 429,
            headers: vec![("retry-after".to_owned(), value.to_owned())],
            body: Vec::new(),
            url: Url::parse("https://h.example/").unwrap(),
        };
        let wait = |value| retry_after(&answer(value), NOW.parse().unwrap());
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("Fri, 20 Nov 2026 12:01:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(wait("Fri, 20 Nov 2026 11:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
    }
}
