//! Sends a file once, and makes sense of what the destination answers.

use std::time::Duration;

use serde_json::json;

use crate::domain::{Activity, LinkOrigin, RefusalReason, RemoteId};
use crate::event::Phase;
use crate::manifest::ConflictStrategy;
use crate::plan::matching::{self, Field, Outcome, Seeker};
use crate::platform::{FitFile, PlatformError, Rejection, UploadStatus, UploadTicket, Uploaded};

use super::super::error::EngineError;
use super::Run;
use super::health::cause;
use super::task::Task;

/// How far apart, unless it says so itself, and how long a platform is asked what became of an
/// upload.
const POLL_EVERY: Duration = Duration::from_secs(3);
const POLL_FOR: Duration = Duration::from_secs(60);
/// How often a refusal by a deletion that has not settled is tried again.
const TRIES: u32 = 6;

/// What a destination made of a file.
#[derive(Debug)]
pub(super) enum Answer {
    /// Taken, perhaps under this id.
    Taken(Option<RemoteId>),
    /// It has the activity already, it says, perhaps under this id.
    Duplicate(Option<RemoteId>),
    /// Sent, and nobody knows.
    Unknown(String),
    /// Refused for good.
    Refused(RefusalReason, String),
    /// Larger than the destination says that it takes; not sent.
    TooLarge(String),
    /// Not taken.
    Not(PlatformError),
}

