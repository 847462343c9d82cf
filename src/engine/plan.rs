//! The first straight line: open the accounts, read them, recall, decide.

use std::collections::HashMap;

use jiff::tz::Offset;
use jiff::{Timestamp, civil::Date};

use crate::domain::{AccountName, Decision, Inventory, Profile, Refusal, RemoteId, RuleName};
use crate::event::Phase;
use crate::manifest::Manifest;
use crate::plan::reconcile::Entry;
use crate::plan::{
    self, AccountView, ByAccount, Memory, OpenStep, Options, Plan, RetryRefused, Underway, World,
};
use crate::state::{AccountRow, StepRecord};

use super::accounts::{self, Opened};
use super::apply::failed_restores;
use super::apply::orphans::{self, Waiting};
use super::error::EngineError;
use super::identify::{self, Compared, Comparing, Uncompared};
use super::originals;
use super::refresh::{self, Refresh};
use super::session::Session;

/// How a plan is asked for.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// How much is read.
    pub refresh: Refresh,
    /// What the plan is about.
    pub options: Options,
    /// Most originals to fetch for comparing.
    pub max_downloads: usize,
}

/// A plan together with the world that it was made from.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// When the accounts were read.
    pub read_at: Timestamp,
    /// The pairs whose originals could not be compared.
    pub uncompared: Vec<Uncompared>,
    /// The number of pairs that wait for later plans, since `max_downloads` originals were fetched.
    pub beyond_downloads: usize,
    pub(super) opened: Opened,
    pub(super) inventories: ByAccount<Inventory>,
    pub(super) memory: Memory,
    pub(super) refused: RetryRefused,
}

/// Makes the plan of the session's manifest.
pub async fn plan(session: &Session, request: &PlanRequest) -> Result<Planned, EngineError> {
    check_rules(&session.manifest, &request.options)?;
    let mut opened = accounts::open_all(session, request.refresh).await?;
    let inventories = refresh::read_all(session, &mut opened, request.refresh).await?;
    let mut memory = recall(session, &opened)?;
    let read_at = session.clock().now();
    let build = |memory: &Memory| {
        let world = World {
            manifest: &session.manifest,
            today: utc_day(read_at),
            accounts: views(session, &opened, &inventories)?,
            blocked: opened.blocked.clone(),
            memory,
            options: request.options.clone(),
        };
        Ok::<_, EngineError>(plan::build(&world)?)
    };
    let mut plan = build(&memory)?;
    if request.refresh != Refresh::None {
        originals::prune(session)?;
    }
    let mut compared = Compared::default();
    if !plan.to_compare.is_empty() && request.refresh != Refresh::None {
        let (comparisons, most) = (std::mem::take(&mut plan.to_compare), request.max_downloads);
        let (opened, inventories, memory) = (&opened, &inventories, &mut memory);
        let mut comparing =
            Comparing { session, today: utc_day(read_at), opened, inventories, memory };
        compared = identify::compare(&mut comparing, &comparisons, most).await?;
        plan = build(memory)?;
    }
    let beyond_downloads = compared.left_by_limit(&plan.to_compare);
    let (uncompared, refused) = (compared.uncompared, request.options.refused);
    Ok(Planned {
        plan,
        read_at,
        uncompared,
        beyond_downloads,
        opened,
        inventories,
        memory,
        refused,
    })
}

impl Planned {
    /// Whose an open account is.
    pub fn profile(&self, account: &AccountName) -> Option<&Profile> {
        self.opened.accounts.get(account).map(|open| &open.profile)
    }

    /// Remembers which originals are missing or broken: the looks of an apply count, those of a plan
    /// do not.
    pub(super) fn remember_refusals(&self, session: &Session) -> Result<(), EngineError> {
        for Uncompared { address, refusal, between, .. } in &self.uncompared {
            let accounts = &self.opened.accounts;
            let (from, to) = (accounts.get(&between.0), accounts.get(&between.1));
            if let (Some(found), Some(from), Some(to)) = (refusal, from, to) {
                let found = Refusal { looks: 1, ..found.clone() };
                session.store.note_refusal(from.row, to.row, address, found)?;
            }
        }
        Ok(())
    }

