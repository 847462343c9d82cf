//! What the open steps of a run look for, where, and whose counterparts are known already.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::Date;

use crate::domain::{AccountName, RemoteId};
use crate::plan::Pair;
use crate::plan::reconcile::{Answer, Arrival, Payload, Removal, StepState};

use super::super::plan::utc_day;
use super::run::Run;
use super::task::Task;
use super::view::{day_after, day_before};

/// Where an open step looks, and for what.
pub(super) struct Aim {
    pub(super) account: AccountName,
    days: (Date, Date),
    /// What was sent last.
    pub(super) last: Sought,
    /// What was sent before it turned round.
    pub(super) earlier: Sought,
}

impl Aim {
    /// The days that matter: the first and the last one are read for what starts at their edges.
    pub(super) fn looks_at(&self) -> (Date, Date) {
        (day_after(self.days.0), day_before(self.days.1))
    }

    /// The activities that are this step's: as the platform named them, and as they are listed.
    fn ids(&self) -> impl Iterator<Item = &RemoteId> {
        self.last.ids().chain(self.earlier.ids())
    }

    /// Whether others see what was sent, although only its athlete may.
    fn is_exposed(&self) -> bool {
        [&self.last, &self.earlier].into_iter().any(Sought::is_exposed)
    }
}

/// Something that was sent, perhaps, and is looked for.
#[derive(Default)]
pub(super) struct Sought {
    sent: Option<Sent>,
    /// What of that is listed.
    pub(super) arrival: Option<Arrival>,
}

impl Sought {
    fn ids(&self) -> impl Iterator<Item = &RemoteId> {
        let named = self.sent.as_ref().and_then(|sent| sent.named.as_ref());
        named.into_iter().chain(self.arrival.as_ref().map(|arrival| &arrival.id))
    }

    pub(super) fn listed(&self) -> Option<RemoteId> {
        self.sent.as_ref().and(self.arrival.as_ref()).map(|arrival| arrival.id.clone())
    }

    fn is_exposed(&self) -> bool {
        let is_to_be_hidden = self.sent.as_ref().is_some_and(|sent| sent.is_to_be_hidden);
        is_to_be_hidden && self.ids().next().is_some()
    }
}

/// What an open step has sent.
pub(super) struct Sent {
    pub(super) payload: Payload,
    pub(super) named: Option<RemoteId>,
    pub(super) is_seen: bool,
    /// Whether it is to be hidden, and is not as far as is known.
    is_to_be_hidden: bool,
    pub(super) is_doubtful: bool,
    pub(super) excluded: HashSet<RemoteId>,
}

/// One of the two things that a step may have sent: its number, and whether it is the earlier one.
pub(super) type Which = (usize, bool);

/// The aims of all open steps, by their numbers.
#[derive(Default)]
pub(super) struct Aims {
    by_step: BTreeMap<usize, Aim>,
    /// The ids of every aim, so that an activity's step is found without asking each of them.
    owners: BTreeSet<(AccountName, RemoteId, usize)>,
}

impl Aims {
    pub(super) fn get(&self, step: usize) -> Option<&Aim> {
        self.by_step.get(&step)
    }

    /// The aims at an account.
    pub(super) fn at(&self, account: &AccountName) -> impl Iterator<Item = (usize, &Aim)> {
        let aims = self.by_step.iter().map(|(step, aim)| (*step, aim));
        aims.filter(move |(_, aim)| aim.account == *account)
    }

    pub(super) fn put(&mut self, step: usize, aim: Aim) {
        self.take(step);
        self.owners.extend(aim.ids().map(|id| (aim.account.clone(), id.clone(), step)));
        self.by_step.insert(step, aim);
    }

    pub(super) fn take(&mut self, step: usize) -> Option<Aim> {
        let aim = self.by_step.remove(&step)?;
        for id in aim.ids() {
            self.owners.remove(&(aim.account.clone(), id.clone(), step));
        }
        Some(aim)
    }

