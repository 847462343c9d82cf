//! Puts a backed-up activity back, with the same care as any step: a put of its bytes, and a take of
//! what stands in its place.

use crate::archive::{AccountLocks, Backup, Condition};
use crate::domain::{
    AccountName, Activity, Address, Decision, Fingerprint, Inventory, RemoteId, RuleName,
};
use crate::event::Phase;
use crate::plan::reconcile::Entry;
use crate::plan::{
    Action, ByAccount, DestinationRef, Memory, Protocol, SourceRef, Step, StepKey, StepReason,
};
use crate::platform::PlatformError;
use crate::state::{AccountRow, RunCounts, StepRecord};

use super::super::accounts::{self, Opened};
use super::super::cause::obstacle;
use super::super::error::{EngineError, RestoreObstacle};
use super::super::lock::covers;
use super::super::plan::{recall, rows_of};
use super::super::refresh::{self, Refresh};
use super::super::session::Session;
use super::place::Place;
use super::restored::says;
use super::run::Run;
use super::task::Task;
use super::{Pace, StepReport, bytes, orphans};

/// What a restore would do, looked at and not begun.
pub struct Restore {
    /// `None` if the account holds those very bytes already.
    step: Option<Step>,
    /// What keeps the next plan from undoing it, unless that is written down already; to be written
    /// down before anything is sent.
    pub decision: Option<Decision>,
    pub(super) opened: Opened,
    inventories: ByAccount<Inventory>,
    memory: Memory,
}

impl Restore {
    /// Whether there is anything to do.
    pub fn is_needed(&self) -> bool {
        self.step.is_some()
    }
}

/// Looks what putting a backup back means: in the place of what replaced it, if something of that
/// recording is there, else beside the others. The account must be locked, and what earlier runs left
/// open there resumed.
///
/// # Errors
/// If the account cannot be written to, or it is not clear what stands in the backup's place.
pub async fn plan_restore(
    session: &Session,
    locks: &AccountLocks,
    backup: &Backup,
    to: Option<&AccountName>,
) -> Result<Restore, EngineError> {
    let account = to.unwrap_or(&backup.subject.account);
    let reading = async {
        let mut opened = accounts::open_all(session, Refresh::Incremental).await?;
        accounts::open_named(session, account, &mut opened).await?;
        let inventories = refresh::read_all(session, &mut opened, Refresh::Incremental).await?;
        Ok::<_, EngineError>((opened, inventories))
    };
    let read = session.stop.race(reading).await;
    let (opened, inventories) = read.unwrap_or(Err(EngineError::Interrupted))?;
    let memory = recall(session, &opened)?;
    check_account(&opened, account)?;
    check_reach(session, locks, &opened, account, backup)?;
    if to.is_none() {
        check_profile(&opened, account, backup)?;
    }
    let mut restore = Restore { step: None, decision: None, opened, inventories, memory };
    let place = restore.place_of(session, backup, account).await?;
    let is_new = |new: &Decision| !session.decisions.iter().any(|known| says(known, new));
    restore.decision = restore.decision_for(session, backup, account).filter(is_new);
    let old = match place {
        Place::Holds(id) => {
            let is_others = restore.is_another_s(session, backup, account, &id)?;
            restore.decision = restore.decision.filter(|_| !is_others);
            return Ok(restore);
        }
        Place::Taken(old) => Some(old),
        Place::Free => None,
    };
    if let Some(old) = &old {
        if to.is_some() {
            let problem = format!("it holds another version of that recording, {}", old.id);
            return Err(unclear(account, &problem));
        }
        check_settled(session, restore.row_of(account)?, &old.id)?;
        restore.check_successor(session, backup, account, old).await?;
    }
    restore.step = Some(restore.step_of(backup, account, old.as_deref())?);
    Ok(restore)
}

