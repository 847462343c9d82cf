//! The first apply of a state at a destination: what a lost state has sent there may not be listed yet.

use std::collections::BTreeSet;

use crate::domain::{AccountName, Unlisted};
use crate::platform::{FitFile, PlatformError};

use super::super::error::EngineError;
use super::run::Run;

impl Run<'_> {
    /// The open accounts to which this state has never sent anything.
    pub(super) fn find_strangers(&self) -> Result<BTreeSet<AccountName>, EngineError> {
        let mut strangers = BTreeSet::new();
        for (name, account) in self.accounts() {
            if !self.session.store.has_steps_into(account.row)? {
                strangers.insert(name.clone());
            }
        }
        Ok(strangers)
    }

    /// Where nothing tells what was taken, it is given the time to show it; what was read before that
    /// counts no more.
    pub(super) async fn let_settle(&self, account: &AccountName) {
        if self.unlisted(account) == Some(Unlisted::Silent) {
            self.wait_and_forget(account).await;
        }
    }

    /// As [`Run::let_settle`], for one that does not tell what it should.
    pub(super) async fn let_settle_instead(&self, account: &AccountName) {
        self.strangers.borrow_mut().remove(account);
        self.wait_and_forget(account).await;
    }

    async fn wait_and_forget(&self, account: &AccountName) {
        let settling = self.settling(account);
        if settling.is_zero() {
            return;
        }
        self.tell_settling(account, 0);
        self.sleep(settling).await;
        if let Some(view) = self.views.borrow_mut().get_mut(account) {
            view.forget_readings();
        }
    }

    /// Whether a stranger names a file among those that it was given.
    pub(super) async fn has_taken(
        &self,
        account: &AccountName,
        file: &FitFile,
    ) -> Result<bool, PlatformError> {
        if self.unlisted(account) != Some(Unlisted::Named) {
            return Ok(false);
        }
        let platform = self.platform(account).ok_or(PlatformError::Unsupported)?;
        self.ask(account, async || platform.has_taken(file).await).await
    }

    /// How a stranger tells of what it does not list yet; `None` of one that is none.
    fn unlisted(&self, account: &AccountName) -> Option<Unlisted> {
        let open = self.account(account).filter(|_| self.strangers.borrow().contains(account))?;
        Some(open.capabilities.unlisted)
    }
}
