//! A replace: never without a verified copy of what goes.

use serde_json::json;

use crate::archive::{Backups, Spool, Subject};
use crate::domain::{AccountName, Activity, Details, LinkOrigin, RemoteId};
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
        let content = crate::fit::read(&bytes);
        if let Ok(content) = &content
            && !self.is_its_own(&account, old, &bytes, content).await
        {
            return self.no_backup(task, &"the download is another file than the planned one");
        }
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
        account: &AccountName,
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
        match self.is_unchanged(&account, old).await {
            Ok(true) => {}
            Ok(false) => {
                let words = "the activity to be replaced is gone or has changed; plan again";
                task.enter(self, Phase::Stale, words, json!({}))?;
                return Ok(false);
            }
            Err(error) => {
                let words = format!("the old one could not be looked at once more: {error}");
                self.fail(task, &words, &error)?;
                return Ok(false);
            }
        }
        match self.call(&account, async || platform.delete(old).await).await {
            Ok(()) => {}
            Err(error @ (PlatformError::NotFound | PlatformError::Unconfirmed(_))) => {
                // Whether it is gone is seen by looking, before anything is sent.
                if !self.is_gone(&account, &old.id).await? {
                    let words =
                        format!("asked to remove the old one, which is listed yet: {error}");
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
            Answer::Duplicate(existing) if self.is_the_same(task, existing.as_ref()) => {
                self.keep_the_same(task)
            }
            Answer::Duplicate(_) => {
                let words = "the destination took no second copy, so nothing was replaced";
                task.enter(self, Phase::Failed, words, json!({}))
            }
            Answer::Not(error) => self.fail(task, &format!("not sent: {error}"), &error),
        }
    }

    /// Whether what is to be replaced holds the very bytes that are sent, as its account lists.
    fn is_the_same(&self, task: &Task, named: Option<&RemoteId>) -> bool {
        let old = task.step.destination.id.as_ref();
        let listed = old.and_then(|id| self.listed(&task.step.destination.account, id));
        let there = listed.as_ref().and_then(|row| row.sha256.as_ref());
        named == old
            && there.is_some()
            && there == task.parcel.as_ref().map(|parcel| &parcel.sha256)
    }

    /// A forced replace by the same bytes under the same name is done before it begins.
    fn keep_the_same(&self, task: &mut Task) -> Result<(), EngineError> {
        let Some(old) = task.step.destination.id.clone() else { return Ok(()) };
        let listed = self.listed(&task.step.destination.account, &old);
        task.link(self, listed.as_ref(), LinkOrigin::Placed)?;
        let words = format!("{old} at the destination holds these very bytes");
        task.enter(self, Phase::Adopted, &words, json!({ "id": old }))
    }
}
