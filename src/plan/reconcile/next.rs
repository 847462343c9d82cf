//! The one decision: from what is written down and what is seen to the one thing to do.

use crate::domain::{RefusalReason, RemoteId};
use crate::plan::reason::{ConflictReason, SkipReason};

use super::entry::{Cause, Outcome};
use super::evidence::{Days, Evidence, GivenUp, Named, Old, Source, There, Visibility};
use super::finish::finish;
use super::gap::{fill, refused_in_gap, unread_in_gap};
use super::state::{Answer, MAX_SENDS, Removal, StepState};
use super::why::Why;

pub(super) const PARTLY_READ: &str = "only part of the destination could be read";

/// The one thing to do about a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Read the destination's days around the step.
    Read,
    /// Fetch the bytes that are to be sent, or put back.
    Fetch,
    /// Make a safe copy of the old one.
    BackUp,
    /// Remove the old one, if a last look shows it as planned.
    Remove,
    /// Write down that the old one is gone.
    NoteRemoved,
    /// Send the bytes once.
    Send,
    /// Look at the activity that was named as the duplicate.
    LookAtNamed,
    /// Write down under which id the destination lists it.
    NoteSeen(RemoteId),
    /// Let its athlete only see it.
    Hide(RemoteId),
    /// Compare what it holds with what was sent.
    Verify(RemoteId),
    /// Give it the old one's details.
    SetDetails(RemoteId),
    /// Put the old one back instead.
    TurnRound(RefusalReason, String, Option<ConflictReason>),
    /// Go on with what was sent before it turned round.
    TurnBack,
    /// Let time pass.
    Wait,
    /// End, or rest until the next run.
    End(Outcome, Why, Option<Cause>),
}

impl Move {
    /// Whether it does more than to look for an activity and to hide it.
    pub fn is_more_than_hiding(&self) -> bool {
        !matches!(
            self,
            Self::Read
                | Self::LookAtNamed
                | Self::NoteSeen(_)
                | Self::Hide(_)
                | Self::Wait
                | Self::End(..)
        )
    }
}

/// Decides. Level-triggered: it asks what is, never what was done last.
pub fn next(state: &StepState, seen: &Evidence) -> Move {
    // Some platforms name another id at first, or give one after a while.
    if let Some(id) = seen.arrival.as_ref().filter(|id| state.seen.as_ref() != Some(*id)) {
        return Move::NoteSeen(id.clone());
    }
    // While the put-back may arrive, too, that is waited for; not where somebody sees what he must not.
    let is_due = !state.may_have_stored() || seen.overdue || state.must_hide();
    if state.turned.is_some() && state.seen.is_none() && seen.earlier.is_some() && is_due {
        return Move::TurnBack;
    }
    if is_gone(state, seen) {
        let reason = SkipReason::RemovedAtDestination;
        return end(Outcome::Skipped { reason }, Why::RemovedMeanwhile);
    }
    if let Some(hide) = visibility(state, seen).or_else(|| earlier_visibility(state, seen)) {
        return hide;
    }
    match &state.seen {
        Some(id) => finish(state, seen, id),
        None if !state.is_touched() => begin(state, seen),
        None => go_on(state, seen),
    }
}

/// Whether what was listed once is there no more; what would have to be hidden is not even known by
/// its id.
fn is_gone(state: &StepState, seen: &Evidence) -> bool {
    let is_unlisted = seen.arrival.is_none() && seen.days == Days::Complete;
    let is_hidden = !state.must_hide() || state.hidden == state.seen;
    state.seen.is_some() && is_unlisted && (is_hidden || seen.visibility == Visibility::NotYet)
}

pub(super) fn end(outcome: Outcome, why: Why) -> Move {
    Move::End(outcome, why, None)
}

