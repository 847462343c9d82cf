//! What a step's journal amounts to, and which entry may follow: the one table of transitions.

use jiff::Timestamp;

use crate::domain::{RefusalReason, RemoteId};
use crate::plan::model::{Action, Protocol, Step};
use crate::plan::reason::ConflictReason;

use super::entry::{Entry, Outcome, Payload};
use super::why::Why;

/// Sends of one payload whose answers may be lost, without a person.
pub const MAX_SENDS: u32 = 2;

/// Everything that is written down about a step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepState {
    /// Whether it was begun.
    pub intended: bool,
    /// Whether it takes an activity away.
    pub replaces: bool,
    /// Whether the old one goes before the new one is sent.
    pub deletes_first: bool,
    /// What is put.
    pub payload: Option<Payload>,
    /// The verified copy of the old one.
    pub backup: Option<String>,
    /// Whether only its athlete could see the old one.
    pub old_private: bool,
    /// What became of the old one.
    pub removal: Removal,
    /// What the destination said about the last send.
    pub answer: Answer,
    /// When the bytes were sent last.
    pub sent_at: Option<Timestamp>,
    /// When the destination was last asked to change anything.
    pub changed_at: Option<Timestamp>,
    /// When the destination first took them.
    pub taken_at: Option<Timestamp>,
    /// Sends without a clear answer.
    pub doubtful_sends: u32,
    /// Sends in all, whatever the answer.
    pub sends: u32,
    /// The new activity, once it was listed.
    pub seen: Option<RemoteId>,
    /// The activity that only its athlete sees, as a look showed.
    pub hidden: Option<RemoteId>,
    /// The activity that holds what was sent.
    pub verified: Option<RemoteId>,
    /// The activity that got the old one's details.
    pub detailed: Option<RemoteId>,
    /// Why the old one is put back instead.
    pub turned: Option<Turned>,
    /// What was sent before it turned round, or back, without a trace: it may show itself still.
    pub earlier: Option<Payload>,
    /// That one, once a look showed that only its athlete sees it.
    pub earlier_hidden: Option<RemoteId>,
    /// Runs in which it rested.
    pub rests: u32,
    /// How it ended, or in what it rests.
    pub ended: Option<Outcome>,
}

/// Why a step puts the old activity back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// What kind of refusal.
    pub reason: RefusalReason,
    /// In the platform's words.
    pub message: String,
    /// The question that stands in the new one's way, if it is one.
    pub question: Option<ConflictReason>,
}

/// What became of the activity that a step takes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Removal {
    /// Nothing was asked for.
    #[default]
    Untouched,
    /// Asked for; the answer is not written down.
    Asked,
    /// Gone.
    Done,
}

/// What the destination said about the last send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// Nothing was sent.
    #[default]
    Unsent,
    /// The send was begun; its answer is not written down.
    UnderWay,
    /// Taken, perhaps under this id.
    Taken(Option<RemoteId>),
    /// Lost.
    Lost,
    /// It holds this already, perhaps as this activity.
    Duplicate(Option<RemoteId>),
    /// Refused for good.
    Refused(RefusalReason, String),
    /// Nothing was taken.
    NotSent(String),
}

/// An entry that cannot follow: a bug, never written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a step's journal cannot go on with {entry:?}")]
pub struct IllegalTransition {
    /// The entry.
    pub entry: Box<Entry>,
}

impl StepState {
    /// Replays a journal.
    ///
    /// # Errors
    /// If an entry cannot follow the ones before it.
    pub fn replay<'e>(
        entries: impl IntoIterator<Item = (&'e Entry, Timestamp)>,
    ) -> Result<Self, IllegalTransition> {
        entries.into_iter().try_fold(Self::default(), |state, (entry, at)| state.apply(entry, at))
    }

    /// The state after one more entry.
    ///
    /// # Errors
    /// If that entry cannot follow.
    pub fn apply(&self, entry: &Entry, at: Timestamp) -> Result<Self, IllegalTransition> {
        if self.allows(entry) {
            Ok(self.after(entry, at))
        } else {
            Err(IllegalTransition { entry: Box::new(entry.clone()) })
        }
    }

