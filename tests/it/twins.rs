//! One recording twice in a source that shows no bytes: the files tell, and it goes over once.

use fit_sync::domain::{Details, ReplaceProtocol};
use fit_sync::event::Phase;
use fit_sync::plan::{Plan, SkipReason};
use fit_sync::platform::PlatformError;

use crate::faults::stage::ride;
use crate::support::fit::exported_again;
use crate::support::memory::{Change, Fault, Memory, Operation, UploadFault};
use crate::support::world::{World, settings};

fn accounts() -> (Memory, Memory) {
    let account = |name| Memory::new(settings(name, ReplaceProtocol::UploadThenDelete));
    (account("a"), account("b"))
}

fn arrived(there: &Memory) -> usize {
    there.take_changes().iter().filter(|change| matches!(change, Change::Added(_))).count()
}

fn skips(plan: &Plan) -> Vec<SkipReason> {
    plan.document.context.skips.iter().map(|skip| skip.reason).collect()
}

#[tokio::test]
async fn equal_bytes_go_over_once_and_that_is_remembered_also_after_a_lost_state() {
    let (here, there) = accounts();
    let (_, bytes) = ride(0, 30_000);
    let first = here.put_file(&bytes, None);
    here.put_file(&bytes, None);
    let mut world = World::memory(&here, &there);
    assert_eq!(world.apply().await.phases(), [Phase::Confirmed, Phase::Skipped]);
    let plan = world.plan().await.plan;
    assert_eq!((world.left().await, skips(&plan)), (vec![], vec![SkipReason::SameBytesInSource]));
    world.forget_state();
    assert_eq!(world.apply().await.phases(), [Phase::Skipped]);
    assert_eq!(skips(&world.plan().await.plan), [SkipReason::SameBytesInSource]);
    assert_eq!(arrived(&there), 1);
    // Once the first is gone, the second has its place.
    here.take(&first).unwrap();
    assert_eq!(world.apply().await.phases(), []);
    assert_eq!((world.left().await.len(), arrived(&there)), (0, 0));
}

#[tokio::test]
async fn an_export_of_the_same_recording_does_not_go_over_either() {
    let (here, there) = accounts();
    let (_, bytes) = ride(0, 30_000);
    here.put_file(&bytes, None);
    here.put_file(&exported_again(&bytes, 1), None);
    let world = World::memory(&here, &there);
    assert_eq!(world.apply().await.phases(), [Phase::Confirmed, Phase::Skipped]);
    assert_eq!(skips(&world.plan().await.plan), [SkipReason::SameRecordingInSource]);
    assert_eq!(arrived(&there), 1);
}

#[tokio::test]
async fn two_devices_that_are_listed_alike_both_go_over() {
    let (here, there) = accounts();
    let start = ride(0, 30_000).0;
    for serial in [7, 8] {
        let file = crate::support::fit::FitFile::new(start).records(12).serial(serial);
        here.put_file(&file.build(), None);
    }
    let world = World::memory(&here, &there);
    assert_eq!(world.apply().await.phases(), [Phase::Confirmed; 2]);
    assert_eq!(arrived(&there), 2);
}

/// Nothing is sent before both files were seen.
#[tokio::test]
async fn a_twin_whose_file_cannot_be_had_now_makes_it_wait() {
    let (here, there) = accounts();
    let (_, bytes) = ride(0, 30_000);
    here.put_file(&bytes, None);
    let world = World::memory(&here, &there);
    world.apply().await;
    here.put_file(&bytes, None);
    world.empty_cache();
    let downloads = |n| {
        let down = PlatformError::Transient("down".to_owned());
        let fault = Fault::Fails(Operation::Download, down);
        (0..n).for_each(|_| here.script(fault.clone()));
    };
    let ran = world.apply_after(|| downloads(20)).await;
    assert_eq!(ran.phases(), [Phase::Failed], "{}", ran.told());
    here.heal();
    assert_eq!(world.apply().await.phases(), [Phase::Skipped]);
    assert_eq!(arrived(&there), 1);
}

/// Found by the simulation: a replace that was refused as a duplicate took another activity of that time
/// for the new one, each day anew.
#[tokio::test]
async fn what_stands_beside_the_old_one_does_not_take_the_place_of_a_refused_replace() {
    let (here, there) = accounts();
    let id = here.put_file(&ride(0, 31_000).1, None);
    let world = World::memory(&here, &there);
    world.apply().await;
    there.put_file(&ride(0, 30_500).1, None);
    here.put_file_as(&id, &ride(0, 33_000).1, &Details::default());
    let world = world.replacing();
    let refuse = || {
        let fault = Fault::Upload(UploadFault::NamesDuplicate(None));
        (0..20).for_each(|_| there.script(fault.clone()));
    };
    let ran = world.apply_after(refuse).await;
    assert_eq!(ran.phases(), [Phase::Failed], "{}", ran.told());
    there.heal();
    assert_eq!(world.left().await, ["refused_by_destination here-to-there/2026-05-01T06:12:33Z"]);
}
