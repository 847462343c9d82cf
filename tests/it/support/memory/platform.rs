//! The account's answers, and the handle by which a test looks behind them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use fit_sync::domain::{Activity, Capabilities, Details, Profile, RemoteId};
use fit_sync::platform::{
    AuthFailure, FitFile, ListRequest, Original, Page, Platform, PlatformError, Rejection,
    UploadStatus, UploadTicket, Uploaded, row,
};
use jiff::Timestamp;

use super::listing::page;
use super::quirks::{Answers, Lag, PrivacyEdits, Quirks};
use super::script::{DownloadFault, Fault, Operation, UploadFault};
use super::world::{Change, Item, Moment, Settings, Ticket, World, listed_fingerprint};

/// A handle to an account in memory; clones see the same account.
#[derive(Clone)]
pub struct Memory {
    world: Arc<Mutex<World>>,
}

/// What a hand does to the account.
impl Memory {
    /// An empty account.
    pub fn new(settings: Settings) -> Self {
        Self { world: Arc::new(Mutex::new(World::new(settings))) }
    }

    /// Changes how the account behaves from now on.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.world().settings);
    }

    /// Puts the activity of a file in, as if its watch had sent it.
    pub fn put_file(&self, bytes: &[u8], title: Option<&str>) -> RemoteId {
        let mut world = self.world();
        let id = world.new_id();
        let mut row = world.as_listed(row::of_bytes(&id, bytes));
        row.title = title.map(str::to_owned);
        let id = world.insert(row, Some(bytes.to_vec()));
        world.record(None, Ok(()));
        id
    }

    /// Changes what the account is like from now on.
    pub fn quirk(&self, change: impl FnOnce(&mut Quirks)) {
        change(&mut self.world().quirks);
    }

    /// Puts the activity of a file in under an id of the caller's, in the place of the one that has
    /// it, as a folder does whose files are named by people.
    pub fn put_file_as(&self, id: &RemoteId, bytes: &[u8], details: &Details) -> RemoteId {
        let mut world = self.world();
        let mut row = world.as_listed(row::of_bytes(id, bytes));
        row.title.clone_from(&details.title);
        if details.private.is_some() {
            row.private = details.private;
        }
        let id = world.insert(row, Some(bytes.to_vec()));
        world.record(None, Ok(()));
        id
    }

    /// An id that was never given before.
    pub fn new_id(&self) -> RemoteId {
        self.world().new_id()
    }

    /// Changes what people wrote about an activity, as its athlete would.
    pub fn write(&self, id: &RemoteId, change: impl FnOnce(&mut Details)) {
        let mut world = self.world();
        if let Some(item) = world.items.get_mut(id) {
            change(&mut item.details);
            item.row.title.clone_from(&item.details.title);
            item.row.private = item.details.private;
        }
        world.record(None, Ok(()));
    }

    /// Whether lists show an activity.
    pub fn is_listed(&self, id: &RemoteId) -> bool {
        let world = self.world();
        let item = world.items.get(id);
        item.is_some_and(|item| item.hidden.is_none_or(|lag| lag.is_over(world.now())))
    }

    /// What changed since this was asked last.
    pub fn take_changes(&self) -> Vec<Change> {
        self.world().take_changes()
    }

    /// Puts a row in exactly as it is; without bytes it has no original.
    pub fn put_row(&self, row: Activity, bytes: Option<Vec<u8>>) -> RemoteId {
        let mut world = self.world();
        let id = world.insert(row, bytes);
        world.record(None, Ok(()));
        id
    }

    /// Removes an activity, as its athlete would.
    ///
    /// # Errors
    /// `NotFound` if there is none.
    pub fn take(&self, id: &RemoteId) -> Result<(), PlatformError> {
        let mut world = self.world();
        let result = world.remove(id);
        world.record(None, result.clone());
        result
    }

    /// Has something go wrong.
    pub fn script(&self, fault: Fault) {
        self.world().script(fault);
    }

    /// Has everything go well again: what was scripted is forgotten, the session accepted.
    pub fn heal(&self) {
        self.world().forget_faults();
        self.log_in();
    }

    /// Has the session accepted again.
    pub fn log_in(&self) {
        self.world().session_ended = false;
    }

    /// What the account holds, listed or not.
    pub fn ids(&self) -> BTreeSet<RemoteId> {
        self.world().items.keys().cloned().collect()
    }

    /// The bytes of an activity, also of one that is gone.
    pub fn bytes(&self, id: &RemoteId) -> Option<Vec<u8>> {
        self.world().bytes.get(id).cloned()
    }

    /// The details of an activity that is there.
    pub fn written(&self, id: &RemoteId) -> Option<Details> {
        self.world().items.get(id).map(|item| item.details.clone())
    }

    /// Everything that happened, in order, with what the account held after it.
    pub fn history(&self) -> Vec<Moment> {
        self.world().moments()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what is asked, or what the script says instead, and records it.
    fn act<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut World, Option<Fault>) -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        let mut world = self.world();
        let fault = world.next_fault(operation);
        if let Some(Fault::EndsSession(_)) = fault {
            world.session_ended = true;
        }
        let result = match fault {
            _ if world.session_ended => Err(PlatformError::Auth(AuthFailure::Expired)),
            Some(Fault::Fails(_, error)) => Err(error),
            Some(Fault::LosesAnswer(_)) => {
                // Whether it would have been a refusal, the caller does not learn either.
                let _ = work(&mut world, None);
                Err(PlatformError::Unconfirmed("the answer was lost".to_owned()))
            }
            fault => work(&mut world, fault),
        };
        let answer = result.as_ref().map(|_| ()).map_err(Clone::clone);
        world.record(Some(operation), answer);
        result
    }
}

