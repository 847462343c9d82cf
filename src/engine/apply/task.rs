//! One step on its way: what is written down about it, and what only this run knows.

use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;
use tokio::sync::OwnedSemaphorePermit;

use crate::archive::{AccountRef, Claim, ClaimOwner, ClaimReason};
use crate::domain::{AccountName, Activity, Details, Link, LinkOrigin, LinkStatus, RemoteId, Side};
use crate::event::{Event, Phase};
use crate::plan::Step;
use crate::plan::reconcile::{Cause, Entry, GivenUp, Named, Outcome, StepState, Visibility, Why};
use crate::state::{self, Effects, StepId, StepRecord};

use super::super::error::EngineError;
use super::run::Run;
use super::{StepReport, bytes};

/// A step on its way.
pub(super) struct Task {
    /// Its place among the run's steps.
    pub(super) number: usize,
    pub(super) step: Rc<Step>,
    /// Its row in the journal.
    pub(super) row: state::Step,
    id: Option<StepId>,
    pub(super) state: StepState,
    /// Entries of what changes nothing yet; they are written with the first that does.
    unwritten: Vec<Entry>,
    /// Ids near its start that were judged when it was planned.
    pub(super) judged: HashSet<RemoteId>,
    /// Ids that what it sends cannot have.
    pub(super) excluded: HashSet<RemoteId>,
    pub(super) run: ThisRun,
}

/// What only this run knows of a step.
#[derive(Default)]
pub(super) struct ThisRun {
    /// How it ended in this run, in words.
    end: Option<(Outcome, Why, Option<Cause>)>,
    /// The bytes that are to be sent.
    pub(super) bytes: Option<Rc<Vec<u8>>>,
    /// How many there are, or were.
    length: Option<u64>,
    /// What people wrote about the old one.
    pub(super) details: Option<Details>,
    pub(super) given_up: Option<GivenUp>,
    /// Its source is out of reach: what that means once anything but hiding is to be done.
    pub(super) without_source: Option<GivenUp>,
    pub(super) unverified: Option<Why>,
    pub(super) undetailed: Option<Why>,
    pub(super) visibility: Option<Visibility>,
    pub(super) named: Option<Named>,
    /// Ids that hold something else than what is put now.
    pub(super) other: HashSet<RemoteId>,
    pub(super) refused_before: bool,
    /// Where in the order of events the destination was last changed for it.
    pub(super) changed: u64,
    /// How often it was waited for since its last change; a clock that was set back ends no wait.
    pub(super) waits: u32,
    /// Moves that were made for it.
    pub(super) moves: u32,
    /// Whether this run has asked for the old one's removal.
    pub(super) asked_to_remove: bool,
    /// When its bytes were first sent in this run.
    pub(super) first_sent_at: Option<Timestamp>,
    /// What kind of failure the last answer was, if one.
    pub(super) cause: Option<Cause>,
    /// The last words about it while it goes on.
    message: String,
    /// Its place among those that may write to its destination; given up once it is answered.
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

impl ThisRun {
    /// What stays known when a step turns round: other bytes are sent from here on.
    pub(super) fn turned(self) -> Self {
        Self {
            changed: self.changed,
            permit: self.permit,
            refused_before: self.refused_before,
            ..Self::default()
        }
    }
}

impl Task {
    /// A step that nothing has been done about yet.
    pub(super) fn planned(run: &Run<'_>, number: usize, step: Step) -> Result<Self, EngineError> {
        let accounts = run.pair(&step.source.account, &step.destination.account);
        let Some((source, destination)) = accounts else {
            let account = step.destination.account.clone();
            return Err(EngineError::OtherAccount { account, now: "not open".to_owned() });
        };
        let row = state::Step {
            address: step.address.clone(),
            rule: step.rule.clone(),
            action: step.action.as_str().to_owned(),
            source: source.row,
            source_id: step.source.id.clone(),
            destination: destination.row,
        };
        Ok(Self {
            number,
            judged: run.ids_near(&step).into_iter().collect(),
            step: Rc::new(step),
            row,
            id: None,
            state: StepState::default(),
            unwritten: Vec::new(),
            excluded: HashSet::new(),
            run: ThisRun::default(),
        })
    }

    /// A step that an earlier run began; `None` if its journal does not say what it is about.
    pub(super) fn resumed(number: usize, record: &StepRecord, step: Step) -> Option<Self> {
        let known: HashSet<RemoteId> =
            record.entries.first().and_then(|written| match &written.entry {
                Entry::Intended { known, .. } => Some(known.iter().cloned().collect()),
                _ => None,
            })?;
        Some(Self {
            number,
            step: Rc::new(step),
            row: record.step.clone(),
            id: Some(record.id),
            state: record.state().ok()?,
            unwritten: Vec::new(),
            judged: known.clone(),
            excluded: known,
            run: ThisRun::default(),
        })
    }

