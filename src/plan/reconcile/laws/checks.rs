//! The laws, each as a question to one move.

use super::super::{
    Answer, Days, Entry, Evidence, MAX_SENDS, Move, Outcome, StepState, Visibility,
};
use super::super::{Named, Removal, Why};
use super::states::{at, id, payload, turned_round};

/// The law that a move breaks, if any.
pub fn broken(state: &StepState, seen: &Evidence, one: &Move) -> Option<String> {
    let laws = [
        ("law 1: removed without need", removes_lawfully(state, one)),
        ("law 2: sent without need", sends_lawfully(state, seen, one)),
        ("law 3: shown to more people", shows_lawfully(state, seen, one)),
        ("law 4: a wait without an end", waits_lawfully(state, seen, one)),
        ("law 5: a gap left behind", fills_lawfully(state, seen, one)),
        ("law 5: over while a send is in doubt", doubts_lawfully(state, seen, one)),
        ("law 7: a gap that is none", tells_lawfully(state, one)),
        ("a stop not heard", stops_lawfully(state, seen, one)),
    ];
    let broken = laws.into_iter().find(|(_, is_kept)| !is_kept);
    let law = broken.map(|(law, _)| format!("{law} by {}", name(one)));
    law.or_else(|| {
        let illegal = follow_ups(one, state).into_iter().find(|e| state.apply(e, at()).is_err())?;
        Some(format!("illegal {illegal:?}"))
    })
}

/// Everything that may be written because of a move; what is meant by it first.
pub fn follow_ups(one: &Move, state: &StepState) -> Vec<Entry> {
    let backed_up = |private| Entry::BackedUp { backup: "b".to_owned(), private };
    let fetched = |private| Entry::Fetched { payload: payload(private) };
    match one {
        Move::Read | Move::LookAtNamed | Move::Wait => Vec::new(),
        // The source may have become private since; and what is lost is put back.
        Move::Fetch if state.is_gap() && state.turned.is_none() => {
            vec![fetched(false), fetched(true), turned_round(None)]
        }
        Move::Fetch => vec![fetched(false), fetched(true)],
        Move::BackUp => vec![backed_up(false), backed_up(true)],
        // A title may have changed since the backup.
        Move::Remove => vec![Entry::Removing { old: id("old") }, backed_up(false)],
        Move::NoteRemoved => vec![Entry::Removed { old: id("old") }],
        Move::Send => vec![Entry::Sending],
        Move::NoteSeen(id) => vec![Entry::Seen { id: id.clone() }],
        Move::Hide(id) => vec![Entry::Hidden { id: id.clone() }],
        Move::Verify(id) => vec![Entry::Verified { id: id.clone(), recomputed: Vec::new() }],
        Move::SetDetails(id) => vec![Entry::Detailed { id: id.clone(), lacking: None }],
        Move::TurnRound(reason, message, question) => vec![Entry::TurnedRound {
            reason: *reason,
            message: message.clone(),
            question: *question,
        }],
        Move::TurnBack => vec![Entry::TurnedBack],
        Move::End(outcome, why, cause) => {
            vec![Entry::Ended { outcome: *outcome, why: why.clone(), cause: *cause }]
        }
    }
}

/// A backup was read back, and the new one is verified, or its bytes are here and nothing is sent.
fn removes_lawfully(state: &StepState, one: &Move) -> bool {
    let is_ready = match state.deletes_first {
        true => state.payload.is_some() && state.sends == 0,
        false => state.seen.is_some() && state.verified == state.seen,
    };
    *one != Move::Remove || (state.replaces && state.backup.is_some() && is_ready)
}

/// Nothing is there, all of it was read, not too many answers are lost, and for the last one that was
/// lost enough time has passed.
fn sends_lawfully(state: &StepState, seen: &Evidence, one: &Move) -> bool {
    let is_absent = state.seen.is_none() && seen.arrival.is_none();
    let is_known = seen.days == Days::Complete && seen.bytes;
    let is_taken = matches!(state.answer, Answer::Taken(_));
    // What was put back and did not show itself for a week is nowhere else.
    let is_answerless = is_taken || state.doubtful_sends >= MAX_SENDS;
    let is_lost = is_answerless && state.turned.is_some() && seen.overdue;
    let is_open = is_lost || (state.doubtful_sends < MAX_SENDS && !is_taken);
    let is_safe = !state.replaces || state.backup.is_some();
    let is_waited_for = seen.settled || !matches!(state.answer, Answer::UnderWay | Answer::Lost);
    *one != Move::Send || (is_absent && is_known && is_open && is_safe && is_waited_for)
}