    /// The same world seen through another manifest.
    pub(super) fn replan(
        &self,
        session: &Session,
        manifest: &Manifest,
        options: Options,
    ) -> Result<Plan, EngineError> {
        Ok(plan::build(&self.world(session, manifest, options)?)?)
    }

    /// The plan of the same world with one more decision.
    pub(super) fn plan_with(
        &self,
        session: &Session,
        decision: &Decision,
    ) -> Result<Plan, EngineError> {
        let mut memory = self.memory.clone();
        memory.decisions.retain(|known| !known.same_subject(decision));
        memory.decisions.push(decision.clone());
        let world = self.world(session, &session.manifest, Options::default())?;
        Ok(plan::build(&World { memory: &memory, ..world })?)
    }

    /// The plan that would follow if this one were executed; nothing is.
    pub fn simulate(&self, session: &Session, options: Options) -> Result<Plan, EngineError> {
        let world = self.world(session, &session.manifest, options)?;
        Ok(plan::simulate(&world, &self.plan)?)
    }

    fn world<'a>(
        &'a self,
        session: &Session,
        manifest: &'a Manifest,
        options: Options,
    ) -> Result<World<'a>, EngineError> {
        Ok(World {
            manifest,
            today: utc_day(self.read_at),
            accounts: views(session, &self.opened, &self.inventories)?,
            blocked: self.opened.blocked.clone(),
            memory: &self.memory,
            options,
        })
    }
}

fn check_rules(manifest: &Manifest, options: &Options) -> Result<(), EngineError> {
    let known = |name: &RuleName| manifest.rules.iter().any(|rule| rule.name == *name);
    match options.selection.rules.iter().find(|name| !known(name)) {
        Some(unknown) => Err(EngineError::UnknownRule(unknown.to_string())),
        None => Ok(()),
    }
}

/// The UTC day of an instant.
pub(super) fn utc_day(now: Timestamp) -> Date {
    Offset::UTC.to_datetime(now).date()
}

fn views<'a>(
    session: &Session,
    opened: &'a Opened,
    inventories: &'a ByAccount<Inventory>,
) -> Result<ByAccount<AccountView<'a>>, EngineError> {
    let mut views = ByAccount::new();
    for (name, account) in &opened.accounts {
        let Some(inventory) = inventories.get(name) else {
            continue;
        };
        let meta = session.store.inventory_meta(account.row)?;
        let view = AccountView {
            platform: account.platform_id.clone(),
            region: account.region.clone(),
            profile: account.profile.id.clone(),
            capabilities: account.capabilities,
            inventory,
            last_good_count: meta.and_then(|meta| meta.last_good_count).map(|count| count as u64),
        };
        views.insert(name.clone(), view);
    }
    Ok(views)
}

/// What earlier runs and people left about the open accounts.
pub(super) fn recall(session: &Session, opened: &Opened) -> Result<Memory, EngineError> {
    let failed = failed_restores(session)?;
    let holds = |decision: &&Decision| !failed.contains(decision);
    let decisions = session.decisions.iter().filter(holds).cloned().collect();
    let mut memory = Memory { decisions, ..Memory::default() };
    for rule in &session.manifest.rules {
        let Some(destination) = opened.accounts.get(&rule.destination) else { continue };
        // What a source has sent counts also while it is out of reach.
        let source = match opened.accounts.get(&rule.source) {
            Some(open) => Some(open.row),
            None => session.store.account_named(&rule.source)?.map(|known| known.row),
        };
        let Some(source) = source else { continue };
        let there: (AccountName, AccountName) = (rule.source.clone(), rule.destination.clone());
        let back = (rule.destination.clone(), rule.source.clone());
        memory.links.insert(there.clone(), session.store.links(source, destination.row)?);
        memory.links.insert(back, session.store.links(destination.row, source)?);
        let told = session.store.told_removals(source, destination.row)?;
        memory.told_removals.insert(there.clone(), told);
        memory.refusals.insert(there, by_id(session.store.refusals(source, destination.row)?));
        let itself = (rule.destination.clone(), rule.destination.clone());
        let own = session.store.refusals(destination.row, destination.row)?;
        memory.refusals.insert(itself, by_id(own));
    }
    recall_open_steps(session, opened, &mut memory)?;
    for (name, account) in &opened.accounts {
        memory.contents.insert(name.clone(), session.store.contents(account.row)?);
    }
    Ok(memory)
}