    /// Begins the step, with all that a later run needs if this one does not come further.
    pub(super) fn begin(&mut self, run: &Run<'_>) -> Result<(), EngineError> {
        if self.state.intended {
            return Ok(());
        }
        let known = run.ids_near(&self.step);
        self.excluded.extend(known.iter().cloned());
        self.write(run, Entry::Intended { step: Box::new(Step::clone(&self.step)), known })
    }

    /// Notes what the destination lists just before something is sent: none of it is what is sent.
    pub(super) fn note_known(&mut self, run: &Run<'_>) {
        if self.state.is_touched() {
            return;
        }
        let near = run.ids_near(&self.step);
        self.excluded.extend(near.iter().cloned());
        if let Some(Entry::Intended { known, .. }) = self.unwritten.first_mut() {
            *known = near;
        }
    }

    /// How its claims are signed.
    pub(super) fn owner(&self, run: &Run<'_>) -> Result<ClaimOwner, EngineError> {
        let state = run.session.store.state_id()?;
        Ok(ClaimOwner { state, step: self.id.map_or(0, |id| id.0) })
    }

    /// Its claim, which tells another state what this one knows.
    pub(super) fn claim(&self, run: &Run<'_>, why: ClaimReason) -> Result<Claim, EngineError> {
        let account = |name: &AccountName| AccountRef {
            name: name.clone(),
            profile: run.account(name).and_then(|open| open.profile.id.clone()),
        };
        let known = self.excluded.iter().cloned().collect();
        let intended = Entry::Intended { step: Box::new(Step::clone(&self.step)), known };
        let payload = self.state.payload.clone();
        let fetched = payload.map(|payload| Entry::Fetched { payload });
        Ok(Claim {
            owner: self.owner(run)?,
            state: run.session.store.path().map(Path::to_path_buf),
            address: self.step.address.clone(),
            source: account(&self.step.source.account),
            destination: account(&self.step.destination.account),
            at: run.session.clock().now(),
            why,
            journal: [intended].into_iter().chain(fetched).collect(),
        })
    }

    /// Writes down what is known so far, so that the step has a number.
    pub(super) fn journal_it(&mut self, run: &Run<'_>) -> Result<(), EngineError> {
        self.flush(run, Effects::default())
    }

    /// Takes an entry: what changes something is on the disk before this returns.
    pub(super) fn write(&mut self, run: &Run<'_>, entry: Entry) -> Result<(), EngineError> {
        self.write_with(run, entry, Effects::default())
    }

    /// As [`Task::write`], with what the entry changes in the memory.
    #[expect(clippy::needless_pass_by_value, reason = "every caller makes one for this")]
    pub(super) fn write_with(
        &mut self,
        run: &Run<'_>,
        entry: Entry,
        effects: Effects<'_>,
    ) -> Result<(), EngineError> {
        let now = run.session.clock().now();
        let state = self.state.apply(&entry, now)?;
        let is_only_prepared =
            matches!(entry, Entry::Intended { .. } | Entry::Fetched { .. } | Entry::Seen { .. })
                && self.run_is_clean(&entry);
        self.unwritten.push(entry.clone());
        if !is_only_prepared {
            self.flush(run, effects)?;
        }
        self.state = state;
        self.tell(run, &entry);
        let has_claims = self.state.backup.is_some() || self.state.must_hide() || self.is_restore();
        if self.state.is_over() && has_claims {
            bytes::release(run.session, &self.owner(run)?);
        }
        Ok(())
    }

    fn flush(&mut self, run: &Run<'_>, effects: Effects<'_>) -> Result<(), EngineError> {
        let (store, now) = (&run.session.store, run.session.clock().now());
        let entries = std::mem::take(&mut self.unwritten);
        if entries.is_empty() {
            return Ok(());
        }
        match self.id {
            Some(id) => store.record(run.id, (id, &self.row), &entries, effects, now)?,
            None => {
                let id = store.begin_step(run.id, &self.row, &entries, effects, now)?;
                self.id = Some(id);
            }
        }
        Ok(())
    }

    /// Whether an entry may wait for the next one: a crash before it only costs a look.
    fn run_is_clean(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Fetched { .. } => !self.state.is_touched(),
            _ => true,
        }
    }