/// An activity that more people see than may is hidden before anything else, also after a stop.
fn visibility(state: &StepState, seen: &Evidence) -> Option<Move> {
    let id = state.known_id().filter(|id| state.hidden.as_ref() != Some(*id))?;
    if !state.must_hide() {
        return None;
    }
    let is_listed = state.seen.is_some();
    match &seen.visibility {
        Visibility::TooWide => Some(Move::Hide(id.clone())),
        // Once it is listed, it can be hidden.
        Visibility::NotYet if !is_listed => None,
        Visibility::NotYet => {
            Some(held(Why::NotHidden { message: "not known yet".to_owned() }, seen))
        }
        // It may have named another's id.
        Visibility::Stuck(_)
            if !is_listed && seen.days == Days::Due && !seen.stopped && seen.given_up.is_none() =>
        {
            Some(Move::Read)
        }
        Visibility::Stuck(message) => Some(held(Why::NotHidden { message: message.clone() }, seen)),
    }
}

/// The other one that was sent is hidden, too, once it is listed.
fn earlier_visibility(state: &StepState, seen: &Evidence) -> Option<Move> {
    let id = seen.earlier.as_ref().filter(|_| state.must_hide_earlier())?;
    match &seen.visibility {
        _ if state.earlier_hidden.as_ref() == Some(id) => None,
        Visibility::TooWide => Some(Move::Hide(id.clone())),
        Visibility::NotYet => {
            Some(held(Why::NotHidden { message: "not known yet".to_owned() }, seen))
        }
        Visibility::Stuck(message) => Some(held(Why::NotHidden { message: message.clone() }, seen)),
    }
}

pub(super) fn held(why: Why, seen: &Evidence) -> Move {
    let cause = seen.given_up.as_ref().and_then(|given_up| given_up.cause);
    Move::End(Outcome::Held, why, cause)
}

/// Nothing is sent or removed yet: the step may still be given up without a trace.
fn begin(state: &StepState, seen: &Evidence) -> Move {
    if let Some(refused) = refused_untouched(state, seen) {
        return refused;
    }
    if seen.stopped {
        return end(Outcome::NotTried, Why::Stopped);
    }
    if let Some(GivenUp { outcome, why, cause }) = &seen.given_up {
        return Move::End(*outcome, why.clone(), *cause);
    }
    match seen.source {
        Source::AsPlanned => {}
        Source::Changed => return end(Outcome::Stale, Why::SourceChanged),
        Source::Gone => return end(Outcome::Stale, Why::SourceGone),
    }
    match &seen.days {
        Days::Due => return Move::Read,
        Days::Unread(message, cause) => return unread(message.clone(), *cause),
        Days::Incomplete => return unread(PARTLY_READ.to_owned(), Cause::Unavailable),
        Days::Complete => {}
    }
    if state.replaces && seen.old != Old::AsPlanned {
        return end(Outcome::Stale, Why::OldChanged);
    }
    if !seen.bytes {
        return Move::Fetch;
    }
    match &seen.there {
        There::Nothing => {}
        There::Same(id) if !state.replaces => {
            return end(Outcome::Adopted, Why::Same { id: id.clone() });
        }
        There::Same(_) => return asked(ConflictReason::Ambiguous),
        There::Question(question) => return asked(*question),
    }
    match (state.replaces, &state.backup) {
        (true, None) => Move::BackUp,
        (true, Some(_)) if state.deletes_first => Move::Remove,
        (true | false, _) => Move::Send,
    }
}

fn unread(message: String, cause: Cause) -> Move {
    Move::End(Outcome::NotTried, Why::Unread { message }, Some(cause))
}

fn asked(question: ConflictReason) -> Move {
    end(Outcome::Asked { question }, Why::Question)
}

/// The destination took nothing and nothing was removed for it.
fn refused_untouched(state: &StepState, seen: &Evidence) -> Option<Move> {
    match &state.answer {
        Answer::Refused(reason, message) => {
            let outcome = match seen.refused_before {
                true => Outcome::Skipped { reason: SkipReason::from(*reason) },
                false => Outcome::Failed,
            };
            Some(end(outcome, Why::Refused { message: message.clone() }))
        }
        Answer::Duplicate(_) => Some(duplicate_untouched(state, seen)),
        Answer::Unsent
        | Answer::UnderWay
        | Answer::Taken(_)
        | Answer::Lost
        | Answer::NotSent(_) => None,
    }
}

