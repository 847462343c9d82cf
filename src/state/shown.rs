//! The rows that a person saw last, so that they can be named by their numbers.

use rusqlite::{OptionalExtension, params};

use super::row::{from_json, json};
use super::{AccountRow, StateError, Store};
use crate::domain::RemoteId;

impl Store {
    /// Keeps what was shown of an account, in its order.
    pub fn save_shown(&self, account: AccountRow, ids: &[&RemoteId]) -> Result<(), StateError> {
        self.conn.execute(
            "INSERT INTO shown VALUES (?1, ?2) ON CONFLICT (account) DO UPDATE SET ids = ?2",
            params![account.0, json(&ids)?],
        )?;
        Ok(())
    }

    /// What was shown of an account last; `None` if nothing ever was.
    pub fn shown(&self, account: AccountRow) -> Result<Option<Vec<RemoteId>>, StateError> {
        let text: Option<String> = self
            .conn
            .query_row("SELECT ids FROM shown WHERE account = ?1", params![account.0], |row| {
                row.get(0)
            })
            .optional()?;
        text.as_deref().map(from_json).transpose()
    }
}
