//! The order of the steps: oldest upload first, then replaces; downloads run ahead of uploads; what
//! was sent is looked for once per account, when everything is sent.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{LocalBoxFuture, join_all};
use futures_util::stream::{self, StreamExt as _};
use tokio::sync::{Semaphore, mpsc};

use crate::domain::{AccountName, Action};
use crate::event::Event;
use crate::plan::reconcile::{Move, Named, next};

use super::super::error::EngineError;
use super::observe::LOOKS;
use super::run::Run;
use super::task::Task;

/// Downloads that may be ready or under way before their uploads.
const AHEAD: usize = 3;

/// Moves that a step may take in one run; none comes near it.
const MAX_MOVES: u32 = 1000;

/// How far a step is driven.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Its bytes are here; nothing is changed anywhere.
    Ready,
    /// It is sent; one reading after the last of all serves them together.
    Sent,
    /// It rests, or has to wait.
    Waiting,
}

impl Until {
    fn lets(self, one: &Move, task: &Task) -> bool {
        match self {
            Self::Ready => matches!(one, Move::Read | Move::Fetch | Move::End(..)),
            // What must be hidden is looked for at once.
            Self::Sent => *one != Move::Read || !task.state.is_touched() || task.state.must_hide(),
            Self::Waiting => true,
        }
    }
}

