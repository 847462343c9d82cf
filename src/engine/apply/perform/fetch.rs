//! Fetches the bytes that are sent, and makes sure that they are what the plan means.

use std::collections::HashMap;
use std::rc::Rc;

use crate::archive::{Backup, ClaimReason};
use crate::clock::age;
use crate::domain::{AccountName, Activity, Content, RefusalReason, Sha256, Unusable};
use crate::fit;
use crate::plan::SkipReason;
use crate::plan::changes;
use crate::plan::reconcile::{Cause, Entry, GivenUp, Outcome, Payload, Why};
use crate::platform::PlatformError;

use super::super::super::cause::cause;
use super::super::super::error::EngineError;
use super::super::super::originals;
use super::super::super::plan::utc_day;
use super::super::bytes;
use super::super::observe::BELIEVED;
use super::super::run::Run;
use super::super::task::Task;
use super::new::is_same_content;

impl Run<'_> {
    /// Fetches a step's bytes: the backup's, those that were kept, or the source's original.
    pub(super) async fn fetch(&self, task: &mut Task) -> Result<(), EngineError> {
        if task.state.turned.is_some() || task.is_restore() {
            return self.fetch_backup(task);
        }
        if let Some(payload) = &task.state.payload
            && let Some(kept) = bytes::get(self.session, &payload.sha256)
        {
            task.run.bytes = Some(Rc::new(kept));
            return self.look_at_privacy(task).await;
        }
        // Nothing is lost with a download that nobody waits for any more.
        let stop = self.session.stop.clone();
        match stop.race(self.fetch_original(task)).await {
            Some(fetched) => fetched,
            None => {
                self.give_up(task, Why::Stopped, Cause::Other);
                Ok(())
            }
        }
    }

    async fn fetch_original(&self, task: &mut Task) -> Result<(), EngineError> {
        let account = task.step.source.account.clone();
        let Some(activity) = self.listed(&account, &task.step.source.id) else {
            return self.cannot_be_had(task, Why::SourceGone);
        };
        let Some(bytes) = self.source_bytes(task, &activity).await? else { return Ok(()) };
        let content = match fit::read(&bytes) {
            Ok(content) => content,
            Err(unusable) => return self.unreadable(task, &activity, &bytes, &unusable).await,
        };
        let sha256 = Sha256::of(&bytes);
        if let Some(payload) = &task.state.payload
            && payload.sha256 != sha256
            && task.state.is_touched()
        {
            return self.cannot_be_had(task, Why::OtherFile);
        }
        if !self.is_its_own(&account, &activity, &bytes, &content).await {
            return self.cannot_be_had(task, Why::OtherFile);
        }
        if let Some(open) = self.account(&account) {
            originals::keep(self.session, open, &activity, &bytes);
        }
        self.leave_to_twin(task, &activity, (&bytes, &content)).await?;
        if task.run.given_up.is_some() {
            return Ok(());
        }
        let Some(mut payload) = payload_of(task, sha256, &content) else {
            self.give_up(task, Why::NoStart, Cause::Other);
            return Ok(());
        };
        payload.title.clone_from(&activity.title);
        payload.local_offset_s = activity.local_offset_s;
        payload.private = self.must_stay_private(task, &activity).await;
        self.take_bytes(task, payload, bytes)
    }

    fn take_bytes(
        &self,
        task: &mut Task,
        payload: Payload,
        bytes: Vec<u8>,
    ) -> Result<(), EngineError> {
        task.run.bytes = Some(Rc::new(bytes));
        match task.state.payload.as_ref().is_some_and(|known| *known == payload) {
            true => Ok(()),
            false => task.write(self, Entry::Fetched { payload }),
        }
    }

    /// A backup that is put back; what a replace turns round to it has claimed already.
    fn claimed_backup(&self, task: &mut Task, id: &str) -> Result<(Backup, Vec<u8>), EngineError> {
        let backups = bytes::backups(self.session);
        let (backup, bytes) = backups.load(id).map_err(EngineError::Archive)?;
        if task.is_restore() {
            task.journal_it(self)?;
            let claim = task.claim(self, ClaimReason::Payload)?;
            backups.claim(&backup.id, &claim).map_err(EngineError::Archive)?;
        }
        Ok((backup, bytes))
    }

    /// The bytes of a backup, which is put back.
    fn fetch_backup(&self, task: &mut Task) -> Result<(), EngineError> {
        let id = match task.state.turned {
            None => task.step.source.id.to_string(),
            Some(_) => task.state.backup.clone().unwrap_or_default(),
        };
        let loaded = self.claimed_backup(task, &id).map_err(|error| error.to_string());
        let read = loaded.and_then(|(backup, bytes)| {
            let content = fit::read(&bytes).ok();
            let payload = content.and_then(|it| payload_of(task, backup.sha256.clone(), &it));
            let payload = payload.ok_or_else(|| "the backup is no whole activity file".to_owned());
            Ok((backup, bytes, payload?))
        });
        let (backup, bytes, mut payload) = match read {
            Ok(read) => read,
            Err(message) => {
                self.give_up(task, Why::NotFetched { message }, Cause::Other);
                return Ok(());
            }
        };
        payload.title.clone_from(&backup.subject.title);
        let can =
            self.account(&task.step.destination.account).map(|open| open.capabilities.editable);
        payload.private =
            backup.subject.details.private == Some(true) && can.is_some_and(|can| can.privacy);
        task.run.details = Some(backup.subject.details);
        self.take_bytes(task, payload, bytes)
    }

    /// Whether a copy must be seen by its athlete only: the source is, as far as both platforms know
    /// such a thing. What no young reading says is asked; what is not answered counts as private.
    async fn must_stay_private(&self, task: &Task, source: &Activity) -> bool {
        let from = &task.step.source.account;
        if !self.knows_privacy(&task.step.destination.account) {
            return false;
        }
        match source.private.filter(|_| self.is_read(from, source)) {
            Some(private) => private,
            None if !self.knows_privacy(from) => source.private == Some(true),
            None => {
                let Some(platform) = self.platform(from) else { return true };
                let details = self.ask(from, async || platform.details(&source.id).await).await;
                details.map_or(true, |details| details.private.unwrap_or(true))
            }
        }
    }

    /// Asks whether the source was made private since an earlier run fetched it.
    async fn look_at_privacy(&self, task: &mut Task) -> Result<(), EngineError> {
        let source = &task.step.source;
        let Some(row) = self.listed(&source.account, &source.id) else { return Ok(()) };
        let payload = task.state.payload.clone().filter(|payload| !payload.private);
        match payload {
            Some(payload) if self.must_stay_private(task, &row).await => {
                task.write(self, Entry::Fetched { payload: Payload { private: true, ..payload } })
            }
            _ => Ok(()),
        }
    }

    fn knows_privacy(&self, account: &AccountName) -> bool {
        self.account(account).is_some_and(|open| open.capabilities.editable.privacy)
    }

    /// Whether a row was read now and is not only remembered.
    fn is_read(&self, account: &AccountName, row: &Activity) -> bool {
        let views = self.views.borrow();
        let Some((view, start)) = views.get(account).zip(row.start) else { return false };
        let reading = view.reading(utc_day(start), utc_day(start));
        let now = self.session.clock().now();
        reading.is_some_and(|reading| age(now, reading.at) <= BELIEVED)
    }

    /// The payload of a step whose source was made private since it was fetched.
    pub(super) fn turned_private(&self, task: &Task) -> Option<Payload> {
        let payload = task.state.payload.as_ref().filter(|payload| !payload.private)?;
        if task.state.turned.is_some() || !self.knows_privacy(&task.step.destination.account) {
            return None;
        }
        let source = self.listed(&task.step.source.account, &task.step.source.id)?;
        (source.private == Some(true)).then(|| Payload { private: true, ..payload.clone() })
    }

    /// The bytes of a step's source; `None` if there are none to be had.
    async fn source_bytes(
        &self,
        task: &mut Task,
        activity: &Activity,
    ) -> Result<Option<Vec<u8>>, EngineError> {
        let account = task.step.source.account.clone();
        match self.cached_original(&account, activity).await {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(PlatformError::NotFound) => {
                let message = "the source has no file of it";
                self.refuse(task, RefusalReason::NoOriginal, message)?;
            }
            Err(PlatformError::Broken { problem, sha256 }) => {
                self.broken(task, activity, &problem, &sha256).await?;
            }
            Err(error) => {
                let why = Why::NotFetched { message: error.to_string() };
                self.give_up(task, why, cause(&error));
            }
        }
        Ok(None)
    }

    /// The bytes that a step has sent, if they are to be had still.
    pub(super) async fn sent_bytes(&self, task: &Task, sha256: &Sha256) -> Option<Vec<u8>> {
        let own = task.run.bytes.as_deref().cloned();
        if let Some(kept) = own.or_else(|| bytes::get(self.session, sha256)) {
            return Some(kept);
        }
        let source = &task.step.source;
        let row = self.listed(&source.account, &source.id)?;
        let original = self.cached_original(&source.account, &row).await.ok()?;
        (Sha256::of(&original) == *sha256).then_some(original)
    }

    /// The bytes of an activity, from the cache or else from its account.
    pub(super) async fn cached_original(
        &self,
        account: &AccountName,
        activity: &Activity,
    ) -> Result<Vec<u8>, PlatformError> {
        let open = self.account(account);
        match open.and_then(|open| originals::cached(self.session, open, activity)) {
            Some(bytes) => Ok(bytes),
            None => self.original(account, activity).await,
        }
    }

    /// The bytes of an activity, now, from its account.
    pub(super) async fn original(
        &self,
        account: &AccountName,
        activity: &Activity,
    ) -> Result<Vec<u8>, PlatformError> {
        let platform = self.platform(account).ok_or(PlatformError::Unsupported)?;
        let original = self.ask(account, async || platform.download(activity).await).await?;
        Ok(original.bytes)
    }

    /// Whether these bytes are surely the activity's: as listed, as compared for the plan, of the same
    /// time, or, where the athlete has edited the listing, twice the same.
    pub(super) async fn is_its_own(
        &self,
        account: &AccountName,
        activity: &Activity,
        bytes: &[u8],
        content: &Content,
    ) -> bool {
        if let Some(listed) = &activity.sha256 {
            return *listed == Sha256::of(bytes);
        }
        if let Some(compared) = self.memory.content(account, activity) {
            return changes(compared, content).is_empty();
        }
        originals::fit_the_listing(activity, bytes, content)
            || (self.is_given_again(account, activity, bytes, content).await
                && self.is_listed_still(account, activity).await)
    }

    /// Whether an account gives the same once more.
    async fn is_given_again(
        &self,
        account: &AccountName,
        activity: &Activity,
        bytes: &[u8],
        content: &Content,
    ) -> bool {
        let again = self.original(account, activity).await;
        again.is_ok_and(|again| again == bytes || is_same_content(&again, Some(content)))
    }

    /// Whether an account still lists an activity as it was read.
    async fn is_listed_still(&self, account: &AccountName, activity: &Activity) -> bool {
        let Some(platform) = self.platform(account) else { return false };
        let known = HashMap::from([(activity.id.clone(), activity.clone())]);
        let now = self.ask(account, async || platform.look(activity, &known).await).await;
        now.is_ok_and(|now| now.is_some_and(|now| now.fingerprint == activity.fingerprint))
    }

    /// One look at a broken download proves nothing; two that agree do.
    async fn unreadable(
        &self,
        task: &mut Task,
        activity: &Activity,
        bytes: &[u8],
        unusable: &Unusable,
    ) -> Result<(), EngineError> {
        let detail = match unusable {
            Unusable::Unreadable { detail }
            | Unusable::Unopened { detail }
            | Unusable::NotAnActivity { detail } => detail.clone(),
            Unusable::NoOriginal | Unusable::ClockNotSet | Unusable::SeveralActivities => {
                "no usable activity".to_owned()
            }
        };
        let account = task.step.source.account.clone();
        let again = self.original(&account, activity).await.is_ok_and(|again| again == bytes);
        self.judge_broken(task, again, &detail)
    }

    /// What cannot even be unpacked is looked at twice as well.
    async fn broken(
        &self,
        task: &mut Task,
        activity: &Activity,
        problem: &str,
        sha256: &Sha256,
    ) -> Result<(), EngineError> {
        let account = task.step.source.account.clone();
        let again = self.original(&account, activity).await;
        let again = matches!(again, Err(PlatformError::Broken { sha256: b, .. }) if b == *sha256);
        self.judge_broken(task, again, problem)
    }

    fn judge_broken(&self, task: &mut Task, again: bool, detail: &str) -> Result<(), EngineError> {
        if again {
            return self.refuse(task, RefusalReason::Unreadable, detail);
        }
        let message = format!("the download was broken: {detail}");
        self.give_up(task, Why::NotFetched { message }, Cause::Other);
        Ok(())
    }

    /// Remembers a reason against a step's source, and gives the step up.
    fn refuse(
        &self,
        task: &mut Task,
        reason: RefusalReason,
        message: &str,
    ) -> Result<(), EngineError> {
        let why = Why::Against { message: message.to_owned() };
        if task.state.is_gap() {
            return self.cannot_be_had(task, why);
        }
        self.remember_refusal(task, reason, message)?;
        let outcome = match task.run.refused_before {
            true => Outcome::Skipped { reason: SkipReason::from(reason) },
            false => Outcome::Failed,
        };
        task.run.given_up = Some(GivenUp { outcome, why, cause: Some(Cause::Other) });
        Ok(())
    }

    /// The planned bytes are not to be had any more: what was removed for them is put back.
    fn cannot_be_had(&self, task: &mut Task, why: Why) -> Result<(), EngineError> {
        if task.state.is_gap() {
            return self.turn_round(task, RefusalReason::NoOriginal, why.to_string(), None);
        }
        let outcome = Outcome::Stale;
        task.run.given_up = Some(GivenUp { outcome, why, cause: Some(Cause::Other) });
        Ok(())
    }
}

fn payload_of(task: &Task, sha256: Sha256, content: &Content) -> Option<Payload> {
    let (key, _) = content.key()?;
    Some(Payload {
        sha256,
        start: key.start,
        elapsed_s: key.elapsed_s,
        distance_m: content.distance_m(),
        kind: content.kind(),
        title: task.step.source.title.clone(),
        local_offset_s: None,
        private: false,
    })
}
