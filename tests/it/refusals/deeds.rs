//! What runs have done, by their journal, and what must not be passed over.

use fit_sync::domain::{AccountName, Refusal, RefusalReason, RemoteId};
use fit_sync::engine::{Deeds, Touched, deeds_since, failed_for_good, touched};
use fit_sync::plan::Document;
use fit_sync::plan::reconcile::{Entry, Outcome, Why};
use fit_sync::state::{Effects, RunId, Step, StepId};

use crate::faults::stage::{Flow, Stage};

#[tokio::test]
async fn what_a_run_has_done_is_told_by_its_journal() {
    for (flow, sent, removed) in
        [(Flow::Upload, 2, 0), (Flow::UploadThenDelete, 0, 2), (Flow::DeleteThenUpload, 0, 2)]
    {
        let stage = Stage::new(flow, 2);
        let store = &stage.world.session.store;
        assert_eq!(store.last_run().unwrap(), None);
        assert_eq!(deeds_since(store, None).unwrap(), Deeds::default());
        stage.world.apply().await;
        let deeds = deeds_since(store, None).unwrap();
        assert_eq!((deeds.sent, deeds.removed, deeds.under_way), (sent, removed, 0), "{flow:?}");
        let last = store.last_run().unwrap();
        assert!(last.is_some());
        assert_eq!(deeds_since(store, last).unwrap(), Deeds::default());
        let all = store.steps_since(None).unwrap();
        let expected = if removed > 0 { Touched::Removed } else { Touched::Sent };
        for record in all {
            let entries = record.entries.iter().map(|written| &written.entry);
            assert_eq!(touched(entries), expected, "{flow:?}");
        }
    }
}

fn removing() -> Entry {
    Entry::Removing { old: RemoteId::new("old") }
}

fn removed() -> Entry {
    Entry::Removed { old: RemoteId::new("old") }
}

fn failed() -> Entry {
    let why = Why::NotSent { message: "reset".to_owned() };
    Entry::Ended { outcome: Outcome::Failed, why, cause: None }
}

/// A step of the plan's one activity, as an earlier run left it.
fn begun(stage: &Stage, document: &Document, more: &[Entry]) -> (StepId, RunId) {
    let store = &stage.world.session.store;
    let now = stage.world.session.clock().now();
    let row = |name: &str| store.account_named(&AccountName::new(name)).unwrap().unwrap().row;
    let planned = &document.body.steps[0];
    let step = Step {
        address: planned.address.clone(),
        rule: planned.rule.clone(),
        action: "replace".to_owned(),
        source: row("here"),
        source_id: planned.source.id.clone(),
        destination: row("there"),
    };
    let run = store.begin_run(None, now).unwrap();
    let mut entries = vec![Entry::Intended { step: Box::new(planned.clone()), known: Vec::new() }];
    entries.extend_from_slice(more);
    let id = store.begin_step(run, &step, &entries, Effects::default(), now).unwrap();
    (id, run)
}

#[tokio::test]
async fn what_was_not_ended_may_have_been_done() {
    let lost = Entry::Unanswered { message: "reset".to_owned() };
    for (more, under_way, sent, removed) in [
        (vec![], 0, 0, 0),
        (vec![removing()], 1, 0, 0),
        (vec![removing(), removed()], 0, 0, 1),
        (vec![Entry::Sending], 1, 0, 0),
        (vec![Entry::Sending, lost], 0, 1, 0),
        (vec![Entry::Sending, Entry::NotSent { message: "reset".to_owned() }], 0, 0, 0),
        (vec![failed()], 0, 0, 0),
    ] {
        let stage = Stage::new(Flow::DeleteThenUpload, 1);
        let document = stage.world.plan().await.plan.document;
        begun(&stage, &document, &more);
        let deeds = deeds_since(&stage.world.session.store, None).unwrap();
        assert_eq!(deeds, Deeds { under_way, sent, removed, ..Deeds::default() }, "{more:?}");
    }
}

#[tokio::test]
async fn a_gap_that_nothing_takes_up_again_is_not_passed_over() {
    let removed = [removing(), removed()];
    for (more, is_refused, expected) in [(&removed[..], false, 1), (&[], false, 0), (&[], true, 1)]
    {
        let stage = Stage::new(Flow::DeleteThenUpload, 1);
        let store = &stage.world.session.store;
        let now = stage.world.session.clock().now();
        let document = stage.world.plan().await.plan.document;
        let (step, earlier) = begun(&stage, &document, more);
        let later = store.begin_run(None, now).unwrap();
        let about = store.steps_since(None).unwrap().remove(0).step;
        store.record(later, (step, &about), &[failed()], Effects::default(), now).unwrap();
        if is_refused {
            let record = store.steps_since(None).unwrap().remove(0).step;
            let source = &document.body.steps[0].source;
            let (id, fingerprint) = (source.id.clone(), source.fingerprint.clone());
            let found = Refusal::found(id, fingerprint, RefusalReason::NoOriginal, "", now);
            let (from, to) = (record.source, record.destination);
            store.note_refusal(from, to, &record.address, found).unwrap();
        }
        let failed =
            |document: &Document, since| failed_for_good(store, since, document).unwrap().len();
        assert_eq!(failed(&document, Some(earlier)), 0, "the plan takes it up again");
        let mut without = document.clone();
        without.body.steps.clear();
        assert_eq!(failed(&without, Some(earlier)), expected, "{more:?} {is_refused}");
        assert_eq!(failed(&without, Some(later)), 0, "of an earlier run's telling");
    }
}
