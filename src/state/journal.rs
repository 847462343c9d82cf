//! Runs of apply and the journal of their steps: what was intended, and what was done and learned.
//!
//! A step is begun by one run and may be ended by a later one. Entries are only ever appended, and
//! each is on the disk before the call returns, together with what it changes in the memory: the
//! pair that the step made, and the rows of the destination.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use rusqlite::{Row, ToSql, params};

use super::row::{from_json, json, time};
use super::{AccountRow, StateError, Store};
use crate::domain::{Activity, Address, Link, RemoteId, RuleName};
use crate::event::Phase;
use crate::plan::reconcile::{Cause, Entry, IllegalTransition, Outcome, StepState, Why};

/// Number of a run in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

/// Number of a step in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(pub i64);

/// Numbers of a run's summary, by phase.
pub type RunCounts = BTreeMap<String, u64>;

/// One run of apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// Id of the plan that it carried out, if it was a plan's.
    pub plan: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// How it ended; `None` while it runs, or if it was killed.
    pub end: Option<RunEnd>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// When.
    pub at: Timestamp,
    /// Exit code.
    pub exit: i32,
    /// Numbers of the summary.
    pub counts: RunCounts,
}

/// What a step is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its address in the plan; for people.
    pub address: Address,
    /// The rule that wants it.
    pub rule: RuleName,
    /// What it does, in the plan's word.
    pub action: String,
    /// Account that the activity comes from.
    pub source: AccountRow,
    /// The activity's id there.
    pub source_id: RemoteId,
    /// Account that it goes to.
    pub destination: AccountRow,
}

/// An entry as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The run that wrote it.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// The entry.
    pub entry: Entry,
}

/// A step with everything that was written down about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRecord {
    /// Its number.
    pub id: StepId,
    /// The run that began it.
    pub run: RunId,
    /// What it is about.
    pub step: Step,
    /// In the order of writing; at least one.
    pub entries: Vec<Written>,
}

impl StepRecord {
    /// How far it came; what was begun to be sent may be there.
    pub fn phase(&self) -> Option<Phase> {
        if let Some(Written { entry: Entry::Sending, .. }) = self.entries.last() {
            return Some(Phase::Unknown);
        }
        self.entries.iter().rev().find_map(|written| written.entry.phase())
    }

    /// What its journal amounts to.
    ///
    /// # Errors
    /// If the journal is not one that this version writes.
    pub fn state(&self) -> Result<StepState, IllegalTransition> {
        StepState::replay(self.entries.iter().map(|written| (&written.entry, written.at)))
    }
}

/// What an entry changes in the memory besides the journal.
#[derive(Clone, Copy, Debug, Default)]
pub struct Effects<'a> {
    /// The pair that the step made.
    pub link: Option<&'a Link>,
    /// The destination's activity that is no more; its links go with it.
    pub gone: Option<&'a RemoteId>,
    /// A row that the destination lists since.
    pub listed: Option<&'a Activity>,
}

const COLUMNS: &str = "step.id, step.run, address, rule, action, source, source_id, destination,
    entry.run, at, entry";

impl Store {
    /// Writes down that a run begins.
    pub fn begin_run(&self, plan: Option<&str>, at: Timestamp) -> Result<RunId, StateError> {
        let sql = "INSERT INTO run (plan, started_at) VALUES (?1, ?2)";
        let tx = self.write()?;
        self.conn.execute(sql, params![plan, at.to_string()])?;
        let run = RunId(self.conn.last_insert_rowid());
        tx.commit()?;
        Ok(run)
    }

