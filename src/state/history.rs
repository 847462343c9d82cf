//! What runs have done since one of them.

use rusqlite::{OptionalExtension as _, params};

use super::{RunId, StateError, StepRecord, Store};

impl Store {
    /// Returns the newest run, if there ever was one.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn last_run(&self) -> Result<Option<RunId>, StateError> {
        let newest = "SELECT max(id) FROM run";
        let newest: Option<Option<i64>> =
            self.conn.query_row(newest, [], |row| row.get(0)).optional()?;
        Ok(newest.flatten().map(RunId))
    }

    /// Returns the steps that runs after this one wrote about, with all that was ever written about
    /// them.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn steps_since(&self, run: Option<RunId>) -> Result<Vec<StepRecord>, StateError> {
        let run = run.map_or(0, |run| run.0);
        self.select_steps("step.id IN (SELECT step FROM entry WHERE run > ?1)", params![run])
    }
}
