//! Stands before an account in memory and looks, at every request that cannot be taken back, whether
//! it may be made: independent of what the engine says about itself.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::support::memory::Memory;
use async_trait::async_trait;
use fit_sync::archive::{Backup, Backups, Blobs};
use fit_sync::clock::{Clock, ManualClock, age};
use fit_sync::domain::{Activity, Capabilities, Details, Profile, RemoteId, Sha256};
use fit_sync::event::{Event, Events, Phase};
use fit_sync::platform::{
    FitFile, ListRequest, Original, Page, Platform, PlatformError, UploadStatus, UploadTicket,
    Uploaded,
};
use jiff::Timestamp;

/// Looks at what is asked of an account.
pub(crate) struct Witness {
    pub(crate) account: Memory,
    clock: Arc<ManualClock>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    backups: PathBuf,
    /// Old activities that may go, and the bytes that take their place.
    planned: HashMap<RemoteId, Sha256>,
    /// What is wanted, by the start in a step's address.
    wanted: HashMap<String, Sha256>,
    /// Uploads whose answer was lost, and when.
    doubtful: HashMap<Sha256, (Timestamp, Timestamp)>,
    /// What the account made of an upload; a later plan may replace it.
    altered: Vec<u8>,
    violations: Vec<String>,
    events: Vec<Event>,
}

impl Witness {
    pub(crate) fn new(account: &Memory, clock: &Arc<ManualClock>) -> Arc<Self> {
        let (account, clock) = (account.clone(), Arc::clone(clock));
        Arc::new(Self { account, clock, seen: Mutex::default() })
    }

    pub(crate) fn expect(
        &self,
        backups: PathBuf,
        planned: HashMap<RemoteId, Sha256>,
        wanted: HashMap<String, Sha256>,
    ) {
        let mut seen = self.seen.lock().unwrap();
        (seen.backups, seen.planned, seen.wanted) = (backups, planned, wanted);
    }

    /// The account makes this of what is sent.
    pub(crate) fn expect_altered(&self, bytes: Vec<u8>) {
        self.seen.lock().unwrap().altered = bytes;
    }

    /// What should not have happened.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.seen.lock().unwrap().violations.clone()
    }

    /// Everything that was told.
    pub(crate) fn events(&self) -> Vec<Event> {
        self.seen.lock().unwrap().events.clone()
    }

    fn holding(&self, sha256: &Sha256) -> Option<RemoteId> {
        let holds = |id: &RemoteId| self.account.bytes(id).map(|b| Sha256::of(&b));
        self.account.ids().into_iter().find(|id| holds(id).as_ref() == Some(sha256))
    }

    fn look_at_delete(&self, id: &RemoteId) {
        if !self.account.ids().contains(id) {
            return;
        }
        let mut seen = self.seen.lock().unwrap();
        let bytes = self.account.bytes(id).unwrap_or_default();
        let stock = Backups::new(&seen.backups).list().unwrap().backups.into_iter();
        let mut kept = stock.filter(|backup| backup.subject.id == *id);
        let holds = |backup: &Backup| {
            let there = Blobs::new(&seen.backups).get(&backup.sha256).unwrap();
            there.as_ref() == Some(&bytes)
        };
        if !kept.any(|backup| holds(&backup)) {
            seen.violations.push(format!("{id} is deleted without a backup of it"));
        }
        match seen.planned.get(id).cloned() {
            None if Sha256::of(&bytes) == Sha256::of(&seen.altered) => {}
            None => seen.violations.push(format!("{id} is deleted, and no step said so")),
            Some(new) => {
                let after = self.account.capabilities().replace
                    == fit_sync::domain::ReplaceProtocol::UploadThenDelete;
                if after && self.holding(&new).is_none() {
                    seen.violations.push(format!("{id} is deleted before its successor is there"));
                }
            }
        }
    }

    fn look_at_upload(&self, file: &FitFile) {
        let mut seen = self.seen.lock().unwrap();
        if let Some((at, _)) = seen.doubtful.remove(&file.sha256) {
            seen.violations.push(format!("sent again without a look, after {at}"));
        }
    }
}

#[async_trait]
impl Platform for Witness {
    fn capabilities(&self) -> Capabilities {
        self.account.capabilities()
    }

    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.account.whoami().await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        let window = request.window;
        let page = self.account.list(request).await?;
        if page.complete && page.next.is_none() {
            let settled = |at: &Timestamp| {
                let settle = self.account.capabilities().settle_s;
                age(self.clock.now(), *at).as_secs() >= settle
            };
            let shows = |start: &Timestamp| {
                let day = start.to_zoned(jiff::tz::TimeZone::UTC).date();
                window.first.is_none_or(|first| first < day)
                    && window.last.is_none_or(|last| day < last)
            };
            let mut seen = self.seen.lock().unwrap();
            seen.doubtful.retain(|_, (at, start)| !(settled(at) && shows(start)));
        }
        Ok(page)
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        self.account.download(activity).await
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        self.look_at_upload(file);
        let answer = self.account.upload(file).await;
        if matches!(answer, Err(PlatformError::Unconfirmed(_)) | Ok(_)) {
            let mut seen = self.seen.lock().unwrap();
            seen.doubtful.insert(file.sha256.clone(), (self.clock.now(), file.key.start));
        }
        answer
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        self.account.upload_status(ticket).await
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        self.look_at_delete(&activity.id);
        self.account.delete(activity).await
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        self.account.details(id).await
    }

    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        self.account.set_details(id, details).await
    }
}

impl Events for Witness {
    fn emit(&self, event: Event) {
        let mut seen = self.seen.lock().unwrap();
        seen.events.push(event.clone());
        let Event::Step { address, phase, .. } = event else { return };
        if phase != Phase::Confirmed {
            return;
        }
        let wanted =
            seen.wanted.iter().find(|(start, _)| address.as_str().ends_with(start.as_str()));
        let Some(sha256) = wanted.map(|(_, sha256)| sha256.clone()) else { return };
        match self.holding(&sha256) {
            None => seen.violations.push(format!("{address} is confirmed, but not there")),
            Some(id) => {
                let is_private = self.account.written(&id).and_then(|it| it.private) == Some(true);
                if !is_private {
                    seen.violations.push(format!("{address} is confirmed before it is private"));
                }
            }
        }
    }
}
