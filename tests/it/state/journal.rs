//! The journal: what is written stays, in order, and what is not over is found again.

use std::collections::BTreeMap;

use fit_sync::domain::{Address, RemoteId, RuleName};
use fit_sync::event::Phase;
use fit_sync::plan::reconcile::{Cause, Entry, Outcome, Why};
use fit_sync::state::{Access, Effects, RunCounts, RunEnd, RunId, Step, StepId, Store};
use proptest::prelude::*;

use super::{at, coros, garmin};

const NOW: &str = "2026-11-20T01:02:03Z";

fn step(store: &Store, number: usize) -> Step {
    let rule = RuleName::new("us-to-cn");
    Step {
        address: Address::of_start(&rule, at("2026-11-19T06:12:33Z"), number),
        rule,
        action: "upload".to_owned(),
        source: garmin(store),
        source_id: RemoteId::new(format!("{number}")),
        destination: coros(store),
    }
}

fn ended(outcome: Outcome) -> Entry {
    Entry::Ended { outcome, why: Why::Done, cause: Some(Cause::Other) }
}

fn sent() -> Entry {
    Entry::Sent { id: Some(RemoteId::new("4711")) }
}

fn begin(store: &Store, run: RunId, number: usize) -> StepId {
    let entries = [Entry::Sending];
    store.begin_step(run, &step(store, number), &entries, Effects::default(), at(NOW)).unwrap()
}

fn record(store: &Store, run: RunId, (id, number): (StepId, usize), entry: Entry) {
    let about = (id, &step(store, number));
    store.record(run, about, &[entry], Effects::default(), at(NOW)).unwrap();
}

#[test]
fn runs_are_listed_newest_first_with_their_ends() {
    let store = Store::open_in_memory().unwrap();
    let killed = store.begin_run(None, at(NOW)).unwrap();
    let later = at("2026-11-20T02:00:00Z");
    let done = store.begin_run(Some("7f3a"), later).unwrap();
    let counts = RunCounts::from([("confirmed".to_owned(), 3)]);
    let end = RunEnd { at: at("2026-11-20T02:00:01Z"), exit: 10, counts: counts.clone() };
    store.end_run(done, end.at, end.exit, &end.counts).unwrap();
    let runs = store.runs().unwrap();
    assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [done, killed]);
    assert_eq!((runs[0].plan.as_deref(), runs[0].started_at), (Some("7f3a"), later));
    assert_eq!((&runs[0].end, &runs[1].end), (&Some(end), &None));
}

#[test]
fn a_later_run_settles_what_an_earlier_one_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (left, finished) = {
        let store = Store::open(&path, Access::ReadWrite).unwrap();
        let run = store.begin_run(None, at(NOW)).unwrap();
        let left = begin(&store, run, 1);
        record(&store, run, (left, 1), sent());
        let finished = begin(&store, run, 2);
        record(&store, run, (finished, 2), ended(Outcome::Confirmed));
        (left, finished)
    };

    let store = Store::open(&path, Access::ReadWrite).unwrap();
    let unsettled = store.unsettled().unwrap();
    assert_eq!(unsettled.len(), 1);
    assert_eq!((unsettled[0].id, unsettled[0].phase()), (left, Some(Phase::Sent)));
    assert_eq!(unsettled[0].step, step(&store, 1));
    let entries: Vec<Entry> = unsettled[0].entries.iter().map(|w| w.entry.clone()).collect();
    assert_eq!(entries, [Entry::Sending, sent()]);

    let run = store.begin_run(None, at(NOW)).unwrap();
    record(&store, run, (left, 1), ended(Outcome::Held));
    assert_eq!(store.unsettled().unwrap()[0].phase(), Some(Phase::Held));
    record(&store, run, (left, 1), ended(Outcome::Adopted));
    assert_eq!(store.unsettled().unwrap(), []);

    let again = begin(&store, run, 1);
    let at_address = store.steps_at(&step(&store, 1).address).unwrap();
    assert_eq!(at_address.iter().map(|step| step.id).collect::<Vec<_>>(), [left, again]);
    let writers: Vec<RunId> = at_address[0].entries.iter().map(|w| w.run).collect();
    assert_eq!(at_address[0].run, writers[0]);
    assert_eq!(writers[2..], [run, run]);
    assert_eq!(store.steps_at(&step(&store, 2).address).unwrap()[0].id, finished);
    assert_eq!(store.verify().unwrap(), Vec::<String>::new());
}

