//! One step on its way, and the one place of its transitions.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;

use crate::archive::{Blobs, ClaimOwner};
use crate::domain::{
    Activity, ActivityType, Fingerprint, Key, Link, LinkOrigin, LinkStatus, RemoteId, Sha256, Side,
};
use crate::event::{Event, Phase};
use crate::plan::{Action, Protocol, Step};
use crate::state::{self, AccountRow, Entry, Made, StepId};

use super::super::error::EngineError;
use super::{Applied, Cause, Run};

/// Activities this close to a step's start are remembered with its intent, so that a later run can
/// tell a new one from one that was there before.
const NEARBY_S: i64 = 24 * 3600;

/// A step on its way.
pub(super) struct Task {
    pub(super) step: Step,
    /// Its number in the journal, once it stands there.
    id: Option<StepId>,
    pub(super) source: AccountRow,
    pub(super) destination: AccountRow,
    pub(super) phase: Phase,
    pub(super) detail: String,
    /// The question that it has become, if so.
    pub(super) question: Option<String>,
    /// What kind of failure ended it, if one did.
    pub(super) cause: Option<Cause>,
    /// The verified file that is sent.
    pub(super) parcel: Option<Parcel>,
    /// The verified copy of the activity that goes.
    pub(super) backup: Option<String>,
    /// The new activity's id, once the platform said so.
    pub(super) new: Option<RemoteId>,
    /// When it was sent last, and how often.
    pub(super) sent_at: Option<Timestamp>,
    pub(super) attempt: u32,
    /// Ids near the start that were at the destination before.
    pub(super) known: Vec<RemoteId>,
    /// Its place among those that may write to its destination now; given up once it is answered.
    pub(super) place: Option<OwnedSemaphorePermit>,
    /// What its owner should know although it succeeds; most often empty.
    pub(super) notice: String,
}

/// What is known about the file that is sent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Parcel {
    pub(super) sha256: Sha256,
    pub(super) start: Timestamp,
    pub(super) elapsed_s: Option<u32>,
    pub(super) distance_m: Option<u32>,
    pub(super) kind: ActivityType,
}

impl Task {
    /// A step that nothing has been done about yet.
    pub(super) fn planned(run: &Run<'_>, step: &Step) -> Result<Self, EngineError> {
        let accounts = run.pair(&step.source.account, &step.destination.account);
        let Some((source, destination)) = accounts else {
            let account = step.destination.account.clone();
            return Err(EngineError::OtherAccount { account, now: "not open".to_owned() });
        };
        Ok(Self::new(step.clone(), None, (source.row, destination.row), Vec::new()))
    }

    pub(super) fn new(
        step: Step,
        id: Option<StepId>,
        (source, destination): (AccountRow, AccountRow),
        known: Vec<RemoteId>,
    ) -> Self {
        Self {
            step,
            id,
            source,
            destination,
            phase: Phase::Intent,
            detail: String::new(),
            question: None,
            cause: None,
            parcel: None,
            backup: None,
            new: None,
            sent_at: None,
            attempt: 1,
            known,
            place: None,
            notice: String::new(),
        }
    }

    /// Writes down the intent, with all that a later run needs if this one does not come further.
    pub(super) fn begin(&mut self, run: &Run<'_>) -> Result<(), EngineError> {
        self.known = known_nearby(run, &self.step);
        let facts = json!({ "step": self.step, "known": self.known });
        self.enter(run, Phase::Intent, "", facts)
    }

    /// Goes on to a phase: journal first, then the event.
    pub(super) fn enter(
        &mut self,
        run: &Run<'_>,
        phase: Phase,
        words: &str,
        facts: Value,
    ) -> Result<(), EngineError> {
        self.enter_with(run, phase, words, facts, None)
    }

    /// As [`Task::enter`], and remembers the pair that the step has made.
    pub(super) fn enter_with(
        &mut self,
        run: &Run<'_>,
        phase: Phase,
        words: &str,
        facts: Value,
        made: Option<&Link>,
    ) -> Result<(), EngineError> {
        let detail = with_words(facts, words);
        let entry = Entry { phase, attempt: self.attempt, detail };
        let (store, now) = (&run.session.store, run.session.clock().now());
        let (source, destination) = (self.source, self.destination);
        let made = made.map(|link| Made { source, destination, link });
        match self.id {
            Some(id) => store.record(run.id, id, &entry, made, now)?,
            None => self.id = Some(store.begin_step(run.id, &self.row(), &entry, made, now)?),
        }
        if matches!(phase, Phase::Failed | Phase::Held) {
            run.health.borrow_mut().count_failure();
        }
        self.phase = phase;
        self.detail = words.to_owned();
        if phase.is_final() {
            self.release(run)?;
        }
        let (address, detail) = (self.step.address.clone(), self.detail.clone());
        run.session.emit(Event::Step { address, phase, attempt: self.attempt, detail });
        Ok(())
    }

    /// Its row in the journal.
    fn row(&self) -> state::Step {
        state::Step {
            address: self.step.address.clone(),
            rule: self.step.rule.clone(),
            action: action_word(self.step.action).to_owned(),
            source: self.source,
            source_id: self.step.source.id.clone(),
            destination: self.destination,
        }
    }

    /// Ends as a question for a person.
    pub(super) fn ask(&mut self, run: &Run<'_>, reason: &str) -> Result<(), EngineError> {
        self.question = Some(reason.to_owned());
        self.enter(run, Phase::Skipped, reason, json!({ "conflict": reason }))
    }