/// Puts the backup back as it was looked at.
///
/// # Errors
/// If the journal cannot be written.
pub async fn restore(
    session: &Session,
    restore: Restore,
) -> Result<Option<StepReport>, EngineError> {
    let Some(step) = restore.step else { return Ok(None) };
    let unsettled = session.store.unsettled()?;
    let id = session.store.begin_run(None, session.clock().now())?;
    let Restore { opened, inventories, memory, .. } = restore;
    let mut run = Run::new(session, id, Pace::default(), opened, inventories, memory)?;
    run.prepare(std::slice::from_ref(&step)).await?;
    run.keep_private(&unsettled)?;
    let mut tasks = [Task::planned(&run, 0, step)?];
    run.work(&mut tasks).await?;
    let [task] = tasks;
    let applied = task.applied();
    let is_good = applied.phase == Phase::Confirmed;
    let counts = RunCounts::from([(applied.phase.as_str().to_owned(), 1)]);
    session.store.end_run(id, session.clock().now(), i32::from(!is_good), &counts)?;
    bytes::sweep(session)?;
    Ok(Some(applied))
}

pub(super) fn refused(
    account: &AccountName,
    problem: &str,
    obstacle: RestoreObstacle,
) -> EngineError {
    let (account, problem) = (account.clone(), problem.to_owned());
    EngineError::CannotRestore { account, problem, obstacle }
}

pub(super) fn unclear(account: &AccountName, problem: &str) -> EngineError {
    refused(account, problem, RestoreObstacle::Unclear)
}

/// Refuses what rests on an activity that cannot be looked into.
pub(super) fn unseen(account: &AccountName, id: &RemoteId, error: &PlatformError) -> EngineError {
    let reason = obstacle(error).0;
    let problem = format!("{id} cannot be looked into: {error}");
    refused(account, &problem, RestoreObstacle::Account(reason))
}

/// Refuses a backup that is not as it was stored, and says what that means.
pub(super) fn damaged(account: &AccountName, backup: &Backup, what: &str) -> EngineError {
    let start = backup.subject.start.map_or_else(String::new, |start| format!(" of {start}"));
    let problem = format!(
        "backup {}{start} {what}, so that activity is only to be had elsewhere; what took its place \
         stays as it is",
        backup.id
    );
    refused(account, &problem, RestoreObstacle::Backup)
}

/// Refuses an account that cannot be reached or written to.
fn check_account(opened: &Opened, account: &AccountName) -> Result<(), EngineError> {
    if let Some((reason, why)) = opened.blocked.get(account) {
        return Err(refused(account, why, RestoreObstacle::Account(*reason)));
    }
    if opened.accounts.get(account).is_some_and(|open| !open.capabilities.upload) {
        return Err(refused(account, "it is only read", RestoreObstacle::ReadOnly));
    }
    Ok(())
}

/// Refuses an account that others may be writing to, and a backup that a step is still about.
fn check_reach(
    session: &Session,
    locks: &AccountLocks,
    opened: &Opened,
    account: &AccountName,
    backup: &Backup,
) -> Result<(), EngineError> {
    let open = opened.accounts.get(account).filter(|open| covers(locks, &open.profile));
    let Some(open) = open else { return Err(EngineError::NotLocked(account.clone())) };
    let id = backup.id.to_string();
    let is_about = |state: &crate::plan::reconcile::StepState| state.backup.as_ref() == Some(&id);
    let under_way = session.store.unsettled()?.into_iter().find(|record| {
        record.step.destination == open.row
            && (record.step.source_id.as_str() == id || record.state().is_ok_and(|s| is_about(&s)))
    });
    if let Some(record) = under_way {
        return Err(EngineError::UnderWay(record.step.address));
    }
    // A step of another state counts as well.
    let is_its = |entry: &Entry| entry.backup() == Some(id.as_str());
    let mut claims = orphans::find(session)?.into_iter().map(|foreign| foreign.claim);
    match claims.find(|claim| claim.journal.iter().any(is_its)) {
        Some(claim) => Err(EngineError::UnderWay(claim.address)),
        None => Ok(()),
    }
}

