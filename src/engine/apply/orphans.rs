//! Steps that this state does not know, for theirs is lost or is another one. Their claims tell what
//! they were about. This state goes on with those that no other knows: what may have been done since
//! stands in its journal as not known.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::archive::{AccountRef, Blobs, Claim, ClaimOwner, LastRuns};
use crate::clock::age;
use crate::domain::{AccountName, Activity, Inventory, Note, RemoteId};
use crate::event::{Event, Phase};
use crate::plan::reconcile::{Answer, Entry, StepState};
use crate::plan::{BlockedReason, ByAccount, OpenStep, Step, Underway};
use crate::platform::PlatformError;
use crate::state::{self, Effects, RunId, StepId, StepRecord, Store, Written};

use super::super::accounts::{OpenAccount, Opened};
use super::super::cause::obstacle;
use super::super::error::EngineError;
use super::super::session::Session;
use super::bytes;
use super::resume::{Unresumed, UnresumedReason};

/// A step that no state knows any more, between two open accounts.
struct Orphan<'a> {
    claim: Claim,
    step: Step,
    source: &'a OpenAccount,
    destination: &'a OpenAccount,
}

/// A step that this state does not know, or not as far as it may have come.
pub struct Foreign {
    /// What it claims.
    pub claim: Claim,
    /// The state that knows it; `None` if there is none any more.
    pub state: Option<PathBuf>,
}

/// Returns the steps of a home's claims that this state does not know.
///
/// # Errors
/// If the claims or this state cannot be read.
pub fn foreign_steps(store: &Store, blobs: &Blobs) -> Result<Vec<Foreign>, EngineError> {
    let mut foreign = Vec::new();
    for claim in blobs.claimants().map_err(EngineError::Archive)? {
        if record_of(store, &claim)?.is_some_and(|record| is_known(&record)) {
            continue;
        }
        let elsewhere = claim.state.clone().filter(|path| Some(path.as_path()) != store.path());
        let state = elsewhere.filter(|path| Store::is_at(path, &claim.owner.state));
        foreign.push(Foreign { claim, state });
    }
    Ok(foreign)
}

pub(in crate::engine) fn find(session: &Session) -> Result<Vec<Foreign>, EngineError> {
    foreign_steps(&session.store, &Blobs::new(&session.places.backups))
}

/// The claims of this state's own steps that its journal calls untouched: an older copy of it knows no
/// more, and one that died a moment later would say the same.
pub(in crate::engine) fn claimed(session: &Session) -> Result<HashSet<StepId>, EngineError> {
    let own = session.store.state_id()?;
    let owners = find(session)?.into_iter().map(|foreign| foreign.claim.owner);
    Ok(owners.filter(|owner| owner.state == own).map(|owner| StepId(owner.step)).collect())
}

/// An older copy of a state goes another way from here on: its steps must not be taken for those that
/// the other one began.
pub(super) fn tell_apart(session: &Session) -> Result<(), EngineError> {
    let own = session.store.state_id()?;
    let last = session.store.last_run()?.map_or(0, |run| run.0);
    if LastRuns::new(&session.places.backups).of(&own).is_some_and(|known| known > last) {
        return Ok(session.store.renew_id()?);
    }
    for foreign in find(session)? {
        if foreign.claim.owner.state == own && record_of(&session.store, &foreign.claim)?.is_none()
        {
            return Ok(session.store.renew_id()?);
        }
    }
    Ok(())
}

/// The very step that claims something, if it is one of this state's.
fn record_of(store: &Store, claim: &Claim) -> Result<Option<StepRecord>, EngineError> {
    let ClaimOwner { state, step } = &claim.owner;
    if *state != store.state_id()? {
        return Ok(None);
    }
    let source = claim.journal.first().and_then(Entry::step).map(|step| &step.source.id);
    let is_it = |record: &StepRecord| {
        record.id.0 == *step && source.is_none_or(|id| *id == record.step.source_id)
    };
    Ok(store.steps_at(&claim.address)?.into_iter().find(is_it))
}

