//! Fetches a step's original, verifies it, and sends it once.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::domain::{Activity, LinkOrigin, Refusal, RefusalReason, RemoteId, Sha256, Unusable};
use crate::event::Phase;
use crate::fit;
use crate::plan::BlockedReason;
use crate::plan::matching::{self, Field, Outcome, Seeker};
use crate::platform::{
    FitFile, Platform, PlatformError, Rejection, UploadStatus, UploadTicket, Uploaded,
};

use super::super::error::EngineError;
use super::Run;
use super::task::{Parcel, Task};

/// How often, and how far apart, a platform is asked what became of an upload.
const POLLS: u32 = 20;
const POLL_EVERY: Duration = Duration::from_secs(3);

impl Run<'_> {
    pub(super) fn platform(
        &self,
        account: &crate::domain::AccountName,
    ) -> Option<Arc<dyn Platform>> {
        self.opened.accounts.get(account).and_then(|open| open.platform.clone())
    }

    pub(super) fn listed(
        &self,
        account: &crate::domain::AccountName,
        id: &RemoteId,
    ) -> Option<&Activity> {
        self.inventories.get(account)?.activities.iter().find(|row| row.id == *id)
    }

    /// An upload step from its intent to `sent`, or to where it ends.
    pub(super) async fn upload(&mut self, task: &mut Task) -> Result<(), EngineError> {
        let Some(file) = self.fetch(task).await? else {
            return Ok(());
        };
        if self.is_there_after_all(task, &file)? {
            return Ok(());
        }
        self.send(task, &file).await
    }

    /// The verified bytes of a step's source; `None` if the step ended.
    pub(super) async fn fetch(&mut self, task: &mut Task) -> Result<Option<FitFile>, EngineError> {
        let source = task.step.source.clone();
        let activity = self.listed(&source.account, &source.id).cloned();
        let (Some(activity), Some(platform)) = (activity, self.platform(&source.account)) else {
            task.enter(self, Phase::Stale, "the source does not list it any more", json!({}))?;
            return Ok(None);
        };
        let bytes = match platform.download(&activity).await {
            Ok(original) => original.bytes,
            Err(error) => {
                self.not_fetched(task, &error)?;
                return Ok(None);
            }
        };
        let content = match fit::read(&bytes) {
            Ok(content) => content,
            Err(unusable) => {
                self.unreadable(task, platform.as_ref(), &activity, &bytes, &unusable).await?;
                return Ok(None);
            }
        };
        let Some((key, _)) = content.key() else {
            task.enter(self, Phase::Failed, "the file does not say when it began", json!({}))?;
            return Ok(None);
        };
        let sha256 = Sha256::of(&bytes);
        task.enter(self, Phase::Fetched, "", json!({ "sha256": sha256 }))?;
        let file = FitFile {
            sha256: sha256.clone(),
            key,
            kind: task.step.key.kind.clone(),
            title: activity.title.clone(),
            local_offset_s: activity.local_offset_s,
            bytes,
        };
        task.parcel = Some(Parcel { sha256, key, content });
        Ok(Some(file))
    }

    fn not_fetched(&mut self, task: &mut Task, error: &PlatformError) -> Result<(), EngineError> {
        match error {
            PlatformError::NotFound => {
                self.refuse(task, RefusalReason::NoOriginal, "the source has no file of it")
            }
            other => {
                self.lose_account_on(&task.step.source.account.clone(), other);
                task.enter(self, Phase::Failed, &format!("not fetched: {other}"), json!({}))
            }
        }
    }

    /// One look at a broken download proves nothing; two that agree do.
    async fn unreadable(
        &mut self,
        task: &mut Task,
        platform: &dyn Platform,
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
        match platform.download(activity).await {
            Ok(again) if again.bytes == bytes => {
                self.refuse(task, RefusalReason::Unreadable, &detail)
            }
            Ok(_) | Err(_) => {
                let words = format!("the download was broken: {detail}");
                task.enter(self, Phase::Failed, &words, json!({}))
            }
        }
    }

    /// Remembers a permanent reason; the step is over and no failure.
    fn refuse(
        &self,
        task: &mut Task,
        reason: RefusalReason,
        detail: &str,
    ) -> Result<(), EngineError> {
        let refusal = Refusal {
            id: task.step.source.id.clone(),
            fingerprint: task.step.source.fingerprint.clone(),
            reason,
            detail: detail.to_owned(),
        };
        let (from, to) = (task.source, task.destination);
        self.session.store.save_refusal(from, to, &task.step.address, &refusal)?;
        task.enter(self, Phase::Skipped, detail, json!({ "refusal": reason }))
    }

    /// The file may hold another start than its listing (trimmed, edited): then it is looked for
    /// once more, under the start that the destination will read in it.
    fn is_there_after_all(&self, task: &mut Task, file: &FitFile) -> Result<bool, EngineError> {
        let planned = &task.step.key;
        let apart = planned.elapsed_s.zip(file.key.elapsed_s).map(|(a, b)| a.abs_diff(b));
        if file.key.start == planned.start && apart.is_none_or(|seconds| seconds <= 2) {
            return Ok(false);
        }
        let Some(inventory) = self.inventories.get(&task.step.destination.account) else {
            return Ok(false);
        };
        let Some(listed) = self.listed(&task.step.source.account, &task.step.source.id) else {
            return Ok(false);
        };
        let mut activity = listed.clone();
        (activity.start, activity.elapsed_s) = (Some(file.key.start), file.key.elapsed_s);
        activity.sha256 = Some(file.sha256.clone());
        let field = Field { activities: inventory.activities.iter().collect(), ..Field::default() };
        let seeker = Seeker { activity: &activity, account: 0, fixed: None, excluded: Vec::new() };
        let outcome = matching::find(std::slice::from_ref(&seeker), &field).pop();
        self.end_if_there(task, &outcome.unwrap_or(Outcome::Alone), &field)
    }

    fn end_if_there(
        &self,
        task: &mut Task,
        outcome: &Outcome,
        field: &Field<'_>,
    ) -> Result<bool, EngineError> {
        match outcome {
            Outcome::Match(place, _) => {
                if let Some(found) = field.activities.get(*place) {
                    task.link(self, Some(found), LinkOrigin::Found)?;
                    let words = format!("{} at the destination is this recording", found.id);
                    task.enter(self, Phase::Adopted, &words, json!({ "id": found.id }))?;
                }
                Ok(true)
            }
            Outcome::Ambiguous(_) => self.question(task, "ambiguous").map(|()| true),
            Outcome::Overlap(_) => self.question(task, "partial_overlap").map(|()| true),
            Outcome::ZoneSuspect(_) => {
                self.question(task, "possible_time_zone_duplicate").map(|()| true)
            }
            Outcome::Alone => Ok(false),
        }
    }

    /// A step that has become a question for a person.
    pub(super) fn question(&self, task: &mut Task, reason: &str) -> Result<(), EngineError> {
        task.question = Some(reason.to_owned());
        task.enter(self, Phase::Skipped, reason, json!({ "conflict": reason }))
    }

    /// Sends a file once and follows it until the platform has said what became of it.
    pub(super) async fn send(
        &mut self,
        task: &mut Task,
        file: &FitFile,
    ) -> Result<(), EngineError> {
        let destination = task.step.destination.account.clone();
        let Some(platform) = self.platform(&destination) else {
            return Ok(());
        };
        let most = platform.capabilities().max_upload_bytes;
        if most.is_some_and(|most| file.bytes.len() as u64 > most) {
            let words = format!("{} bytes, more than the destination takes", file.bytes.len());
            return self.refuse(task, RefusalReason::TooLarge, &words);
        }
        match platform.upload(file).await {
            Ok(Uploaded::Stored(id)) => self.stored(task, Some(id)),
            Ok(Uploaded::Processing(ticket)) => self.follow(task, platform.as_ref(), ticket).await,
            Err(error) => self.not_sent(task, error),
        }
    }

    async fn follow(
        &mut self,
        task: &mut Task,
        platform: &dyn Platform,
        ticket: UploadTicket,
    ) -> Result<(), EngineError> {
        for _ in 0..POLLS {
            match platform.upload_status(&ticket).await {
                Ok(UploadStatus::Stored(id)) => return self.stored(task, Some(id)),
                Ok(UploadStatus::Finished) => return self.stored(task, None),
                Ok(UploadStatus::Processing) => self.session.clock().sleep(POLL_EVERY).await,
                Err(PlatformError::NotFound | PlatformError::Transient(_)) => break,
                Err(error) => return self.not_sent(task, error),
            }
        }
        task.enter(self, Phase::Unknown, "sent; not known yet what became of it", json!({}))
    }

    /// The platform took it. An id that was there before is not believed.
    fn stored(&mut self, task: &mut Task, id: Option<RemoteId>) -> Result<(), EngineError> {
        if let Some(old) = id.clone().filter(|id| task.known.contains(id)) {
            return self.duplicate(task, Some(&old));
        }
        task.new = id;
        task.enter(self, Phase::Sent, "", json!({ "id": task.new }))?;
        task.link(self, None, LinkOrigin::Placed)
    }

    fn not_sent(&mut self, task: &mut Task, error: PlatformError) -> Result<(), EngineError> {
        match error {
            PlatformError::Duplicate { existing } => self.duplicate(task, existing.as_ref()),
            PlatformError::Rejected { reason, kind: Rejection::TooLarge } => {
                self.refuse(task, RefusalReason::TooLarge, &reason)
            }
            PlatformError::Rejected { reason, kind: Rejection::Refused } => {
                self.refuse(task, RefusalReason::RejectedByDestination, &reason)
            }
            PlatformError::Unconfirmed(words) => {
                task.enter(self, Phase::Unknown, &format!("sent, answer lost: {words}"), json!({}))
            }
            other => {
                self.lose_account_on(&task.step.destination.account.clone(), &other);
                task.enter(self, Phase::Failed, &format!("not sent: {other}"), json!({}))
            }
        }
    }

    /// The platform says that it has this already: only believed of an activity that we know and
    /// that fits.
    fn duplicate(
        &mut self,
        task: &mut Task,
        existing: Option<&RemoteId>,
    ) -> Result<(), EngineError> {
        let account = &task.step.destination.account;
        let named = existing.and_then(|id| self.listed(account, id)).cloned();
        let Some(found) = named else {
            let words = "the destination says that it has this already, but does not list it";
            return task.enter(self, Phase::Unknown, words, json!({ "named": existing }));
        };
        let Some(parcel) = task.parcel.clone() else {
            return Ok(());
        };
        let overlap = found
            .interval()
            .zip(parcel.key.interval())
            .map(|(a, b)| a.overlap_permille(&b))
            .unwrap_or_default();
        let links = self.session.store.links_to(task.destination)?;
        let linked = links
            .iter()
            .any(|link| link.destination.as_ref().is_some_and(|side| side.id == found.id));
        if linked || overlap < 800 {
            return self.question(task, "partial_overlap");
        }
        task.link(self, Some(&found), LinkOrigin::Found)?;
        let words = format!("{} at the destination is this recording", found.id);
        task.enter(self, Phase::Adopted, &words, json!({ "id": found.id }))
    }

    /// An account without a session is asked nothing more in this run.
    pub(super) fn lose_account_on(
        &mut self,
        account: &crate::domain::AccountName,
        error: &PlatformError,
    ) {
        if matches!(error, PlatformError::Auth(_)) {
            let why = format!("{account}: {error}");
            self.lost.insert(account.clone(), (BlockedReason::LoginNeeded, why));
        }
    }
}
