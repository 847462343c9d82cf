//! Makes one move and writes down what came of it.

mod fetch;
mod new;
mod old;
mod read;
mod send;
mod twins;

use crate::domain::{Link, LinkOrigin, LinkStatus, Refusal, RefusalReason, RemoteId};
use crate::manifest::ConflictStrategy;
use crate::plan::ConflictReason;
use crate::plan::reconcile::{Answer, Cause, Entry, GivenUp, Move, Outcome, Why};
use crate::state::Effects;

use super::super::error::EngineError;
use super::run::Run;
use super::task::Task;

impl Run<'_> {
    /// Makes the move.
    pub(super) async fn perform(&self, task: &mut Task, one: Move) -> Result<(), EngineError> {
        match one {
            Move::Read => self.read_for(task).await,
            Move::Fetch => self.fetch(task).await,
            Move::BackUp => self.back_up(task).await,
            Move::Remove => self.remove(task).await,
            Move::NoteRemoved => self.note_removed(task),
            Move::Send => self.send(task).await,
            Move::LookAtNamed => self.look_at_named(task).await,
            Move::NoteSeen(id) => self.note_seen(task, id).await,
            Move::Hide(id) => self.hide(task, &id).await,
            Move::Verify(id) => self.verify(task, &id).await,
            Move::SetDetails(id) => self.set_details(task, &id).await,
            Move::TurnRound(reason, message, question) => {
                self.turn_round(task, reason, message, question)
            }
            Move::TurnBack => self.turn_back(task),
            // The queue lets time pass.
            Move::Wait => Ok(()),
            Move::End(outcome, why, cause) => self.end(task, outcome, why, cause),
        }
    }

    /// From here on the old one is put back.
    fn turn_round(
        &self,
        task: &mut Task,
        reason: RefusalReason,
        message: String,
        question: Option<ConflictReason>,
    ) -> Result<(), EngineError> {
        self.remember_refusal(task, reason, &message)?;
        task.run = std::mem::take(&mut task.run).turned();
        task.write(self, Entry::TurnedRound { reason, message, question })
    }

    /// What was sent first has come late: that one is put, and the old one is not.
    fn turn_back(&self, task: &mut Task) -> Result<(), EngineError> {
        task.run = std::mem::take(&mut task.run).turned();
        task.write(self, Entry::TurnedBack)?;
        self.recall_details(task);
        self.aim(task);
        self.assign_arrivals(&task.step.destination.account);
        Ok(())
    }

    /// Ends a step, with the pair that it made.
    fn end(
        &self,
        task: &mut Task,
        outcome: Outcome,
        why: Why,
        cause: Option<Cause>,
    ) -> Result<(), EngineError> {
        if let Why::NotHidden { message } = &why {
            self.stop_private(task, message);
        }
        match (&outcome, &why) {
            (Outcome::Adopted, Why::Same { id }) => return self.adopt(task, &id.clone()),
            (Outcome::Failed, Why::NotKept { id, .. }) => {
                return self.leave_what_was_not_kept(task, &id.clone());
            }
            // Sent again and again, what shows itself very late would be there again and again.
            (Outcome::Failed, Why::NeverArrived)
                if self.was_so_before(task, is_never_arrived)? =>
            {
                let reason = RefusalReason::RejectedByDestination;
                self.remember_refusal(task, reason, &why.to_string())?;
            }
            (Outcome::Failed, Why::RefusedAsDuplicate) => {
                let reason = RefusalReason::DuplicateAtDestination;
                self.remember_refusal(task, reason, &why.to_string())?;
            }
            // Sent again, it would be refused again.
            (Outcome::Asked { .. }, Why::InItsPlace { id, .. }) if !task.is_restore() => {
                let reason = RefusalReason::DuplicateAtDestination;
                let found = self.refusal(task, reason, &why.to_string());
                self.note_refusal(task, Refusal { candidate: Some(id.clone()), ..found })?;
            }
            (Outcome::Asked { .. }, Why::BothThere) if !task.is_restore() => {
                let reason = RefusalReason::ChangedOnBothSides;
                let found = self.refusal(task, reason, &why.to_string());
                self.note_refusal(task, Refusal { candidate: self.put_back(task), ..found })?;
            }
            // Else the next plan would find the new one and be content.
            (Outcome::Asked { .. }, Why::OldChangedMeanwhile) => {
                let reason = RefusalReason::ChangedOnBothSides;
                self.remember_refusal(task, reason, &why.to_string())?;
            }
            _ => {}
        }
        if why == Why::RemovedMeanwhile {
            return self.leave_what_was_removed(task, outcome, why);
        }
        let seen = task.state.seen.clone().filter(|_| outcome == Outcome::Confirmed);
        let row = seen.and_then(|id| self.listed(&task.step.destination.account, &id));
        let link = row.as_ref().and_then(|row| task.link(self, Some(row), LinkOrigin::Placed));
        let why = self.noted(task, &outcome, why);
        let effects = Effects { link: link.as_ref(), listed: row.as_deref(), gone: None };
        task.write_with(self, Entry::Ended { outcome, why, cause }, effects)
    }

    /// The old one, where both it and the new one are there.
    fn put_back(&self, task: &Task) -> Option<RemoteId> {
        let open = self.open.borrow();
        let earlier = || open.get(task.number)?.earlier.listed();
        task.state.turned.as_ref().and_then(|_| task.state.seen.clone()).or_else(earlier)
    }

    /// A person removed what the step had brought: the pair stays known, so that no plan brings it
    /// back.
    fn leave_what_was_removed(
        &self,
        task: &mut Task,
        outcome: Outcome,
        why: Why,
    ) -> Result<(), EngineError> {
        let link = task.pending_link(self, task.state.seen.clone());
        let link = link.map(|link| Link { status: LinkStatus::Confirmed, ..link });
        let effects = Effects { link: link.as_ref(), ..Effects::default() };
        task.write_with(self, Entry::Ended { outcome, why, cause: None }, effects)
    }

    /// What the owner should know although the step ended well.
    fn noted(&self, task: &Task, outcome: &Outcome, why: Why) -> Why {
        let is_good = matches!(outcome, Outcome::Confirmed | Outcome::Restored);
        let took_away = task.step.destination.id.clone().zip(task.state.backup.clone());
        match (&task.run.undetailed, &task.run.unverified) {
            (Some(lacking @ Why::DetailsLacking { .. }), _) if is_good => lacking.clone(),
            (_, Some(recomputed @ Why::Recomputed { .. })) if is_good => recomputed.clone(),
            _ if task.is_restore() && *outcome == Outcome::Confirmed => {
                took_away.map_or(why, |(id, backup)| Why::TookAway { id, backup })
            }
            _ => why,
        }
    }

    /// Takes what is there already for the step's own. Where the rule compares contents, the next plan
    /// does so before the pair is linked.
    pub(super) fn adopt(&self, task: &mut Task, id: &RemoteId) -> Result<(), EngineError> {
        task.begin(self)?;
        let rules = &self.session.manifest.rules;
        let rule = rules.iter().find(|rule| rule.name == task.step.rule);
        // What is to be replaced is only taken for the new one where it holds the very same bytes.
        let is_equal = task.step.destination.id.as_ref() == Some(id);
        let is_linked =
            is_equal || rule.is_none_or(|rule| rule.strategy == ConflictStrategy::SkipExisting);
        let row = self.listed(&task.step.destination.account, id);
        let linked = row.as_ref().filter(|_| is_linked);
        let link = linked.and_then(|row| task.link(self, Some(row), LinkOrigin::Found));
        self.claim(task, id);
        let (outcome, why) = (Outcome::Adopted, Why::Same { id: id.clone() });
        let effects = Effects { link: link.as_ref(), listed: row.as_deref(), gone: None };
        task.write_with(self, Entry::Ended { outcome, why, cause: None }, effects)
    }

    /// What a destination always does to a file must not become a replace of every day: the first time
    /// the next plan compares what is there, the second time the pair is left as it is.
    fn leave_what_was_not_kept(&self, task: &mut Task, id: &RemoteId) -> Result<(), EngineError> {
        let again = self.was_so_before(task, |why| matches!(why, Why::NotKept { .. }))?;
        let why = Why::NotKept { id: id.clone(), again };
        let mut link = None;
        if !again {
            self.session.store.remove_links_to(task.row.destination, id)?;
        } else if task.state.deletes_first {
            let row = self.listed(&task.step.destination.account, id);
            link = row.and_then(|row| task.link(self, Some(&row), LinkOrigin::Placed));
        } else {
            // Each further look would leave another copy there.
            let reason = RefusalReason::RejectedByDestination;
            let found = self.refusal(task, reason, &why.to_string());
            self.note_refusal(task, found.without_looks())?;
        }
        let effects = Effects { link: link.as_ref(), ..Effects::default() };
        let cause = Some(Cause::Other);
        task.write_with(self, Entry::Ended { outcome: Outcome::Failed, why, cause }, effects)
    }

    /// Whether an earlier step about the same activity as it is now ended so.
    fn was_so_before(
        &self,
        task: &Task,
        is_so: impl Fn(&Why) -> bool,
    ) -> Result<bool, EngineError> {
        let row = &task.row;
        let earlier =
            self.session.store.steps_about(row.source, &row.source_id, row.destination)?;
        let mut about = earlier.iter().filter(|record| is_same_source(record, task));
        Ok(about.any(|record| {
            let mut entries = record.entries.iter();
            entries.any(|written| matches!(&written.entry, Entry::Ended { why, .. } if is_so(why)))
        }))
    }

    /// Remembers a refusal as a look of today; the first look at it fails the step.
    pub(super) fn remember_refusal(
        &self,
        task: &mut Task,
        reason: RefusalReason,
        detail: &str,
    ) -> Result<(), EngineError> {
        // A person asks for a restore anew, and is told anew.
        if task.is_restore() {
            return Ok(());
        }
        self.note_refusal(task, self.refusal(task, reason, detail))
    }

    pub(super) fn refusal(&self, task: &Task, reason: RefusalReason, detail: &str) -> Refusal {
        let source = &task.step.source;
        let now = self.session.clock().now();
        let found =
            Refusal::found(source.id.clone(), source.fingerprint.clone(), reason, detail, now);
        let candidate = match &task.state.answer {
            Answer::Duplicate(named) if reason == RefusalReason::DuplicateAtDestination => {
                named.clone()
            }
            _ if reason == RefusalReason::ChangedOnBothSides => task.step.destination.id.clone(),
            _ => None,
        };
        Refusal { candidate, ..found }
    }

    pub(super) fn note_refusal(&self, task: &mut Task, found: Refusal) -> Result<(), EngineError> {
        let (from, to) = (task.row.source, task.row.destination);
        let refusal = self.session.store.note_refusal(from, to, &task.step.address, found)?;
        task.run.refused_before = !refusal.is_first_look();
        Ok(())
    }

    /// Gives a step up in this run: nothing was sent or removed by the call that failed.
    fn give_up(&self, task: &mut Task, why: Why, cause: Cause) {
        task.run.given_up = Some(GivenUp { outcome: Outcome::Failed, why, cause: Some(cause) });
    }
}

fn is_never_arrived(why: &Why) -> bool {
    *why == Why::NeverArrived
}

fn is_same_source(record: &crate::state::StepRecord, task: &Task) -> bool {
    record.entries.iter().any(|written| match &written.entry {
        Entry::Intended { step, .. } => step.source.fingerprint == task.step.source.fingerprint,
        _ => false,
    })
}
