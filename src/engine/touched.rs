//! What runs have done at destinations, as their journal tells it.

use jiff::Timestamp;

use crate::domain::{AccountName, Address, LinkStatus, Refusal};
use crate::event::Phase;
use crate::plan::Document;
use crate::plan::reconcile::{Entry, Why};
use crate::state::{AccountRow, RunId, StateError, Step, StepRecord, Store};

/// What a step has done at its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touched {
    /// Neither sent nor removed anything.
    Nothing,
    /// Sent the new activity, whether or not it was taken.
    Sent,
    /// Removed the old activity, whether or not the new one was sent.
    Removed,
    /// Removed the old activity and put it back.
    Restored,
}

/// Returns what a step has done at its destination, by what was written down about it. A change
/// whose answer is not written down counts as made.
pub fn touched<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Touched {
    let (mut touched, mut is_turned) = (Touched::Nothing, false);
    for entry in entries {
        match entry {
            Entry::TurnedRound { .. } => is_turned = true,
            Entry::TurnedBack => is_turned = false,
            Entry::Removing { .. } | Entry::Removed { .. } => touched = Touched::Removed,
            Entry::Sending if touched == Touched::Nothing => touched = Touched::Sent,
            Entry::NotSent { .. } if touched == Touched::Sent => touched = Touched::Nothing,
            Entry::Ended { outcome, why, .. } if is_turned && outcome.is_final() => {
                let is_back = !matches!(why, Why::InItsPlace { .. });
                touched = if is_back { Touched::Restored } else { Touched::Removed };
            }
            _ => {}
        }
    }
    touched
}

/// How many steps have done what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deeds {
    /// Sent.
    pub sent: usize,
    /// Removed; each is in the backups.
    pub removed: usize,
    /// Removed and put back.
    pub restored: usize,
    /// Sent or removed, perhaps: the answer was not written down.
    pub under_way: usize,
    /// Begun by earlier runs, and not over.
    pub open: usize,
}

/// Returns what the runs after this one have done.
///
/// # Errors
/// If the journal cannot be read.
pub fn deeds_since(store: &Store, run: Option<RunId>) -> Result<Deeds, StateError> {
    let mut deeds = Deeds::default();
    let open = store.unsettled()?.into_iter().filter(|record| Some(record.run) <= run);
    deeds.open = open.filter(|record| record.state().is_ok_and(|it| it.is_touched())).count();
    for record in store.steps_since(run)? {
        let since = record.entries.iter().filter(|written| Some(written.run) > run);
        let entries: Vec<&Entry> = since.map(|written| &written.entry).collect();
        let is_unanswered = matches!(entries.last(), Some(Entry::Sending | Entry::Removing { .. }));
        match touched(entries) {
            _ if is_unanswered => deeds.under_way += 1,
            Touched::Sent => deeds.sent += 1,
            Touched::Removed => deeds.removed += 1,
            Touched::Restored => deeds.restored += 1,
            Touched::Nothing => {}
        }
    }
    Ok(deeds)
}

/// Returns the steps of earlier runs that failed in the runs after this one and must not be passed
/// over: they removed something or were refused for the first time, and the plan does not take them
/// up again, by a step of the same source and destination.
///
/// # Errors
/// If the state cannot be read.
pub fn failed_for_good(
    store: &Store,
    run: Option<RunId>,
    document: &Document,
) -> Result<Vec<StepRecord>, StateError> {
    let mut failed = Vec::new();
    for record in store.steps_since(run)? {
        let is_resumed = Some(record.run) <= run && record.phase() == Some(Phase::Failed);
        let touched = touched(record.entries.iter().map(|written| &written.entry));
        let is_restore = record.step.source == record.step.destination;
        if is_resumed
            && (touched == Touched::Removed || is_restore || is_first_refused(store, &record.step)?)
            && !is_taken_up(store, &record.step, document)?
        {
            failed.push(record);
        }
    }
    Ok(failed)
}

fn is_first_refused(store: &Store, step: &Step) -> Result<bool, StateError> {
    let refusals = store.refusals(step.source, step.destination)?;
    let mut about = refusals.iter().filter(|refusal| refusal.id == step.source_id);
    Ok(about.any(Refusal::is_first_look))
}

fn is_taken_up(store: &Store, step: &Step, document: &Document) -> Result<bool, StateError> {
    let is = |name: &AccountName, row: AccountRow| {
        let account = store.account_named(name)?;
        Ok::<_, StateError>(account.is_some_and(|account| account.row == row))
    };
    for planned in document.body.steps.iter().filter(|planned| planned.source.id == step.source_id)
    {
        if is(&planned.source.account, step.source)?
            && is(&planned.destination.account, step.destination)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What was done at a destination and is not to be seen there yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Where.
    pub destination: AccountName,
    /// Since when.
    pub since: Timestamp,
    /// Whether the new one is awaited, or a gap is to be filled.
    pub touched: Touched,
}

/// Returns what is awaited at an address: of open steps that sent or removed something or may have,
/// and of links that were not listed yet.
///
/// # Errors
/// If the state cannot be read.
pub fn awaited(store: &Store, address: &Address) -> Result<Vec<Awaited>, StateError> {
    let accounts = store.accounts()?;
    let name = |row: AccountRow| {
        let account = accounts.iter().find(|account| account.row == row);
        account.map(|account| account.name.clone())
    };
    let mut awaited = Vec::new();
    for record in store.unsettled()?.iter().filter(|record| record.step.address == *address) {
        let mut entries = record.entries.iter();
        let first = entries.find(|written| {
            matches!(written.entry, Entry::Removing { .. } | Entry::Removed { .. } | Entry::Sending)
        });
        let touched = touched(record.entries.iter().map(|written| &written.entry));
        if let Some((destination, first)) = name(record.step.destination).zip(first) {
            awaited.push(Awaited { destination, since: first.at, touched });
        }
    }
    for stored in store.all_links()?.into_iter().filter(|stored| stored.link.address == *address) {
        if let LinkStatus::Pending { since, .. } = stored.link.status {
            let (destination, touched) = (stored.destination, Touched::Sent);
            awaited.push(Awaited { destination, since, touched });
        }
    }
    Ok(awaited)
}