    /// Whether any run of this state has begun a step into an account; what it has taken over does not
    /// tell what else was sent there, nor what it knew when it was copied.
    pub fn has_steps_into(&self, destination: AccountRow) -> Result<bool, StateError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM step WHERE destination = ?1 AND NOT taken_over
             AND id > coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'copied_with'), 0))";
        Ok(self.conn.query_row(sql, [destination.0], |row| row.get(0))?)
    }

    /// Writes down how a run ended.
    pub fn end_run(
        &self,
        run: RunId,
        at: Timestamp,
        exit: i32,
        counts: &RunCounts,
    ) -> Result<(), StateError> {
        self.conn.execute(
            "UPDATE run SET ended_at = ?2, exit = ?3, counts = ?4 WHERE id = ?1",
            params![run.0, at.to_string(), exit, json(counts)?],
        )?;
        Ok(())
    }

    /// All runs, the newest first.
    pub fn runs(&self) -> Result<Vec<Run>, StateError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, plan, started_at, ended_at, exit, counts FROM run ORDER BY id DESC",
        )?;
        let mut rows = statement.query([])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            runs.push(run_of(row)?);
        }
        Ok(runs)
    }

    /// Begins a step with its first entries.
    pub fn begin_step(
        &self,
        run: RunId,
        step: &Step,
        entries: &[Entry],
        effects: Effects<'_>,
        at: Timestamp,
    ) -> Result<StepId, StateError> {
        let tx = self.write()?;
        let id = self.insert_step(run, step, false)?;
        self.append(run, id, entries, at)?;
        self.take_effect(step, effects, at)?;
        tx.commit()?;
        Ok(id)
    }

    /// Takes over a step that a lost state began, with what is known of its journal.
    pub fn take_over(
        &self,
        run: RunId,
        step: &Step,
        entries: &[Entry],
        at: Timestamp,
    ) -> Result<StepId, StateError> {
        let tx = self.write()?;
        let id = self.insert_step(run, step, true)?;
        self.append(run, id, entries, at)?;
        tx.commit()?;
        Ok(id)
    }

    fn insert_step(&self, run: RunId, step: &Step, taken_over: bool) -> Result<StepId, StateError> {
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO step (run, address, rule, action, source, source_id, destination, taken_over)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?;
        Ok(StepId(insert.insert(params![
            run.0,
            step.address.as_str(),
            step.rule.as_str(),
            step.action,
            step.source.0,
            step.source_id.as_str(),
            step.destination.0,
            taken_over
        ])?))
    }

    /// Writes down what was done or learned about a step, also one that an earlier run began, and
    /// what that changes: all or nothing.
    pub fn record(
        &self,
        run: RunId,
        (id, step): (StepId, &Step),
        entries: &[Entry],
        effects: Effects<'_>,
        at: Timestamp,
    ) -> Result<(), StateError> {
        let tx = self.write()?;
        self.append(run, id, entries, at)?;
        self.take_effect(step, effects, at)?;
        Ok(tx.commit()?)
    }

    fn append(
        &self,
        run: RunId,
        step: StepId,
        entries: &[Entry],
        at: Timestamp,
    ) -> Result<(), StateError> {
        let mut insert = self
            .conn
            .prepare_cached("INSERT INTO entry (step, run, at, entry) VALUES (?1, ?2, ?3, ?4)")?;
        for entry in entries {
            insert.execute(params![step.0, run.0, at.to_string(), json(entry)?])?;
        }
        let is_over = entries.last().is_some_and(
            |entry| matches!(entry, Entry::Ended { outcome, .. } if outcome.is_final()),
        );
        if is_over {
            let mut close = self.conn.prepare_cached("UPDATE step SET open = 0 WHERE id = ?1")?;
            close.execute(params![step.0])?;
        }
        Ok(())
    }

    fn take_effect(
        &self,
        step: &Step,
        effects: Effects<'_>,
        at: Timestamp,
    ) -> Result<(), StateError> {
        if let Some(gone) = effects.gone {
            self.remove_links_to(step.destination, gone)?;
            self.forget_activity(step.destination, gone, at)?;
        }
        if let Some(listed) = effects.listed {
            self.note_activity(step.destination, listed)?;
        }
        match effects.link {
            Some(link) => self.put_link(step.source, step.destination, link),
            None => Ok(()),
        }
    }

    /// The steps that are not over, in the order in which they were begun.
    pub fn unsettled(&self) -> Result<Vec<StepRecord>, StateError> {
        self.select_steps("step.open = 1", params![])
    }

    /// What open steps have asked an account to remove, whether or not that is known to be done: if it
    /// is gone, nothing is missing.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn asked_to_remove(&self, account: AccountRow) -> Result<HashSet<RemoteId>, StateError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT entry ->> 'old' FROM step JOIN entry ON entry.step = step.id
             WHERE open = 1 AND destination = ?1 AND entry ->> 'entry' = 'removing'",
        )?;
        let asked = statement
            .query_map([account.0], |row| Ok(RemoteId::new(row.get::<_, String>(0)?)))?
            .collect::<Result<_, _>>()?;
        Ok(asked)
    }

    /// The steps of all runs at an address, in the order in which they were begun.
    pub fn steps_at(&self, address: &Address) -> Result<Vec<StepRecord>, StateError> {
        self.select_steps("address = ?1", params![address.as_str()])
    }

    /// The steps of all runs about a source activity and a destination.
    pub fn steps_about(
        &self,
        source: AccountRow,
        id: &RemoteId,
        destination: AccountRow,
    ) -> Result<Vec<StepRecord>, StateError> {
        let with = params![source.0, id.as_str(), destination.0];
        self.select_steps("source = ?1 AND source_id = ?2 AND destination = ?3", with)
    }

    /// Ends the steps at an address that are still open; says how many there were.
    pub(super) fn close_steps(
        &self,
        address: &Address,
        at: Timestamp,
    ) -> Result<usize, StateError> {
        let open =
            self.select_steps("step.open = 1 AND address = ?1", params![address.as_str()])?;
        for record in &open {
            let forgotten = Entry::Ended {
                outcome: Outcome::Failed,
                why: Why::Forgotten,
                cause: Some(Cause::Other),
            };
            self.append(record.run, record.id, &[forgotten], at)?;
        }
        Ok(open.len())
    }

    /// Every step ever, in the order in which they were begun.
    pub(super) fn steps(&self) -> Result<Vec<StepRecord>, StateError> {
        self.select_steps("TRUE", params![])
    }

    pub(super) fn select_steps(
        &self,
        which: &str,
        with: &[&dyn ToSql],
    ) -> Result<Vec<StepRecord>, StateError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM step JOIN entry ON entry.step = step.id
             WHERE {which} ORDER BY step.id, entry.id"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(with)?;
        let mut steps: Vec<StepRecord> = Vec::new();
        while let Some(row) = rows.next()? {
            let id = StepId(row.get(0)?);
            let written = written_of(row)?;
            match steps.last_mut() {
                Some(step) if step.id == id => step.entries.push(written),
                Some(_) | None => steps.push(StepRecord {
                    id,
                    run: RunId(row.get(1)?),
                    step: step_of(row)?,
                    entries: vec![written],
                }),
            }
        }
        Ok(steps)
    }
}

