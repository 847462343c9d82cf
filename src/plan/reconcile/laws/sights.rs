//! Everything that can be seen of a step in a state: the product of all small values.

use crate::plan::reason::{ConflictReason, SkipReason};

use super::super::{
    Answer, Cause, Days, Evidence, GivenUp, Named, Old, Outcome, Removal, Source, StepState, There,
    Visibility, Why,
};
use super::states::id;

const BOTH: [bool; 2] = [false, true];

/// What is seen on a good day of which nothing is known yet.
pub fn plain() -> Evidence {
    Evidence {
        days: Days::Complete,
        arrival: None,
        earlier: None,
        visibility: Visibility::TooWide,
        unverified: None,
        undetailed: None,
        details_due: false,
        there: There::Nothing,
        old: Old::AsPlanned,
        source: Source::AsPlanned,
        is_wanted: true,
        named: Named::Unasked,
        bytes: true,
        settled: true,
        paused: true,
        overdue: false,
        sent_now: false,
        asked_now: false,
        refused_before: false,
        given_up: None,
        stopped: false,
    }
}

/// Evidence that grows by one field at a time.
struct Product(Vec<Evidence>);

impl Product {
    fn of<T>(mut self, values: &[T], set: impl Fn(&mut Evidence, &T)) -> Self {
        let Some((first, others)) = values.split_first() else { return self };
        let mut more = Vec::with_capacity(self.0.len() * others.len());
        for value in others {
            more.extend(self.0.iter().cloned().map(|mut seen| {
                set(&mut seen, value);
                seen
            }));
        }
        self.0.iter_mut().for_each(|seen| set(seen, first));
        self.0.extend(more);
        self
    }

    fn when<T>(self, matters: bool, values: &[T], set: impl Fn(&mut Evidence, &T)) -> Self {
        if matters { self.of(values, set) } else { self }
    }
}

/// On which evidence a state's next move can depend at all; looks at random, of the whole product,
/// show that nothing is left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Interest {
    seen: bool,
    touched: bool,
    shown: bool,
    verified: bool,
    detailed: bool,
    replaces: bool,
    removal: Removal,
    duplicate: bool,
    refused: bool,
    overdue: bool,
    payload: bool,
    earlier: bool,
}

impl Interest {
    pub fn of(state: &StepState) -> Self {
        let known = state.known_id();
        let is_of_it = |about: &Option<_>| known.is_some() && about.as_ref() == known;
        Self {
            seen: state.seen.is_some(),
            touched: state.is_touched(),
            shown: state.must_hide() && known.is_some() && !is_of_it(&state.hidden),
            verified: is_of_it(&state.verified),
            detailed: is_of_it(&state.detailed),
            replaces: state.replaces,
            removal: state.removal,
            duplicate: matches!(state.answer, Answer::Duplicate(_)),
            refused: matches!(state.answer, Answer::Refused(..)),
            overdue: state.sends > 0
                && (state.turned.is_some() || !matches!(state.answer, Answer::NotSent(_))),
            payload: state.payload.is_some(),
            earlier: state.earlier.is_some(),
        }
    }

    /// All evidence that such a state can meet. What shows the new one, or who sees it, is decided
    /// upon before all else: then only what might come before that is varied.
    pub fn product(&self) -> Vec<Evidence> {
        let mut product = self
            .first_things()
            .of(&arrivals(), |seen, value| seen.arrival.clone_from(value))
            .when(self.shown, &visibilities(), |seen, value| seen.visibility = value.clone());
        let is_decided = self.shown && self.seen;
        if !is_decided {
            let not_yet = [Visibility::NotYet];
            let rest = self
                .first_things()
                .when(self.shown, &not_yet, |seen, value| seen.visibility = value.clone())
                .when(self.replaces, &OLDS, |seen, value| seen.old = *value);
            let rest = if self.seen { self.with_new(rest) } else { self.without_new(rest) };
            product.0.extend(rest.0);
        }
        product.0
    }

    fn first_things(&self) -> Product {
        Product(vec![plain()])
            .of(&days(), |seen, value| seen.days = value.clone())
            .of(&given_up(!self.touched), |seen, value| seen.given_up.clone_from(value))
            .when(self.touched || self.duplicate, &BOTH, |seen, value| seen.settled = *value)
            .of(&BOTH, |seen, value| seen.stopped = *value)
            .when(!self.payload, &[false], |seen, value| seen.bytes = *value)
            .when(self.earlier, &earliers(), |seen, value| seen.earlier.clone_from(value))
    }

    fn with_new(&self, product: Product) -> Product {
        product
            .when(!self.verified, &unverified(), |seen, value| seen.unverified.clone_from(value))
            .when(!self.detailed, &BOTH, |seen, value| seen.details_due = *value)
            .when(!self.detailed, &undetailed(), |seen, value| seen.undetailed.clone_from(value))
            .when(self.removal == Removal::Asked, &BOTH, |seen, value| seen.asked_now = *value)
    }

