//! Listing and fetching from accounts that are asked over a wire: how often, and what then goes
//! wrong.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::support::memory::{DownloadFault, Fault, Memory, Operation, Settings, UploadFault};
use fit_sync::domain::{AccountName, Activity, RemoteId};
use fit_sync::engine::{
    self, Clearing, Downloaded, Freshness, Keep, Kind, Listing, Origin, Unfetched,
};
use fit_sync::event::Phase;
use fit_sync::manifest::Filter;
use fit_sync::plan::BlockedReason;
use fit_sync::platform::PlatformError;
use jiff::civil::Date;

use crate::support::fit::FitFile;
use crate::support::world::World;

const MINUTE: Duration = Duration::from_secs(60);

fn recording(day: u8) -> FitFile {
    FitFile::new(format!("2099-11-{day:02}T06:00:00Z").parse().unwrap()).records(20)
}

/// An account of three recordings, and one that is to hold them too.
fn world() -> (World, Memory, Memory) {
    let (here, there) = (Memory::new(Settings::new("here")), Memory::new(Settings::new("there")));
    for day in 1..=3 {
        here.put_file(&recording(day).build(), Some(&format!("Ride {day}")));
    }
    (World::memory(&here, &there), here, there)
}

fn asked(account: &Memory, what: Operation) -> usize {
    let history = account.history();
    history.iter().filter(|moment| moment.happening.operation == Some(what)).count()
}

async fn listing(world: &World, freshness: Freshness) -> Option<Listing> {
    let account = &world.session.manifest.accounts[&AccountName::new("here")];
    engine::listing(&world.session, account, freshness).await.unwrap().ok()
}

/// What became of each, the newest first: `new`, `there`, or why not.
async fn fetch(world: &World, listing: &Listing) -> Vec<String> {
    let account = &world.session.manifest.accounts[&AccountName::new("here")];
    let wanted = listing.newest(&Filter::default(), Date::ZERO);
    let mut results = Vec::new();
    let take = |_: &Activity, result: Result<Downloaded, Unfetched>| {
        results.push(match result {
            Ok(Downloaded { path: None, .. }) => "nowhere".to_owned(),
            Ok(Downloaded { origin: Origin::Account, .. }) => "new".to_owned(),
            Ok(Downloaded { origin: Origin::Cache, .. }) => "there".to_owned(),
            Err(Unfetched::Closed(reason, _)) => format!("closed: {reason:?}"),
            Err(other) => other.to_string(),
        });
    };
    engine::download(&world.session, account, listing, &wanted, Keep::Always, take).await.unwrap();
    results
}

#[tokio::test]
async fn an_account_is_listed_again_after_fifteen_minutes_or_when_told_to() {
    let (world, here, _) = world();
    assert!(listing(&world, Freshness::Offline).await.is_none());
    assert_eq!(asked(&here, Operation::List), 0);
    for (passed, freshness, lists) in [
        (0, Freshness::Young, 1),
        (14, Freshness::Young, 1),
        (0, Freshness::Now, 2),
        (16, Freshness::Young, 3),
    ] {
        world.pass(passed * MINUTE);
        let listing = listing(&world, freshness).await.unwrap();
        assert_eq!(listing.inventory.activities.len(), 3);
        assert_eq!(asked(&here, Operation::List), lists, "{passed} minutes, {freshness:?}");
    }
}

#[tokio::test]
async fn a_file_is_fetched_once_for_download_plan_and_apply() {
    let (world, here, _) = world();
    let listing = listing(&world, Freshness::Young).await.unwrap();
    assert_eq!(fetch(&world, &listing).await, ["new"; 3]);
    assert_eq!(fetch(&world, &listing).await, ["there"; 3]);
    let outcome = world.apply().await;
    assert_eq!(outcome.phases(), [Phase::Confirmed; 3], "{}", outcome.told());
    assert_eq!(asked(&here, Operation::Download), 3);
}

#[tokio::test]
async fn a_broken_or_strange_download_is_asked_for_once_more() {
    for (fault, times, becomes) in [
        (Fault::Download(DownloadFault::Truncated), 1, "new"),
        (Fault::Download(DownloadFault::Truncated), 2, "its file cannot be used: "),
        (Fault::Download(DownloadFault::OtherBytes(b"<html>".to_vec())), 1, "new"),
        (Fault::Download(DownloadFault::OtherBytes(recording(9).build())), 1, "new"),
        (Fault::Fails(Operation::Download, PlatformError::NotFound), 1, "the account has no file"),
    ] {
        let (world, here, _) = world();
        let listing = listing(&world, Freshness::Young).await.unwrap();
        for _ in 0..times {
            here.script(fault.clone());
        }
        let results = fetch(&world, &listing).await;
        assert!(results[0].starts_with(becomes), "{fault:?}: {results:?}");
        assert_eq!(results[1..], ["new", "new"], "{fault:?}");
        let newest = listing.newest(&Filter::default(), Date::ZERO)[0].id.clone();
        let kept = world.session.places.cache.join("fit/here/cycling/2099");
        let kept = kept.join("2099-11-03_060000_cycling_Ride-3.fit");
        let right = here.bytes(&newest).unwrap();
        assert_eq!(kept.exists(), becomes == "new");
        assert!(!kept.exists() || std::fs::read(kept).unwrap() == right, "{fault:?}");
    }
}

