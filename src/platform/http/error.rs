//! What it means for an account that a request got no answer, and which failures are repeated.

use std::time::Duration;

use crate::net::{MAX_WAIT, NetError, Retry};
use crate::platform::PlatformError;
use crate::platform::login::LoginError;

/// Why a wait ends an account's queue.
const TOO_LONG: &str = "for longer than 15 minutes";

/// Returns what a login without an answer comes to.
pub(in crate::platform) fn login_error(error: &NetError) -> LoginError {
    match error {
        NetError::Unreachable(message) | NetError::Lost(message) | NetError::Setup(message) => {
            LoginError::Unavailable(message.clone())
        }
        NetError::TooLarge { .. } => LoginError::NotUnderstood(error.to_string()),
        NetError::ForeignHost(_) => LoginError::WrongHost(error.to_string()),
        // Longer than anything waits.
        NetError::Throttled => LoginError::RateLimited { retry_after: Some(Duration::MAX) },
        NetError::Cancelled => LoginError::Cancelled,
    }
}

/// Returns what a question without an answer comes to: nothing was done.
pub(in crate::platform) fn read_error(error: &NetError) -> PlatformError {
    match error {
        NetError::Unreachable(message) | NetError::Lost(message) => {
            PlatformError::Transient(message.clone())
        }
        NetError::TooLarge { .. } => PlatformError::Protocol(error.to_string()),
        NetError::ForeignHost(_) | NetError::Setup(_) => {
            PlatformError::Permanent(error.to_string())
        }
        NetError::Throttled => PlatformError::Throttled(TOO_LONG),
        NetError::Cancelled => PlatformError::Cancelled,
    }
}

/// Returns what a change without an answer comes to: if it was sent, it may have been made.
pub(in crate::platform) fn write_error(error: &NetError) -> PlatformError {
    match error {
        NetError::Lost(message) => PlatformError::Unconfirmed(message.clone()),
        NetError::TooLarge { .. } => PlatformError::Unconfirmed(error.to_string()),
        NetError::Unreachable(_)
        | NetError::ForeignHost(_)
        | NetError::Setup(_)
        | NetError::Throttled
        | NetError::Cancelled => read_error(error),
    }
}

/// Returns what is left of a failure after the last attempt.
pub(crate) fn exhausted(error: PlatformError) -> PlatformError {
    match error {
        PlatformError::Transient(message) => PlatformError::Unavailable(message),
        PlatformError::RateLimited { retry_after: Some(asked) } if asked > MAX_WAIT => {
            PlatformError::Throttled(TOO_LONG)
        }
        PlatformError::RateLimited { .. } => PlatformError::Throttled("too often"),
        other => other,
    }
}

/// Returns how a question that failed is repeated.
pub(crate) fn retry(error: &PlatformError) -> Retry {
    match error {
        PlatformError::Transient(_) => Retry::Backoff,
        PlatformError::RateLimited { retry_after } => Retry::After(*retry_after),
        PlatformError::Auth(_)
        | PlatformError::NotFound
        | PlatformError::Duplicate { .. }
        | PlatformError::Rejected { .. }
        | PlatformError::Unsupported
        | PlatformError::Unavailable(_)
        | PlatformError::Throttled(_)
        | PlatformError::Cancelled
        | PlatformError::Changed
        | PlatformError::Broken { .. }
        | PlatformError::Consent(_)
        | PlatformError::Unconfirmed(_)
        | PlatformError::Permanent(_)
        | PlatformError::Protocol(_) => Retry::No,
    }
}
