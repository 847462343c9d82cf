//! What cost users of other tools their data, one test for each, and the manners of a run.

use std::time::Duration;

use crate::support::memory::{DownloadFault, Fault, ListFault, Memory, Operation, UploadFault};
use fit_sync::domain::ReplaceProtocol;
use fit_sync::event::Phase;
use fit_sync::manifest::{DateBound, Located};
use fit_sync::platform::{PlatformError, Rejection};

use super::stage::{Flow, Stage, altered, ride};
use crate::support::world::{End, World, settings};

const NOTHING: Vec<String> = Vec::new();

fn rejected() -> Fault {
    let reason = "not with us".to_owned();
    let kind = Rejection::Refused;
    Fault::Fails(Operation::Upload, PlatformError::Rejected { reason, kind })
}

fn transient(operation: Operation) -> Fault {
    Fault::Fails(operation, PlatformError::Transient("no route".to_owned()))
}

fn limited(operation: Operation) -> Fault {
    Fault::Fails(operation, PlatformError::RateLimited { retry_after: None })
}

fn uploads(account: &Memory) -> usize {
    let asked = |operation| operation == Some(Operation::Upload);
    account.history().iter().filter(|moment| asked(moment.happening.operation)).count()
}

#[tokio::test]
async fn an_upload_answered_with_the_id_of_the_existing_one_deletes_nothing() {
    for flow in [Flow::UploadThenDelete, Flow::DeleteThenUpload] {
        let stage = Stage::new(flow, 1);
        let (old, bytes) = stage.recordings[0].old.clone().unwrap();
        let lie = || stage.there.script(Fault::Upload(UploadFault::NamesStored(old.clone())));
        let first = stage.world.apply_after(lie).await;
        assert_eq!(stage.broken_laws(), NOTHING, "{flow:?}");
        assert!(
            !stage.holding(&stage.recordings[0].bytes).is_empty(),
            "{flow:?}: {}",
            first.told()
        );
        assert!(stage.holding(&bytes).is_empty(), "{flow:?}");
        assert_eq!(stage.unfinished().await, NOTHING, "{flow:?}");
    }
}

#[tokio::test]
async fn a_failed_upload_is_neither_done_nor_green() {
    let stage = Stage::new(Flow::Upload, 1);
    let first = stage.world.apply_after(|| stage.there.script(transient(Operation::Upload))).await;
    assert_eq!(first.phases(), [Phase::Failed]);
    assert_eq!(first.end(stage.wrote()), End::Unavailable);
    assert_eq!(stage.world.left().await.len(), 1);
    assert_eq!(stage.world.apply().await.phases(), [Phase::Confirmed]);
}

#[tokio::test]
async fn a_deletion_that_settles_late_holds_the_step_and_the_next_apply_begins_with_it() {
    let stage = Stage::new(Flow::DeleteThenUpload, 1);
    stage.there.configure(|settings| settings.unsettled_deletions = 7);
    let first = stage.world.apply().await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    assert_eq!(first.end(true), End::Partly);
    stage.world.pass(Duration::from_secs(120));
    let second = stage.world.apply().await;
    assert_eq!(second.settled[0].phase, Phase::Confirmed, "{}", second.told());
    assert_eq!(second.phases(), []);
    assert_eq!(stage.broken_laws(), NOTHING);
    assert_eq!(stage.unfinished().await, NOTHING);
}

#[tokio::test]
async fn a_deletion_that_also_refuses_the_restore_holds_it_until_it_settles() {
    let stage = Stage::new(Flow::DeleteThenUpload, 1);
    stage.there.configure(|settings| settings.unsettled_deletions = 7);
    let first = stage.world.apply_after(|| stage.there.script(rejected())).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    stage.world.pass(Duration::from_secs(120));
    let second = stage.world.apply().await;
    assert_eq!(second.settled[0].phase, Phase::Restored, "{}", second.told());
    assert_eq!(stage.broken_laws(), NOTHING);
    assert_eq!(stage.unfinished().await, NOTHING);
    assert_eq!(stage.holding(&stage.recordings[0].old.as_ref().unwrap().1).len(), 1);
}

