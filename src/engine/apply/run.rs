//! The run: from an approved plan to what became of each step, and what its steps share.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::archive::LastRuns;
use crate::domain::{AccountName, Activity, Address, Inventory, LinkStatus, RemoteId};
use crate::event::{Event, Phase};
use crate::net::RetryPolicy;
use crate::plan::reconcile::{Cause, Entry, Outcome, Why};
use crate::plan::{Context, Document, Memory, Pair, Step, Way};
use crate::platform::Platform;
use crate::state::{AccountRow, RunId, StepRecord};

use super::super::accounts::{OpenAccount, Opened, remember};
use super::super::cause::obstacle;
use super::super::error::EngineError;
use super::super::plan::Planned;
use super::super::refresh::Refresh;
use super::super::session::Session;
use super::aims::Aims;
use super::breaker::Breaker;
use super::task::Task;
use super::view::View;
use super::{Approved, Pace, RunReport, StepReport, bytes, orphans, saved};

const DAY_S: i64 = 24 * 3600;

/// What the steps of a run share.
pub(super) struct Run<'a> {
    pub(super) session: &'a Session,
    pub(super) id: RunId,
    pub(super) began: Timestamp,
    pub(super) pace: Pace,
    opened: Opened,
    pub(super) memory: Memory,
    /// What each account lists.
    pub(super) views: RefCell<BTreeMap<AccountName, View>>,
    /// Steps that do not rest yet.
    pub(super) open: RefCell<Aims>,
    /// Whose counterpart a destination's activity is: the source's account and id.
    pub(super) counterparts: RefCell<HashMap<(AccountName, RemoteId), (AccountRow, RemoteId)>>,
    /// What this run sends, what others send as another account's, and what was not compared yet.
    wanted: HashSet<Way>,
    /// What this run has removed.
    pub(super) removed: RefCell<HashSet<(AccountName, RemoteId)>>,
    /// Accounts to which this state has never sent anything.
    pub(super) strangers: RefCell<BTreeSet<AccountName>>,
    pub(super) breaker: RefCell<Breaker>,
    pub(super) policies: RefCell<BTreeMap<AccountName, Rc<RetryPolicy>>>,
    /// The order of readings and changes.
    order: Cell<u64>,
    /// Held while an account is read.
    pub(super) reading: tokio::sync::Mutex<()>,
}

/// Does what was approved.
pub async fn apply(
    session: &Session,
    planned: Planned,
    approved: Approved<'_>,
    pace: Pace,
) -> Result<RunReport, EngineError> {
    let document = approved.document();
    planned.remember_refusals(session)?;
    let (steps, blocked) = reachable(&planned.opened, &document.body.steps);
    let standings = match approved {
        Approved::Fresh(_) => Vec::new(),
        Approved::Saved(_) => saved::standings(session, &planned, &steps)?,
    };
    let unsettled = session.store.unsettled()?;
    let id = session.store.begin_run(Some(&document.id.0), session.clock().now())?;
    session.emit(Event::RunStarted { run: id.0, steps: document.body.steps.len() });
    let believed = believed(&planned.plan.document.context);
    let Planned { plan, opened, inventories, memory, .. } = planned;
    let mut run = Run::new(session, id, pace, opened, inventories, memory)?;
    let removed = removals(&plan.removed, document);
    run.wanted = steps.iter().map(way).chain(plan.left).collect();
    run.prepare(&steps).await?;
    run.keep_links(&plan.in_sync)?;
    run.accept_counts(&believed)?;
    // Of thousands of steps no second copy is kept.
    drop(plan.document);
    let mut tasks = run.tasks(steps)?;
    run.keep_private(&unsettled)?;
    run.leave_unsettled(&mut tasks, &unsettled)?;
    run.leave_what_does_not_hold(&mut tasks, standings)?;
    let broken = run.work(&mut tasks).await.err();
    bytes::sweep(session)?;
    if broken.is_none() && !session.stop.is_requested() {
        run.note_told(&removed, &plan.in_sync)?;
    }
    let mut ended: Vec<StepReport> =
        blocked.into_iter().map(|(step, why)| not_reached(session, step, why)).collect();
    ended.extend(tasks.iter().map(Task::applied));
    let order: HashMap<_, _> =
        document.body.steps.iter().enumerate().map(|(n, step)| (&step.address, n)).collect();
    ended.sort_by_key(|step| order.get(&step.address).copied());
    Ok(RunReport { run: id, steps: ended, broken })
}

