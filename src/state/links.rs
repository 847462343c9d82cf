//! Pairs of activities that belong together.

use jiff::Timestamp;
use rusqlite::{Row, ToSql, params};

use super::row::{from_json, from_word, json, time, word};
use super::{AccountRow, StateError, Store};
use crate::domain::{AccountName, Address, Link, LinkStatus, RemoteId, RuleName, Side};

/// A link, and between whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLink {
    /// Last name of the source account.
    pub source: AccountName,
    /// Last name of the destination account.
    pub destination: AccountName,
    /// The link.
    pub link: Link,
}

/// How much was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Links.
    pub links: usize,
    /// Refusals.
    pub refusals: usize,
    /// Steps that were open.
    pub steps: usize,
}

/// An activity of an account, and whose counterpart it is.
type Counterpart = (RemoteId, (AccountRow, RemoteId));

const COLUMNS: &str = "rule, address, source_side, destination_side, origin, pending_since,
    full_reads";

impl Store {
    /// Remembers a link, in place of an earlier one of that source activity to that destination.
    pub fn save_link(
        &self,
        source: AccountRow,
        destination: AccountRow,
        link: &Link,
    ) -> Result<(), StateError> {
        self.save_links(source, destination, std::slice::from_ref(link))
    }

    /// Remembers many links at the price of one.
    pub fn save_links(
        &self,
        source: AccountRow,
        destination: AccountRow,
        links: &[Link],
    ) -> Result<(), StateError> {
        let tx = self.write()?;
        for link in links {
            self.put_link(source, destination, link)?;
        }
        Ok(tx.commit()?)
    }

    /// The links from one account to another, by source id.
    pub fn links(
        &self,
        source: AccountRow,
        destination: AccountRow,
    ) -> Result<Vec<Link>, StateError> {
        self.select_links(
            "source = ?1 AND destination = ?2 ORDER BY source_id",
            params![source.0, destination.0],
        )
    }

    /// The links to an account from any other, by source account and id.
    pub fn links_to(&self, destination: AccountRow) -> Result<Vec<Link>, StateError> {
        self.select_links("destination = ?1 ORDER BY source, source_id", params![destination.0])
    }

    /// Whose counterpart each activity of an account is: the source's account and id.
    pub fn counterparts(&self, destination: AccountRow) -> Result<Vec<Counterpart>, StateError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT destination_id, source, source_id FROM link
             WHERE destination = ?1 AND destination_id IS NOT NULL AND pending_since IS NULL",
        )?;
        let found = statement.query_map(params![destination.0], |row| {
            let source = (AccountRow(row.get(1)?), RemoteId::new(row.get::<_, String>(2)?));
            Ok((RemoteId::new(row.get::<_, String>(0)?), source))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Every link, by address and accounts.
    pub fn all_links(&self) -> Result<Vec<StoredLink>, StateError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT {COLUMNS}, s.name, d.name FROM link
             JOIN account s ON s.id = source JOIN account d ON d.id = destination
             ORDER BY address, s.name, d.name, source_id"
        ))?;
        let mut rows = statement.query([])?;
        let mut links = Vec::new();
        while let Some(row) = rows.next()? {
            links.push(StoredLink {
                source: AccountName::new(row.get::<_, String>(7)?),
                destination: AccountName::new(row.get::<_, String>(8)?),
                link: link_of(row)?,
            });
        }
        Ok(links)
    }

    /// Forgets the link of a source activity to a destination.
    pub fn remove_link(
        &self,
        source: AccountRow,
        id: &RemoteId,
        destination: AccountRow,
    ) -> Result<usize, StateError> {
        self.change(
            "DELETE FROM link WHERE source = ?1 AND source_id = ?2 AND destination = ?3",
            params![source.0, id.as_str(), destination.0],
        )
    }

    /// Forgets the links to a destination activity that is no more.
    pub fn remove_links_to(
        &self,
        destination: AccountRow,
        id: &RemoteId,
    ) -> Result<usize, StateError> {
        self.change(
            "DELETE FROM link WHERE destination = ?1 AND destination_id = ?2",
            params![destination.0, id.as_str()],
        )
    }

    /// Counts a complete reading of a destination for each link that it did not show.
    ///
    /// Links that it showed are confirmed before, by [`Store::save_link`].
    pub fn count_full_read(&self, destination: AccountRow) -> Result<usize, StateError> {
        self.change(
            "UPDATE link SET full_reads = full_reads + 1
             WHERE destination = ?1 AND pending_since IS NOT NULL",
            params![destination.0],
        )
    }

    /// Forgets the links and refusals that were made at an address, and that steps are open there.
    pub fn forget(&self, address: &Address, now: Timestamp) -> Result<Forgotten, StateError> {
        let tx = self.write()?;
        let at = params![address.as_str()];
        let forgotten = Forgotten {
            links: self.change("DELETE FROM link WHERE address = ?1", at)?,
            refusals: self.change("DELETE FROM refusal WHERE address = ?1", at)?,
            steps: self.close_steps(address, now)?,
        };
        tx.commit()?;
        Ok(forgotten)
    }

    pub(super) fn put_link(
        &self,
        source: AccountRow,
        destination: AccountRow,
        link: &Link,
    ) -> Result<(), StateError> {
        let (since, full_reads) = match link.status {
            LinkStatus::Confirmed => (None, 0),
            LinkStatus::Pending { since, full_reads } => (Some(since.to_string()), full_reads),
        };
        let there = link.destination.as_ref();
        self.change(
            "INSERT INTO link VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (source, source_id, destination) DO UPDATE SET
                 destination_id = ?4, rule = ?5, address = ?6, source_side = ?7,
                 destination_side = ?8, origin = ?9, pending_since = ?10, full_reads = ?11",
            params![
                source.0,
                link.source.id.as_str(),
                destination.0,
                there.map(|side| side.id.as_str()),
                link.rule.as_str(),
                link.address.as_str(),
                json(&link.source)?,
                there.map(json).transpose()?,
                word(&link.origin)?,
                since,
                full_reads
            ],
        )?;
        // What was taken or found is refused no longer.
        self.remove_refusal(source, &link.source.id, destination)?;
        Ok(())
    }

    fn select_links(&self, which: &str, with: &[&dyn ToSql]) -> Result<Vec<Link>, StateError> {
        let sql = format!("SELECT {COLUMNS} FROM link WHERE {which}");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(with)?;
        let mut links = Vec::new();
        while let Some(row) = rows.next()? {
            links.push(link_of(row)?);
        }
        Ok(links)
    }

    pub(super) fn change(&self, sql: &str, with: &[&dyn ToSql]) -> Result<usize, StateError> {
        Ok(self.conn.prepare_cached(sql)?.execute(with)?)
    }
}

fn link_of(row: &Row<'_>) -> Result<Link, StateError> {
    let destination: Option<String> = row.get(3)?;
    let since: Option<String> = row.get(5)?;
    let status = match since {
        None => LinkStatus::Confirmed,
        Some(since) => LinkStatus::Pending { since: time(&since)?, full_reads: row.get(6)? },
    };
    Ok(Link {
        rule: RuleName::new(row.get::<_, String>(0)?),
        address: row
            .get::<_, String>(1)?
            .parse()
            .map_err(|error| StateError::Corrupt(format!("{error}")))?,
        source: from_json::<Side>(&row.get::<_, String>(2)?)?,
        destination: destination.as_deref().map(from_json).transpose()?,
        origin: from_word(&row.get::<_, String>(4)?)?,
        status,
    })
}
