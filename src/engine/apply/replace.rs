//! A replace: never without a verified copy of what goes.

use serde_json::json;

use crate::archive::{Backups, Subject};
use crate::domain::{Activity, Details};
use crate::event::Phase;
use crate::plan::{Protocol, Step};
use crate::platform::{FitFile, Platform, PlatformError};

use super::super::error::EngineError;
use super::Run;
use super::task::Task;

impl Run<'_> {
    /// A replace step from its intent to `sent`, or to where it ends.
    pub(super) async fn replace(&mut self, task: &mut Task) -> Result<(), EngineError> {
        let Some(old) = self.planned_old(task)? else {
            return Ok(());
        };
        let Some(file) = self.fetch(task).await? else {
            return Ok(());
        };
        let Some(platform) = self.platform(&task.step.destination.account) else {
            return Ok(());
        };
        let Some(backup) = self.back_up(task, platform.as_ref(), &old).await? else {
            return Ok(());
        };
        match task.step.protocol {
            Some(Protocol::DeleteThenUpload) => {
                self.delete_then_upload(task, platform.as_ref(), &old, &file, &backup)
                    .await
            }
            // The old one goes when the new one has been seen.
            Some(Protocol::UploadThenDelete) | None => self.send(task, &file).await,
        }
    }

    /// The activity that is to go, if it is still exactly the planned one.
    fn planned_old(&self, task: &mut Task) -> Result<Option<Activity>, EngineError> {
        let destination = &task.step.destination;
        let listed = destination
            .id
            .as_ref()
            .and_then(|id| self.listed(&destination.account, id));
        let unchanged =
            listed.filter(|old| Some(&old.fingerprint) == destination.fingerprint.as_ref());
        match unchanged.cloned() {
            Some(old) => Ok(Some(old)),
            None => {
                let words = "the activity to be replaced is gone or has changed; plan again";
                task.enter(self, Phase::Stale, words, json!({}))?;
                Ok(None)
            }
        }
    }

    /// Stores the old original, downloaded now, with its details; returns the backup's id.
    async fn back_up(
        &mut self,
        task: &mut Task,
        platform: &dyn Platform,
        old: &Activity,
    ) -> Result<Option<String>, EngineError> {
        let bytes = match platform.download(old).await {
            Ok(original) => original.bytes,
            Err(error) => {
                let words = format!("no backup could be made, so nothing was replaced: {error}");
                task.enter(self, Phase::Failed, &words, json!({}))?;
                return Ok(None);
            }
        };
        let details = match platform.details(&old.id).await {
            Ok(details) => details,
            Err(PlatformError::Unsupported) => Details::default(),
            Err(error) => {
                let words =
                    format!("its details could not be read, so nothing was replaced: {error}");
                task.enter(self, Phase::Failed, &words, json!({}))?;
                return Ok(None);
            }
        };
        let subject = self.subject(&task.step, old, details);
        match Backups::new(&self.session.places.backups).store(&bytes, subject) {
            Ok(id) => {
                let id = id.to_string();
                task.enter(
                    self,
                    Phase::BackedUp,
                    "",
                    json!({ "backup": id, "old": old.id }),
                )?;
                Ok(Some(id))
            }
            Err(error) => {
                let words = format!("no backup could be made, so nothing was replaced: {error}");
                task.enter(self, Phase::Failed, &words, json!({}))?;
                Ok(None)
            }
        }
    }

    fn subject(&self, step: &Step, old: &Activity, details: Details) -> Subject {
        let account = &step.destination.account;
        Subject {
            account: account.clone(),
            profile: self
                .opened
                .accounts
                .get(account)
                .and_then(|open| open.profile.id.clone()),
            id: old.id.clone(),
            address: Some(step.address.clone()),
            start: old.start,
            elapsed_s: old.elapsed_s,
            title: old.title.clone(),
            kind: old.kind.clone(),
            details,
            at: self.session.clock().now(),
        }
    }

    async fn delete_then_upload(
        &mut self,
        task: &mut Task,
        platform: &dyn Platform,
        old: &Activity,
        file: &FitFile,
        backup: &str,
    ) -> Result<(), EngineError> {
        match platform.delete(&old.id).await {
            Ok(()) | Err(PlatformError::NotFound) => {}
            Err(PlatformError::Unconfirmed(words)) => {
                let words = format!("asked to remove the old one, answer lost: {words}");
                return task.enter(self, Phase::Unknown, &words, json!({}));
            }
            Err(error) => {
                let words = format!("the old one could not be removed: {error}");
                return task.enter(self, Phase::Failed, &words, json!({}));
            }
        }
        self.session
            .store
            .remove_links_to(task.destination, &old.id)?;
        task.enter(self, Phase::Removed, "", json!({ "old": old.id }))?;
        self.send(task, file).await?;
        match task.phase {
            Phase::Failed | Phase::Skipped => self.restore(task, platform, backup).await,
            _ => Ok(()),
        }
    }

    /// Puts the old activity back from its backup.
    pub(super) async fn restore(
        &mut self,
        task: &mut Task,
        platform: &dyn Platform,
        backup: &str,
    ) -> Result<(), EngineError> {
        let why = task.detail.clone();
        let held = |error: &dyn std::fmt::Display| {
            format!("{why}; the old one waits in backup {backup} to be put back: {error}")
        };
        let (backup, bytes) = match Backups::new(&self.session.places.backups).load(backup) {
            Ok(found) => found,
            Err(error) => return task.enter(self, Phase::Held, &held(&error), json!({})),
        };
        let key = crate::fit::read(&bytes)
            .ok()
            .and_then(|content| content.key());
        let Some((key, _)) = key else {
            return task.enter(self, Phase::Held, &held(&"it cannot be read"), json!({}));
        };
        let file = FitFile {
            sha256: backup.sha256.clone(),
            key,
            kind: backup.kind.clone(),
            title: backup.title.clone(),
            local_offset_s: None,
            bytes,
        };
        match platform.upload(&file).await {
            Ok(_) => {
                let words = format!("{why}; the old one was put back");
                task.enter(self, Phase::Restored, &words, json!({}))
            }
            Err(error) => task.enter(self, Phase::Held, &held(&error), json!({})),
        }
    }
}
