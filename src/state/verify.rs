//! Looks for damage: in the file, between its tables, and in what its rows say.

use super::row::{from_json, from_word};
use super::{StateError, Store};
use crate::domain::{Activity, Content, RefusalReason};

impl Store {
    /// Everything that is wrong with the state, in words; empty if it is sound.
    ///
    /// An error means that it was not even possible to look.
    pub fn verify(&self) -> Result<Vec<String>, StateError> {
        let _tx = self.read()?;
        let mut findings = self.look(
            "SELECT integrity_check FROM pragma_integrity_check",
            |line| (line != "ok").then(|| line.to_owned()),
        )?;
        findings.extend(self.look(
            "SELECT \"table\" || ' row ' || coalesce(\"rowid\", '?') || ' refers to a missing '
                 || parent FROM pragma_foreign_key_check",
            |line| Some(line.to_owned()),
        )?);
        findings.extend(
            self.look("SELECT row FROM activity ORDER BY account, id", |row| {
                unreadable("an activity", from_json::<Activity>(row))
            })?,
        );
        findings.extend(
            self.look("SELECT content FROM content ORDER BY account, id", |row| {
                unreadable("the facts of a file", from_json::<Content>(row))
            })?,
        );
        findings.extend(self.look(
            "SELECT reason FROM refusal ORDER BY source, source_id",
            |row| unreadable("a refusal", from_word::<RefusalReason>(row)),
        )?);
        findings.extend(unreadable("a link", self.all_links()));
        findings.extend(unreadable("a run", self.runs()));
        findings.extend(unreadable("the journal", self.steps()));
        for account in self.accounts()? {
            let meta = self.inventory_meta(account.row);
            findings.extend(unreadable("an inventory", meta));
        }
        Ok(findings)
    }

    /// What a check says about each of the texts that a query selects.
    fn look(
        &self,
        sql: &str,
        check: impl Fn(&str) -> Option<String>,
    ) -> Result<Vec<String>, StateError> {
        let mut statement = self.conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
            findings.extend(check(text));
        }
        Ok(findings)
    }
}

fn unreadable<T>(what: &str, read: Result<T, StateError>) -> Option<String> {
    let error = read.err()?;
    Some(format!("{what} cannot be read: {error}"))
}