    /// The table of legal transitions.
    fn allows(&self, entry: &Entry) -> bool {
        let begun = self.intended && !self.is_over();
        begun
            && match entry {
                Entry::Intended { .. } => false,
                Entry::Fetched { payload } => {
                    self.seen.is_none()
                        && self.payload.as_ref().is_none_or(|known| {
                            known.sha256 == payload.sha256 || !self.is_touched()
                        })
                }
                Entry::BackedUp { .. } => {
                    self.replaces && self.turned.is_none() && self.removal != Removal::Done
                }
                Entry::Removing { .. } => self.may_remove(),
                Entry::Removed { .. } => {
                    self.removal == Removal::Asked || (self.may_remove() && !self.deletes_first)
                }
                Entry::Sending => self.may_send(),
                Entry::Sent { .. }
                | Entry::Unanswered { .. }
                | Entry::Duplicate { .. }
                | Entry::Refused { .. }
                | Entry::NotSent { .. } => self.answer == Answer::UnderWay,
                Entry::Seen { .. } => self.sends > 0 || self.turned.is_some(),
                Entry::Hidden { id } => self.known_id() == Some(id) || self.earlier.is_some(),
                Entry::Verified { id, .. } => self.seen.as_ref() == Some(id),
                Entry::Detailed { id, .. } => self.seen.as_ref() == Some(id),
                Entry::TurnedRound { .. } => {
                    self.is_gap() && self.turned.is_none() && self.backup.is_some()
                }
                Entry::TurnedBack => {
                    self.turned.is_some() && self.earlier.is_some() && self.seen.is_none()
                }
                Entry::Ended { outcome, why, .. } => match why {
                    Why::Forgotten => true,
                    Why::RemovedMeanwhile => self.seen.is_some(),
                    Why::InItsPlace { .. } => self.is_gap() && !self.is_in_doubt(),
                    Why::NeverAppeared | Why::NeverArrived => !self.is_gap() && self.seen.is_none(),
                    _ => self.may_end(*outcome),
                },
            }
            || (!self.intended && matches!(entry, Entry::Intended { .. }))
    }

    /// Nothing goes without a copy that was read back, nor before the new one is here.
    fn may_remove(&self) -> bool {
        let new_one_is_here = match self.deletes_first {
            true => self.payload.is_some() && self.answer == Answer::Unsent,
            false => self.verified.is_some(),
        };
        self.replaces
            && self.turned.is_none()
            && self.backup.is_some()
            && self.removal != Removal::Done
            && new_one_is_here
    }

    /// Nothing is sent twice, nothing beside an old one that should go first, and nothing that is to
    /// take the place of one without a copy.
    fn may_send(&self) -> bool {
        let is_safe = !self.replaces || self.backup.is_some();
        let is_room = !self.replaces || !self.deletes_first || self.removal == Removal::Done;
        let is_free = match self.answer {
            Answer::Unsent | Answer::Duplicate(_) | Answer::NotSent(_) => true,
            // What was put back and never appeared is put back once more.
            Answer::UnderWay | Answer::Lost => {
                self.doubtful_sends < MAX_SENDS || self.turned.is_some()
            }
            Answer::Refused(..) => self.turned.is_some(),
            Answer::Taken(_) => self.turned.is_some(),
        };
        self.payload.is_some() && self.seen.is_none() && is_safe && is_room && is_free
    }

    /// What was removed is there again when a step is over, and what is shown is not shown to more
    /// people than before.
    fn may_end(&self, outcome: Outcome) -> bool {
        let is_shown =
            self.must_hide() && self.known_id().is_some_and(|id| self.hidden.as_ref() != Some(id));
        match outcome {
            Outcome::Confirmed => {
                let old_is_gone = !self.replaces || self.removal == Removal::Done;
                self.turned.is_none()
                    && self.seen.is_some()
                    && (!self.replaces || self.verified == self.seen)
                    && old_is_gone
                    && !is_shown
            }
            Outcome::Restored => self.turned.is_some() && self.verified.is_some() && !is_shown,
            Outcome::Pending | Outcome::Held => self.is_touched(),
            Outcome::Adopted => self.removal != Removal::Done && !self.is_in_doubt() && !is_shown,
            Outcome::Asked { .. } => !self.is_gap() && !self.is_in_doubt(),
            Outcome::Skipped { .. } if self.turned.is_some() => {
                self.verified.is_some() && !is_shown
            }
            Outcome::Failed | Outcome::Stale | Outcome::Skipped { .. } | Outcome::NotTried => {
                !self.is_gap() && !self.is_in_doubt() && !is_shown
            }
        }
    }

