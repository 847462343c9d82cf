//! What a platform may answer besides what was asked for.

use std::time::Duration;

use crate::cancellation::Cancelled;
use crate::domain::{RemoteId, Sha256};

/// An answer that is not the wanted one. The caller alone knows whether a call may be repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// No session, or one that is not accepted.
    #[error("login needed: {0}")]
    Auth(AuthFailure),
    /// Too many requests; nothing was done.
    #[error("rate limited")]
    RateLimited {
        /// As the platform asked for, if it did.
        retry_after: Option<Duration>,
    },
    /// No such activity, or no file of it.
    #[error("not found")]
    NotFound,
    /// The activity is not the one that was meant; nothing was done.
    #[error("it has changed since it was looked at")]
    Changed,
    /// The platform holds the activity already. An answer, not a failure.
    #[error("the platform says that it has this activity already")]
    Duplicate {
        /// The activity it named, to be looked at before it is believed.
        existing: Option<RemoteId>,
    },
    /// Refused for good: the same bytes will be refused again.
    #[error("refused: {reason}")]
    Rejected {
        /// In the platform's words.
        reason: String,
        /// What kind of refusal.
        kind: Rejection,
    },
    /// The platform cannot do this at all.
    #[error("not supported by this platform")]
    Unsupported,
    /// Not reached, or failed on its side; nothing was done.
    #[error("not available: {0}")]
    Transient(String),
    /// As `Transient`, and asking again did not help.
    #[error("not available: {0}")]
    Unavailable(String),
    /// Asked to wait too often, or for too long; nothing was done, and nothing more should be asked
    /// in this run.
    #[error("it asked to wait {0}")]
    Throttled(&'static str),
    /// A stop came before it was sent: nothing was done.
    #[error("stopped before it was sent")]
    Cancelled,
    /// A file came that cannot be unpacked; whether the account holds no better one, only a second
    /// look tells.
    #[error("the download is broken: {problem}")]
    Broken {
        /// What is wrong with it.
        problem: String,
        /// Of what came.
        sha256: Sha256,
    },
    /// Sent, answer lost: it may or may not have been done. Look before repeating.
    #[error("sent, but the answer was lost: {0}")]
    Unconfirmed(String),
    /// The account takes nothing before its athlete allows it; nothing was done.
    #[error("{0}")]
    Consent(&'static str),
    /// Failed in a way that repeating does not mend.
    #[error("{0}")]
    Permanent(String),
    /// The answer is not what the protocol says.
    #[error("answer not understood: {0}")]
    Protocol(String),
}

impl From<Cancelled> for PlatformError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Why a session is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthFailure {
    /// Nobody has logged in yet.
    #[error("no session")]
    NoSession,
    /// The session is over.
    #[error("the session has ended")]
    Expired,
    /// There is none, and none could be had without a person.
    #[error("{0}")]
    NotOpened(String),
}

/// Why an upload was refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Larger than the platform takes.
    TooLarge,
    /// Any other reason.
    Refused,
}
