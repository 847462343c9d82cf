//! One suite of cases for every platform: what the engine relies on, asked where the platform says
//! that it can.

use std::collections::HashMap;
use std::sync::Arc;

use crate::support::memory::{Memory, Settings};
use fit_sync::clock::ManualClock;
use fit_sync::domain::{
    Activity, Capabilities, Coverage, Details, Key, RemoteId, ReplaceProtocol, Sha256,
};
use fit_sync::event::Phase;
use fit_sync::platform::directory::Directory;
use fit_sync::platform::{
    FitFile, ListRequest, Platform, PlatformError, UploadStatus, Uploaded, Urgency, Window,
};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::support::fake_coros::{self, FakeCoros};
use crate::support::fake_garmin::{FakeGarmin, Switches};
use crate::support::world::{NOW, World, opening, settings};
use crate::support::{coros, fit, garmin};

/// A platform that the suite is run on.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Memory(ReplaceProtocol),
    Directory,
    Garmin,
    /// By its region: each object store has its own dialect.
    Coros(&'static str),
}

const SUBJECTS: [Subject; 6] = [
    Subject::Memory(ReplaceProtocol::UploadThenDelete),
    Subject::Memory(ReplaceProtocol::DeleteThenUpload),
    Subject::Directory,
    Subject::Garmin,
    Subject::Coros("cn"),
    Subject::Coros("us"),
];

/// An empty account, and what keeps it alive.
struct Account {
    subject: Subject,
    platform: Arc<dyn Platform>,
    _folder: Option<TempDir>,
    _fake: Option<Fake>,
}

/// A server on this machine.
enum Fake {
    Garmin(#[expect(dead_code, reason = "kept alive")] FakeGarmin),
    Coros(#[expect(dead_code, reason = "kept alive")] FakeCoros),
}

impl Account {
    async fn open(subject: Subject) -> Self {
        let (platform, folder, fake): (Arc<dyn Platform>, _, _) = match subject {
            Subject::Memory(protocol) => {
                let mut settings = settings("b", protocol);
                settings.page_size = std::num::NonZeroUsize::new(2);
                (Arc::new(Memory::new(settings)), None, None)
            }
            Subject::Directory => {
                let folder = tempfile::tempdir().unwrap();
                let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
                let directory = Directory::new(folder.path().join("archive"), opening(&clock));
                (Arc::new(directory), Some(folder), None)
            }
            Subject::Garmin => {
                let fake = FakeGarmin::start(Switches::of("garmin.com"));
                let (platform, home) = garmin::open(&fake);
                (platform, Some(home), Some(Fake::Garmin(fake)))
            }
            Subject::Coros(region) => {
                let fake = FakeCoros::start(fake_coros::Switches::of(region));
                let (platform, home) = coros::open(&fake);
                (platform, Some(home), Some(Fake::Coros(fake)))
            }
        };
        platform.prepare().await.unwrap();
        Self { subject, platform, _folder: folder, _fake: fake }
    }

    fn can(&self) -> Capabilities {
        self.platform.capabilities()
    }

    async fn all(&self) -> Vec<Activity> {
        let known = HashMap::new();
        let (mut rows, mut next) = (Vec::new(), None);
        loop {
            let request = ListRequest { window: Window::default(), page: next, known: &known };
            let page = self.platform.list(request).await.unwrap();
            assert!(page.complete, "{:?}", self.subject);
            rows.extend(page.activities);
            next = page.next;
            if next.is_none() {
                return rows;
            }
        }
    }

    async fn row(&self, id: &RemoteId) -> Option<Activity> {
        self.all().await.into_iter().find(|row| row.id == *id)
    }

    /// Sends a file until the account has said under which id it is.
    async fn add(&self, bytes: &[u8]) -> RemoteId {
        let before = self.ids().await;
        let answer = self.platform.upload(&file(bytes)).await.unwrap();
        self.stored(answer, &before).await
    }

    /// Follows an upload; where the platform tells no id, its list does.
    async fn stored(&self, answer: Uploaded, before: &[RemoteId]) -> RemoteId {
        let ticket = match answer {
            Uploaded::Stored(id) => return id,
            Uploaded::Processing(ticket) => ticket,
        };
        loop {
            match self.platform.upload_status(&ticket).await.unwrap() {
                UploadStatus::Stored(id) => return id,
                UploadStatus::Processing => {}
                UploadStatus::Finished => break,
            }
        }
        let after = self.ids().await;
        let mut new = after.into_iter().filter(|id| !before.contains(id));
        let first = new.next().unwrap();
        assert_eq!(new.next(), None, "{:?}", self.subject);
        first
    }

    async fn ids(&self) -> Vec<RemoteId> {
        self.all().await.into_iter().map(|row| row.id).collect()
    }
}

fn ride(day: u8, distance_m: u32) -> Vec<u8> {
    let start: Timestamp = format!("2026-05-{day:02}T06:12:33Z").parse().unwrap();
    fit::FitFile::new(start).records(10).distance_m(distance_m).build()
}

fn file(bytes: &[u8]) -> FitFile {
    let content = fit_sync::fit::read(bytes).unwrap();
    let (key, _): (Key, _) = content.key().unwrap();
    FitFile {
        urgency: Urgency::Normal,
        sha256: Sha256::of(bytes),
        key,
        kind: content.kind(),
        title: Some("Ride".to_owned()),
        local_offset_s: None,
        bytes: bytes.to_vec(),
    }
}

#[tokio::test]
async fn what_is_uploaded_is_listed_once_newest_first_and_given_back_byte_by_byte() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        let mut ids = Vec::new();
        for day in 1..=5 {
            ids.push(account.add(&ride(day, 30_000)).await);
        }
        let rows = account.all().await;
        let mut listed: Vec<&RemoteId> = rows.iter().map(|row| &row.id).collect();
        assert_eq!(rows.len(), 5, "{subject:?}");
        listed.sort_unstable();
        ids.sort_unstable();
        assert_eq!(listed, ids.iter().collect::<Vec<_>>(), "{subject:?}");
        if !account.can().lists_bytes {
            assert!(rows.is_sorted_by(|a, b| a.start >= b.start), "{subject:?}");
        }
        for row in &rows {
            let bytes = account.platform.download(row).await.unwrap().bytes;
            let start = row.start.unwrap();
            assert_eq!(bytes, fit::FitFile::new(start).records(10).distance_m(30_000).build());
            let lists = account.can().lists_bytes;
            assert_eq!(row.sha256, lists.then(|| Sha256::of(&bytes)), "{subject:?}");
        }
    }
}