/// The accounts that took part and whose inventories the guard had nothing against.
fn believed(context: &Context) -> Vec<AccountName> {
    let blocked = context.blocked.iter().map(|blocked| &blocked.account);
    let shrunken = context.limits.iter().filter_map(|limit| limit.account.as_ref());
    let doubted: HashSet<&AccountName> = blocked.chain(shrunken).collect();
    let accounts = context.inventories.iter().map(|inventory| &inventory.account);
    accounts.filter(|account| !doubted.contains(account)).cloned().collect()
}

/// What a document says was removed at its destination.
fn removals(removed: &[(Address, Way)], document: &Document) -> Vec<Way> {
    let said: HashSet<&Address> = document.context.skips.iter().map(|skip| &skip.address).collect();
    let removed = removed.iter().filter(|(address, _)| said.contains(address));
    removed.map(|(_, way)| way.clone()).collect()
}

fn way(step: &Step) -> Way {
    let (source, destination) = (&step.source, &step.destination.account);
    (source.account.clone(), destination.clone(), source.id.clone())
}

/// A step whose account is not open today, and why.
type Blocked<'s> = (&'s Step, (Cause, String));

/// The steps whose accounts are open today, and the others with the reason why not.
fn reachable<'s>(opened: &Opened, steps: &'s [Step]) -> (Vec<Step>, Vec<Blocked<'s>>) {
    let (mut open, mut blocked) = (Vec::new(), Vec::new());
    for step in steps {
        let accounts = [&step.source.account, &step.destination.account];
        match accounts.into_iter().find_map(|name| opened.blocked.get(name)) {
            Some((reason, why)) => blocked.push((step, (Cause::from(*reason), why.clone()))),
            None => open.push(step.clone()),
        }
    }
    (open, blocked)
}

fn not_reached(session: &Session, step: &Step, (cause, detail): (Cause, String)) -> StepReport {
    let (address, phase) = (step.address.clone(), Phase::NotTried);
    session.emit(Event::Step {
        address: address.clone(),
        action: step.action,
        title: step.source.title.clone(),
        bytes: None,
        phase,
        attempt: 0,
        detail: detail.clone(),
    });
    StepReport { address, action: step.action, phase, detail, question: None, cause: Some(cause) }
}

/// Whether its destination knows the activity and did not hide it: what is listed late is there, too.
fn is_refused(record: &StepRecord) -> bool {
    let last = record.entries.last().map(|written| &written.entry);
    matches!(last, Some(Entry::Ended { why: Why::NotHidden { .. }, .. }))
}

