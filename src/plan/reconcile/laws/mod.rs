//! The laws of a step, over all states that a journal can lead to and all that can be seen in them.

mod arrivals;
mod checks;
mod sights;
mod states;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Answer, Entry, Evidence, MAX_SENDS, Move, Old, Removal, StepState, next};
use checks::{broken, follow_ups};
use sights::{Interest, any, is_possible, plain};
use states::{Reached, alphabet, at, id, reachable};

/// Looks at random in each state.
const LOOKS: usize = 15;
/// Moves within which good days end any step.
const MAX_MOVES: usize = 30;

/// What went wrong, each with one example.
#[derive(Default)]
struct Faults(BTreeMap<String, (usize, String)>);

impl Faults {
    fn check(&mut self, reached: &Reached, seen: &Evidence) -> Move {
        let one = next(&reached.state, seen);
        if let Some(law) = broken(&reached.state, seen, &one) {
            let Reached { state, journal } = reached;
            let tell = || format!("{one:?}\nof {state:#?}\nafter {journal:?}\nseeing {seen:#?}");
            self.0.entry(law).or_insert_with(|| (0, tell())).0 += 1;
        }
        one
    }

    fn assert_none(&self) {
        let told = self.0.iter().map(|(law, (count, first))| format!("{count} x {law}: {first}"));
        let told = told.collect::<Vec<_>>();
        assert!(told.is_empty(), "{}", told.join("\n\n"));
    }
}

/// What a decision can depend on: who may see it matters only as far as it is still to be hidden.
fn view(state: &StepState) -> String {
    let StepState { backup, answer, doubtful_sends, verified, deletes_first, turned, .. } = state;
    let rests = matches!(answer, Answer::Duplicate(_)) && state.rests > 0;
    let answer = state.seen.is_none().then_some((answer, doubtful_sends));
    let put = (answer, rests, verified.is_some(), state.sends > 0);
    let turned = turned.as_ref().map(|turned| turned.question);
    format!("{:?} {put:?} {turned:?} {backup:?} {deletes_first}", Interest::of(state))
}

#[test]
fn no_move_breaks_a_law() {
    let mut products: HashMap<Interest, Vec<Evidence>> = HashMap::new();
    let (mut faults, mut pairs) = (Faults::default(), 0_usize);
    let mut moves: BTreeMap<String, usize> = BTreeMap::new();
    let all = reachable();
    let mut met = HashSet::new();
    let begun = all.iter().filter(|reached| reached.state.intended);
    let kinds = begun.filter(|reached| met.insert(view(&reached.state)));
    for reached in kinds {
        let interest = Interest::of(&reached.state);
        let product = products.entry(interest).or_insert_with_key(Interest::product);
        for seen in product.iter().filter(|seen| is_possible(&reached.state, seen)) {
            let one = faults.check(reached, seen);
            *moves.entry(checks::name(&one).to_owned()).or_default() += 1;
            pairs += 1;
        }
    }
    faults.assert_none();
    assert!(moves.len() == 15 && pairs > 100_000, "{} views, {pairs} pairs: {moves:?}", met.len());
}

#[test]
fn no_look_at_random_breaks_a_law() {
    let mut faults = Faults::default();
    let mut seed = 1_u64;
    let mut draw = |count: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % count
    };
    for reached in reachable().into_iter().filter(|reached| reached.state.intended) {
        for seen in (0..LOOKS).map(|_| any(&mut draw)) {
            if is_possible(&reached.state, &seen) {
                faults.check(&reached, &seen);
            }
        }
    }
    faults.assert_none();
}

/// Law 4, on good days: all is read, what is sent arrives, what is removed is gone.
#[test]
fn good_days_end_every_step() {
    for Reached { state, journal } in reachable().into_iter().filter(|one| one.state.intended) {
        let mut now = state.clone();
        for _ in 0..MAX_MOVES {
            if !now.is_over() {
                now = a_good_day(&now);
            }
        }
        assert!(now.is_over(), "{state:#?}\nafter {journal:?}\nstays {now:#?}");
    }
}

fn a_good_day(state: &StepState) -> StepState {
    let is_sent = state.payload.is_some() && state.is_in_doubt();
    let seen = Evidence {
        arrival: is_sent.then(|| id("new")),
        old: if state.removal == Removal::Done { Old::Gone } else { Old::AsPlanned },
        bytes: state.payload.is_some(),
        overdue: (matches!(state.answer, Answer::Refused(..) | Answer::Duplicate(_))
            || (state.earlier.is_some() && state.seen.is_some()))
            && state.sends > 0,
        named: match state.answer {
            Answer::Duplicate(_) => super::Named::Gone,
            _ => super::Named::Unasked,
        },
        ..plain()
    };
    let mut entries = follow_ups(&next(state, &seen), state);
    entries.truncate(1);
    match entries.first() {
        Some(Entry::Sending) => entries.push(Entry::Sent { id: Some(id("new")) }),
        Some(Entry::Removing { old }) => entries.push(Entry::Removed { old: old.clone() }),
        _ => {}
    }
    entries.iter().fold(state.clone(), |state, entry| state.apply(entry, at()).unwrap())
}

/// Law 6; a journal's beginning is a journal of this list, too.
#[test]
fn a_journal_from_the_disk_gives_the_same_state() {
    for Reached { state, journal } in reachable() {
        let stored = serde_json::to_string(&journal).unwrap();
        let read: Vec<Entry> = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, journal);
        assert_eq!(StepState::replay(read.iter().map(|entry| (entry, at()))), Ok(state));
    }
}

/// Laws 1, 2, 3 and 5, as the table itself keeps them, whoever asks.
#[test]
fn the_table_allows_nothing_against_the_laws() {
    let entries = alphabet();
    for Reached { state, .. } in reachable() {
        for entry in &entries {
            let Ok(after) = state.apply(entry, at()) else { continue };
            let is_lawful = match entry {
                Entry::Removing { .. } => state.backup.is_some() && state.turned.is_none(),
                Entry::Sending => state.seen.is_none() && after.doubtful_sends <= MAX_SENDS,
                Entry::Ended { outcome, .. } => checks::may_rest(&state, *outcome, None),
                _ => true,
            };
            assert!(is_lawful, "{entry:?} after {state:#?}");
            let goes_on = after.is_over() && entries.iter().any(|e| after.apply(e, at()).is_ok());
            assert!(!goes_on, "{after:#?} goes on");
        }
    }
}
