//! The order of the steps: oldest upload first, then replaces; downloads run ahead of uploads, and a
//! bounded number of files is held at a time.

use std::sync::Arc;

use futures_util::future::{LocalBoxFuture, join_all};
use futures_util::stream::{self, StreamExt as _};
use serde_json::json;
use tokio::sync::{Semaphore, mpsc};

use crate::domain::AccountName;
use crate::event::Phase;
use crate::plan::{Action, Step};
use crate::platform::FitFile;

use super::super::error::EngineError;
use super::Run;
use super::task::Task;

/// Downloads that may be ready or under way before their uploads.
const AHEAD: usize = 3;

impl Run<'_> {
    /// Brings every open step to `sent` or to where it ends; destinations do not wait for each
    /// other.
    pub(super) async fn execute(&self, tasks: &mut [Task]) -> Result<(), EngineError> {
        let mut queues: Vec<(AccountName, Vec<&mut Task>)> = Vec::new();
        for task in tasks.iter_mut().filter(|task| task.phase == Phase::Intent) {
            let destination = task.step.destination.account.clone();
            match queues.iter_mut().find(|(account, _)| *account == destination) {
                Some((_, queue)) => queue.push(task),
                None => queues.push((destination, vec![task])),
            }
        }
        let queues = queues.into_iter().map(|(account, mut queue)| {
            queue.sort_by_key(|task| {
                let step = &task.step;
                (self.was_refused(step), step.action == Action::Replace, step.key.start)
            });
            self.work_off(account, queue)
        });
        join_all(queues).await.into_iter().collect()
    }

    /// What was refused before goes last, so that it stands in nobody's way.
    fn was_refused(&self, step: &Step) -> bool {
        let (source, id) = (&step.source.account, &step.source.id);
        self.memory.was_refused(source, &step.destination.account, id)
    }

    async fn work_off(
        &self,
        destination: AccountName,
        queue: Vec<&mut Task>,
    ) -> Result<(), EngineError> {
        let (ready, mut next) = mpsc::channel(1);
        let fetching = async move {
            let mut fetched =
                stream::iter(queue).map(|task| self.fetch_stage(task)).buffered(AHEAD);
            while let Some(item) = fetched.next().await {
                if ready.send(item).await.is_err() {
                    break;
                }
            }
        };
        let sending = async {
            let incoming = stream::poll_fn(|context| next.poll_recv(context));
            let (requests, steps) = self.parallel(&destination);
            let places = Arc::new(Semaphore::new(requests));
            let mut sent = incoming.map(|item| self.send_stage(item, &places)).buffered(steps);
            let mut result = Ok(());
            while let Some(outcome) = sent.next().await {
                result = result.and(outcome);
            }
            result
        };
        let ((), result) = tokio::join!(fetching, sending);
        result
    }

    /// Most requests of steps, and most steps, under way at a destination.
    fn parallel(&self, destination: &AccountName) -> (usize, usize) {
        let account = self.session.manifest.accounts.get(destination);
        let can = self.account(destination).map(|open| open.capabilities);
        let (requests, steps) = can.map_or((1, 1), |can| (can.parallel, can.steps_per_request));
        let own = account.and_then(|account| account.max_parallel).unwrap_or(requests);
        let least = |own: u32| self.pace.parallel.map_or(own, |asked| asked.min(own)).max(1);
        let number = |own| usize::try_from(least(own)).unwrap_or(1);
        (number(own), number(own.saturating_mul(steps)))
    }

    fn fetch_stage<'t>(&'t self, task: &'t mut Task) -> LocalBoxFuture<'t, Item<'t>> {
        Box::pin(async move {
            let result = self.begin(task).await;
            (task, result)
        })
    }

    async fn begin(&self, task: &mut Task) -> Result<Option<FitFile>, EngineError> {
        if let Some(why) = self.reason_not_to_begin(task) {
            task.enter(self, Phase::NotTried, &why, json!({}))?;
            return Ok(None);
        }
        if !self.is_fresh(task).await? {
            return Ok(None);
        }
        task.begin(self)?;
        // Nothing is lost with a download that nobody waits for any more.
        match self.session.stop.race(self.fetch(task)).await {
            Some(fetched) => fetched,
            None => {
                task.enter(self, Phase::NotTried, "the run was interrupted", json!({}))?;
                Ok(None)
            }
        }
    }

    fn reason_not_to_begin(&self, task: &mut Task) -> Option<String> {
        if self.session.stop.is_requested() {
            return Some("the run was interrupted".to_owned());
        }
        let health = self.health.borrow();
        if self.pace.max_failures.is_some_and(|most| health.failures() >= most) {
            return Some(format!("{} steps have failed", health.failures()));
        }
        let step = &task.step;
        let closed = [&step.destination.account, &step.source.account]
            .into_iter()
            .find_map(|account| health.closed(account));
        let (why, cause) = closed?;
        task.cause = Some(*cause);
        Some(why.clone())
    }

    fn send_stage<'t>(
        &'t self,
        (task, fetched): Item<'t>,
        places: &Arc<Semaphore>,
    ) -> LocalBoxFuture<'t, Result<(), EngineError>> {
        let places = Arc::clone(places);
        Box::pin(async move {
            let Some(file) = fetched? else { return Ok(()) };
            // The semaphore is never closed.
            task.place = places.acquire_owned().await.ok();
            let done = self.send_now(task, &file).await;
            task.place = None;
            done
        })
    }

    async fn send_now(&self, task: &mut Task, file: &FitFile) -> Result<(), EngineError> {
        if let Some(why) = self.reason_not_to_begin(task) {
            return task.enter(self, Phase::NotTried, &why, json!({}));
        }
        if !self.is_fresh(task).await? {
            return Ok(());
        }
        match task.step.action {
            Action::Upload => self.upload(task, file).await,
            Action::Replace => self.replace(task, file).await,
        }
    }
}

/// A step and its file, or that it has ended, or why the run cannot go on.
type Item<'t> = (&'t mut Task, Result<Option<FitFile>, EngineError>);
