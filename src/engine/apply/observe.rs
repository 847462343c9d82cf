//! Looks at a step and answers with values; changes nothing.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::age;

use crate::domain::{AccountName, Activity, Details, Editable, LinkStatus, RemoteId};
use crate::plan::reconcile::{
    Answer, Arrival, Candidate, Cause, Days, Evidence, GivenUp, Named, Old, Outcome, Source,
    Surroundings, There, Visibility, Why, assign, there, told_apart,
};
use crate::plan::{Action, ConflictReason, is_ruled_out, may_hold, wants};

use super::super::plan::utc_day;
use super::run::Run;
use super::task::Task;
use super::view::{Reading, View};

/// How long a reading is believed.
pub(super) const BELIEVED: Duration = Duration::from_secs(10 * 60);
/// Looks within the time that an account may need to show what it took.
pub(super) const LOOKS: u32 = 4;

impl Run<'_> {
    /// Everything that is to be seen of a step at this moment.
    pub(super) fn observe(&self, task: &Task) -> Evidence {
        Evidence {
            days: self.days(task),
            arrival: self.arrival(task).map(|arrival| arrival.id),
            earlier: self.open.borrow().get(task.number).and_then(|aim| aim.earlier.listed()),
            visibility: task.run.visibility.clone().unwrap_or(Visibility::TooWide),
            unverified: task.run.unverified.clone(),
            undetailed: task.run.undetailed.clone(),
            details_due: self.details_due(task),
            there: self.there(task),
            old: self.old(task),
            source: self.source(task),
            is_wanted: self.is_wanted_still(task),
            named: task.run.named.clone().unwrap_or(Named::Unasked),
            bytes: task.run.bytes.is_some() && task.state.payload.is_some(),
            settled: self.is_settled(task),
            paused: self.has_passed(task.state.sent_at, LOOKS, task)
                || task.run.first_sent_at.is_none(),
            overdue: self.is_overdue(task),
            sent_now: task.run.first_sent_at.is_some(),
            asked_now: task.run.asked_to_remove,
            refused_before: task.run.refused_before,
            given_up: self.given_up(task),
            stopped: self.session.stop.is_requested(),
        }
    }

    /// From when on a destination's time to settle counts: in each run anew, so that what is late is
    /// looked for more than once; for an answer that may be repeated from the first time in this run.
    fn since(&self, task: &Task) -> Option<Timestamp> {
        match task.state.answer {
            Answer::Duplicate(_) => {
                task.run.first_sent_at.or_else(|| Some(self.session.clock().now()))
            }
            _ => task.state.changed_at.map(|changed| changed.max(self.began)),
        }
    }

    /// Whether what was sent would have been listed when its days were read last, and nothing stands
    /// against another send.
    fn is_settled(&self, task: &Task) -> bool {
        let wait = self.settling(&task.step.destination.account);
        let read = self.reading_of(task).map(|reading| reading.at);
        let seen = read.unwrap_or_else(|| self.session.clock().now());
        let is_over = self.since(task).is_none_or(|since| age(seen, since) >= wait);
        (is_over || task.run.waits > 2 * LOOKS) && !self.waits_for_another(task)
    }

    /// Whether a share of an account's time to settle has passed.
    pub(super) fn has_passed(&self, since: Option<Timestamp>, share: u32, task: &Task) -> bool {
        let wait = self.settling(&task.step.destination.account) / share;
        since.is_none_or(|since| age(self.session.clock().now(), since) >= wait)
    }

    fn is_overdue(&self, task: &Task) -> bool {
        let Some(since) = task.state.taken_at.or(task.state.sent_at) else { return false };
        let sent = LinkStatus::Pending { since, full_reads: task.state.rests + 1 };
        sent.never_appeared(utc_day(self.session.clock().now()))
    }

    /// What the newest reading of the step's days is worth.
    pub(super) fn days(&self, task: &Task) -> Days {
        let account = &task.step.destination.account;
        let (open, views) = (self.open.borrow(), self.views.borrow());
        let (Some(aim), Some(view)) = (open.get(task.number), views.get(account)) else {
            return Days::Due;
        };
        let (first, last) = aim.looks_at();
        let whole = view.reading(first, last).filter(|reading| self.holds(task, reading));
        let partly = view.partly(first, last).filter(|reading| self.holds(task, reading));
        let after = task.run.changed.max(partly.map_or(0, |reading| reading.order));
        match (whole, view.failure(after), partly) {
            (Some(_), ..) => match self.hiding(task, view) {
                Some(message) => Days::Unread(message, Cause::Unavailable),
                None => Days::Complete,
            },
            (None, Some((message, cause)), _) => Days::Unread(message, cause),
            (None, None, Some(_)) => Days::Incomplete,
            (None, None, None) => Days::Due,
        }
    }

    /// The complete reading of a step's days that is believed, if there is one.
    fn reading_of(&self, task: &Task) -> Option<Reading> {
        let (open, views) = (self.open.borrow(), self.views.borrow());
        let (first, last) = open.get(task.number)?.looks_at();
        let reading = views.get(&task.step.destination.account)?.reading(first, last)?;
        self.holds(task, &reading).then_some(reading)
    }

    /// Whether a reading is young, and none of what the step has done since.
    fn holds(&self, task: &Task, reading: &Reading) -> bool {
        let now = self.session.clock().now();
        reading.order >= task.run.changed && age(now, reading.at) <= BELIEVED
    }

    /// The file that may hold what a step is about and cannot be opened, if there is one.
    fn hiding(&self, task: &Task, view: &View) -> Option<String> {
        let account = &task.step.destination.account;
        let profile = self.account(account).and_then(|open| open.profile.id.as_ref());
        let payload = task.state.payload.as_ref().map(|payload| payload.start);
        let start = payload.unwrap_or(task.step.key.start);
        let mut files = view.unopened().filter(|file| may_hold(file, Some(start)));
        let file =
            files.find(|file| !is_ruled_out(&self.memory.decisions, account, profile, file))?;
        Some(format!("{account}: {} {}", file.id, file.unopened()?))
    }

    /// What a step has sent, as it is listed.
    pub(super) fn arrival(&self, task: &Task) -> Option<Arrival> {
        self.open.borrow().get(task.number)?.last.arrival.clone()
    }

    /// Finds what the open steps of an account have sent, all together.
    pub(super) fn assign_arrivals(&self, account: &AccountName) {
        let views = self.views.borrow();
        let Some(view) = views.get(account) else { return };
        let open = self.open.borrow();
        let sent = open.sent_to(account).map(|(which, sent)| {
            let named = sent.named.as_ref();
            let (payload, excluded) = (&sent.payload, &sent.excluded);
            let (is_seen, is_doubtful) = (sent.is_seen, sent.is_doubtful);
            (which, Candidate { payload, named, is_seen, is_doubtful, excluded })
        });
        let (steps, candidates): (Vec<_>, Vec<Candidate<'_>>) = sent.unzip();
        if steps.is_empty() {
            return;
        }
        let rows: Vec<_> = view.rows().collect();
        let counterparts = self.counterparts.borrow();
        let is_taken = |id: &RemoteId| {
            counterparts.contains_key(&(account.clone(), id.clone())) || view.has_moved(id)
        };
        let found = assign(&candidates, &rows, is_taken);
        drop(open);
        let mut open = self.open.borrow_mut();
        for (which, arrival) in steps.into_iter().zip(found) {
            open.note_arrival(which, arrival);
        }
    }

    /// Whether the new one is to get what people wrote about the old one.
    fn details_due(&self, task: &Task) -> bool {
        let editable =
            self.account(&task.step.destination.account).map(|a| a.capabilities.editable);
        let details = task.run.details.as_ref().zip(editable);
        details.is_some_and(|(details, can)| carried(details, can) != Details::default())
    }

    fn old(&self, task: &Task) -> Old {
        let destination = &task.step.destination;
        let Some(id) = destination.id.as_ref() else { return Old::Gone };
        let row = self.listed(&destination.account, id);
        match row {
            // Some platforms give the new one the old one's id.
            Some(_) if task.state.seen.as_ref() == Some(id) => Old::Gone,
            Some(row) if Some(&row.fingerprint) == destination.fingerprint.as_ref() => {
                Old::AsPlanned
            }
            Some(_) => Old::Changed,
            None if self.days(task) == Days::Complete => Old::Gone,
            None => Old::Unknown,
        }
    }

    fn source(&self, task: &Task) -> Source {
        if task.is_restore() {
            return Source::AsPlanned;
        }
        let source = &task.step.source;
        match self.listed(&source.account, &source.id) {
            Some(row) if row.fingerprint == source.fingerprint => Source::AsPlanned,
            Some(_) => Source::Changed,
            None => Source::Gone,
        }
    }

    /// Whether some rule takes a step's activity to its destination still.
    fn is_wanted_still(&self, task: &Task) -> bool {
        let (from, to) = (&task.step.source.account, &task.step.destination.account);
        let Some(row) = self.listed(from, &task.step.source.id) else { return false };
        let rules = self.session.manifest.rules.iter();
        let mut between = rules.filter(|rule| (&rule.source, &rule.destination) == (from, to));
        let today = utc_day(self.session.clock().now());
        between.any(|rule| wants(&rule.filter, &row, today))
    }

    /// Why this run does nothing more about a step.
    fn given_up(&self, task: &Task) -> Option<GivenUp> {
        if let Some(given_up) = &task.run.given_up {
            return Some(given_up.clone());
        }
        let breaker = self.breaker.borrow();
        let not_tried = |message: String, cause| GivenUp {
            outcome: Outcome::NotTried,
            why: Why::GivenUp { message },
            cause,
        };
        let failures = breaker.failures();
        let is_too_many = self.pace.max_failures.is_some_and(|most| failures >= most);
        if is_too_many && !task.state.is_touched() {
            return Some(not_tried(format!("{failures} steps have failed"), None));
        }
        let destination = &task.step.destination.account;
        let accounts = [destination, &task.step.source.account];
        let is_fetched = task.run.bytes.is_some() || matches!(task.state.answer, Answer::Taken(_));
        let needed = accounts.into_iter().take(if is_fetched { 1 } else { 2 });
        let tripped = needed.into_iter().find_map(|account| breaker.tripped(account));
        if let Some((why, cause)) = tripped {
            return Some(not_tried(why.clone(), Some(*cause)));
        }
        let may_send = match task.state.answer {
            Answer::UnderWay | Answer::Lost => task.state.seen.is_none(),
            _ => !task.state.may_have_stored(),
        };
        let stopped = breaker.private_stopped(destination);
        let stopped = stopped.filter(|_| may_send && task.state.must_hide());
        stopped.map(|message| not_tried(message.clone(), Some(Cause::Other)))
    }

    /// What else is at the destination. Where nothing has come there since the plan, and the file
    /// holds the time that was planned for, the plan has looked already.
    fn there(&self, task: &Task) -> There {
        let Some(payload) = task.state.payload.as_ref() else { return There::Nothing };
        let account = &task.step.destination.account;
        let views = self.views.borrow();
        let Some(view) = views.get(account) else { return There::Nothing };
        let open = self.open.borrow();
        let arrived = |id: &RemoteId| open.has_arrived(account, id);
        let counterparts = self.counterparts.borrow();
        let counterpart = |id: &RemoteId| {
            counterparts.get(&(account.clone(), id.clone())).filter(|_| !view.is_another(id))
        };
        let (source, own) = (task.row.source, &task.row.source_id);
        let sibling = |id: &RemoteId| {
            counterpart(id).filter(|(row, of)| *row == source && of != own).map(|(_, of)| of)
        };
        // What a person has removed from the source since stands for nothing there any more.
        let here = views.get(&task.step.source.account);
        let has_vanished = |of: &RemoteId| here.is_some_and(|here| here.has_vanished(of));
        let is_sibling = |id: &RemoteId| sibling(id).is_some_and(|of| !has_vanished(of));
        let is_left = |id: &RemoteId| sibling(id).is_some_and(has_vanished);
        let is_news = self
            .ids_near(&task.step)
            .iter()
            .any(|id| !arrived(id) && (!task.judged.contains(id) || is_left(id)));
        if !is_news && is_as_planned(task) {
            return There::Nothing;
        }
        let rows = view.around(payload.start, payload.elapsed_s);
        let rows: Vec<&Activity> =
            rows.iter().filter(|row| !arrived(&row.id)).map(AsRef::as_ref).collect();
        // What was replaced belongs to the same pair as what stands in its place.
        let is_linked = |id: &RemoteId| {
            !task.is_restore() && counterpart(id).is_some_and(|(row, _)| *row != source)
        };
        let mut excluded = self.told_apart(task, &rows);
        excluded.extend(task.step.destination.id.clone());
        let around = Surroundings {
            rows,
            is_sibling: &is_sibling,
            is_linked: &is_linked,
            excluded,
            reason: task.step.reason,
        };
        match there(&payload.activity(&task.step.source.id), &around) {
            // Another version of it is no backup that was put back.
            There::Same(_) if task.is_restore() => There::Question(ConflictReason::Ambiguous),
            there => there,
        }
    }

    fn told_apart(&self, task: &Task, rows: &[&Activity]) -> Vec<RemoteId> {
        let (source, destination) = (&task.step.source, &task.step.destination.account);
        let Some(row) = self.listed(&source.account, &source.id) else { return Vec::new() };
        let profile = |name| self.account(name).and_then(|open| open.profile.id.as_ref());
        told_apart(
            &self.memory,
            &task.step.rule,
            (&source.account, profile(&source.account), &row),
            (destination, profile(destination)),
            rows,
        )
    }
}

/// Whether a file holds the time that was planned for.
fn is_as_planned(task: &Task) -> bool {
    let planned = &task.step.key;
    task.state.payload.as_ref().is_some_and(|payload| {
        let apart = planned.elapsed_s.zip(payload.elapsed_s).map(|(a, b)| a.abs_diff(b));
        payload.start == planned.start && apart.is_none_or(|seconds| seconds <= 2)
    })
}

/// What of an old activity's details its successor can get. Privacy is only ever narrowed, and that
/// is a matter of its own.
pub(super) fn carried(old: &Details, can: Editable) -> Details {
    Details {
        title: old.title.clone().filter(|_| can.title),
        description: old.description.clone().filter(|_| can.description),
        kind: old.kind.clone().filter(|_| can.kind),
        private: old.private.filter(|private| *private && can.privacy),
        words: old.words.clone(),
    }
}

/// Whether a step replaces something.
pub(super) fn replaces(task: &Task) -> bool {
    task.step.action == Action::Replace
}