#[async_trait]
impl Platform for Memory {
    fn capabilities(&self) -> Capabilities {
        self.world().settings.capabilities
    }

    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.act(Operation::WhoAmI, |world, _| Ok(world.settings.profile.clone()))
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        self.act(Operation::List, |world, fault| page(world, &request, fault))
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        let id = &activity.id;
        self.act(Operation::Download, |world, fault| {
            if !world.items.contains_key(id) {
                return Err(PlatformError::NotFound);
            }
            let mut bytes = world.bytes.get(id).cloned().ok_or(PlatformError::NotFound)?;
            if let Some(Fault::Download(fault)) = fault {
                match fault {
                    DownloadFault::Truncated => bytes.truncate(bytes.len() / 2),
                    DownloadFault::OtherBytes(other) => bytes = other,
                }
            }
            if let Some(export) = world.quirks.exports_again {
                world.downloads = world.downloads.wrapping_add(1);
                bytes = export(&bytes, world.downloads);
            }
            Ok(Original { bytes })
        })
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        self.act(Operation::Upload, |world, fault| {
            if !world.settings.capabilities.upload {
                return Err(PlatformError::Unsupported);
            }
            match fault {
                Some(Fault::Upload(fault)) => upload_badly(world, file, fault),
                _ => store_and_answer(world, file),
            }
        })
    }

    async fn has_taken(
        &self,
        file: &FitFile,
        _since: Option<Timestamp>,
    ) -> Result<bool, PlatformError> {
        self.act(Operation::UploadStatus, |world, _| {
            let held = world.items.keys().filter_map(|id| world.bytes.get(id));
            Ok(held.into_iter().any(|bytes| *bytes == file.bytes))
        })
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        self.act(Operation::UploadStatus, |world, _| {
            let (end, questions) =
                world.tickets.get_mut(&ticket.name).ok_or(PlatformError::NotFound)?;
            if *questions > 0 {
                *questions -= 1;
                return Ok(UploadStatus::Processing);
            }
            match end {
                Ticket::Named(id) => Ok(UploadStatus::Stored(id.clone())),
                Ticket::Unnamed => Ok(UploadStatus::Finished),
                Ticket::Refused => Err(PlatformError::Rejected {
                    reason: "refused while it was processed".to_owned(),
                    kind: Rejection::Refused,
                }),
            }
        })
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        let id = &activity.id;
        self.act(Operation::Delete, |world, _| {
            if !world.settings.capabilities.delete {
                return Err(PlatformError::Unsupported);
            }
            let item = world.items.get(id);
            if item
                .is_some_and(|item| item.row.sha256.is_some() && item.row.sha256 != activity.sha256)
            {
                return Err(PlatformError::Changed);
            }
            world.remove_as_asked(id)
        })
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        self.act(Operation::Details, |world, _| {
            let item = world.items.get(id).ok_or(PlatformError::NotFound)?;
            Ok(item.details.clone())
        })
    }

    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        self.act(Operation::SetDetails, |world, fault| {
            let keeps_privacy = matches!(fault, Some(Fault::KeepsPrivacy));
            set(world, id, details, keeps_privacy)
        })
    }
}

fn store(world: &mut World, file: &FitFile) -> Result<RemoteId, PlatformError> {
    let row = world.examine(file)?;
    Ok(world.insert(row, Some(file.bytes.clone())))
}

