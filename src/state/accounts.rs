//! Accounts: who stands behind a name, and what was known about it before.

use rusqlite::{OptionalExtension, Row, params};

use super::{StateError, Store};
use crate::domain::{AccountName, Profile, ProfileId, Sha256};

/// Stands for an account within one state file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountRow(pub(super) i64);

/// What is remembered about an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// Stands for it in other calls.
    pub row: AccountRow,
    /// What the manifest called it last.
    pub name: AccountName,
    /// Its platform.
    pub platform: String,
    /// Its region, on platforms that have any.
    pub region: Option<String>,
    /// Who it belongs to; `None` for a directory without a marker.
    pub profile: Option<ProfileId>,
}

const COLUMNS: &str = "id, name, platform, region, profile";

impl Store {
    /// The account with this profile, remembered from now on.
    ///
    /// An account without an id is known by its location; it keeps its row when it gets one.
    pub fn account(
        &self,
        name: &AccountName,
        platform: &str,
        region: Option<&str>,
        profile: &Profile,
    ) -> Result<AccountRow, StateError> {
        let location = profile.location.as_deref().map(hashed);
        let id = profile.id.as_ref().map(ProfileId::as_str);
        if id.is_none() && location.is_none() {
            return Err(StateError::Unidentified(name.clone()));
        }
        if let Some(row) = self.unchanged(name, platform, region, id, location.as_deref())? {
            return Ok(row);
        }
        let tx = self.write()?;
        let found = match id {
            Some(id) => self.row_of(
                "SELECT id FROM account WHERE profile = ?1 UNION ALL
                 SELECT id FROM account WHERE location = ?2 AND profile IS NULL LIMIT 1",
                params![id, location],
            )?,
            None => self.row_of(
                "SELECT id FROM account WHERE location = ?1 AND profile IS NULL",
                params![location],
            )?,
        };
        // A place is where one marked directory was last seen: this one, from now on.
        self.conn.execute(
            "UPDATE account SET location = NULL WHERE location = ?1 AND ?2 IS NOT NULL
             AND profile IS NOT NULL AND profile <> ?2",
            params![location, id],
        )?;
        let row = self.conn.query_row(
            "INSERT INTO account (id, profile, location, name, platform, region)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET profile = ?2, location = ?3, name = ?4,
                 platform = ?5, region = ?6
             RETURNING id",
            params![found, id, location, name.as_str(), platform, region],
            |row| row.get(0),
        )?;
        self.conn.execute(
            "INSERT INTO account_name (name, account) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET account = ?2",
            params![name.as_str(), row],
        )?;
        tx.commit()?;
        Ok(AccountRow(row))
    }

    /// The marker of the directory that was last seen at a location.
    ///
    /// A known location that shows no marker now is most likely a disk that is not mounted.
    pub fn known_marker(&self, location: &str) -> Result<Option<ProfileId>, StateError> {
        let marker: Option<String> = self
            .conn
            .query_row(
                "SELECT profile FROM account WHERE location = ?1 AND profile IS NOT NULL",
                params![hashed(location)],
                |row| row.get(0),
            )
            .optional()?;
        Ok(marker.map(ProfileId::new))
    }

    /// The account that a name stood for last.
    pub fn account_named(&self, name: &AccountName) -> Result<Option<StoredAccount>, StateError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM account
             WHERE id = (SELECT account FROM account_name WHERE name = ?1)"
        );
        let mut found = self.stored_accounts(&sql, params![name.as_str()])?;
        // One name may stand for a row that has been seen under another name since.
        if let Some(account) = found.first_mut() {
            account.name = name.clone();
        }
        Ok(found.pop())
    }

    /// All accounts ever seen, by name.
    pub fn accounts(&self) -> Result<Vec<StoredAccount>, StateError> {
        let sql = format!("SELECT {COLUMNS} FROM account ORDER BY name, id");
        self.stored_accounts(&sql, params![])
    }

    fn stored_accounts(
        &self,
        sql: &str,
        with: &[&dyn rusqlite::ToSql],
    ) -> Result<Vec<StoredAccount>, StateError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(with, stored)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The row of an account about which there is nothing new to write down.
    fn unchanged(
        &self,
        name: &AccountName,
        platform: &str,
        region: Option<&str>,
        id: Option<&str>,
        location: Option<&str>,
    ) -> Result<Option<AccountRow>, StateError> {
        let row = self.row_of(
            "SELECT account.id FROM account
             JOIN account_name ON account = account.id AND account_name.name = account.name
             WHERE account.name = ?1 AND platform = ?2 AND region IS ?3 AND profile IS ?4
                 AND location IS ?5",
            params![name.as_str(), platform, region, id, location],
        )?;
        Ok(row.map(AccountRow))
    }

    fn row_of(&self, sql: &str, with: &[&dyn rusqlite::ToSql]) -> Result<Option<i64>, StateError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        Ok(statement.query_row(with, |row| row.get(0)).optional()?)
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredAccount> {
    Ok(StoredAccount {
        row: AccountRow(row.get(0)?),
        name: AccountName::new(row.get::<_, String>(1)?),
        platform: row.get(2)?,
        region: row.get(3)?,
        profile: row.get::<_, Option<String>>(4)?.map(ProfileId::new),
    })
}

/// Places are paths, and paths tell about a person: only their hash is kept.
fn hashed(location: &str) -> String {
    Sha256::of(location.as_bytes()).as_str().to_owned()
}
