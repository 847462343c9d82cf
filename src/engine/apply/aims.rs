//! What the open steps of a run look for, where, and whose counterparts are known already.

use std::collections::HashSet;

use jiff::civil::Date;

use crate::domain::{AccountName, RemoteId};
use crate::plan::Pair;
use crate::plan::reconcile::{Payload, Removal};

use super::super::plan::utc_day;
use super::run::Run;
use super::task::Task;
use super::view::{day_after, day_before};

/// Where an open step looks, and for what.
pub(super) struct Aim {
    pub(super) account: AccountName,
    pub(super) days: (Date, Date),
    pub(super) sent: Option<Sent>,
}

/// What an open step has sent.
pub(super) struct Sent {
    pub(super) payload: Payload,
    pub(super) named: Option<RemoteId>,
    pub(super) is_seen: bool,
    /// Whether it is to be hidden, and is not as far as is known.
    pub(super) is_to_be_hidden: bool,
    pub(super) excluded: HashSet<RemoteId>,
}

impl Run<'_> {
    /// Remembers where a step looks.
    pub(super) fn aim(&self, task: &Task) {
        let start = task.state.payload.as_ref().map_or(task.step.key.start, |p| p.start);
        let days = [utc_day(start), utc_day(task.step.key.start)];
        let first = day_before(days[0].min(days[1]));
        let last = day_after(days[0].max(days[1]));
        let is_sent = self.may_have_arrived(task);
        let sent = task.state.payload.as_ref().filter(|_| is_sent).map(|payload| Sent {
            payload: payload.clone(),
            named: task.state.known_id().cloned(),
            is_seen: task.state.seen.is_some(),
            is_to_be_hidden: task.state.must_hide() && task.state.may_be_shown(),
            excluded: self.excluded(task, payload),
        });
        let account = task.step.destination.account.clone();
        let aim = Aim { account, days: (first, last), sent };
        self.open.borrow_mut().insert(task.number, aim);
    }

    /// Whether something of what a step puts may be there: what was refused is not, and what was just
    /// removed may be listed still.
    fn may_have_arrived(&self, task: &Task) -> bool {
        let state = &task.state;
        let is_forgotten = || self.has_passed(state.changed_at, 1, task);
        state.may_have_stored() || (state.turned.is_some() && is_forgotten())
    }

    /// Ids that a step's arrival cannot have. Under a name that is free again, the bytes tell.
    fn excluded(&self, task: &Task, payload: &Payload) -> HashSet<RemoteId> {
        let account = &task.step.destination.account;
        let is_room = !task.state.replaces || task.state.removal == Removal::Done;
        let holds_it = |id: &&RemoteId| {
            let row = self.listed(account, id);
            row.is_some_and(|row| row.sha256.as_ref() == Some(&payload.sha256))
        };
        let excluded = task.excluded.iter().filter(|id| !is_room || !holds_it(id));
        excluded.cloned().collect()
    }

    /// Forgets a step that rests.
    pub(super) fn lower(&self, task: &Task) {
        self.open.borrow_mut().remove(&task.number);
        self.arrivals.borrow_mut().remove(&task.number);
    }

    /// Notes whose counterpart a destination's activity is.
    pub(super) fn claim(&self, task: &Task, id: &RemoteId) {
        let key = (task.step.destination.account.clone(), id.clone());
        let source = (task.row.source, task.row.source_id.clone());
        self.counterparts.borrow_mut().insert(key, source);
    }

    /// What a step replaces is its own source's counterpart, and no other step's.
    pub(super) fn claim_old_ones(&self, tasks: &[Task]) {
        for task in tasks.iter().filter(|task| task.state.removal != Removal::Done) {
            if let Some(old) = &task.step.destination.id {
                self.claim(task, old);
            }
        }
    }

    /// Whether others see what an open step has sent and only its athlete may see.
    fn is_exposed(&self, number: usize, aim: &Aim) -> bool {
        let is_there =
            |sent: &Sent| sent.named.is_some() || self.arrivals.borrow().contains_key(&number);
        aim.sent.as_ref().is_some_and(|sent| sent.is_to_be_hidden && is_there(sent))
    }

    /// Whether what a step has sent is to be hidden, and can be.
    pub(super) fn can_be_hidden(&self, task: &Task) -> bool {
        let open = self.open.borrow();
        open.get(&task.number).is_some_and(|aim| self.is_exposed(task.number, aim))
    }

    /// Whether a step may be about to send something private while another such is shown.
    pub(super) fn waits_for_another(&self, task: &Task) -> bool {
        let is_another = |(number, aim): (&usize, &Aim)| {
            *number != task.number
                && aim.account == task.step.destination.account
                && self.is_exposed(*number, aim)
        };
        let may_send = task.state.must_hide() && task.state.is_in_doubt();
        may_send && self.open.borrow().iter().any(is_another)
    }

    /// Whether an activity of a destination is what another open step has sent.
    pub(super) fn belongs_to_another(&self, task: &Task, id: &RemoteId) -> bool {
        let (open, arrivals) = (self.open.borrow(), self.arrivals.borrow());
        let mut others = open.iter().filter(|(number, _)| **number != task.number);
        others.any(|(number, aim)| {
            let named = aim.sent.as_ref().and_then(|sent| sent.named.as_ref());
            let arrived = arrivals.get(number).map(|arrival| &arrival.id);
            aim.account == task.step.destination.account
                && (named == Some(id) || arrived == Some(id))
        })
    }

    /// Notes the pairs that the plan found.
    pub(super) fn claim_pairs(&self, pairs: &[Pair]) {
        let mut counterparts = self.counterparts.borrow_mut();
        for pair in pairs {
            let Some((account, id)) = pair.destination.clone() else { continue };
            let Some(source) = self.account(&pair.source.0) else { continue };
            counterparts.insert((account, id), (source.row, pair.source.1.clone()));
        }
    }
}
