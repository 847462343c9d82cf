//! What it means for an account that a request got no answer, and whether a reading is repeated.

use crate::net::{Again, NetError};

use super::PlatformError;
use super::login::LoginError;

/// No answer to a question of the login.
pub(in crate::platform) fn no_answer(error: &NetError) -> LoginError {
    match error {
        NetError::Unreachable(why) | NetError::Lost(why) | NetError::Setup(why) => {
            LoginError::Unavailable(why.clone())
        }
        NetError::TooLarge { .. } => LoginError::NotUnderstood(error.to_string()),
        NetError::ForeignHost(_) => LoginError::Foreign(error.to_string()),
    }
}

/// No answer to a question: nothing was done.
pub(in crate::platform) fn unread(error: &NetError) -> PlatformError {
    match error {
        NetError::Unreachable(why) | NetError::Lost(why) => PlatformError::Transient(why.clone()),
        NetError::TooLarge { .. } => PlatformError::Protocol(error.to_string()),
        NetError::ForeignHost(_) | NetError::Setup(_) => {
            PlatformError::Permanent(error.to_string())
        }
    }
}

/// No answer to a change: if it was sent, it may have been made.
pub(in crate::platform) fn unconfirmed(error: &NetError) -> PlatformError {
    match error {
        NetError::Lost(why) => PlatformError::Unconfirmed(why.clone()),
        NetError::TooLarge { .. } => PlatformError::Unconfirmed(error.to_string()),
        NetError::Unreachable(_) | NetError::ForeignHost(_) | NetError::Setup(_) => unread(error),
    }
}

/// What is left of a failure once it was repeated as often as may be.
pub(in crate::platform) fn in_vain(error: PlatformError) -> PlatformError {
    match error {
        PlatformError::Transient(why) => PlatformError::Unavailable(why),
        PlatformError::RateLimited { retry_after: Some(_) } => {
            PlatformError::Throttled("too often or for too long")
        }
        PlatformError::RateLimited { retry_after: None } => PlatformError::Throttled("too often"),
        other => other,
    }
}

/// What may be done after a reading failed.
pub(in crate::platform) fn again(error: &PlatformError) -> Again {
    match error {
        PlatformError::Transient(_) => Again::Soon,
        PlatformError::RateLimited { retry_after } => Again::After(*retry_after),
        PlatformError::Auth(_)
        | PlatformError::NotFound
        | PlatformError::Changed
        | PlatformError::Duplicate { .. }
        | PlatformError::Rejected { .. }
        | PlatformError::Unsupported
        | PlatformError::Unavailable(_)
        | PlatformError::Throttled(_)
        | PlatformError::Broken { .. }
        | PlatformError::Unconfirmed(_)
        | PlatformError::Permanent(_)
        | PlatformError::Protocol(_) => Again::Never,
    }
}
