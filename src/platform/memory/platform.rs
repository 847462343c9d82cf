//! The account's answers, and the handle by which a test looks behind them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::domain::{Activity, Capabilities, Coverage, Details, Profile, RemoteId};
use crate::platform::{
    AuthFailure, FitFile, ListRequest, Original, Page, PageToken, Platform, PlatformError,
    Rejection, UploadStatus, UploadTicket, Uploaded, Window, row,
};

use super::script::{DownloadFault, Fault, ListFault, Operation, UploadFault};
use super::world::{Item, Moment, Settings, Ticket, World, listed_fingerprint};

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
        world.record(None, Some(id.clone()), Ok(()));
        id
    }

    /// Puts a row in exactly as it is; without bytes it has no original.
    pub fn put_row(&self, row: Activity, bytes: Option<Vec<u8>>) -> RemoteId {
        let mut world = self.world();
        let id = world.insert(row, bytes);
        world.record(None, Some(id.clone()), Ok(()));
        id
    }

    /// Removes an activity, as its athlete would.
    ///
    /// # Errors
    /// `NotFound` if there is none.
    pub fn take(&self, id: &RemoteId) -> Result<(), PlatformError> {
        let mut world = self.world();
        let result = world.remove(id);
        world.record(None, Some(id.clone()), result.clone());
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
        subject: Option<&RemoteId>,
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
        world.record(Some(operation), subject.cloned(), answer);
        result
    }
}

#[async_trait]
impl Platform for Memory {
    fn capabilities(&self) -> Capabilities {
        self.world().settings.capabilities
    }

    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.act(Operation::WhoAmI, None, |world, _| Ok(world.settings.profile.clone()))
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        self.act(Operation::List, None, |world, fault| {
            page(world, request.window, request.page.as_ref(), fault)
        })
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        let id = &activity.id;
        self.act(Operation::Download, Some(id), |world, fault| {
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
            Ok(Original { bytes })
        })
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        self.act(Operation::Upload, None, |world, fault| {
            if !world.settings.capabilities.upload {
                return Err(PlatformError::Unsupported);
            }
            match fault {
                Some(Fault::Upload(fault)) => upload_badly(world, file, fault),
                _ => store(world, file).map(Uploaded::Stored),
            }
        })
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        self.act(Operation::UploadStatus, None, |world, _| {
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
        self.act(Operation::Delete, Some(id), |world, _| {
            if !world.settings.capabilities.delete {
                return Err(PlatformError::Unsupported);
            }
            world.remove(id)
        })
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        self.act(Operation::Details, Some(id), |world, _| {
            let item = world.items.get(id).ok_or(PlatformError::NotFound)?;
            Ok(item.details.clone())
        })
    }

    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        self.act(Operation::SetDetails, Some(id), |world, fault| {
            let keeps_privacy = matches!(fault, Some(Fault::KeepsPrivacy));
            set(world, id, details, keeps_privacy)
        })
    }
}

fn page(
    world: &mut World,
    window: Window,
    token: Option<&PageToken>,
    fault: Option<Fault>,
) -> Result<Page, PlatformError> {
    let offset = match token {
        Some(PageToken(text)) => {
            text.parse().map_err(|_| PlatformError::Protocol(format!("no page '{text}'")))?
        }
        None => 0usize,
    };
    let mut rows: Vec<&Activity> = world
        .items
        .values()
        .filter(|item| item.hidden_for == 0 && holds(window, &item.row))
        .flat_map(|item| std::iter::repeat_n(&item.row, if item.twice { 2 } else { 1 }))
        .collect();
    rows.sort_by(|a, b| b.start.cmp(&a.start).then_with(|| a.id.cmp(&b.id)));
    let total = rows.len();
    let size = world.settings.page_size.map_or(total, usize::from);
    let activities: Vec<Activity> = rows.into_iter().skip(offset).take(size).cloned().collect();
    let end = offset.saturating_add(size);
    let mut page = Page {
        activities,
        next: (end < total).then(|| PageToken(end.to_string())),
        total: u64::try_from(total).ok(),
        complete: true,
        read: Coverage::Whole,
        notes: Vec::new(),
    };
    if page.next.is_none() {
        for item in world.items.values_mut() {
            item.hidden_for = item.hidden_for.saturating_sub(1);
        }
    }
    if let Some(Fault::List(fault)) = fault {
        match fault {
            ListFault::Arrives(row) => {
                world.insert(*row, None);
            }
            ListFault::Vanishes(id) => world.remove(&id)?,
            ListFault::Incomplete => page.complete = false,
        }
    }
    Ok(page)
}

/// Whether an activity's local day lies in a window; one without a day lies in every window.
fn holds(window: Window, row: &Activity) -> bool {
    let Some(day) = row.start.and_then(|start| local_day(start, row.local_offset_s)) else {
        return true;
    };
    window.first.is_none_or(|first| first <= day) && window.last.is_none_or(|last| day <= last)
}

fn local_day(start: Timestamp, offset_s: Option<i32>) -> Option<Date> {
    let offset = SignedDuration::from_secs(i64::from(offset_s.unwrap_or_default()));
    let local = start.checked_add(offset).ok()?;
    Some(local.to_zoned(TimeZone::UTC).date())
}

fn store(world: &mut World, file: &FitFile) -> Result<RemoteId, PlatformError> {
    let row = world.examine(file)?;
    Ok(world.insert(row, Some(file.bytes.clone())))
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
            change(world, |item, listings| item.hidden_for = listings, listings)
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
    let item = world.items.get_mut(id).ok_or(PlatformError::NotFound)?;
    let can = |wanted: bool, able: bool| able || !wanted;
    if !(can(details.title.is_some(), editable.title)
        && can(details.description.is_some(), editable.description)
        && can(details.kind.is_some(), editable.kind)
        && can(details.private.is_some(), editable.privacy))
    {
        return Err(PlatformError::Unsupported);
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
    if details.private.is_some() && !keeps_privacy {
        item.details.private = details.private;
        item.row.private = details.private;
    }
    Ok(())
}