fn duplicate_untouched(state: &StepState, seen: &Evidence) -> Move {
    match &seen.named {
        Named::Unasked if seen.given_up.is_none() && !seen.stopped => Move::LookAtNamed,
        // A lost state may have sent it, and not hidden it.
        Named::Same(id) if state.must_hide() && !state.replaces => Move::NoteSeen(id.clone()),
        Named::Same(id) => end(Outcome::Adopted, Why::Same { id: id.clone() }),
        // An earlier send was lost, and no other's name says that it did not arrive.
        Named::Gone | Named::Other | Named::Unclear if state.is_touched() && !seen.overdue => {
            rests(state, seen)
        }
        Named::Gone if state.is_touched() => end(Outcome::Failed, Why::RefusedAsDuplicate),
        Named::Gone if !seen.settled && seen.given_up.is_none() && !seen.stopped => {
            ask_again(state, seen)
        }
        Named::Unlisted if !seen.settled && seen.sent_now && !seen.stopped => Move::Wait,
        // An earlier send was lost, and this is likely what came of it.
        Named::Unlisted if state.is_touched() => end(Outcome::Held, Why::NotListed),
        Named::Unasked
        | Named::Gone
        | Named::Unlisted
        | Named::Version(_)
        | Named::Other
        | Named::Unclear => end(Outcome::Failed, Why::RefusedAsDuplicate),
    }
}

/// What was deleted still stands in the way: the same question again, after a pause. The time to
/// settle runs from the first send of this run; before that, no wait would have an end.
pub(super) fn ask_again(state: &StepState, seen: &Evidence) -> Move {
    match (&seen.days, seen.bytes, seen.paused) {
        (_, _, false) => Move::Wait,
        (Days::Due, _, true) => Move::Read,
        (_, false, true) => Move::Fetch,
        (Days::Complete, true, true) => Move::Send,
        (Days::Unread(..) | Days::Incomplete, true, true) if seen.sent_now => Move::Wait,
        (Days::Unread(message, cause), true, true) if state.is_touched() => {
            unread_in_gap(message.clone(), *cause)
        }
        (Days::Unread(message, cause), true, true) => unread(message.clone(), *cause),
        (Days::Incomplete, true, true) if state.is_touched() => {
            unread_in_gap(PARTLY_READ.to_owned(), Cause::Unavailable)
        }
        (Days::Incomplete, true, true) => unread(PARTLY_READ.to_owned(), Cause::Unavailable),
    }
}

/// Something was sent or removed, and what it put there is not to be seen.
fn go_on(state: &StepState, seen: &Evidence) -> Move {
    // An earlier send was lost, and where it went to is as it was.
    let is_whole = state.removal == Removal::Untouched && state.turned.is_none();
    match state.answer {
        Answer::Taken(_) | Answer::Lost | Answer::UnderWay => look(state, seen),
        Answer::NotSent(_) if is_whole => look(state, seen),
        Answer::Duplicate(_) | Answer::Refused(..) if is_whole => refused_whole(state, seen),
        Answer::Duplicate(_) | Answer::Refused(..) => refused_in_gap(state, seen),
        Answer::Unsent | Answer::NotSent(_) => fill(state, seen),
    }
}

/// Refused after a lost answer: what was sent first may have arrived, and is looked for. Nothing says
/// that it was not taken, so that it is looked for as long as what was.
fn refused_whole(state: &StepState, seen: &Evidence) -> Move {
    if seen.stopped || seen.given_up.is_some() {
        return rests(state, seen);
    }
    match &seen.days {
        Days::Due => Move::Read,
        _ if !seen.settled && seen.sent_now => Move::Wait,
        _ if matches!(state.answer, Answer::Refused(..)) && !seen.overdue => rests(state, seen),
        Days::Complete => refused_untouched(state, seen).unwrap_or_else(|| rests(state, seen)),
        Days::Unread(..) | Days::Incomplete => rests(state, seen),
    }
}

