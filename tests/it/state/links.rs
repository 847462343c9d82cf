//! Links.

use fit_sync::domain::{Address, Link, LinkOrigin, LinkStatus, RemoteId, RuleName, Side};
use fit_sync::state::Store;

use super::{activity, archive, at, coros, folder, garmin};

const START: &str = "2026-11-19T06:12:33Z";

fn address(rule: &str) -> Address {
    Address::of_start(&RuleName::new(rule), at(START), 1)
}

fn link(source: &str, destination: Option<&str>) -> Link {
    Link {
        rule: RuleName::new("us-to-archive"),
        address: address("us-to-archive"),
        source: Side::of(&activity(source, Some(START))),
        destination: destination.map(|id| Side::of(&activity(id, None))),
        origin: LinkOrigin::Found,
        status: LinkStatus::Confirmed,
    }
}

#[test]
fn links_come_back_as_they_were_and_one_replaces_another() {
    let store = Store::open_in_memory().unwrap();
    let (from, to) = (garmin(&store), coros(&store));
    let mut pending = link("2", None);
    pending.origin = LinkOrigin::Placed;
    pending.status = LinkStatus::Pending { since: at("2026-11-20T01:02:03.5Z"), full_reads: 3 };
    let adopted = Link { origin: LinkOrigin::Adopted, ..link("1", Some("b")) };
    store.save_links(from, to, &[pending.clone(), link("1", Some("a"))]).unwrap();
    store.save_link(from, to, &adopted).unwrap();
    store.save_link(to, from, &link("1", Some("z"))).unwrap();
    assert_eq!(store.links(from, to).unwrap(), [adopted.clone(), pending.clone()]);
    assert_eq!(store.links_to(to).unwrap(), [adopted, pending]);
    assert_eq!(store.links(from, from).unwrap(), []);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn only_pending_links_count_readings() {
    let store = Store::open_in_memory().unwrap();
    let (from, to) = (garmin(&store), coros(&store));
    let since = at(START);
    let waiting =
        |full_reads| Link { status: LinkStatus::Pending { since, full_reads }, ..link("1", None) };
    store.save_links(from, to, &[waiting(0), link("2", Some("b"))]).unwrap();
    store.save_link(to, from, &waiting(0)).unwrap();
    assert_eq!(store.count_full_read(to).unwrap(), 1);
    assert_eq!(store.count_full_read(to).unwrap(), 1);
    assert_eq!(store.links(from, to).unwrap(), [waiting(2), link("2", Some("b"))]);
    assert_eq!(store.links(to, from).unwrap(), [waiting(0)]);
    store.save_link(from, to, &link("1", Some("a"))).unwrap();
    assert_eq!(store.count_full_read(to).unwrap(), 0);
}

#[test]
fn all_links_are_listed_by_address_with_the_last_names() {
    let store = Store::open_in_memory().unwrap();
    let (from, to) = (garmin(&store), coros(&store));
    let folder = archive(&store, &folder(None, "/mnt/a"));
    let early = Link { address: address("a-rule"), ..link("9", Some("9")) };
    store.save_link(from, to, &link("1", Some("a"))).unwrap();
    store.save_link(from, folder, &link("1", Some("a"))).unwrap();
    store.save_link(to, folder, &early).unwrap();
    let listed: Vec<String> = store
        .all_links()
        .unwrap()
        .iter()
        .map(|row| format!("{} {} {}", row.link.address, row.source, row.destination))
        .collect();
    assert_eq!(
        listed,
        [
            "a-rule/2026-11-19T06:12:33Z coros_cn archive",
            "us-to-archive/2026-11-19T06:12:33Z garmin_us archive",
            "us-to-archive/2026-11-19T06:12:33Z garmin_us coros_cn",
        ]
    );
}

#[test]
fn links_are_removed_by_either_side() {
    let store = Store::open_in_memory().unwrap();
    let (from, to) = (garmin(&store), coros(&store));
    let three = [link("1", Some("a")), link("2", Some("b")), link("3", None)];
    store.save_links(from, to, &three).unwrap();
    assert_eq!(store.remove_links_to(to, &RemoteId::new("b")).unwrap(), 1);
    assert_eq!(store.remove_links_to(from, &RemoteId::new("a")).unwrap(), 0);
    assert_eq!(store.remove_link(from, &RemoteId::new("3"), to).unwrap(), 1);
    assert_eq!(store.remove_link(from, &RemoteId::new("3"), to).unwrap(), 0);
    assert_eq!(store.links(from, to).unwrap(), [link("1", Some("a"))]);
}