/// Whether its journal tells what became of a step that has claimed something. After a refusal nothing
/// more is sent.
fn is_known(record: &StepRecord) -> bool {
    record.state().map_or(true, |state| {
        state.is_over() || state.is_touched() || matches!(state.answer, Answer::Refused(..))
    })
}

/// An orphan that has to wait.
pub(in crate::engine) struct Waiting {
    pub(in crate::engine) open: OpenStep,
    /// By today's name of its destination: what it is to take away there, and what it may have sent.
    pub(in crate::engine) there: Option<(AccountName, Option<RemoteId>, Option<Underway>)>,
}

/// What a journal would tell of the orphans between open accounts, and those that have to wait.
pub(in crate::engine) fn records(
    session: &Session,
    opened: &Opened,
) -> Result<(Vec<StepRecord>, Vec<Waiting>), EngineError> {
    let (mut records, mut waiting) = (Vec::new(), Vec::new());
    for Foreign { claim, state } in find(session)? {
        let orphan = match between(opened, claim.clone()) {
            Err(why) if state.is_some() && is_elsewhere(&claim, &why) => continue,
            Ok(orphan) => orphan,
            Err(why) => {
                tell_waiting(session, &claim, &why);
                waiting.push(waits(opened, &claim, why));
                continue;
            }
        };
        match &state {
            None => orphan.tell(session, "its state is gone: the next apply goes on with it")?,
            Some(path) => orphan.tell(session, &format!("{} knows of it", path.display()))?,
        }
        let listed = session.store.inventory(orphan.destination.row)?;
        let is_there = listed.is_some_and(|rows| orphan.old_one(session, &rows).is_some());
        records.push(orphan.record(is_there));
    }
    Ok((records, waiting))
}

/// Whether a claim writes to an account that is none of this manifest's: another manifest's, if a state
/// knows of it.
fn is_elsewhere(claim: &Claim, why: &UnresumedReason) -> bool {
    *why == UnresumedReason::NotInManifest(claim.destination.name.clone())
}

fn waits(opened: &Opened, claim: &Claim, why: UnresumedReason) -> Waiting {
    let account = claim.destination.name.clone();
    let state = state_of(claim, &claim.journal);
    let step = claim.journal.first().and_then(Entry::step);
    let underway = step.zip(state.payload.as_ref()).map(|(step, payload)| Underway {
        account: claim.source.name.clone(),
        source: step.source.id.clone(),
        activity: payload.activity(&step.source.id),
        overdue_since: None,
    });
    let old = step.and_then(|step| step.destination.id.clone());
    let there = find_account(opened, &claim.destination);
    let there = there.map(|open| (open.name.clone(), old, underway));
    let Unresumed { address, phase, backup, .. } = unresumed(claim, why);
    let (is_gap, is_sent) = (state.is_gap(), state.may_have_stored());
    Waiting { open: OpenStep { address, account, phase, is_gap, is_sent, backup }, there }
}

fn tell_waiting(session: &Session, claim: &Claim, why: &UnresumedReason) {
    let words = match why {
        // No rule names it; an apply opens it all the same.
        UnresumedReason::NotInManifest(name) if session.manifest.accounts.contains_key(name) => {
            "the next apply looks at it".to_owned()
        }
        _ => format!("it waits: {}", why.what()),
    };
    let message = format!("an earlier run began this, and {words}");
    let note = Note { subject: claim.address.to_string(), message };
    session.emit(Event::Noted { account: claim.destination.name.clone(), note });
}

/// Returns the accounts to which a step of a claim may have sent something that is to be hidden.
pub(super) fn hiding(session: &Session, opened: &Opened) -> Result<Vec<AccountName>, EngineError> {
    let foreign = find(session)?.into_iter().map(|foreign| foreign.claim);
    let hiding = foreign.filter(|claim| state_of(claim, &claim.journal).must_hide());
    let accounts = hiding.filter_map(|claim| find_account(opened, &claim.destination));
    Ok(accounts.map(|open| open.name.clone()).collect())
}

