//! What a platform's failure means: the one place that sorts them.

use crate::plan::BlockedReason;
use crate::plan::reconcile::Cause;
use crate::platform::PlatformError;

/// What kind of failure an answer is, to a step.
pub(super) fn cause(error: &PlatformError) -> Cause {
    match error {
        PlatformError::Auth(_) => Cause::Login,
        PlatformError::Transient(_)
        | PlatformError::Unavailable(_)
        | PlatformError::RateLimited { .. }
        | PlatformError::Throttled(_) => Cause::Unavailable,
        PlatformError::NotFound
        | PlatformError::Changed
        | PlatformError::Cancelled
        | PlatformError::Duplicate { .. }
        | PlatformError::Rejected { .. }
        | PlatformError::Unsupported
        | PlatformError::Unconfirmed(_)
        | PlatformError::Broken { .. }
        | PlatformError::Consent(_)
        | PlatformError::Permanent(_)
        | PlatformError::Protocol(_) => Cause::Other,
    }
}

/// What it means for the rules of an account that was to be opened or read.
pub(super) fn obstacle(error: &PlatformError) -> (BlockedReason, String) {
    let reason = match (error, cause(error)) {
        (PlatformError::NotFound, _) => {
            let message = "its folder is not there (is its disk mounted?)";
            return (BlockedReason::Unavailable, message.to_owned());
        }
        (PlatformError::Cancelled, _) | (_, Cause::Unavailable) => BlockedReason::Unavailable,
        (_, Cause::Login) => BlockedReason::LoginNeeded,
        (_, Cause::Other) => BlockedReason::Failed,
    };
    (reason, error.to_string())
}
