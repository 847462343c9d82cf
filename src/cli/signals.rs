//! Ctrl-C, SIGTERM and SIGHUP while a plan is executed: the first ends the run cleanly, the second at
//! once. Either way the journal knows how far each step came.

use std::future::Future;
use std::process;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cancellation::Cancellation;

use super::exit::Exit;
use super::printer::Printer;

/// Does the work, and passes a wish to stop on to it.
pub async fn watched<T>(
    stop: &Cancellation,
    printer: &Printer,
    work: impl Future<Output = T>,
) -> T {
    let mut signals: Vec<Signal> =
        [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
            .into_iter()
            .filter_map(|kind| signal(kind).ok())
            .collect();
    tokio::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return result,
            () = any(&mut signals) => {
                if stop.is_requested() {
                    process::exit(i32::from(Exit::Interrupted.code()));
                }
                stop.request();
                printer.note(
                    "Stopping: what is in flight is finished, nothing new is begun. \
                     Once more stops at once.",
                );
            }
        }
    }
}

/// Waits for the next of these signals; for ever if there are none.
async fn any(signals: &mut [Signal]) {
    std::future::poll_fn(|context| {
        let ready = signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if ready { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
