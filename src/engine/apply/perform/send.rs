//! Sends a file once, and makes sense of what the destination answers.

use std::sync::Arc;
use std::time::Duration;

use crate::archive::ClaimReason;
use crate::domain::{AccountName, RefusalReason, RemoteId};
use crate::plan::reconcile::{
    Answer, Cause, Entry, GivenUp, Named, Outcome, Surroundings, There, Why, there,
};
use crate::plan::{SkipReason, StepReason};
use crate::platform::{
    FitFile, Platform, PlatformError, Rejection, UploadStatus, UploadTicket, Uploaded, Urgency,
};
use crate::state::Effects;

use super::super::super::cause::cause;
use super::super::super::error::EngineError;
use super::super::bytes;
use super::super::observe::replaces;
use super::super::run::Run;
use super::super::task::Task;
use super::new::Kept;

/// How far apart, unless it says so itself, and how long a platform is asked what became of an
/// upload.
const POLL_EVERY: Duration = Duration::from_secs(3);
const POLL_FOR: Duration = Duration::from_secs(60);

impl Run<'_> {
    /// Sends a step's bytes once, and follows them until the platform has said what became of them.
    pub(super) async fn send(&self, task: &mut Task) -> Result<(), EngineError> {
        let account = task.step.destination.account.clone();
        let (Some(file), Some(platform)) = (file_of(task), self.platform(&account)) else {
            let why = Why::NotSent { message: "the account is not open".to_owned() };
            self.give_up(task, why, Cause::Other);
            return Ok(());
        };
        let most = platform.capabilities().max_upload_bytes;
        if most.is_some_and(|most| file.bytes.len() as u64 > most) {
            return self.too_large(task, file.bytes.len());
        }
        if let Some(payload) = self.turned_private(task) {
            return task.write(self, Entry::Fetched { payload });
        }
        let is_taken = match self.has_taken(task, &file).await {
            Ok(is_taken) => is_taken,
            Err(error) if task.state.doubtful_sends > 0 => {
                let message = format!("it cannot be seen whether it was taken before: {error}");
                self.give_up(task, Why::NotSent { message }, cause(&error));
                return Ok(());
            }
            Err(_) => {
                self.let_settle(&account).await;
                return Ok(());
            }
        };
        if self.reuses_ids(&account) {
            task.excluded.retain(|id| self.listed(&account, id).is_some());
        }
        task.note_known(self);
        if let Err(error) = self.claim_private(task, &file) {
            let message = format!("it could not be noted down that it is private: {error}");
            self.give_up(task, Why::NotSent { message }, Cause::Other);
            return Ok(());
        }
        task.write(self, Entry::Sending)?;
        task.run.named = None;
        task.run.waits = 0;
        task.run.first_sent_at = task.run.first_sent_at.or(task.state.sent_at);
        self.aim(task);
        let answer = match is_taken {
            // Its answer or the state was lost; it is not listed yet.
            true => Entry::Sent { id: None },
            false => self.answer_to(task, &account, &platform, &file).await,
        };
        task.run.changed = self.next_order();
        self.take_answer(task, answer)
    }

    /// What is to be hidden is known even where the state is lost; of a replace its backup tells.
    fn claim_private(&self, task: &mut Task, file: &FitFile) -> Result<(), EngineError> {
        if !task.state.must_hide() || task.state.backup.is_some() {
            return Ok(());
        }
        task.journal_it(self)?;
        let claim = task.claim(self, ClaimReason::Payload)?;
        bytes::keep_payload(self.session, &file.bytes, &claim).map_err(EngineError::Archive)
    }

    async fn answer_to(
        &self,
        task: &mut Task,
        account: &AccountName,
        platform: &Arc<dyn Platform>,
        file: &FitFile,
    ) -> Entry {
        let sent = self.call(account, async || platform.upload(file).await).await;
        // While this one is worked on, the next may be sent; not while others can see it.
        task.run.permit.take_if(|_| !task.state.must_hide());
        match sent {
            Ok(Uploaded::Stored(id)) => self.believed(task, id),
            Ok(Uploaded::Processing(ticket)) => self.follow(task, ticket).await,
            Err(error) => self.answer_of(task, account, error),
        }
    }

    /// What no request needs to find out is no look at the destination.
    fn too_large(&self, task: &mut Task, length: usize) -> Result<(), EngineError> {
        let message = format!("{length} bytes, more than the destination takes");
        if task.state.turned.is_some() {
            self.give_up(task, Why::NotSent { message }, Cause::Other);
            return Ok(());
        }
        if task.state.is_gap() {
            return self.turn_round(task, RefusalReason::TooLarge, message, None);
        }
        let found = self.refusal(task, RefusalReason::TooLarge, &message).without_looks();
        self.note_refusal(task, found)?;
        let outcome = Outcome::Skipped { reason: SkipReason::TooLarge };
        let why = Why::Against { message };
        task.run.given_up = Some(GivenUp { outcome, why, cause: None });
        Ok(())
    }

    /// Writes down what the destination answered; what was taken is a pair from now on, where nothing
    /// else stands in its place.
    fn take_answer(&self, task: &mut Task, answer: Entry) -> Result<(), EngineError> {
        match &answer {
            Entry::Sent { id } => {
                let is_alone = task.state.deletes_first || !replaces(task);
                let named = id.clone();
                let link = is_alone.then(|| task.pending_link(self, named)).flatten();
                let effects = Effects { link: link.as_ref(), ..Effects::default() };
                task.write_with(self, answer, effects)?;
                // Thousands may wait to be listed; where they are compared, they are read once more.
                task.run.bytes = None;
                Ok(())
            }
            Entry::Refused { reason, message } => {
                let (reason, message) = (*reason, message.clone());
                if !task.state.is_gap() {
                    self.remember_refusal(task, reason, &message)?;
                }
                task.write(self, answer)
            }
            Entry::NotSent { message } => {
                let message = message.clone();
                task.write(self, answer)?;
                let why = Why::NotSent { message };
                let cause = task.run.cause.unwrap_or(Cause::Other);
                self.give_up(task, why, cause);
                Ok(())
            }
            _ => task.write(self, answer),
        }
    }

    async fn follow(&self, task: &Task, ticket: UploadTicket) -> Entry {
        let account = &task.step.destination.account;
        let lost = |message: String| Entry::Unanswered { message };
        let Some(platform) = self.platform(account) else {
            return lost("the account is not open".to_owned());
        };
        let mut waited = ticket.wait.unwrap_or_default();
        self.sleep(waited).await;
        loop {
            let status = self.ask(account, async || platform.upload_status(&ticket).await).await;
            match status {
                Ok(UploadStatus::Stored(id)) => return self.believed(task, id),
                Ok(UploadStatus::Finished) => return Entry::Sent { id: None },
                Ok(UploadStatus::Processing) => {}
                Err(PlatformError::Duplicate { existing }) => return Entry::Duplicate { existing },
                Err(PlatformError::Rejected { reason, kind }) => return refused(reason, kind),
                Err(error) => return lost(error.to_string()),
            }
            if waited >= POLL_FOR || self.session.stop.is_requested() {
                return lost("still being processed".to_owned());
            }
            let pause = ticket.wait.unwrap_or(POLL_EVERY);
            self.sleep(pause).await;
            waited += pause;
        }
    }

    /// An id that stood for another activity before is not that of the new one.
    fn believed(&self, task: &Task, id: RemoteId) -> Entry {
        let account = &task.step.destination.account;
        let counterparts = self.counterparts.borrow();
        let is_old = task.excluded.contains(&id)
            || self.removed.borrow().contains(&(account.clone(), id.clone()))
            || self.belongs_to_another(task, &id)
            || self.listed(account, &id).is_some()
            || counterparts.contains_key(&(account.clone(), id.clone()));
        match is_old {
            true => Entry::Unanswered { message: format!("it named {id}, which was there before") },
            false => Entry::Sent { id: Some(id) },
        }
    }

    fn answer_of(&self, task: &mut Task, account: &AccountName, error: PlatformError) -> Entry {
        task.run.cause = Some(cause(&error));
        match error {
            PlatformError::Duplicate { existing } => Entry::Duplicate { existing },
            PlatformError::Rejected { reason, kind } => refused(reason, kind),
            PlatformError::Unconfirmed(message) => Entry::Unanswered { message },
            PlatformError::Permanent(message) => {
                // One file is not the account; two that hear the same are.
                self.breaker.borrow_mut().note_refusal(account, &message);
                Entry::Refused { reason: RefusalReason::RejectedByDestination, message }
            }
            other => Entry::NotSent { message: other.to_string() },
        }
    }

    /// Looks at the activity that the destination named as the duplicate, or for one of the very time.
    /// Never believed on the word alone.
    pub(super) async fn look_at_named(&self, task: &mut Task) -> Result<(), EngineError> {
        let account = task.step.destination.account.clone();
        self.read_days(&account).await?;
        let existing = match &task.state.answer {
            Answer::Duplicate(existing) => existing.clone(),
            _ => None,
        };
        let listed = existing.as_ref().filter(|id| self.listed(&account, id).is_some());
        let old = task.step.destination.id.as_ref().filter(|_| self.is_equal_to_old(task));
        let named = match (listed, self.same_recording(task)) {
            (Some(id), _) if Some(id) == old => Named::Same(id.clone()),
            (_, There::Same(id)) if existing.as_ref().is_none_or(|named| *named == id) => {
                Named::Same(id)
            }
            (Some(_), _) | (None, There::Question(_)) => Named::Other,
            (None, There::Same(id)) => Named::Same(id),
            (None, There::Nothing) => self.existence(&account, existing.as_ref()).await,
        };
        // What stands beside the one that is to be replaced is not put in its place.
        let is_beside = |id: &RemoteId| {
            let old = task.step.destination.id.as_ref();
            old.is_some_and(|old| old != id) && !task.state.is_gap()
        };
        task.run.named = Some(match named {
            Named::Same(id) if is_beside(&id) => Named::Other,
            Named::Same(id) if task.is_restore() => self.is_put_back(task, id).await,
            Named::Other | Named::Gone if task.state.turned.is_some() => {
                self.in_the_way(task, existing.as_ref()).map_or(named, Named::Version)
            }
            named => named,
        });
        Ok(())
    }

    /// What has taken the place of what is put back: of its very time, and the counterpart of another
    /// activity. No wait makes room for both.
    fn in_the_way(&self, task: &Task, named: Option<&RemoteId>) -> Option<RemoteId> {
        let start = task.state.payload.as_ref()?.start;
        let views = self.views.borrow();
        let mut rows = views.get(&task.step.destination.account)?.near(start, 0).into_iter();
        let is_it =
            |id: &RemoteId| named.is_none_or(|named| id == named) && self.is_of_another(task, id);
        rows.find(|row| is_it(&row.id)).map(|row| row.id.clone())
    }

    /// Whether an activity is the counterpart of another one than a step's, as far as is known.
    fn is_of_another(&self, task: &Task, id: &RemoteId) -> bool {
        let own = (task.row.source, task.row.source_id.clone());
        let key = (task.step.destination.account.clone(), id.clone());
        let is_pair = self.counterparts.borrow().get(&key).is_some_and(|other| *other != own);
        is_pair || self.belongs_to_another(task, id)
    }

    /// A backup is only there where its content is.
    async fn is_put_back(&self, task: &Task, id: RemoteId) -> Named {
        match self.kept(task, &id).await {
            Ok(Kept::Same) => Named::Same(id),
            Ok(Kept::Recomputed(_) | Kept::Other) => Named::Other,
            Err(_) => Named::Unclear,
        }
    }

    /// Whether what is sent are the very bytes of the one that it replaces.
    fn is_equal_to_old(&self, task: &Task) -> bool {
        let backup = task.state.backup.as_ref();
        let backup = backup.and_then(|id| bytes::backups(self.session).find(id).ok());
        let payload = task.state.payload.as_ref();
        backup.zip(payload).is_some_and(|(backup, payload)| backup.sha256 == payload.sha256)
    }

    /// What the destination lists of a step's very time, whatever the plan has said about it.
    fn same_recording(&self, task: &Task) -> There {
        let Some(payload) = task.state.payload.as_ref() else { return There::Nothing };
        let account = &task.step.destination.account;
        let views = self.views.borrow();
        let Some(view) = views.get(account) else { return There::Nothing };
        let rows = view.around(payload.start, payload.elapsed_s);
        let around = Surroundings {
            rows: rows.iter().map(AsRef::as_ref).collect(),
            is_sibling: &|_| false,
            is_linked: &|id| self.is_of_another(task, id),
            excluded: task.step.destination.id.clone().into_iter().collect(),
            reason: StepReason::Forced,
        };
        there(&payload.activity(&task.step.source.id), &around)
    }

    async fn existence(&self, account: &AccountName, id: Option<&RemoteId>) -> Named {
        let Some(platform) = self.platform(account) else { return Named::Unclear };
        // What nobody names and nobody lists is what was deleted, or is not listed yet.
        let Some(id) = id else { return Named::Gone };
        match self.ask(account, async || platform.details(id).await).await {
            Ok(_) => Named::Unlisted,
            Err(PlatformError::NotFound) => Named::Gone,
            Err(_) => Named::Unclear,
        }
    }
}

fn refused(message: String, kind: Rejection) -> Entry {
    let reason = match kind {
        Rejection::TooLarge => RefusalReason::TooLarge,
        Rejection::Refused => RefusalReason::RejectedByDestination,
    };
    Entry::Refused { reason, message }
}

fn file_of(task: &Task) -> Option<FitFile> {
    let payload = task.state.payload.as_ref()?;
    Some(FitFile {
        bytes: task.run.bytes.as_deref()?.clone(),
        sha256: payload.sha256.clone(),
        key: payload.key(),
        kind: task.step.key.kind.clone(),
        title: payload.title.clone(),
        local_offset_s: payload.local_offset_s,
        urgency: match task.state.is_gap() {
            true => Urgency::Final,
            false => Urgency::Normal,
        },
    })
}
