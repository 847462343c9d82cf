//! The second straight line: what was approved is done, step by step, journalled before and after.
//!
//! A step goes `intent → fetched → (backed_up → removed →) sent → confirmed`. Every transition is
//! one call of [`task::Task::enter`], which writes the journal before anything else happens. No step
//! decides what the plan has not said.

mod confirm;
mod precondition;
mod recover;
mod replace;
mod send;
mod task;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::json;

use crate::domain::{
    AccountName, Activity, Address, Inventory, Link, LinkOrigin, LinkStatus, RemoteId, Side,
};
use crate::event::{Event, Phase};
use crate::plan::{Action, BlockedReason, Document, InSync, InSyncReason, Memory, Step};
use crate::state::RunId;

use super::accounts::{OpenAccount, Opened, obstacle, remember};
use super::error::EngineError;
use super::plan::Planned;
use super::session::Session;

pub use precondition::check_accounts;
pub use recover::settle;
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
    /// What kept it from being tried, if so.
    pub obstacle: Option<BlockedReason>,
}

impl Applied {
    /// Whether a person must decide before it can go on.
    pub fn is_question(&self) -> bool {
        self.question.is_some()
    }
}

/// What became of a run.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Its number in the history.
    pub run: RunId,
    /// In the order of the plan.
    pub steps: Vec<Applied>,
}

/// What the steps of a run share.
struct Run<'a> {
    session: &'a Session,
    id: RunId,
    opened: Opened,
    inventories: BTreeMap<AccountName, Inventory>,
    memory: Memory,
    /// Destinations that cannot be used any more, and why.
    lost: BTreeMap<AccountName, (BlockedReason, String)>,
}

/// Does what was approved.
pub async fn apply(
    session: &Session,
    planned: Planned,
    approved: Approved<'_>,
) -> Result<Finished, EngineError> {
    let document = approved.document();
    let (steps, mut ended) = reachable(session, &planned.opened, &document.body.steps);
    let standings = match approved {
        Approved::Fresh(_) => Vec::new(),
        Approved::Saved(_) => precondition::standings(session, &planned, &steps)?,
    };
    let id = session.store.begin_run(Some(&document.id.0), session.clock().now())?;
    session.emit(Event::RunStarted { run: id.0, steps: document.body.steps.len() });
    let in_sync = planned.plan.in_sync;
    let mut run = Run {
        session,
        id,
        opened: planned.opened,
        inventories: planned.inventories,
        memory: planned.memory,
        lost: BTreeMap::new(),
    };
    run.prepare(&steps).await?;
    run.keep_links(&in_sync)?;
    let mut tasks = run.tasks(&steps)?;
    for (task, standing) in tasks.iter_mut().zip(standings) {
        run.stand(task, standing)?;
    }
    run.execute(&mut tasks).await?;
    run.confirm(&mut tasks).await?;
    ended.extend(tasks.iter().map(Task::applied));
    let order: HashMap<&Address, usize> =
        document.body.steps.iter().enumerate().map(|(n, step)| (&step.address, n)).collect();
    ended.sort_by_key(|step| order.get(&step.address).copied());
    Ok(Finished { run: id, steps: ended })
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
        session.emit(Event::Step { address: address.clone(), phase, detail: why.clone() });
        let (action, detail, question) = (step.action, why.clone(), None);
        ended.push(Applied { address, action, phase, detail, question, obstacle: Some(*reason) });
    }
    (open, ended)
}

