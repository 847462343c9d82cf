//! Every run first settles what earlier ones left open: each step whose accounts are at hand, and
//! from whose destination others are kept. Of the rest it says why they were left.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Value, json};

use crate::archive::{AccountLocks, Blobs, Claim};
use crate::domain::{AccountName, Address, RemoteId};
use crate::event::Phase;
use crate::plan::{BlockedReason, Step};
use crate::state::{AccountRow, StepRecord, Written};

use super::super::accounts::{self, Opened};
use super::super::error::EngineError;
use super::super::lock::covers;
use super::super::plan::recall;
use super::super::refresh::{self, Refresh};
use super::super::session::Session;
use super::recover::Past;
use super::task::{Parcel, Task};
use super::{Applied, Pace, Run};

/// What became of the steps that earlier runs left open.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Those that were looked at, in the order in which they were begun.
    pub steps: Vec<Applied>,
    /// Those that could not be looked at.
    pub left: Vec<Left>,
}

/// A step of an earlier run that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Which.
    pub address: Address,
    /// How far it had come.
    pub phase: Phase,
    /// The verified copy of the activity that it was to replace, once there was one.
    pub backup: Option<String>,
    /// Why it was not looked at.
    pub why: LeftReason,
}

/// Why a step of an earlier run was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftReason {
    /// The manifest has this account no longer.
    NotInManifest(AccountName),
    /// This account cannot be opened or read.
    Blocked(AccountName, BlockedReason, String),
    /// Another run may be writing to this account.
    NotLocked(AccountName),
    /// The journal's own words about it cannot be read.
    Unreadable,
}

/// Settles the steps that earlier runs began and did not end, as far as these locks reach. Contacts
/// nobody if there are none.
pub async fn settle(session: &Session, locks: &AccountLocks) -> Result<Settled, EngineError> {
    let unsettled = session.store.unsettled()?;
    let settled = match unsettled.is_empty() {
        true => Settled::default(),
        false => settle_all(session, locks, &unsettled).await?,
    };
    sweep(session)?;
    Ok(settled)
}

async fn settle_all(
    session: &Session,
    locks: &AccountLocks,
    unsettled: &[StepRecord],
) -> Result<Settled, EngineError> {
    let reading = async {
        let mut opened = accounts::open_all(session, Refresh::Incremental).await?;
        for name in named_by(session, unsettled)? {
            accounts::open_named(session, &name, &mut opened).await?;
        }
        let inventories = refresh::read_all(session, &mut opened, Refresh::Incremental).await?;
        Ok::<_, EngineError>((opened, inventories))
    };
    // Nothing has been written yet: who wants to stop need not wait for a slow listing.
    let read = session.stop.race(reading).await;
    let (opened, inventories) = read.unwrap_or(Err(EngineError::Interrupted))?;
    let mut settled = Settled::default();
    let mut open: Vec<(Step, &StepRecord)> = Vec::new();
    for record in unsettled {
        match at_hand(session, &opened, locks, record)? {
            Ok(step) => open.push((step, record)),
            // Nothing was done for what had just been written down.
            Err(_) if !Past::of(record).began => {}
            Err(why) => settled.left.push(left(record, why)),
        }
    }
    if open.is_empty() {
        return Ok(settled);
    }
    let memory = recall(session, &opened)?;
    let id = session.store.begin_run(None, session.clock().now())?;
    let run = Run::new(session, id, Pace::default(), opened, inventories, memory);
    let mut tasks: Vec<(Task, Past)> = open
        .into_iter()
        .filter_map(|(step, record)| Some((task_of(step, record)?, Past::of(record))))
        .collect();
    settled.steps = run.settle_tasks(&mut tasks).await?;
    let counts = json!({ "settled": settled.steps.len() });
    session.store.end_run(id, session.clock().now(), 0, &counts)?;
    Ok(settled)
}

impl Run<'_> {
    async fn settle_tasks(&self, tasks: &mut [(Task, Past)]) -> Result<Vec<Applied>, EngineError> {
        // What is listed now may be what the earlier run brought: only its own notes tell them apart.
        self.known.replace(self.linked_to_others(tasks)?);
        let mut settled = Vec::new();
        for number in 0..tasks.len() {
            let (before, rest) = tasks.split_at_mut(number);
            let Some(((task, past), after)) = rest.split_first_mut() else { break };
            if self.session.stop.is_requested() {
                break;
            }
            let others = before.iter().chain(after.iter()).map(|(other, _)| other);
            let rivals = if past.began { rivals(task, others) } else { Vec::new() };
            self.settle_one(task, past, &rivals).await?;
            settled.push(task.applied());
        }
        Ok(settled)
    }
}

