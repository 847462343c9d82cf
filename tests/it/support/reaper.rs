//! Kills the process that asks: at its n-th request, before that has its effect or before its answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process};

/// When a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    BeforeRequest(usize),
    BeforeAnswer(usize),
}

/// Follows the requests of one process.
#[derive(Clone, Default)]
pub(crate) struct Reaper(Arc<Mutex<Option<Order>>>);

struct Order {
    pid: Pid,
    death: Death,
    requests: usize,
}

impl Reaper {
    /// Follows a process from now on, instead of the one before.
    pub(crate) fn follow(&self, pid: Pid, death: Death) {
        *self.order() = Some(Order { pid, death, requests: 0 });
    }

    pub(crate) fn forget(&self) {
        *self.order() = None;
    }

    /// A request has come: whether its process has died of it.
    pub(crate) fn takes_at_request(&self) -> bool {
        let mut order = self.order();
        let Some(followed) = order.as_mut() else { return false };
        followed.requests += 1;
        let dies = followed.death == Death::BeforeRequest(followed.requests);
        dies && reap(&mut order)
    }

    /// A request has had its effect: whether its process dies before it hears of that.
    pub(crate) fn takes_at_answer(&self) -> bool {
        let mut order = self.order();
        let Some(followed) = order.as_ref() else { return false };
        let dies = followed.death == Death::BeforeAnswer(followed.requests);
        dies && reap(&mut order)
    }

    fn order(&self) -> MutexGuard<'_, Option<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody else has its number as long as nobody has waited for it.
fn reap(order: &mut Option<Order>) -> bool {
    order.take().is_some_and(|order| kill_process(order.pid, Signal::KILL).is_ok())
}