impl Run<'_> {
    /// Reconciles all steps; destinations do not wait for each other.
    pub(super) async fn work(&self, tasks: &mut [Task]) -> Result<(), EngineError> {
        let mut queues: Vec<(AccountName, Vec<&mut Task>)> = Vec::new();
        for task in tasks.iter_mut().filter(|task| !task.rests()) {
            self.aim(task);
            let destination = task.step.destination.account.clone();
            match queues.iter_mut().find(|(account, _)| *account == destination) {
                Some((_, queue)) => queue.push(task),
                None => queues.push((destination, vec![task])),
            }
        }
        for (account, _) in &queues {
            self.free_names(account);
            self.assign_arrivals(account);
        }
        let queues = queues.into_iter().map(|(account, mut queue)| {
            queue.sort_by_key(|task| self.turn(task));
            self.work_off(account, queue)
        });
        join_all(queues).await.into_iter().collect()
    }

    /// What is to be hidden comes first, then what is in flight, then uploads, then replaces; what was
    /// refused before goes to the end.
    fn turn(&self, task: &Task) -> (bool, bool, bool, bool, jiff::Timestamp) {
        let is_new = !task.state.is_touched();
        let can_wait = !self.can_be_hidden(task);
        let is_replace = task.step.action == Action::Replace;
        (can_wait, is_new, self.was_refused(task), is_replace, task.step.key.start)
    }

    fn was_refused(&self, task: &Task) -> bool {
        let (source, destination) = (&task.step.source, &task.step.destination.account);
        self.memory.last_refusal(&source.account, destination, &source.id).is_some()
    }

    async fn work_off(
        &self,
        destination: AccountName,
        mut queue: Vec<&mut Task>,
    ) -> Result<(), EngineError> {
        if queue.iter().any(|task| !task.state.is_touched() && self.shows_late(task)) {
            self.let_settle(&destination).await;
        }
        self.send_all(&destination, &mut queue).await?;
        let mut is_told = false;
        loop {
            let mut waiting: Vec<&mut Task> =
                queue.iter_mut().filter(|task| !task.rests()).map(|task| &mut **task).collect();
            if waiting.is_empty() {
                return Ok(());
            }
            for task in &mut waiting {
                self.look_again(task).await?;
            }
            let left = waiting.iter().filter(|task| !task.rests()).count();
            if left == 0 {
                return Ok(());
            }
            if !std::mem::replace(&mut is_told, true) {
                self.tell_settling(&destination, left);
            }
            self.pause(&destination).await?;
        }
    }

    /// Drives every step as far as it comes without waiting for the destination.
    async fn send_all(
        &self,
        destination: &AccountName,
        queue: &mut [&mut Task],
    ) -> Result<(), EngineError> {
        let (ready, mut next) = mpsc::channel(1);
        let fetching = async move {
            let tasks = stream::iter(queue.iter_mut());
            let mut fetched = tasks.map(|task| self.fetch_stage(task)).buffered(AHEAD);
            while let Some(item) = fetched.next().await {
                if ready.send(item).await.is_err() {
                    break;
                }
            }
        };
        let sending = async {
            let incoming = stream::poll_fn(|context| next.poll_recv(context));
            let (requests, steps) = self.parallel(destination);
            let permits = Arc::new(Semaphore::new(requests));
            let sending = incoming.map(|item| self.send_stage(item, &permits));
            let mut sent = sending.buffer_unordered(steps);
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
        let capped = |own: u32| self.pace.parallel.map_or(own, |asked| asked.min(own)).max(1);
        let number = |own| usize::try_from(capped(own)).unwrap_or(1);
        (number(own), number(own.saturating_mul(steps)))
    }

    fn fetch_stage<'t>(&'t self, task: &'t mut Task) -> LocalBoxFuture<'t, Item<'t>> {
        Box::pin(async move {
            let result = self.reconcile(task, Until::Ready).await;
            (task, result)
        })
    }

    fn send_stage<'t>(
        &'t self,
        (task, fetched): Item<'t>,
        permits: &Arc<Semaphore>,
    ) -> LocalBoxFuture<'t, Result<(), EngineError>> {
        let permits = Arc::clone(permits);
        Box::pin(async move {
            fetched?;
            if task.rests() {
                return Ok(());
            }
            // The semaphore is never closed.
            task.run.permit = permits.acquire_owned().await.ok();
            let done = self.send_and_hide(task).await;
            task.run.permit = None;
            done
        })
    }

    /// Sends a step; what must be hidden is hidden before the next one is sent.
    async fn send_and_hide(&self, task: &mut Task) -> Result<(), EngineError> {
        self.reconcile(task, Until::Sent).await?;
        while !task.rests() && task.state.must_hide() && task.state.may_be_shown() {
            if self.waits_for_another(task) {
                return Ok(());
            }
            self.pause(&task.step.destination.account).await?;
            self.look_again(task).await?;
        }
        Ok(())
    }

    /// Tells for how long what was done at an account is looked for.
    pub(super) fn tell_settling(&self, account: &AccountName, steps: usize) {
        let settling = self.settling(account);
        if settling.is_zero() || self.session.stop.is_requested() {
            return;
        }
        let until = self.session.clock().now().saturating_add(settling);
        let until = until.unwrap_or(jiff::Timestamp::MAX);
        self.session.emit(Event::Settling { account: account.clone(), steps, until });
    }

    /// Lets a part of the time pass that a destination may need, and reads it once more.
    async fn pause(&self, destination: &AccountName) -> Result<(), EngineError> {
        let pause = self.settling(destination) / LOOKS;
        // At least a moment, so that a clock that does not move ends no wait early.
        self.sleep(pause.max(Duration::from_millis(1))).await;
        self.read_days(destination).await
    }

    async fn look_again(&self, task: &mut Task) -> Result<(), EngineError> {
        task.run.waits += 1;
        // Another look may show what was not listed a moment ago.
        task.run.named.take_if(|named| *named == Named::Unlisted);
        self.reconcile(task, Until::Waiting).await
    }

    /// The loop: look, decide, do the one thing, and look again.
    async fn reconcile(&self, task: &mut Task, until: Until) -> Result<(), EngineError> {
        task.begin(self)?;
        while !task.rests() {
            let one = next(&task.state, &self.observe(task));
            if one.is_more_than_hiding()
                && let Some(given_up) = task.run.without_source.take()
            {
                task.run.given_up = Some(given_up);
                continue;
            }
            let is_early = one == Move::Send && task.state.is_touched() && self.exposes_two(task);
            if one == Move::Wait || is_early || !until.lets(&one, task) {
                return Ok(());
            }
            task.run.moves += 1;
            if task.run.moves > MAX_MOVES {
                return Err(EngineError::Endless(task.step.address.clone()));
            }
            self.perform(task, one).await?;
            self.aim(task);
        }
        self.lower(task);
        Ok(())
    }
}

/// A step whose bytes are here, or that rests, or why the run cannot go on.
type Item<'t> = (&'t mut Task, Result<(), EngineError>);
