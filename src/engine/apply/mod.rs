//! The second straight line: what was approved is done, step by step, journalled before and after.
//!
//! A step goes `intent → fetched → (backed_up → removed →) sent → confirmed`. Every transition is
//! one call of [`task::Task::enter`], which writes the journal before anything else happens. No step
//! decides what the plan has not said.

mod confirm;
mod fetch;
mod finish;
mod flow;
mod fresh;
mod health;
mod links;
mod look;
mod precondition;
mod recover;
mod replace;
mod restore;
mod send;
mod settle;
mod task;
mod trace;
mod undo;
mod verify;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::domain::{AccountName, Activity, Address, Inventory, RemoteId};
use crate::event::{Event, Phase};
use crate::plan::{Action, BlockedReason, Context, Document, Memory, Step};
use crate::platform::{AuthFailure, Platform, PlatformError};
use crate::state::{AccountRow, RunId, StepRecord};

use super::accounts::{OpenAccount, Opened, obstacle, remember};
use super::error::EngineError;
use super::plan::Planned;
use super::refresh::{self, Refresh};
use super::session::Session;

pub use precondition::check_accounts;
pub use restore::{Restored, restore};
pub use settle::{Left, LeftReason, Settled, settle};

use health::Health;
use task::Task;

/// What is to be done, and how it was approved.
#[derive(Clone, Copy, Debug)]
pub enum Approved<'a> {
    /// The plan that was just made.
    Fresh(&'a Document),
    /// A plan of another day: each step is checked against the world of today.
    Saved(&'a Document),
}

impl Approved<'_> {
    fn document(&self) -> &Document {
        match self {
            Self::Fresh(document) | Self::Saved(document) => document,
        }
    }
}

/// How a run of apply goes about its steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// Most steps under way per destination; `None`: as its platform says.
    pub parallel: Option<u32>,
    /// Failed steps after which nothing new is begun; `None`: never.
    pub max_failures: Option<u32>,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Which.
    pub address: Address,
    /// What it does.
    pub action: Action,
    /// How far it came.
    pub phase: Phase,
    /// For people; may be empty.
    pub detail: String,
    /// The question that it has become, if so.
    pub question: Option<String>,
    /// What kind of failure ended it, if one did.
    pub cause: Option<Cause>,
}

impl Applied {
    /// Whether a person must decide before it can go on.
    pub fn is_question(&self) -> bool {
        self.question.is_some()
    }
}

/// What kind of failure ended a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// No session.
    Login,
    /// Not reached, or asked to wait.
    Unavailable,
    /// Anything else.
    Other,
}

impl From<BlockedReason> for Cause {
    fn from(reason: BlockedReason) -> Self {
        match reason {
            BlockedReason::LoginNeeded => Self::Login,
            BlockedReason::Unavailable
            | BlockedReason::MarkerMissing
            | BlockedReason::InventoryIncomplete => Self::Unavailable,
            BlockedReason::Unsupported | BlockedReason::Failed => Self::Other,
        }
    }
}

/// What became of a run.
#[derive(Debug)]
pub struct Finished {
    /// Its number in the history.
    pub run: RunId,
    /// In the order of the plan.
    pub steps: Vec<Applied>,
    /// What kept it from going on, if something did; most often the disk of its journal.
    pub broken: Option<EngineError>,
}

/// What the steps of a run share.
struct Run<'a> {
    session: &'a Session,
    id: RunId,
    pace: Pace,
    opened: Opened,
    memory: Memory,
    /// The newest reading of each account.
    inventories: RefCell<BTreeMap<AccountName, Listing>>,
    /// Ids that were at the destinations when the run began, and those that it brought there.
    known: RefCell<BTreeMap<AccountName, HashSet<RemoteId>>>,
    /// What was sent and is not known by an id yet, and where to.
    under_way: RefCell<Vec<(AccountName, Activity)>>,
    health: RefCell<Health>,
    /// Held while an account is read again.
    reading: tokio::sync::Mutex<()>,
}

