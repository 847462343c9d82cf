//! What to do where the old activity is gone, or may be, and nothing stands in its place.

use crate::domain::RefusalReason;
use crate::plan::reason::ConflictReason;

use super::entry::{Cause, Outcome};
use super::evidence::{Days, Evidence, GivenUp, Named, Old, There};
use super::next::{Move, PARTLY_READ, ask_again, end};
use super::state::{Answer, Removal, StepState};
use super::why::Why;

/// Refused while the old one is gone: waited for as long as a deletion may need, then turned round.
pub(super) fn refused_in_gap(state: &StepState, seen: &Evidence) -> Move {
    let unsettled = || match state.turned {
        None => end(Outcome::Held, Why::DeletionUnsettled),
        Some(_) => not_put_back(state, in_its_way(state, seen)),
    };
    match (&state.answer, &seen.named) {
        (Answer::Refused(_, message), _) if state.turned.is_some() => {
            match seen.sent_now || seen.stopped {
                true => not_put_back(state, message.clone()),
                // Another run may hear another answer.
                false => fill(state, seen),
            }
        }
        (Answer::Refused(reason, message), _) => Move::TurnRound(*reason, message.clone(), None),
        (_, Named::Unasked) if seen.given_up.is_none() && !seen.stopped => Move::LookAtNamed,
        // An earlier send was lost, and this is likely what came of it.
        (_, Named::Unlisted) if state.may_have_stored() => end(Outcome::Held, Why::NotListed),
        // Somebody has brought it meanwhile: what was sent, or another version of it.
        (_, Named::Same(id)) => Move::NoteSeen(id.clone()),
        (_, Named::Version(id)) => {
            let backup = state.backup.clone().unwrap_or_default();
            let question = ConflictReason::Ambiguous;
            end(Outcome::Asked { question }, Why::InItsPlace { id: id.clone(), backup })
        }
        (_, Named::Other) if state.turned.is_none() => {
            let message = "the destination says that it holds this already".to_owned();
            Move::TurnRound(RefusalReason::DuplicateAtDestination, message, None)
        }
        (_, _) if seen.stopped => unsettled(),
        (_, _) if (!seen.settled || !seen.sent_now) && seen.given_up.is_none() => {
            ask_again(state, seen)
        }
        (_, _) if state.rests > 0 && state.turned.is_none() => {
            let message = "a deleted activity still stands in its way".to_owned();
            Move::TurnRound(RefusalReason::DuplicateAtDestination, message, None)
        }
        (_, _) => unsettled(),
    }
}

/// Why the destination does not take the old one back, as far as is seen.
fn in_its_way(state: &StepState, seen: &Evidence) -> String {
    let what = match (&seen.named, &state.answer) {
        (Named::Other, Answer::Duplicate(Some(id))) => id.to_string(),
        (Named::Other, _) => "another activity of its time".to_owned(),
        (_, _) => return "its deletion has not settled".to_owned(),
    };
    format!("the destination takes {what} for it; the next run tries again once that is gone")
}

fn not_put_back(state: &StepState, message: String) -> Move {
    let backup = state.backup.clone().unwrap_or_default();
    end(Outcome::Held, Why::NotPutBack { backup, message })
}

/// The old one is removed, or may be, and nothing is sent in its place.
pub(super) fn fill(state: &StepState, seen: &Evidence) -> Move {
    if let Some(given_up) = &seen.given_up {
        return rest_in_gap(state, seen, given_up);
    }
    match &seen.days {
        Days::Due => return Move::Read,
        Days::Unread(message, cause) => return unread_in_gap(message.clone(), *cause),
        Days::Incomplete => return unread_in_gap(PARTLY_READ.to_owned(), Cause::Unavailable),
        Days::Complete => {}
    }
    if state.removal == Removal::Asked {
        return removal_asked(seen);
    }
    let turn = |message: String, question| {
        Move::TurnRound(RefusalReason::DuplicateAtDestination, message, Some(question))
    };
    match (&seen.there, &state.turned) {
        (There::Question(question), None) => {
            turn(format!("{question} at the destination"), *question)
        }
        (There::Same(id), None) => {
            turn(format!("{id} took its place meanwhile"), ConflictReason::Ambiguous)
        }
        _ if !seen.bytes => Move::Fetch,
        _ => Move::Send,
    }
}

pub(super) fn unread_in_gap(message: String, cause: Cause) -> Move {
    Move::End(Outcome::Held, Why::Unread { message }, Some(cause))
}

/// Asked to remove the old one; whether it is gone, its days tell.
fn removal_asked(seen: &Evidence) -> Move {
    match seen.old {
        Old::Gone => Move::NoteRemoved,
        Old::AsPlanned if !seen.settled && !seen.stopped => Move::Wait,
        Old::AsPlanned if !seen.settled => end(Outcome::Held, Why::Stopped),
        Old::AsPlanned => {
            let message = "asked to remove it, and it is listed still".to_owned();
            end(Outcome::Failed, Why::NotRemoved { message })
        }
        Old::Changed => end(Outcome::Stale, Why::OldChanged),
        Old::Unknown => {
            let message = "it cannot be seen whether it is there".to_owned();
            end(Outcome::Held, Why::NotRemoved { message })
        }
    }
}

/// A removal that was asked for and did not happen leaves all as it was; else the gap stays open.
fn rest_in_gap(state: &StepState, seen: &Evidence, given_up: &GivenUp) -> Move {
    let GivenUp { why, cause, .. } = given_up;
    let message = why.to_string();
    let (outcome, why) = match (state.removal, seen.old, &state.turned) {
        (Removal::Asked, Old::AsPlanned, None) => (Outcome::Failed, why.clone()),
        (Removal::Asked, _, None) => (Outcome::Held, why.clone()),
        (_, _, None) => (Outcome::Held, Why::Gap { message }),
        (_, _, Some(_)) => {
            let backup = state.backup.clone().unwrap_or_default();
            (Outcome::Held, Why::NotPutBack { backup, message })
        }
    };
    Move::End(outcome, why, *cause)
}