fn run_of(row: &Row<'_>) -> Result<Run, StateError> {
    let ended: Option<(String, i32, String)> = match row.get(3)? {
        Some(at) => Some((at, row.get(4)?, row.get(5)?)),
        None => None,
    };
    Ok(Run {
        id: RunId(row.get(0)?),
        plan: row.get(1)?,
        started_at: time(&row.get::<_, String>(2)?)?,
        end: match ended {
            Some((at, exit, counts)) => {
                Some(RunEnd { at: time(&at)?, exit, counts: from_json(&counts)? })
            }
            None => None,
        },
    })
}

fn step_of(row: &Row<'_>) -> Result<Step, StateError> {
    Ok(Step {
        address: row
            .get::<_, String>(2)?
            .parse()
            .map_err(|error| StateError::Corrupt(format!("{error}")))?,
        rule: RuleName::new(row.get::<_, String>(3)?),
        action: row.get(4)?,
        source: AccountRow(row.get(5)?),
        source_id: RemoteId::new(row.get::<_, String>(6)?),
        destination: AccountRow(row.get(7)?),
    })
}

fn written_of(row: &Row<'_>) -> Result<Written, StateError> {
    Ok(Written {
        run: RunId(row.get(8)?),
        at: time(&row.get::<_, String>(9)?)?,
        entry: from_json(row.get_ref(10)?.as_str().map_err(rusqlite::Error::from)?)?,
    })
}
