//! The retry policy of everything that is asked: bounded attempts, bounded waits, and no wait that
//! outlasts a stop. The caller knows what may be repeated.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;

use crate::cancellation::{Cancellation, Cancelled};
use crate::clock::{Clock, age};

use super::Answer;

/// The first attempt counts.
const MAX_ATTEMPTS: usize = 3;
/// The 429 response that ends an account's queue.
const MAX_THROTTLES: u32 = 3;
/// The wait where a 429 response does not name one.
pub const DEFAULT_WAIT: Duration = Duration::from_secs(60);
/// The longest wait for one request.
pub const MAX_WAIT: Duration = Duration::from_secs(15 * 60);

/// What may be done after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Nothing.
    No,
    /// The same after a short while, growing with each failure.
    Backoff,
    /// The same after what a 429 response asked for.
    After(Option<Duration>),
}

/// Retry policy of one account. 429 responses are counted over the whole run.
pub struct RetryPolicy {
    clock: Arc<dyn Clock>,
    stop: Cancellation,
    seed: u64,
    throttles: AtomicU32,
}

impl RetryPolicy {
    /// A policy that has seen no failure; `seed` spreads the waits.
    pub fn new(clock: Arc<dyn Clock>, stop: Cancellation, seed: u64) -> Self {
        Self { clock, stop, seed, throttles: AtomicU32::new(0) }
    }

    /// Makes a call, and repeats it where `judge` allows that: at most twice, and until the account
    /// has asked to wait three times in this run, or once for longer than `MAX_WAIT`.
    ///
    /// # Errors
    /// The last failure; `Cancelled` where a stop came before the repetition.
    pub async fn run<T, E: From<Cancelled>, F: Future<Output = Result<T, E>>>(
        &self,
        judge: impl Fn(&E) -> Retry,
        mut call: impl FnMut() -> F,
    ) -> Result<T, E> {
        let mut pauses = self.pauses();
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let wait = match (judge(&error), pauses.next()) {
                (Retry::Backoff, Some(pause)) => pause,
                (Retry::After(asked), Some(_)) if self.may_wait(asked) => {
                    asked.unwrap_or(DEFAULT_WAIT)
                }
                (Retry::No | Retry::Backoff | Retry::After(_), _) => return Err(error),
            };
            self.stop.sleep(self.clock.as_ref(), wait).await;
            if self.stop.is_requested() {
                return Err(Cancelled.into());
            }
        }
    }

    fn pauses(&self) -> impl Iterator<Item = Duration> {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_secs(1))
            .with_max_delay(Duration::from_secs(10))
            .with_max_times(MAX_ATTEMPTS - 1)
            .with_jitter()
            .with_jitter_seed(self.seed)
            .build()
    }

    fn may_wait(&self, asked: Option<Duration>) -> bool {
        let throttles = self.throttles.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        throttles < MAX_THROTTLES && asked.unwrap_or(DEFAULT_WAIT) <= MAX_WAIT
    }
}

/// Returns how long a response asks to wait: seconds, or until an HTTP date. More seconds than can
/// be counted are the longest wait there is.
pub fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().map_or(Duration::MAX, Duration::from_secs));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(age(until, now))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use url::Url;

    use crate::cancellation::CancellingClock;
    use crate::clock::ManualClock;

    use super::*;

    const NOW: &str = "2026-11-20T12:00:00Z";

    fn policy() -> (Arc<ManualClock>, RetryPolicy) {
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        (Arc::clone(&clock), RetryPolicy::new(clock, Cancellation::default(), 7))
    }

    async fn tries(policy: &RetryPolicy, retry: Retry) -> usize {
        let tries = Cell::new(0);
        let call = || {
            tries.set(tries.get() + 1);
            async { Err::<(), _>(Failure::Of(retry)) }
        };
        let judge = |failure: &Failure| match failure {
            Failure::Of(retry) => *retry,
            Failure::Cancelled => Retry::No,
        };
        policy.run(judge, call).await.unwrap_err();
        tries.get()
    }

    #[derive(Debug, PartialEq)]
    enum Failure {
        Of(Retry),
        Cancelled,
    }

    impl From<Cancelled> for Failure {
        fn from(_: Cancelled) -> Self {
            Self::Cancelled
        }
    }

    #[tokio::test]
    async fn failures_are_repeated_twice_with_growing_gaps() {
        let (clock, policy) = policy();
        assert_eq!(tries(&policy, Retry::Backoff).await, 3);
        let gaps = clock.sleeps();
        assert_eq!(gaps.len(), 2);
        assert!(gaps.iter().all(|gap| (1..=10).contains(&gap.as_secs())), "{gaps:?}");
        assert!(gaps[0] < gaps[1], "{gaps:?}");
    }

    #[tokio::test]
    async fn what_may_not_be_repeated_is_not() {
        let (clock, policy) = policy();
        assert_eq!(tries(&policy, Retry::No).await, 1);
        assert!(clock.sleeps().is_empty());
    }

    #[tokio::test]
    async fn requests_to_wait_are_obeyed_and_the_third_ends_the_queue() {
        let (clock, policy) = policy();
        let asked = Retry::After(Some(Duration::from_secs(7)));
        assert_eq!(tries(&policy, asked).await, 3);
        assert_eq!(clock.sleeps(), [Duration::from_secs(7); 2]);
        assert_eq!(tries(&policy, Retry::After(None)).await, 1, "the queue has ended");
    }

    #[tokio::test]
    async fn without_a_time_a_minute_is_waited_and_never_a_day() {
        let (clock, policy) = policy();
        assert_eq!(tries(&policy, Retry::After(None)).await, 3);
        assert_eq!(clock.sleeps(), [DEFAULT_WAIT; 2]);
        for asked in [MAX_WAIT + Duration::from_secs(1), Duration::MAX] {
            let (clock, policy) = self::policy();
            assert_eq!(tries(&policy, Retry::After(Some(asked))).await, 1);
            assert!(clock.sleeps().is_empty());
        }
    }

    #[tokio::test]
    async fn a_stop_ends_every_wait_and_nothing_is_repeated() {
        for retry in [Retry::Backoff, Retry::After(Some(MAX_WAIT))] {
            for at_sleep in [1, 2] {
                let stop = Cancellation::default();
                let manual = ManualClock::new(NOW.parse().unwrap());
                let clock = CancellingClock { manual, stop: stop.clone(), at_sleep };
                let policy = RetryPolicy::new(Arc::new(clock), stop, 7);
                let judge = |failure: &Failure| match failure {
                    Failure::Of(retry) => *retry,
                    Failure::Cancelled => panic!("it is the last failure"),
                };
                let mut calls = 0;
                let call = || {
                    calls += 1;
                    async { Err::<(), _>(Failure::Of(retry)) }
                };
                let ended = policy.run(judge, call).await;
                assert_eq!((ended, calls), (Err(Failure::Cancelled), at_sleep));
            }
        }
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
        assert!(wait("Thu, 31 Dec 9998 23:59:59 GMT") > Some(MAX_WAIT));
        assert_eq!(wait("18446744073709551615"), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(wait("99999999999999999999999"), Some(Duration::MAX));
        for text in ["soon", "", "-5"] {
            assert_eq!(wait(text), None, "{text}");
        }
    }
}
