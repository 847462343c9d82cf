//! A stop is heard wherever an account waits: what has not begun is not sent, what is final is. And an
//! account that asks for too long a wait is asked nothing more.

use std::collections::HashMap;
use std::future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fit_sync::cancellation::Cancellation;
use fit_sync::clock::{Clock, ManualClock};
use fit_sync::domain::{Activity, Details, Sha256};
use fit_sync::platform::{
    self, FitFile, ListRequest, Opening, Platform, PlatformError, UploadStatus, Uploaded, Urgency,
    Window,
};
use fit_sync::vault::Vault;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::support::cli::ride;
use crate::support::world::NOW;
use crate::support::{coros, fake_coros, fake_garmin, garmin};

/// A clock on which a long wait never ends by itself: the run is cancelled meanwhile.
struct StoppingClock {
    manual: ManualClock,
    stop: Cancellation,
}

#[async_trait]
impl Clock for StoppingClock {
    fn now(&self) -> Timestamp {
        self.manual.now()
    }

    async fn sleep(&self, duration: Duration) {
        if duration >= Duration::from_secs(60) {
            self.stop.request();
            future::pending::<()>().await;
        }
        self.manual.sleep(duration).await;
    }
}

struct Run {
    clock: Arc<StoppingClock>,
    opening: Opening,
    _home: TempDir,
}

impl Run {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let stop = Cancellation::default();
        let manual = ManualClock::new(NOW.parse().unwrap());
        let clock = Arc::new(StoppingClock { manual, stop: stop.clone() });
        let offline = Opening::offline(Arc::clone(&clock) as _, Arc::new(|| [7; 16]));
        let (vault, ask) = (Vault::new(home.path()), Arc::new(garmin::Literal));
        let opening = Opening { vault, ask, stop, ..offline };
        Self { clock, opening, _home: home }
    }
}

async fn list(platform: &dyn Platform) -> Result<(), PlatformError> {
    let (window, known) = (Window::default(), HashMap::new());
    platform.list(ListRequest { window, page: None, known: &known }).await.map(drop)
}

async fn first_row(platform: &dyn Platform) -> Activity {
    let (window, known) = (Window::default(), HashMap::new());
    let page = platform.list(ListRequest { window, page: None, known: &known }).await.unwrap();
    page.activities.into_iter().next().unwrap()
}

fn file(urgency: Urgency) -> FitFile {
    let bytes = ride("2026-11-01T06:12:33Z").build();
    let content = fit_sync::fit::read(&bytes).unwrap();
    let (key, _) = content.key().unwrap();
    let (sha256, kind) = (Sha256::of(&bytes), content.kind());
    FitFile { bytes, sha256, key, kind, title: None, local_offset_s: None, urgency }
}

/// After a stop: nothing normal is sent, and what is final is.
async fn check_after_stop(
    run: &Run,
    platform: &dyn Platform,
    row: &Activity,
    sent: impl Fn() -> usize,
) {
    let slept = run.clock.manual.sleeps().len();
    assert_eq!(list(platform).await, Err(PlatformError::Cancelled));
    assert_eq!(platform.upload(&file(Urgency::Normal)).await, Err(PlatformError::Cancelled));
    assert_eq!(platform.delete(row).await, Err(PlatformError::Cancelled));
    assert_eq!(sent(), 0, "nothing that is not final");
    let details = Details { title: Some("Mine".to_owned()), ..Details::default() };
    platform.set_details(&row.id, &details).await.unwrap();
    let uploaded = platform.upload(&file(Urgency::Final)).await.unwrap();
    if let Uploaded::Processing(ticket) = uploaded {
        let status = platform.upload_status(&ticket).await.unwrap();
        assert!(matches!(status, UploadStatus::Processing | UploadStatus::Stored(_)), "{status:?}");
    }
    let longest = run.clock.manual.sleeps().into_iter().skip(slept).max();
    assert!(longest <= Some(Duration::from_secs(3)), "{longest:?}");
}

#[tokio::test]
async fn a_stop_during_a_wait_at_garmin_ends_it_and_only_final_requests_are_sent() {
    use fake_garmin::{FakeGarmin, Switches, Trouble};
    let (fake, run) = (FakeGarmin::start(Switches::of("garmin.com")), Run::new());
    fake.world().store(&ride("2026-11-02T06:12:33Z").build(), "Ride");
    let platform = platform::open(&garmin::account(&fake), &run.opening).unwrap();
    platform.whoami().await.unwrap();
    let row = first_row(platform.as_ref()).await;
    fake.switch(|switches| switches.list = Trouble::Wait(429, 600));
    assert_eq!(list(platform.as_ref()).await, Err(PlatformError::Cancelled));
    assert!(run.opening.stop.is_requested(), "in the wait");
    fake.take_counts();
    check_after_stop(&run, platform.as_ref(), &row, || fake.take_counts()[2]).await;
    assert_eq!(fake.world().activities.len(), 2);
    let hidden = Details { private: Some(true), ..Details::default() };
    platform.set_details(&row.id, &hidden).await.unwrap();
    let seen = platform.details(&row.id).await.unwrap();
    assert_eq!(seen.private, Some(true), "what was hidden is looked at");
}

#[tokio::test]
async fn a_stop_during_a_wait_at_coros_ends_it_and_only_final_requests_are_sent() {
    use fake_coros::{FakeCoros, Place, Switches, Trouble};
    let (fake, run) = (FakeCoros::start(Switches::of("us")), Run::new());
    fake.world().store(&ride("2026-11-02T06:12:33Z").build(), "Ride", 32);
    let platform = platform::open(&coros::account(&fake), &run.opening).unwrap();
    platform.whoami().await.unwrap();
    let row = first_row(platform.as_ref()).await;
    fake.fails(Place::List, Trouble::Wait(429, 600));
    assert_eq!(list(platform.as_ref()).await, Err(PlatformError::Cancelled));
    fake.take_seen();
    check_after_stop(&run, platform.as_ref(), &row, || fake.take_seen().len()).await;
    assert_eq!(fake.world().imports.len(), 1);
}

#[tokio::test]
async fn an_account_that_asks_to_wait_for_a_day_is_asked_nothing_more() {
    use fake_garmin::{FakeGarmin, Switches, Trouble};
    let (fake, run) = (FakeGarmin::start(Switches::of("garmin.com")), Run::new());
    let platform = platform::open(&garmin::account(&fake), &run.opening).unwrap();
    platform.whoami().await.unwrap();
    fake.switch(|switches| switches.list = Trouble::Wait(429, u64::MAX));
    fake.take_counts();
    for requests in [1, 0] {
        let listed = list(platform.as_ref()).await;
        assert!(matches!(listed, Err(PlatformError::Throttled(_))), "{listed:?}");
        assert_eq!(fake.take_counts()[2], requests);
    }
    let sent = platform.upload(&file(Urgency::Normal)).await;
    assert!(matches!(sent, Err(PlatformError::Throttled(_))), "{sent:?}");
    assert_eq!(fake.take_counts(), [0; 4]);
    assert!(!run.opening.stop.is_requested(), "nothing was waited for");
}
