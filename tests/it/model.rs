//! Whatever accounts hold, whatever rules connect them, whatever the athlete does in between and
//! whatever goes wrong: runs converge, and nothing is lost, doubled or touched without a plan.

mod faults;
mod world;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::support::memory::{Fault, Operation, UploadFault};

use faults::{Trouble, trouble};
use world::{Activity, Edit, World};

/// Rules that meet in different ways; `!` replaces.
const WIRINGS: &[&[&str]] = &[
    &["a>b"],
    &["a>b!"],
    &["a>b!", "b>a"],
    &["a>b", "b>a"],
    &["a>c", "b>c"],
    &["a>c!", "b>c"],
    &["a>c", "b>c!"],
    &["a>b!", "b>c"],
    &["a>b", "a>c!"],
];

fn activity() -> impl Strategy<Value = Activity> {
    let day = prop_oneof![8 => (0u8..4).prop_map(Some), 1 => Just(None)];
    (0usize..3, day, 0u8..2, 0u8..2).prop_map(|(account, day, device, version)| Activity {
        account,
        day,
        device,
        version,
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        2 => activity().prop_map(Edit::Add),
        2 => (0usize..3, any::<prop::sample::Index>()).prop_map(|(a, n)| Edit::Remove(a, n)),
        1 => (0usize..3, any::<prop::sample::Index>()).prop_map(|(a, n)| Edit::Lengthen(a, n)),
    ]
}

/// One apply of the bad days: what goes wrong, and what the athlete does between plan and apply.
fn day() -> impl Strategy<Value = (Vec<Trouble>, Vec<Edit>)> {
    (prop::collection::vec(trouble(), 0..5), prop::collection::vec(edit(), 0..3))
}

fn on_the_first_day(account: usize, device: u8, version: u8) -> Activity {
    Activity { account, day: Some(0), device, version }
}

#[test]
fn a_replace_that_is_listed_late_is_not_sent_again() {
    let mut world = World::new(&["a>b!"], [false; 3], [false; 3]);
    world.put(&on_the_first_day(0, 0, 1));
    world.put(&on_the_first_day(1, 0, 0));
    let late = Trouble { account: 1, after: 0, fault: Fault::Upload(UploadFault::ListedLate(9)) };
    world.bad_day(&[late], &[]);
    for _ in 0..2 {
        world.good_day();
        world.check().unwrap();
    }
    world.is_settled().unwrap();
}

#[test]
fn two_lost_answers_about_one_second_are_told_apart() {
    for shows_bytes in [false, true] {
        let mut world = World::new(&["a>b"], [false; 3], [shows_bytes; 3]);
        world.put(&on_the_first_day(0, 0, 0));
        world.put(&on_the_first_day(0, 1, 0));
        let fault = Fault::LosesAnswer(Operation::Upload);
        let lost = Trouble { account: 1, after: 0, fault };
        world.bad_day(&[lost.clone(), lost], &[]);
        world.check().unwrap();
        world.is_settled().unwrap();
    }
}

#[test]
fn what_was_removed_before_it_was_listed_is_not_sent_again() {
    let mut world = World::new(&["a>b!", "b>a"], [false; 3], [false; 3]);
    world.put(&on_the_first_day(1, 0, 0));
    let fault = Fault::Upload(UploadFault::ListedLate(9));
    world.bad_day(&[Trouble { account: 0, after: 0, fault }], &[]);
    let any_of_one = any::<prop::sample::Index>().new_tree(&mut TestRunner::deterministic());
    world.bad_day(&[], &[Edit::Remove(0, any_of_one.unwrap().current())]);
    for _ in 0..3 {
        world.good_day();
        world.check().unwrap();
    }
    world.is_settled().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64, failure_persistence: None, max_shrink_iters: 2000, ..Default::default()
    })]

    #[test]
    fn runs_converge_and_nothing_is_lost_or_doubled(
        wiring in prop::sample::select(WIRINGS),
        deletes_first in prop::array::uniform3(any::<bool>()),
        shows_bytes in prop::array::uniform3(any::<bool>()),
        activities in prop::collection::vec(activity(), 0..9),
        days in prop::collection::vec(day(), 1..3),
    ) {
        let mut world = World::new(wiring, deletes_first, shows_bytes);
        for activity in &activities {
            world.put(activity);
        }
        for (troubles, edits) in &days {
            world.bad_day(troubles, edits);
            world.check()?;
        }
        // One apply for each hop from account to account, and one that settles.
        for _ in 0..=wiring.len() {
            world.good_day();
            world.check()?;
        }
        world.is_settled()?;
    }
}
