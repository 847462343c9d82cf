//! Accounts, their inventories and the facts of their files.

use fit_sync::domain::{
    AccountName, Content, Fingerprint, Inventory, Part, ProfileId, RemoteId, Session, Unusable,
};
use fit_sync::state::{Reading, StateError, Store};

use super::{activity, archive, at, coros, folder, garmin, profile};

fn content(serial: u32) -> Content {
    Content {
        parts: vec![Part {
            serial: Some(serial),
            sessions: vec![Session {
                start: Some(at("2026-11-19T06:12:33Z")),
                elapsed_ms: Some(u32::MAX),
                ..Session::default()
            }],
            ..Part::default()
        }],
    }
}

#[test]
fn an_account_keeps_its_row_under_another_name() {
    let store = Store::open_in_memory().unwrap();
    let row = garmin(&store);
    assert_ne!(row, coros(&store));
    let renamed = AccountName::new("watch");
    let again = store.account(&renamed, "garmin", Some("global"), &profile("g"));
    assert_eq!(again.unwrap(), row);

    let names: Vec<String> = store
        .accounts()
        .unwrap()
        .iter()
        .map(|account| account.name.to_string())
        .collect();
    assert_eq!(names, ["coros_cn", "watch"]);
    for name in ["watch", "garmin_us"] {
        let named = store
            .account_named(&AccountName::new(name))
            .unwrap()
            .unwrap();
        assert_eq!((named.row, named.name.as_str()), (row, name));
        assert_eq!(named.region.as_deref(), Some("global"));
        assert_eq!(named.profile, Some(ProfileId::new("g")));
    }
    assert_eq!(
        store.account_named(&AccountName::new("other")).unwrap(),
        None
    );
}

#[test]
fn a_name_stands_for_whom_it_was_given_last() {
    let store = Store::open_in_memory().unwrap();
    let name = AccountName::new("garmin_us");
    let first = garmin(&store);
    let second = store
        .account(&name, "garmin", Some("global"), &profile("somebody else"))
        .unwrap();
    assert_ne!(first, second);
    assert_eq!(store.account_named(&name).unwrap().unwrap().row, second);
    assert_eq!(garmin(&store), first);
    assert_eq!(store.account_named(&name).unwrap().unwrap().row, first);
}

#[test]
fn a_directory_that_gets_a_marker_keeps_what_was_known_of_it() {
    let store = Store::open_in_memory().unwrap();
    let row = archive(&store, &folder(None, "/mnt/a"));
    assert_eq!(store.known_marker("/mnt/a").unwrap(), None);
    assert_ne!(archive(&store, &folder(None, "/mnt/b")), row);

    assert_eq!(archive(&store, &folder(Some("m"), "/mnt/a")), row);
    assert_eq!(
        store.known_marker("/mnt/a").unwrap(),
        Some(ProfileId::new("m"))
    );
    // It is the marker now that counts, wherever it turns up.
    assert_eq!(archive(&store, &folder(Some("m"), "/media/a")), row);
    assert_eq!(store.known_marker("/mnt/a").unwrap(), None);
    assert_eq!(
        store.known_marker("/media/a").unwrap(),
        Some(ProfileId::new("m"))
    );
}

#[test]
fn a_marker_that_is_missing_is_not_forgotten() {
    let store = Store::open_in_memory().unwrap();
    let disk = archive(&store, &folder(Some("m"), "/mnt/a"));
    let hollow = archive(&store, &folder(None, "/mnt/a"));
    assert_ne!(disk, hollow);
    assert_eq!(
        store.known_marker("/mnt/a").unwrap(),
        Some(ProfileId::new("m"))
    );
    assert_eq!(archive(&store, &folder(Some("m"), "/mnt/a")), disk);

    let other_disk = archive(&store, &folder(Some("n"), "/mnt/a"));
    assert_ne!(other_disk, disk);
    assert_eq!(
        store.known_marker("/mnt/a").unwrap(),
        Some(ProfileId::new("n"))
    );
    assert_eq!(archive(&store, &folder(Some("m"), "/mnt/a")), disk);
}

#[test]
fn an_account_without_id_and_place_is_refused() {
    let store = Store::open_in_memory().unwrap();
    let mut nobody = profile("g");
    nobody.id = None;
    let refused = store.account(&AccountName::new("x"), "directory", None, &nobody);
    assert!(matches!(refused, Err(StateError::Unidentified(_))));
}

