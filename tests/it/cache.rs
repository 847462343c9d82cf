//! The FIT cache: what it gives out is what was put in, and nobody fetches a file twice.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use crate::support::memory::{Happening, Memory, Operation, Settings};
use fit_sync::archive::{Cache, Item};
use fit_sync::domain::{
    AccountName, Activity, ActivityType, Fingerprint, Profile, ProfileId, RemoteId, ReplaceProtocol,
};
use fit_sync::event::Phase;
use jiff::Timestamp;

use crate::support::fit::FitFile;
use crate::support::world::{World, settings};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn activity(id: &str, title: &str) -> Activity {
    let mut row = Activity::unusable(
        RemoteId::new(id),
        Fingerprint::new(format!("{id}-1")),
        fit_sync::domain::Unusable::NoOriginal,
    );
    row.unusable = None;
    row.start = Some(at("2026-11-19T06:12:33Z"));
    row.kind = ActivityType::opaque("trail_running");
    row.title = Some(title.to_owned());
    row
}

struct Owner {
    name: AccountName,
    profile: Profile,
}

impl Owner {
    fn new(name: &str) -> Self {
        let profile = Some(ProfileId::of_account("memory", "", name));
        Self { name: AccountName::new(name), profile: Profile { id: profile, location: None } }
    }

    fn item<'a>(&'a self, activity: &'a Activity) -> Item<'a> {
        Item { account: &self.name, profile: &self.profile, activity }
    }
}

/// The paths of everything in a folder, in order.
fn paths(folder: &Path) -> Vec<String> {
    let mut paths: Vec<String> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(folder).unwrap().display().to_string())
        .collect();
    paths.sort();
    paths
}

#[test]
fn a_file_is_kept_privately_under_a_name_that_people_understand() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, me) = (Cache::new(folder.path().join("cache")), Owner::new("watch"));
    let ride = activity("17", "越野 Ridge");
    let path = cache.put(me.item(&ride), b"bytes", at("2026-11-20T00:00:00Z")).unwrap();
    let fit = folder.path().join("cache/fit");
    let name = "watch/trail_running/2026/2026-11-19_061233_trail_running_越野-Ridge.fit";
    assert_eq!(path, fit.join(name));
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.modified().unwrap(), std::time::SystemTime::from(ride.start.unwrap()));
    for entry in walkdir::WalkDir::new(folder.path().join("cache")) {
        let entry = entry.unwrap();
        let wanted = if entry.file_type().is_dir() { 0o700 } else { 0o600 };
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, wanted, "{}", entry.path().display());
    }
    let cached = cache.get(me.item(&ride)).unwrap();
    assert_eq!((cached.path, cached.bytes), (path, b"bytes".to_vec()));
}

#[test]
fn only_the_listed_activity_of_the_very_account_is_given_out() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, me) = (Cache::new(folder.path()), Owner::new("watch"));
    let ride = activity("17", "Ridge");
    cache.put(me.item(&ride), b"old", Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(cache.get(Owner::new("other").item(&ride)), None);
    assert_eq!(cache.get(me.item(&activity("18", "Ridge"))), None);
    let mut edited = ride.clone();
    edited.fingerprint = Fingerprint::new("17-2");
    edited.title = Some("Summit".to_owned());
    assert_eq!(cache.get(me.item(&edited)), None);
    let path = cache.put(me.item(&edited), b"new", Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(fs::read(path).unwrap(), b"new");
    assert_eq!(cache.get(me.item(&ride)), None);
    let files = paths(&folder.path().join("fit"));
    assert_eq!(files, ["watch/trail_running/2026/2026-11-19_061233_trail_running_Summit.fit"]);
    // A renamed activity is the same one.
    edited.title = Some("Other".to_owned());
    assert!(cache.get(me.item(&edited)).is_some());
}

#[test]
fn two_of_one_name_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, me) = (Cache::new(folder.path()), Owner::new("watch"));
    let (a, b) = (activity("1", "Ride"), activity("2", "Ride"));
    cache.put(me.item(&a), b"a", Timestamp::UNIX_EPOCH).unwrap();
    let path = cache.put(me.item(&b), b"b", Timestamp::UNIX_EPOCH).unwrap();
    assert!(path.ends_with("2026-11-19_061233_trail_running_Ride-2.fit"));
    assert_eq!(cache.get(me.item(&a)).unwrap().bytes, b"a");
    assert_eq!(cache.get(me.item(&b)).unwrap().bytes, b"b");
}