impl<'a> Run<'a> {
    pub(super) fn new(
        session: &'a Session,
        id: RunId,
        pace: Pace,
        opened: Opened,
        inventories: BTreeMap<AccountName, Inventory>,
        memory: Memory,
    ) -> Result<Self, EngineError> {
        let runs = LastRuns::new(&session.places.backups);
        runs.note(&session.store.state_id()?, id.0).map_err(EngineError::Archive)?;
        let views = inventories.into_iter().map(|(name, rows)| (name, View::of(rows)));
        let mut views: BTreeMap<AccountName, View> = views.collect();
        for ((_, destination), links) in &memory.links {
            let Some(view) = views.get_mut(destination) else { continue };
            let known = links.iter().filter(|link| link.status == LinkStatus::Confirmed);
            known.filter_map(|it| it.destination.as_ref()).for_each(|side| view.note_linked(side));
        }
        let mut run = Self {
            session,
            id,
            began: session.clock().now(),
            pace,
            opened,
            memory,
            views: RefCell::new(views),
            open: RefCell::default(),
            counterparts: RefCell::default(),
            wanted: HashSet::new(),
            removed: RefCell::default(),
            strangers: RefCell::default(),
            breaker: RefCell::default(),
            policies: RefCell::default(),
            order: Cell::new(0),
            reading: tokio::sync::Mutex::default(),
        };
        for (name, open) in &run.opened.accounts {
            let known = session.store.counterparts(open.row)?;
            let known = known.into_iter().map(|(id, source)| ((name.clone(), id), source));
            run.counterparts.borrow_mut().extend(known);
        }
        run.strangers = RefCell::new(run.find_strangers()?);
        Ok(run)
    }

    /// Makes the destinations of these steps ready to be written to.
    pub(super) async fn prepare(&mut self, steps: &[Step]) -> Result<(), EngineError> {
        let destinations: BTreeSet<AccountName> =
            steps.iter().map(|step| step.destination.account.clone()).collect();
        for name in &destinations {
            let Some(open) = self.opened.accounts.get_mut(name) else { continue };
            let Some(platform) = open.platform.clone() else { continue };
            match platform.prepare().await {
                Ok(profile) => {
                    if let Some(account) = self.session.manifest.accounts.get(name) {
                        open.row = remember(self.session, account, &profile)?;
                    }
                    open.profile = profile;
                }
                Err(error) => {
                    let (reason, why) = obstacle(&error);
                    self.breaker.borrow_mut().trip(name, why, Cause::from(reason));
                }
            }
        }
        // What was made just now has never been read.
        for name in &destinations {
            let Some(row) = self.account(name).map(|open| open.row) else { continue };
            if self.session.store.inventory_meta(row)?.is_none() {
                self.read_whole(name, Refresh::Full).await?;
            }
        }
        Ok(())
    }

    /// Counts that passed the guard are those against which the next loss is measured.
    fn accept_counts(&self, believed: &[AccountName]) -> Result<(), EngineError> {
        for account in believed.iter().filter_map(|name| self.account(name)) {
            self.session.store.accept_count(account.row)?;
        }
        Ok(())
    }

    fn tasks(&self, steps: Vec<Step>) -> Result<Vec<Task>, EngineError> {
        let mut tasks = Vec::with_capacity(steps.len());
        for (number, step) in steps.into_iter().enumerate() {
            tasks.push(Task::planned(self, number, step)?);
        }
        self.claim_old_ones(&tasks);
        Ok(tasks)
    }

    /// What an earlier step of the same activity still has in flight is not begun a second time.
    fn leave_unsettled(
        &self,
        tasks: &mut [Task],
        unsettled: &[StepRecord],
    ) -> Result<(), EngineError> {
        let in_flight: HashSet<(AccountRow, &RemoteId, AccountRow)> = unsettled
            .iter()
            .map(|record| &record.step)
            .map(|step| (step.source, &step.source_id, step.destination))
            .collect();
        for task in tasks {
            if in_flight.contains(&(task.row.source, &task.row.source_id, task.row.destination)) {
                task.begin(self)?;
                let (outcome, why) = (Outcome::NotTried, Why::Unsettled);
                task.write(self, Entry::Ended { outcome, why, cause: None })?;
            }
        }
        Ok(())
    }

