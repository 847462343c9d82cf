//! The only file that calls the engine: what the commands do, as the command line does it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use fit_sync::archive::{AccountLocks, Backup, Backups, Owner};
use fit_sync::cancellation::Cancellation;
use fit_sync::clock::Clock;
use fit_sync::domain::{AccountName, Address, RemoteId, RuleName};
use fit_sync::engine::{
    self, Approved, Cause, EngineError, LockRequest, Pace, Planned, Resumed, Session, StepReport,
};
use fit_sync::event::{Events, Phase};
use fit_sync::manifest::{ConflictStrategy, Manifest};
use fit_sync::plan::{BlockedReason, ConflictReason, Document, InSyncReason, SkipReason};
use fit_sync::platform::{self, Opening, Platform};
use fit_sync::state::{RunCounts, Store};

use super::world::Rule;
use crate::support::session;

/// The machine on which the runs are made: what survives a kill.
pub(crate) struct Machine {
    session: Session,
    folder: PathBuf,
}

/// What a machine is made of.
pub(crate) struct Parts<'a> {
    pub(crate) platforms: Vec<(&'static str, Arc<dyn Platform>)>,
    pub(crate) rules: &'a [Rule],
    pub(crate) names: &'a [&'static str],
    pub(crate) is_guarded: bool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<dyn Events>,
    pub(crate) folder: &'a Path,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ran {
    Ended(Report),
    /// Refused before the first step.
    Refused(String),
    Killed,
}

/// What a run says about itself.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) plan: Option<PlanFacts>,
    pub(crate) exit: Exit,
    /// Steps of which the run says that they are left alone.
    pub(crate) skipped: Vec<Address>,
    /// Steps of which it says that the destination has them already.
    pub(crate) adopted: Vec<Address>,
    /// It carried out a saved plan, and answers for no more than that.
    pub(crate) is_saved: bool,
}

/// How a run ends, as a pipeline sees it: contract 4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Interrupted,
    Login,
    Partly,
    Unavailable,
    Decide,
    #[default]
    Done,
}

/// What a plan says, in words that the engine's own types do not bind.
#[derive(Clone, Debug, Default)]
pub(crate) struct PlanFacts {
    pub(crate) steps: Vec<StepFacts>,
    pub(crate) conflicts: Vec<(RuleName, RemoteId, ConflictReason)>,
    pub(crate) skips: Vec<(RuleName, Address, SkipReason)>,
    pub(crate) in_sync: Vec<PairFacts>,
    pub(crate) blocked: Vec<String>,
    pub(crate) limits: Vec<String>,
}

/// A step of a plan.
#[derive(Clone, Debug)]
pub(crate) struct StepFacts {
    pub(crate) address: Address,
    pub(crate) source: (AccountName, RemoteId),
    pub(crate) destination: AccountName,
    pub(crate) old: Option<RemoteId>,
}

/// A pair with nothing to do.
#[derive(Clone, Debug)]
pub(crate) struct PairFacts {
    pub(crate) rule: RuleName,
    pub(crate) source: RemoteId,
    pub(crate) destination: Option<RemoteId>,
    pub(crate) is_pending: bool,
}

