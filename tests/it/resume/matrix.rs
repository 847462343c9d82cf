//! Every moment of every scenario, once and twice.

use super::child::dies;
use super::deadly::Moment;
use super::world::{Fate, Scenario, World, folder};

/// Kills a run at each moment of a kind, lets the next one finish, and returns how many there were.
fn crash_at_each(scenario: Scenario, moment: Moment) -> usize {
    for number in 1.. {
        let folder = folder();
        let world = World::new(folder.path(), scenario);
        let when = format!("{scenario:?}, {moment:?} {number}");
        let killed = dies(&world, moment, number);
        world.nothing_is_lost(&when);
        if !killed {
            world.is_as_planned(&when);
            return usize::try_from(number - 1).unwrap();
        }
        world.converge(&when);
    }
    unreachable!("a run has an end")
}

fn crash_everywhere(scenario: Scenario, least: [usize; 4]) {
    for (moment, least) in Moment::ALL.into_iter().zip(least) {
        let points = crash_at_each(scenario, moment);
        assert!(points >= least, "{scenario:?}, {moment:?}: only {points} crash points");
    }
}

/// Kills a run at each moment of a kind, and each time the run that follows at each of its own.
fn crash_twice(scenario: Scenario, first: Moment, second: Moment) -> usize {
    let mut points = 0;
    for number in 1.. {
        for again in 1.. {
            let folder = folder();
            let world = World::new(folder.path(), scenario).one_at_a_time();
            let when = format!("{scenario:?}, {first:?} {number}, then {second:?} {again}");
            if !dies(&world, first, number) {
                return points;
            }
            let killed = dies(&world, second, again);
            world.nothing_is_lost(&when);
            if !killed {
                world.is_as_planned(&when);
                break;
            }
            world.converge(&when);
            points += 1;
        }
    }
    unreachable!("a run has an end")
}

/// Kills a run at each moment of a kind, and has the state meet its fate before the next run.
fn crash_and_lose(scenario: Scenario, moment: Moment, fate: Fate) -> usize {
    for number in 1.. {
        let folder = folder();
        let world = World::new(folder.path(), scenario);
        world.begin_state();
        let when = format!("{scenario:?}, {moment:?} {number}, {fate:?}");
        if !dies(&world, moment, number) {
            return usize::try_from(number - 1).unwrap();
        }
        world.meet(fate);
        world.converge_anew(&when);
    }
    unreachable!("a run has an end")
}

#[test]
fn a_crash_with_which_the_state_is_lost_is_survived() {
    for scenario in [Scenario::Mixed, Scenario::MixedGaps, Scenario::Refused] {
        for (moment, fate) in [
            (Moment::Journalled, Fate::Lost),
            (Moment::After, Fate::Lost),
            (Moment::Before, Fate::Older),
            (Moment::Unjournalled, Fate::Older),
        ] {
            let points = crash_and_lose(scenario, moment, fate);
            assert!(points >= 3, "{scenario:?}, {moment:?}: only {points} crash points");
        }
    }
}

#[test]
fn uploads_survive_every_crash() {
    // intent, fetched, sent, confirmed; one request each.
    crash_everywhere(Scenario::Uploads, [20, 20, 5, 5]);
}

#[test]
fn replaces_that_send_first_survive_every_crash() {
    // intent, fetched, backed up, sent, removed, confirmed; two requests each.
    crash_everywhere(Scenario::UploadThenDelete, [18, 18, 6, 6]);
}

#[test]
fn replaces_that_remove_first_survive_every_crash() {
    // intent, fetched, backed up, removed, sent, confirmed; two requests each.
    crash_everywhere(Scenario::DeleteThenUpload, [18, 18, 6, 6]);
}

#[test]
fn a_refused_replace_survives_every_crash_on_its_way_back() {
    // intent, fetched, backed up, removed, restored; three requests each.
    crash_everywhere(Scenario::Refused, [10, 12, 6, 6]);
}

#[test]
fn uploads_beside_replaces_survive_every_crash() {
    crash_everywhere(Scenario::Mixed, [8, 10, 3, 3]);
    crash_everywhere(Scenario::MixedGaps, [8, 10, 3, 3]);
}

#[test]
fn a_crash_while_settling_a_crash_is_survived() {
    for scenario in [Scenario::Mixed, Scenario::MixedGaps, Scenario::Refused] {
        let points = crash_twice(scenario, Moment::After, Moment::Journalled)
            + crash_twice(scenario, Moment::Before, Moment::After);
        assert!(points >= 10, "{scenario:?}: only {points} crash points");
    }
}
