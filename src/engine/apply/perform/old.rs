//! The old activity of a replace: never removed without a verified copy, nor if it has changed.

use std::collections::HashMap;
use std::rc::Rc;

use crate::archive::{ClaimReason, ReplacedBy, Subject};
use crate::domain::{AccountName, Activity, Details, Party, RemoteId, Sha256};
use crate::fit;
use crate::plan::reconcile::{Cause, Entry, Why};
use crate::platform::PlatformError;
use crate::state::Effects;

use super::super::super::cause::cause;
use super::super::super::error::EngineError;
use super::super::bytes;
use super::super::run::Run;
use super::super::task::Task;

impl Run<'_> {
    /// Stores the old original, downloaded now, with its details, and beside it the bytes that are
    /// sent.
    pub(super) async fn back_up(&self, task: &mut Task) -> Result<(), EngineError> {
        task.journal_it(self)?;
        match self.copy_old(task).await {
            Ok((backup, details)) => {
                let private = details.private == Some(true);
                if !task.is_restore() {
                    task.run.details = Some(details);
                }
                task.write(self, Entry::BackedUp { backup, private })
            }
            Err((message, cause)) => {
                self.give_up(task, Why::NoBackup { message }, cause);
                Ok(())
            }
        }
    }

    async fn copy_old(&self, task: &Task) -> Result<(String, Details), (String, Cause)> {
        let account = &task.step.destination.account;
        let failed = |error: &PlatformError| (error.to_string(), cause(error));
        let old = self.old_row(task).ok_or_else(|| failed(&PlatformError::NotFound))?;
        let bytes = self.original(account, &old).await.map_err(|error| failed(&error))?;
        if let Ok(content) = &fit::read(&bytes)
            && !self.is_its_own(account, &old, &bytes, content).await
        {
            let message = "the download is another file than the planned one".to_owned();
            return Err((message, Cause::Other));
        }
        let details = self.details_of(account, &old.id).await.map_err(|error| failed(&error))?;
        let other = |message: String| (message, Cause::Other);
        let claim = task.claim(self, ClaimReason::Backup);
        let claim = claim.map_err(|error| other(error.to_string()))?;
        let kept = || bytes::get(self.session, &task.state.payload.as_ref()?.sha256).map(Rc::new);
        let payload = task.run.bytes.clone().or_else(kept);
        let payload = payload.ok_or_else(|| other("nothing to send".to_owned()))?;
        let subject = self.subject(task, &old, details.clone(), Sha256::of(&payload));
        let id = bytes::keep(self.session, claim, (&bytes, subject), &payload)
            .map_err(|error| other(error.to_string()))?;
        Ok((id.to_string(), details))
    }

    fn old_row(&self, task: &Task) -> Option<Rc<Activity>> {
        let destination = &task.step.destination;
        self.listed(&destination.account, destination.id.as_ref()?)
    }

    /// What people wrote about an activity; nothing where its platform keeps no such thing.
    pub(super) async fn details_of(
        &self,
        account: &AccountName,
        id: &RemoteId,
    ) -> Result<Details, PlatformError> {
        let platform = self.platform(account).ok_or(PlatformError::Unsupported)?;
        match self.ask(account, async || platform.details(id).await).await {
            Err(PlatformError::Unsupported) => Ok(Details::default()),
            other => other,
        }
    }

    fn subject(&self, task: &Task, old: &Activity, details: Details, payload: Sha256) -> Subject {
        let (account, source) = (&task.step.destination.account, &task.step.source);
        let profile = |name| self.account(name).and_then(|open| open.profile.id.clone());
        let replaced_by = ReplacedBy {
            rule: task.step.rule.clone(),
            source: Party {
                account: source.account.clone(),
                profile: profile(&source.account),
                id: source.id.clone(),
                fingerprint: source.fingerprint.clone(),
            },
            payload,
        };
        Subject {
            account: account.clone(),
            profile: profile(account),
            id: old.id.clone(),
            fingerprint: old.fingerprint.clone(),
            replaced_by: Some(replaced_by),
            address: Some(task.step.address.clone()),
            start: old.start,
            elapsed_s: old.elapsed_s,
            title: old.title.clone(),
            kind: old.kind.clone(),
            details,
            at: self.session.clock().now(),
        }
    }

    /// Removes the old one, if a last look shows it as planned and as it was backed up.
    pub(super) async fn remove(&self, task: &mut Task) -> Result<(), EngineError> {
        let account = task.step.destination.account.clone();
        let (Some(old), Some(platform)) = (self.old_row(task), self.platform(&account)) else {
            let why = Why::NotRemoved { message: "it is not listed".to_owned() };
            self.give_up(task, why, Cause::Other);
            return Ok(());
        };
        let known = HashMap::from([(old.id.clone(), (*old).clone())]);
        let look = self.ask(&account, async || platform.look(&old, &known).await).await;
        let now = match look {
            Ok(now) => now,
            Err(error) => return self.not_removed(task, &error),
        };
        let is_same = now.as_ref().is_some_and(|now| now.fingerprint == old.fingerprint);
        if let Some(view) = self.views.borrow_mut().get_mut(&account) {
            match now {
                Some(now) => view.put(now),
                None => {
                    view.remove(&old.id);
                    self.free_name(&account, &old.id);
                }
            }
        }
        // What the look showed is decided upon once more.
        if !is_same || !self.is_backed_up_as_it_is(task, &old.id).await? {
            return Ok(());
        }
        task.write(self, Entry::Removing { old: old.id.clone() })?;
        task.run.asked_to_remove = true;
        task.run.waits = 0;
        let answer = self.call(&account, async || platform.delete(&old).await).await;
        match answer {
            Ok(()) => self.note_removed(task),
            // Whether it is gone is seen by looking, before anything is sent.
            Err(PlatformError::NotFound | PlatformError::Unconfirmed(_)) => {
                task.run.changed = self.next_order();
                Ok(())
            }
            // Decided upon by what is listed now.
            Err(PlatformError::Changed) => self.read_days(&account).await,
            // The answer says that nothing was done.
            Err(error) => self.not_removed(task, &error),
        }
    }

    /// A title may have been edited since the backup was made: then the backup learns it first.
    async fn is_backed_up_as_it_is(
        &self,
        task: &mut Task,
        old: &RemoteId,
    ) -> Result<bool, EngineError> {
        let id = task.state.backup.clone().unwrap_or_default();
        let account = task.step.destination.account.clone();
        let kept = bytes::backups(self.session).load(&id);
        let kept = kept.map(|(backup, _)| backup.subject.details);
        match (self.details_of(&account, old).await, kept) {
            (Ok(now), Ok(kept)) if now == kept => Ok(true),
            (Ok(_), Ok(_)) => {
                task.run.undetailed = None;
                self.back_up(task).await?;
                Ok(false)
            }
            (_, Err(error)) => {
                let why = Why::NoBackup { message: error.to_string() };
                self.give_up(task, why, Cause::Other);
                Ok(false)
            }
            (Err(error), _) => {
                self.not_removed(task, &error)?;
                Ok(false)
            }
        }
    }

    fn not_removed(&self, task: &mut Task, error: &PlatformError) -> Result<(), EngineError> {
        self.give_up(task, Why::NotRemoved { message: error.to_string() }, cause(error));
        Ok(())
    }

    /// Writes down that the old one is gone; its links and its row go with it.
    pub(super) fn note_removed(&self, task: &mut Task) -> Result<(), EngineError> {
        let destination = task.step.destination.clone();
        let Some(old) = destination.id else { return Ok(()) };
        if let Some(view) = self.views.borrow_mut().get_mut(&destination.account) {
            view.remove(&old);
        }
        let key = (destination.account, old.clone());
        self.counterparts.borrow_mut().remove(&key);
        if !self.reuses_ids(&key.0) {
            self.removed.borrow_mut().insert(key);
        }
        let effects = Effects { gone: Some(&old), ..Effects::default() };
        let entry = Entry::Removed { old: old.clone() };
        task.write_with(self, entry, effects)
    }
}
