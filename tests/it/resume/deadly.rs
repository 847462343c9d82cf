//! Ways to die: at an event, at a look at the clock, before a request, before its answer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fit_sync::clock::{Clock, SystemClock};
use fit_sync::domain::{
    Activity, Capabilities, Details, Profile, RemoteId, ReplaceProtocol, Sha256,
};
use fit_sync::event::{Event, Events};
use fit_sync::platform::{
    FitFile, ListRequest, Original, Page, Platform, PlatformError, Rejection, UploadStatus,
    UploadTicket, Uploaded,
};
use jiff::Timestamp;
use rustix::process::{Signal, getpid, kill_process};

/// Where a run may die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// After a transition of the journal: each is followed by its event.
    Journalled,
    /// Before a transition of the journal: each asks for the time first.
    Unjournalled,
    /// Before an upload or a deletion is asked for.
    Before,
    /// After it was done, before its answer.
    After,
}

impl Moment {
    pub(super) const ALL: [Self; 4] =
        [Self::Journalled, Self::Unjournalled, Self::Before, Self::After];

    pub(super) fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|moment| format!("{moment:?}") == word).unwrap()
    }
}

/// Kills its process at the n-th moment of a kind.
#[derive(Clone)]
pub(super) struct Trigger {
    moment: Moment,
    left: Arc<AtomicI64>,
    armed: Arc<AtomicI64>,
}

impl Trigger {
    pub(super) fn at(moment: Moment, number: i64) -> Self {
        Self { moment, left: Arc::new(AtomicI64::new(number)), armed: Arc::default() }
    }

    pub(super) fn never() -> Self {
        Self::at(Moment::Journalled, i64::MAX)
    }

    fn pass(&self, moment: Moment) {
        // What happens before a run or a settling has begun is reading only.
        let armed = self.armed.load(Ordering::SeqCst) > 0;
        if moment == self.moment && armed && self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill_process(getpid(), Signal::KILL).unwrap();
            std::process::abort();
        }
    }
}

impl Events for Trigger {
    fn emit(&self, event: Event) {
        match event {
            Event::RunStarted { .. } => self.armed.store(1, Ordering::SeqCst),
            Event::Step { .. } => {
                self.armed.store(1, Ordering::SeqCst);
                self.pass(Moment::Journalled);
            }
            Event::Reading { .. }
            | Event::Refreshed { .. }
            | Event::Comparing { .. }
            | Event::Settling { .. }
            | Event::Waiting { .. }
            | Event::Fetching { .. }
            | Event::Noted { .. } => {}
        }
    }
}

#[async_trait]
impl Clock for Trigger {
    fn now(&self) -> Timestamp {
        self.pass(Moment::Unjournalled);
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        SystemClock.sleep(duration).await;
    }
}

/// A platform on which the trigger may be pulled.
pub(super) struct Deadly {
    pub(super) inner: Arc<dyn Platform>,
    pub(super) protocol: ReplaceProtocol,
    /// Files that it does not take.
    pub(super) refused: BTreeSet<Sha256>,
    pub(super) trigger: Trigger,
}

fn refusal() -> PlatformError {
    PlatformError::Rejected { reason: "not with us".to_owned(), kind: Rejection::Refused }
}

#[async_trait]
impl Platform for Deadly {
    fn capabilities(&self) -> Capabilities {
        Capabilities { replace: self.protocol, ..self.inner.capabilities() }
    }

    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.inner.whoami().await
    }

    async fn prepare(&self) -> Result<Profile, PlatformError> {
        self.inner.prepare().await
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        self.inner.list(request).await
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        self.inner.download(activity).await
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        self.trigger.pass(Moment::Before);
        let answer = match self.refused.contains(&file.sha256) {
            true => Err(refusal()),
            false => self.inner.upload(file).await,
        };
        self.trigger.pass(Moment::After);
        answer
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        self.inner.upload_status(ticket).await
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        self.trigger.pass(Moment::Before);
        let answer = self.inner.delete(activity).await;
        self.trigger.pass(Moment::After);
        answer
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        self.inner.details(id).await
    }

    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        self.inner.set_details(id, details).await
    }
}