/// Does what was approved.
pub async fn apply(
    session: &Session,
    planned: Planned,
    approved: Approved<'_>,
    pace: Pace,
) -> Result<Finished, EngineError> {
    let document = approved.document();
    planned.remember_refusals(session)?;
    let (steps, mut ended) = reachable(session, &planned.opened, &document.body.steps);
    let standings = match approved {
        Approved::Fresh(_) => Vec::new(),
        Approved::Saved(_) => precondition::standings(session, &planned, &steps)?,
    };
    let unsettled = session.store.unsettled()?;
    let id = session.store.begin_run(Some(&document.id.0), session.clock().now())?;
    session.emit(Event::RunStarted { run: id.0, steps: document.body.steps.len() });
    let believed = believed(&planned.plan.document.context);
    let in_sync = planned.plan.in_sync;
    let inventories = planned.inventories;
    let mut run = Run::new(session, id, pace, planned.opened, inventories, planned.memory);
    run.prepare(&steps).await?;
    run.keep_links(&in_sync)?;
    run.accept_counts(&believed)?;
    let mut tasks = run.tasks(&steps)?;
    run.leave_unsettled(&mut tasks, &unsettled)?;
    for (task, standing) in tasks.iter_mut().zip(standings) {
        if task.phase == Phase::Intent {
            run.stand(task, standing)?;
        }
    }
    let broken = run.work(&mut tasks).await.err();
    ended.extend(tasks.iter().map(Task::applied));
    let order: HashMap<&Address, usize> =
        document.body.steps.iter().enumerate().map(|(n, step)| (&step.address, n)).collect();
    ended.sort_by_key(|step| order.get(&step.address).copied());
    Ok(Finished { run: id, steps: ended, broken })
}

/// The accounts that took part and whose inventories the guard had nothing against.
fn believed(context: &Context) -> Vec<AccountName> {
    let blocked = context.blocked.iter().map(|blocked| &blocked.account);
    let shrunken = context.limits.iter().filter_map(|limit| limit.account.as_ref());
    let doubted: HashSet<&AccountName> = blocked.chain(shrunken).collect();
    let accounts = context.inventories.iter().map(|inventory| &inventory.account);
    accounts.filter(|account| !doubted.contains(account)).cloned().collect()
}

/// The steps whose accounts are open today, and the others, which end here.
fn reachable(session: &Session, opened: &Opened, steps: &[Step]) -> (Vec<Step>, Vec<Applied>) {
    let (mut open, mut ended) = (Vec::new(), Vec::new());
    for step in steps {
        let accounts = [&step.source.account, &step.destination.account];
        let Some((reason, why)) = accounts.into_iter().find_map(|name| opened.blocked.get(name))
        else {
            open.push(step.clone());
            continue;
        };
        let (address, phase) = (step.address.clone(), Phase::NotTried);
        session.emit(Event::Step {
            address: address.clone(),
            phase,
            attempt: 0,
            detail: why.clone(),
        });
        let (action, detail, cause) = (step.action, why.clone(), Some(Cause::from(*reason)));
        ended.push(Applied { address, action, phase, detail, question: None, cause });
    }
    (open, ended)
}

impl<'a> Run<'a> {
    fn new(
        session: &'a Session,
        id: RunId,
        pace: Pace,
        opened: Opened,
        inventories: BTreeMap<AccountName, Inventory>,
        memory: Memory,
    ) -> Self {
        let ids = |inventory: &Inventory| {
            inventory.activities.iter().map(|row| row.id.clone()).collect::<HashSet<_>>()
        };
        let known = inventories.iter().map(|(name, rows)| (name.clone(), ids(rows))).collect();
        let inventories =
            inventories.into_iter().map(|(name, rows)| (name, Listing::of(rows))).collect();
        Self {
            session,
            id,
            pace,
            opened,
            memory,
            inventories: RefCell::new(inventories),
            known: RefCell::new(known),
            under_way: RefCell::default(),
            health: RefCell::new(Health::default()),
            reading: tokio::sync::Mutex::default(),
        }
    }

    async fn work(&self, tasks: &mut [Task]) -> Result<(), EngineError> {
        self.execute(tasks).await?;
        self.confirm(tasks).await
    }

