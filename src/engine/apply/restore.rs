//! Puts a backed-up activity back, with the same care as any step: journalled, verified, and never
//! without a copy of what it replaces.

use serde_json::json;

use crate::archive::{AccountLocks, Backup};
use crate::domain::{
    AccountName, Activity, Address, Decision, Fingerprint, Key, Party, RuleName, Verdict,
};
use crate::event::Phase;
use crate::fit;
use crate::plan::{Action, DestinationRef, Memory, Protocol, SourceRef, Step, StepKey, StepReason};
use crate::platform::FitFile;

use super::super::accounts::{self, Opened};
use super::super::error::EngineError;
use super::super::lock::covers;
use super::super::plan::recall;
use super::super::refresh::{self, Refresh};
use super::super::session::Session;
use super::task::{Parcel, Task};
use super::{Applied, Pace, Run};

/// What became of a restore.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The step; `None` if the account holds those very bytes already.
    pub step: Option<Applied>,
    /// What keeps the next plan from undoing it, to be written down.
    pub decision: Option<Decision>,
}

/// Puts a backup back: in the place of what replaced it, if that is still there, else beside the
/// others. The account must be locked, and what earlier runs left open there settled.
pub async fn restore(
    session: &Session,
    locks: &AccountLocks,
    backup: &Backup,
    bytes: Vec<u8>,
    to: Option<&AccountName>,
) -> Result<Restored, EngineError> {
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
    let content = fit::read(&bytes).ok();
    let key = content.as_ref().and_then(|content| content.key());
    let (Some(content), Some((key, _))) = (content, key) else {
        return Err(refused(account, "the backup is no whole activity file"));
    };
    let there = inventories.get(account).map(|i| i.activities.as_slice()).unwrap_or_default();
    if there.iter().any(|row| row.sha256.as_ref() == Some(&backup.sha256)) {
        return Ok(Restored { step: None, decision: None });
    }
    let successor = match to {
        Some(_) => None,
        None => successor(session, &opened, account, backup, there)?,
    };
    let step = step_of(backup, account, key, &opened, successor.as_ref());
    let parcel = Parcel {
        sha256: backup.sha256.clone(),
        start: key.start,
        elapsed_s: key.elapsed_s,
        distance_m: content.distance_m(),
        kind: content.kind(),
    };
    let file = FitFile {
        sha256: backup.sha256.clone(),
        key,
        kind: backup.subject.kind.clone(),
        title: backup.subject.title.clone(),
        local_offset_s: None,
        bytes,
    };
    let id = session.store.begin_run(None, session.clock().now())?;
    let mut run = Run::new(session, id, Pace::default(), opened, inventories, memory);
    run.prepare(std::slice::from_ref(&step)).await?;
    let mut task = Task::planned(&run, &step)?;
    task.begin(&run)?;
    run.send_back(&mut task, parcel, &file, backup).await?;
    let decision = run.decision_for(&task, account);
    let good = i32::from(task.phase != Phase::Confirmed);
    session.store.end_run(id, session.clock().now(), good, &json!({ (task.phase.as_str()): 1 }))?;
    Ok(Restored { step: Some(task.applied()), decision })
}

fn refused(account: &AccountName, problem: &str) -> EngineError {
    EngineError::CannotRestore { account: account.clone(), problem: problem.to_owned() }
}

/// Refuses an account that cannot be reached or written to.
fn check_account(opened: &Opened, account: &AccountName) -> Result<(), EngineError> {
    if let Some((_, why)) = opened.blocked.get(account) {
        return Err(refused(account, why));
    }
    if opened.accounts.get(account).is_some_and(|open| !open.capabilities.upload) {
        return Err(refused(account, "it is only read"));
    }
    Ok(())
}

/// Refuses an account that others may be writing to, and a place where a step is still under way.
fn check_reach(
    session: &Session,
    locks: &AccountLocks,
    opened: &Opened,
    account: &AccountName,
    backup: &Backup,
) -> Result<(), EngineError> {
    let open = opened.accounts.get(account).filter(|open| covers(locks, &open.profile));
    let Some(open) = open else { return Err(EngineError::NotLocked(account.clone())) };
    let under_way = session.store.unsettled()?.into_iter().find(|record| {
        record.step.destination == open.row
            && Some(&record.step.address) == backup.subject.address.as_ref()
    });
    match under_way {
        Some(record) => Err(EngineError::UnderWay(record.step.address)),
        None => Ok(()),
    }
}

