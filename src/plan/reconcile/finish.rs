//! What to do once the destination lists what a step has put there.

use crate::domain::RemoteId;
use crate::plan::reason::{ConflictReason, SkipReason};

use super::entry::Outcome;
use super::evidence::{Days, Evidence, GivenUp, Old};
use super::next::{Move, end, held};
use super::state::{Removal, StepState};
use super::why::Why;

/// Compares it, gives it its details, lets the old one go, and ends.
pub(super) fn finish(state: &StepState, seen: &Evidence, id: &RemoteId) -> Move {
    let compares = state.replaces || state.turned.is_some();
    let is_verified = !compares || state.verified.as_ref() == Some(id);
    let is_detailed = !seen.details_due || state.detailed.as_ref() == Some(id);
    if seen.stopped && !(is_verified && is_detailed) {
        return end(Outcome::Held, Why::Stopped);
    }
    let is_kept = !matches!(seen.unverified, Some(Why::NotKept { .. }));
    if !is_verified && is_kept {
        return match &seen.unverified {
            None => Move::Verify(id.clone()),
            Some(why) => held(why.clone(), seen),
        };
    }
    // Where the old one is gone, they would be lost with it.
    if !is_detailed && (is_kept || state.removal == Removal::Done) {
        return match &seen.undetailed {
            None => Move::SetDetails(id.clone()),
            Some(why) => held(why.clone(), seen),
        };
    }
    if let (false, Some(why)) = (is_kept, &seen.unverified) {
        return end(Outcome::Failed, why.clone());
    }
    if state.earlier.is_some() && (state.turned.is_some() || state.removal == Removal::Done) {
        // Both are there: a person decides which of them it is.
        if seen.earlier.is_some() {
            return end(Outcome::Asked { question: ConflictReason::Ambiguous }, Why::BothThere);
        }
        // It may show itself to all.
        if state.must_hide_earlier() && !seen.overdue {
            return held(Why::Unanswered, seen);
        }
    }
    if let Some(turned) = &state.turned {
        let why = Why::PutBack { message: turned.message.clone() };
        return match turned.question {
            Some(question) => end(Outcome::Asked { question }, why),
            None if seen.refused_before => {
                end(Outcome::Skipped { reason: SkipReason::from(turned.reason) }, why)
            }
            None => end(Outcome::Restored, why),
        };
    }
    if state.replaces && state.removal != Removal::Done {
        return let_go(state, seen);
    }
    // What is only remembered confirms nothing.
    if seen.days == Days::Due && !seen.stopped && seen.given_up.is_none() {
        return Move::Read;
    }
    end(Outcome::Confirmed, Why::Done)
}

/// The old one goes after the new one was verified.
fn let_go(state: &StepState, seen: &Evidence) -> Move {
    if let Some(GivenUp { why, cause, .. }) = &seen.given_up {
        return Move::End(Outcome::Held, why.clone(), *cause);
    }
    let is_asked = state.removal == Removal::Asked && seen.asked_now;
    match (&seen.days, seen.old) {
        (_, Old::AsPlanned) if seen.stopped => end(Outcome::Held, Why::Stopped),
        (Days::Due, Old::AsPlanned) if is_asked => Move::Read,
        (_, Old::AsPlanned) if is_asked && !seen.settled => Move::Wait,
        (_, Old::AsPlanned) if is_asked => {
            let message = "asked to remove it, and it is listed still".to_owned();
            end(Outcome::Held, Why::NotRemoved { message })
        }
        (_, Old::AsPlanned) => Move::Remove,
        (_, Old::Changed) => {
            let question = ConflictReason::ChangedOnBothSides;
            end(Outcome::Asked { question }, Why::OldChangedMeanwhile)
        }
        (_, Old::Gone) => Move::NoteRemoved,
        (_, Old::Unknown) if seen.stopped => end(Outcome::Held, Why::Stopped),
        (Days::Due, Old::Unknown) => Move::Read,
        (Days::Unread(message, cause), Old::Unknown) => {
            let why = Why::NotRemoved { message: message.clone() };
            Move::End(Outcome::Held, why, Some(*cause))
        }
        (Days::Complete | Days::Incomplete, Old::Unknown) => {
            let message = "it cannot be seen whether it is there".to_owned();
            end(Outcome::Held, Why::NotRemoved { message })
        }
    }
}
