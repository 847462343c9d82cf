//! Facts of originals that were downloaded to be compared, so that nobody downloads them twice.

use std::collections::HashMap;

use rusqlite::params;

use super::row::{from_json, json};
use super::{AccountRow, StateError, Store};
use crate::domain::{Content, Fingerprint, RemoteId};

impl Store {
    /// Keeps the facts of an activity's file, in place of those of an earlier fingerprint.
    pub fn save_content(
        &self,
        account: AccountRow,
        id: &RemoteId,
        fingerprint: &Fingerprint,
        content: &Content,
    ) -> Result<(), StateError> {
        let mut statement = self.conn.prepare_cached(
            "INSERT INTO content VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (account, id) DO UPDATE SET fingerprint = ?3, content = ?4",
        )?;
        statement.execute(params![
            account.0,
            id.as_str(),
            fingerprint.as_str(),
            json(content)?
        ])?;
        Ok(())
    }

    /// All facts kept for an account, by the activity and the state it was in.
    pub fn contents(
        &self,
        account: AccountRow,
    ) -> Result<HashMap<(RemoteId, Fingerprint), Content>, StateError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT id, fingerprint, content FROM content WHERE account = ?1")?;
        let mut rows = statement.query(params![account.0])?;
        let mut contents = HashMap::new();
        while let Some(row) = rows.next()? {
            let key = (
                RemoteId::new(row.get::<_, String>(0)?),
                Fingerprint::new(row.get::<_, String>(1)?),
            );
            let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
            contents.insert(key, from_json(text)?);
        }
        Ok(contents)
    }
}
