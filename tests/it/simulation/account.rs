//! An account of a world: passes every call on to the account in memory, unless the process dies or
//! something goes wrong, and tells the ledger what became of it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fit_sync::domain::{Activity, Capabilities, Details, Profile, RemoteId, Sha256};
use fit_sync::platform::{
    FitFile, ListRequest, Original, Page, Platform, PlatformError, UploadStatus, UploadTicket,
    Uploaded,
};
use jiff::Timestamp;

use super::ledger::{By, Ledger};
use super::recordings::{ARRIVAL, Recording};
use super::weather::{State, Weather};
use super::world::{Trouble, World, Wrong};
use crate::support::memory::{
    Change, DownloadFault, Fault, ListFault, Memory, Operation, UploadFault,
};

/// A handle to an account of a world.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) number: usize,
    pub(crate) memory: Memory,
    pub(crate) weather: Arc<Weather>,
}

/// What a call is about.
#[derive(Clone, Copy)]
struct Call<'a> {
    operation: Operation,
    id: Option<&'a RemoteId>,
    file: Option<Recording>,
}

impl Account {
    /// Makes a call, or dies in it.
    async fn call<T>(
        &self,
        call: Call<'_>,
        work: impl Future<Output = Result<T, PlatformError>>,
        told: impl FnOnce(&T) -> Vec<RemoteId>,
    ) -> Result<T, PlatformError> {
        if self.before(call) {
            return std::future::pending().await;
        }
        let answer = work.await;
        let ids = answer.as_ref().map(told).unwrap_or_default();
        if self.after(call, answer.as_ref().err(), &ids) {
            return std::future::pending().await;
        }
        answer
    }

    /// Has the call go wrong if it shall; returns whether the process is dead.
    fn before(&self, call: Call<'_>) -> bool {
        let mut state = self.weather.state();
        if state.run.is_dead {
            return true;
        }
        // How often a run asks who it is depends on the machine's other processes.
        if call.operation == Operation::WhoAmI {
            return false;
        }
        state.run.calls += 1;
        let number = state.run.calls;
        if let Some((_, stop)) = state.run.stop.as_ref().filter(|(at, _)| *at == number) {
            stop.request();
            state.say(&self.weather.time, |_| "somebody wants it to stop".to_owned());
        }
        if state.run.kill.is_some_and(|kill| kill.call == number && !kill.after) {
            self.die(&mut state, call, "before");
            return true;
        }
        if let Some(wrong) = self.wrong(&mut state, call.operation) {
            state.say(&self.weather.time, |ledger| {
                format!("  {wrong:?} befalls: {}", self.told(ledger, call))
            });
            state.run.is_unread |= call.operation == Operation::List;
            if let Some(fault) = self.fault(&state, call.operation, wrong) {
                self.memory.script(fault);
            }
        }
        match (call.operation, call.file, call.id) {
            (Operation::Upload, Some(recording), _) => self.check_upload(&mut state, recording),
            (Operation::Delete, _, Some(id)) => self.check_delete(&mut state, id),
            _ => {}
        }
        false
    }

    fn die(&self, state: &mut State, call: Call<'_>, when: &str) {
        state.run.is_dead = true;
        state.say(&self.weather.time, |ledger| {
            format!("killed {when}: {}", self.told(ledger, call))
        });
    }

    /// What goes wrong with this call, if something does.
    fn wrong(&self, state: &mut State, operation: Operation) -> Option<Wrong> {
        let fits = |trouble: &Trouble| {
            trouble.account == self.number && trouble.operation == operation && trouble.times > 0
        };
        let trouble = state.run.troubles.iter_mut().find(|trouble| fits(trouble))?;
        if trouble.after > 0 {
            trouble.after -= 1;
            return None;
        }
        trouble.times -= 1;
        Some(trouble.wrong)
    }