/// Other steps that may have brought something to the same account, nobody knows what.
fn rivals<'t>(task: &Task, others: impl Iterator<Item = &'t Task>) -> Vec<&'t Task> {
    let account = &task.step.destination.account;
    others
        .filter(|other| other.step.destination.account == *account)
        .filter(|other| other.parcel.is_some() && !other.phase.is_final())
        .collect()
}

/// The manifest's accounts that these steps are about, whether or not a rule still names them.
fn named_by(
    session: &Session,
    unsettled: &[StepRecord],
) -> Result<BTreeSet<AccountName>, EngineError> {
    let rows: HashSet<AccountRow> =
        unsettled.iter().flat_map(|record| [record.step.source, record.step.destination]).collect();
    let mut names = BTreeSet::new();
    for name in session.manifest.accounts.keys() {
        let stored = session.store.account_named(name)?;
        if stored.is_some_and(|stored| rows.contains(&stored.row)) {
            names.insert(name.clone());
        }
    }
    Ok(names)
}

/// The step of a record by today's names of its accounts, or why it cannot be looked at.
fn at_hand(
    session: &Session,
    opened: &Opened,
    locks: &AccountLocks,
    record: &StepRecord,
) -> Result<Result<Step, LeftReason>, EngineError> {
    let intent = record.entries.first().and_then(|written| written.entry.detail.get("step"));
    let step = intent.and_then(|step| serde_json::from_value::<Step>(step.clone()).ok());
    let Some(mut step) = step else { return Ok(Err(LeftReason::Unreadable)) };
    for (row, name) in [
        (record.step.source, &mut step.source.account),
        (record.step.destination, &mut step.destination.account),
    ] {
        let Some(open) = opened.accounts.values().find(|open| open.row == row) else {
            return Ok(Err(out_of_reach(session, opened, row, name)?));
        };
        name.clone_from(&open.name);
    }
    let destination = opened.accounts.get(&step.destination.account);
    if !destination.is_some_and(|open| covers(locks, &open.profile)) {
        return Ok(Err(LeftReason::NotLocked(step.destination.account)));
    }
    Ok(Ok(step))
}

/// Why an account is not open: today's name for it is blocked, or there is none.
fn out_of_reach(
    session: &Session,
    opened: &Opened,
    row: AccountRow,
    name_then: &AccountName,
) -> Result<LeftReason, EngineError> {
    for (name, (reason, words)) in &opened.blocked {
        let stored = session.store.account_named(name)?;
        if stored.is_some_and(|stored| stored.row == row) {
            return Ok(LeftReason::Blocked(name.clone(), *reason, words.clone()));
        }
    }
    Ok(LeftReason::NotInManifest(name_then.clone()))
}

fn left(record: &StepRecord, why: LeftReason) -> Left {
    Left {
        address: record.step.address.clone(),
        phase: record.phase().unwrap_or(Phase::Intent),
        backup: noted(record, "backup"),
        why,
    }
}

/// The task as it was when the earlier run ended.
fn task_of(step: Step, record: &StepRecord) -> Option<Task> {
    let known: Vec<RemoteId> = noted(record, "known")?;
    let accounts = (record.step.source, record.step.destination);
    let mut task = Task::new(step, Some(record.id), accounts, known);
    task.phase = record.phase()?;
    task.parcel = noted::<Parcel>(record, "parcel");
    task.backup = noted(record, "backup");
    task.new = noted(record, "id");
    task.sent_at = record.entries.last().map(|written| written.at);
    task.attempt = record.entries.iter().map(|written| written.entry.attempt).max().unwrap_or(1);
    Some(task)
}

/// The newest note of that name in a step's entries.
fn noted<T: serde::de::DeserializeOwned>(record: &StepRecord, name: &str) -> Option<T> {
    let note = |written: &Written| written.entry.detail.get(name).filter(|n| !n.is_null()).cloned();
    let value: Value = record.entries.iter().rev().find_map(note)?;
    serde_json::from_value(value).ok()
}

/// Releases the claims of steps that have ended, which a crash may leave, and removes stored bytes
/// that nothing needs.
fn sweep(session: &Session) -> Result<(), EngineError> {
    let blobs = Blobs::new(&session.places.backups);
    for claim in blobs.claims_of(&session.store.state_id()?).map_err(EngineError::Archive)? {
        if has_ended(session, &claim)? {
            blobs.release(&claim.owner).map_err(EngineError::Archive)?;
        }
    }
    blobs.sweep(session.clock().now()).map_err(EngineError::Archive)?;
    Ok(())
}

/// Whether this journal knows the step as ended; one that it does not know is another copy's.
fn has_ended(session: &Session, claim: &Claim) -> Result<bool, EngineError> {
    let steps = session.store.steps_at(&claim.address)?;
    let mut steps = steps.iter().filter(|record| record.id.0 == claim.owner.step);
    Ok(steps.any(|record| record.phase().is_some_and(Phase::is_final)))
}