#[test]
fn a_damaged_file_and_a_lost_or_hostile_index_cost_a_fetch_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, me) = (Cache::new(folder.path().join("c")), Owner::new("watch"));
    let ride = activity("17", "Ridge");
    let put = || cache.put(me.item(&ride), b"bytes", Timestamp::UNIX_EPOCH).unwrap();
    let path = put();
    fs::write(&path, b"bytez").unwrap();
    assert_eq!(cache.get(me.item(&ride)), None);
    assert!(!path.exists());
    assert_eq!(put(), path);

    let index = folder.path().join("c/index");
    fs::remove_dir_all(&index).unwrap();
    assert_eq!(cache.get(me.item(&ride)), None);
    assert_eq!(put(), path, "the file of that name holds the same and is taken over");

    let entry = index.join(&paths(&index)[0]);
    fs::write(&entry, "{ half").unwrap();
    assert_eq!(cache.get(me.item(&ride)), None);
    assert_eq!(put(), path);
    let outside = folder.path().join("precious.fit");
    fs::write(&outside, b"bytes").unwrap();
    let text = fs::read_to_string(&entry).unwrap();
    let inside = path.strip_prefix(folder.path().join("c/fit")).unwrap().display().to_string();
    let hostile = text.replace(&inside, "../../precious.fit");
    assert_ne!(hostile, text);
    fs::write(&entry, hostile).unwrap();
    assert_eq!(cache.get(me.item(&ride)), None);
    cache.clear(|_| true, |_| false);
    assert_eq!(fs::read(&outside).unwrap(), b"bytes");
}

#[test]
fn what_is_old_goes_unless_it_is_needed_and_what_is_not_ours_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, me) = (Cache::new(folder.path()), Owner::new("watch"));
    let (old, needed, young) = (activity("1", "Old"), activity("2", "Due"), activity("3", "Young"));
    cache.put(me.item(&old), b"old!", at("2026-11-01T00:00:00Z")).unwrap();
    cache.put(me.item(&needed), b"due", at("2026-11-01T00:00:00Z")).unwrap();
    cache.put(me.item(&young), b"young", at("2026-11-09T00:00:00Z")).unwrap();
    fs::create_dir_all(folder.path().join("fit/mine")).unwrap();
    fs::write(folder.path().join("fit/mine/own.fit"), b"own").unwrap();
    let swept = cache.prune(at("2026-11-08T00:00:00Z"), |entry| entry.id.as_str() == "2");
    assert_eq!((swept.files, swept.bytes, swept.kept), (1, 4, 1));
    assert!(cache.get(me.item(&old)).is_none());
    assert!(cache.get(me.item(&needed)).is_some() && cache.get(me.item(&young)).is_some());
    let swept = cache.clear(|_| true, |_| false);
    assert_eq!((swept.files, swept.kept), (2, 0));
    assert_eq!(paths(folder.path()), ["fit/mine/own.fit"]);
}

fn downloads(account: &Memory) -> usize {
    let asked = |happening: &Happening| happening.operation == Some(Operation::Download);
    account.history().iter().filter(|moment| asked(&moment.happening)).count()
}

fn recording(start: &str) -> FitFile {
    FitFile::new(start.parse().unwrap()).records(20)
}

#[tokio::test]
async fn plan_and_apply_fetch_a_file_once_between_them() {
    let protocol = ReplaceProtocol::DeleteThenUpload;
    let here = Memory::new(settings("here", protocol));
    let there = Memory::new(settings("there", protocol));
    let world = World::memory(&here, &there).replacing();
    here.put_file(&recording("2026-11-01T06:00:00Z").distance_m(9_000).build(), Some("Mine"));
    let old = recording("2026-11-01T06:00:00Z").build();
    let replaced = there.put_file(&old, None);
    let outcome = world.apply().await;
    assert_eq!(outcome.phases(), [Phase::Confirmed], "{}", outcome.told());
    assert_eq!(downloads(&here), 1);
    // Compared, backed up anew just before it goes, and the new one verified.
    assert_eq!(downloads(&there), 3);
    assert_eq!(there.bytes(&replaced).unwrap(), old);
}

#[tokio::test]
async fn the_cache_is_emptied_after_its_days_and_works_on_when_it_cannot_be_written() {
    let here = Memory::new(Settings::new("here"));
    let there = Memory::new(Settings::new("there"));
    let world = World::memory(&here, &there);
    here.put_file(&recording("2026-11-01T06:00:00Z").build(), None);
    world.apply().await;
    let cache = world.session.places.cache.clone();
    assert_eq!(paths(&cache.join("fit")).len(), 1);
    world.pass(7 * DAY - Duration::from_secs(60));
    world.plan().await;
    assert_eq!(paths(&cache.join("fit")).len(), 1);
    world.pass(DAY);
    world.plan().await;
    assert_eq!(paths(&cache), Vec::<String>::new());

    fs::remove_dir_all(&cache).unwrap();
    fs::write(&cache, "no folder").unwrap();
    here.put_file(&recording("2026-11-02T06:00:00Z").build(), None);
    let outcome = world.apply().await;
    assert_eq!(outcome.phases(), [Phase::Confirmed], "{}", outcome.told());
}