#[tokio::test]
async fn a_gap_says_where_the_old_one_is() {
    let stage = Stage::new(Flow::DeleteThenUpload, 1);
    let lost = || (0..2).for_each(|_| stage.there.script(cut_off()));
    let first = stage.world.apply_after(lost).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    let told = first.told();
    assert!(told.contains("the old one is gone and lies in backup "), "{told}");
}

/// What stands in the way of a put-back is named, so that a person can make room for it.
#[tokio::test]
async fn what_keeps_the_old_one_from_coming_back_is_named() {
    let stage = Stage::new(Flow::DeleteThenUpload, 1);
    let other = stage.strangers[1].clone();
    let duplicate = || PlatformError::Duplicate { existing: Some(other.clone()) };
    let script = || {
        stage.there.script(rejected());
        (0..9).for_each(|_| stage.there.script(Fault::Fails(Operation::Upload, duplicate())));
    };
    let first = stage.world.apply_after(script).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    let told = first.told();
    assert!(told.contains(&format!("takes {other} for it")), "{told}");
    stage.heal();
    let second = stage.world.apply().await;
    assert_eq!(second.settled[0].phase, Phase::Restored, "{}", second.told());
    assert_eq!(stage.unfinished().await, NOTHING);
}

#[tokio::test]
async fn a_restore_whose_answer_was_lost_is_looked_for_before_it_is_repeated() {
    let stage = Stage::new(Flow::DeleteThenUpload, 1);
    let script = || {
        stage.there.script(rejected());
        stage.there.script(Fault::LosesAnswer(Operation::Upload));
    };
    let first = stage.world.apply_after(script).await;
    assert_eq!(first.phases(), [Phase::Restored], "{}", first.told());
    assert_eq!(uploads(&stage.there), 2, "refused, and put back");
    stage.world.pass(Duration::from_secs(120));
    stage.world.apply().await;
    assert_eq!(uploads(&stage.there), 2);
    assert_eq!(stage.unfinished().await, NOTHING);
}

#[tokio::test]
async fn a_restored_activity_is_not_replaced_again_and_again() {
    let stage = Stage::new(Flow::DeleteThenUpload, 1);
    let first = stage.world.apply_after(|| stage.there.script(rejected())).await;
    assert_eq!(first.phases(), [Phase::Restored]);
    assert_eq!(first.end(true), End::Partly);
    let second = stage.world.apply().await;
    assert_eq!((second.phases(), second.end(false)), (Vec::new(), End::Done));
}

#[tokio::test]
async fn what_is_listed_late_is_pending_then_private_and_confirmed_and_green() {
    let stage = Stage::new(Flow::Upload, 1);
    let late = || stage.there.script(Fault::Upload(UploadFault::ListedLate(20)));
    let first = stage.world.apply_after(late).await;
    assert_eq!((first.phases(), first.end(true)), (vec![Phase::Pending], End::Partly));
    let second = stage.world.apply().await;
    assert_eq!((second.settled[0].phase, second.end(true)), (Phase::Pending, End::Partly));
    assert_eq!(second.phases(), []);
    for _ in 0..4 {
        stage.world.settle().await;
    }
    let last = stage.world.apply().await;
    assert_eq!(last.end(true), End::Done, "{}", last.told());
    assert_eq!(stage.unfinished().await, NOTHING);
    assert_eq!(uploads(&stage.there), 1);
}

#[tokio::test]
async fn what_is_listed_under_another_id_than_was_told_is_found_by_its_key() {
    let stage = Stage::new(Flow::Upload, 1);
    let dropped = || stage.there.script(Fault::Upload(UploadFault::Dropped));
    let first = stage.world.apply_after(dropped).await;
    assert_eq!(first.phases(), [Phase::Pending]);
    stage.there.put_file(&stage.recordings[0].bytes, None);
    let second = stage.world.apply().await;
    assert_eq!(second.settled[0].phase, Phase::Confirmed, "{}", second.told());
    assert_eq!(stage.unfinished().await, NOTHING);
    assert_eq!(stage.broken_laws(), NOTHING);
}

