//! Every run first goes on with what earlier ones left open: each step whose accounts are at hand, and
//! from whose destination others are kept. Of the rest it says why they were left.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use crate::archive::AccountLocks;
use crate::domain::{AccountName, Address};
use crate::event::{Event, Phase};
use crate::plan::reconcile::{Answer, Cause, Entry, GivenUp, Outcome, Why};
use crate::plan::{BlockedReason, Step};
use crate::state::{AccountRow, Effects, RunCounts, StepRecord};

use super::super::accounts::{self, Opened};
use super::super::error::EngineError;
use super::super::lock::covers;
use super::super::plan::recall;
use super::super::refresh::{self, Refresh};
use super::super::session::Session;
use super::run::Run;
use super::task::Task;
use super::{Pace, StepReport, bytes, orphans};

/// What became of the steps that earlier runs left open.
#[derive(Clone, Debug, Default)]
pub struct Resumed {
    /// Those that were looked at, in the order in which they were begun.
    pub steps: Vec<StepReport>,
    /// Those that could not be looked at.
    pub left: Vec<Unresumed>,
}

/// A step of an earlier run that stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresumed {
    /// Which.
    pub address: Address,
    /// How far it had come.
    pub phase: Phase,
    /// The verified copy of the activity that it was to replace, once there was one.
    pub backup: Option<String>,
    /// Why it was not looked at.
    pub why: UnresumedReason,
}

/// Why a step of an earlier run was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnresumedReason {
    /// The manifest has this account no longer.
    NotInManifest(AccountName),
    /// This account cannot be opened or read.
    Blocked(AccountName, BlockedReason, String),
    /// Another run may be writing to this account.
    NotLocked(AccountName),
    /// The state that lies there knows of it.
    OtherState(PathBuf),
    /// This account is another one by now, or lies elsewhere.
    Moved(AccountName),
    /// This account may not show yet what was done there for it.
    Unsettled(AccountName),
    /// The journal's own words about it cannot be read.
    Unreadable,
}

impl UnresumedReason {
    /// What is in the way.
    pub fn what(&self) -> String {
        match self {
            Self::NotInManifest(account) => {
                format!("{account} is no account of the manifest any more")
            }
            Self::Blocked(account, _, why) => format!("{account} cannot be used: {why}"),
            Self::NotLocked(account) => format!("another run may be writing to {account}"),
            Self::OtherState(path) => format!("the state at {} knows of it", path.display()),
            Self::Moved(account) => {
                format!("{account} is another account by now, or lies elsewhere")
            }
            Self::Unsettled(account) => {
                format!("its state is gone, and {account} may not show yet what was done there")
            }
            Self::Unreadable => "the journal cannot be read here".to_owned(),
        }
    }
}

/// Goes on with the steps that earlier runs began and did not end, as far as these locks reach.
/// Contacts no account if there are none.
pub async fn resume(session: &Session, locks: &AccountLocks) -> Result<Resumed, EngineError> {
    orphans::tell_apart(session)?;
    let mut settled = Resumed { steps: close_untouched(session)?, left: Vec::new() };
    if !session.store.unsettled()?.is_empty() || !orphans::find(session)?.is_empty() {
        let resumed = resume_all(session, locks).await?;
        settled.steps.extend(resumed.steps);
        settled.left.extend(resumed.left);
    }
    bytes::sweep(session)?;
    Ok(settled)
}

/// Ends the steps for which nothing was sent or removed: they are planned again, and their accounts
/// need not even be known any more.
fn close_untouched(session: &Session) -> Result<Vec<StepReport>, EngineError> {
    let mut closed = Vec::new();
    let now = session.clock().now();
    let claimed = orphans::claimed(session)?;
    for record in session.store.unsettled()?.into_iter().filter(|it| !claimed.contains(&it.id)) {
        let state = record.state().ok().filter(|state| !state.is_touched());
        let (Some(state), Some(step)) = (state, planned(&record)) else { continue };
        let (outcome, why) = match state.answer {
            Answer::Refused(_, message) => (Outcome::Failed, Why::Refused { message }),
            // No plan knows of it.
            _ if record.step.source == record.step.destination => {
                (Outcome::Failed, Why::NotPutBackYet { backup: record.step.source_id.to_string() })
            }
            _ => (Outcome::NotTried, Why::NotBegun),
        };
        let detail = why.to_string();
        let entry = Entry::Ended { outcome, why, cause: None };
        let about = (record.id, &record.step);
        session.store.record(record.run, about, &[entry], Effects::default(), now)?;
        let (address, phase) = (step.address.clone(), outcome.phase());
        let (action, title) = (step.action, step.source.title);
        session.emit(Event::Step {
            address: address.clone(),
            action,
            title,
            bytes: None,
            phase,
            attempt: 1,
            detail: detail.clone(),
        });
        closed.push(StepReport { address, action, phase, detail, question: None, cause: None });
    }
    Ok(closed)
}

