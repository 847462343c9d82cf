//! The decision that keeps plans from undoing a restore: made before anything is sent, and taken back
//! if nothing came of it, whichever run finds that.

use jiff::Timestamp;

use crate::archive::{Backup, Subject};
use crate::domain::{AccountName, Activity, Address, Decision, Party, RemoteId, Verdict};
use crate::event::Phase;
use crate::state::StepRecord;

use super::super::error::EngineError;
use super::super::session::Session;
use super::bytes;
use super::restore::Restore;

impl Restore {
    /// The decision that the source's activity and the restored one are the same, so that no plan
    /// replaces it again. What took its place stands in the backup; a state is not needed.
    pub(super) fn decision_for(
        &self,
        session: &Session,
        backup: &Backup,
        account: &AccountName,
    ) -> Option<Decision> {
        let replaced_by = backup.subject.replaced_by.as_ref()?;
        let then = &replaced_by.source;
        let is_its_source = |name: &AccountName| self.is_account_of(name, then);
        // The rule that would undo it, whatever it was called then.
        let rules = session.manifest.rules.iter();
        let into = rules.filter(|rule| rule.destination == *account && is_its_source(&rule.source));
        let rule = into.clone().find(|rule| rule.name == replaced_by.rule);
        let rule = rule.or_else(|| into.clone().next())?;
        // As it is today: a decision is about an activity in its condition. What people put under its
        // id since is another one; what was another one then was put in its place by its id alone, and
        // no plan finds that to be the same.
        let rows = self.rows(&rule.source);
        let listed = rows.iter().find(|row| row.id == then.id);
        let other = listed.filter(|row| !overlaps(row, &backup.subject));
        if other.is_some_and(|row| row.fingerprint == then.fingerprint) {
            return None;
        }
        let now = match listed {
            Some(row) => Some(row).filter(|_| other.is_none()),
            None => successor(rows, &backup.subject),
        };
        let mut source = then.clone();
        if let Some(row) = now {
            (source.id, source.fingerprint) = (row.id.clone(), row.fingerprint.clone());
        }
        let open = self.opened.accounts.get(account);
        let then_called = backup.subject.address.clone();
        let address = match then_called.filter(|it| it.rule() == rule.name.as_str()) {
            Some(address) => address,
            None => Address::of_start(&rule.name, backup.subject.start?, 1),
        };
        Some(Decision {
            decision: Verdict::Adopt,
            rule: rule.name.clone(),
            address,
            source,
            destination: Some(Party {
                account: account.clone(),
                profile: open.and_then(|open| open.profile.id.clone()),
                id: backup.subject.id.clone(),
                fingerprint: backup.subject.fingerprint.clone(),
            }),
            candidates: Vec::new(),
            at: session.clock().now(),
        })
    }

    /// Whether this is the account of a party; of one that cannot be opened, the name must do.
    fn is_account_of(&self, name: &AccountName, party: &Party) -> bool {
        let profile = self.opened.accounts.get(name).and_then(|open| open.profile.id.as_ref());
        match profile.zip(party.profile.as_ref()) {
            Some((now, then)) => now == then,
            None => *name == party.account,
        }
    }

    /// Whether an activity is the counterpart of another recording than the one that has taken the
    /// backup's place: it is not given to that one, too. One event's recordings in several accounts
    /// are one to the rules.
    pub(super) fn is_another_s(
        &self,
        session: &Session,
        backup: &Backup,
        account: &AccountName,
        id: &RemoteId,
    ) -> Result<bool, EngineError> {
        let Some(replaced_by) = &backup.subject.replaced_by else { return Ok(false) };
        let then = &replaced_by.source;
        let links = session.store.counterparts(self.row_of(account)?)?;
        let mut its = links.iter().filter(|(there, _)| there == id);
        Ok(its.any(|(_, (row, source))| {
            let mut open = self.opened.accounts.values();
            match open.find(|open| open.row == *row).map(|open| &open.name) {
                Some(name) if !self.is_account_of(name, then) => {
                    let mut rows = self.rows(name).iter();
                    let now = rows.find(|row| row.id == *source);
                    now.is_none_or(|row| !overlaps(row, &backup.subject))
                }
                // A file that was renamed since is the same one.
                Some(name) => {
                    *source != then.id && self.rows(name).iter().any(|row| row.id == *source)
                }
                None => *source != then.id,
            }
        }))
    }
}

