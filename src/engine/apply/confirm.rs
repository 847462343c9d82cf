//! Looks whether the destinations list what was sent, and lets go of what it replaces.

use std::collections::BTreeSet;

use serde_json::json;

use crate::domain::{AccountName, Activity, LinkOrigin};
use crate::event::Phase;
use crate::fit;
use crate::plan::{Action, Protocol};
use crate::platform::PlatformError;

use super::super::error::EngineError;
use super::super::refresh::{self, Refresh};
use super::Run;
use super::task::Task;

impl Run<'_> {
    /// Confirms everything that was sent, one reading per destination; then the old activities go
    /// whose replacement has been seen, and one more reading confirms that.
    pub(super) async fn confirm(&mut self, tasks: &mut [Task]) -> Result<(), EngineError> {
        let sent = |task: &Task| matches!(task.phase, Phase::Sent | Phase::Unknown);
        self.read_again(destinations(tasks, sent)).await?;
        for task in tasks.iter_mut().filter(|task| sent(task)) {
            self.look_for(task).await?;
        }
        let removed = |task: &Task| task.phase == Phase::Removed;
        self.read_again(destinations(tasks, removed)).await?;
        for task in tasks.iter_mut().filter(|task| removed(task)) {
            let listed = self.new_one(task).cloned();
            self.seen(task, listed.as_ref())?;
        }
        Ok(())
    }

    /// Reads accounts anew; one that cannot be read keeps what was known.
    pub(super) async fn read_again(
        &mut self,
        accounts: BTreeSet<AccountName>,
    ) -> Result<(), EngineError> {
        for name in accounts {
            let Some(account) = self.opened.accounts.get(&name) else {
                continue;
            };
            match refresh::read_one(self.session, account, Refresh::Incremental).await? {
                Ok(inventory) => {
                    self.inventories.insert(name, inventory);
                }
                Err(why) => {
                    self.lost.insert(name, why);
                }
            }
        }
        Ok(())
    }

    /// The activity that a task brought to its destination: by its id, else the one with its bytes
    /// or its very time that was not there before. Never the newest.
    pub(super) fn new_one(&self, task: &Task) -> Option<&Activity> {
        let account = &task.step.destination.account;
        if let Some(id) = &task.new {
            return self.listed(account, id);
        }
        let parcel = task.parcel.as_ref()?;
        let rows = &self.inventories.get(account)?.activities;
        let mut fitting = rows.iter().filter(|row| {
            let overlap =
                row.interval().zip(parcel.key.interval()).map(|(a, b)| a.overlap_permille(&b));
            !task.known.contains(&row.id)
                && row.start == Some(parcel.key.start)
                && overlap.is_none_or(|permille| permille >= 800)
        });
        let first = fitting.next()?;
        fitting.next().is_none().then_some(first)
    }

    async fn look_for(&mut self, task: &mut Task) -> Result<(), EngineError> {
        let listed = self.new_one(task).cloned();
        let old_goes = task.step.action == Action::Replace
            && task.step.protocol != Some(Protocol::DeleteThenUpload);
        match listed {
            Some(new) if old_goes => self.let_go(task, &new).await,
            listed => self.seen(task, listed.as_ref()),
        }
    }

    /// The end of a step: confirmed if it is listed, else pending, or still unknown.
    fn seen(&mut self, task: &mut Task, listed: Option<&Activity>) -> Result<(), EngineError> {
        match listed {
            Some(new) => {
                task.link(self, Some(new), LinkOrigin::Placed)?;
                task.enter(self, Phase::Confirmed, "", json!({ "id": new.id }))
            }
            None if task.phase == Phase::Unknown => Ok(()),
            None => {
                let words = "taken, but not listed yet; the next run looks again";
                task.enter(self, Phase::Pending, words, json!({}))
            }
        }
    }

    /// Removes the old activity once the new one is known to hold what was sent.
    pub(super) async fn let_go(
        &mut self,
        task: &mut Task,
        new: &Activity,
    ) -> Result<(), EngineError> {
        let destination = task.step.destination.clone();
        let Some(platform) = self.platform(&destination.account) else {
            return Ok(());
        };
        if !self.holds_what_was_sent(task, new).await {
            let words = format!("{} does not hold what was sent; both are kept", new.id);
            return task.enter(self, Phase::Failed, &words, json!({ "id": new.id }));
        }
        task.link(self, Some(new), LinkOrigin::Placed)?;
        let listed = destination.id.as_ref().and_then(|id| self.listed(&destination.account, id));
        let Some(old) = listed.filter(|old| old.id != new.id).cloned() else {
            return task.enter(self, Phase::Removed, "", json!({ "id": new.id }));
        };
        if Some(&old.fingerprint) != destination.fingerprint.as_ref() {
            let words = "the old one was changed meanwhile; both are kept";
            return task.enter(self, Phase::Stale, words, json!({ "id": new.id }));
        }
        match platform.delete(&old.id).await {
            Ok(()) | Err(PlatformError::NotFound) => {
                self.session.store.remove_links_to(task.destination, &old.id)?;
                task.enter(self, Phase::Removed, "", json!({ "id": new.id, "old": old.id }))
            }
            Err(error) => {
                let words =
                    format!("the new one is there, the old one could not be removed: {error}");
                task.enter(self, Phase::Held, &words, json!({ "id": new.id, "old": old.id }))
            }
        }
    }

    async fn holds_what_was_sent(&self, task: &Task, new: &Activity) -> bool {
        let Some(parcel) = task.parcel.as_ref() else {
            return false;
        };
        if new.sha256.as_ref() == Some(&parcel.sha256) {
            return true;
        }
        let Some(platform) = self.platform(&task.step.destination.account) else {
            return false;
        };
        match platform.download(new).await {
            Ok(original) => fit::read(&original.bytes)
                .is_ok_and(|content| crate::plan::changes(&parcel.content, &content).is_empty()),
            Err(_) => false,
        }
    }
}

fn destinations(tasks: &[Task], which: impl Fn(&Task) -> bool) -> BTreeSet<AccountName> {
    let chosen = tasks.iter().filter(|task| which(task));
    chosen.map(|task| task.step.destination.account.clone()).collect()
}