#[tokio::test]
async fn the_same_activity_again_is_a_duplicate_that_names_the_first_or_a_second_one() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        let first = account.add(&ride(1, 30_000)).await;
        match account.platform.upload(&file(&ride(1, 30_000))).await {
            Err(PlatformError::Duplicate { existing }) => {
                assert!(existing.is_none_or(|id| id == first), "{subject:?}");
                assert_eq!(account.all().await.len(), 1, "{subject:?}");
            }
            Ok(answer) => {
                let second = account.stored(answer, std::slice::from_ref(&first)).await;
                assert_ne!(second, first, "{subject:?}");
                assert_eq!(account.all().await.len(), 2, "{subject:?}");
            }
            Err(other) => panic!("{subject:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_second_recording_of_that_start_is_taken_where_replacing_needs_it() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        let first = account.add(&ride(1, 30_000)).await;
        let answer = account.platform.upload(&file(&ride(1, 31_000))).await;
        match account.can().replace {
            ReplaceProtocol::UploadThenDelete => {
                let before = std::slice::from_ref(&first);
                let second = account.stored(answer.unwrap(), before).await;
                assert_ne!(second, first, "{subject:?}");
            }
            ReplaceProtocol::DeleteThenUpload => {
                assert!(matches!(answer, Err(PlatformError::Duplicate { .. })), "{subject:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_deleting_it_again_harms_nobody() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        if !account.can().delete {
            continue;
        }
        let id = account.add(&ride(1, 30_000)).await;
        let other = account.add(&ride(2, 30_000)).await;
        let row = account.row(&id).await.unwrap();
        account.platform.delete(&row).await.unwrap();
        assert_eq!(account.row(&id).await, None, "{subject:?}");
        let gone = account.platform.download(&row).await;
        assert!(matches!(gone, Err(PlatformError::NotFound)), "{subject:?}: {gone:?}");
        let nobody = Activity { id: RemoteId::new("nobody"), ..row.clone() };
        for unknown in [row, nobody] {
            let answer = account.platform.delete(&unknown).await;
            assert!(matches!(answer, Ok(()) | Err(PlatformError::NotFound)), "{subject:?}");
        }
        assert!(account.row(&other).await.is_some(), "{subject:?}");
    }
}

/// The days of May around one.
fn days(first: u8, last: u8) -> Window {
    let day = |number: u8| format!("2026-05-{number:02}").parse().ok();
    Window { first: day(first), last: day(last) }
}

#[tokio::test]
async fn a_window_is_read_row_by_row_whatever_is_known() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        for day in 1..=9 {
            account.add(&ride(day, 30_000)).await;
        }
        let rows = account.all().await;
        let mut known: HashMap<_, _> =
            rows.iter().map(|row| (row.id.clone(), row.clone())).collect();
        // What is known lacks one of the days, and has one that is not there.
        let of = |day: &str| rows.iter().find(|row| row.start.unwrap().to_string().contains(day));
        let (here, there) = (of("05-04").unwrap(), of("05-05").unwrap());
        known.remove(&here.id);
        let ghost = Activity { id: RemoteId::new("404"), ..there.clone() };
        known.insert(ghost.id.clone(), ghost.clone());
        let (mut listed, mut next) = (Vec::new(), None);
        loop {
            let request = ListRequest { window: days(4, 5), page: next, known: &known };
            let page = account.platform.list(request).await.unwrap();
            assert_eq!((page.complete, page.read), (true, Coverage::Whole), "{subject:?}");
            listed.extend(page.activities);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let ids: Vec<&RemoteId> = listed.iter().map(|row| &row.id).collect();
        assert!(ids.contains(&&here.id) && ids.contains(&&there.id), "{subject:?}");
        assert!(!ids.contains(&&ghost.id), "{subject:?}");
    }
}

#[tokio::test]
async fn a_listing_says_that_it_was_read_whole_where_nothing_is_known() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        account.add(&ride(1, 30_000)).await;
        let known = HashMap::new();
        let request = ListRequest { window: Window::default(), page: None, known: &known };
        let page = account.platform.list(request).await.unwrap();
        assert_eq!(page.read, Coverage::Whole, "{subject:?}");
    }
}