#[test]
fn an_inventory_comes_back_as_it_was() {
    let store = Store::open_in_memory().unwrap();
    let row = garmin(&store);
    assert_eq!(store.inventory(row).unwrap(), None);
    assert_eq!(store.inventory_meta(row).unwrap(), None);

    let now = at("2026-11-20T01:02:03.456789Z");
    let mut with_content = activity("3", Some("2026-11-19T06:12:33Z"));
    with_content.content = Some(content(7));
    let reason = Unusable::Unreadable {
        detail: "CRC".to_owned(),
    };
    let unusable = fit_sync::domain::Activity::unusable(
        RemoteId::new("broken"),
        Fingerprint::new("f"),
        reason,
    );
    let inventory = Inventory::new(
        vec![
            unusable,
            with_content,
            activity("20", Some("2026-11-19T06:12:33Z")),
        ],
        true,
        Some(now),
    );
    store
        .save_inventory(row, &inventory, Reading::Full, now)
        .unwrap();
    assert_eq!(store.inventory(row).unwrap(), Some(inventory));
    assert_eq!(store.inventory(coros(&store)).unwrap(), None);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn readings_are_told_apart() {
    let store = Store::open_in_memory().unwrap();
    let row = garmin(&store);
    let days = [
        "2026-11-20T00:00:00Z",
        "2026-11-21T00:00:00Z",
        "2026-11-22T00:00:00Z",
    ]
    .map(at);
    let mut all = vec![
        activity("1", Some("2026-11-18T06:00:00Z")),
        activity("2", Some("2026-11-19T06:00:00Z")),
    ];
    let save = |activities: &[_], complete, reading, at| {
        let inventory = Inventory::new(activities.to_vec(), complete, Some(at));
        store.save_inventory(row, &inventory, reading, at).unwrap();
        store.inventory_meta(row).unwrap().unwrap()
    };
    let first = save(&all, true, Reading::Full, days[0]);
    assert_eq!((first.generation, first.count), (1, 2));
    assert_eq!(
        (first.full_at, first.last_good_count),
        (Some(days[0]), Some(2))
    );

    let no_news = save(&all, true, Reading::Incremental, days[1]);
    assert_eq!((no_news.generation, no_news.refreshed_at), (1, days[1]));
    assert_eq!(no_news.full_at, Some(days[0]));

    all.remove(0);
    let partial = save(&all, false, Reading::Full, days[2]);
    assert_eq!(
        (partial.generation, partial.count, partial.complete),
        (2, 1, false)
    );
    assert_eq!(
        (partial.full_at, partial.last_good_count),
        (Some(days[0]), Some(2))
    );
    store.accept_count(row).unwrap();
    assert_eq!(store.inventory_meta(row).unwrap().unwrap(), partial);

    // A loss stays suspicious until it is accepted, also on the day after.
    let lost = save(&all, true, Reading::Full, days[2]);
    assert_eq!((lost.count, lost.last_good_count), (1, Some(2)));
    store.accept_count(row).unwrap();
    assert_eq!(
        store.inventory_meta(row).unwrap().unwrap().last_good_count,
        Some(1)
    );

    all[0].title = Some("another".to_owned());
    assert_eq!(save(&all, true, Reading::Full, days[2]).generation, 3);
    assert_eq!(store.inventory(row).unwrap().unwrap().activities, all);
}

#[test]
fn many_activities_are_saved_and_changed_in_place() {
    let store = Store::open_in_memory().unwrap();
    let row = garmin(&store);
    let now = at("2026-11-20T00:00:00Z");
    let start = at("2010-01-01T00:00:00Z");
    let activities: Vec<_> = (0..20_000)
        .map(|n| {
            let mut one = activity(&format!("{n}"), None);
            one.start = Some(start + jiff::SignedDuration::from_hours(n));
            one
        })
        .collect();
    let mut inventory = Inventory::new(activities, true, Some(now));
    store
        .save_inventory(row, &inventory, Reading::Full, now)
        .unwrap();
    assert_eq!(store.inventory(row).unwrap().as_ref(), Some(&inventory));

    inventory.activities.remove(4_000);
    inventory.activities[0].distance_m = None;
    store
        .save_inventory(row, &inventory, Reading::Incremental, now)
        .unwrap();
    assert_eq!(store.inventory(row).unwrap(), Some(inventory));
    assert_eq!(store.inventory_meta(row).unwrap().unwrap().count, 19_999);
}

#[test]
fn only_the_latest_facts_of_a_file_are_kept() {
    let store = Store::open_in_memory().unwrap();
    let row = garmin(&store);
    let id = RemoteId::new("1730");
    let (old, new) = (Fingerprint::new("old"), Fingerprint::new("new"));
    store.save_content(row, &id, &old, &content(1)).unwrap();
    store.save_content(row, &id, &new, &content(2)).unwrap();
    let contents = store.contents(row).unwrap();
    assert_eq!(contents.len(), 1);
    assert_eq!(contents.get(&(id, new)), Some(&content(2)));
    assert!(store.contents(coros(&store)).unwrap().is_empty());
}