    fn without_new(&self, product: Product) -> Product {
        product
            .of(&theres(), |seen, value| seen.there = value.clone())
            .when(!self.duplicate, &SOURCES, |seen, value| seen.source = *value)
            .when(self.touched, &BOTH, |seen, value| seen.is_wanted = *value)
            .when(self.duplicate, &named(), |seen, value| seen.named = value.clone())
            .when(self.duplicate, &BOTH, |seen, value| seen.paused = *value)
            .when(self.payload, &BOTH, |seen, value| seen.bytes = *value)
            .when(self.overdue, &BOTH, |seen, value| seen.overdue = *value)
            .when(self.touched || self.duplicate, &BOTH, |seen, value| seen.sent_now = *value)
            .when(self.refused, &BOTH, |seen, value| seen.refused_before = *value)
    }
}

/// A look at random, from the whole product.
pub fn any(mut draw: impl FnMut(usize) -> usize) -> Evidence {
    let mut pick = |count: usize| draw(count);
    Evidence {
        days: days().swap_remove(pick(4)),
        arrival: arrivals().swap_remove(pick(3)),
        earlier: earliers().swap_remove(pick(2)),
        visibility: visibilities().swap_remove(pick(3)),
        unverified: unverified().swap_remove(pick(3)),
        undetailed: undetailed().swap_remove(pick(2)),
        details_due: pick(2) > 0,
        there: theres().swap_remove(pick(3)),
        old: OLDS[pick(4)],
        source: SOURCES[pick(3)],
        is_wanted: pick(2) > 0,
        named: named().swap_remove(pick(7)),
        bytes: pick(2) > 0,
        settled: pick(2) > 0,
        paused: pick(2) > 0,
        overdue: pick(2) > 0,
        sent_now: pick(2) > 0,
        asked_now: pick(2) > 0,
        refused_before: pick(2) > 0,
        given_up: given_up(true).swap_remove(pick(4)),
        stopped: pick(2) > 0,
    }
}

/// Whether a run can see this of a step in this state at all.
pub fn is_possible(state: &StepState, seen: &Evidence) -> bool {
    let is_looked_for = state.payload.is_some() && (state.sends > 0 || state.turned.is_some());
    let is_duplicate = matches!(state.answer, Answer::Duplicate(_));
    // Only what is sent is looked for.
    (seen.arrival.is_none() || is_looked_for)
        && (seen.earlier.is_none() || state.earlier.is_some())
        // Bytes without a journalled hash are no bytes.
        && (!seen.bytes || state.payload.is_some())
        // An activity is missed in complete days only, or where the new one has its id.
        && (seen.old != Old::Gone || seen.days == Days::Complete || state.seen.is_some())
        // What an answer names is looked at after that answer.
        && (seen.named == Named::Unasked || is_duplicate)
        // What was done in this run was done at all.
        && (!seen.sent_now || state.sends > 0)
        && (!seen.asked_now || state.removal != Removal::Untouched)
        // A pause follows a send of this run.
        && (seen.paused || seen.sent_now)
        // Only what was sent can be overdue.
        && (!seen.overdue || state.sends > 0)
}

const OLDS: [Old; 4] = [Old::AsPlanned, Old::Changed, Old::Gone, Old::Unknown];
const SOURCES: [Source; 3] = [Source::AsPlanned, Source::Changed, Source::Gone];

fn message() -> String {
    String::new()
}

fn days() -> Vec<Days> {
    vec![Days::Due, Days::Unread(message(), Cause::Unavailable), Days::Incomplete, Days::Complete]
}

fn arrivals() -> Vec<Option<crate::domain::RemoteId>> {
    vec![None, Some(id("new")), Some(id("other"))]
}

fn earliers() -> Vec<Option<crate::domain::RemoteId>> {
    vec![None, Some(id("late"))]
}

fn visibilities() -> Vec<Visibility> {
    let stuck = Visibility::Stuck(message());
    vec![Visibility::TooWide, stuck, Visibility::NotYet]
}

fn unverified() -> Vec<Option<Why>> {
    let not_kept = Why::NotKept { id: id("new"), again: false };
    vec![None, Some(Why::NotVerified { message: message() }), Some(not_kept)]
}

fn undetailed() -> Vec<Option<Why>> {
    vec![None, Some(Why::NotDetailed { message: message() })]
}

fn theres() -> Vec<There> {
    vec![There::Nothing, There::Same(id("old")), There::Question(ConflictReason::Ambiguous)]
}

fn named() -> Vec<Named> {
    let same = Named::Same(id("old"));
    let version = Named::Version(id("other"));
    vec![Named::Unasked, same, version, Named::Other, Named::Gone, Named::Unlisted, Named::Unclear]
}

/// Before anything is done, it also matters as what the step was given up.
fn given_up(is_begun: bool) -> Vec<Option<GivenUp>> {
    let why = Why::GivenUp { message: message() };
    let skipped = Outcome::Skipped { reason: SkipReason::TooLarge };
    let outcomes: &[Outcome] = match is_begun {
        true => &[Outcome::NotTried, Outcome::Stale, skipped],
        false => &[Outcome::NotTried],
    };
    let given_up = outcomes.iter().map(|outcome| {
        Some(GivenUp { outcome: *outcome, why: why.clone(), cause: Some(Cause::Other) })
    });
    [None].into_iter().chain(given_up).collect()
}
