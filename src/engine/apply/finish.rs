//! The end of a step whose activity has been seen: privacy, details, and letting go of the old one.

use serde_json::json;

use crate::archive::Backups;
use crate::domain::{Activity, Details, LinkOrigin, RemoteId};
use crate::event::Phase;
use crate::plan::Action;
use crate::platform::PlatformError;

use super::super::error::EngineError;
use super::Run;
use super::health::cause;
use super::task::Task;

impl Run<'_> {
    /// Finishes a step whose new activity is listed.
    pub(super) async fn finish(&self, task: &mut Task, new: &Activity) -> Result<(), EngineError> {
        self.note_new(&task.step.destination.account, &new.id);
        task.new = Some(new.id.clone());
        if let Err(error) = self.keep_private(task, new).await {
            task.cause = Some(cause(&error));
            let words = format!("it is there, but could not be made private yet: {error}");
            return task.enter(self, Phase::Held, &words, json!({ "id": new.id }));
        }
        if task.step.action == Action::Replace && !self.is_kept(task, new).await? {
            return Ok(());
        }
        let words = std::mem::take(&mut task.notice);
        let mut made = task.made(self, Some(new), LinkOrigin::Placed);
        if task.old_goes_last() {
            // Before the old one goes: whatever comes then, the pair is the new one's.
            task.link(self, Some(new), LinkOrigin::Placed)?;
            made = None;
            if !self.let_go(task, new).await? {
                return Ok(());
            }
        }
        task.enter_with(self, Phase::Confirmed, &words, json!({ "id": new.id }), made.as_ref())
    }

    /// A source known to be private is private at the destination before the step is confirmed.
    async fn keep_private(&self, task: &Task, new: &Activity) -> Result<(), PlatformError> {
        let account = &task.step.destination.account;
        let source = self.listed(&task.step.source.account, &task.step.source.id);
        let is_private = source.and_then(|source| source.private) == Some(true);
        let Some(platform) = self.platform(account) else { return Ok(()) };
        if !is_private || new.private == Some(true) || !platform.capabilities().editable.privacy {
            return Ok(());
        }
        let details = Details { private: Some(true), ..Details::default() };
        self.call(account, async || platform.set_details(&new.id, &details).await).await?;
        // The answer alone proves nothing.
        match self.call(account, async || platform.details(&new.id).await).await {
            Ok(now) if now.private == Some(false) => {
                Err(PlatformError::Permanent("others can still see it".to_owned()))
            }
            Ok(_) | Err(PlatformError::Unsupported) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Gives a new activity what people wrote about the one in the backup, and says so where it cannot.
    pub(super) async fn carry_over_backed_up(&self, task: &mut Task, new: &RemoteId) {
        let id = task.backup.clone().unwrap_or_default();
        let Ok((backup, _)) = Backups::new(&self.session.places.backups).load(&id) else { return };
        let Err(error) = self.carry_over(task, new, &backup.details).await else { return };
        if !task.notice.is_empty() {
            task.notice.push_str("; ");
        }
        let words = format!("its title and details are in backup {id} only: {error}");
        task.notice.push_str(&words);
    }

    /// Gives a new activity what people wrote about the old one, as far as the platform can. What
    /// cannot be carried over is in the backup; privacy is never widened.
    pub(super) async fn carry_over(
        &self,
        task: &Task,
        new: &RemoteId,
        old: &Details,
    ) -> Result<(), PlatformError> {
        let account = &task.step.destination.account;
        let Some(platform) = self.platform(account) else { return Ok(()) };
        let editable = platform.capabilities().editable;
        let details = Details {
            title: old.title.clone().filter(|_| editable.title),
            description: old.description.clone().filter(|_| editable.description),
            kind: old.kind.clone().filter(|_| editable.kind),
            private: old.private.filter(|private| *private && editable.privacy),
            words: old.words.clone(),
        };
        if details == Details::default() {
            return Ok(());
        }
        let set = || self.call(account, async || platform.set_details(new, &details).await);
        match set().await {
            // Setting the same twice harms nothing.
            Err(PlatformError::Transient(_) | PlatformError::Unconfirmed(_)) => set().await,
            answer => answer,
        }
    }

    /// Removes the old activity of a replace; only after the new one was verified, and only if it is
    /// still the planned one. Says whether the step can end well.
    async fn let_go(&self, task: &mut Task, new: &Activity) -> Result<bool, EngineError> {
        let destination = task.step.destination.clone();
        let account = &destination.account;
        let listed = destination.id.as_ref().and_then(|id| self.listed(account, id));
        let Some(old) = listed.filter(|old| old.id != new.id) else { return Ok(true) };
        let planned = Some(&old.fingerprint) == destination.fingerprint.as_ref();
        match self.is_unchanged(account, &old).await {
            Ok(true) if planned => {}
            Ok(_) => {
                let words = "the old one was changed meanwhile; both are kept";
                task.enter(self, Phase::Stale, words, json!({ "id": new.id }))?;
                return Ok(false);
            }
            Err(error) => return self.old_one_stays(task, new, &error),
        }
        let (Some(platform), Some(_)) = (self.platform(account), &task.backup) else {
            let words = "there is no backup of the old one, so it stays";
            task.enter(self, Phase::Held, words, json!({ "id": new.id }))?;
            return Ok(false);
        };
        match self.call(account, async || platform.delete(&old).await).await {
            Ok(()) => {}
            Err(PlatformError::NotFound) if self.is_gone(account, &old.id).await? => {}
            Err(error) => return self.old_one_stays(task, new, &error),
        }
        self.session.store.remove_links_to(task.destination, &old.id)?;
        task.enter(self, Phase::Removed, "", json!({ "id": new.id, "old": old.id }))?;
        Ok(true)
    }

    fn old_one_stays(
        &self,
        task: &mut Task,
        new: &Activity,
        error: &PlatformError,
    ) -> Result<bool, EngineError> {
        task.cause = Some(cause(error));
        let words = format!("the new one is there, the old one not removed yet: {error}");
        task.enter(self, Phase::Held, &words, json!({ "id": new.id }))?;
        Ok(false)
    }
}