    /// Notes which removals this run has told, and forgets those of what is there again.
    fn note_told(&self, removed: &[Way], in_sync: &[Pair]) -> Result<(), EngineError> {
        let store = &self.session.store;
        for (source, destination, id) in removed {
            if let Some((from, to)) = self.pair(source, destination) {
                store.note_told_removal(from.row, id, to.row)?;
            }
        }
        let is_told = |source, destination: &AccountName, id| {
            self.memory.is_removal_told(source, destination, id)
        };
        for Pair { source: (source, id), destination, .. } in in_sync {
            let Some((destination, _)) = destination else { continue };
            if is_told(source, destination, id)
                && let Some((from, to)) = self.pair(source, destination)
            {
                store.forget_told_removal(from.row, id, to.row)?;
            }
        }
        Ok(())
    }

    /// Where something is shown that must not be, nothing private is sent before it is hidden.
    pub(super) fn keep_private(&self, unsettled: &[StepRecord]) -> Result<(), EngineError> {
        for record in unsettled {
            self.keep_private_beside(record);
        }
        for account in orphans::hiding(self.session, &self.opened)? {
            let message = format!("{account}: what an earlier run sent there may be shown still");
            self.breaker.borrow_mut().stop_private(&account, message);
        }
        Ok(())
    }

    fn keep_private_beside(&self, record: &StepRecord) {
        let Ok(state) = record.state() else { return };
        let is_shown = state.must_hide()
            && state.known_id().is_some_and(|id| state.hidden.as_ref() != Some(id));
        let open = self.opened.accounts.values();
        let mut there = open.filter(|open| open.row == record.step.destination);
        // What a complete listing does not show is shown to nobody.
        let is_nowhere = |name: &AccountName, id: &RemoteId| {
            let views = self.views.borrow();
            views.get(name).is_some_and(|view| view.is_whole() && view.row(id).is_none())
        };
        if let (true, Some(account)) = (is_shown, there.next())
            && (is_refused(record)
                || !state.known_id().is_some_and(|id| is_nowhere(&account.name, id)))
        {
            let name = account.name.clone();
            let message = format!("{name}: an earlier activity could not be made private there");
            self.breaker.borrow_mut().stop_private(&name, message);
        }
    }

    pub(super) fn accounts(&self) -> impl Iterator<Item = (&AccountName, &OpenAccount)> {
        self.opened.accounts.iter()
    }

    pub(super) fn account(&self, name: &AccountName) -> Option<&OpenAccount> {
        self.opened.accounts.get(name)
    }

    pub(super) fn pair(
        &self,
        source: &AccountName,
        destination: &AccountName,
    ) -> Option<(&OpenAccount, &OpenAccount)> {
        self.account(source).zip(self.account(destination))
    }

    pub(super) fn platform(&self, name: &AccountName) -> Option<Arc<dyn Platform>> {
        self.account(name)?.platform.clone()
    }

    /// An activity as it was listed last.
    pub(super) fn listed(&self, account: &AccountName, id: &RemoteId) -> Option<Rc<Activity>> {
        self.views.borrow().get(account)?.row(id)
    }

    /// Whether this run's plan wants an activity there.
    pub(super) fn is_wanted(&self, from: &AccountName, to: &AccountName, id: &RemoteId) -> bool {
        self.wanted.contains(&(from.clone(), to.clone(), id.clone()))
    }

    /// Ids that a destination lists near the start of a step.
    pub(super) fn ids_near(&self, step: &Step) -> Vec<RemoteId> {
        let nearby_s = DAY_S + i64::from(step.key.elapsed_s.unwrap_or_default());
        let views = self.views.borrow();
        let Some(view) = views.get(&step.destination.account) else { return Vec::new() };
        view.near(step.key.start, nearby_s).iter().map(|row| row.id.clone()).collect()
    }

    /// The next place in the order of readings and changes.
    pub(super) fn next_order(&self) -> u64 {
        self.order.set(self.order.get() + 1);
        self.order.get()
    }

    /// How long this account may need to show what it took or to forget what it deleted.
    pub(super) fn settling(&self, name: &AccountName) -> Duration {
        self.account(name).map(|open| open.settling(self.session)).unwrap_or_default()
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        self.session.stop.sleep(self.session.clock(), duration).await;
    }
}