/// Sent, and not seen: looked for, then waited for, then at most sent once more.
fn look(state: &StepState, seen: &Evidence) -> Move {
    let rest = || rests(state, seen);
    match &seen.days {
        _ if seen.stopped => rest(),
        Days::Due if seen.given_up.is_none() => Move::Read,
        Days::Unread(..) | Days::Incomplete if !seen.settled && seen.given_up.is_none() => {
            Move::Wait
        }
        Days::Due | Days::Unread(..) | Days::Incomplete => rest(),
        Days::Complete if !seen.settled => Move::Wait,
        Days::Complete => match state.answer {
            Answer::Taken(_) if seen.overdue => never_appeared(state, seen),
            Answer::Taken(_) => rest(),
            _ if state.doubtful_sends >= MAX_SENDS => doubtful(state, seen),
            _ => send_again(state, seen),
        },
    }
}

fn rests(state: &StepState, seen: &Evidence) -> Move {
    let cause = match (&seen.days, &seen.given_up) {
        (Days::Unread(_, cause), _) => Some(*cause),
        (_, Some(given_up)) => given_up.cause,
        (_, None) => None,
    };
    let why = match state.answer {
        Answer::Taken(_) => Why::NotListed,
        _ => Why::Unanswered,
    };
    match &state.backup {
        _ if why == Why::NotListed && !state.replaces && state.turned.is_none() => {
            Move::End(Outcome::Pending, why, cause)
        }
        Some(backup) if state.is_gap() => {
            let (backup, message) = (backup.clone(), why.to_string());
            Move::End(Outcome::Held, Why::OnlyBackedUp { backup, message }, cause)
        }
        Some(_) | None => Move::End(Outcome::Held, why, cause),
    }
}

/// After a week of complete looks somebody is asked; where the old one still stands, it is planned
/// again.
fn never_appeared(state: &StepState, seen: &Evidence) -> Move {
    if state.is_gap() && state.turned.is_none() {
        let message = "it was taken and never appeared".to_owned();
        let question = Some(ConflictReason::NeverAppeared);
        return Move::TurnRound(RefusalReason::RejectedByDestination, message, question);
    }
    match state.turned {
        Some(_) if seen.given_up.is_some() => rests(state, seen),
        // The old one is nowhere but in its backup.
        Some(_) if !seen.bytes => Move::Fetch,
        Some(_) => Move::Send,
        None if state.replaces => end(Outcome::Failed, Why::NeverAppeared),
        None => {
            let question = ConflictReason::NeverAppeared;
            end(Outcome::Asked { question }, Why::NeverAppeared)
        }
    }
}

/// Two sends without an answer and without a trace: nothing is sent again without a person.
fn doubtful(state: &StepState, seen: &Evidence) -> Move {
    match (seen.sent_now, state.is_gap(), state.turned.is_some()) {
        // A week of complete looks tells as much as an answer, and nothing else fills this gap.
        (false, true, true) if seen.overdue => send_again(state, seen),
        (true, ..) | (_, true, true) => rests(state, seen),
        (_, true, false) => {
            let message = "it was sent twice without an answer and never appeared".to_owned();
            Move::TurnRound(RefusalReason::RejectedByDestination, message, None)
        }
        (_, false, _) => never_arrived(state, seen),
    }
}

/// Nothing is there of what was sent. What must be private, and no plan sends again, is looked for as
/// long as it may show itself to all.
fn never_arrived(state: &StepState, seen: &Evidence) -> Move {
    match state.must_hide() && !seen.is_wanted && !seen.overdue {
        true => rests(state, seen),
        false => end(Outcome::Failed, Why::NeverArrived),
    }
}

fn send_again(state: &StepState, seen: &Evidence) -> Move {
    if seen.given_up.is_some() || seen.earlier.is_some() {
        return rests(state, seen);
    }
    if state.is_gap() || state.turned.is_some() {
        return fill(state, seen);
    }
    match (seen.bytes, seen.source) {
        (true, _) if seen.there == There::Nothing => Move::Send,
        (false, Source::AsPlanned) => Move::Fetch,
        // What it was sent for is gone or changed, or something else is there.
        (true | false, _) => never_arrived(state, seen),
    }
}
