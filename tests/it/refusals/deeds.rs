//! What runs have done, by their journal, and what must not be passed over.

use fit_sync::domain::{AccountName, Refusal, RefusalReason};
use fit_sync::engine::{Deeds, Touched, deeds_since, failed_for_good, touched};
use fit_sync::event::Phase;
use fit_sync::plan::Document;
use fit_sync::state::{Entry, RunId, Step, StepId};
use serde_json::json;

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
        assert!(all.iter().all(|record| touched(record) == expected), "{flow:?}");
    }
}

fn entry(phase: Phase) -> Entry {
    Entry { phase, attempt: 1, detail: json!({}) }
}

/// A step of the plan's one activity, as an earlier run left it.
fn begun(stage: &Stage, document: &Document, phases: &[Phase]) -> (StepId, RunId) {
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
    let id = store.begin_step(run, &step, &entry(Phase::Intent), None, now).unwrap();
    for phase in phases {
        store.record(run, id, &entry(*phase), None, now).unwrap();
    }
    (id, run)
}

#[tokio::test]
async fn what_was_not_ended_may_have_been_done() {
    for (phases, under_way) in [
        (vec![], 0),
        (vec![Phase::Fetched], 1),
        (vec![Phase::Fetched, Phase::BackedUp], 1),
        (vec![Phase::Fetched, Phase::Failed], 0),
    ] {
        let stage = Stage::new(Flow::DeleteThenUpload, 1);
        let document = stage.world.plan().await.plan.document;
        begun(&stage, &document, &phases);
        let deeds = deeds_since(&stage.world.session.store, None).unwrap();
        assert_eq!(deeds, Deeds { under_way, ..Deeds::default() }, "{phases:?}");
    }
}

#[tokio::test]
async fn a_gap_that_nothing_takes_up_again_is_not_passed_over() {
    let (removed, prepared) = ([Phase::Fetched, Phase::BackedUp, Phase::Removed], [Phase::Fetched]);
    for (phases, is_refused, expected) in
        [(&removed[..], false, 1), (&prepared[..], false, 0), (&prepared[..], true, 1)]
    {
        let stage = Stage::new(Flow::DeleteThenUpload, 1);
        let store = &stage.world.session.store;
        let now = stage.world.session.clock().now();
        let document = stage.world.plan().await.plan.document;
        let (step, earlier) = begun(&stage, &document, phases);
        let later = store.begin_run(None, now).unwrap();
        store.record(later, step, &entry(Phase::Failed), None, now).unwrap();
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
        assert_eq!(failed(&without, Some(earlier)), expected, "{phases:?} {is_refused}");
        assert_eq!(failed(&without, Some(later)), 0, "of an earlier run's telling");
    }
}