/// Writes the orphans between open accounts into this state's journal; returns those that have to wait.
/// One whose old activity is there as before, and which has sent nothing, is planned again.
pub(super) async fn take_over(
    session: &Session,
    run: RunId,
    opened: &Opened,
    inventories: &ByAccount<Inventory>,
) -> Result<Vec<Unresumed>, EngineError> {
    let mut left = Vec::new();
    for Foreign { claim, state } in find(session)? {
        let orphan = match between(opened, claim.clone()) {
            Err(why) if state.is_some() && is_elsewhere(&claim, &why) => continue,
            _ if state.is_some() => {
                let path = state.unwrap_or_default();
                left.push(unresumed(&claim, UnresumedReason::OtherState(path)));
                continue;
            }
            Ok(orphan) => orphan,
            Err(why) => {
                left.push(unresumed(&claim, why));
                continue;
            }
        };
        match orphan.is_old_one_there(session, inventories).await {
            Ok(true) if orphan.may_be_listed_late(session) => {
                let name = orphan.destination.name.clone();
                left.push(unresumed(&claim, UnresumedReason::Unsettled(name)));
            }
            Ok(is_there) => orphan.go_over(session, run, is_there)?,
            Err((reason, message)) => {
                let name = orphan.destination.name.clone();
                left.push(unresumed(&claim, UnresumedReason::Blocked(name, reason, message)));
            }
        }
    }
    Ok(left)
}

fn unresumed(claim: &Claim, why: UnresumedReason) -> Unresumed {
    let mut entries = claim.journal.iter();
    let phase = entries.clone().rev().find_map(Entry::phase).unwrap_or(Phase::Intent);
    let backup = entries.find_map(Entry::backup).map(str::to_owned);
    Unresumed { address: claim.address.clone(), phase, backup, why }
}

/// The orphan if its accounts are open, or why it has to wait.
fn between(opened: &Opened, claim: Claim) -> Result<Orphan<'_>, UnresumedReason> {
    let find = |it: &AccountRef| {
        find_account(opened, it).ok_or_else(|| match opened.blocked.get(&it.name) {
            Some((reason, why)) => UnresumedReason::Blocked(it.name.clone(), *reason, why.clone()),
            None => UnresumedReason::NotInManifest(it.name.clone()),
        })
    };
    let destination = find(&claim.destination)?;
    let source = find(&claim.source)?;
    let step = claim.journal.first().and_then(Entry::step).cloned();
    let step = step.ok_or(UnresumedReason::Unreadable)?;
    Ok(Orphan { step, claim, source, destination })
}

/// The open account that this is, whatever it is called today.
fn find_account<'a>(opened: &'a Opened, it: &AccountRef) -> Option<&'a OpenAccount> {
    opened.accounts.values().find(|open| match &it.profile {
        Some(_) => open.profile.id == it.profile,
        None => open.name == it.name,
    })
}

fn state_of(claim: &Claim, entries: &[Entry]) -> StepState {
    StepState::replay(entries.iter().map(|entry| (entry, claim.at))).unwrap_or_default()
}