#[tokio::test]
async fn what_never_appears_is_asked_about_after_a_week_and_two_readings() {
    for flow in [Flow::Upload, Flow::DeleteThenUpload] {
        let stage = Stage::new(flow, 1);
        let dropped = || stage.there.script(Fault::Upload(UploadFault::Dropped));
        let first = stage.world.apply_after(dropped).await;
        assert_eq!(first.end(true), End::Partly);
        stage.world.pass(Duration::from_secs(6 * 24 * 3600));
        assert_eq!(stage.world.apply().await.end(true), End::Partly, "{flow:?}");
        stage.world.pass(Duration::from_secs(24 * 3600));
        let last = stage.world.apply().await;
        assert_eq!(last.end(true), End::Decide, "{flow:?}: {}", last.told());
        if flow == Flow::DeleteThenUpload {
            // No gap stays open for a question: the old one is put back first.
            assert_eq!(last.settled[0].question.as_deref(), Some("never_appeared"));
            assert_eq!(stage.holding(&stage.recordings[0].old.as_ref().unwrap().1).len(), 1);
            assert_eq!(uploads(&stage.there), 2);
            stage.world.apply().await;
            assert_eq!(uploads(&stage.there), 2, "not sent again");
            continue;
        }
        let asked: Vec<_> = last.document.context.conflicts.iter().map(|c| c.reason).collect();
        assert_eq!(asked, [fit_sync::plan::ConflictReason::NeverAppeared]);
        assert_eq!(uploads(&stage.there), 1);
    }
}

#[tokio::test]
async fn one_week_without_a_complete_reading_is_no_reason_to_ask() {
    let stage = Stage::new(Flow::Upload, 1);
    let dropped = || stage.there.script(Fault::Upload(UploadFault::Dropped));
    stage.world.apply_after(dropped).await;
    stage.world.pass(Duration::from_secs(8 * 24 * 3600));
    for _ in 0..40 {
        stage.there.script(Fault::List(ListFault::Incomplete));
    }
    let second = stage.world.apply().await;
    assert_eq!(second.settled[0].phase, Phase::Pending, "{}", second.told());
    assert!(second.document.context.conflicts.is_empty());
}

#[tokio::test]
async fn an_incomplete_listing_never_leads_to_a_second_sending() {
    let stage = Stage::new(Flow::Upload, 1);
    let script = || {
        let cut = PlatformError::Unconfirmed("cut off".to_owned());
        stage.there.script(Fault::Fails(Operation::Upload, cut));
        for _ in 0..60 {
            stage.there.script(Fault::List(ListFault::Incomplete));
        }
    };
    let first = stage.world.apply_after(script).await;
    assert_eq!(first.phases(), [Phase::Held]);
    stage.world.pass(Duration::from_secs(3600));
    let second = stage.world.apply().await;
    assert_eq!(second.settled[0].phase, Phase::Held, "{}", second.told());
    assert_eq!(uploads(&stage.there), 1);
    stage.heal();
    stage.world.apply().await;
    assert_eq!(uploads(&stage.there), 2);
    assert_eq!(stage.unfinished().await, NOTHING);
}

fn cut_off() -> Fault {
    Fault::Fails(Operation::Upload, PlatformError::Unconfirmed("cut off".to_owned()))
}

/// What was sent twice without a trace comes late, after the step has turned round: it fills the gap,
/// hidden as its source is, and the old one is not put beside it.
#[tokio::test]
async fn what_was_sent_first_and_comes_late_is_not_forgotten_by_what_turned_round() {
    let stage = Stage::new(Flow::DeleteThenUpload, 1);
    let script = || {
        stage.there.script(cut_off());
        stage.there.script(cut_off());
        stage.there.script(transient(Operation::Upload));
    };
    let first = stage.world.apply_after(script).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    stage.world.pass(Duration::from_secs(3600));
    (0..9).for_each(|_| stage.there.script(transient(Operation::Upload)));
    stage.world.apply().await;
    stage.heal();
    stage.there.put_file(&stage.recordings[0].bytes, None);
    let before = uploads(&stage.there);
    let last = stage.world.apply().await;
    assert_eq!(last.settled[0].phase, Phase::Confirmed, "{}", last.told());
    assert_eq!(uploads(&stage.there), before, "the old one is not sent");
    assert_eq!(stage.unfinished().await, NOTHING);
    assert_eq!(stage.there.ids().len(), stage.strangers.len() + 1);
}

