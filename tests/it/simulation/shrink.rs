//! Makes a story short: turns off what is not needed to break the same promise.

use super::weather::Question;
use super::world::{Act, Run, World};

/// Returns the shortest world found in which `breaks` still gives this question.
pub(crate) fn shrink(
    world: &World,
    question: Question,
    mut breaks: impl FnMut(&World) -> Option<Question>,
) -> World {
    let mut short = world.clone();
    loop {
        let shorter = candidates(&short).into_iter().find(|world| breaks(world) == Some(question));
        match shorter {
            Some(shorter) => short = shorter,
            None => return short,
        }
    }
}

/// The world with one thing less, the largest things first.
fn candidates(world: &World) -> Vec<World> {
    let mut less = Vec::new();
    let mut with = |change: &dyn Fn(&mut World)| {
        let mut smaller = world.clone();
        change(&mut smaller);
        less.push(smaller);
    };
    for place in 0..world.acts.len() {
        with(&|world| {
            world.acts.remove(place);
        });
    }
    for place in 0..world.held.len() {
        with(&|world| {
            world.held.remove(place);
        });
    }
    for place in 0..world.rules.len() {
        with(&|world| {
            world.rules.remove(place);
        });
    }
    for (account, held) in world.accounts.iter().enumerate() {
        for place in 0..held.quirks.len() {
            with(&|world| {
                world.accounts[account].quirks.remove(place);
            });
        }
        if held.lists_bytes {
            with(&|world| world.accounts[account].lists_bytes = false);
        }
        if held.refuses_duplicates {
            with(&|world| world.accounts[account].refuses_duplicates = false);
        }
    }
    for (place, act) in world.acts.iter().enumerate() {
        for smaller in smaller_acts(act) {
            with(&|world| world.acts[place] = smaller.clone());
        }
    }
    if world.is_guarded {
        with(&|world| world.is_guarded = false);
    }
    for (place, held) in world.held.iter().enumerate() {
        if held.private {
            with(&|world| world.held[place].private = false);
        }
    }
    less
}

fn smaller_acts(act: &Act) -> Vec<Act> {
    match act {
        Act::Apply(run) => smaller_runs(run).into_iter().map(Act::Apply).collect(),
        Act::Restore(number, run) => {
            smaller_runs(run).into_iter().map(|run| Act::Restore(*number, run)).collect()
        }
        Act::SavePlan
        | Act::LoseState
        | Act::Person(_)
        | Act::Wait { .. }
        | Act::ClockBack { .. } => Vec::new(),
    }
}

fn smaller_runs(run: &Run) -> Vec<Run> {
    let mut smaller = Vec::new();
    if run.kill.is_some() {
        smaller.push(Run { kill: None, ..run.clone() });
    }
    if run.stop.is_some() {
        smaller.push(Run { stop: None, ..run.clone() });
    }
    for place in 0..run.troubles.len() {
        let mut less = run.clone();
        less.troubles.remove(place);
        smaller.push(less);
    }
    for place in 0..run.between.len() {
        let mut less = run.clone();
        less.between.remove(place);
        smaller.push(less);
    }
    smaller
}