impl Orphan<'_> {
    fn tell(&self, session: &Session, words: &str) -> Result<(), EngineError> {
        // Of its own ones a state tells as of all that is open.
        if self.claim.owner.state == session.store.state_id()? {
            return Ok(());
        }
        let message = format!("an earlier run began this, and {words}");
        let note = Note { subject: self.claim.address.to_string(), message };
        session.emit(Event::Noted { account: self.destination.name.clone(), note });
        Ok(())
    }

    /// The activity that it takes away as it is listed, perhaps put back under another id.
    fn old_one<'i>(&self, session: &Session, listed: &'i Inventory) -> Option<&'i Activity> {
        let old = self.step.destination.id.as_ref()?;
        let backup = self.claim.journal.iter().find_map(Entry::backup);
        let kept = backup.and_then(|id| bytes::backups(session).find(id).ok());
        let bytes = kept.map(|backup| backup.sha256);
        let is_it = |row: &&Activity| row.id == *old || (bytes.is_some() && row.sha256 == bytes);
        listed.activities.iter().find(is_it)
    }

    /// Whether a look at the activity that it takes away still finds it.
    async fn is_old_one_there(
        &self,
        session: &Session,
        inventories: &ByAccount<Inventory>,
    ) -> Result<bool, (BlockedReason, String)> {
        let listed = inventories.get(&self.destination.name).filter(|listed| listed.complete);
        let partly = || "only part of it could be read".to_owned();
        let listed = listed.ok_or_else(|| (BlockedReason::InventoryIncomplete, partly()))?;
        let Some(old) = self.old_one(session, listed) else { return Ok(false) };
        let platform = self.destination.platform.as_ref();
        let platform = platform.ok_or_else(|| obstacle(&PlatformError::Unsupported))?;
        let known = [(old.id.clone(), old.clone())].into();
        let look = platform.look(old, &known).await.map_err(|error| obstacle(&error))?;
        Ok(look.is_some())
    }

    /// Whether what was removed since the claim was made may be listed still.
    fn may_be_listed_late(&self, session: &Session) -> bool {
        let state = state_of(&self.claim, &self.claim.journal);
        let since = age(session.clock().now(), self.claim.at);
        state.replaces && state.deletes_first && since < self.destination.settling(session)
    }

    /// Its journal, and after it what may have been done since.
    fn entries(&self, is_old_one_there: bool) -> Vec<Entry> {
        let doubts = self.doubts(is_old_one_there);
        self.claim.journal.iter().cloned().chain(doubts).collect()
    }

    /// What may have been done since the claim was made.
    fn doubts(&self, is_old_one_there: bool) -> Vec<Entry> {
        let state = state_of(&self.claim, &self.claim.journal);
        match self.step.destination.id.clone().filter(|_| state.replaces && state.deletes_first) {
            // It goes first, so that nothing was sent either.
            Some(_) if is_old_one_there => Vec::new(),
            Some(old) => {
                let gone = old.clone();
                vec![Entry::Removing { old }, Entry::Removed { old: gone }, Entry::Sending]
            }
            None => vec![Entry::Sending],
        }
    }

    fn row(&self) -> state::Step {
        state::Step {
            address: self.claim.address.clone(),
            rule: self.step.rule.clone(),
            action: self.step.action.as_str().to_owned(),
            source: self.source.row,
            source_id: self.step.source.id.clone(),
            destination: self.destination.row,
        }
    }

    fn record(&self, is_old_one_there: bool) -> StepRecord {
        let (run, at) = (RunId(0), self.claim.at);
        let entries = self.entries(is_old_one_there).into_iter();
        let entries = entries.map(|entry| Written { run, at, entry }).collect();
        StepRecord { id: StepId(0), run, step: self.row(), entries }
    }

    /// Gives the step and what it claims to this state, or gives it up if nothing was done.
    fn go_over(
        &self,
        session: &Session,
        run: RunId,
        is_old_one_there: bool,
    ) -> Result<(), EngineError> {
        let blobs = Blobs::new(&session.places.backups);
        let (owner, entries) = (&self.claim.owner, self.entries(is_old_one_there));
        if !state_of(&self.claim, &entries).is_touched() {
            return blobs.release(owner).map_err(EngineError::Archive);
        }
        self.tell(session, "its state is gone: this one goes on with it")?;
        let (store, row, at) = (&session.store, self.row(), self.claim.at);
        // Taken over already by a run that was killed here, or known from an older copy.
        let known = store.unsettled()?.into_iter().find(|record| record.step == row);
        let id = match known {
            Some(record) if is_known(&record) => record.id,
            Some(record) => {
                let has = |entry: &Entry| record.entries.iter().any(|it| it.entry.is_alike(entry));
                let mut lacking = self.claim.journal.clone();
                lacking.retain(|entry| !has(entry));
                lacking.extend(self.doubts(is_old_one_there));
                store.record(run, (record.id, &row), &lacking, Effects::default(), at)?;
                record.id
            }
            None => store.take_over(run, &row, &entries, at)?,
        };
        let to = ClaimOwner { state: store.state_id()?, step: id.0 };
        blobs.hand_over(owner, &to, store.path()).map_err(EngineError::Archive)
    }
}