/// What stands in a source in the place of one that is gone there: the only one of that start.
fn successor<'r>(rows: &'r [Activity], subject: &Subject) -> Option<&'r Activity> {
    let start = subject.start?.as_second();
    let is_it = |row: &&Activity| row.start.is_some_and(|at| at.as_second() == start);
    let mut rows = rows.iter().filter(is_it);
    rows.next().filter(|_| rows.next().is_none())
}

/// Whether an activity went on at the same time as the one that was backed up, as far as is known.
fn overlaps(row: &Activity, subject: &Subject) -> bool {
    let second = |start: Option<Timestamp>| start.map(Timestamp::as_second);
    let (Some(a), Some(b)) = (second(row.start), second(subject.start)) else { return true };
    let length = |elapsed_s: Option<u32>| i64::from(elapsed_s.unwrap_or_default());
    a <= b + length(subject.elapsed_s) && b <= a + length(row.elapsed_s)
}

/// Whether a decision says the same as another, whenever it was made.
pub(super) fn says(known: &Decision, new: &Decision) -> bool {
    *known == Decision { at: known.at, ..new.clone() }
}

/// Returns the decisions of restores that came to nothing, whichever run has found that.
///
/// # Errors
/// If the state cannot be read.
pub fn failed_restores(session: &Session) -> Result<Vec<Decision>, EngineError> {
    let is_adopted = |decision: &&Decision| decision.decision == Verdict::Adopt;
    let adopted: Vec<&Decision> = session.decisions.iter().filter(is_adopted).collect();
    if adopted.is_empty() {
        return Ok(Vec::new());
    }
    let stock = bytes::backups(session).list().map_err(EngineError::Archive)?;
    let mut failed = Vec::new();
    for decision in adopted {
        for backup in stock.backups.iter().filter(|backup| is_about(decision, backup)) {
            if has_failed(session, decision, backup)? {
                failed.push(decision.clone());
            }
        }
    }
    Ok(failed)
}

/// Whether a decision says that a backup's activity is what the source's belongs to.
fn is_about(decision: &Decision, backup: &Backup) -> bool {
    let subject = &backup.subject;
    // Its source's activity may have had another id by then.
    let is_source = subject.replaced_by.as_ref().is_some_and(|replaced_by| {
        let (then, now) = (&replaced_by.source, &decision.source);
        then.profile == now.profile && (then.profile.is_some() || then.account == now.account)
    });
    let put_back = decision.destination.as_ref();
    is_source
        && put_back
            .is_some_and(|party| party.id == subject.id && party.fingerprint == subject.fingerprint)
}

/// Whether the restores of a backup since a decision are over and none has put it back.
fn has_failed(
    session: &Session,
    decision: &Decision,
    backup: &Backup,
) -> Result<bool, EngineError> {
    let id = RemoteId::new(backup.id.as_str());
    let began = |record: &StepRecord| record.entries.first().map(|written| written.at);
    let mut has_failed = false;
    for account in session.store.accounts()? {
        let steps = session.store.steps_about(account.row, &id, account.row)?;
        let since = steps.iter().filter(|record| began(record) >= Some(decision.at));
        let phases: Vec<Phase> = since.filter_map(StepRecord::phase).collect();
        // What another one found there already does not take back what the first one did.
        if phases.contains(&Phase::Confirmed) {
            return Ok(false);
        }
        has_failed |= phases.last().is_some_and(|phase| phase.is_final());
    }
    Ok(has_failed)
}