    fn fault(&self, state: &State, operation: Operation, wrong: Wrong) -> Option<Fault> {
        let fails = |error| Some(Fault::Fails(operation, error));
        let upload = |fault| Some(Fault::Upload(fault));
        match wrong {
            Wrong::Down => fails(PlatformError::Transient("down".to_owned())),
            Wrong::TooMany => fails(PlatformError::RateLimited { retry_after: None }),
            Wrong::LongWait => {
                let retry_after = Some(Duration::from_secs(24 * 3600));
                fails(PlatformError::RateLimited { retry_after })
            }
            Wrong::Odd => fails(PlatformError::Permanent("an odd answer".to_owned())),
            Wrong::Missing => fails(PlatformError::NotFound),
            Wrong::Refused => fails(PlatformError::Permanent("402: not now".to_owned())),
            Wrong::AnswerLost => Some(Fault::LosesAnswer(operation)),
            Wrong::NothingDoneAnswerLost => fails(PlatformError::Unconfirmed("lost".to_owned())),
            Wrong::SessionEnds => Some(Fault::EndsSession(operation)),
            Wrong::Truncated => Some(Fault::Download(DownloadFault::Truncated)),
            Wrong::NamesLiving => {
                let living = state.ledger.there(self.number).next().map(|copy| copy.id.clone());
                upload(UploadFault::NamesDuplicate(living))
            }
            Wrong::NamesDeleted => upload(UploadFault::NamesDeleted),
            Wrong::NamesNone => upload(UploadFault::NamesDuplicate(None)),
            Wrong::Dropped => upload(UploadFault::Dropped),
            Wrong::KeepsPrivacy => Some(Fault::KeepsPrivacy),
            Wrong::Gap => Some(Fault::List(ListFault::Gap)),
            Wrong::Empty => Some(Fault::List(ListFault::Empty)),
            Wrong::Unreadable => Some(Fault::List(ListFault::Unreadable)),
            Wrong::Arrives => {
                // The ledger hears of it after the call.
                if !state.ledger.there(self.number).any(|copy| copy.recording == ARRIVAL) {
                    self.memory.put_file(ARRIVAL.bytes(), None);
                }
                None
            }
        }
    }

    /// Enters what the call did; returns whether the process dies before it hears of it.
    fn after(&self, call: Call<'_>, error: Option<&PlatformError>, ids: &[RemoteId]) -> bool {
        let is_ok = error.is_none();
        let mut state = self.weather.state();
        let number = state.run.calls;
        let added = self.enter(&mut state, call);
        if call.operation == Operation::WhoAmI {
            return false;
        }
        if state.run.kill.is_some_and(|kill| kill.call == number && kill.after) {
            self.die(&mut state, call, "after");
            return true;
        }
        if !matches!(call.operation, Operation::WhoAmI) {
            state.say(&self.weather.time, |ledger| {
                format!("  {}{}", self.told(ledger, call), if is_ok { "" } else { ": in vain" })
            });
        }
        // Some answers name a neighbour.
        let is_told = |id: &RemoteId| {
            ids.contains(id) && (call.operation != Operation::Upload || added.contains(id))
        };
        for copy in state.ledger.there_mut(self.number) {
            if is_told(&copy.id) {
                copy.is_known = true;
                copy.was_private = copy.private;
            }
        }
        if let (Operation::Upload, Some(recording)) = (call.operation, call.file)
            && error.is_some_and(is_refusal)
        {
            state.refusals.push((self.number, recording, self.weather.time.now()));
        }
        let names_another =
            |id: &RemoteId| !added.contains(id) && state.ledger.copy(self.number, id).is_some();
        if is_ok && !ids.iter().any(names_another) {
            let there = state.ledger.there_mut(self.number);
            there.filter(|copy| added.contains(&copy.id)).for_each(|copy| copy.answer_lost = false);
        }
        false
    }

    /// Tells the ledger what the account's own history says; returns what is new.
    fn enter(&self, state: &mut State, call: Call<'_>) -> Vec<RemoteId> {
        let by = |operation| if call.operation == operation { By::Run } else { By::Person };
        let added = self.enter_changes(state, by(Operation::Upload), by(Operation::Delete));
        if let (Operation::SetDetails, Some(id)) = (call.operation, call.id) {
            let written = self.memory.written(id).unwrap_or_default();
            if let Some(copy) = state.ledger.there_mut(self.number).find(|copy| copy.id == *id) {
                copy.hidings += 1;
                copy.is_adopted |= copy.by == By::Person;
                copy.private = written.private == Some(true);
                copy.title = written.title;
            }
        }
        added
    }