impl Machine {
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        let mut next = 0u8;
        let next = std::sync::Mutex::new(move || {
            next = next.wrapping_add(1);
            [next; 16]
        });
        let random = move || {
            let mut next = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            next()
        };
        let session = Session {
            manifest: manifest(parts.names, parts.rules, parts.is_guarded),
            decisions: Vec::new(),
            store: Store::open_in_memory().unwrap(),
            catalog: platform::catalog(),
            open: session::open(parts.platforms),
            opening: Opening::offline(parts.clock, Arc::new(random)),
            events: parts.events,
            places: session::places(parts.folder),
            stop: Cancellation::default(),
        };
        Self { session, folder: parts.folder.to_owned() }
    }

    pub(crate) fn lose_state(&mut self) {
        self.session.store = Store::open_in_memory().unwrap();
    }

    /// A handle by which the next run is asked to stop.
    pub(crate) fn next_stop(&mut self) -> Cancellation {
        self.session.stop = Cancellation::default();
        self.session.stop.clone()
    }

    /// `plan`: what it says, and the document that it would save.
    pub(crate) async fn plan(&self) -> Result<(PlanFacts, Document), String> {
        let planned = engine::plan(&self.session, &session::request()).await;
        let planned = planned.map_err(|error| error.to_string())?;
        Ok((facts(&planned), planned.plan.document))
    }

    /// `apply [FILE]`; people do something between plan and apply.
    pub(crate) async fn apply(
        &self,
        saved: Option<&Document>,
        seen: impl FnOnce(&PlanFacts),
        between: impl FnOnce(),
    ) -> Ran {
        let work = async {
            let locks = self.lock().await?;
            let settled = engine::resume(&self.session, &locks).await?;
            let request = session::request();
            let planned = self.session.stop.race(engine::plan(&self.session, &request)).await;
            let planned = planned.unwrap_or(Err(EngineError::Interrupted))?;
            let facts = facts(&planned);
            seen(&facts);
            between();
            self.carry_out(planned, saved, &settled, facts).await
        };
        ran(work.await)
    }

    async fn lock(&self) -> Result<AccountLocks, EngineError> {
        let owner = Owner { user: "me".to_owned(), host: "here".to_owned(), pid: 1, run_url: None };
        let folders = vec![self.folder.join("locks")];
        let request =
            LockRequest { folders, owner, patience: Duration::ZERO, also: BTreeSet::new() };
        loop {
            match engine::lock(&self.session, &request).await {
                // A process that another test is just starting shares our files for a moment.
                Err(EngineError::Locked { owner: None, .. }) => std::thread::yield_now(),
                locks => return locks,
            }
        }
    }

    async fn carry_out(
        &self,
        planned: Planned,
        saved: Option<&Document>,
        settled: &Resumed,
        mut facts: PlanFacts,
    ) -> Result<Report, EngineError> {
        let fresh = planned.plan.document.clone();
        let document = saved.unwrap_or(&fresh);
        if let Some(saved) = saved {
            engine::check_accounts(&planned, document)?;
            // The run answers for what the file says, not for what is planned since.
            let is_in_file = |step: &StepFacts| {
                saved.body.steps.iter().any(|it| {
                    (&it.source.account, &it.source.id) == (&step.source.0, &step.source.1)
                        && it.destination.account == step.destination
                })
            };
            facts.steps.retain(is_in_file);
        }
        if !facts.limits.is_empty() {
            let exit = exit_of(&settled.steps, &fresh, false).min(Exit::Decide);
            return Ok(Report { plan: Some(facts), exit, ..Report::default() });
        }
        let approved = match saved {
            Some(saved) => Approved::Saved(saved),
            None => Approved::Fresh(&fresh),
        };
        let uncompared = planned.uncompared.clone();
        let finished = engine::apply(&self.session, planned, approved, Pace::default()).await?;
        let now = self.session.clock().now();
        self.session.store.end_run(finished.run, now, 0, &RunCounts::new())?;
        let undone = |step: &&StepReport| !matches!(step.phase, Phase::NotTried | Phase::Failed);
        let all: Vec<StepReport> =
            settled.steps.iter().filter(undone).chain(&finished.steps).cloned().collect();
        let exit = exit_of(&all, document, !settled.left.is_empty());
        let faults = uncompared.iter().filter(|pair| pair.is_fault());
        let mut exit = faults.map(|pair| uncompared_exit(pair, &all)).fold(exit, Exit::min);
        if self.session.stop.is_requested() {
            exit = Exit::Interrupted;
        }
        let of = |phase| {
            let steps = all.iter().filter(move |step| step.phase == phase);
            steps.map(|step| step.address.clone()).collect()
        };
        let (skipped, adopted) = (of(Phase::Skipped), of(Phase::Adopted));
        Ok(Report { plan: Some(facts), exit, skipped, adopted, is_saved: saved.is_some() })
    }

    /// The backups, oldest first.
    pub(crate) fn backups(&self) -> Vec<Backup> {
        let stock = Backups::new(&self.session.places.backups).list();
        let mut backups = stock.map(|stock| stock.backups).unwrap_or_default();
        backups.reverse();
        backups
    }

    /// `backup restore`.
    pub(crate) async fn restore(&mut self, backup: &Backup) -> Ran {
        let work = async {
            let locks = self.lock().await?;
            let settled = engine::resume(&self.session, &locks).await?;
            let restore = engine::plan_restore(&self.session, &locks, backup, None).await?;
            let decision = restore.decision.clone();
            self.session.decisions.extend(decision.clone());
            let restored = engine::restore(&self.session, restore).await?;
            let lasts = |step: &StepReport| {
                matches!(step.phase, Phase::Confirmed | Phase::Pending | Phase::Held)
            };
            if !restored.as_ref().is_none_or(lasts)
                && let Some(place) =
                    decision.and_then(|it| self.session.decisions.iter().rposition(|d| *d == it))
            {
                self.session.decisions.remove(place);
            }
            Ok::<_, EngineError>((settled, restored))
        };
        match work.await {
            Ok((settled, restored)) => {
                let steps: Vec<StepReport> = settled.steps.into_iter().chain(restored).collect();
                let exit = exit_of(&steps, &empty(), !settled.left.is_empty());
                Ran::Ended(Report { exit, ..Report::default() })
            }
            Err(error) => Ran::Refused(error.to_string()),
        }
    }

    /// Steps that were begun and not ended.
    pub(crate) fn open_steps(&self) -> Vec<String> {
        let open = self.session.store.unsettled().unwrap();
        let line = |record: &fit_sync::state::StepRecord| {
            format!("{} {:?}", record.step.address, record.phase())
        };
        open.iter().map(line).collect()
    }
}

