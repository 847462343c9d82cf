//! How the engine repeats what changes nothing: under the retry policy of the account.

use std::sync::Arc;

use crate::net::RetryPolicy;
use crate::platform::{self, PlatformError};

use super::session::Session;

/// Failures in a row, of those that may pass, that end an account's queue.
pub(super) const MAX_TRANSIENT: u32 = 5;

/// Returns a retry policy for one account in this run.
pub(super) fn policy(session: &Session) -> RetryPolicy {
    RetryPolicy::new(Arc::clone(&session.opening.clock), session.stop.clone(), 0)
}

/// Reads something, and repeats that as the policy allows.
pub(super) async fn read<T>(
    policy: &RetryPolicy,
    ask: impl AsyncFn() -> Result<T, PlatformError>,
) -> Result<T, PlatformError> {
    policy.run(platform::retry, || ask()).await.map_err(platform::exhausted)
}