fn by_id(refusals: Vec<Refusal>) -> HashMap<RemoteId, Refusal> {
    refusals.into_iter().map(|refusal| (refusal.id.clone(), refusal)).collect()
}

/// What steps of earlier runs may have brought somewhere without anybody knowing yet, and the rows of
/// their destinations that they are about. A step that was never begun is planned again.
fn recall_open_steps(
    session: &Session,
    opened: &Opened,
    memory: &mut Memory,
) -> Result<(), EngineError> {
    let names: HashMap<AccountRow, &AccountName> =
        opened.accounts.iter().map(|(name, account)| (account.row, name)).collect();
    let known = session.store.accounts()?;
    let (orphaned, waiting) = orphans::records(session, opened)?;
    for Waiting { open, there } in waiting {
        memory.open.push(open);
        let Some((account, old, underway)) = there else { continue };
        memory.unsettled.entry(account.clone()).or_default().extend(old);
        memory.underway.entry(account).or_default().extend(underway);
    }
    let claimed = orphans::claimed(session)?;
    // What was begun and has done nothing is planned again.
    let is_open = |record: &StepRecord| {
        claimed.contains(&record.id) || record.state().map_or(true, |state| state.is_touched())
    };
    for record in session.store.unsettled()?.into_iter().filter(is_open).chain(orphaned) {
        let account = known.iter().find(|account| account.row == record.step.destination);
        memory.open.extend(account.and_then(|account| open_step(&record, &account.name)));
        let Some(destination) = names.get(&record.step.destination) else { continue };
        let unsettled = memory.unsettled.entry((*destination).clone()).or_default();
        unsettled.extend(rows_of(&record));
        // Whether or not the manifest still has its source.
        let source = known.iter().find(|account| account.row == record.step.source);
        let source = names.get(&record.step.source).copied().or(source.map(|known| &known.name));
        if let (Some(source), true) = (source, is_in_doubt(record.phase())) {
            let accounts = (source.clone(), (*destination).clone());
            let underway = memory.underway.entry((*destination).clone()).or_default();
            underway.extend(underway_of(&record, source));
            memory.in_flight.entry(accounts).or_default().insert(record.step.source_id);
        }
    }
    Ok(())
}

/// A step that has done something, or may have, and is not over.
fn open_step(record: &StepRecord, account: &AccountName) -> Option<OpenStep> {
    let state = record.state().ok()?;
    let phase = record.phase()?;
    (state.is_touched() || state.sends > 0).then(|| OpenStep {
        address: record.step.address.clone(),
        account: account.clone(),
        phase,
        is_gap: state.is_gap(),
        is_sent: state.may_have_stored(),
        backup: state.backup.clone(),
    })
}

/// What a step has sent and nobody has seen yet, or is to put into a gap.
fn underway_of(record: &StepRecord, source: &AccountName) -> Option<Underway> {
    let state = record.state().ok()?;
    let payload = state.payload.as_ref().filter(|_| state.may_have_stored() || state.is_gap())?;
    let activity = payload.activity(&record.step.source_id);
    Some(Underway {
        account: source.clone(),
        source: record.step.source_id.clone(),
        activity,
        overdue_since: None,
    })
}

/// The activities of its destination that an open step has placed or is to take away.
pub(super) fn rows_of(record: &StepRecord) -> impl Iterator<Item = RemoteId> {
    let old = record.entries.first().and_then(|written| match &written.entry {
        Entry::Intended { step, .. } => step.destination.id.clone(),
        _ => None,
    });
    let new = record.state().ok().and_then(|state| state.known_id().cloned());
    old.into_iter().chain(new)
}

/// Whether a step in this phase may have done something at its destination.
fn is_in_doubt(phase: Option<Phase>) -> bool {
    matches!(
        phase,
        Some(
            Phase::Fetched
                | Phase::BackedUp
                | Phase::Removed
                | Phase::Sent
                | Phase::Held
                | Phase::Unknown
        )
    )
}