    /// Tells the ledger what came and what went since it was told last.
    pub(crate) fn enter_changes(&self, state: &mut State, adds: By, removes: By) -> Vec<RemoteId> {
        let now = self.weather.time.now();
        let mut added = Vec::new();
        for change in self.memory.take_changes() {
            match change {
                Change::Added(id) => {
                    let Some(recording) = self.recording(&id) else { continue };
                    let is_excused = adds == By::Run && self.check_doubled(state, recording);
                    let details = self.memory.written(&id).unwrap_or_default();
                    let seen = (details.private == Some(true), details.title);
                    state.ledger.enter(self.number, (id.clone(), recording, adds), seen, now);
                    let copies = state.ledger.of_mut(self.number).last_mut();
                    copies.into_iter().for_each(|copy| copy.is_excused = is_excused);
                    added.push(id);
                }
                Change::Removed(id) => state.ledger.leave(self.number, &id, removes),
                Change::Renamed(old, new) => {
                    let copy = state.ledger.there_mut(self.number).find(|copy| copy.id == old);
                    copy.into_iter().for_each(|copy| copy.id.clone_from(&new));
                }
            }
        }
        added
    }

    fn recording(&self, id: &RemoteId) -> Option<Recording> {
        Recording::of(&Sha256::of(&self.memory.bytes(id)?))
    }

    fn told(&self, ledger: &Ledger, call: Call<'_>) -> String {
        let name = World::name(self.number);
        let subject = match (call.id, call.file) {
            (Some(id), _) => ledger.told(self.number, id),
            (None, Some(recording)) => format!("{} to {name}", recording.name()),
            (None, None) => name.to_owned(),
        };
        format!("{:?} {subject}", call.operation)
    }
}

/// Whether it is a word about the file, and no fault on the way.
fn is_refusal(error: &PlatformError) -> bool {
    matches!(
        error,
        PlatformError::Permanent(_)
            | PlatformError::Rejected { .. }
            | PlatformError::Duplicate { .. }
    )
}

fn about(operation: Operation, id: Option<&RemoteId>) -> Call<'_> {
    Call { operation, id, file: None }
}

fn nothing<T>(_: &T) -> Vec<RemoteId> {
    Vec::new()
}

#[async_trait]
impl Platform for Account {
    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.call(about(Operation::WhoAmI, None), self.memory.whoami(), nothing).await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        let ids = |page: &Page| page.activities.iter().map(|row| row.id.clone()).collect();
        self.call(about(Operation::List, None), self.memory.list(request), ids).await
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        let call = about(Operation::Download, Some(&activity.id));
        self.call(call, self.memory.download(activity), nothing).await
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        let recording = Recording::of(&file.sha256);
        let call = Call { operation: Operation::Upload, id: None, file: recording };
        let ids = |uploaded: &Uploaded| match uploaded {
            Uploaded::Stored(id) => vec![id.clone()],
            Uploaded::Processing(_) => Vec::new(),
        };
        self.call(call, self.memory.upload(file), ids).await
    }

    async fn has_taken(
        &self,
        file: &FitFile,
        since: Option<Timestamp>,
    ) -> Result<bool, PlatformError> {
        let call = about(Operation::UploadStatus, None);
        self.call(call, self.memory.has_taken(file, since), nothing).await
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        let ids = |status: &UploadStatus| match status {
            UploadStatus::Stored(id) => vec![id.clone()],
            UploadStatus::Finished | UploadStatus::Processing => Vec::new(),
        };
        let call = about(Operation::UploadStatus, None);
        self.call(call, self.memory.upload_status(ticket), ids).await
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        let call = about(Operation::Delete, Some(&activity.id));
        self.call(call, self.memory.delete(activity), nothing).await
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        let call = about(Operation::Details, Some(id));
        self.call(call, self.memory.details(id), nothing).await
    }

    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        let call = about(Operation::SetDetails, Some(id));
        self.call(call, self.memory.set_details(id, details), nothing).await
    }
}
