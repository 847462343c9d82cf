//! The first apply of a state at a destination: what a lost state has sent there may not be listed yet.

use std::collections::BTreeSet;

use crate::domain::{AccountName, Unlisted};
use crate::platform::{FitFile, PlatformError};

use super::super::error::EngineError;
use super::run::Run;
use super::task::Task;

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

    /// Gives a destination the time to show what it was given; what was read before that counts no more.
    pub(super) async fn let_settle(&self, account: &AccountName) {
        self.strangers.borrow_mut().remove(account);
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

    /// Whether the destination names a file among those that it was given: a stranger, and one that has
    /// not answered for it. What is put back was given to it before.
    pub(super) async fn has_taken(
        &self,
        task: &Task,
        file: &FitFile,
    ) -> Result<bool, PlatformError> {
        let account = &task.step.destination.account;
        let is_asked = match self.capability(account) {
            Some(Unlisted::Named) if task.is_put_back() => false,
            Some(Unlisted::Named) => task.state.doubtful_sends > 0 || self.is_stranger(account),
            Some(Unlisted::Silent | Unlisted::Refused) | None => false,
        };
        if !is_asked {
            return Ok(false);
        }
        let since = task.state.sent_at.filter(|_| task.state.doubtful_sends > 0);
        let platform = self.platform(account).ok_or(PlatformError::Unsupported)?;
        self.ask(account, async || platform.has_taken(file, since).await).await
    }

    /// Whether a stranger is given the time to show what it was given before a step is sent: where it
    /// does not tell, and where what it tells says nothing.
    pub(super) fn shows_late(&self, task: &Task) -> bool {
        let account = &task.step.destination.account;
        self.is_stranger(account)
            && match self.capability(account) {
                Some(Unlisted::Silent) => true,
                Some(Unlisted::Named) => task.is_restore(),
                Some(Unlisted::Refused) | None => false,
            }
    }

    fn is_stranger(&self, account: &AccountName) -> bool {
        self.strangers.borrow().contains(account)
    }

    fn capability(&self, account: &AccountName) -> Option<Unlisted> {
        self.account(account).map(|open| open.capabilities.unlisted)
    }
}