fn ran(result: Result<Report, EngineError>) -> Ran {
    match result {
        Ok(report) => Ran::Ended(report),
        Err(error) => Ran::Refused(error.to_string()),
    }
}

/// Works until it is done or `is_killed` says that the process is no more; then all of it is dropped.
pub(crate) async fn until_killed(
    work: impl Future<Output = Ran>,
    is_killed: impl Fn() -> bool,
) -> Ran {
    let mut work = pin!(work);
    std::future::poll_fn(move |context| match work.as_mut().poll(context) {
        Poll::Ready(ran) => Poll::Ready(ran),
        Poll::Pending if is_killed() => Poll::Ready(Ran::Killed),
        Poll::Pending => Poll::Pending,
    })
    .await
}

fn empty() -> Document {
    Document::seal(fit_sync::plan::Body::default(), fit_sync::plan::Context::default()).unwrap()
}

fn manifest(names: &[&'static str], rules: &[Rule], is_guarded: bool) -> Manifest {
    let rules = rules.iter().map(|rule| {
        let strategy = match rule.replaces {
            true => ConflictStrategy::ReplaceExisting,
            false => ConflictStrategy::SkipExisting,
        };
        let name = |account: usize| names.get(account).copied().unwrap_or("?");
        session::rule(name(rule.source), name(rule.destination), strategy)
    });
    let mut manifest = session::manifest(names, rules.collect());
    // Worlds are so small that any removal by hand would look like a loss.
    manifest.limits.min_inventory_permille = if is_guarded { 500 } else { 0 };
    manifest
}

fn facts(planned: &Planned) -> PlanFacts {
    let plan = &planned.plan;
    let context = &plan.document.context;
    let steps = plan.document.body.steps.iter().map(|step| StepFacts {
        address: step.address.clone(),
        source: (step.source.account.clone(), step.source.id.clone()),
        destination: step.destination.account.clone(),
        old: step.destination.id.clone(),
    });
    let pairs = plan.in_sync.iter().map(|pair| PairFacts {
        rule: pair.rule.clone(),
        source: pair.source.1.clone(),
        destination: pair.destination.as_ref().map(|(_, id)| id.clone()),
        is_pending: pair.reason == InSyncReason::Pending,
    });
    let conflicts = context.conflicts.iter();
    let blocked = context.blocked.iter();
    PlanFacts {
        steps: steps.collect(),
        conflicts: conflicts.map(|c| (c.rule.clone(), c.source.id.clone(), c.reason)).collect(),
        skips: context
            .skips
            .iter()
            .map(|s| (s.rule.clone(), s.address.clone(), s.reason))
            .collect(),
        in_sync: pairs.collect(),
        blocked: blocked
            .map(|blocked| format!("{}: {}", blocked.account, blocked.message))
            .collect(),
        limits: context.limits.iter().map(|limit| limit.limit.clone()).collect(),
    }
}

fn wrote(steps: &[StepReport]) -> bool {
    steps.iter().any(|step| {
        matches!(
            step.phase,
            Phase::Confirmed
                | Phase::Pending
                | Phase::Sent
                | Phase::Removed
                | Phase::Restored
                | Phase::Held
                | Phase::Unknown
        )
    })
}

/// The exit by contract 4 and 13.
fn exit_of(steps: &[StepReport], document: &Document, is_left: bool) -> Exit {
    let wrote = wrote(steps);
    let steps = steps.iter().map(|step| step_exit(step, wrote));
    let blocked = document.context.blocked.iter().map(|blocked| match blocked.reason {
        BlockedReason::LoginNeeded => Exit::Login,
        _ if wrote => Exit::Partly,
        _ => Exit::Unavailable,
    });
    let asked = document.context.conflicts.iter().map(|_| Exit::Decide);
    let left = is_left.then_some(Exit::Partly);
    steps.chain(blocked).chain(asked).chain(left).min().unwrap_or(Exit::Done)
}

fn uncompared_exit(pair: &engine::Uncompared, steps: &[StepReport]) -> Exit {
    match pair.cause {
        BlockedReason::LoginNeeded => Exit::Login,
        _ if pair.refusal.is_some() || wrote(steps) => Exit::Partly,
        _ => Exit::Unavailable,
    }
}

fn step_exit(step: &StepReport, wrote: bool) -> Exit {
    match step.phase {
        Phase::Confirmed | Phase::Adopted => Exit::Done,
        Phase::Skipped if step.is_question() => Exit::Decide,
        Phase::Skipped => Exit::Done,
        _ if step.cause == Some(Cause::Login) => Exit::Login,
        Phase::Failed | Phase::NotTried if step.cause == Some(Cause::Unavailable) && !wrote => {
            Exit::Unavailable
        }
        _ => Exit::Partly,
    }
}
