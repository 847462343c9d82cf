//! How the accounts of a run are: who is asked nothing more, and why.

use std::collections::BTreeMap;

use crate::domain::AccountName;
use crate::platform::PlatformError;

use super::super::patience::{MOST_LIMITED, MOST_TRANSIENT, WAIT};
use super::{Cause, Run};

/// The accounts of a run.
#[derive(Debug, Default)]
pub(super) struct Health {
    closed: BTreeMap<AccountName, (String, Cause)>,
    transient: BTreeMap<AccountName, u32>,
    limited: BTreeMap<AccountName, u32>,
    failures: u32,
}

impl Health {
    /// An account of which nothing more is asked in this run.
    pub(super) fn close(&mut self, account: &AccountName, why: String, error: &PlatformError) {
        self.closed.entry(account.clone()).or_insert((why, cause(error)));
    }

    pub(super) fn closed(&self, account: &AccountName) -> Option<&(String, Cause)> {
        self.closed.get(account)
    }

    pub(super) fn count_failure(&mut self) {
        self.failures += 1;
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    fn note<T>(&mut self, account: &AccountName, result: &Result<T, PlatformError>) {
        match result {
            Err(error @ (PlatformError::Auth(_) | PlatformError::Throttled(_))) => {
                self.close(account, format!("{account}: {error}"), error);
            }
            Err(error @ (PlatformError::Transient(_) | PlatformError::Unavailable(_))) => {
                let row = self.transient.entry(account.clone()).or_default();
                *row += 1;
                let row = *row;
                if row >= MOST_TRANSIENT {
                    let why = format!("{account} failed {row} times in a row");
                    self.close(account, why, error);
                }
            }
            Ok(_) | Err(_) => {
                self.transient.remove(account);
            }
        }
    }

    /// Whether a request to wait may be followed by another try.
    fn may_wait(&mut self, account: &AccountName, error: &PlatformError) -> bool {
        let limited = self.limited.entry(account.clone()).or_default();
        *limited += 1;
        let limited = *limited;
        if limited < MOST_LIMITED {
            return true;
        }
        self.close(account, format!("{account} asked to wait {limited} times"), error);
        false
    }
}

/// What kind of failure an answer is.
pub(super) fn cause(error: &PlatformError) -> Cause {
    match error {
        PlatformError::Auth(_) => Cause::Login,
        PlatformError::Transient(_)
        | PlatformError::Unavailable(_)
        | PlatformError::RateLimited { .. }
        | PlatformError::Throttled(_) => Cause::Unavailable,
        PlatformError::NotFound
        | PlatformError::Changed
        | PlatformError::Duplicate { .. }
        | PlatformError::Rejected { .. }
        | PlatformError::Unsupported
        | PlatformError::Unconfirmed(_)
        | PlatformError::Broken { .. }
        | PlatformError::Permanent(_)
        | PlatformError::Protocol(_) => Cause::Other,
    }
}

impl Run<'_> {
    /// Makes a call, waits as asked if it was refused for its rate, and remembers how the account is.
    pub(super) async fn call<T>(
        &self,
        account: &AccountName,
        call: impl AsyncFn() -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        loop {
            let result = call().await;
            let Err(error @ PlatformError::RateLimited { retry_after }) = &result else {
                self.health.borrow_mut().note(account, &result);
                return result;
            };
            if self.session.stop.is_requested()
                || !self.health.borrow_mut().may_wait(account, error)
            {
                return result;
            }
            self.sleep(retry_after.unwrap_or(WAIT)).await;
            // Others may have been asked to wait meanwhile.
            if self.health.borrow().closed(account).is_some() {
                return result;
            }
        }
    }
}
