//! Originals that cannot be read while two contents are compared.

use std::time::Duration;

use crate::support::memory::{Fault, Operation};
use fit_sync::engine::Uncompared;
use fit_sync::plan::{BlockedReason, ConflictReason, SkipReason};
use fit_sync::platform::PlatformError;

use crate::faults::stage::{Flow, Stage};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn answers(error: PlatformError) -> Fault {
    Fault::Fails(Operation::Download, error)
}

/// The pairs that a plan could not compare, with what it says about them.
async fn compared(stage: &Stage) -> (Vec<Uncompared>, Vec<ConflictReason>, Vec<SkipReason>) {
    let planned = stage.world.plan().await;
    let uncompared = planned.uncompared.clone();
    let context = planned.plan.document.context.clone();
    stage.world.execute(planned).await;
    (
        uncompared,
        context.conflicts.iter().map(|conflict| conflict.reason).collect(),
        context.skips.iter().map(|skip| skip.reason).collect(),
    )
}

#[tokio::test]
async fn an_outage_while_comparing_is_a_fault_and_nothing_is_remembered() {
    let stage = Stage::new(Flow::UploadThenDelete, 1);
    stage.there.script(answers(PlatformError::Unavailable("no route".to_owned())));
    let (uncompared, conflicts, skips) = compared(&stage).await;
    assert_eq!(uncompared.len(), 1);
    assert_eq!((uncompared[0].cause, uncompared[0].is_fault()), (BlockedReason::Unavailable, true));
    assert_eq!((uncompared[0].refusal.as_ref(), uncompared[0].account.as_str()), (None, "there"));
    assert_eq!((conflicts, skips), (vec![], vec![SkipReason::NotCompared]));
    stage.there.script(answers(PlatformError::Unavailable("no route".to_owned())));
    assert_eq!(stage.world.plan().await.beyond_downloads, 0, "no limit is to blame");
    stage.heal();
    assert_eq!(compared(&stage).await.0, []);
}

#[tokio::test]
async fn no_file_at_the_destination_on_two_days_is_a_question() {
    let stage = Stage::new(Flow::UploadThenDelete, 1);
    let run = async || {
        stage.heal();
        stage.there.script(answers(PlatformError::NotFound));
        compared(&stage).await
    };
    let (first, conflicts, _) = run().await;
    assert!(first[0].is_fault() && conflicts.is_empty());
    // On the same day it is not asked again, and no fault.
    assert_eq!(run().await.0, []);
    stage.world.pass(DAY);
    let (second, conflicts, _) = run().await;
    assert!(!second[0].is_fault());
    assert_eq!(conflicts, [ConflictReason::WouldLoseData]);
    stage.world.pass(DAY);
    let (third, conflicts, _) = run().await;
    assert_eq!((third, conflicts), (vec![], vec![ConflictReason::WouldLoseData]));
    // A week after the second look it is looked at once more, and it is there.
    stage.heal();
    stage.world.pass(6 * DAY);
    let (_, conflicts, skips) = compared(&stage).await;
    assert_eq!((conflicts, skips), (vec![], vec![]));
}

#[tokio::test]
async fn no_file_at_the_source_is_a_fault_once_and_a_skip_from_then_on() {
    let stage = Stage::new(Flow::UploadThenDelete, 1);
    let run = async || {
        stage.heal();
        stage.here.script(answers(PlatformError::NotFound));
        compared(&stage).await
    };
    for (day, faults) in [(0, 1), (1, 0), (2, 0)] {
        let (uncompared, _, skips) = run().await;
        let found = uncompared.iter().filter(|pair| pair.is_fault()).count();
        assert_eq!((found, skips), (faults, vec![SkipReason::NoOriginal]), "day {day}");
        stage.world.pass(DAY);
    }
}

#[tokio::test]
async fn a_plan_alone_is_no_look() {
    let stage = Stage::new(Flow::UploadThenDelete, 1);
    for _ in 0..3 {
        stage.there.script(answers(PlatformError::NotFound));
        let planned = stage.world.plan().await;
        assert!(planned.uncompared[0].is_fault());
        assert!(planned.plan.document.context.conflicts.is_empty());
        stage.world.pass(DAY);
    }
}