#[tokio::test]
async fn an_edited_listing_is_believed_when_two_downloads_agree() {
    let here = Memory::new(Settings::new("here"));
    let bytes = recording(1).build();
    let id = here.put_file(&bytes, None);
    let mut row = {
        let world = World::memory(&here, &Memory::new(Settings::new("there")));
        listing(&world, Freshness::Now).await.unwrap().inventory.activities[0].clone()
    };
    here.take(&id).unwrap();
    row.id = RemoteId::new("edited");
    row.start = Some("2099-12-24T06:00:00Z".parse().unwrap());
    here.put_row(row, Some(bytes));
    let world = World::memory(&here, &Memory::new(Settings::new("there")));
    let listing = listing(&world, Freshness::Young).await.unwrap();
    assert_eq!(fetch(&world, &listing).await, ["new"]);
    assert_eq!(asked(&here, Operation::Download), 2);
}

#[tokio::test]
async fn an_account_that_says_wait_is_waited_for_and_then_left_alone() {
    let (world, here, _) = world();
    let listing = listing(&world, Freshness::Young).await.unwrap();
    let limited = |seconds: Option<u64>| {
        let retry_after = seconds.map(Duration::from_secs);
        Fault::Fails(Operation::Download, PlatformError::RateLimited { retry_after })
    };
    here.script(limited(Some(7)));
    here.script(limited(None));
    assert_eq!(fetch(&world, &listing).await, ["new"; 3]);
    assert_eq!(world.clock.sleeps(), [7, 60].map(Duration::from_secs));
    world.empty_cache();
    for _ in 0..3 {
        here.script(limited(Some(1)));
    }
    let results = fetch(&world, &listing).await;
    assert_eq!(results, ["closed: Unavailable", "not tried", "not tried"]);
    let slept = world.clock.sleeps().len();
    for too_long in [901, u64::MAX] {
        world.empty_cache();
        here.script(limited(Some(too_long)));
        let results = fetch(&world, &listing).await;
        assert_eq!(results, ["closed: Unavailable", "not tried", "not tried"]);
    }
    assert_eq!(world.clock.sleeps().len(), slept, "none of it is slept");
}

#[tokio::test]
async fn a_lost_session_ends_the_queue_and_a_wish_to_stop_too() {
    let (world, here, _) = world();
    let listing = listing(&world, Freshness::Young).await.unwrap();
    here.script(Fault::Passes(Operation::Download));
    here.script(Fault::EndsSession(Operation::Download));
    let results = fetch(&world, &listing).await;
    assert_eq!(results, ["new", "closed: LoginNeeded", "not tried"]);
    here.log_in();
    world.session.stop.request();
    assert_eq!(fetch(&world, &listing).await, ["there", "not tried", "not tried"]);
}

#[tokio::test]
async fn an_account_without_a_session_is_told_and_its_cached_files_are_there() {
    let (world, here, _) = world();
    let young = listing(&world, Freshness::Young).await.unwrap();
    assert_eq!(fetch(&world, &young).await, ["new"; 3]);
    here.script(Fault::EndsSession(Operation::WhoAmI));
    world.pass(20 * MINUTE);
    let account = &world.session.manifest.accounts[&AccountName::new("here")];
    let lost = engine::listing(&world.session, account, Freshness::Young).await.unwrap();
    assert_eq!(lost.err().map(|unlisted| unlisted.reason), Some(BlockedReason::LoginNeeded));
    assert_eq!(fetch(&world, &young).await, ["there"; 3]);
}

#[tokio::test]
async fn what_an_unfinished_apply_needs_is_neither_pruned_nor_cleared() {
    let (world, here, there) = world();
    there.script(Fault::Upload(UploadFault::Dropped));
    let outcome = world.apply().await;
    let mut phases = outcome.phases();
    phases.sort();
    assert_eq!(phases, [Phase::Confirmed, Phase::Confirmed, Phase::Pending], "{}", outcome.told());
    world.pass(30 * 24 * 60 * MINUTE);
    world.plan().await;
    let clearing = Clearing {
        kinds: BTreeSet::from([Kind::Listings, Kind::Files, Kind::Sessions]),
        account: None,
        cache: world.session.places.cache.clone(),
        sessions: PathBuf::from("/nowhere/sessions"),
    };
    let cleared = engine::clear(&world.session.store, &clearing).unwrap();
    assert_eq!((cleared.files.files, cleared.files.kept), (0, 1), "two were pruned, one is needed");
    assert_eq!(asked(&here, Operation::Download), 3);
    assert_eq!(cleared.listings, 2);
}
