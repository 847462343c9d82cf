//! Destinations that keep something else than they were sent: told, and never replaced every day.

use crate::support::memory::{Fault, Memory, Operation, UploadFault};
use fit_sync::domain::ReplaceProtocol;
use fit_sync::event::Phase;
use fit_sync::platform::{ListRequest, Platform, Window};
use jiff::Timestamp;

use crate::support::fit::FitFile;
use crate::support::world::{World, settings};

const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

fn ride(distance_m: u32) -> FitFile {
    let start: Timestamp = "2026-05-01T06:12:33Z".parse().unwrap();
    FitFile::new(start).records(40).distance_m(distance_m)
}

struct Altering {
    world: World,
    here: Memory,
    there: Memory,
}

impl Altering {
    /// A destination that makes this of whatever it is sent.
    fn new(protocol: ReplaceProtocol, made: &FitFile) -> Self {
        let here = Memory::new(settings("a", ReplaceProtocol::UploadThenDelete));
        let there = Memory::new(settings("b", protocol));
        here.put_file(&ride(31_000).build(), None);
        there.put_file(&ride(25_000).build(), Some("As I called it"));
        for _ in 0..9 {
            there.script(Fault::Upload(UploadFault::Alters(made.build())));
        }
        Self { world: World::memory(&here, &there).replacing(), here, there }
    }

    /// The source's activity keeps its id and gets other bytes.
    async fn edit_source(&self, file: &FitFile) {
        let spare = Memory::new(settings("spare", ReplaceProtocol::UploadThenDelete));
        spare.put_file(&file.build(), None);
        let known = std::collections::HashMap::new();
        let request = ListRequest { window: Window::default(), page: None, known: &known };
        let mut row = spare.list(request).await.unwrap().activities.remove(0);
        row.id = self.here.ids().into_iter().next().unwrap();
        self.here.put_row(row, Some(file.build()));
    }

    fn uploads(&self) -> usize {
        let asked = |operation| operation == Some(Operation::Upload);
        let history = self.there.history();
        history.iter().filter(|moment| asked(moment.happening.operation)).count()
    }

    fn holds(&self, file: &FitFile) -> bool {
        let bytes = file.build();
        self.there.ids().iter().any(|id| self.there.bytes(id).as_ref() == Some(&bytes))
    }
}

#[tokio::test]
async fn numbers_that_a_destination_computes_anew_are_told_once() {
    let makes = [ride(31_100), ride(31_000).maker(294, 7), ride(31_000).elapsed_s(3601)];
    for protocol in [ReplaceProtocol::UploadThenDelete, ReplaceProtocol::DeleteThenUpload] {
        for made in &makes {
            let cast = Altering::new(protocol, made);
            let first = cast.world.apply().await;
            assert_eq!(first.phases(), [Phase::Confirmed], "{}", first.told());
            assert!(first.told().contains("with other numbers"), "{}", first.told());
            assert!(cast.holds(made) && !cast.holds(&ride(25_000)));
            for _ in 0..3 {
                cast.world.pass(DAY);
                let again = cast.world.apply().await;
                assert_eq!(again.phases(), [], "{protocol:?}: {}", again.told());
            }
            assert_eq!(cast.world.left().await, Vec::<String>::new());
            assert_eq!(cast.uploads(), 1, "{protocol:?}");
        }
    }
}

#[tokio::test]
async fn what_was_computed_anew_is_replaced_again_when_its_source_changes() {
    let cast = Altering::new(ReplaceProtocol::DeleteThenUpload, &ride(31_100));
    cast.world.apply().await;
    cast.edit_source(&ride(35_000)).await;
    cast.there.heal();
    let again = cast.world.apply().await;
    assert_eq!(again.phases(), [Phase::Confirmed], "{}", again.told());
    assert!(cast.holds(&ride(35_000)));
}

#[tokio::test]
async fn another_recording_is_no_success_and_tried_twice_at_most() {
    let other = ride(29_000);
    for protocol in [ReplaceProtocol::UploadThenDelete, ReplaceProtocol::DeleteThenUpload] {
        for made in [other.clone(), ride(31_000).records(20)] {
            let cast = Altering::new(protocol, &made);
            let first = cast.world.apply().await;
            assert_eq!(first.phases(), [Phase::Failed], "{protocol:?}: {}", first.told());
            let kept = protocol == ReplaceProtocol::UploadThenDelete;
            assert_eq!(cast.holds(&ride(25_000)), kept, "{protocol:?}");
            for _ in 0..5 {
                cast.world.pass(DAY);
                cast.world.apply().await;
            }
            assert!(cast.uploads() <= 2, "{protocol:?}: {} uploads", cast.uploads());
            assert_eq!(cast.holds(&ride(25_000)), kept, "{protocol:?}");
        }
    }
}

/// A pair that is linked keeps its old activity as its counterpart, so that nothing but the memory
/// of two failures keeps it from being replaced every day.
#[tokio::test]
async fn a_linked_pair_is_not_replaced_every_day_either() {
    for protocol in [ReplaceProtocol::UploadThenDelete, ReplaceProtocol::DeleteThenUpload] {
        let cast = Altering::new(protocol, &ride(29_000));
        cast.there.heal();
        cast.world.apply().await;
        cast.edit_source(&ride(40_000)).await;
        for _ in 0..9 {
            cast.there.script(Fault::Upload(UploadFault::Alters(ride(29_000).build())));
        }
        let before = cast.uploads();
        for _ in 0..6 {
            cast.world.pass(DAY);
            cast.world.apply().await;
        }
        assert_eq!(cast.uploads() - before, 2, "{protocol:?}");
    }
}
