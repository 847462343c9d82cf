//! Runs of apply and the journal of their steps: what was intended, and how far it came.
//!
//! A step is begun by one run and may be ended by a later one; entries are only ever appended, and
//! each is on the disk before the call returns.

use jiff::Timestamp;
use rusqlite::{Row, ToSql, params};
use serde_json::Value;

use super::row::{from_json, json, time};
use super::{AccountRow, StateError, Store};
use crate::domain::{Address, Link, RemoteId, RuleName, Sha256};
use crate::event::Phase;

/// Number of a run in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

/// Number of a step in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepId(i64);

/// One run of apply.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnd {
    /// When.
    pub at: Timestamp,
    /// Exit code.
    pub exit: i32,
    /// Numbers of the summary.
    pub counts: Value,
}

/// What a step is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its address in the plan.
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

/// How far a step came.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// How far.
    pub phase: Phase,
    /// Counts from 1.
    pub attempt: u32,
    /// What a later run needs in order to go on, such as ids and paths.
    pub detail: Value,
}

/// An entry as it stands in the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The run that wrote it.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// The entry.
    pub entry: Entry,
}

/// A step with everything that was written down about it.
#[derive(Clone, Debug, PartialEq)]
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
    /// How far it came.
    pub fn phase(&self) -> Option<Phase> {
        self.entries.last().map(|written| written.entry.phase)
    }
}

/// The pair that a step made.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// Account that the activity comes from.
    pub source: AccountRow,
    /// Account that it went to.
    pub destination: AccountRow,
    /// The link between them.
    pub link: &'a Link,
}

const COLUMNS: &str = "step.id, step.run, address, rule, action, source, source_id, destination,
    entry.run, at, phase, attempt, detail";

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

    /// Writes down how a run ended.
    pub fn end_run(
        &self,
        run: RunId,
        at: Timestamp,
        exit: i32,
        counts: &Value,
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

    /// Begins a step with its first entry, most often [`Phase::Intent`], and the link that it made.
    pub fn begin_step(
        &self,
        run: RunId,
        step: &Step,
        entry: &Entry,
        made: Option<Made<'_>>,
        at: Timestamp,
    ) -> Result<StepId, StateError> {
        let tx = self.write()?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO step (run, address, rule, action, source, source_id, destination)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        let id = StepId(insert.insert(params![
            run.0,
            step.address.as_str(),
            step.rule.as_str(),
            step.action,
            step.source.0,
            step.source_id.as_str(),
            step.destination.0
        ])?);
        drop(insert);
        self.append(run, id, entry, made, at)?;
        tx.commit()?;
        Ok(id)
    }

    /// Writes down how far a step came, also one that an earlier run began, and with it the link
    /// that it made: both or neither.
    pub fn record(
        &self,
        run: RunId,
        step: StepId,
        entry: &Entry,
        made: Option<Made<'_>>,
        at: Timestamp,
    ) -> Result<(), StateError> {
        if made.is_none() {
            return self.append(run, step, entry, made, at);
        }
        let tx = self.write()?;
        self.append(run, step, entry, made, at)?;
        Ok(tx.commit()?)
    }

    fn append(
        &self,
        run: RunId,
        step: StepId,
        entry: &Entry,
        made: Option<Made<'_>>,
        at: Timestamp,
    ) -> Result<(), StateError> {
        if let Some(made) = made {
            self.put_link(made.source, made.destination, made.link)?;
        }
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO entry (step, run, at, phase, attempt, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        insert.execute(params![
            step.0,
            run.0,
            at.to_string(),
            entry.phase.as_str(),
            entry.attempt,
            json(&entry.detail)?
        ])?;
        Ok(())
    }

    /// The steps whose last phase is not final, in the order in which they were begun.
    pub fn unsettled(&self) -> Result<Vec<StepRecord>, StateError> {
        let open: Vec<&str> =
            Phase::ALL.into_iter().filter(|phase| !phase.is_final()).map(Phase::as_str).collect();
        self.select_steps(
            "step.id IN (SELECT step FROM entry
                 WHERE id IN (SELECT max(id) FROM entry GROUP BY step)
                 AND phase IN (SELECT value FROM json_each(?1)))",
            params![json(&open)?],
        )
    }

    /// Whether a step of this journal ever fetched a file with this hash.
    pub fn has_fetched(&self, sha256: &Sha256) -> Result<bool, StateError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM entry
                 WHERE phase = ?1 AND detail LIKE '%\"' || ?2 || '\"%')",
        )?;
        let with = params![Phase::Fetched.as_str(), sha256.as_str()];
        Ok(statement.query_row(with, |row| row.get(0))?)
    }

    /// The steps of all runs at an address, in the order in which they were begun.
    pub fn steps_at(&self, address: &Address) -> Result<Vec<StepRecord>, StateError> {
        self.select_steps("address = ?1", params![address.as_str()])
    }

    /// Ends the steps at an address that are still open; says how many there were.
    pub(super) fn close_steps(
        &self,
        address: &Address,
        at: Timestamp,
    ) -> Result<usize, StateError> {
        let open = |record: &StepRecord| record.phase().is_some_and(|phase| !phase.is_final());
        let steps: Vec<StepRecord> = self.steps_at(address)?.into_iter().filter(open).collect();
        for record in &steps {
            let attempt = record.entries.last().map_or(1, |written| written.entry.attempt);
            let detail = serde_json::json!({ "words": "forgotten by a person" });
            let entry = Entry { phase: Phase::Failed, attempt, detail };
            self.append(record.run, record.id, &entry, None, at)?;
        }
        Ok(steps.len())
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
    let phase: String = row.get(10)?;
    Ok(Written {
        run: RunId(row.get(8)?),
        at: time(&row.get::<_, String>(9)?)?,
        entry: Entry {
            phase: Phase::parse(&phase)
                .ok_or_else(|| StateError::Corrupt(format!("phase '{phase}' never was")))?,
            attempt: row.get(11)?,
            detail: from_json(&row.get::<_, String>(12)?)?,
        },
    })
}
