//! The removals at destinations that people were told of.

use std::collections::HashSet;

use rusqlite::params;

use super::{AccountRow, StateError, Store};
use crate::domain::RemoteId;

impl Store {
    /// Notes that the removal of a source's activity at a destination was told.
    pub fn note_told_removal(
        &self,
        source: AccountRow,
        id: &RemoteId,
        destination: AccountRow,
    ) -> Result<(), StateError> {
        let sql = "INSERT OR IGNORE INTO told_removal VALUES (?1, ?2, ?3)";
        self.conn.execute(sql, params![source.0, id.as_str(), destination.0])?;
        Ok(())
    }

    /// Forgets that, since the activity is there again.
    pub fn forget_told_removal(
        &self,
        source: AccountRow,
        id: &RemoteId,
        destination: AccountRow,
    ) -> Result<(), StateError> {
        let sql = "DELETE FROM told_removal
                   WHERE source = ?1 AND source_id = ?2 AND destination = ?3";
        self.conn.execute(sql, params![source.0, id.as_str(), destination.0])?;
        Ok(())
    }

    /// The source's activities whose removal at a destination was told.
    pub fn told_removals(
        &self,
        source: AccountRow,
        destination: AccountRow,
    ) -> Result<HashSet<RemoteId>, StateError> {
        let sql = "SELECT source_id FROM told_removal WHERE source = ?1 AND destination = ?2";
        let mut statement = self.conn.prepare_cached(sql)?;
        let ids = statement.query_map(params![source.0, destination.0], |row| {
            row.get::<_, String>(0).map(RemoteId::new)
        })?;
        Ok(ids.collect::<Result<_, _>>()?)
    }
}
