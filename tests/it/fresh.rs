//! A plan is believed for ten minutes: what has changed by then is seen before anything is sent.

use std::time::Duration;

use crate::support::memory::{Fault, ListFault, Memory, Operation, Settings, UploadFault};
use fit_sync::domain::{Activity, RemoteId};
use fit_sync::event::Phase;
use fit_sync::platform::{ListRequest, Platform, PlatformError, Window};
use jiff::Timestamp;

use crate::support::fit::FitFile;
use crate::support::world::{End, World};

const LATER: Duration = Duration::from_secs(11 * 60);
const START: &str = "2026-05-01T06:12:33Z";

fn ride(distance_m: u32) -> FitFile {
    let start: Timestamp = START.parse().unwrap();
    FitFile::new(start).records(40).distance_m(distance_m)
}

fn world() -> (World, Memory, Memory) {
    let (here, there) = (Memory::new(Settings::new("a")), Memory::new(Settings::new("b")));
    here.put_file(&ride(31_000).build(), None);
    let world = World::memory(&here, &there);
    (world, here, there)
}

fn asked(account: &Memory, what: Operation) -> usize {
    let history = account.history();
    history.iter().filter(|moment| moment.happening.operation == Some(what)).count()
}

async fn row(account: &Memory) -> Activity {
    let known = std::collections::HashMap::new();
    let request = ListRequest { window: Window::default(), page: None, known: &known };
    account.list(request).await.unwrap().activities.remove(0)
}

#[tokio::test]
async fn what_somebody_else_has_brought_meanwhile_is_not_doubled() {
    let (world, _, there) = world();
    let between = || {
        there.put_file(&ride(31_000).build(), Some("by another tool"));
        world.clock.advance(LATER);
    };
    let outcome = world.apply_after(between).await;
    assert_eq!(outcome.phases(), [Phase::Adopted], "{}", outcome.told());
    assert_eq!((asked(&there, Operation::Upload), there.ids().len()), (0, 1));
    assert_eq!(world.left().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_overlaps_with_a_newcomer_is_asked_about() {
    let (world, _, there) = world();
    let between = || {
        let late: Timestamp = "2026-05-01T06:32:33Z".parse().unwrap();
        there.put_file(&FitFile::new(late).records(40).build(), None);
        world.clock.advance(LATER);
    };
    let outcome = world.apply_after(between).await;
    assert_eq!(outcome.steps[0].question.as_deref(), Some("partial_overlap"), "{}", outcome.told());
    assert_eq!(asked(&there, Operation::Upload), 0);
}

#[tokio::test]
async fn what_has_changed_at_the_source_meanwhile_is_not_sent() {
    let (world, here, there) = world();
    let spare = Memory::new(Settings::new("spare"));
    spare.put_file(&ride(35_000).build(), None);
    let changed = row(&spare).await;
    let between = || {
        let id: RemoteId = here.ids().into_iter().next().unwrap();
        here.put_row(Activity { id, ..changed }, Some(ride(35_000).build()));
        world.clock.advance(LATER);
    };
    let outcome = world.apply_after(between).await;
    assert_eq!(outcome.phases(), [Phase::Stale], "{}", outcome.told());
    assert_eq!(asked(&there, Operation::Upload), 0);
}

#[tokio::test]
async fn what_has_changed_at_the_destination_meanwhile_is_not_replaced() {
    let (world, _, there) = world();
    let world = world.replacing();
    there.put_file(&ride(25_000).build(), None);
    let spare = Memory::new(Settings::new("spare"));
    spare.put_file(&ride(27_000).build(), None);
    let changed = row(&spare).await;
    let between = || {
        let id: RemoteId = there.ids().into_iter().next().unwrap();
        there.put_row(Activity { id, ..changed }, Some(ride(27_000).build()));
        world.clock.advance(LATER);
    };
    let outcome = world.apply_after(between).await;
    assert_eq!(outcome.phases(), [Phase::Stale], "{}", outcome.told());
    assert_eq!((asked(&there, Operation::Upload), asked(&there, Operation::Delete)), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_read_again_is_not_acted_upon() {
    for partly in [true, false] {
        let (world, _, there) = world();
        let between = || {
            for _ in 0..9 {
                let down = PlatformError::Transient("no route".to_owned());
                there.script(match partly {
                    true => Fault::List(ListFault::Incomplete),
                    false => Fault::Fails(Operation::List, down),
                });
            }
            world.clock.advance(LATER);
        };
        let outcome = world.apply_after(between).await;
        assert_eq!(outcome.phases(), [Phase::NotTried], "{}", outcome.told());
        assert_eq!(outcome.end(false), End::Unavailable);
        assert_eq!(asked(&there, Operation::Upload), 0);
    }
}

#[tokio::test]
async fn within_ten_minutes_nothing_is_read_again() {
    let (world, here, _) = world();
    let outcome = world.apply_after(|| world.clock.advance(Duration::from_secs(9 * 60))).await;
    assert_eq!(outcome.phases(), [Phase::Confirmed]);
    assert_eq!(asked(&here, Operation::List), 1, "settling asks nobody, planning once");
}

#[tokio::test]
async fn a_twin_that_this_run_has_sent_is_not_taken_for_a_newcomer() {
    for unnamed in [true, false] {
        let (world, here, there) = world();
        here.put_file(&ride(31_000).elapsed_s(3300).maker(294, 7).serial(77).build(), None);
        there.configure(|settings| settings.capabilities.parallel = 1);
        let between = || {
            let retry_after = Some(LATER);
            there.script(Fault::Fails(
                Operation::Upload,
                PlatformError::RateLimited { retry_after },
            ));
            if unnamed {
                there.script(Fault::Upload(UploadFault::ProcessesUnnamed(1)));
            }
        };
        let outcome = world.apply_after(between).await;
        assert_eq!(outcome.phases(), [Phase::Confirmed; 2], "{}", outcome.told());
        assert_eq!(there.ids().len(), 2);
        assert_eq!(world.left().await, Vec::<String>::new());
    }
}

/// An athlete has edited the listing: it says another time than the file, and the file's own is what
/// the destination will read.
#[tokio::test]
async fn the_files_own_time_is_looked_for_before_it_is_sent() {
    let (world, here, there) = world();
    let listed = Activity {
        start: Some("2026-05-01T08:19:33Z".parse().unwrap()),
        sha256: None,
        id: here.ids().into_iter().next().unwrap(),
        ..row(&here).await
    };
    here.put_row(listed, Some(ride(31_000).build()));
    there.put_file(&ride(31_000).build(), None);
    let outcome = world.apply().await;
    assert_eq!(outcome.document.body.steps.len(), 1, "by its listing it is missing");
    assert_eq!(outcome.phases(), [Phase::Adopted], "{}", outcome.told());
    assert_eq!((asked(&there, Operation::Upload), there.ids().len()), (0, 1));
}
