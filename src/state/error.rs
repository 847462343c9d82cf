//! What can be wrong with the state, in the few kinds that a person can act on.

use rusqlite::ErrorCode;

use crate::domain::AccountName;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process kept it locked for too long; worth another try.
    #[error("the state is in use by another process")]
    Busy,
    /// A later version of this program wrote it.
    #[error("the state has schema {found}, this version knows up to {known}")]
    Newer {
        /// Its schema.
        found: i64,
        /// The latest schema of this build.
        known: i64,
    },
    /// It is no state, or a damaged one.
    #[error("the state is damaged or not a state: {0}")]
    Corrupt(String),
    /// It cannot be opened or written where it lies.
    #[error("the state cannot be opened or written: {0}")]
    Unwritable(String),
    /// The disk has no room for it.
    #[error("the disk is full")]
    Full,
    /// An account has neither an id nor a place, so nothing can be remembered about it.
    #[error("account '{0}' has neither a profile nor a location")]
    Unidentified(AccountName),
    /// SQLite refused for a reason that no other variant names.
    #[error("the state failed: {0}")]
    Failed(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StateError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        if matches!(
            error,
            E::FromSqlConversionFailure(..)
                | E::IntegralValueOutOfRange(..)
                | E::InvalidColumnType(..)
                | E::Utf8Error(..)
        ) {
            return Self::Corrupt(error.to_string());
        }
        let Some(code) = error.sqlite_error_code() else {
            return Self::Failed(error);
        };
        if matches!(code, ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) {
            Self::Busy
        } else if matches!(code, ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) {
            Self::Corrupt(error.to_string())
        } else if code == ErrorCode::DiskFull {
            Self::Full
        } else if matches!(
            code,
            ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::SystemIoFailure
        ) {
            Self::Unwritable(error.to_string())
        } else {
            Self::Failed(error)
        }
    }
}

impl From<serde_json::Error> for StateError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<std::io::Error> for StateError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            Self::Full
        } else {
            Self::Unwritable(error.to_string())
        }
    }
}

impl From<rusqlite_migration::Error> for StateError {
    fn from(error: rusqlite_migration::Error) -> Self {
        if let rusqlite_migration::Error::RusqliteError { err, .. } = error {
            err.into()
        } else {
            Self::Corrupt(error.to_string())
        }
    }
}
