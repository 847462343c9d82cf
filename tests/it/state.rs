//! The state as its users see it: what goes in comes out again, whatever happens in between.
#![cfg(test)]

mod file;
mod inventory;
mod journal;
mod links;
mod refusals;

use fit_sync::domain::{
    AccountName, Activity, ActivityType, Fingerprint, Profile, ProfileId, RemoteId,
};
use fit_sync::state::{AccountRow, Store};
use jiff::Timestamp;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn profile(id: &str) -> Profile {
    Profile { id: Some(ProfileId::new(id)), location: None }
}

fn folder(marker: Option<&str>, location: &str) -> Profile {
    Profile { id: marker.map(ProfileId::new), location: Some(location.to_owned()) }
}

fn garmin(store: &Store) -> AccountRow {
    let name = AccountName::new("garmin_us");
    store.account(&name, "garmin", Some("global"), &profile("g")).unwrap()
}

fn coros(store: &Store) -> AccountRow {
    let name = AccountName::new("coros_cn");
    store.account(&name, "coros", Some("cn"), &profile("c")).unwrap()
}

fn archive(store: &Store, profile: &Profile) -> AccountRow {
    let name = AccountName::new("archive");
    store.account(&name, "directory", None, profile).unwrap()
}

fn activity(id: &str, start: Option<&str>) -> Activity {
    let start = start.map(at);
    Activity {
        id: RemoteId::new(id),
        fingerprint: Fingerprint::of_listing(start, Some(3067), Some(10_060), "running"),
        start,
        weak_start: false,
        elapsed_s: Some(3067),
        timer_s: Some(3000),
        local_offset_s: Some(-25_200),
        kind: ActivityType::other(),
        title: Some("Morning \"Run\" 越野\u{202e}\u{0}".to_owned()),
        distance_m: Some(10_060),
        device: Some("fenix 8".to_owned()),
        sha256: None,
        content: None,
        unusable: None,
        private: Some(true),
        hint: Some("ANT+".to_owned()),
    }
}
