//! The looks of a daily run, over accounts in memory.

use std::time::Duration;

use crate::support::memory::{Change, Fault, Operation};
use fit_sync::domain::{AccountName, Refusal, RefusalReason};
use fit_sync::event::Phase;
use fit_sync::plan::SkipReason;
use fit_sync::platform::{PlatformError, Rejection};

use crate::faults::stage::{Flow, Stage};
use crate::support::world::{End, Outcome};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn rejected() -> Fault {
    let (reason, kind) = ("not with us".to_owned(), Rejection::Refused);
    Fault::Fails(Operation::Upload, PlatformError::Rejected { reason, kind })
}

fn missing() -> Fault {
    Fault::Fails(Operation::Download, PlatformError::NotFound)
}

fn asked(stage: &Stage, fault: &Fault) -> usize {
    let (account, operation) = match fault.operation() {
        Operation::Download => (&stage.here, Operation::Download),
        other => (&stage.there, other),
    };
    let history = account.history();
    history.iter().filter(|moment| moment.happening.operation == Some(operation)).count()
}

/// A run in which this account answers so, if it is asked.
async fn run(stage: &Stage, fault: &Fault) -> Outcome {
    stage.heal();
    let account = if fault.operation() == Operation::Download { &stage.here } else { &stage.there };
    account.script(fault.clone());
    stage.world.apply().await
}

fn refusals(stage: &Stage) -> Vec<Refusal> {
    let store = &stage.world.session.store;
    let row = |name: &str| store.account_named(&AccountName::new(name)).unwrap().unwrap().row;
    store.refusals(row("here"), row("there")).unwrap()
}

#[tokio::test]
async fn the_first_look_fails_the_second_settles_and_later_ones_come_after_a_week_and_a_month() {
    for (fault, reason, skip) in [
        (missing(), RefusalReason::NoOriginal, SkipReason::NoOriginal),
        (rejected(), RefusalReason::RejectedByDestination, SkipReason::RejectedByDestination),
    ] {
        let stage = Stage::new(Flow::Upload, 1);
        let mut looked = Vec::new();
        for day in 0..60 {
            let before = asked(&stage, &fault);
            let ran = run(&stage, &fault).await;
            if asked(&stage, &fault) > before {
                looked.push(day);
                let phase = if day == 0 { Phase::Failed } else { Phase::Skipped };
                assert_eq!(ran.phases(), [phase], "day {day}: {}", ran.told());
            } else {
                assert_eq!(ran.document.context.skips[0].reason, skip, "day {day}");
            }
            let end = if day == 0 { End::Partly } else { End::Done };
            assert_eq!(ran.end(true), end, "day {day}: {}", ran.told());
            // Later on the same day it is not asked again.
            let before = asked(&stage, &fault);
            assert_eq!(run(&stage, &fault).await.end(true), End::Done);
            assert_eq!(asked(&stage, &fault), before, "day {day}");
            stage.world.pass(DAY);
        }
        assert_eq!(looked, [0, 1, 8, 38], "{fault:?}");
        let refusals = refusals(&stage);
        assert_eq!((refusals[0].reason, refusals[0].looks), (reason, 4));
    }
}

#[tokio::test]
async fn one_missing_file_is_copied_on_the_next_day_and_forgotten() {
    let stage = Stage::new(Flow::Upload, 1);
    let first = run(&stage, &missing()).await;
    assert_eq!((first.phases(), first.end(true)), (vec![Phase::Failed], End::Partly));
    stage.heal();
    stage.world.pass(DAY);
    let second = stage.world.apply().await;
    assert_eq!((second.phases(), second.end(true)), (vec![Phase::Confirmed], End::Done));
    assert_eq!(refusals(&stage), []);
}

#[tokio::test]
async fn what_was_refused_before_goes_last() {
    let mut stage = Stage::new(Flow::Upload, 3);
    stage.there.configure(|settings| settings.capabilities.parallel = 1);
    // The oldest is sent first and refused; the others are not tried.
    stage.there.script(rejected());
    stage.world.pace.max_failures = Some(1);
    assert_eq!(stage.world.apply().await.phases()[0], Phase::Failed);
    stage.world.pace.max_failures = None;
    stage.heal();
    stage.world.pass(DAY);
    assert_eq!(stage.world.apply().await.phases(), [Phase::Confirmed; 3]);
    let history = stage.there.history();
    let added = history.iter().rev().flat_map(|moment| &moment.happening.changes);
    let added = added.filter_map(|change| match change {
        Change::Added(id) => stage.there.bytes(id),
        Change::Renamed(..) | Change::Removed(_) => None,
    });
    assert_eq!(added.take(1).collect::<Vec<_>>(), [stage.recordings[0].bytes.clone()]);
}
