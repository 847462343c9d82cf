//! Fetches a step's original and makes sure that it is what the plan means.

use serde_json::json;

use crate::domain::{AccountName, Activity, Content, Refusal, RefusalReason, Sha256, Unusable};
use crate::event::Phase;
use crate::fit;
use crate::plan::changes;
use crate::platform::{FitFile, PlatformError};

use super::super::error::EngineError;
use super::super::originals;
use super::Run;
use super::health::cause;
use super::task::{Parcel, Task};

impl Run<'_> {
    /// The verified bytes of a step's source; `None` if the step ended.
    pub(super) async fn fetch(&self, task: &mut Task) -> Result<Option<FitFile>, EngineError> {
        let source = task.step.source.clone();
        let Some(activity) = self.listed(&source.account, &source.id) else {
            task.enter(self, Phase::Stale, "the source does not list it any more", json!({}))?;
            return Ok(None);
        };
        if activity.fingerprint != source.fingerprint {
            task.enter(self, Phase::Stale, "the source has changed; plan again", json!({}))?;
            return Ok(None);
        }
        let Some(bytes) = self.source_bytes(task, &activity).await? else { return Ok(None) };
        let content = match fit::read(&bytes) {
            Ok(content) => content,
            Err(unusable) => {
                self.unreadable(task, &activity, &bytes, &unusable).await?;
                return Ok(None);
            }
        };
        if !self.is_its_own(&source.account, &activity, &bytes, &content).await {
            let words = "the source gave another file than the planned one; plan again";
            task.enter(self, Phase::Stale, words, json!({}))?;
            return Ok(None);
        }
        if let Some(open) = self.account(&source.account) {
            originals::keep(self.session, open, &activity, &bytes);
        }
        let Some((key, _)) = content.key() else {
            task.enter(self, Phase::Failed, "the file does not say when it began", json!({}))?;
            return Ok(None);
        };
        let parcel = Parcel {
            sha256: Sha256::of(&bytes),
            start: key.start,
            elapsed_s: key.elapsed_s,
            distance_m: content.distance_m(),
            kind: content.kind(),
        };
        let file = FitFile {
            sha256: parcel.sha256.clone(),
            key,
            kind: task.step.key.kind.clone(),
            title: activity.title.clone(),
            local_offset_s: activity.local_offset_s,
            bytes,
        };
        task.enter(self, Phase::Fetched, "", json!({ "parcel": parcel }))?;
        task.parcel = Some(parcel);
        Ok(Some(file))
    }

    /// The bytes of a step's source; `None` if there are none to be had, and the step ended.
    async fn source_bytes(
        &self,
        task: &mut Task,
        activity: &Activity,
    ) -> Result<Option<Vec<u8>>, EngineError> {
        let account = task.step.source.account.clone();
        match self.cached_or_original(&account, activity).await {
            Ok(bytes) => return Ok(Some(bytes)),
            Err(PlatformError::NotFound) => {
                self.refuse(task, RefusalReason::NoOriginal, "the source has no file of it")?;
            }
            Err(PlatformError::Broken { problem, sha256 }) => {
                self.broken(task, activity, &problem, &sha256).await?;
            }
            Err(error) => self.fail(task, &format!("not fetched: {error}"), &error)?,
        }
        Ok(None)
    }

    /// The bytes of an activity: those that were fetched for a plan, an earlier run or a download.
    async fn cached_or_original(
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
        let original = self.call(account, async || platform.download(activity).await).await?;
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
            || self.original(account, activity).await.is_ok_and(|again| again == bytes)
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
            Unusable::Unreadable { detail } | Unusable::NotAnActivity { detail } => detail.clone(),
            Unusable::NoOriginal | Unusable::ClockNotSet | Unusable::SeveralActivities => {
                "no usable activity".to_owned()
            }
        };
        let account = task.step.source.account.clone();
        match self.original(&account, activity).await {
            Ok(again) if again == bytes => self.refuse(task, RefusalReason::Unreadable, &detail),
            Ok(_) | Err(_) => {
                let words = format!("the download was broken: {detail}");
                task.enter(self, Phase::Failed, &words, json!({}))
            }
        }
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
        match self.original(&account, activity).await {
            Err(PlatformError::Broken { sha256: again, .. }) if again == *sha256 => {
                self.refuse(task, RefusalReason::Unreadable, problem)
            }
            Ok(_) | Err(_) => {
                let words = format!("the download was broken: {problem}");
                task.enter(self, Phase::Failed, &words, json!({}))
            }
        }
    }

    /// Remembers a refusal, and ends the step: the first look at it is a failure.
    pub(super) fn refuse(
        &self,
        task: &mut Task,
        reason: RefusalReason,
        detail: &str,
    ) -> Result<(), EngineError> {
        let found = self.refusal(task, reason, detail);
        let refusal = self.note_refusal(task, found)?;
        let phase = if refusal.is_first_look() { Phase::Failed } else { Phase::Skipped };
        task.enter(self, phase, detail, json!({ "refusal": reason }))
    }

    /// The destination takes no file of that size, as it says beforehand: no look is needed.
    pub(super) fn leave_too_large(&self, task: &mut Task, detail: &str) -> Result<(), EngineError> {
        let found = self.refusal(task, RefusalReason::TooLarge, detail).without_looks();
        self.note_refusal(task, found)?;
        task.enter(self, Phase::Skipped, detail, json!({ "refusal": RefusalReason::TooLarge }))
    }

    pub(super) fn remember_refusal(
        &self,
        task: &Task,
        reason: RefusalReason,
        detail: &str,
    ) -> Result<(), EngineError> {
        self.note_refusal(task, self.refusal(task, reason, detail)).map(drop)
    }

    pub(super) fn refusal(&self, task: &Task, reason: RefusalReason, detail: &str) -> Refusal {
        let source = &task.step.source;
        let now = self.session.clock().now();
        Refusal::found(source.id.clone(), source.fingerprint.clone(), reason, detail, now)
    }

    pub(super) fn note_refusal(&self, task: &Task, found: Refusal) -> Result<Refusal, EngineError> {
        let (from, to) = (task.source, task.destination);
        Ok(self.session.store.note_refusal(from, to, &task.step.address, found)?)
    }

    /// Ends a step that did not succeed; nothing of the activity's is lost.
    pub(super) fn fail(
        &self,
        task: &mut Task,
        words: &str,
        error: &PlatformError,
    ) -> Result<(), EngineError> {
        task.cause = Some(cause(error));
        task.enter(self, Phase::Failed, words, json!({}))
    }
}
