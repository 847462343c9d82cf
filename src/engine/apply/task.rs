//! One step on its way, and the one place of its transitions.

use serde_json::{Value, json};

use crate::domain::{
    Activity, Content, Fingerprint, Key, Link, LinkOrigin, LinkStatus, RemoteId, Sha256, Side,
};
use crate::event::{Event, Phase};
use crate::plan::Step;
use crate::state::{self, AccountRow, Entry, StepId};

use super::super::error::EngineError;
use super::{Applied, Run};

/// Activities this close to a step's start are remembered with its intent, so that a later look can
/// tell a new one from one that was there before.
const NEARBY_S: i64 = 24 * 3600;

/// A step on its way.
pub(super) struct Task {
    pub(super) step: Step,
    pub(super) id: StepId,
    pub(super) source: AccountRow,
    pub(super) destination: AccountRow,
    pub(super) phase: Phase,
    pub(super) detail: String,
    /// The question that it has become, if so.
    pub(super) question: Option<String>,
    /// The verified file that is sent.
    pub(super) parcel: Option<Parcel>,
    /// The new activity's id, once the platform said so.
    pub(super) new: Option<RemoteId>,
    /// Ids near the start that were at the destination before.
    pub(super) known: Vec<RemoteId>,
}

/// What is known about the bytes that are sent.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) sha256: Sha256,
    pub(super) key: Key,
    pub(super) content: Content,
}

impl Task {
    /// Writes down the intent of a step.
    pub(super) fn begin(run: &Run<'_>, step: &Step) -> Result<Self, EngineError> {
        let accounts = run.pair(&step.source.account, &step.destination.account);
        let Some((source, destination)) = accounts else {
            let account = step.destination.account.clone();
            return Err(EngineError::OtherAccount { account, now: "not open".to_owned() });
        };
        let known = known_nearby(run, step);
        let row = state::Step {
            address: step.address.clone(),
            rule: step.rule.clone(),
            action: action_word(step).to_owned(),
            source: source.row,
            source_id: step.source.id.clone(),
            destination: destination.row,
        };
        let entry = Entry {
            phase: Phase::Intent,
            attempt: 1,
            detail: json!({ "step": step, "known": known }),
        };
        let now = run.session.clock().now();
        let id = run.session.store.begin_step(run.id, &row, &entry, now)?;
        Ok(Self {
            step: step.clone(),
            id,
            source: source.row,
            destination: destination.row,
            phase: Phase::Intent,
            detail: String::new(),
            question: None,
            parcel: None,
            new: None,
            known,
        })
    }

    /// Goes on to a phase: journal first, then the event.
    pub(super) fn enter(
        &mut self,
        run: &Run<'_>,
        phase: Phase,
        detail: &str,
        facts: Value,
    ) -> Result<(), EngineError> {
        let entry = Entry { phase, attempt: 1, detail: with_words(facts, detail) };
        run.session.store.record(run.id, self.id, &entry, run.session.clock().now())?;
        self.phase = phase;
        self.detail = detail.to_owned();
        let (address, detail) = (self.step.address.clone(), self.detail.clone());
        run.session.emit(Event::Step { address, phase, attempt: 1, detail });
        Ok(())
    }

    pub(super) fn applied(&self) -> Applied {
        Applied {
            address: self.step.address.clone(),
            action: self.step.action,
            phase: self.phase,
            detail: self.detail.clone(),
            question: self.question.clone(),
        }
    }

    /// Remembers the pair that this step made; unlisted while `listed` is `None`.
    pub(super) fn link(
        &self,
        run: &Run<'_>,
        listed: Option<&Activity>,
        origin: LinkOrigin,
    ) -> Result<(), EngineError> {
        let status = match listed {
            Some(_) => LinkStatus::Confirmed,
            None => LinkStatus::Pending { since: run.session.clock().now(), full_reads: 0 },
        };
        let sent = || {
            let parcel = self.parcel.as_ref()?;
            Some(parcel.side(self.new.clone()?))
        };
        let link = Link {
            rule: self.step.rule.clone(),
            address: self.step.address.clone(),
            source: self.source_side(run),
            destination: listed.map(Side::of).or_else(sent),
            origin,
            status,
        };
        Ok(run.session.store.save_link(self.source, self.destination, &link)?)
    }

    fn source_side(&self, run: &Run<'_>) -> Side {
        let step = &self.step;
        let listed = run
            .inventories
            .get(&step.source.account)
            .and_then(|inventory| inventory.activities.iter().find(|row| row.id == step.source.id));
        let mut side = listed.map(Side::of).unwrap_or_else(|| Side {
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
    /// The facts of the sent file as those of an activity that is not listed yet.
    fn side(&self, id: RemoteId) -> Side {
        Side {
            id,
            fingerprint: Fingerprint::of_bytes(&self.sha256),
            sha256: Some(self.sha256.clone()),
            start: Some(self.key.start),
            elapsed_s: self.key.elapsed_s,
            distance_m: self.content.distance_m(),
            kind: self.content.kind(),
        }
    }
}

fn action_word(step: &Step) -> &'static str {
    match step.action {
        crate::plan::Action::Upload => "upload",
        crate::plan::Action::Replace => "replace",
    }
}

fn known_nearby(run: &Run<'_>, step: &Step) -> Vec<RemoteId> {
    let Some(inventory) = run.inventories.get(&step.destination.account) else {
        return Vec::new();
    };
    let (first, last) =
        (step.key.start.as_second() - NEARBY_S, step.key.start.as_second() + NEARBY_S);
    let rows = &inventory.activities;
    let second = |row: &Activity| row.start.map_or(i64::MAX, |start| start.as_second());
    let from = rows.partition_point(|row| second(row) < first);
    let near = rows.get(from..).unwrap_or_default().iter().take_while(|row| second(row) <= last);
    near.map(|row| row.id.clone()).collect()
}

fn with_words(facts: Value, words: &str) -> Value {
    match facts {
        Value::Object(mut members) => {
            if !words.is_empty() {
                members.insert("words".to_owned(), Value::from(words));
            }
            Value::Object(members)
        }
        other => json!({ "facts": other, "words": words }),
    }
}
