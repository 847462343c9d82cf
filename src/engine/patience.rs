//! How long a run waits for an account that asks it to, or that fails for a moment.

use std::time::Duration;

use crate::platform::PlatformError;

use super::session::Session;

/// Requests to wait that end an account's queue.
pub(super) const MOST_LIMITED: u32 = 3;
/// Failures in a row, of those that may pass, that end an account's queue.
pub(super) const MOST_TRANSIENT: u32 = 5;
/// How long to wait where the platform does not say.
pub(super) const WAIT: Duration = Duration::from_secs(60);

/// Pauses after failures that may pass by themselves.
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

/// Asks for something that changes nothing, and asks again where that may help: as told where the
/// account asks to wait, at most twice, and twice after failures that may pass.
pub(super) async fn patiently<T>(
    session: &Session,
    ask: impl AsyncFn() -> Result<T, PlatformError>,
) -> Result<T, PlatformError> {
    let (mut limited, mut pauses) = (0, PAUSES.into_iter());
    loop {
        let result = ask().await;
        let pause = match &result {
            Err(PlatformError::RateLimited { retry_after }) => {
                limited += 1;
                (limited < MOST_LIMITED).then(|| retry_after.unwrap_or(WAIT))
            }
            Err(PlatformError::Transient(_)) => pauses.next(),
            Ok(_) | Err(_) => None,
        };
        let Some(pause) = pause else { return result };
        session.stop.sleep(session.clock(), pause).await;
        if session.stop.is_requested() {
            return result;
        }
    }
}