#[tokio::test]
async fn a_look_shows_one_activity_as_it_is_or_that_it_is_not_there() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        for day in 1..=5 {
            account.add(&ride(day, 30_000)).await;
        }
        let row = account.all().await.remove(2);
        let known = HashMap::from([(row.id.clone(), row.clone())]);
        let look = account.platform.look(&row, &known).await.unwrap();
        assert_eq!(look.map(|now| now.fingerprint), Some(row.fingerprint.clone()), "{subject:?}");
        if account.can().delete {
            account.platform.delete(&row).await.unwrap();
            assert_eq!(account.platform.look(&row, &known).await, Ok(None), "{subject:?}");
        }
        let unknown = Activity { id: RemoteId::new("404"), start: None, ..row };
        assert_eq!(account.platform.look(&unknown, &known).await, Ok(None), "{subject:?}");
    }
}

#[tokio::test]
async fn details_are_kept_as_far_as_the_platform_can() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        let id = account.add(&ride(1, 30_000)).await;
        let can = account.can().editable;
        let words = |text: &str, able: bool| able.then(|| text.to_owned());
        let wanted = Details {
            title: words("Round the lake", can.title),
            description: words("Windy", can.description),
            kind: None,
            private: can.privacy.then_some(true),
            ..Details::default()
        };
        account.platform.set_details(&id, &wanted).await.unwrap();
        let now = account.platform.details(&id).await.unwrap();
        if can.title {
            assert_eq!(now.title, wanted.title, "{subject:?}");
        }
        if can.description {
            assert_eq!(now.description, wanted.description, "{subject:?}");
        }
        if can.privacy {
            assert_eq!(now.private, Some(true), "{subject:?}");
        }
        let more = Details { private: Some(true), ..Details::default() };
        if !can.privacy {
            let refused = account.platform.set_details(&id, &more).await;
            assert_eq!(refused, Err(PlatformError::Unsupported), "{subject:?}");
        }
        let nobody = account.platform.details(&RemoteId::new("nobody")).await;
        assert_eq!(nobody, Err(PlatformError::NotFound), "{subject:?}");
    }
}

#[tokio::test]
async fn uploads_end_with_an_empty_plan_also_without_a_state() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        let here = Memory::new(Settings::new("a"));
        for day in 1..=3 {
            here.put_file(&ride(day, 30_000), Some("Ride"));
        }
        let mut world = World::new(Arc::new(here), Arc::clone(&account.platform));
        let outcome = world.apply().await;
        assert_eq!(outcome.phases(), [Phase::Confirmed; 3], "{subject:?}: {}", outcome.told());
        assert_eq!(world.left().await, Vec::<String>::new(), "{subject:?}");
        world.forget_state();
        assert_eq!(world.left().await, Vec::<String>::new(), "{subject:?}");
        assert_eq!(world.apply().await.phases(), [], "{subject:?}");
        assert_eq!(account.all().await.len(), 3, "{subject:?}");
    }
}

#[tokio::test]
async fn replaces_end_with_an_empty_plan_also_without_a_state() {
    for subject in SUBJECTS {
        let account = Account::open(subject).await;
        if !account.can().delete {
            continue;
        }
        let here = Memory::new(Settings::new("a"));
        for day in 1..=3 {
            here.put_file(&ride(day, 31_000), Some("Ride"));
            account.add(&ride(day, 30_000)).await;
        }
        let mut world = World::new(Arc::new(here), Arc::clone(&account.platform)).replacing();
        let outcome = world.apply().await;
        assert_eq!(outcome.phases(), [Phase::Confirmed; 3], "{subject:?}: {}", outcome.told());
        let told = world.phases();
        let first = |phase| told.iter().position(|told| *told == phase).unwrap();
        assert!(first(Phase::BackedUp) < first(Phase::Removed), "{subject:?}");
        let new_goes_first = first(Phase::Sent) < first(Phase::Removed);
        let protocol = account.can().replace;
        assert_eq!(new_goes_first, protocol == ReplaceProtocol::UploadThenDelete, "{subject:?}");
        assert_eq!(world.left().await, Vec::<String>::new(), "{subject:?}");
        world.forget_state();
        assert_eq!(world.left().await, Vec::<String>::new(), "{subject:?}");
        let rows = account.all().await;
        assert_eq!(rows.len(), 3, "{subject:?}");
        for row in &rows {
            assert_eq!(row.distance_m, Some(31_000), "{subject:?}");
        }
    }
}
