//! Imports: what is sent where, what is believed, and what is never sent twice.

use crate::support::memory::{Memory, Settings};
use fit_sync::domain::{Activity, Key, RemoteId, Sha256};
use fit_sync::event::Phase;
use fit_sync::platform::{FitFile, PlatformError, UploadStatus, Uploaded, Urgency};

use std::sync::Arc;
use std::time::Duration;

use fit_sync::state::{Access, Store};

use crate::support::fake_coros::{Place, Switches, Trouble};
use crate::support::world::World;

use super::stage::{Account, ride};

fn file(bytes: &[u8], local_offset_s: Option<i32>) -> FitFile {
    let content = fit_sync::fit::read(bytes).unwrap();
    let (key, _): (Key, _) = content.key().unwrap();
    FitFile {
        urgency: Urgency::Normal,
        sha256: Sha256::of(bytes),
        key,
        kind: content.kind(),
        title: None,
        local_offset_s,
        bytes: bytes.to_vec(),
    }
}

#[tokio::test]
async fn an_import_takes_four_steps_and_its_own_zone() {
    for region in ["cn", "us", "eu"] {
        let mut switches = Switches::of(region);
        switches.marker_first = region == "eu";
        let account = Account::open(switches).await;
        let answer = account.platform.upload(&file(&ride(1).build(), Some(20_700))).await.unwrap();
        let Uploaded::Processing(ticket) = answer else { panic!("{answer:?}") };
        let seen = account.fake.take_seen();
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[0], "GET /api/proxy/oss/sts");
        assert!(seen[1].starts_with("PUT /") && seen[1].ends_with(".zip"), "{seen:?}");
        assert_eq!(seen[2], "POST /activity/fit/import");
        let parameter = account.fake.world().imports[0].parameter.clone();
        assert_eq!((&parameter["timezone"], &parameter["source"]), (&23.into(), &1.into()));
        assert_eq!(parameter["oriFileName"], "2026-05-01_061000.fit");
        let status = account.platform.upload_status(&ticket).await;
        assert_eq!(status, Ok(UploadStatus::Processing), "whatever the registration said");
        assert_eq!(account.platform.upload_status(&ticket).await, Ok(UploadStatus::Finished));
        assert_eq!(account.all().await[0].local_offset_s, Some(20_700));
    }
}

#[tokio::test]
async fn the_same_file_is_the_same_object() {
    let account = Account::open(Switches::of("cn")).await;
    for _ in 0..2 {
        account.platform.upload(&file(&ride(1).build(), None)).await.unwrap();
    }
    assert_eq!(account.fake.world().objects.len(), 1);
}

