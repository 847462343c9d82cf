//! Looks whether the destinations list what was sent.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::domain::{AccountName, Activity};
use crate::event::Phase;
use crate::plan::Action;

use super::super::error::EngineError;
use super::send::Answer;
use super::task::Task;
use super::{Reading, Run};

/// Looks within the time that an account may need to show what it took.
const LOOKS: u32 = 6;

impl Run<'_> {
    /// Confirms everything that was sent, one reading per destination and look.
    pub(super) async fn confirm(&self, tasks: &mut [Task]) -> Result<(), EngineError> {
        let destinations: BTreeSet<AccountName> = tasks
            .iter()
            .filter(|task| is_open(task))
            .map(|task| task.step.destination.account.clone())
            .collect();
        for account in destinations {
            let mut open: Vec<&mut Task> = tasks
                .iter_mut()
                .filter(|task| is_open(task) && task.step.destination.account == account)
                .collect();
            self.confirm_at(&account, &mut open).await?;
        }
        Ok(())
    }

    pub(super) async fn confirm_at(
        &self,
        account: &AccountName,
        tasks: &mut [&mut Task],
    ) -> Result<(), EngineError> {
        let pause = self.settling(account) / LOOKS;
        let mut reading = Reading::Failed;
        for look in 0..=LOOKS {
            if look > 0 {
                if pause.is_zero() || self.session.stop.is_requested() {
                    break;
                }
                self.sleep(pause).await;
            }
            reading = self.read_again(account).await?;
            if reading != Reading::Failed {
                self.look(tasks).await?;
            }
            if !tasks.iter().any(|task| is_open(task)) {
                return Ok(());
            }
        }
        let closed = self.health.borrow().closed(account).map(|(_, cause)| *cause);
        for task in tasks.iter_mut().filter(|task| is_open(task)) {
            task.cause = closed;
            self.not_seen(task, reading).await?;
        }
        Ok(())
    }

    async fn look(&self, tasks: &mut [&mut Task]) -> Result<(), EngineError> {
        for task in tasks.iter_mut().filter(|task| is_open(task)) {
            if let Some(new) = self.new_one(task)? {
                self.finish(task, &new).await?;
            }
        }
        Ok(())
    }

    /// The activity that a task brought to its destination: by its id, else the only one with its
    /// bytes or its very time that was not there before and is nobody else's. Never the newest.
    pub(super) fn new_one(&self, task: &Task) -> Result<Option<Activity>, EngineError> {
        let account = &task.step.destination.account;
        if let Some(named) = task.new.as_ref().and_then(|id| self.listed(account, id)) {
            return Ok(Some(named));
        }
        let (Some(parcel), Some(inventory)) = (&task.parcel, self.inventory(account)) else {
            return Ok(None);
        };
        let mut fitting = Vec::new();
        for row in &inventory.activities {
            let overlap = row.interval().zip(parcel.key().interval());
            let fits = row.start == Some(parcel.start)
                && overlap.is_none_or(|(a, b)| a.overlap_permille(&b) >= 800);
            let was_there = task.known.contains(&row.id) || self.was_there(account, &row.id);
            if fits && !was_there && !self.is_linked_elsewhere(task, row)? {
                fitting.push(row);
            }
        }
        let same = fitting.iter().find(|row| row.sha256.as_ref() == Some(&parcel.sha256));
        let only = if let [only] = fitting.as_slice() { Some(only) } else { None };
        Ok(same.or(only).map(|row| (*row).clone()))
    }

    /// Nothing to be seen after the account's time. What was taken is pending; what may not even
    /// have arrived is sent once more, if a complete listing shows no trace of it.
    async fn not_seen(&self, task: &mut Task, reading: Reading) -> Result<(), EngineError> {
        if task.phase == Phase::Sent {
            return self.not_listed_yet(task);
        }
        let account = task.step.destination.account.clone();
        let due = task.sent_at.is_some_and(|at| self.is_over(at, self.settling(&account)));
        if reading != Reading::Complete || !due || task.attempt > 1 {
            return Ok(());
        }
        if self.session.stop.is_requested() {
            return Ok(());
        }
        let Some(file) = self.fetch(task).await? else { return Ok(()) };
        task.attempt = 2;
        match self.send(task, &file).await? {
            Answer::Taken(id) => self.taken(task, id)?,
            Answer::Unknown(words) => return self.unknown(task, &words),
            Answer::Duplicate(_) => {
                let words = "the destination says that it has it, but does not list it";
                return self.unknown(task, words);
            }
            Answer::Refused(reason, words) => return self.refuse(task, reason, &words),
            Answer::Not(error) => {
                return self.fail(task, &format!("not sent: {error}"), &error);
            }
        }
        self.read_again(&account).await?;
        match self.new_one(task)? {
            Some(new) => self.finish(task, &new).await,
            None => self.not_listed_yet(task),
        }
    }

    pub(super) fn not_listed_yet(&self, task: &mut Task) -> Result<(), EngineError> {
        let id = json!({ "id": task.new });
        match task.step.action {
            Action::Upload => {
                let words = "taken, but not listed yet; the next run looks again";
                task.enter(self, Phase::Pending, words, id)
            }
            Action::Replace => {
                let words = "the new one is taken, but not listed yet; the next run goes on";
                task.enter(self, Phase::Held, words, id)
            }
        }
    }

    pub(super) fn is_over(&self, since: jiff::Timestamp, wait: Duration) -> bool {
        let passed = self.session.clock().now().duration_since(since);
        passed.unsigned_abs() >= wait
    }
}

/// Sent, and not seen yet.
fn is_open(task: &Task) -> bool {
    matches!(task.phase, Phase::Sent | Phase::Unknown)
}