async fn resume_all(session: &Session, locks: &AccountLocks) -> Result<Resumed, EngineError> {
    let reading = async {
        let mut opened = accounts::open_all(session, Refresh::Incremental).await?;
        for name in named_by(session)? {
            accounts::open_named(session, &name, &mut opened).await?;
        }
        let inventories = refresh::read_all(session, &mut opened, Refresh::Incremental).await?;
        Ok::<_, EngineError>((opened, inventories))
    };
    // Nothing has been written yet: who wants to stop need not wait for a slow listing.
    let read = session.stop.race(reading).await;
    let (opened, inventories) = read.unwrap_or(Err(EngineError::Interrupted))?;
    let id = session.store.begin_run(None, session.clock().now())?;
    let left = orphans::take_over(session, id, &opened, &inventories).await?;
    // What is known to have done nothing is planned again; what has to wait is not begun.
    let mut settled = Resumed { steps: close_untouched(session)?, left };
    let waiting = orphans::claimed(session)?;
    let mut open = Vec::new();
    for record in session.store.unsettled()?.into_iter().filter(|it| !waiting.contains(&it.id)) {
        match at_hand(session, &opened, locks, &record)? {
            Ok(found) => open.push((found, record)),
            Err(why) => settled.left.push(left_open(&record, why)),
        }
    }
    let memory = recall(session, &opened)?;
    let run = Run::new(session, id, Pace::default(), opened, inventories, memory)?;
    let mut tasks = Vec::new();
    for (number, ((step, without_source), record)) in open.into_iter().enumerate() {
        match Task::resumed(number, &record, step) {
            Some(mut task) => {
                task.run.without_source = without_source;
                run.recall_details(&mut task);
                tasks.push(task);
            }
            None => settled.left.push(left_open(&record, UnresumedReason::Unreadable)),
        }
    }
    run.claim_old_ones(&tasks);
    run.leave_own_pairs(&tasks);
    run.work(&mut tasks).await?;
    settled.steps.extend(tasks.iter().map(Task::applied));
    let counts = RunCounts::from([("settled".to_owned(), settled.steps.len() as u64)]);
    session.store.end_run(id, session.clock().now(), 0, &counts)?;
    Ok(settled)
}

impl Run<'_> {
    /// What people wrote about the old one stands in its backup.
    pub(super) fn recall_details(&self, task: &mut Task) {
        let id = task.state.backup.clone().filter(|_| !task.is_restore());
        let id = id.or_else(|| task.is_restore().then(|| task.step.source.id.to_string()));
        let backup = id.and_then(|id| bytes::backups(self.session).load(&id).ok());
        task.run.details = backup.map(|(backup, _)| backup.subject.details);
    }
}

/// The manifest's accounts that these steps are about, whether or not a rule still names them.
fn named_by(session: &Session) -> Result<BTreeSet<AccountName>, EngineError> {
    let records = session.store.unsettled()?.into_iter();
    let rows: HashSet<AccountRow> =
        records.flat_map(|record| [record.step.source, record.step.destination]).collect();
    let claims = orphans::find(session)?.into_iter();
    let claimed = claims.flat_map(|it| [it.claim.source.name, it.claim.destination.name]);
    let mut names: BTreeSet<AccountName> = claimed.collect();
    names.retain(|name| session.manifest.accounts.contains_key(name));
    for name in session.manifest.accounts.keys() {
        let stored = session.store.account_named(name)?;
        if stored.is_some_and(|stored| rows.contains(&stored.row)) {
            names.insert(name.clone());
        }
    }
    Ok(names)
}

/// The step of a record by today's names of its accounts, or why it cannot be looked at. What others may
/// see is hidden also where its source is out of reach; nothing else is done then.
fn at_hand(
    session: &Session,
    opened: &Opened,
    locks: &AccountLocks,
    record: &StepRecord,
) -> Result<Result<(Step, Option<GivenUp>), UnresumedReason>, EngineError> {
    let Some(mut step) = planned(record).filter(|_| record.state().is_ok()) else {
        return Ok(Err(UnresumedReason::Unreadable));
    };
    let is_shown = record.state().is_ok_and(|state| state.must_hide() && state.may_be_shown());
    let mut without_source = None;
    for (row, name) in [
        (record.step.destination, &mut step.destination.account),
        (record.step.source, &mut step.source.account),
    ] {
        match opened.accounts.values().find(|open| open.row == row) {
            Some(open) => name.clone_from(&open.name),
            None => {
                let why = out_of_reach(session, opened, row, name)?;
                if !is_shown || row == record.step.destination {
                    return Ok(Err(why));
                }
                without_source = Some(given_up(&why));
            }
        }
    }
    let destination = opened.accounts.get(&step.destination.account);
    if !destination.is_some_and(|open| covers(locks, &open.profile)) {
        return Ok(Err(UnresumedReason::NotLocked(step.destination.account)));
    }
    Ok(Ok((step, without_source)))
}

fn given_up(why: &UnresumedReason) -> GivenUp {
    let cause = match why {
        UnresumedReason::Blocked(_, BlockedReason::LoginNeeded, _) => Cause::Login,
        _ => Cause::Unavailable,
    };
    let why = Why::GivenUp { message: why.what() };
    GivenUp { outcome: Outcome::NotTried, why, cause: Some(cause) }
}

/// The step as it was planned.
fn planned(record: &StepRecord) -> Option<Step> {
    record.entries.first().and_then(|written| match &written.entry {
        Entry::Intended { step, .. } => Some(Step::clone(step)),
        _ => None,
    })
}

/// Why an account is not open: today's name for it is blocked, or there is none.
fn out_of_reach(
    session: &Session,
    opened: &Opened,
    row: AccountRow,
    name_then: &AccountName,
) -> Result<UnresumedReason, EngineError> {
    for (name, (reason, words)) in &opened.blocked {
        let stored = session.store.account_named(name)?;
        if stored.is_some_and(|stored| stored.row == row) {
            return Ok(UnresumedReason::Blocked(name.clone(), *reason, words.clone()));
        }
    }
    Ok(match session.manifest.accounts.contains_key(name_then) {
        true => UnresumedReason::Moved(name_then.clone()),
        false => UnresumedReason::NotInManifest(name_then.clone()),
    })
}

fn left_open(record: &StepRecord, why: UnresumedReason) -> Unresumed {
    Unresumed {
        address: record.step.address.clone(),
        phase: record.phase().unwrap_or(Phase::Intent),
        backup: record.state().ok().and_then(|state| state.backup),
        why,
    }
}