    /// What the steps have sent to an account.
    pub(super) fn sent_to(&self, account: &AccountName) -> impl Iterator<Item = (Which, &Sent)> {
        self.at(account).flat_map(|(step, aim)| {
            let last = aim.last.sent.as_ref().map(|sent| ((step, false), sent));
            let earlier = aim.earlier.sent.as_ref().map(|sent| ((step, true), sent));
            last.into_iter().chain(earlier)
        })
    }

    /// Notes what of a step is listed.
    pub(super) fn note_arrival(&mut self, (step, is_earlier): Which, arrival: Option<Arrival>) {
        if let Some(mut aim) = self.take(step) {
            let sought = if is_earlier { &mut aim.earlier } else { &mut aim.last };
            sought.arrival = arrival;
            self.put(step, aim);
        }
    }

    /// The steps that an activity belongs to.
    fn owners(&self, account: &AccountName, id: &RemoteId) -> impl Iterator<Item = usize> {
        let key = |step| (account.clone(), id.clone(), step);
        self.owners.range(key(0)..=key(usize::MAX)).map(|(.., step)| *step)
    }

    /// Whether an activity is what an open step has sent, as it is listed.
    pub(super) fn has_arrived(&self, account: &AccountName, id: &RemoteId) -> bool {
        let arrivals =
            self.owners(account, id).filter_map(|step| self.get(step)?.last.arrival.as_ref());
        arrivals.into_iter().any(|arrival| arrival.id == *id)
    }
}

