//! Work that takes long or blocks: spread over all cores, away from the thread that waits for it.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::platform::PlatformError;

/// What `work` makes of each item, by so many threads, one item per thread at a time; in no order.
pub(super) fn spread<'a, T: Sync, R: Send>(
    items: &'a [T],
    threads: usize,
    work: impl Fn(&'a T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let share = || {
        let mut done = Vec::new();
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            done.push(work(item));
        }
        done
    };
    let threads = threads.min(items.len());
    if threads < 2 {
        return share();
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(share)).collect();
        let mut done = Vec::with_capacity(items.len());
        for worker in workers {
            match worker.join() {
                Ok(share) => done.extend(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    })
}

/// As many threads as the machine has cores.
pub(super) fn count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does file work on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PlatformError> + Send + 'static,
) -> Result<T, PlatformError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failed) => match failed.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                let why = "the program is shutting down".to_owned();
                Err(PlatformError::Unconfirmed(why))
            }
        },
    }
}
