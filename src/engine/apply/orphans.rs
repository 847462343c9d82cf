//! Steps whose state is lost. Their claims tell what they were about, and this state goes on with them:
//! what may have been done since stands in its journal as not known.

use crate::archive::{AccountRef, Blobs, Claim, ClaimOwner};
use crate::clock::age;
use crate::domain::{Activity, Inventory, Note};
use crate::event::{Event, Phase};
use crate::plan::reconcile::{Entry, StepState};
use crate::plan::{BlockedReason, ByAccount, Step};
use crate::platform::PlatformError;
use crate::state::{self, RunId, StepId, StepRecord, Store, Written};

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

/// Returns the claims of steps that no state knows any more, one of each step.
///
/// # Errors
/// If the claims or this state cannot be read.
pub fn orphans(store: &Store, blobs: &Blobs) -> Result<Vec<Claim>, EngineError> {
    let claims = blobs.claimants().map_err(EngineError::Archive)?;
    let mut orphaned = Vec::new();
    for claim in claims {
        if !has_state(store, &claim)? {
            orphaned.push(claim);
        }
    }
    Ok(orphaned)
}

/// The orphans of a session's home.
pub(in crate::engine) fn find(session: &Session) -> Result<Vec<Claim>, EngineError> {
    orphans(&session.store, &Blobs::new(&session.places.backups))
}

/// Whether a state knows the step: this one, or another that lies where it lay. An older copy of a
/// state knows only what was begun before it was made.
fn has_state(store: &Store, claim: &Claim) -> Result<bool, EngineError> {
    let ClaimOwner { state, step } = &claim.owner;
    let at_its_address = store.steps_at(&claim.address)?;
    if *state == store.state_id()? && at_its_address.iter().any(|it| it.id.0 == *step) {
        return Ok(true);
    }
    let elsewhere = claim.state.as_deref().filter(|path| Some(*path) != store.path());
    Ok(elsewhere.is_some_and(|path| Store::is_at(path, state)))
}

/// What a journal would tell of the orphans between open accounts.
pub(in crate::engine) fn records(
    session: &Session,
    opened: &Opened,
) -> Result<Vec<StepRecord>, EngineError> {
    let mut records = Vec::new();
    for claim in find(session)? {
        let Some(Ok(orphan)) = between(opened, claim) else { continue };
        orphan.tell(session, "the next apply goes on with it");
        let listed = session.store.inventory(orphan.destination.row)?;
        let is_there = listed.is_some_and(|rows| orphan.old_one(session, &rows).is_some());
        records.push(orphan.record(is_there));
    }
    Ok(records)
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
    for claim in find(session)? {
        let orphan = match between(opened, claim.clone()) {
            None => continue,
            Some(Ok(orphan)) => orphan,
            Some(Err(why)) => {
                left.push(waiting(&claim, why));
                continue;
            }
        };
        match orphan.is_old_one_there(session, inventories).await {
            Ok(true) if orphan.may_be_listed_late(session) => {
                let name = orphan.destination.name.clone();
                left.push(waiting(&claim, UnresumedReason::Unsettled(name)));
            }
            Ok(is_there) => orphan.go_over(session, run, is_there)?,
            Err((reason, message)) => {
                let name = orphan.destination.name.clone();
                left.push(waiting(&claim, UnresumedReason::Blocked(name, reason, message)));
            }
        }
    }
    Ok(left)
}

fn waiting(claim: &Claim, why: UnresumedReason) -> Unresumed {
    let mut entries = claim.journal.iter();
    let phase = entries.clone().rev().find_map(Entry::phase).unwrap_or(Phase::Intent);
    let backup = entries.find_map(Entry::backup).map(str::to_owned);
    Unresumed { address: claim.address.clone(), phase, backup, why }
}

/// The orphan if its accounts are open, or why it has to wait; `None` if it writes to an account that is
/// none of this manifest's.
fn between(opened: &Opened, claim: Claim) -> Option<Result<Orphan<'_>, UnresumedReason>> {
    let blocked = |it: &AccountRef| {
        let (reason, why) = opened.blocked.get(&it.name)?;
        Some(UnresumedReason::Blocked(it.name.clone(), *reason, why.clone()))
    };
    let Some(destination) = find_account(opened, &claim.destination) else {
        return blocked(&claim.destination).map(Err);
    };
    let Some(source) = find_account(opened, &claim.source) else {
        let nowhere = || UnresumedReason::NotInManifest(claim.source.name.clone());
        return Some(Err(blocked(&claim.source).unwrap_or_else(nowhere)));
    };
    let Some(Entry::Intended { step, .. }) = claim.journal.first() else {
        return Some(Err(UnresumedReason::Unreadable));
    };
    let step = Step::clone(step);
    Some(Ok(Orphan { step, claim, source, destination }))
}

/// The open account that this is, whatever it is called today.
fn find_account<'a>(opened: &'a Opened, it: &AccountRef) -> Option<&'a OpenAccount> {
    opened.accounts.values().find(|open| match &it.profile {
        Some(_) => open.profile.id == it.profile,
        None => open.name == it.name,
    })
}

impl Orphan<'_> {
    fn tell(&self, session: &Session, next: &str) {
        let message = format!("an earlier run began this, and its state is gone: {next}");
        let note = Note { subject: self.claim.address.to_string(), message };
        session.emit(Event::Noted { account: self.destination.name.clone(), note });
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
        let state = self.state_of(&self.claim.journal);
        let since = age(session.clock().now(), self.claim.at);
        state.replaces && state.deletes_first && since < self.destination.settling(session)
    }

    /// Its journal, and after it what may have been done since.
    fn entries(&self, is_old_one_there: bool) -> Vec<Entry> {
        let mut entries = self.claim.journal.clone();
        let state = self.state_of(&entries);
        match self.step.destination.id.clone().filter(|_| state.replaces && state.deletes_first) {
            // It goes first, so that nothing was sent either.
            Some(_) if is_old_one_there => {}
            Some(old) => entries.extend([
                Entry::Removing { old: old.clone() },
                Entry::Removed { old },
                Entry::Sending,
            ]),
            None => entries.push(Entry::Sending),
        }
        entries
    }

    fn state_of(&self, entries: &[Entry]) -> StepState {
        let at = self.claim.at;
        StepState::replay(entries.iter().map(|entry| (entry, at))).unwrap_or_default()
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
        if !self.state_of(&entries).is_touched() {
            return blobs.release(owner).map_err(EngineError::Archive);
        }
        self.tell(session, "this one goes on with it");
        let (store, row) = (&session.store, self.row());
        // A run that was killed here has taken it over already.
        let same = |it: &StepRecord| it.step == row;
        let id = match store.unsettled()?.iter().find(|it| same(it)) {
            Some(record) => record.id,
            None => store.take_over(run, &row, &entries, self.claim.at)?,
        };
        let to = ClaimOwner { state: store.state_id()?, step: id.0 };
        blobs.hand_over(owner, &to, store.path()).map_err(EngineError::Archive)
    }
}
