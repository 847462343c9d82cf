//! The new activity, once its id is known: hidden, told from others, verified, given its details.

use crate::domain::{AccountName, Content, Details, LinkOrigin, RemoteId, Sha256};
use crate::fit;
use crate::plan::reconcile::{Arrival, Entry, Named, Visibility, Why};
use crate::plan::{Change, changes, is_whole};
use crate::platform::PlatformError;
use crate::state::Effects;

use super::super::super::cause::cause;
use super::super::super::error::EngineError;
use super::super::observe::carried;
use super::super::run::Run;
use super::super::task::Task;

/// What a destination made of a file.
pub(super) enum Kept {
    /// What was sent.
    Same,
    /// The same recording, with other numbers.
    Recomputed(Vec<Change>),
    /// Something else.
    Other,
}

impl Run<'_> {
    /// Writes down under which id the destination lists what was sent. Where only its bytes tell it
    /// from another's, they do.
    pub(super) async fn note_seen(&self, task: &mut Task, id: RemoteId) -> Result<(), EngineError> {
        let is_sure = self.arrival(task).is_some_and(|arrival| arrival.is_sure);
        if !is_sure || task.state.turned.is_some() {
            match self.kept(task, &id).await {
                Ok(Kept::Other) => {
                    if task.run.named == Some(Named::Same(id.clone())) {
                        task.run.named = Some(Named::Version(id.clone()));
                    }
                    // It may be the other one that the step has sent.
                    match task.state.earlier {
                        Some(_) => task.run.other.insert(id),
                        None => task.excluded.insert(id),
                    };
                    self.aim(task);
                    self.assign_arrivals(&task.step.destination.account);
                    return Ok(());
                }
                Ok(Kept::Same | Kept::Recomputed(_)) => {}
                Err(error) => {
                    let why = Why::NotVerified { message: error.to_string() };
                    self.give_up(task, why, cause(&error));
                    self.open.borrow_mut().note_arrival((task.number, false), None);
                    return Ok(());
                }
            }
        }
        self.claim(task, &id);
        task.run.visibility = None;
        let arrival = Arrival { id: id.clone(), is_sure: true };
        self.open.borrow_mut().note_arrival((task.number, false), Some(arrival));
        task.write(self, Entry::Seen { id })
    }

    /// Lets only its athlete see an activity; a look shows that it is so.
    pub(super) async fn hide(&self, task: &mut Task, id: &RemoteId) -> Result<(), EngineError> {
        let account = task.step.destination.account.clone();
        let listed = self.listed(&account, id);
        if listed.and_then(|row| row.private) == Some(true) {
            return task.write(self, Entry::Hidden { id: id.clone() });
        }
        let is_listed = task.state.seen.is_some();
        let shown = match self.set_private(task, id).await {
            Ok(()) => return task.write(self, Entry::Hidden { id: id.clone() }),
            Err(PlatformError::NotFound) if is_listed && self.has_moved(task, id).await? => {
                return Ok(());
            }
            Err(PlatformError::NotFound) => Visibility::NotYet,
            Err(error) => {
                self.stop_private(task, &error.to_string());
                Visibility::Stuck(error.to_string())
            }
        };
        task.run.visibility = Some(shown);
        Ok(())
    }

    /// Nothing private is sent where another such may be shown.
    pub(super) fn stop_private(&self, task: &Task, why: &str) {
        let account = &task.step.destination.account;
        let message = format!("{account}: nothing private is sent any more: {why}");
        self.breaker.borrow_mut().stop_private(account, message);
    }

    async fn set_private(&self, task: &Task, id: &RemoteId) -> Result<(), PlatformError> {
        let account = &task.step.destination.account;
        let platform = self.platform(account).ok_or(PlatformError::Unsupported)?;
        let details = Details { private: Some(true), ..Details::default() };
        self.write_details(account, id, &details).await?;
        // The answer alone proves nothing.
        let now = self.ask(account, async || platform.details(id).await).await?;
        match now.private {
            Some(true) => Ok(()),
            Some(false) | None => {
                Err(PlatformError::Permanent("others can still see it".to_owned()))
            }
        }
    }

    /// Sets details, once more where the answer does not tell: the same twice harms nothing.
    async fn write_details(
        &self,
        account: &AccountName,
        id: &RemoteId,
        details: &Details,
    ) -> Result<(), PlatformError> {
        let platform = self.platform(account).ok_or(PlatformError::Unsupported)?;
        let set = || self.call(account, async || platform.set_details(id, details).await);
        match set().await {
            Err(PlatformError::Unavailable(_) | PlatformError::Unconfirmed(_)) => set().await,
            answer => answer,
        }
    }

    /// Reads the days once more: some platforms give an activity another id after it was listed.
    async fn has_moved(&self, task: &Task, id: &RemoteId) -> Result<bool, EngineError> {
        self.read_days(&task.step.destination.account).await?;
        Ok(self.arrival(task).is_some_and(|arrival| arrival.id != *id))
    }

    /// Compares what an activity holds with what was sent.
    pub(super) async fn verify(&self, task: &mut Task, id: &RemoteId) -> Result<(), EngineError> {
        match self.kept(task, id).await {
            Ok(Kept::Same) => self.note_verified(task, id, Vec::new()),
            Ok(Kept::Recomputed(changes)) => {
                task.run.unverified = Some(Why::Recomputed { changes: listed(&changes) });
                self.note_verified(task, id, changes)
            }
            Ok(Kept::Other) => {
                task.run.unverified = Some(Why::NotKept { id: id.clone(), again: false });
                Ok(())
            }
            Err(PlatformError::NotFound) if self.has_moved(task, id).await? => Ok(()),
            Err(error) => {
                task.run.unverified = Some(Why::NotVerified { message: error.to_string() });
                Ok(())
            }
        }
    }

    /// From here on the pair is the new one's, whatever comes before the old one is gone.
    fn note_verified(
        &self,
        task: &mut Task,
        id: &RemoteId,
        recomputed: Vec<Change>,
    ) -> Result<(), EngineError> {
        let row = self.listed(&task.step.destination.account, id);
        let link = row.as_ref().and_then(|row| task.link(self, Some(row), LinkOrigin::Placed));
        let effects = Effects { link: link.as_ref(), listed: row.as_deref(), gone: None };
        task.write_with(self, Entry::Verified { id: id.clone(), recomputed }, effects)
    }

    /// What the destination's new activity holds of what was sent. One look at a broken download
    /// proves nothing; two that agree do.
    pub(super) async fn kept(&self, task: &Task, id: &RemoteId) -> Result<Kept, PlatformError> {
        let account = &task.step.destination.account;
        let payload = task.state.payload.as_ref().ok_or(PlatformError::NotFound)?;
        let new = self.listed(account, id).ok_or(PlatformError::NotFound)?;
        if new.sha256.as_ref() == Some(&payload.sha256) {
            return Ok(Kept::Same);
        }
        let sent = self.sent_bytes(task, &payload.sha256).await;
        let Some(sent) = sent.and_then(|bytes| fit::read(&bytes).ok()) else {
            return Err(PlatformError::Protocol(
                "what was sent is not at hand any more".to_owned(),
            ));
        };
        let bytes = self.original(account, &new).await?;
        let there = fit::read(&bytes).ok();
        let differences = there.as_ref().map(|there| changes(&sent, there));
        if differences.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Kept::Same);
        }
        let earlier = task.state.earlier.as_ref().map(|earlier| &earlier.sha256);
        if earlier == Some(&Sha256::of(&bytes)) {
            return Ok(Kept::Other);
        }
        let again = self.original(account, &new).await?;
        if again != bytes && !is_same_content(&again, there.as_ref()) {
            return Err(PlatformError::Protocol("two downloads of it differ".to_owned()));
        }
        Ok(match (there, differences) {
            (Some(there), Some(changes)) if is_whole(&sent, &there) => Kept::Recomputed(changes),
            _ => Kept::Other,
        })
    }

    /// Gives an activity what people wrote about the old one, as far as its platform can.
    pub(super) async fn set_details(
        &self,
        task: &mut Task,
        id: &RemoteId,
    ) -> Result<(), EngineError> {
        let account = task.step.destination.account.clone();
        let can = self.account(&account).map(|open| open.capabilities.editable).unwrap_or_default();
        let details = task.run.details.as_ref().map(|old| carried(old, can)).unwrap_or_default();
        let detailed = |lacking| Entry::Detailed { id: id.clone(), lacking };
        match self.write_details(&account, id, &details).await {
            Ok(()) => task.write(self, detailed(None)),
            Err(PlatformError::NotFound) if self.has_moved(task, id).await? => Ok(()),
            Err(error) if may_pass(&error) || task.state.rests == 0 => {
                task.run.undetailed = Some(Why::NotDetailed { message: error.to_string() });
                Ok(())
            }
            // The same in a later run.
            Err(error) => {
                let backup = task.state.backup.clone().unwrap_or_default();
                let message = error.to_string();
                task.write(self, detailed(Some(message.clone())))?;
                task.run.undetailed = Some(Why::DetailsLacking { backup, message });
                Ok(())
            }
        }
    }
}

/// Whether another try may have another answer.
fn may_pass(error: &PlatformError) -> bool {
    matches!(
        error,
        PlatformError::Cancelled
            | PlatformError::Unconfirmed(_)
            | PlatformError::Unavailable(_)
            | PlatformError::RateLimited { .. }
            | PlatformError::Throttled(_)
            | PlatformError::Auth(_)
    )
}

/// Whether a file holds what another one does; some platforms write it anew for each download.
pub(super) fn is_same_content(bytes: &[u8], other: Option<&Content>) -> bool {
    let content = fit::read(bytes).ok();
    content.as_ref().zip(other).is_some_and(|(content, other)| changes(content, other).is_empty())
}

fn listed(changes: &[Change]) -> String {
    let each =
        changes.iter().map(|change| format!("{} {} -> {}", change.field, change.from, change.to));
    each.collect::<Vec<_>>().join(", ")
}