fn shows_lawfully(state: &StepState, seen: &Evidence, one: &Move) -> bool {
    match one {
        Move::End(_, Why::InItsPlace { .. }, _) => true,
        Move::End(outcome, ..) => may_rest(state, *outcome, Some(seen)),
        _ => true,
    }
}

/// Laws 3 and 5 for an outcome. What the destination does not list, in a complete reading, and does
/// not know by its id either is shown to nobody.
pub fn may_rest(state: &StepState, outcome: Outcome, seen: Option<&Evidence>) -> bool {
    let is_nowhere = seen.is_some_and(|seen| {
        seen.arrival.is_none()
            && seen.days == Days::Complete
            && seen.visibility == Visibility::NotYet
    });
    let known = state.known_id().filter(|id| state.hidden.as_ref() != Some(*id));
    let is_shown = state.must_hide() && known.is_some() && !is_nowhere;
    let is_open = matches!(outcome, Outcome::Held | Outcome::Pending | Outcome::Asked { .. });
    (is_open || !is_shown) && (!outcome.is_final() || !state.is_gap())
}

/// Time passes for something: it is not over, and it runs.
fn waits_lawfully(state: &StepState, seen: &Evidence, one: &Move) -> bool {
    let runs = seen.sent_now || !matches!(state.answer, Answer::Duplicate(_));
    *one != Move::Wait || (!seen.settled && runs)
}

/// What was removed, or may be, is there again before a step is over, unless somebody else has put
/// another version of it there.
fn fills_lawfully(state: &StepState, seen: &Evidence, one: &Move) -> bool {
    match one {
        Move::End(_, Why::InItsPlace { .. }, _) => matches!(seen.named, Named::Version(_)),
        Move::End(outcome, ..) => !outcome.is_final() || !state.is_gap(),
        _ => true,
    }
}

/// A later refusal says nothing of an earlier send that was lost: that one is looked for for a week.
fn doubts_lawfully(state: &StepState, seen: &Evidence, one: &Move) -> bool {
    let is_refused = matches!(state.answer, Answer::Refused(..)) && state.turned.is_none();
    let is_doubtful = is_refused && state.doubtful_sends > 0 && state.removal == Removal::Untouched;
    match one {
        Move::End(outcome, ..) => {
            !outcome.is_final() || !is_doubtful || state.seen.is_some() || seen.overdue
        }
        _ => true,
    }
}

/// Nobody is told of a gap, or of something to be put back, that is none.
fn tells_lawfully(state: &StepState, one: &Move) -> bool {
    let is_removed = state.removal == Removal::Done;
    match one {
        Move::End(_, Why::Gap { .. }, _) => is_removed,
        Move::End(_, Why::NotPutBack { .. } | Why::PutBack { .. }, _) => state.turned.is_some(),
        Move::End(Outcome::NotTried, ..) => !state.is_touched(),
        _ => true,
    }
}

/// After a stop nothing is begun and nothing waited for; only a gap gets its one send.
fn stops_lawfully(state: &StepState, seen: &Evidence, one: &Move) -> bool {
    let is_first = matches!(state.answer, Answer::Unsent | Answer::NotSent(_));
    let fills = state.removal != Removal::Untouched && state.seen.is_none() && is_first;
    !seen.stopped
        || match one {
            Move::Send => fills && state.is_gap(),
            Move::Read | Move::Fetch => fills,
            Move::Wait
            | Move::BackUp
            | Move::Remove
            | Move::Verify(_)
            | Move::SetDetails(_)
            | Move::LookAtNamed => false,
            Move::NoteRemoved
            | Move::NoteSeen(_)
            | Move::Hide(_)
            | Move::TurnRound(..)
            | Move::TurnBack
            | Move::End(..) => true,
        }
}

pub fn name(one: &Move) -> &'static str {
    match one {
        Move::Read => "Read",
        Move::Fetch => "Fetch",
        Move::BackUp => "BackUp",
        Move::Remove => "Remove",
        Move::NoteRemoved => "NoteRemoved",
        Move::Send => "Send",
        Move::LookAtNamed => "LookAtNamed",
        Move::NoteSeen(_) => "NoteSeen",
        Move::Hide(_) => "Hide",
        Move::Verify(_) => "Verify",
        Move::SetDetails(_) => "SetDetails",
        Move::TurnRound(..) => "TurnRound",
        Move::TurnBack => "TurnBack",
        Move::Wait => "Wait",
        Move::End(..) => "End",
    }
}