    fn after(&self, entry: &Entry, at: Timestamp) -> Self {
        let mut state = Self { ended: None, ..self.clone() };
        match entry {
            Entry::Intended { step, .. } => state.intend(step),
            Entry::Fetched { payload } => state.payload = Some(payload.clone()),
            Entry::BackedUp { backup, private } => {
                state.backup = Some(backup.clone());
                state.old_private = *private;
                state.detailed = None;
            }
            Entry::Removing { .. } => {
                state.removal = Removal::Asked;
                state.changed_at = Some(at);
            }
            Entry::Removed { .. } => {
                state.removal = Removal::Done;
                state.changed_at = Some(at);
            }
            Entry::Sending => {
                if matches!(state.answer, Answer::Taken(_)) || state.doubtful_sends >= MAX_SENDS {
                    (state.taken_at, state.doubtful_sends) = (None, 0);
                }
                state.answer = Answer::UnderWay;
                (state.sent_at, state.changed_at) = (Some(at), Some(at));
                state.sends += 1;
                state.doubtful_sends += 1;
            }
            Entry::Sent { id } => {
                state.answer = Answer::Taken(id.clone());
                state.taken_at = state.taken_at.or(Some(at));
                state.changed_at = Some(at);
            }
            // It may have arrived at the last moment.
            Entry::Unanswered { .. } => {
                state.answer = Answer::Lost;
                state.changed_at = Some(at);
            }
            Entry::Duplicate { existing } => state.cleared(Answer::Duplicate(existing.clone())),
            Entry::Refused { reason, message } => {
                state.cleared(Answer::Refused(*reason, message.clone()));
            }
            Entry::NotSent { message } => state.cleared(Answer::NotSent(message.clone())),
            Entry::Seen { id } => state.seen = Some(id.clone()),
            Entry::Hidden { id } => state.hide(id),
            Entry::Verified { id, .. } => state.verified = Some(id.clone()),
            Entry::Detailed { id, .. } => state.detailed = Some(id.clone()),
            Entry::TurnedRound { reason, message, question } => {
                state.turn(Turned {
                    reason: *reason,
                    message: message.clone(),
                    question: *question,
                });
            }
            Entry::TurnedBack => state.turn_back(),
            Entry::Ended { outcome, .. } => {
                state.ended = Some(*outcome);
                state.rests += u32::from(!outcome.is_final());
            }
        }
        state
    }

    fn intend(&mut self, step: &Step) {
        self.intended = true;
        self.replaces = step.action == Action::Replace;
        self.deletes_first = step.protocol == Some(Protocol::DeleteThenUpload);
    }

    /// A clear answer: that send left nothing behind.
    fn cleared(&mut self, answer: Answer) {
        self.answer = answer;
        self.doubtful_sends = self.doubtful_sends.saturating_sub(1);
    }

    /// From here on the old one is put, and nothing is taken.
    fn turn(&mut self, turned: Turned) {
        self.turned = Some(turned);
        // What was taken and did not show itself for a week is not waited for any longer.
        let is_lost = self.doubtful_sends > 0 && !matches!(self.answer, Answer::Taken(_));
        self.earlier = self.payload.take().filter(|_| is_lost);
        self.answer = Answer::Unsent;
        (self.sent_at, self.taken_at) = (None, None);
        (self.sends, self.doubtful_sends) = (0, 0);
    }

    fn hide(&mut self, id: &RemoteId) {
        let is_own = self.known_id() == Some(id);
        let hidden = if is_own { &mut self.hidden } else { &mut self.earlier_hidden };
        *hidden = Some(id.clone());
    }

    /// What was sent first is there: it is put after all, and sent no more. The put-back may come, too.
    fn turn_back(&mut self) {
        let put_back = self.payload.take().filter(|_| self.doubtful_sends > 0);
        (self.turned, self.payload) = (None, self.earlier.take());
        (self.earlier, self.hidden) = (put_back, self.earlier_hidden.take());
        (self.answer, self.taken_at) = (Answer::Lost, None);
        (self.sends, self.doubtful_sends) = (MAX_SENDS, MAX_SENDS);
    }

    /// Whether the step is over, for better or worse.
    pub fn is_over(&self) -> bool {
        self.ended.is_some_and(Outcome::is_final)
    }

    /// Whether something was removed, or may have been, or something was sent.
    pub fn is_touched(&self) -> bool {
        self.removal != Removal::Untouched || self.may_have_stored() || self.turned.is_some()
    }

    /// Whether something was sent that may be there.
    pub fn may_have_stored(&self) -> bool {
        self.seen.is_some() || self.doubtful_sends > 0
    }

    /// Whether something was sent that nobody has hidden yet.
    pub fn may_be_shown(&self) -> bool {
        self.may_have_stored() && (self.hidden.is_none() || self.hidden.as_ref() != self.known_id())
    }

    /// Whether something was sent of which nobody knows what became.
    pub fn is_in_doubt(&self) -> bool {
        let open = matches!(self.answer, Answer::UnderWay | Answer::Lost | Answer::Taken(_));
        open && self.seen.is_none()
    }

    /// Whether the old one is gone and nothing stands in its place.
    pub fn is_gap(&self) -> bool {
        self.replaces && self.removal == Removal::Done && self.seen.is_none()
    }

    /// Whether what is put may be seen by its athlete only.
    pub fn must_hide(&self) -> bool {
        self.old_private || self.payload.as_ref().is_some_and(|payload| payload.private)
    }

    /// Whether the other one that was sent may be seen by its athlete only.
    pub fn must_hide_earlier(&self) -> bool {
        self.earlier.as_ref().is_some_and(|earlier| self.old_private || earlier.private)
    }

    /// The new activity's id, as it is listed or as the platform said.
    pub fn known_id(&self) -> Option<&RemoteId> {
        match (&self.seen, &self.answer) {
            (Some(id), _) | (None, Answer::Taken(Some(id))) => Some(id),
            (None, _) => None,
        }
    }
}