#[test]
fn what_open_steps_asked_to_remove_is_known_per_account() {
    let store = Store::open_in_memory().unwrap();
    let run = store.begin_run(None, at(NOW)).unwrap();
    let steps = [1, 2].map(|number| (begin(&store, run, number), number));
    for (id, number) in steps {
        let old = RemoteId::new(format!("old-{number}"));
        record(&store, run, (id, number), Entry::Removing { old });
    }
    let destination = step(&store, 1).destination;
    let asked = || store.asked_to_remove(destination).unwrap();
    assert_eq!(asked(), ["old-1", "old-2"].map(RemoteId::new).into());
    record(&store, run, steps[0], ended(Outcome::Held));
    record(&store, run, steps[1], ended(Outcome::Failed));
    assert_eq!(asked(), [RemoteId::new("old-1")].into(), "the other one is over");
    assert_eq!(store.asked_to_remove(step(&store, 1).source).unwrap(), [].into());
}

#[test]
fn the_journal_cannot_be_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    let run = store.begin_run(None, at(NOW)).unwrap();
    begin(&store, run, 1);
    let other = rusqlite::Connection::open(&path).unwrap();
    for sql in ["UPDATE entry SET entry = '{}'", "DELETE FROM entry"] {
        assert!(other.execute(sql, []).is_err(), "{sql}");
    }
    assert_eq!(store.unsettled().unwrap().len(), 1);
}

#[test]
fn an_entry_is_on_the_disk_when_the_call_returns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = Store::open(&path, Access::ReadWrite).unwrap();
    let run = store.begin_run(None, at(NOW)).unwrap();
    begin(&store, run, 1);
    // What a killed process leaves behind: the files as they are now.
    let copy = folder.path().join("copy.db");
    for suffix in ["", "-wal"] {
        let name = |of: &str| folder.path().join(format!("{of}.db{suffix}"));
        std::fs::copy(name("state"), name("copy")).unwrap();
    }
    let after = Store::open(&copy, Access::ReadWrite).unwrap();
    assert_eq!(after.unsettled().unwrap().len(), 1);
}

#[test]
fn an_entry_of_no_run_or_step_is_refused() {
    let store = Store::open_in_memory().unwrap();
    let run = store.begin_run(None, at(NOW)).unwrap();
    let id = begin(&store, run, 1);
    let nobody = RunId(99);
    let now = at(NOW);
    let (new, none) = (step(&store, 2), Effects::default());
    assert!(store.record(nobody, (id, &step(&store, 1)), &[sent()], none, now).is_err());
    assert!(store.begin_step(nobody, &new, &[Entry::Sending], none, now).is_err());
    assert_eq!(store.steps_at(&new.address).unwrap(), [], "no step without an entry");
}

/// What happens to a state: a new run, a new step at an address, or one more entry of a step.
#[derive(Clone, Debug)]
enum Act {
    Run,
    Begin(usize),
    Record(prop::sample::Index, Entry),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let outcomes =
        [Outcome::Confirmed, Outcome::Pending, Outcome::Held, Outcome::Failed, Outcome::NotTried];
    let entries = outcomes.map(ended).into_iter().chain([Entry::Sending, sent()]);
    let act = prop_oneof![
        1 => Just(Act::Run),
        3 => (1..4usize).prop_map(Act::Begin),
        6 => (any::<prop::sample::Index>(), prop::sample::select(entries.collect::<Vec<_>>()))
            .prop_map(|(step, entry)| Act::Record(step, entry)),
    ];
    prop::collection::vec(act, 0..40)
}

fn is_end(entry: &Entry) -> bool {
    matches!(entry, Entry::Ended { outcome, .. } if outcome.is_final())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn unsettled_is_what_a_naive_reading_of_the_journal_says(acts in acts()) {
        let store = Store::open_in_memory().unwrap();
        let mut run = store.begin_run(None, at(NOW)).unwrap();
        let mut order: Vec<(StepId, usize)> = Vec::new();
        let mut model: BTreeMap<StepId, Vec<(RunId, Entry)>> = BTreeMap::new();
        for act in acts {
            match act {
                Act::Run => run = store.begin_run(None, at(NOW)).unwrap(),
                Act::Begin(number) => {
                    let id = begin(&store, run, number);
                    order.push((id, number));
                    model.insert(id, vec![(run, Entry::Sending)]);
                }
                Act::Record(_, _) if order.is_empty() => {}
                Act::Record(index, entry) => {
                    let (id, number) = *index.get(&order);
                    let entries = model.get_mut(&id).unwrap();
                    // What is over is never written to again.
                    if !entries.iter().any(|(_, entry)| is_end(entry)) {
                        record(&store, run, (id, number), entry.clone());
                        entries.push((run, entry));
                    }
                }
            }
        }
        let expected: Vec<(StepId, Vec<(RunId, Entry)>)> = model
            .into_iter()
            .filter(|(_, entries)| !is_end(&entries.last().unwrap().1))
            .collect();
        let found: Vec<(StepId, Vec<(RunId, Entry)>)> = store
            .unsettled()
            .unwrap()
            .into_iter()
            .map(|step| (step.id, step.entries.into_iter().map(|w| (w.run, w.entry)).collect()))
            .collect();
        prop_assert_eq!(found, expected);
    }
}
