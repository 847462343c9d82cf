//! Refusals: the same answer counts its days, another one begins again, a link ends them.

use fit_sync::domain::{
    Address, Fingerprint, Link, LinkOrigin, LinkStatus, Refusal, RefusalReason, RemoteId, RuleName,
    Side,
};
use fit_sync::state::{Forgotten, Store};
use jiff::Timestamp;

use super::{activity, at, coros, garmin};

const MONDAY: &str = "2026-11-16T06:00:00Z";
const TUESDAY: &str = "2026-11-17T06:00:00Z";

fn address(name: &str) -> Address {
    Address::of_id(&RuleName::new("us-to-cn"), &RemoteId::new(name))
}

fn found(id: &str, reason: RefusalReason, day: &str) -> Refusal {
    let (id, fingerprint) = (RemoteId::new(id), Fingerprint::new("f"));
    Refusal::found(id, fingerprint, reason, "code 5004", at(day))
}

#[test]
fn the_same_answer_counts_its_days_and_another_one_begins_again() {
    let store = Store::open_in_memory().unwrap();
    let (from, to) = (garmin(&store), coros(&store));
    let note = |found: Refusal| store.note_refusal(from, to, &address("1"), found).unwrap();
    let reasons = [
        RefusalReason::NoOriginal,
        RefusalReason::Unreadable,
        RefusalReason::RejectedByDestination,
        RefusalReason::TooLarge,
        RefusalReason::DuplicateAtDestination,
    ];
    for reason in reasons {
        let named = |day: &str| Refusal {
            candidate: Some(RemoteId::new("4711")),
            ..found("1", reason, day)
        };
        let first = named(MONDAY);
        assert_eq!(note(first.clone()), first, "another reason begins again");
        let second = note(named(TUESDAY));
        assert_eq!((second.looks, second.first_seen), (2, at(MONDAY)));
        assert_eq!(store.refusals(from, to).unwrap(), [second]);
    }
    let edited = Refusal {
        fingerprint: Fingerprint::new("g"),
        ..found("1", RefusalReason::DuplicateAtDestination, TUESDAY)
    };
    assert_eq!(note(edited.clone()), edited);
    assert_eq!(store.refusals(from, to).unwrap(), [edited]);
    assert_eq!(store.refusals(to, from).unwrap(), []);
}

#[test]
fn a_refusal_is_forgotten_by_its_address_by_a_link_or_by_name() {
    let store = Store::open_in_memory().unwrap();
    let (from, to) = (garmin(&store), coros(&store));
    for id in ["1", "2", "3"] {
        let found = found(id, RefusalReason::TooLarge, MONDAY).without_looks();
        store.note_refusal(from, to, &address(id), found).unwrap();
    }
    let listed = store.all_refusals().unwrap();
    let ids: Vec<&str> = listed.iter().map(|stored| stored.refusal.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3"]);
    assert_eq!(
        (listed[0].source.as_str(), listed[0].destination.as_str()),
        ("garmin_us", "coros_cn")
    );

    let one = Forgotten { refusals: 1, ..Forgotten::default() };
    assert_eq!(store.forget(&address("1"), Timestamp::UNIX_EPOCH).unwrap(), one);
    let none = Forgotten::default();
    assert_eq!(store.forget(&address("1"), Timestamp::UNIX_EPOCH).unwrap(), none);
    let link = Link {
        rule: RuleName::new("us-to-cn"),
        address: address("2"),
        source: Side::of(&activity("2", Some(MONDAY))),
        destination: Some(Side::of(&activity("b", Some(MONDAY)))),
        origin: LinkOrigin::Found,
        status: LinkStatus::Confirmed,
    };
    store.save_link(from, to, &link).unwrap();
    assert_eq!(store.remove_refusal(from, &RemoteId::new("3"), to).unwrap(), 1);
    assert_eq!(store.refusals(from, to).unwrap(), []);
}