/// Where the put-back was lost, too, both may come: neither is shown to all, and somebody is asked.
#[tokio::test]
async fn where_the_new_one_and_the_old_one_come_late_both_are_hidden_and_asked_about() {
    let stage = Stage::new(Flow::DeleteThenUpload, 1);
    let (old, old_bytes) = stage.recordings[0].old.clone().unwrap();
    stage.there.write(&old, |details| details.private = Some(true));
    let lost = || (0..4).for_each(|_| stage.there.script(cut_off()));
    stage.world.apply_after(lost).await;
    stage.world.pass(Duration::from_secs(3600));
    (0..9).for_each(|_| stage.there.script(transient(Operation::Upload)));
    stage.world.apply().await;
    stage.heal();
    let new = stage.there.put_file(&stage.recordings[0].bytes, None);
    let first = stage.world.apply().await;
    assert_eq!(stage.there.written(&new).unwrap().private, Some(true), "{}", first.told());
    assert_eq!(first.settled[0].phase, Phase::Held, "{}", first.told());
    let late = stage.there.put_file(&old_bytes, None);
    let last = stage.world.apply().await;
    assert_eq!(stage.there.written(&late).unwrap().private, Some(true), "{}", last.told());
    assert_eq!(last.settled[0].question.as_deref(), Some("ambiguous"), "{}", last.told());
    for _ in 0..2 {
        let asked = stage.world.apply().await.document.context.conflicts;
        assert_eq!(asked.len(), 1, "{asked:?}");
    }
}

/// Where nobody knows what became of it, it is looked for as long as it could be seen by all, although no
/// plan sends it again after this.
async fn is_hidden_when_it_comes(lets_go: impl FnOnce(&mut Stage)) {
    let mut stage = Stage::new(Flow::Upload, 1);
    let lost = || (0..2).for_each(|_| stage.there.script(cut_off()));
    let first = stage.world.apply_after(lost).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    lets_go(&mut stage);
    stage.world.pass(Duration::from_secs(3600));
    let second = stage.world.apply().await;
    assert_eq!(second.settled[0].phase, Phase::Held, "{}", second.told());
    let late = stage.there.put_file(&stage.recordings[0].bytes, None);
    let third = stage.world.apply().await;
    assert_eq!(third.settled[0].phase, Phase::Confirmed, "{}", third.told());
    assert_eq!(stage.there.written(&late).unwrap().private, Some(true));
}

#[tokio::test]
async fn a_private_upload_that_was_lost_twice_is_hidden_when_it_comes() {
    is_hidden_when_it_comes(|stage| {
        stage.here.take(&stage.recordings[0].source).unwrap();
    })
    .await;
    is_hidden_when_it_comes(|stage| {
        let later = DateBound::Day("2026-05-10".parse().unwrap());
        stage.world.session.manifest.rules[0].filter.start_date =
            Some(Located { value: later, line: None });
    })
    .await;
}

#[tokio::test]
async fn a_private_source_is_private_before_its_step_is_confirmed() {
    let twice = |fault: Fault| [fault.clone(), fault];
    for (faults, is_overcome) in
        [(twice(Fault::KeepsPrivacy), false), (twice(transient(Operation::SetDetails)), true)]
    {
        let stage = Stage::new(Flow::Upload, 1);
        let script = || faults.into_iter().for_each(|fault| stage.there.script(fault));
        let first = stage.world.apply_after(script).await;
        if is_overcome {
            assert_eq!(first.phases(), [Phase::Confirmed], "{}", first.told());
        } else {
            assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
            let second = stage.world.apply().await;
            assert_eq!(second.settled[0].phase, Phase::Confirmed, "{}", second.told());
        }
        assert_eq!(stage.broken_laws(), NOTHING);
        assert_eq!(stage.unfinished().await, NOTHING);
    }
}