    /// How its claims are signed, once it stands in the journal.
    pub(super) fn owner(&self, run: &Run<'_>) -> Result<Option<ClaimOwner>, EngineError> {
        let state = run.session.store.state_id()?;
        Ok(self.id.map(|id| ClaimOwner { state, step: id.0 }))
    }

    /// Gives up its claims; what a crash leaves, the next apply releases.
    fn release(&self, run: &Run<'_>) -> Result<(), EngineError> {
        if let (Action::Replace, Some(owner)) = (self.step.action, self.owner(run)?) {
            let _ = Blobs::new(&run.session.places.backups).release(&owner);
        }
        Ok(())
    }

    /// Whether its old activity is gone, or may be, before the new one is there.
    pub(super) fn leaves_gap(&self) -> bool {
        self.step.protocol == Some(Protocol::DeleteThenUpload) && self.backup.is_some()
    }

    pub(super) fn applied(&self) -> Applied {
        Applied {
            address: self.step.address.clone(),
            action: self.step.action,
            phase: self.phase,
            detail: self.detail.clone(),
            question: self.question.clone(),
            cause: self.cause,
        }
    }

    /// Whether the old activity goes only after the new one was seen.
    pub(super) fn old_goes_last(&self) -> bool {
        self.step.action == Action::Replace
            && self.step.protocol != Some(Protocol::DeleteThenUpload)
    }

    /// Whether this puts an account's own activity back; then there is no pair to remember.
    pub(super) fn is_restore(&self) -> bool {
        self.step.source.account == self.step.destination.account
    }

    /// Remembers the pair that this step made; unlisted while `listed` is `None`.
    pub(super) fn link(
        &self,
        run: &Run<'_>,
        listed: Option<&Activity>,
        origin: LinkOrigin,
    ) -> Result<(), EngineError> {
        match self.made(run, listed, origin) {
            Some(link) => Ok(run.session.store.save_link(self.source, self.destination, &link)?),
            None => Ok(()),
        }
    }

    /// The pair that this step made; a restore makes none.
    pub(super) fn made(
        &self,
        run: &Run<'_>,
        listed: Option<&Activity>,
        origin: LinkOrigin,
    ) -> Option<Link> {
        let status = match listed {
            Some(_) => LinkStatus::Confirmed,
            None => LinkStatus::Pending { since: run.session.clock().now(), full_reads: 0 },
        };
        let sent = || Some(self.parcel.as_ref()?.side(self.new.clone()?));
        (!self.is_restore()).then(|| Link {
            rule: self.step.rule.clone(),
            address: self.step.address.clone(),
            source: self.source_side(run),
            destination: listed.map(Side::of).or_else(sent),
            origin,
            status,
        })
    }

    fn source_side(&self, run: &Run<'_>) -> Side {
        let step = &self.step;
        let listed = run.listed(&step.source.account, &step.source.id);
        let mut side = listed.as_ref().map(Side::of).unwrap_or_else(|| Side {
            id: step.source.id.clone(),
            fingerprint: step.source.fingerprint.clone(),
            sha256: None,
            start: Some(step.key.start),
            elapsed_s: step.key.elapsed_s,
            distance_m: step.source.distance_m,
            kind: step.key.kind.clone(),
        });
        side.sha256 = side.sha256.or_else(|| Some(self.parcel.as_ref()?.sha256.clone()));
        side
    }
}

impl Parcel {
    /// When the file says that the activity took place.
    pub(super) fn key(&self) -> Key {
        Key { start: self.start, elapsed_s: self.elapsed_s }
    }

    /// The sent file as an activity, so that it can be looked for.
    pub(super) fn activity(&self, id: RemoteId) -> Activity {
        Activity {
            id,
            fingerprint: Fingerprint::of_bytes(&self.sha256),
            start: Some(self.start),
            weak_start: false,
            elapsed_s: self.elapsed_s,
            timer_s: None,
            local_offset_s: None,
            kind: self.kind.clone(),
            title: None,
            distance_m: self.distance_m,
            device: None,
            sha256: Some(self.sha256.clone()),
            content: None,
            unusable: None,
            private: None,
            hint: None,
        }
    }

    /// The facts of the sent file as those of an activity that is not listed yet.
    fn side(&self, id: RemoteId) -> Side {
        Side {
            id,
            fingerprint: Fingerprint::of_bytes(&self.sha256),
            sha256: Some(self.sha256.clone()),
            start: Some(self.start),
            elapsed_s: self.elapsed_s,
            distance_m: self.distance_m,
            kind: self.kind.clone(),
        }
    }
}

fn action_word(action: Action) -> &'static str {
    match action {
        Action::Upload => "upload",
        Action::Replace => "replace",
    }
}

fn known_nearby(run: &Run<'_>, step: &Step) -> Vec<RemoteId> {
    let Some(inventory) = run.inventory(&step.destination.account) else { return Vec::new() };
    let start = step.key.start.as_second();
    let rows = &inventory.activities;
    let second = |row: &Activity| row.start.map_or(i64::MAX, |start| start.as_second());
    let from = rows.partition_point(|row| second(row) < start - NEARBY_S);
    let near = rows.get(from..).unwrap_or_default().iter();
    near.take_while(|row| second(row) <= start + NEARBY_S).map(|row| row.id.clone()).collect()
}

fn with_words(facts: Value, words: &str) -> Value {
    let mut members = match facts {
        Value::Object(members) => members,
        other => serde_json::Map::from_iter([("facts".to_owned(), other)]),
    };
    if !words.is_empty() {
        members.insert("words".to_owned(), Value::from(words));
    }
    Value::Object(members)
}
