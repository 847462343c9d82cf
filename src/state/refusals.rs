//! What accounts refused, and when.

use rusqlite::{OptionalExtension as _, Row, ToSql, params};

use super::row::{from_word, time, word};
use super::{AccountRow, StateError, Store};
use crate::domain::{AccountName, Address, Fingerprint, Refusal, RemoteId};

/// A refusal, and between whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRefusal {
    /// Last name of the source account.
    pub source: AccountName,
    /// Last name of the destination account.
    pub destination: AccountName,
    /// Its address when it was found last; for people.
    pub address: Address,
    /// The refusal.
    pub refusal: Refusal,
}

const COLUMNS: &str =
    "source_id, fingerprint, reason, detail, candidate, first_seen, last_seen, looks";

impl Store {
    /// Remembers what a look found, and returns it with the earlier looks that found the same.
    ///
    /// # Errors
    /// If the state cannot be read or written.
    pub fn note_refusal(
        &self,
        source: AccountRow,
        destination: AccountRow,
        address: &Address,
        found: Refusal,
    ) -> Result<Refusal, StateError> {
        let tx = self.write()?;
        let earlier = self.refusal(source, &found.id, destination)?;
        let refusal = found.after(earlier.as_ref());
        self.change(
            "INSERT OR REPLACE INTO refusal
             (source, source_id, destination, address, fingerprint, reason, detail, candidate,
              first_seen, last_seen, looks)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                source.0,
                refusal.id.as_str(),
                destination.0,
                address.as_str(),
                refusal.fingerprint.as_str(),
                word(&refusal.reason)?,
                refusal.detail,
                refusal.candidate.as_ref().map(RemoteId::as_str),
                refusal.first_seen.to_string(),
                refusal.last_seen.to_string(),
                refusal.looks,
            ],
        )?;
        tx.commit()?;
        Ok(refusal)
    }

    /// Returns the refusals from one account to another, by source id.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn refusals(
        &self,
        source: AccountRow,
        destination: AccountRow,
    ) -> Result<Vec<Refusal>, StateError> {
        self.select_refusals(
            "source = ?1 AND destination = ?2 ORDER BY source_id",
            params![source.0, destination.0],
        )
    }

    /// Returns every refusal, by address and accounts.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub fn all_refusals(&self) -> Result<Vec<StoredRefusal>, StateError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {COLUMNS}, s.name, d.name, address FROM refusal
             JOIN account s ON s.id = source JOIN account d ON d.id = destination
             ORDER BY address, s.name, d.name, source_id"
        ))?;
        let mut rows = statement.query([])?;
        let mut refusals = Vec::new();
        while let Some(row) = rows.next()? {
            refusals.push(StoredRefusal {
                source: AccountName::new(row.get::<_, String>(8)?),
                destination: AccountName::new(row.get::<_, String>(9)?),
                address: row
                    .get::<_, String>(10)?
                    .parse()
                    .map_err(|error| StateError::Corrupt(format!("{error}")))?,
                refusal: refusal_of(row)?,
            });
        }
        Ok(refusals)
    }

    /// Forgets the refusal of a source activity at a destination.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn remove_refusal(
        &self,
        source: AccountRow,
        id: &RemoteId,
        destination: AccountRow,
    ) -> Result<usize, StateError> {
        self.change(
            "DELETE FROM refusal WHERE source = ?1 AND source_id = ?2 AND destination = ?3",
            params![source.0, id.as_str(), destination.0],
        )
    }

    fn refusal(
        &self,
        source: AccountRow,
        id: &RemoteId,
        destination: AccountRow,
    ) -> Result<Option<Refusal>, StateError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM refusal
             WHERE source = ?1 AND source_id = ?2 AND destination = ?3"
        ))?;
        let with = params![source.0, id.as_str(), destination.0];
        statement.query_row(with, |row| Ok(refusal_of(row))).optional()?.transpose()
    }

    fn select_refusals(
        &self,
        which: &str,
        with: &[&dyn ToSql],
    ) -> Result<Vec<Refusal>, StateError> {
        let sql = format!("SELECT {COLUMNS} FROM refusal WHERE {which}");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(with)?;
        let mut refusals = Vec::new();
        while let Some(row) = rows.next()? {
            refusals.push(refusal_of(row)?);
        }
        Ok(refusals)
    }
}

fn refusal_of(row: &Row<'_>) -> Result<Refusal, StateError> {
    Ok(Refusal {
        id: RemoteId::new(row.get::<_, String>(0)?),
        fingerprint: Fingerprint::new(row.get::<_, String>(1)?),
        reason: from_word(&row.get::<_, String>(2)?)?,
        detail: row.get(3)?,
        candidate: row.get::<_, Option<String>>(4)?.map(RemoteId::new),
        first_seen: time(&row.get::<_, String>(5)?)?,
        last_seen: time(&row.get::<_, String>(6)?)?,
        looks: row.get(7)?,
    })
}