#[tokio::test]
async fn before_the_registration_nothing_was_sent_and_after_it_nobody_knows() {
    use Place::{Import, Put, Sts};
    let lost = "unconfirmed";
    let refusal = Trouble::Result("1031", "Parameter input error");
    let cases = [
        (Sts, Trouble::Status(502), "transient"),
        (Sts, Trouble::Status(404), "other"),
        (Sts, Trouble::Status(200), "other"),
        (Put, Trouble::Status(503), "transient"),
        (Put, Trouble::Status(403), "other"),
        (Put, Trouble::Lost, "transient"),
        (Import, Trouble::Status(502), lost),
        (Import, Trouble::Status(200), lost),
        (Import, Trouble::Lost, lost),
        (Import, refusal, "other"),
    ];
    for (number, (place, trouble, wanted)) in cases.into_iter().enumerate() {
        let account = Account::open(Switches::of("cn")).await;
        account.fake.fails(place, trouble);
        let error = account.platform.upload(&file(&ride(1).build(), None)).await.unwrap_err();
        let found = match &error {
            PlatformError::Transient(_) | PlatformError::Unavailable(_) => "transient",
            PlatformError::Unconfirmed(_) => lost,
            _ => "other",
        };
        assert_eq!(found, wanted, "{number}: {error}");
        assert!(account.fake.count("/activity/fit/import") <= 1, "{number}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_although_its_registration_boasted() {
    let account = Account::open(Switches::of("cn")).await;
    let mut broken = file(&ride(1).build(), None);
    broken.bytes = vec![7; 200];
    let Ok(Uploaded::Processing(ticket)) = account.platform.upload(&broken).await else {
        panic!("it is only looked at later")
    };
    assert_eq!(account.platform.upload_status(&ticket).await, Ok(UploadStatus::Processing));
    let refused = account.platform.upload_status(&ticket).await;
    assert!(matches!(refused, Err(PlatformError::Rejected { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_token_that_ends_between_the_steps_costs_one_login_and_no_second_import() {
    let account = Account::open(Switches::of("cn")).await;
    let home = Memory::new(Settings::new("a"));
    home.put_file(&ride(1).build(), Some("Ride"));
    let world = World::new(Arc::new(home), Arc::clone(&account.platform));
    account.fake.fails_for(1, Place::Import, Trouble::Lost);
    let outcome = world.apply().await;
    assert_eq!(outcome.phases(), [Phase::Confirmed], "{}", outcome.told());
    assert_eq!(account.fake.count("/activity/fit/import"), 1, "looked up, not sent again");
    assert_eq!(world.left().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_import_that_shows_late_is_waited_for_and_not_sent_again() {
    let mut switches = Switches::of("us");
    switches.shows_after = 3;
    let account = Account::open(switches).await;
    let here = Memory::new(Settings::new("a"));
    here.put_file(&ride(1).build(), Some("Ride"));
    let world = World::new(Arc::new(here), Arc::clone(&account.platform));
    for _ in 0..4 {
        world.apply().await;
    }
    assert_eq!(account.fake.count("/activity/fit/import"), 1);
    assert_eq!(account.fake.world().activities.len(), 1);
    assert_eq!(world.left().await, Vec::<String>::new());
}

#[tokio::test]
async fn an_import_that_a_lost_state_has_sent_and_that_shows_late_is_not_sent_again() {
    let mut switches = Switches::of("us");
    switches.shows_after = 100;
    let account = Account::open(switches).await;
    let here = Memory::new(Settings::new("a"));
    here.put_file(&ride(1).build(), Some("Ride"));
    for _ in 0..2 {
        let world = World::new(Arc::new(here.clone()), account.reopened());
        let outcome = world.apply().await;
        assert_eq!(outcome.phases(), [Phase::Pending], "{}", outcome.told());
    }
    assert_eq!(account.fake.count("/activity/fit/import"), 1);
}

/// What nobody answered for is looked up among the imports, however late the list shows it.
#[tokio::test]
async fn an_import_whose_answer_is_lost_and_that_shows_late_is_not_sent_again() {
    for (trouble, imports) in [(Trouble::Lost, 1), (Trouble::Reset, 2)] {
        let mut switches = Switches::of("us");
        switches.shows_after = 100;
        let account = Account::open(switches).await;
        let here = Memory::new(Settings::new("a"));
        here.put_file(&ride(3).build(), Some("Known"));
        here.put_file(&ride(1).build(), Some("Ride"));
        let world = World::new(Arc::new(here), Arc::clone(&account.platform));
        account.fake.fails_for(1, Place::Import, trouble);
        for _ in 0..3 {
            world.apply().await;
            world.pass(Duration::from_secs(3600));
        }
        let others = account.fake.count("/activity/fit/import") - 1;
        assert_eq!(others, imports, "{trouble:?}");
        assert_eq!(account.fake.world().activities.len(), 2, "{trouble:?}");
    }
}

/// A copy of the state that was put back knows less than the account.
#[tokio::test]
async fn an_older_copy_of_a_state_sends_nothing_again_that_shows_late() {
    let mut switches = Switches::of("us");
    switches.shows_after = 100;
    let account = Account::open(switches).await;
    let here = Memory::new(Settings::new("a"));
    here.put_file(&ride(3).build(), Some("Known"));
    let mut world = World::new(Arc::new(here.clone()), Arc::clone(&account.platform));
    let folder = tempfile::tempdir().unwrap();
    let [state, copy] = ["state.db", "copy.db"].map(|name| folder.path().join(name));
    world.session.store = Store::open(&state, Access::ReadWrite).unwrap();
    world.apply().await;
    std::fs::copy(&state, &copy).unwrap();
    here.put_file(&ride(1).build(), Some("Ride"));
    world.apply().await;
    world.session.store = Store::open(&copy, Access::ReadWrite).unwrap();
    let mut again = World::new(Arc::new(here), account.reopened());
    again.session.places = world.session.places.clone();
    again.session.store = Store::open(&copy, Access::ReadWrite).unwrap();
    let outcome = again.apply().await;
    assert_eq!(account.fake.count("/activity/fit/import"), 2, "{}", outcome.told());
}

#[tokio::test]
async fn imports_that_are_long_over_say_nothing_about_a_new_one() {
    let account = Account::open(Switches::of("us")).await;
    let file = file(&ride(1).build(), None);
    account.platform.upload(&file).await.unwrap();
    assert_eq!(account.platform.has_taken(&file, None).await, Ok(true));
    let other = self::file(&ride(2).build(), None);
    assert_eq!(account.platform.has_taken(&other, None).await, Ok(false), "asked once for all");
    assert_eq!(account.fake.count("/activity/fit/getImportSportList"), 1);
    account.fake.world().imports[0].parameter["createTime"] = 1_700_000_000.into();
    assert_eq!(account.reopened().has_taken(&file, None).await, Ok(false));
}

#[tokio::test]
async fn a_removal_is_answered_well_whether_or_not_it_was_there() {
    let account = Account::open(Switches::of("cn")).await;
    account.fake.world().store(&ride(1).build(), "Ride", 32);
    let row = account.all().await.remove(0);
    account.platform.delete(&row).await.unwrap();
    account.platform.delete(&row).await.unwrap();
    assert!(account.all().await.is_empty());
    account.fake.take_seen();
    let nobody = account.platform.delete(&Activity { id: RemoteId::new("../x"), ..row }).await;
    assert_eq!(nobody, Err(PlatformError::NotFound));
    assert!(account.fake.take_seen().is_empty());
    account.fake.world().store(&ride(2).build(), "Ride", 32);
    let row = account.all().await.remove(0);
    account.fake.fails(Place::Delete, Trouble::Reset);
    let lost = account.platform.delete(&row).await;
    assert!(matches!(lost, Err(PlatformError::Unconfirmed(_))), "it is listed yet: {lost:?}");
    account.fake.fails(Place::Delete, Trouble::Lost);
    account.platform.delete(&row).await.unwrap();
    assert!(account.all().await.is_empty(), "the list tells what the answer did not");
}