impl Run<'_> {
    /// An upload step from `fetched` to `sent`, or to where it ends.
    pub(super) async fn upload(&self, task: &mut Task, file: &FitFile) -> Result<(), EngineError> {
        if self.is_there_after_all(task, file)? {
            return Ok(());
        }
        let answer = self.send(task, file).await?;
        self.take_answer(task, answer).await
    }

    /// Sends a file and follows it until the platform has said what became of it.
    pub(super) async fn send(
        &self,
        task: &mut Task,
        file: &FitFile,
    ) -> Result<Answer, EngineError> {
        let account = task.step.destination.account.clone();
        let Some(platform) = self.platform(&account) else {
            return Ok(Answer::Not(PlatformError::Unsupported));
        };
        let most = platform.capabilities().max_upload_bytes;
        if most.is_some_and(|most| file.bytes.len() as u64 > most) {
            let words = format!("{} bytes, more than the destination takes", file.bytes.len());
            return Ok(Answer::TooLarge(words));
        }
        task.sent_at = Some(self.session.clock().now());
        let parcel =
            task.parcel.as_ref().map(|parcel| parcel.activity(task.step.source.id.clone()));
        self.under_way.borrow_mut().extend(parcel.clone().map(|parcel| (account.clone(), parcel)));
        let sent = self.call(&account, async || platform.upload(file).await).await;
        // While this one is worked on, the next may be sent.
        task.place = None;
        if let Err(error @ PlatformError::Permanent(_)) = &sent {
            // No word about this file: the account takes none.
            let why = format!("{account} takes no uploads: {error}");
            self.health.borrow_mut().close(&account, why, error);
        }
        let answer = match sent {
            Ok(Uploaded::Stored(id)) => self.believed(task, id),
            Ok(Uploaded::Processing(ticket)) => self.follow(task, ticket).await,
            Err(error) => answer_of(error),
        };
        if !matches!(answer, Answer::Taken(None) | Answer::Unknown(_)) {
            self.under_way.borrow_mut().retain(|(_, sent)| Some(sent) != parcel.as_ref());
        }
        Ok(answer)
    }

    async fn follow(&self, task: &Task, ticket: UploadTicket) -> Answer {
        let account = &task.step.destination.account;
        let Some(platform) = self.platform(account) else {
            return Answer::Unknown("the account is not open".to_owned());
        };
        let mut waited = ticket.wait.unwrap_or_default();
        self.sleep(waited).await;
        loop {
            let status = self.call(account, async || platform.upload_status(&ticket).await).await;
            match status {
                Ok(UploadStatus::Stored(id)) => return self.believed(task, id),
                Ok(UploadStatus::Finished) => return Answer::Taken(None),
                Ok(UploadStatus::Processing) => {}
                Err(error @ (PlatformError::Duplicate { .. } | PlatformError::Rejected { .. })) => {
                    return answer_of(error);
                }
                Err(error) => return Answer::Unknown(error.to_string()),
            }
            if waited >= POLL_FOR || self.session.stop.is_requested() {
                return Answer::Unknown("still being processed".to_owned());
            }
            let pause = ticket.wait.unwrap_or(POLL_EVERY);
            self.sleep(pause).await;
            waited += pause;
        }
    }

    /// An id that stood for another activity before is not that of the new one.
    fn believed(&self, task: &Task, id: RemoteId) -> Answer {
        let account = &task.step.destination.account;
        if task.known.contains(&id) || self.was_there(account, &id) {
            return Answer::Unknown(format!("it named {id}, which was there before"));
        }
        Answer::Taken(Some(id))
    }

    /// What an upload's answer makes of its step.
    async fn take_answer(&self, task: &mut Task, answer: Answer) -> Result<(), EngineError> {
        match answer {
            Answer::Taken(id) => self.taken(task, id),
            Answer::Duplicate(existing) => self.duplicate(task, existing).await,
            Answer::Unknown(words) => self.unknown(task, &words),
            Answer::Refused(reason, words) => self.refuse(task, reason, &words),
            Answer::TooLarge(words) => self.leave_too_large(task, &words),
            Answer::Not(error) => self.fail(task, &format!("not sent: {error}"), &error),
        }
    }

    pub(super) fn taken(&self, task: &mut Task, id: Option<RemoteId>) -> Result<(), EngineError> {
        if let Some(id) = &id {
            self.note_new(&task.step.destination.account, id);
        }
        task.new = id;
        // Where the old one is still there, its link stays until the new one has been seen.
        let made = match task.old_goes_last() {
            true => None,
            false => task.made(self, None, LinkOrigin::Placed),
        };
        task.enter_with(self, Phase::Sent, "", json!({ "id": task.new }), made.as_ref())
    }

    pub(super) fn unknown(&self, task: &mut Task, words: &str) -> Result<(), EngineError> {
        task.enter(self, Phase::Unknown, &format!("sent, answer lost: {words}"), json!({}))
    }

    /// The destination says that it has this already. Never believed on the word alone: the named
    /// activity is looked at, and it must be this recording and nobody else's.
    async fn duplicate(
        &self,
        task: &mut Task,
        existing: Option<RemoteId>,
    ) -> Result<(), EngineError> {
        let account = task.step.destination.account.clone();
        self.read_again(&account).await?;
        let named = existing.as_ref().and_then(|id| self.listed(&account, id));
        if let Some(found) = named.or_else(|| self.same_recording(task)) {
            return self.adopt(task, &found);
        }
        match self.existence(&account, existing.as_ref()).await {
            Existence::Gone => self.wait_for_deletion(task).await,
            Existence::There | Existence::Unclear => {
                let words = "the destination says that it has this already, but does not list it";
                self.unknown(task, words)
            }
        }
    }

    /// Takes an activity that is there for the step's own, if it is this recording.
    fn adopt(&self, task: &mut Task, found: &Activity) -> Result<(), EngineError> {
        let parcel = task.parcel.as_ref();
        let overlap = parcel
            .and_then(|parcel| parcel.key().interval())
            .zip(found.interval())
            .map(|(a, b)| a.overlap_permille(&b));
        if self.is_linked_elsewhere(task, found)? || overlap.unwrap_or_default() < 800 {
            return task.ask(self, "partial_overlap");
        }
        // Where the rule compares contents, the next plan does so before the pair is linked.
        let rules = &self.session.manifest.rules;
        let rule = rules.iter().find(|rule| rule.name == task.step.rule);
        if rule.is_none_or(|rule| rule.strategy == ConflictStrategy::SkipExisting) {
            task.link(self, Some(found), LinkOrigin::Found)?;
        }
        let words = format!("{} at the destination is this recording", found.id);
        task.enter(self, Phase::Adopted, &words, json!({ "id": found.id }))
    }

    pub(super) fn is_linked_elsewhere(
        &self,
        task: &Task,
        found: &Activity,
    ) -> Result<bool, EngineError> {
        let links = self.session.store.links_to(task.destination)?;
        Ok(links.iter().any(|link| {
            link.source.id != task.step.source.id
                && link.destination.as_ref().is_some_and(|side| side.id == found.id)
        }))
    }

    /// The one activity of the destination with the step's very time, if there is only one.
    fn same_recording(&self, task: &Task) -> Option<Activity> {
        let parcel = task.parcel.as_ref()?;
        let inventory = self.inventory(&task.step.destination.account)?;
        let mut fitting = inventory.activities.iter().filter(|row| {
            let overlap = row.interval().zip(parcel.key().interval());
            row.start == Some(parcel.start)
                && overlap.is_some_and(|(a, b)| a.overlap_permille(&b) >= 800)
        });
        let first = fitting.next()?;
        fitting.next().is_none().then(|| first.clone())
    }

    async fn existence(
        &self,
        account: &crate::domain::AccountName,
        id: Option<&RemoteId>,
    ) -> Existence {
        let (Some(id), Some(platform)) = (id, self.platform(account)) else {
            return Existence::Unclear;
        };
        match self.call(account, async || platform.details(id).await).await {
            Ok(_) => Existence::There,
            Err(PlatformError::NotFound) => Existence::Gone,
            Err(_) => Existence::Unclear,
        }
    }

    /// A deleted activity still stands in the way: waits as long as the account may need.
    async fn wait_for_deletion(&self, task: &mut Task) -> Result<(), EngineError> {
        let words = "a deleted activity of that time still stands in its way";
        let Some(file) = self.fetch(task).await? else { return Ok(()) };
        match self.send_until_settled(task, &file).await? {
            Answer::Taken(id) => self.taken(task, id),
            Answer::Unknown(words) => self.unknown(task, &words),
            Answer::Refused(reason, words) => self.refuse(task, reason, &words),
            Answer::TooLarge(words) => self.leave_too_large(task, &words),
            Answer::Duplicate(_) => task.enter(self, Phase::Held, words, json!({})),
            Answer::Not(error) => {
                task.cause = Some(cause(&error));
                task.enter(self, Phase::Held, &format!("{words}: {error}"), json!({}))
            }
        }
    }

    /// Sends again and again while the destination says that it still has what was deleted, for as
    /// long as it may need to settle.
    pub(super) async fn send_until_settled(
        &self,
        task: &mut Task,
        file: &FitFile,
    ) -> Result<Answer, EngineError> {
        let pause = self.settling(&task.step.destination.account) / TRIES;
        let mut answer = self.send(task, file).await?;
        for _ in 0..TRIES {
            if !matches!(answer, Answer::Duplicate(_)) || self.session.stop.is_requested() {
                break;
            }
            self.sleep(pause).await;
            answer = self.send(task, file).await?;
        }
        Ok(answer)
    }

    /// The file may hold another start than its listing (trimmed, edited): then it is looked for
    /// once more, under the start that the destination will read in it.
    fn is_there_after_all(&self, task: &mut Task, file: &FitFile) -> Result<bool, EngineError> {
        let source = &task.step.source;
        let account = task.step.destination.account.clone();
        let inventory = self.inventory(&account);
        let (Some(inventory), Some(mut activity)) =
            (inventory, self.listed(&source.account, &source.id))
        else {
            return Ok(false);
        };
        (activity.start, activity.elapsed_s) = (Some(file.key.start), file.key.elapsed_s);
        activity.sha256 = Some(file.sha256.clone());
        if is_as_planned(task, file) {
            let Some((outcome, newcomers)) = self.among_newcomers(&account, &activity) else {
                return Ok(false);
            };
            return self.take_outcome(task, &outcome, &newcomers.iter().collect::<Vec<_>>());
        }
        let field = Field { activities: inventory.activities.iter().collect(), ..Field::default() };
        let seeker = Seeker { activity: &activity, account: 0, fixed: None, excluded: Vec::new() };
        let outcome = matching::find(std::slice::from_ref(&seeker), &field).pop();
        self.take_outcome(task, &outcome.unwrap_or(Outcome::Alone), &field.activities)
    }

    /// Ends a step for which there is something at the destination; says whether it has ended.
    fn take_outcome(
        &self,
        task: &mut Task,
        outcome: &Outcome,
        there: &[&Activity],
    ) -> Result<bool, EngineError> {
        let question = match outcome {
            Outcome::Match(place, _) => {
                return match there.get(*place) {
                    Some(found) => self.adopt(task, found).map(|()| true),
                    None => Ok(false),
                };
            }
            Outcome::Ambiguous(_) => "ambiguous",
            Outcome::Overlap(_) => "partial_overlap",
            Outcome::ZoneSuspect(_) => "possible_time_zone_duplicate",
            Outcome::Alone => return Ok(false),
        };
        task.ask(self, question).map(|()| true)
    }
}

/// Whether a file holds the time that was planned for.
fn is_as_planned(task: &Task, file: &FitFile) -> bool {
    let planned = &task.step.key;
    let apart = planned.elapsed_s.zip(file.key.elapsed_s).map(|(a, b)| a.abs_diff(b));
    file.key.start == planned.start && apart.is_none_or(|seconds| seconds <= 2)
}

/// What is known about an id that is not listed.
enum Existence {
    There,
    Gone,
    Unclear,
}

fn answer_of(error: PlatformError) -> Answer {
    match error {
        PlatformError::Duplicate { existing } => Answer::Duplicate(existing),
        PlatformError::Rejected { reason, kind: Rejection::TooLarge } => {
            Answer::Refused(RefusalReason::TooLarge, reason)
        }
        PlatformError::Rejected { reason, kind: Rejection::Refused } => {
            Answer::Refused(RefusalReason::RejectedByDestination, reason)
        }
        PlatformError::Unconfirmed(words) => Answer::Unknown(words),
        other => Answer::Not(other),
    }
}