/// Refuses to take away what an open step has placed, or is to take away itself.
fn check_settled(
    session: &Session,
    account: AccountRow,
    old: &RemoteId,
) -> Result<(), EngineError> {
    let mut unsettled = session.store.unsettled()?.into_iter();
    let is_at_it = |record: &StepRecord| {
        record.step.destination == account && rows_of(record).any(|id| id == *old)
    };
    match unsettled.find(is_at_it) {
        Some(record) => Err(EngineError::UnderWay(record.step.address)),
        None => Ok(()),
    }
}

/// Refuses another account that has the name of the backup's by now.
fn check_profile(
    opened: &Opened,
    account: &AccountName,
    backup: &Backup,
) -> Result<(), EngineError> {
    let now = opened.accounts.get(account).and_then(|open| open.profile.id.as_ref());
    match (&backup.subject.profile, now) {
        (Some(then), Some(now)) if then != now => {
            let problem = format!(
                "the backup is of another account of that name; --to {account} \
                                   puts it there nevertheless, beside what it holds"
            );
            Err(unclear(account, &problem))
        }
        (Some(_) | None, _) => Ok(()),
    }
}

impl Restore {
    pub(super) fn row_of(&self, account: &AccountName) -> Result<AccountRow, EngineError> {
        let open = self.opened.accounts.get(account);
        open.map(|open| open.row).ok_or_else(|| EngineError::NotLocked(account.clone()))
    }

    pub(super) fn rows(&self, account: &AccountName) -> &[Activity] {
        self.inventories.get(account).map(|i| i.activities.as_slice()).unwrap_or_default()
    }

    fn step_of(
        &self,
        backup: &Backup,
        account: &AccountName,
        old: Option<&Activity>,
    ) -> Result<Step, EngineError> {
        let subject = &backup.subject;
        let rule = RuleName::new(subject.address.as_ref().map_or("restore", Address::rule));
        let open = self.opened.accounts.get(account);
        let protocol = open.map(|open| Protocol::from(open.capabilities.replace));
        let start = subject.start.ok_or_else(|| damaged(account, backup, "has no start"))?;
        Ok(Step {
            address: subject.address.clone().unwrap_or_else(|| Address::of_start(&rule, start, 1)),
            rule,
            action: if old.is_some() { Action::Replace } else { Action::Upload },
            reason: StepReason::Forced,
            protocol: old.and(protocol),
            key: StepKey { start, elapsed_s: subject.elapsed_s, kind: subject.kind.clone() },
            source: SourceRef {
                account: account.clone(),
                id: RemoteId::new(backup.id.as_str()),
                fingerprint: Fingerprint::of_bytes(&backup.sha256),
                title: subject.title.clone(),
                distance_m: None,
            },
            destination: DestinationRef {
                account: account.clone(),
                id: old.map(|row| row.id.clone()),
                fingerprint: old.map(|row| row.fingerprint.clone()),
            },
            changes: Vec::new(),
            loses: Vec::new(),
        })
    }
}

/// A backup's bytes as they were stored.
pub(super) fn stored_bytes(
    session: &Session,
    backup: &Backup,
    account: &AccountName,
) -> Result<Vec<u8>, EngineError> {
    let backups = bytes::backups(session);
    let what = match backups.condition(backup) {
        Ok(Condition::Missing) => "has no file any more".to_owned(),
        Ok(Condition::Altered) => "holds something else than was stored".to_owned(),
        Ok(Condition::Whole) => match backups.load(backup.id.as_str()) {
            Ok((_, bytes)) => return Ok(bytes),
            Err(error) => format!("cannot be read ({error})"),
        },
        Err(error) => format!("cannot be read ({error})"),
    };
    Err(damaged(account, backup, &what))
}
