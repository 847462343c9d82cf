//! Inventories: what an account held when it was last read.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::row::{count, from_json, json, number, time};
use super::{AccountRow, StateError, Store};
use crate::domain::{Activity, Inventory, RemoteId};

/// How much of an account was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    Full,
    /// What is new, on top of what was known.
    Incremental,
}

/// What is known about an inventory besides its activities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryMeta {
    /// Counts the readings that found something new, changed or gone.
    pub generation: i64,
    /// Activities in it.
    pub count: usize,
    /// Whether all of it could be read.
    pub complete: bool,
    /// When it was read.
    pub refreshed_at: Timestamp,
    /// When all of it was last read without a gap.
    pub full_at: Option<Timestamp>,
    /// The largest complete count, or the one that was accepted since.
    pub last_good_count: Option<usize>,
    /// Whether its activities were forgotten since.
    pub cleared: bool,
}

const UPSERT: &str = "INSERT INTO activity VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (account, id) DO UPDATE SET
        fingerprint = ?3, start = ?4, generation = ?5, row = ?6";

impl Store {
    /// Replaces the inventory of an account; only what differs is written.
    ///
    /// A complete inventory that has not shrunk is a good one by itself; a smaller one only by
    /// [`Store::accept_count`], so that a loss stays suspicious for more than one day.
    pub fn save_inventory(
        &self,
        account: AccountRow,
        inventory: &Inventory,
        reading: Reading,
        at: Timestamp,
    ) -> Result<(), StateError> {
        let tx = self.write()?;
        let before = self.inventory_meta(account)?;
        let generation = before.as_ref().map_or(0, |meta| meta.generation) + 1;
        let changes = self.save_activities(account, &inventory.activities, generation)?;
        let news = changes > 0 || before.is_none_or(|before| before.cleared);
        let is_whole = inventory.is_whole();
        let full = reading == Reading::Full && is_whole;
        let full_at = full.then(|| at.to_string());
        let now = number(inventory.activities.len());
        let good = is_whole.then_some(now);
        self.conn.execute(
            "INSERT INTO inventory (account, generation, count, complete, refreshed_at, full_at,
                 last_good_count)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (account) DO UPDATE SET
                 cleared = 0, generation = ?2, count = ?3, complete = ?4, refreshed_at = ?5,
                 full_at = coalesce(?6, full_at),
                 last_good_count = coalesce(max(?7, last_good_count), ?7, last_good_count)",
            params![
                account.0,
                if news { generation } else { generation - 1 },
                now,
                is_whole,
                at.to_string(),
                full_at,
                good
            ],
        )?;
        Ok(tx.commit()?)
    }

    /// Takes the present count of an account, if it is complete, as the one against which a loss is measured.
    pub fn accept_count(&self, account: AccountRow) -> Result<(), StateError> {
        self.conn.execute(
            "UPDATE inventory SET last_good_count = count WHERE account = ?1 AND complete",
            params![account.0],
        )?;
        Ok(())
    }

    /// Forgets what an account listed, so that it is read anew; says how many activities that were.
    /// Links, and the count against which a loss is measured, stay.
    pub fn clear_inventory(&self, account: AccountRow) -> Result<usize, StateError> {
        let tx = self.write()?;
        let sql = "DELETE FROM activity WHERE account = ?1";
        let forgotten = self.conn.execute(sql, params![account.0])?;
        self.conn.execute("DELETE FROM shown WHERE account = ?1", params![account.0])?;
        self.conn.execute(
            "UPDATE inventory SET cleared = 1, count = 0, complete = 0, full_at = NULL
             WHERE account = ?1",
            params![account.0],
        )?;
        tx.commit()?;
        Ok(forgotten)
    }

    /// Takes a row out of an account's inventory: its activity was removed by this program, which is
    /// no loss of the account's.
    pub(super) fn forget_activity(
        &self,
        account: AccountRow,
        id: &RemoteId,
        at: Timestamp,
    ) -> Result<(), StateError> {
        let mut note =
            self.conn.prepare_cached("INSERT OR REPLACE INTO removed VALUES (?1, ?2, ?3)")?;
        note.execute(params![account.0, id.as_str(), at.to_string()])?;
        let mut delete =
            self.conn.prepare_cached("DELETE FROM activity WHERE account = ?1 AND id = ?2")?;
        if delete.execute(params![account.0, id.as_str()])? > 0 {
            let mut count = self.conn.prepare_cached(
                "UPDATE inventory SET generation = generation + 1, count = count - 1,
                     last_good_count = max(last_good_count - 1, 0) WHERE account = ?1",
            )?;
            count.execute(params![account.0])?;
        }
        Ok(())
    }

    /// Puts a row into an account's inventory: this program has placed its activity.
    pub(super) fn note_activity(
        &self,
        account: AccountRow,
        activity: &Activity,
    ) -> Result<(), StateError> {
        let mut known = self.conn.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM inventory WHERE account = ?1 AND NOT cleared),
                 EXISTS (SELECT 1 FROM activity WHERE account = ?1 AND id = ?2)",
        )?;
        let (is_read, is_known): (bool, bool) = known
            .query_row(params![account.0, activity.id.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        if !is_read {
            return Ok(());
        }
        let mut count = self.conn.prepare_cached(
            "UPDATE inventory SET generation = generation + 1, count = count + ?2,
                 last_good_count = CASE WHEN complete
                     THEN max(coalesce(last_good_count, 0), count + ?2) ELSE last_good_count END
             WHERE account = ?1 RETURNING generation",
        )?;
        let generation: i64 =
            count.query_row(params![account.0, i64::from(!is_known)], |row| row.get(0))?;
        let mut upsert = self.conn.prepare_cached(UPSERT)?;
        upsert.execute(params![
            account.0,
            activity.id.as_str(),
            activity.fingerprint.as_str(),
            activity.start.map(|start| start.to_string()),
            generation,
            json(activity)?
        ])?;
        Ok(())
    }

    /// The inventory as last saved; `None` if the account was never read.
    pub fn inventory(&self, account: AccountRow) -> Result<Option<Inventory>, StateError> {
        let _tx = self.read()?;
        let Some(meta) = self.inventory_meta(account)?.filter(|meta| !meta.cleared) else {
            return Ok(None);
        };
        let mut statement =
            self.conn.prepare_cached("SELECT row FROM activity WHERE account = ?1")?;
        let mut rows = statement.query(params![account.0])?;
        let mut activities: Vec<Activity> = Vec::with_capacity(meta.count);
        while let Some(row) = rows.next()? {
            activities.push(from_json(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
        }
        // What files that cannot be opened leave open their rows say.
        let complete = meta.complete || activities.iter().any(|row| row.unopened().is_some());
        Ok(Some(Inventory::new(activities, complete, Some(meta.refreshed_at))))
    }

    /// What is known about the inventory of an account; `None` if it was never read.
    pub fn inventory_meta(&self, account: AccountRow) -> Result<Option<InventoryMeta>, StateError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT generation, count, complete, refreshed_at, full_at, last_good_count,
                 cleared
             FROM inventory WHERE account = ?1",
        )?;
        let found = statement
            .query_row(params![account.0], |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, bool>(2)?,
                    row.get::<_, String>(3)?,
                    row.get::<_, Option<String>>(4)?,
                    row.get::<_, Option<i64>>(5)?,
                    row.get::<_, bool>(6)?,
                ))
            })
            .optional()?;
        let Some((generation, rows, complete, refreshed_at, full_at, good, cleared)) = found else {
            return Ok(None);
        };
        Ok(Some(InventoryMeta {
            generation,
            count: count(rows)?,
            complete,
            refreshed_at: time(&refreshed_at)?,
            full_at: full_at.as_deref().map(time).transpose()?,
            last_good_count: good.map(count).transpose()?,
            cleared,
        }))
    }

    /// What runs removed from an account, and when.
    pub fn removed(&self, account: AccountRow) -> Result<Vec<(RemoteId, Timestamp)>, StateError> {
        let mut statement =
            self.conn.prepare_cached("SELECT id, at FROM removed WHERE account = ?1")?;
        let mut rows = statement.query(params![account.0])?;
        let mut removed = Vec::new();
        while let Some(row) = rows.next()? {
            removed
                .push((RemoteId::new(row.get::<_, String>(0)?), time(&row.get::<_, String>(1)?)?));
        }
        Ok(removed)
    }

    /// Writes what differs and returns the number of rows written or removed.
    fn save_activities(
        &self,
        account: AccountRow,
        activities: &[Activity],
        generation: i64,
    ) -> Result<usize, StateError> {
        let mut old = self.activity_rows(account)?;
        let mut changes = 0;
        let mut upsert = self.conn.prepare_cached(UPSERT)?;
        for activity in activities {
            let row = json(activity)?;
            if old.remove(activity.id.as_str()).as_ref() == Some(&row) {
                continue;
            }
            let start = activity.start.map(|start| start.to_string());
            changes += upsert.execute(params![
                account.0,
                activity.id.as_str(),
                activity.fingerprint.as_str(),
                start,
                generation,
                row
            ])?;
        }
        let mut delete =
            self.conn.prepare_cached("DELETE FROM activity WHERE account = ?1 AND id = ?2")?;
        for gone in old.keys() {
            changes += delete.execute(params![account.0, gone])?;
        }
        Ok(changes)
    }

    fn activity_rows(&self, account: AccountRow) -> Result<HashMap<String, String>, StateError> {
        let mut statement =
            self.conn.prepare_cached("SELECT id, row FROM activity WHERE account = ?1")?;
        let rows = statement.query_map(params![account.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