    /// Makes the destinations of these steps ready to be written to.
    async fn prepare(&mut self, steps: &[Step]) -> Result<(), EngineError> {
        let destinations: BTreeSet<AccountName> =
            steps.iter().map(|step| step.destination.account.clone()).collect();
        for name in destinations {
            let Some(open) = self.opened.accounts.get_mut(&name) else { continue };
            let Some(platform) = open.platform.clone() else { continue };
            match platform.prepare().await {
                Ok(profile) => {
                    if let Some(account) = self.session.manifest.accounts.get(&name) {
                        open.row = remember(self.session, account, &profile)?;
                    }
                    open.profile = profile;
                }
                Err(error) => self.health.borrow_mut().close(&name, obstacle(&error).1, &error),
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

    fn tasks(&self, steps: &[Step]) -> Result<Vec<Task>, EngineError> {
        steps.iter().map(|step| Task::planned(self, step)).collect()
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
            let wanted = (task.source, &task.step.source.id, task.destination);
            if in_flight.contains(&wanted) {
                let words = "what an earlier run sent or removed for it is not settled yet";
                task.enter(self, Phase::NotTried, words, json!({}))?;
            }
        }
        Ok(())
    }

    fn account(&self, name: &AccountName) -> Option<&OpenAccount> {
        self.opened.accounts.get(name)
    }

    fn platform(&self, name: &AccountName) -> Option<Arc<dyn Platform>> {
        self.account(name)?.platform.clone()
    }

    fn inventory(&self, name: &AccountName) -> Option<Rc<Inventory>> {
        Some(Rc::clone(&self.inventories.borrow().get(name)?.inventory))
    }

    /// An activity as it was listed last.
    fn listed(&self, account: &AccountName, id: &RemoteId) -> Option<Activity> {
        self.inventories.borrow().get(account)?.activity(id).cloned()
    }

    /// Whether an id stood for another activity before, so that it cannot be a new one.
    fn was_there(&self, account: &AccountName, id: &RemoteId) -> bool {
        self.known.borrow().get(account).is_some_and(|ids| ids.contains(id))
    }

    fn note_new(&self, account: &AccountName, id: &RemoteId) {
        self.known.borrow_mut().entry(account.clone()).or_default().insert(id.clone());
    }

    /// Reads an account anew. One that cannot be read keeps what was known and says so.
    async fn read_again(&self, name: &AccountName) -> Result<Reading, EngineError> {
        let Some(account) = self.account(name) else { return Ok(Reading::Failed) };
        match refresh::read_one(self.session, account, Refresh::Incremental).await? {
            Ok(inventory) => {
                let reading = if inventory.complete { Reading::Complete } else { Reading::Partial };
                self.inventories.borrow_mut().insert(name.clone(), Listing::of(inventory));
                Ok(reading)
            }
            Err((BlockedReason::LoginNeeded, why)) => {
                let error = PlatformError::Auth(AuthFailure::Expired);
                self.health.borrow_mut().close(name, why, &error);
                Ok(Reading::Failed)
            }
            Err(_) => Ok(Reading::Failed),
        }
    }

    /// How long this account may need to show what it took or to forget what it deleted.
    fn settling(&self, name: &AccountName) -> Duration {
        let own = self.session.manifest.accounts.get(name).and_then(|account| account.settle_s);
        let platform = self.account(name).map(|account| account.capabilities.settle_s);
        Duration::from_secs(own.or(platform).unwrap_or_default())
    }

    async fn sleep(&self, duration: Duration) {
        self.session.stop.sleep(self.session.clock(), duration).await;
    }
}

/// An inventory in which an id is found at once.
struct Listing {
    inventory: Rc<Inventory>,
    places: HashMap<RemoteId, usize>,
    by_id: OnceCell<Rc<HashMap<RemoteId, Activity>>>,
}

impl Listing {
    fn of(inventory: Inventory) -> Self {
        let rows = inventory.activities.iter().enumerate();
        let places = rows.map(|(place, row)| (row.id.clone(), place)).collect();
        Self { inventory: Rc::new(inventory), places, by_id: OnceCell::new() }
    }

    /// All rows by their ids, so that an account need not read again what has not changed.
    fn by_id(&self) -> Rc<HashMap<RemoteId, Activity>> {
        let rows = || self.inventory.activities.iter().map(|row| (row.id.clone(), row.clone()));
        Rc::clone(self.by_id.get_or_init(|| Rc::new(rows().collect())))
    }

    fn activity(&self, id: &RemoteId) -> Option<&Activity> {
        self.inventory.activities.get(*self.places.get(id)?)
    }
}

/// What a reading of an account is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Complete,
    Partial,
    Failed,
}
