//! Forgetting what can be had again: listings, fetched files, sessions. Never what was decided or
//! done: state, journal, backups and decisions stay.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::archive::{Cache, Entry, Swept};
use crate::domain::{AccountName, ProfileId};
use crate::state::{Store, StoredAccount};

use super::error::EngineError;
use super::originals::Needed;

/// What can be had again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What accounts listed.
    Listings,
    /// FIT files.
    Files,
    /// Sessions.
    Sessions,
}

/// What is to be forgotten, and where it lies.
#[derive(Clone, Debug)]
pub struct Clearing {
    /// Of these kinds.
    pub kinds: BTreeSet<Kind>,
    /// Of this account only.
    pub account: Option<AccountName>,
    /// The folder of the cache.
    pub cache: PathBuf,
    /// The folder of sessions.
    pub sessions: PathBuf,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Accounts whose listings are gone.
    pub listings: usize,
    /// Items in them.
    pub items: usize,
    /// Files.
    pub files: Swept,
    /// Sessions.
    pub sessions: usize,
}

/// Forgets; a step under way keeps the files that it needs.
pub fn clear(store: &Store, clearing: &Clearing) -> Result<Cleared, EngineError> {
    let mut cleared = Cleared::default();
    let accounts = match &clearing.account {
        Some(name) => store.account_named(name)?.into_iter().collect(),
        None => store.accounts()?,
    };
    if clearing.kinds.contains(&Kind::Listings) {
        for account in &accounts {
            let had_one = store.inventory(account.row)?.is_some();
            cleared.listings += usize::from(had_one);
            cleared.items += store.clear_inventory(account.row)?;
        }
    }
    if clearing.kinds.contains(&Kind::Files) {
        let needed = Needed::of(store)?;
        let chosen = |entry: &Entry| is_chosen(clearing, &accounts, entry);
        cleared.files = Cache::new(&clearing.cache).clear(chosen, |entry| needed.has(entry));
    }
    if clearing.kinds.contains(&Kind::Sessions) {
        cleared.sessions = clear_sessions(&clearing.sessions, clearing.account.as_ref())?;
    }
    Ok(cleared)
}

fn is_chosen(clearing: &Clearing, accounts: &[StoredAccount], entry: &Entry) -> bool {
    let Some(name) = &clearing.account else { return true };
    let profiles: Vec<&ProfileId> = accounts.iter().filter_map(|a| a.profile.as_ref()).collect();
    entry.account == *name || entry.profile.as_ref().is_some_and(|one| profiles.contains(&one))
}

/// Removes the session of an account, or all; what is known about logins lies elsewhere and stays.
fn clear_sessions(folder: &Path, account: Option<&AccountName>) -> Result<usize, EngineError> {
    let failed = |path: &Path, error: io::Error| EngineError::File {
        what: path.display().to_string(),
        error,
    };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(|error| failed(folder, error))?,
    };
    let mut removed = 0;
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        let is_session = path.extension().is_some_and(|extension| extension == "json");
        let is_meant = account.is_none_or(|name| path.file_stem() == Some(name.as_str().as_ref()));
        if is_session && is_meant {
            fs::remove_file(&path).map_err(|error| failed(&path, error))?;
            removed += 1;
        }
    }
    Ok(removed)
}