impl Run<'_> {
    /// Makes the destinations of these steps ready to be written to.
    async fn prepare(&mut self, steps: &[Step]) -> Result<(), EngineError> {
        let destinations: BTreeSet<AccountName> =
            steps.iter().map(|step| step.destination.account.clone()).collect();
        for name in destinations {
            let Some(open) = self.opened.accounts.get_mut(&name) else {
                continue;
            };
            let Some(platform) = open.platform.clone() else {
                continue;
            };
            match platform.prepare().await {
                Ok(profile) => {
                    if let Some(account) = self.session.manifest.accounts.get(&name) {
                        open.row = remember(self.session, account, &profile)?;
                    }
                    open.profile = profile;
                }
                Err(error) => {
                    self.lost.insert(name, obstacle(&error));
                }
            }
        }
        Ok(())
    }

    /// Remembers every pair that was found in sync; a known link keeps the facts against which a
    /// change is measured.
    fn keep_links(&self, in_sync: &[InSync]) -> Result<(), EngineError> {
        let mut by_accounts: BTreeMap<(AccountName, AccountName), Vec<&InSync>> = BTreeMap::new();
        for pair in in_sync {
            if let Some(found) = &pair.destination {
                let accounts = (pair.source.account.clone(), found.account.clone());
                by_accounts.entry(accounts).or_default().push(pair);
            }
        }
        for ((from, to), pairs) in by_accounts {
            let Some((source, destination)) = self.pair(&from, &to) else {
                continue;
            };
            let known: HashMap<&RemoteId, &Link> = self
                .memory
                .links_between(&from, &to)
                .iter()
                .map(|link| (&link.source.id, link))
                .collect();
            let (here, there) = (self.sides(&from), self.sides(&to));
            let links: Vec<Link> = pairs
                .into_iter()
                .filter_map(|pair| {
                    let found = pair.destination.as_ref()?;
                    let known = known.get(&pair.source.id).copied();
                    let sides = (*here.get(&pair.source.id)?, *there.get(&found.id)?);
                    link_of(pair, known, sides)
                })
                .collect();
            self.session.store.save_links(source.row, destination.row, &links)?;
        }
        Ok(())
    }

    fn sides(&self, account: &AccountName) -> HashMap<&RemoteId, &Activity> {
        let rows = self.inventories.get(account).into_iter().flat_map(|i| &i.activities);
        rows.map(|row| (&row.id, row)).collect()
    }

    fn pair(
        &self,
        source: &AccountName,
        destination: &AccountName,
    ) -> Option<(&OpenAccount, &OpenAccount)> {
        self.opened.accounts.get(source).zip(self.opened.accounts.get(destination))
    }

    /// Writes down the intent of every step, before anything is done.
    fn tasks(&self, steps: &[Step]) -> Result<Vec<Task>, EngineError> {
        steps.iter().map(|step| Task::begin(self, step)).collect()
    }

    /// Uploads oldest first, then replaces.
    async fn execute(&mut self, tasks: &mut [Task]) -> Result<(), EngineError> {
        let mut order: Vec<&mut Task> =
            tasks.iter_mut().filter(|task| task.phase == Phase::Intent).collect();
        order.sort_by_key(|task| (task.step.action == Action::Replace, task.step.key.start));
        for task in order {
            let destination = task.step.destination.account.clone();
            if let Some((reason, why)) = self.lost.get(&destination) {
                task.obstacle = Some(*reason);
                task.enter(self, Phase::NotTried, why, json!({}))?;
                continue;
            }
            match task.step.action {
                Action::Upload => self.upload(task).await?,
                Action::Replace => self.replace(task).await?,
            }
        }
        Ok(())
    }
}

/// The link that a pair in sync deserves; `None` if what is known already says it.
fn link_of(pair: &InSync, known: Option<&Link>, sides: (&Activity, &Activity)) -> Option<Link> {
    let settled = known.is_some_and(|link| {
        link.status == LinkStatus::Confirmed
            && link.destination.as_ref().is_some_and(|side| side.id == sides.1.id)
    });
    if settled && pair.reason == InSyncReason::Linked {
        return None;
    }
    let placed = known.is_some_and(|link| link.origin == LinkOrigin::Placed);
    let origin = match pair.reason {
        InSyncReason::Adopted => LinkOrigin::Adopted,
        InSyncReason::Linked
        | InSyncReason::SameBytes
        | InSyncReason::SameActivity
        | InSyncReason::Pending => {
            if placed {
                LinkOrigin::Placed
            } else {
                LinkOrigin::Found
            }
        }
    };
    Some(Link {
        rule: pair.rule.clone(),
        address: pair.address.clone(),
        source: Side::of(sides.0),
        destination: Some(Side::of(sides.1)),
        origin,
        status: LinkStatus::Confirmed,
    })
}
