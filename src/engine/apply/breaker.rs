//! The circuit breaker of a run's accounts: a tripped account is asked nothing more.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::domain::AccountName;
use crate::net::{Retry, RetryPolicy};
use crate::plan::reconcile::Cause;
use crate::platform::{self, PlatformError};

use super::super::cause::cause;
use super::super::retry::{self, MAX_TRANSIENT};
use super::run::Run;

/// Different files that an account must refuse in the same words before it is given up.
const MAX_ALIKE: usize = 2;

/// The accounts of a run.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    tripped: BTreeMap<AccountName, (String, Cause)>,
    transient: BTreeMap<AccountName, u32>,
    /// Files that were refused in these words.
    refused: BTreeMap<(AccountName, String), usize>,
    /// Accounts in which an activity could not be hidden, and why.
    unhidden: BTreeMap<AccountName, String>,
    failures: u32,
}

impl Breaker {
    /// Gives an account up for the rest of the run.
    pub(super) fn trip(&mut self, account: &AccountName, why: String, cause: Cause) {
        self.tripped.entry(account.clone()).or_insert((why, cause));
    }

    /// Why an account was given up, if it was.
    pub(super) fn tripped(&self, account: &AccountName) -> Option<&(String, Cause)> {
        self.tripped.get(account)
    }

    pub(super) fn count_failure(&mut self) {
        self.failures += 1;
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Counts a file that an account would not take, without a word about the file itself.
    pub(super) fn note_refusal(&mut self, account: &AccountName, words: &str) {
        let alike = self.refused.entry((account.clone(), words.to_owned())).or_default();
        *alike += 1;
        if *alike >= MAX_ALIKE {
            self.trip(account, format!("{account} takes no uploads: {words}"), Cause::Other);
        }
    }

    /// Sends nothing more to an account that must be hidden there.
    pub(super) fn stop_private(&mut self, account: &AccountName, message: String) {
        self.unhidden.entry(account.clone()).or_insert(message);
    }

    /// Why nothing private is sent to an account any more, if so.
    pub(super) fn private_stopped(&self, account: &AccountName) -> Option<&String> {
        self.unhidden.get(account)
    }

    fn note<T>(&mut self, account: &AccountName, result: &Result<T, PlatformError>) {
        match result {
            Err(
                error @ (PlatformError::Auth(_)
                | PlatformError::Throttled(_)
                | PlatformError::Consent(_)),
            ) => {
                self.trip(account, format!("{account}: {error}"), cause(error));
            }
            // `exhausted` calls every failure that may pass so.
            Err(error @ (PlatformError::Transient(_) | PlatformError::Unavailable(_))) => {
                let row = self.transient.entry(account.clone()).or_default();
                *row += 1;
                if *row >= MAX_TRANSIENT {
                    let why = format!("{account} failed {row} times in a row");
                    self.trip(account, why, cause(error));
                }
            }
            Ok(_) | Err(_) => {
                self.transient.remove(account);
            }
        }
    }
}

impl Run<'_> {
    /// Makes a call, waits as asked if it was refused for its rate, and remembers how the account is.
    pub(super) async fn call<T>(
        &self,
        account: &AccountName,
        call: impl AsyncFn() -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        let policy = self.policy(account);
        let judge = |error: &PlatformError| match error {
            PlatformError::RateLimited { retry_after } => Retry::After(*retry_after),
            _ => Retry::No,
        };
        let result = policy.run(judge, || call()).await.map_err(platform::exhausted);
        self.breaker.borrow_mut().note(account, &result);
        result
    }

    /// As [`Run::call`], for what changes nothing: repeated where that may help.
    pub(super) async fn ask<T>(
        &self,
        account: &AccountName,
        ask: impl AsyncFn() -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        let result = retry::read(&self.policy(account), ask).await;
        self.breaker.borrow_mut().note(account, &result);
        result
    }

    /// The retry policy of an account, which counts over the whole run.
    fn policy(&self, account: &AccountName) -> Rc<RetryPolicy> {
        let mut policies = self.policies.borrow_mut();
        let policy = policies.entry(account.clone());
        Rc::clone(policy.or_insert_with(|| Rc::new(retry::policy(self.session))))
    }
}
