//! A replace: never without a verified copy of what goes.

use serde_json::json;

use crate::archive::{Backups, Spool, Subject};
use crate::domain::{Activity, Details, RefusalReason};
use crate::event::Phase;
use crate::plan::Protocol;
use crate::platform::{FitFile, PlatformError};

use super::super::error::EngineError;
use super::Run;
use super::health::cause;
use super::send::Answer;
use super::task::Task;

impl Run<'_> {
    /// A replace step from `fetched` to `sent`, or to where it ends.
    pub(super) async fn replace(&self, task: &mut Task, file: &FitFile) -> Result<(), EngineError> {
        let Some(old) = self.planned_old(task)? else { return Ok(()) };
        if !self.back_up(task, &old, file).await? {
            return Ok(());
        }
        match task.step.protocol {
            Some(Protocol::DeleteThenUpload) => {
                if self.remove_first(task, &old).await? {
                    self.fill_gap(task, file).await?;
                }
                Ok(())
            }
            // The old one goes when the new one has been seen.
            Some(Protocol::UploadThenDelete) | None => {
                let answer = self.send(task, file).await?;
                self.take_new(task, answer)
            }
        }
    }

    /// The activity that is to go, if it is still exactly the planned one.
    fn planned_old(&self, task: &mut Task) -> Result<Option<Activity>, EngineError> {
        let destination = task.step.destination.clone();
        let listed = destination.id.as_ref().and_then(|id| self.listed(&destination.account, id));
        let planned = destination.fingerprint.as_ref();
        match listed.filter(|old| Some(&old.fingerprint) == planned) {
            Some(old) => Ok(Some(old)),
            None => {
                let words = "the activity to be replaced is gone or has changed; plan again";
                task.enter(self, Phase::Stale, words, json!({}))?;
                Ok(None)
            }
        }
    }

    /// Stores the old original, downloaded now, with its details, and the new bytes beside it; says
    /// whether both are safe.
    async fn back_up(
        &self,
        task: &mut Task,
        old: &Activity,
        file: &FitFile,
    ) -> Result<bool, EngineError> {
        let account = task.step.destination.account.clone();
        let bytes = match self.original(&account, old).await {
            Ok(bytes) => bytes,
            Err(error) => {
                let words = format!("no backup could be made, so nothing was replaced: {error}");
                self.fail(task, &words, &error)?;
                return Ok(false);
            }
        };
        let details = match self.details(&account, old).await {
            Ok(details) => details,
            Err(error) => {
                let words =
                    format!("its details could not be read, so nothing was replaced: {error}");
                self.fail(task, &words, &error)?;
                return Ok(false);
            }
        };
        let subject = self.subject(task, old, details);
        let stored = Backups::new(&self.session.places.backups).store(&bytes, subject);
        let spooled = Spool::new(&self.session.places.spool).put(&file.sha256, &file.bytes);
        let id = match (stored, spooled) {
            (Ok(id), Ok(())) => id.to_string(),
            (Err(error), _) => return self.no_backup(task, &error),
            (Ok(_), Err(error)) => return self.no_backup(task, &error),
        };
        task.enter(self, Phase::BackedUp, "", json!({ "backup": id, "old": old.id }))?;
        task.backup = Some(id);
        Ok(true)
    }

    fn no_backup(
        &self,
        task: &mut Task,
        error: &dyn std::fmt::Display,
    ) -> Result<bool, EngineError> {
        let words = format!("no backup could be made, so nothing was replaced: {error}");
        task.enter(self, Phase::Failed, &words, json!({}))?;
        Ok(false)
    }

    async fn details(
        &self,
        account: &crate::domain::AccountName,
        activity: &Activity,
    ) -> Result<Details, PlatformError> {
        let platform = self.platform(account).ok_or(PlatformError::Unsupported)?;
        match self.call(account, async || platform.details(&activity.id).await).await {
            Err(PlatformError::Unsupported) => Ok(Details::default()),
            other => other,
        }
    }

    fn subject(&self, task: &Task, old: &Activity, details: Details) -> Subject {
        let account = &task.step.destination.account;
        Subject {
            account: account.clone(),
            profile: self.account(account).and_then(|open| open.profile.id.clone()),
            id: old.id.clone(),
            address: Some(task.step.address.clone()),
            start: old.start,
            elapsed_s: old.elapsed_s,
            title: old.title.clone(),
            kind: old.kind.clone(),
            details,
            at: self.session.clock().now(),
        }
    }

    /// Removes the old activity before the new one is sent; only with a backup in hand.
    async fn remove_first(&self, task: &mut Task, old: &Activity) -> Result<bool, EngineError> {
        let account = task.step.destination.account.clone();
        let (Some(platform), Some(_)) = (self.platform(&account), &task.backup) else {
            let words = "there is no backup, so nothing was replaced";
            task.enter(self, Phase::Failed, words, json!({}))?;
            return Ok(false);
        };
        match self.call(&account, async || platform.delete(&old.id).await).await {
            Ok(()) | Err(PlatformError::NotFound) => {}
            Err(PlatformError::Unconfirmed(words)) => {
                // Whether it is gone is seen by looking, before anything is sent.
                self.read_again(&account).await?;
                if self.listed(&account, &old.id).is_some() {
                    let words = format!("asked to remove the old one, answer lost: {words}");
                    task.enter(self, Phase::Held, &words, json!({}))?;
                    return Ok(false);
                }
            }
            Err(error) => {
                self.fail(task, &format!("the old one could not be removed: {error}"), &error)?;
                return Ok(false);
            }
        }
        self.session.store.remove_links_to(task.destination, &old.id)?;
        task.enter(self, Phase::Removed, "", json!({ "old": old.id }))?;
        Ok(true)
    }

    /// Sends the new activity into the gap that the old one left. If it is refused for good, the old
    /// one is put back; in every other case the step waits for the next run.
    pub(super) async fn fill_gap(
        &self,
        task: &mut Task,
        file: &FitFile,
    ) -> Result<(), EngineError> {
        match self.send_until_settled(task, file).await? {
            Answer::Taken(id) => self.taken(task, id),
            Answer::Unknown(words) => self.unknown(task, &words),
            Answer::Duplicate(_) => {
                let words = "the deletion of the old one has not settled; the backup is safe";
                task.enter(self, Phase::Held, words, json!({}))
            }
            Answer::Refused(reason, words) => self.restore(task, reason, &words).await,
            Answer::Not(error) => {
                task.cause = Some(cause(&error));
                let words = format!("the old one is removed, the new one not sent yet: {error}");
                task.enter(self, Phase::Held, &words, json!({}))
            }
        }
    }

    /// What the answer to an upload beside the old one makes of a replace.
    fn take_new(&self, task: &mut Task, answer: Answer) -> Result<(), EngineError> {
        match answer {
            Answer::Taken(id) => self.taken(task, id),
            Answer::Unknown(words) => self.unknown(task, &words),
            Answer::Refused(reason, words) => self.refuse(task, reason, &words),
            Answer::Duplicate(_) => {
                let words = "the destination took no second copy, so nothing was replaced";
                task.enter(self, Phase::Failed, words, json!({}))
            }
            Answer::Not(error) => self.fail(task, &format!("not sent: {error}"), &error),
        }
    }

    /// Puts the old activity back from its backup, since the new one was refused for good.
    pub(super) async fn restore(
        &self,
        task: &mut Task,
        reason: RefusalReason,
        why: &str,
    ) -> Result<(), EngineError> {
        let held = |error: &dyn std::fmt::Display| {
            let backup = task.backup.clone().unwrap_or_default();
            format!("refused ({why}); backup {backup} waits to be put back: {error}")
        };
        let stock = Backups::new(&self.session.places.backups);
        let loaded = stock.load(task.backup.as_deref().unwrap_or_default());
        let (backup, bytes) = match loaded {
            Ok(found) => found,
            Err(error) => {
                let words = held(&error);
                return task.enter(self, Phase::Held, &words, json!({}));
            }
        };
        let key = crate::fit::read(&bytes).ok().and_then(|content| content.key());
        let Some((key, _)) = key else {
            let words = held(&"it cannot be read");
            return task.enter(self, Phase::Held, &words, json!({}));
        };
        let file = FitFile {
            sha256: backup.sha256.clone(),
            key,
            kind: backup.kind.clone(),
            title: backup.title.clone(),
            local_offset_s: None,
            bytes,
        };
        let not = match self.send_until_settled(task, &file).await? {
            Answer::Taken(id) => {
                self.refuse(task, reason, why)?;
                let account = task.step.destination.account.clone();
                if let Some(id) = &id {
                    self.note_new(&account, id);
                    self.carry_over(task, id, &backup.details).await;
                }
                let words = format!("refused ({why}); the old one was put back");
                return task.enter(self, Phase::Restored, &words, json!({ "id": id }));
            }
            Answer::Unknown(words) => words,
            Answer::Duplicate(_) => "its deletion has not settled".to_owned(),
            Answer::Refused(_, words) => words,
            Answer::Not(error) => error.to_string(),
        };
        let words = format!(
            "refused ({why}); backup {} waits to be put back: {not}",
            task.backup.clone().unwrap_or_default()
        );
        task.enter(self, Phase::Held, &words, json!({ "restore": reason, "why": why }))
    }
}