#[tokio::test]
async fn an_old_one_that_was_edited_since_the_plan_is_not_deleted() {
    for flow in [Flow::UploadThenDelete, Flow::DeleteThenUpload] {
        let stage = Stage::new(flow, 1);
        let (old, _) = stage.recordings[0].old.clone().unwrap();
        let edit = fit_sync::domain::Details {
            kind: Some(fit_sync::domain::ActivityType::other()),
            ..fit_sync::domain::Details::default()
        };
        let planned = stage.world.plan().await;
        fit_sync::platform::Platform::set_details(&stage.there, &old, &edit).await.unwrap();
        let finished = stage.world.execute(planned).await;
        // Seen just before the old one would go: then the new one is there in one of the flows.
        let expected = match flow {
            Flow::UploadThenDelete => (Phase::Skipped, Some("changed_on_both_sides")),
            _ => (Phase::Stale, None),
        };
        let step = &finished.steps[0];
        assert_eq!((step.phase, step.question.as_deref()), expected, "{flow:?}");
        assert!(stage.there.ids().contains(&old), "{flow:?}");
        // Where both are there, every plan asks until one of them is gone.
        if expected.1.is_none() {
            continue;
        }
        for _ in 0..2 {
            let asked = stage.world.plan().await.plan.document.context.conflicts;
            let reasons: Vec<&str> = asked.iter().map(|asked| asked.reason.as_str()).collect();
            assert_eq!(reasons, expected.1.as_slice());
            // Called distinct from both, it would go over a third time.
            let planned = stage.world.plan().await;
            let (session, address) = (&stage.world.session, asked[0].address.clone());
            let distinct = fit_sync::domain::Verdict::Distinct;
            let decided = fit_sync::engine::decide(session, &planned, &address, distinct, None);
            assert!(decided.is_err(), "{decided:?}");
            let (document, pages) = (&planned.plan.document, Default::default());
            let told = fit_sync::render::plan_text(document, &[], Default::default(), &pages);
            assert!(told.contains("(or ignore)"), "{told}");
            stage.world.apply().await;
        }
        // Edited at the source since, it is asked about still.
        let row = &stage.recordings[0];
        let none = fit_sync::domain::Details::default();
        stage.here.put_file_as(&row.source, &ride(0, 51_000).1, &none);
        let asked = stage.world.plan().await.plan.document.context.conflicts;
        assert_eq!(asked.len(), 1, "{asked:?}");
        stage.here.put_file_as(&row.source, &row.bytes, &none);
        stage.there.take(&old).unwrap();
        assert_eq!(stage.world.plan().await.plan.document.context.conflicts, []);
    }
}

#[tokio::test]
async fn a_backup_of_other_bytes_is_no_backup() {
    for flow in [Flow::UploadThenDelete, Flow::DeleteThenUpload] {
        let stage = Stage::new(flow, 1);
        let other = DownloadFault::OtherBytes(ride(30, 9_000).1);
        let first = stage.world.apply_after(|| stage.there.script(Fault::Download(other))).await;
        assert_eq!(first.phases(), [Phase::Failed], "{flow:?}: {}", first.told());
        assert_eq!(stage.broken_laws(), NOTHING, "{flow:?}");
    }
}

#[tokio::test]
async fn an_old_one_stays_where_the_new_one_does_not_hold_what_was_sent() {
    let stage = Stage::new(Flow::UploadThenDelete, 1);
    let alters = || stage.there.script(Fault::Upload(UploadFault::Alters(altered())));
    let first = stage.world.apply_after(alters).await;
    assert_eq!(first.phases(), [Phase::Failed], "{}", first.told());
    let (_, bytes) = stage.recordings[0].old.as_ref().unwrap();
    assert_eq!(stage.holding(bytes).len(), 1);
}