impl Run<'_> {
    /// Remembers where a step looks.
    pub(super) fn aim(&self, task: &Task) {
        let start = task.state.payload.as_ref().map_or(task.step.key.start, |p| p.start);
        let days = [utc_day(start), utc_day(task.step.key.start)];
        let first = day_before(days[0].min(days[1]));
        let last_day = day_after(days[0].max(days[1]));
        let is_sent = self.may_have_arrived(task);
        let last = task.state.payload.as_ref().filter(|_| is_sent).map(|payload| Sent {
            payload: payload.clone(),
            named: task.state.known_id().cloned(),
            is_seen: task.state.seen.is_some(),
            is_to_be_hidden: task.state.must_hide() && task.state.may_be_shown(),
            is_doubtful: is_doubtful(&task.state) || task.state.earlier.is_some(),
            excluded: &self.excluded(task, payload) | &task.run.other,
        });
        let earlier = task.state.earlier.as_ref().map(|payload| Sent {
            payload: payload.clone(),
            named: None,
            is_seen: false,
            is_to_be_hidden: task.state.must_hide_earlier() && task.state.earlier_hidden.is_none(),
            is_doubtful: true,
            excluded: self.excluded(task, payload),
        });
        let account = task.step.destination.account.clone();
        let mut open = self.open.borrow_mut();
        let before = open.take(task.number);
        let (one, two) = before.map(|aim| (aim.last.arrival, aim.earlier.arrival)).unzip();
        let last = Sought { sent: last, arrival: one.flatten() };
        let arrival = two.flatten().filter(|_| earlier.is_some());
        let earlier = Sought { sent: earlier, arrival };
        open.put(task.number, Aim { account, days: (first, last_day), last, earlier });
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
        self.open.borrow_mut().take(task.number);
    }

    /// Whether an account's ids are names, and a name is free again once nothing lies there.
    pub(super) fn reuses_ids(&self, account: &AccountName) -> bool {
        self.account(account).is_some_and(|open| open.capabilities.lists_bytes)
    }

    /// As [`Run::free_names`], of one name.
    pub(super) fn free_name(&self, account: &AccountName, id: &RemoteId) {
        if self.reuses_ids(account) {
            self.counterparts.borrow_mut().remove(&(account.clone(), id.clone()));
        }
    }

    /// Forgets whose counterparts stood under names where nothing lies any more.
    pub(super) fn free_names(&self, account: &AccountName) {
        if self.reuses_ids(account) {
            let is_listed = |id: &RemoteId| self.listed(account, id).is_some();
            let mut counterparts = self.counterparts.borrow_mut();
            counterparts.retain(|(name, id), _| name != account || is_listed(id));
        }
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

    /// What another state has found to be the counterpart of a step's own source may be what the step
    /// has sent.
    pub(super) fn leave_own_pairs(&self, tasks: &[Task]) {
        let sent = tasks.iter().filter(|task| task.state.is_in_doubt());
        let own: HashMap<_, &Task> =
            sent.map(|task| ((task.row.source, &task.row.source_id), task)).collect();
        self.counterparts.borrow_mut().retain(|(account, id), (row, source)| {
            own.get(&(*row, &*source)).is_none_or(|task| {
                task.step.destination.account != *account || task.excluded.contains(id)
            })
        });
    }

    /// Whether what a step has sent is to be hidden, and can be.
    pub(super) fn can_be_hidden(&self, task: &Task) -> bool {
        self.open.borrow().get(task.number).is_some_and(Aim::is_exposed)
    }

    /// Whether a step may be about to send something private while another such is shown.
    pub(super) fn waits_for_another(&self, task: &Task) -> bool {
        let may_send = matches!(task.state.answer, Answer::UnderWay | Answer::Lost)
            && task.state.seen.is_none();
        may_send && self.exposes_two(task)
    }

    /// Whether what a step sends must be hidden, and another such is shown already.
    pub(super) fn exposes_two(&self, task: &Task) -> bool {
        let (open, account) = (self.open.borrow(), &task.step.destination.account);
        let mut others = open.at(account).filter(|(step, _)| *step != task.number);
        task.state.must_hide() && others.any(|(_, aim)| aim.is_exposed())
    }

    /// Whether an activity of a destination is what another open step has sent.
    pub(super) fn belongs_to_another(&self, task: &Task, id: &RemoteId) -> bool {
        let open = self.open.borrow();
        open.owners(&task.step.destination.account, id).any(|step| step != task.number)
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

/// Whether nobody has answered for what a step has sent, and the next plan compares it if it is not
/// told now. What replaces something is compared anyway; what must be hidden is hidden, whosever.
fn is_doubtful(state: &StepState) -> bool {
    let is_taken = matches!(state.answer, Answer::Taken(_));
    !is_taken && !state.replaces && !state.must_hide()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim(account: &str, arrival: Option<&str>) -> Aim {
        let day = "2026-05-01".parse().unwrap();
        let arrival = arrival.map(|id| Arrival { id: RemoteId::new(id), is_sure: true });
        let last = Sought { sent: None, arrival };
        let account = AccountName::new(account);
        Aim { account, days: (day, day), last, earlier: Sought::default() }
    }

    /// An id of one account says nothing about the same id of another one, and a step that looks
    /// elsewhere or rests holds none.
    #[test]
    fn an_activity_belongs_to_the_steps_that_hold_it_now() {
        let mut aims = Aims::default();
        let (there, elsewhere) = (AccountName::new("there"), AccountName::new("elsewhere"));
        let [one, other] = ["1", "2"].map(RemoteId::new);
        aims.put(0, aim("there", Some("1")));
        aims.put(1, aim("elsewhere", None));
        assert!(aims.has_arrived(&there, &one) && !aims.has_arrived(&elsewhere, &one));
        let arrival = Arrival { id: other.clone(), is_sure: false };
        aims.note_arrival((0, false), Some(arrival));
        assert!(!aims.has_arrived(&there, &one) && aims.has_arrived(&there, &other));
        assert_eq!(aims.owners(&there, &other).collect::<Vec<_>>(), [0]);
        aims.note_arrival((0, false), None);
        assert!(!aims.has_arrived(&there, &other));
        aims.put(1, aim("elsewhere", Some("2")));
        aims.take(1);
        assert!(aims.owners.is_empty());
    }
}
