//! Which listed activity is what which step has sent.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Activity, RemoteId, Sha256};

use super::super::{Arrival, Candidate, Payload, assign};
use super::states::{at, id, payload};

fn later(seconds: i64) -> Timestamp {
    at() + SignedDuration::from_secs(seconds)
}

fn sent(bytes: &[u8], start: Timestamp) -> Payload {
    Payload { sha256: Sha256::of(bytes), start, ..payload(false) }
}

/// As a platform lists it: with a start and a length, without a hash.
fn row(name: &str, payload: &Payload) -> Activity {
    Activity { sha256: None, ..payload.activity(&id(name)) }
}

/// As a folder lists it.
fn file(name: &str, payload: &Payload) -> Activity {
    payload.activity(&id(name))
}

/// Names, and ids that it cannot have, per step.
fn assigned(sent: &[(&Payload, Option<&str>, &[&str])], rows: &[Activity]) -> Vec<Option<Arrival>> {
    let named: Vec<Option<RemoteId>> = sent.iter().map(|(_, named, _)| named.map(id)).collect();
    let excluded: Vec<HashSet<RemoteId>> =
        sent.iter().map(|(.., excluded)| excluded.iter().map(|one| id(one)).collect()).collect();
    let candidates = sent.iter().zip(named.iter().zip(&excluded));
    let candidates: Vec<Candidate<'_>> = candidates
        .map(|((payload, ..), (named, excluded))| Candidate {
            payload,
            named: named.as_ref(),
            is_seen: false,
            is_doubtful: false,
            excluded,
        })
        .collect();
    assign(&candidates, &rows.iter().collect::<Vec<_>>(), |id| id.as_str() == "taken")
}

fn ids(arrivals: &[Option<Arrival>]) -> Vec<Option<&str>> {
    arrivals.iter().map(|one| one.as_ref().map(|one| one.id.as_str())).collect()
}

fn sure(name: &str) -> Option<Arrival> {
    Some(Arrival { id: id(name), is_sure: true })
}

#[test]
fn two_steps_of_one_start_get_one_each() {
    let (a, b) = (sent(b"a", at()), sent(b"b", at()));
    let rows = [row("1", &a), row("2", &b)];
    let found = assigned(&[(&a, None, &[]), (&b, None, &[])], &rows);
    let mut ids = ids(&found);
    ids.sort_unstable();
    assert_eq!(ids, [Some("1"), Some("2")]);
    let found = assigned(&[(&a, None, &[]), (&b, None, &[])], &rows[..1]);
    assert_eq!(found.iter().flatten().count(), 1);
}

#[test]
fn a_named_id_is_believed_if_it_can_be() {
    let one = sent(b"a", at());
    let rows = [row("1", &one), row("2", &sent(b"a", later(90)))];
    assert_eq!(assigned(&[(&one, Some("2"), &[])], &rows), [sure("2")]);
}

#[test]
fn a_named_id_that_lists_another_time_is_not_believed() {
    let one = sent(b"a", at());
    let rows = [row("1", &one), row("2", &sent(b"a", later(7200)))];
    assert_eq!(assigned(&[(&one, Some("2"), &[])], &rows), [sure("1")]);
    assert_eq!(assigned(&[(&one, Some("2"), &[])], &rows[1..]), [None]);
}

#[test]
fn a_named_id_that_lists_other_bytes_is_not_believed() {
    let (one, other) = (sent(b"a", at()), sent(b"b", at()));
    let rows = [file("1", &one), file("2", &other)];
    assert_eq!(assigned(&[(&one, Some("2"), &[])], &rows), [sure("1")]);
}

#[test]
fn bytes_win_over_places() {
    let (a, b) = (sent(b"a", at()), sent(b"b", at()));
    let rows = [file("1", &b), file("2", &a)];
    let found = assigned(&[(&a, None, &[]), (&b, None, &[])], &rows);
    assert_eq!(found, [sure("2"), sure("1")]);
}

#[test]
fn what_was_there_before_is_never_taken() {
    let one = sent(b"a", at());
    for rows in [[row("1", &one)], [file("1", &one)]] {
        assert_eq!(assigned(&[(&one, None, &["1"])], &rows), [None]);
        assert_eq!(assigned(&[(&one, Some("1"), &["1"])], &rows), [None]);
    }
}

#[test]
fn what_belongs_to_another_is_not_taken() {
    let one = sent(b"a", at());
    assert_eq!(assigned(&[(&one, None, &[])], &[row("taken", &one)]), [None]);
    assert_eq!(assigned(&[(&one, None, &[])], &[file("taken", &one)]), [None]);
}

/// Found by the simulation: killed before its send, a step took a person's own version for what it had
/// sent, and the rule that replaces such a version never looked at it again.
#[test]
fn what_nobody_answered_for_is_as_long_and_as_far_as_it_was_sent() {
    let excluded = HashSet::new();
    let one = Payload { distance_m: Some(30_000), ..sent(b"a", at()) };
    let at_distance = |distance_m| row("1", &Payload { distance_m, ..one.clone() });
    for (is_doubtful, distance_m, is_found) in [
        (true, Some(30_010), true),
        (true, Some(0), true),
        (true, None, true),
        (true, Some(31_000), false),
        (false, Some(31_000), true),
    ] {
        let (payload, named, is_seen) = (&one, None, false);
        let candidate = Candidate { payload, named, is_seen, is_doubtful, excluded: &excluded };
        let found = assign(&[candidate], &[&at_distance(distance_m)], |_| false);
        assert_eq!(ids(&found), [is_found.then_some("1")], "{is_doubtful} {distance_m:?}");
    }
}