    fn tell(&mut self, run: &Run<'_>, entry: &Entry) {
        let length = self.run.bytes.as_ref().map(|bytes| bytes.len() as u64);
        self.run.length = length.or(self.run.length);
        self.run.message = match entry {
            Entry::Unanswered { message } => format!("sent, answer lost: {message}"),
            Entry::Ended { why, .. } => why.to_string(),
            _ => String::new(),
        };
        if let Entry::Ended { outcome, why, cause } = entry {
            if let Outcome::Asked { question } = outcome {
                let words = self.run.message.clone();
                let reason = question.as_str();
                self.run.message =
                    if words.is_empty() { reason.to_owned() } else { format!("{reason}: {words}") };
            }
            if matches!(outcome, Outcome::Failed | Outcome::Held) {
                run.breaker.borrow_mut().count_failure();
            }
            self.run.end = Some((*outcome, why.clone(), *cause));
            self.run.bytes = None;
        }
        if let Some(phase) = entry.phase() {
            run.session.emit(Event::Step {
                address: self.step.address.clone(),
                action: self.step.action,
                title: self.step.source.title.clone(),
                bytes: self.run.length.filter(|_| self.state.payload.is_some()),
                phase,
                attempt: self.state.sends.max(1),
                detail: self.run.message.clone(),
            });
        }
    }

    /// Whether this run does nothing more about it.
    pub(super) fn rests(&self) -> bool {
        self.run.end.is_some()
    }

    pub(super) fn applied(&self) -> StepReport {
        let end = self.run.end.as_ref();
        let question = end.and_then(|(outcome, _, _)| match outcome {
            Outcome::Asked { question } => Some(question.as_str().to_owned()),
            _ => None,
        });
        StepReport {
            address: self.step.address.clone(),
            action: self.step.action,
            phase: end.map_or_else(|| self.phase(), |(outcome, ..)| outcome.phase()),
            detail: self.run.message.clone(),
            question,
            cause: end.and_then(|(_, _, cause)| *cause),
        }
    }

    /// How far it came, where a broken run left it.
    fn phase(&self) -> Phase {
        use crate::plan::reconcile::{Answer, Removal};
        match (&self.state.answer, self.state.removal) {
            (Answer::Taken(_), _) => Phase::Sent,
            (Answer::Lost | Answer::UnderWay, _) => Phase::Unknown,
            (_, Removal::Done) => Phase::Removed,
            _ if self.state.backup.is_some() => Phase::BackedUp,
            _ if self.state.payload.is_some() => Phase::Fetched,
            _ => Phase::Intent,
        }
    }

    /// Whether this puts an account's own activity back; then there is no pair to remember.
    pub(super) fn is_restore(&self) -> bool {
        self.step.source.account == self.step.destination.account
    }

    /// Whether what it sends was at its destination before.
    pub(super) fn is_put_back(&self) -> bool {
        self.is_restore() || self.state.turned.is_some()
    }

    /// The pair that this step makes once what was taken is listed, perhaps under this id.
    pub(super) fn pending_link(&self, run: &Run<'_>, id: Option<RemoteId>) -> Option<Link> {
        let payload = self.state.payload.as_ref()?;
        let link = self.link(run, None, LinkOrigin::Placed)?;
        Some(Link { destination: id.map(|id| payload.side(&id)), ..link })
    }

    /// The pair that this step made, unlisted while `listed` is `None`; a restore, and an old one that
    /// was put back, make none.
    pub(super) fn link(
        &self,
        run: &Run<'_>,
        listed: Option<&Activity>,
        origin: LinkOrigin,
    ) -> Option<Link> {
        if self.is_restore() || self.state.turned.is_some() {
            return None;
        }
        let payload = self.state.payload.as_ref();
        let sent = || Some(payload?.side(self.state.known_id()?));
        let status = match listed {
            Some(_) => LinkStatus::Confirmed,
            None => LinkStatus::Pending { since: run.session.clock().now(), full_reads: 0 },
        };
        Some(Link {
            rule: self.step.rule.clone(),
            address: self.step.address.clone(),
            source: self.source_side(run),
            destination: listed.map(Side::of).or_else(sent),
            origin,
            status,
        })
    }

    /// The source as it was when its bytes were fetched: what is listed under its id by now may be
    /// another recording.
    fn source_side(&self, run: &Run<'_>) -> Side {
        let source = &self.step.source;
        let listed = run.listed(&source.account, &source.id);
        let planned = listed.filter(|row| row.fingerprint == source.fingerprint);
        let mut side = planned.as_deref().map(Side::of).unwrap_or_else(|| Side {
            id: source.id.clone(),
            fingerprint: source.fingerprint.clone(),
            sha256: None,
            start: Some(self.step.key.start),
            elapsed_s: self.step.key.elapsed_s,
            distance_m: source.distance_m,
            kind: self.step.key.kind.clone(),
        });
        let payload = self.state.payload.as_ref();
        side.sha256 = side.sha256.or_else(|| payload.map(|payload| payload.sha256.clone()));
        side
    }
}
