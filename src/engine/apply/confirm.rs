//! Looks whether the destinations list what was sent.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::domain::AccountName;
use crate::event::Phase;
use crate::plan::Action;

use super::super::error::EngineError;
use super::send::Answer;
use super::task::Task;
use super::trace::Brought;
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
                self.look(account, tasks).await?;
            }
            if !tasks.iter().any(|task| is_open(task)) {
                return Ok(());
            }
        }
        let closed = self.health.borrow().closed(account).map(|(_, cause)| *cause);
        for task in tasks.iter_mut().filter(|task| is_open(task)) {
            task.cause = closed;
        }
        self.not_seen(account, tasks, reading).await
    }

    /// Finishes every open task of which something is to be seen.
    async fn look(
        &self,
        account: &AccountName,
        tasks: &mut [&mut Task],
    ) -> Result<(), EngineError> {
        let found = self.brought_by_open(account, tasks);
        for (task, brought) in tasks.iter_mut().filter(|task| is_open(task)).zip(found) {
            if let Brought::One(new) = brought {
                self.finish(task, &new).await?;
            }
        }
        Ok(())
    }

    fn brought_by_open(&self, account: &AccountName, tasks: &[&mut Task]) -> Vec<Brought> {
        let open: Vec<&Task> =
            tasks.iter().filter(|task| is_open(task)).map(|task| &**task).collect();
        self.brought(account, &open)
    }

    /// Nothing to be seen after the account's time. What was taken is pending; what may not even
    /// have arrived is sent once more, if a complete listing shows no trace of it.
    async fn not_seen(
        &self,
        account: &AccountName,
        tasks: &mut [&mut Task],
        reading: Reading,
    ) -> Result<(), EngineError> {
        let found = self.brought_by_open(account, tasks);
        let mut repeated = false;
        for (task, brought) in tasks.iter_mut().filter(|task| is_open(task)).zip(found) {
            let no_trace = reading == Reading::Complete && matches!(brought, Brought::Nothing);
            if no_trace && self.may_repeat(task) {
                self.repeat(task).await?;
                repeated = true;
            }
        }
        if repeated && self.read_again(account).await? != Reading::Failed {
            self.look(account, tasks).await?;
        }
        for task in tasks.iter_mut().filter(|task| task.phase == Phase::Sent) {
            self.not_listed_yet(task)?;
        }
        Ok(())
    }

    fn may_repeat(&self, task: &Task) -> bool {
        let settling = self.settling(&task.step.destination.account);
        task.phase == Phase::Unknown
            && task.attempt == 1
            && task.sent_at.is_some_and(|at| self.is_over(at, settling))
            && !self.session.stop.is_requested()
    }

    /// Sends what left no trace once more.
    async fn repeat(&self, task: &mut Task) -> Result<(), EngineError> {
        if task.leaves_gap() {
            return self.fill_gap_again(task).await;
        }
        let Some(file) = self.fetch(task).await? else { return Ok(()) };
        task.attempt += 1;
        match self.send(task, &file).await? {
            Answer::Taken(id) => self.taken(task, id),
            Answer::Unknown(words) => self.unknown(task, &words),
            Answer::Duplicate(_) => {
                let words = "the destination says that it has it, but does not list it";
                self.unknown(task, words)
            }
            Answer::Refused(reason, words) => self.refuse(task, reason, &words),
            Answer::TooLarge(words) => self.leave_too_large(task, &words),
            Answer::Not(error) => self.fail(task, &format!("not sent: {error}"), &error),
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
