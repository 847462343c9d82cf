//! What an account holds, and what happened to it.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::num::NonZeroUsize;

use jiff::Timestamp;

use fit_sync::domain::{
    Activity, Capabilities, Details, Editable, Fingerprint, Profile, ProfileId, RemoteId,
    ReplaceProtocol, Unlisted, Unusable,
};
use fit_sync::platform::{FitFile, PlatformError, Rejection, row};

use super::quirks::{Lag, Quirks};
use super::script::{Fault, Operation};

/// How an account behaves on a good day.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Begins every id that the account gives, so that ids of two accounts are never equal.
    pub name: String,
    /// Whose account it is.
    pub profile: Profile,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Rows per page; `None`: all on one.
    pub page_size: Option<NonZeroUsize>,
    /// What it does with a second activity of the same start second.
    pub duplicates: Duplicates,
    /// So many uploads of a deleted activity's start are answered as if it were still there.
    pub unsettled_deletions: u32,
    /// Where the facts of an uploaded activity come from.
    pub facts: Facts,
    /// Who may see a new upload; `None` where the platform does not say.
    pub private: Option<bool>,
}

impl Settings {
    /// An account that can do everything, lists all on one page and takes duplicates.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            profile: Profile {
                id: Some(ProfileId::of_account("memory", "", name)),
                location: None,
            },
            capabilities: Capabilities {
                upload: true,
                delete: true,
                lists_bytes: false,
                replace: ReplaceProtocol::UploadThenDelete,
                editable: Editable { title: true, description: true, kind: true, privacy: true },
                max_upload_bytes: None,
                parallel: 1,
                steps_per_request: 1,
                settle_s: 60,
                unlisted: Unlisted::Refused,
                loses_on_replace: &[],
            },
            page_size: None,
            duplicates: Duplicates::Taken,
            unsettled_deletions: 0,
            facts: Facts::Read,
            private: Some(false),
        }
    }
}

/// What an account does with a second activity of the same start second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// Stores it as well.
    Taken,
    /// Refuses it and names the first.
    Refused,
}

/// Where the facts of an uploaded activity come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Facts {
    /// From its bytes, as platforms do; what is no activity is rejected.
    Read,
    /// From the request, so that a simulated apply needs no bytes.
    Requested,
}

/// Something that was asked of the account, or was done to it by hand.
#[derive(Clone, Debug)]
pub struct Happening {
    /// What was asked; `None` if done by hand.
    pub operation: Option<Operation>,
    /// What was answered.
    pub answer: Result<(), PlatformError>,
    /// What it did, whatever the answer was.
    pub changes: Vec<Change>,
}

/// What changes among the activities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// There is a new one.
    Added(RemoteId),
    /// One is gone.
    Removed(RemoteId),
    /// One is there under another id.
    Renamed(RemoteId, RemoteId),
}

/// The account after something happened.
#[derive(Clone, Debug)]
pub struct Moment {
    /// What happened.
    pub happening: Happening,
    /// What the account holds since.
    pub ids: BTreeSet<RemoteId>,
}

/// What a ticket leads to.
pub(super) enum Ticket {
    Named(RemoteId),
    Unnamed,
    Refused,
}

/// One activity of the account.
pub(super) struct Item {
    pub(super) row: Activity,
    pub(super) details: Details,
    /// While it lasts, no list shows it.
    pub(super) hidden: Option<Lag>,
    pub(super) twice: bool,
}

struct Deleted {
    id: RemoteId,
    start: Option<Timestamp>,
    refuses: u32,
}

/// A removed activity that lists still show.
pub(super) struct Ghost {
    pub(super) row: Activity,
    pub(super) lag: Lag,
}

pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) quirks: Quirks,
    pub(super) ghosts: Vec<Ghost>,
    /// Activities that get another id once they were listed.
    pub(super) fleeting: BTreeSet<RemoteId>,
    /// When all of it was last listed row by row.
    pub(super) whole_at: Option<Timestamp>,
    /// Downloads so far.
    pub(super) downloads: u8,
    pub(super) items: BTreeMap<RemoteId, Item>,
    /// All bytes ever held.
    pub(super) bytes: HashMap<RemoteId, Vec<u8>>,
    /// What each ticket leads to, and how many questions it still puts off.
    pub(super) tickets: HashMap<String, (Ticket, u32)>,
    pub(super) session_ended: bool,
    faults: HashMap<Operation, VecDeque<Fault>>,
    deleted: Vec<Deleted>,
    given: u64,
    changes: Vec<Change>,
    history: Vec<Happening>,
    /// Happenings whose changes were taken.
    told: usize,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            quirks: Quirks::default(),
            ghosts: Vec::new(),
            fleeting: BTreeSet::new(),
            whole_at: None,
            downloads: 0,
            items: BTreeMap::new(),
            bytes: HashMap::new(),
            tickets: HashMap::new(),
            session_ended: false,
            faults: HashMap::new(),
            deleted: Vec::new(),
            given: 0,
            changes: Vec::new(),
            history: Vec::new(),
            told: 0,
        }
    }

    pub(super) fn script(&mut self, fault: Fault) {
        let queue = self.faults.entry(fault.operation()).or_default();
        queue.push_back(fault);
    }

    pub(super) fn forget_faults(&mut self) {
        self.faults.clear();
    }

    pub(super) fn next_fault(&mut self, operation: Operation) -> Option<Fault> {
        self.faults.get_mut(&operation)?.pop_front()
    }

    /// Closes what happened since the last record.
    pub(super) fn record(
        &mut self,
        operation: Option<Operation>,
        answer: Result<(), PlatformError>,
    ) {
        let changes = std::mem::take(&mut self.changes);
        self.history.push(Happening { operation, answer, changes });
    }

    pub(super) fn moments(&self) -> Vec<Moment> {
        let mut ids = BTreeSet::new();
        let after = |happening: &Happening| {
            for change in &happening.changes {
                match change {
                    Change::Added(id) => ids.insert(id.clone()),
                    Change::Removed(id) => ids.remove(id),
                    Change::Renamed(old, new) => ids.remove(old) && ids.insert(new.clone()),
                };
            }
            Moment { happening: happening.clone(), ids: ids.clone() }
        };
        self.history.iter().map(after).collect()
    }

    /// An id that was never given before.
    pub(super) fn new_id(&mut self) -> RemoteId {
        loop {
            self.given += 1;
            let id = RemoteId::new(format!("{}-{}", self.settings.name, self.given));
            if !self.items.contains_key(&id) {
                return id;
            }
        }
    }

    /// Puts an activity in, or in the place of the one with its id.
    pub(super) fn insert(&mut self, row: Activity, bytes: Option<Vec<u8>>) -> RemoteId {
        let id = row.id.clone();
        if let Some(bytes) = bytes {
            self.bytes.insert(id.clone(), bytes);
        }
        let details = Details {
            title: row.title.clone(),
            description: None,
            kind: Some(row.kind.clone()),
            private: row.private,
            ..Details::default()
        };
        let item = Item { row, details, hidden: None, twice: false };
        if self.items.insert(id.clone(), item).is_none() {
            self.changes.push(Change::Added(id.clone()));
        }
        id
    }

    pub(super) fn remove(&mut self, id: &RemoteId) -> Result<(), PlatformError> {
        let item = self.items.remove(id).ok_or(PlatformError::NotFound)?;
        self.changes.push(Change::Removed(id.clone()));
        self.deleted.push(Deleted {
            id: id.clone(),
            start: item.row.start,
            refuses: self.settings.unsettled_deletions,
        });
        Ok(())
    }

    /// Removes an activity by a request: lists may show it for a while.
    pub(super) fn remove_as_asked(&mut self, id: &RemoteId) -> Result<(), PlatformError> {
        let row = self.items.get(id).map(|item| item.row.clone());
        self.remove(id)?;
        if let (Some(row), Some(delay)) = (row, self.quirks.forgotten_late) {
            self.ghosts.push(Ghost { row, lag: Lag::begin(delay, self.now()) });
        }
        Ok(())
    }

    /// Gives an activity another id.
    pub(super) fn rename(&mut self, old: &RemoteId) {
        let new = self.new_id();
        if let Some(mut item) = self.items.remove(old) {
            item.row.id = new.clone();
            if let Some(bytes) = self.bytes.get(old).cloned() {
                self.bytes.insert(new.clone(), bytes);
            }
            self.items.insert(new.clone(), item);
            self.changes.push(Change::Renamed(old.clone(), new));
        }
    }

    /// The account's own time.
    pub(super) fn now(&self) -> Option<Timestamp> {
        self.quirks.clock.as_ref().map(|clock| clock.now())
    }

    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let told = std::mem::replace(&mut self.told, self.history.len());
        let news = self.history.iter().skip(told);
        news.flat_map(|happening| happening.changes.iter().cloned()).collect()
    }

    pub(super) fn last_deleted(&self) -> Option<RemoteId> {
        self.deleted.last().map(|deleted| deleted.id.clone())
    }

    /// The row that a file would get under a new id, unless the account refuses it.
    pub(super) fn examine(&mut self, file: &FitFile) -> Result<Activity, PlatformError> {
        if let Some(refusal) = self.quirks.refused.get(&file.sha256) {
            return Err(refusal.clone());
        }
        let size = u64::try_from(file.bytes.len()).unwrap_or(u64::MAX);
        if self.settings.capabilities.max_upload_bytes.is_some_and(|max| size > max) {
            return Err(PlatformError::Rejected {
                reason: "the file is too large".to_owned(),
                kind: Rejection::TooLarge,
            });
        }
        let row = match self.settings.facts {
            Facts::Read => row::of_bytes(&RemoteId::new(""), &file.bytes),
            Facts::Requested => as_requested(file),
        };
        match &row.unusable {
            Some(
                Unusable::Unreadable { detail }
                | Unusable::Unopened { detail }
                | Unusable::NotAnActivity { detail },
            ) => {
                return Err(PlatformError::Rejected {
                    reason: detail.clone(),
                    kind: Rejection::Refused,
                });
            }
            Some(Unusable::NoOriginal | Unusable::ClockNotSet | Unusable::SeveralActivities)
            | None => {}
        }
        if let Some(existing) = self.refusing(row.start) {
            return Err(PlatformError::Duplicate { existing: Some(existing) });
        }
        let mut row = self.as_listed(row);
        row.id = self.new_id();
        Ok(row)
    }

    /// The activity for whose sake one of this start is refused, if any.
    fn refusing(&mut self, start: Option<Timestamp>) -> Option<RemoteId> {
        let start = start?;
        let unsettled = self
            .deleted
            .iter_mut()
            .find(|deleted| deleted.start == Some(start) && deleted.refuses > 0);
        if let Some(deleted) = unsettled {
            deleted.refuses -= 1;
            return Some(deleted.id.clone());
        }
        match self.settings.duplicates {
            Duplicates::Taken => None,
            Duplicates::Refused => self
                .items
                .values()
                .find(|item| item.row.start == Some(start))
                .map(|item| item.row.id.clone()),
        }
    }

    /// A row with no more in it than the account's listing shows.
    pub(super) fn as_listed(&self, mut row: Activity) -> Activity {
        row.private = self.settings.private;
        if !self.settings.capabilities.lists_bytes {
            row.sha256 = None;
            row.content = None;
            row.unusable = None;
            row.fingerprint = listed_fingerprint(&row);
        }
        row
    }
}

/// The fingerprint of a row whose bytes are not shown.
pub(super) fn listed_fingerprint(row: &Activity) -> Fingerprint {
    Fingerprint::of_listing(row.start, row.elapsed_s, row.distance_m, row.kind.as_str())
}

fn as_requested(file: &FitFile) -> Activity {
    Activity {
        id: RemoteId::new(""),
        fingerprint: Fingerprint::of_bytes(&file.sha256),
        start: Some(file.key.start),
        weak_start: false,
        elapsed_s: file.key.elapsed_s,
        timer_s: None,
        local_offset_s: file.local_offset_s,
        kind: file.kind.clone(),
        title: None,
        distance_m: None,
        device: None,
        sha256: Some(file.sha256.clone()),
        content: None,
        unusable: None,
        private: None,
        hint: None,
    }
}