#[tokio::test]
async fn the_third_request_to_wait_ends_an_accounts_queue() {
    let stage = Stage::new(Flow::Upload, 3);
    stage.there.configure(|settings| settings.capabilities.parallel = 1);
    let script = || (0..9).for_each(|_| stage.there.script(limited(Operation::Upload)));
    let first = stage.world.apply_after(script).await;
    assert_eq!(first.phases(), [Phase::Failed, Phase::NotTried, Phase::NotTried]);
    assert_eq!(first.end(stage.wrote()), End::Unavailable);
    assert_eq!(uploads(&stage.there), 3);
    assert_eq!(stage.world.clock.sleeps()[..2], [Duration::from_secs(60); 2]);
}

#[tokio::test]
async fn five_transient_failures_in_a_row_end_an_accounts_queue() {
    let stage = Stage::new(Flow::Upload, 7);
    stage.there.configure(|settings| settings.capabilities.parallel = 1);
    let script = || (0..9).for_each(|_| stage.there.script(transient(Operation::Upload)));
    let first = stage.world.apply_after(script).await;
    let mut phases = vec![Phase::Failed; 5];
    phases.extend([Phase::NotTried; 2]);
    assert_eq!(first.phases(), phases);
    assert_eq!(uploads(&stage.there), 5);
}

#[tokio::test]
async fn after_the_most_failures_nothing_new_is_begun() {
    let mut stage = Stage::new(Flow::Upload, 4);
    stage.there.configure(|settings| settings.capabilities.parallel = 1);
    stage.world.pace.max_failures = Some(2);
    let script = || (0..2).for_each(|_| stage.there.script(transient(Operation::Upload)));
    let first = stage.world.apply_after(script).await;
    let phases = [Phase::Failed, Phase::Failed, Phase::NotTried, Phase::NotTried];
    assert_eq!(first.phases(), phases);
}

#[tokio::test]
async fn a_wish_to_stop_begins_nothing_and_leaves_a_plan() {
    let stage = Stage::new(Flow::Upload, 3);
    let planned = stage.world.plan().await;
    stage.world.session.stop.request();
    let finished = stage.world.execute(planned).await;
    assert!(finished.steps.iter().all(|step| step.phase == Phase::NotTried));
    assert_eq!(uploads(&stage.there), 0);
    assert_eq!(stage.world.left().await.len(), 3);
}

#[tokio::test]
async fn two_recordings_of_one_start_are_both_there_and_neither_is_taken_for_the_other() {
    let here = Memory::new(settings("a", ReplaceProtocol::UploadThenDelete));
    let there = Memory::new(settings("b", ReplaceProtocol::UploadThenDelete));
    for distance in [30_000, 30_900] {
        here.put_file(&ride(0, distance).1, None);
    }
    let world = World::memory(&here, &there);
    let lose = || there.script(Fault::LosesAnswer(Operation::Upload));
    let first = world.apply_after(lose).await;
    assert_eq!(first.phases(), [Phase::Confirmed; 2], "{}", first.told());
    assert_eq!(world.left().await, NOTHING);
    assert_eq!(there.ids().len(), 2);
}

#[tokio::test]
async fn of_two_with_one_start_the_one_that_is_never_listed_is_not_taken_for_its_twin() {
    let here = Memory::new(settings("a", ReplaceProtocol::UploadThenDelete));
    let there = Memory::new(settings("b", ReplaceProtocol::UploadThenDelete));
    for distance in [30_000, 30_900] {
        here.put_file(&ride(0, distance).1, None);
    }
    let world = World::memory(&here, &there);
    let script = || {
        there.script(Fault::Upload(UploadFault::Dropped));
        there.script(Fault::Upload(UploadFault::ListedLate(9)));
    };
    let first = world.apply_after(script).await;
    assert_eq!(first.phases(), [Phase::Pending; 2], "{}", first.told());
    for _ in 0..3 {
        world.apply().await;
    }
    let last = world.apply().await;
    assert_eq!(last.settled.len(), 1, "{}", last.told());
    assert_eq!(last.settled[0].phase, Phase::Pending, "{}", last.told());
    assert_eq!(there.ids().len(), 1);
}