/// Stores a file and answers as the account is used to.
fn store_and_answer(world: &mut World, file: &FitFile) -> Result<Uploaded, PlatformError> {
    let id = store(world, file)?;
    if let Some(delay) = world.quirks.listed_late {
        let lag = Lag::begin(delay, world.now());
        if let Some(item) = world.items.get_mut(&id) {
            item.hidden = Some(lag);
        }
    }
    if world.quirks.changes_ids {
        world.fleeting.insert(id.clone());
    }
    Ok(match world.quirks.answers {
        Answers::Own => Uploaded::Stored(id),
        Answers::Unlisted => Uploaded::Stored(world.new_id()),
        Answers::Neighbour => {
            let other = world.items.keys().find(|other| **other != id).cloned();
            Uploaded::Stored(other.unwrap_or(id))
        }
        Answers::Missing => {
            let ticket = format!("ticket-{id}");
            world.tickets.insert(ticket.clone(), (Ticket::Unnamed, 0));
            Uploaded::Processing(UploadTicket::new(ticket))
        }
    })
}

fn upload_badly(
    world: &mut World,
    file: &FitFile,
    fault: UploadFault,
) -> Result<Uploaded, PlatformError> {
    let change = |world: &mut World, change: fn(&mut Item, u32), number: u32| {
        let id = store(world, file)?;
        if let Some(item) = world.items.get_mut(&id) {
            change(item, number);
        }
        Ok(Uploaded::Stored(id))
    };
    let process = |world: &mut World, questions: u32, named: bool| {
        let id = store(world, file)?;
        let ticket = format!("ticket-{id}");
        let end = if named { Ticket::Named(id) } else { Ticket::Unnamed };
        world.tickets.insert(ticket.clone(), (end, questions));
        Ok(Uploaded::Processing(UploadTicket::new(ticket)))
    };
    match fault {
        UploadFault::NamesDuplicate(existing) => Err(PlatformError::Duplicate { existing }),
        UploadFault::NamesDeleted => {
            Err(PlatformError::Duplicate { existing: world.last_deleted() })
        }
        UploadFault::NamesStored(id) => Ok(Uploaded::Stored(id)),
        UploadFault::Dropped => Ok(Uploaded::Stored(world.new_id())),
        UploadFault::ListedLate(listings) => {
            change(world, |item, listings| item.hidden = Some(Lag::of_listings(listings)), listings)
        }
        UploadFault::Alters(bytes) => {
            let altered = FitFile { bytes, ..file.clone() };
            store(world, &altered).map(Uploaded::Stored)
        }
        UploadFault::ListedTwice => change(world, |item, _| item.twice = true, 0),
        UploadFault::Processes(questions) => process(world, questions, true),
        UploadFault::ProcessesInVain(questions) => {
            let ticket = format!("ticket-{}", world.new_id());
            world.tickets.insert(ticket.clone(), (Ticket::Refused, questions));
            Ok(Uploaded::Processing(UploadTicket::new(ticket)))
        }
        UploadFault::ProcessesUnnamed(questions) => process(world, questions, false),
    }
}

fn set(
    world: &mut World,
    id: &RemoteId,
    details: &Details,
    keeps_privacy: bool,
) -> Result<(), PlatformError> {
    let editable = world.settings.capabilities.editable;
    let lists_bytes = world.settings.capabilities.lists_bytes;
    let edits = match keeps_privacy {
        true => PrivacyEdits::Ignored,
        false => world.quirks.privacy_edits,
    };
    let item = world.items.get_mut(id).ok_or(PlatformError::NotFound)?;
    let can = |wanted: bool, able: bool| able || !wanted;
    if !(can(details.title.is_some(), editable.title)
        && can(details.description.is_some(), editable.description)
        && can(details.kind.is_some(), editable.kind)
        && can(details.private.is_some(), editable.privacy))
    {
        return Err(PlatformError::Unsupported);
    }
    if details.private.is_some() && edits == PrivacyEdits::Refused {
        return Err(PlatformError::Permanent("privacy cannot be set now".to_owned()));
    }
    if let Some(title) = &details.title {
        item.details.title = Some(title.clone());
        item.row.title = Some(title.clone());
    }
    if let Some(description) = &details.description {
        item.details.description = Some(description.clone());
    }
    if let Some(kind) = &details.kind {
        item.details.kind = Some(kind.clone());
        item.row.kind = kind.clone();
        if !lists_bytes {
            item.row.fingerprint = listed_fingerprint(&item.row);
        }
    }
    if details.private.is_some() && edits == PrivacyEdits::Kept {
        item.details.private = details.private;
        item.row.private = details.private;
    }
    Ok(())
}