/// The activity that a replace put in the backup's place, if it is still there.
fn successor(
    session: &Session,
    opened: &Opened,
    account: &AccountName,
    backup: &Backup,
    there: &[Activity],
) -> Result<Option<Activity>, EngineError> {
    let Some(open) = opened.accounts.get(account) else { return Ok(None) };
    let links = session.store.links_to(open.row)?;
    let link = links.iter().find(|link| Some(&link.address) == backup.subject.address.as_ref());
    let id = link.and_then(|link| link.destination.as_ref()).map(|side| &side.id);
    Ok(there.iter().find(|row| Some(&row.id) == id).cloned())
}

fn step_of(
    backup: &Backup,
    account: &AccountName,
    key: Key,
    opened: &Opened,
    successor: Option<&Activity>,
) -> Step {
    let rule = backup.subject.address.as_ref().map_or("restore", Address::rule);
    let rule = RuleName::new(rule);
    let protocol = opened.accounts.get(account).map(|open| open.capabilities.replace);
    Step {
        address: backup
            .subject
            .address
            .clone()
            .unwrap_or_else(|| Address::of_start(&rule, key.start, 1)),
        rule,
        action: if successor.is_some() { Action::Replace } else { Action::Upload },
        reason: StepReason::Forced,
        protocol: successor.and(protocol).map(Protocol::from),
        key: StepKey {
            start: key.start,
            elapsed_s: key.elapsed_s,
            kind: backup.subject.kind.clone(),
        },
        source: SourceRef {
            account: account.clone(),
            id: backup.subject.id.clone(),
            fingerprint: Fingerprint::of_bytes(&backup.sha256),
            title: backup.subject.title.clone(),
            distance_m: None,
        },
        destination: DestinationRef {
            account: account.clone(),
            id: successor.map(|row| row.id.clone()),
            fingerprint: successor.map(|row| row.fingerprint.clone()),
        },
        changes: Vec::new(),
        loses: Vec::new(),
    }
}

impl Run<'_> {
    async fn send_back(
        &self,
        task: &mut Task,
        parcel: Parcel,
        file: &FitFile,
        backup: &Backup,
    ) -> Result<(), EngineError> {
        task.enter(self, Phase::Fetched, "", json!({ "parcel": parcel }))?;
        task.parcel = Some(parcel);
        match task.step.action {
            Action::Replace => self.replace(task, file).await?,
            Action::Upload => self.upload(task, file).await?,
        }
        let account = task.step.destination.account.clone();
        self.confirm_at(&account, &mut [task]).await?;
        if let (Phase::Confirmed, Some(new)) = (task.phase, self.new_one(task)) {
            // What cannot be carried over stays in the backup.
            let _ = self.carry_over(task, &new.id, &backup.subject.details).await;
        }
        Ok(())
    }

    /// The decision that source and restored activity are the same, so that no plan replaces it
    /// again.
    fn decision_for(&self, task: &Task, account: &AccountName) -> Option<Decision> {
        let restored = self.new_one(task).filter(|_| task.phase == Phase::Confirmed)?;
        let rules = &self.session.manifest.rules;
        let rule = rules.iter().find(|rule| rule.name == task.step.rule)?;
        let link = self.linked_at(&self.memory, &rule.source, account, &task.step.address)?;
        let source = self.listed(&rule.source, &link)?;
        Some(Decision {
            decision: Verdict::Adopt,
            rule: rule.name.clone(),
            address: task.step.address.clone(),
            source: self.party(&rule.source, &source),
            destination: Some(self.party(account, &restored)),
            candidates: Vec::new(),
            at: self.session.clock().now(),
        })
    }

    /// The source's id of the pair that was linked at an address before the restore.
    fn linked_at(
        &self,
        memory: &Memory,
        source: &AccountName,
        destination: &AccountName,
        address: &Address,
    ) -> Option<crate::domain::RemoteId> {
        let links = memory.links_between(source, destination);
        links.iter().find(|link| link.address == *address).map(|link| link.source.id.clone())
    }

    fn party(&self, account: &AccountName, activity: &Activity) -> Party {
        Party {
            account: account.clone(),
            profile: self.account(account).and_then(|open| open.profile.id.clone()),
            id: activity.id.clone(),
            fingerprint: activity.fingerprint.clone(),
        }
    }
}
