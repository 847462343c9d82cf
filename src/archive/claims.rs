//! Claims of steps under way on stored bytes. As long as a claim stands, no prune and no sweep
//! removes them, whichever state the step belongs to.
//!
//! A claim is a file, `claims/<sha256>.<state>-<step>.claim`. Its name alone protects the bytes. What it
//! holds is for people, and for another state: where the step's own is lost, it tells enough to go on.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{AccountName, Address, ProfileId, Sha256, StateId};
use crate::plan::reconcile::Entry;

use super::blobs::{Blobs, is_hex, names_in, remove};
use super::disk::{self, Access, LockMode};
use super::error::{ArchiveError, io_at};

/// A step, by the state whose journal it stands in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ClaimOwner {
    /// The state.
    pub state: StateId,
    /// The step's number in its journal.
    pub step: i64,
}

impl ClaimOwner {
    fn parse(text: &str) -> Option<Self> {
        let (state, step) = text.split_once('-')?;
        Some(Self { state: StateId::new(state), step: step.parse().ok()? })
    }
}

impl fmt::Display for ClaimOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.state, self.step)
    }
}

/// Why a step needs bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimReason {
    /// It sends them, or compares with them.
    Payload,
    /// They are of an activity that it removes and may have to put back.
    Backup,
}

/// An account as any state and any manifest know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRef {
    /// What the manifest called it.
    pub name: AccountName,
    /// Whose it is.
    pub profile: Option<ProfileId>,
}

/// A step's claim on bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The step.
    pub owner: ClaimOwner,
    /// Where its state lies; `None` of one that is in memory only.
    pub state: Option<PathBuf>,
    /// Its address, for people.
    pub address: Address,
    /// The account that it takes from.
    pub source: AccountRef,
    /// The account that it writes to.
    pub destination: AccountRef,
    /// When the claim was made.
    pub at: Timestamp,
    /// Why.
    pub why: ClaimReason,
    /// Its journal until then.
    pub journal: Vec<Entry>,
}

/// The claims on some bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Those that can be read.
    pub readable: Vec<Claim>,
    /// Files of those that cannot; they hold all the same.
    pub unreadable: Vec<PathBuf>,
}

impl Blobs {
    /// Claims stored bytes for a step and returns once the claim is durable. Before that nothing may
    /// be removed that the bytes would have to make up for.
    ///
    /// # Errors
    /// `Altered` if the bytes are not there; else if the claim cannot be written.
    pub fn claim(&self, sha256: &Sha256, claim: &Claim) -> Result<(), ArchiveError> {
        let _lock = self.lock(LockMode::Shared)?;
        self.write_claim(sha256, claim)
    }

    /// As [`Blobs::claim`]; the lock must be held by the caller.
    pub(super) fn write_claim(&self, sha256: &Sha256, claim: &Claim) -> Result<(), ArchiveError> {
        self.get(sha256)?.ok_or_else(|| ArchiveError::Altered { path: self.path(sha256) })?;
        self.describe_claim(sha256, claim)
    }

    fn describe_claim(&self, sha256: &Sha256, claim: &Claim) -> Result<(), ArchiveError> {
        let folder = self.claims_folder();
        let is_new = !folder.exists();
        disk::create_private_dir(&folder).map_err(io_at(&folder))?;
        if is_new {
            disk::sync_folder(self.folder()).map_err(io_at(self.folder()))?;
        }
        let path = self.claim_path(sha256, &claim.owner);
        let text = serde_json::to_vec_pretty(claim)
            .map_err(|source| ArchiveError::Json { path: path.clone(), source })?;
        disk::write_atomically(&path, &text, Access::Private).map_err(io_at(&path))
    }

    /// Removes all claims of a step that has ended. One that a crash leaves is found by
    /// [`Blobs::claims_of`].
    ///
    /// # Errors
    /// If the claims cannot be read or removed.
    pub fn release(&self, owner: &ClaimOwner) -> Result<(), ArchiveError> {
        for (sha256, of) in self.claim_names()? {
            if of == *owner {
                remove(&self.claim_path(&sha256, owner))?;
            }
        }
        Ok(())
    }

    /// Gives the claims of a step to the one that goes on with it, in the state that lies there.
    ///
    /// # Errors
    /// If the claims cannot be read or written; then all of them still are the first one's.
    pub fn hand_over(
        &self,
        from: &ClaimOwner,
        to: &ClaimOwner,
        state: Option<&Path>,
    ) -> Result<(), ArchiveError> {
        let _lock = self.lock(LockMode::Shared)?;
        let names = self.claim_names()?.into_iter().filter(|(_, owner)| owner == from);
        for (sha256, _) in names {
            if let Some(claim) = read(&self.claim_path(&sha256, from)) {
                let state = state.map(Path::to_path_buf);
                self.describe_claim(&sha256, &Claim { owner: to.clone(), state, ..claim })?;
            }
        }
        if from == to { Ok(()) } else { self.release(from) }
    }

    /// Returns one claim of each step, of whatever state.
    ///
    /// # Errors
    /// If the folder of claims cannot be read, or no claim of a step can be.
    pub fn claimants(&self) -> Result<Vec<Claim>, ArchiveError> {
        let mut claims: BTreeMap<ClaimOwner, Result<Claim, PathBuf>> = BTreeMap::new();
        for (sha256, owner) in self.claim_names()? {
            let path = self.claim_path(&sha256, &owner);
            let claim = read(&path).ok_or(path);
            let known = claims.entry(owner).or_insert_with(|| claim.clone());
            if known.is_err() {
                *known = claim;
            }
        }
        let unreadable = |path| ArchiveError::UnreadableClaim { path };
        claims.into_values().map(|claim| claim.map_err(unreadable)).collect()
    }

    /// Returns the claims on bytes, of whatever state.
    ///
    /// # Errors
    /// If the folder of claims cannot be read.
    pub fn claims(&self, sha256: &Sha256) -> Result<Claims, ArchiveError> {
        let mut claims = Claims::default();
        for (of, owner) in self.claim_names()?.into_iter().filter(|(of, _)| of == sha256) {
            let path = self.claim_path(&of, &owner);
            match read(&path) {
                Some(claim) => claims.readable.push(claim),
                None => claims.unreadable.push(path),
            }
        }
        Ok(claims)
    }

    /// Returns the claims of a state's steps that can be read. Not all of these need be its own: a copy
    /// of a state has the same id.
    ///
    /// # Errors
    /// If the folder of claims cannot be read.
    pub fn claims_of(&self, state: &StateId) -> Result<Vec<Claim>, ArchiveError> {
        let names = self.claim_names()?.into_iter().filter(|(_, owner)| owner.state == *state);
        let paths = names.map(|(sha256, owner)| self.claim_path(&sha256, &owner));
        Ok(paths.filter_map(|path| read(&path)).collect())
    }

    /// The hashes of all claimed bytes.
    pub(super) fn claimed(&self) -> Result<HashSet<Sha256>, ArchiveError> {
        Ok(self.claim_names()?.into_iter().map(|(sha256, _)| sha256).collect())
    }

    /// What the names of all claims say, by owner.
    fn claim_names(&self) -> Result<Vec<(Sha256, ClaimOwner)>, ArchiveError> {
        let names = names_in(&self.claims_folder())?;
        let mut claims: Vec<_> = names.iter().filter_map(|name| parse(name)).collect();
        claims.sort_by(|(a, one), (b, other)| (one, a).cmp(&(other, b)));
        Ok(claims)
    }

    pub(super) fn claims_folder(&self) -> PathBuf {
        self.folder().join("claims")
    }

    fn claim_path(&self, sha256: &Sha256, owner: &ClaimOwner) -> PathBuf {
        self.claims_folder().join(format!("{sha256}.{owner}.claim"))
    }
}

fn read(path: &Path) -> Option<Claim> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

fn parse(name: &str) -> Option<(Sha256, ClaimOwner)> {
    let (hash, owner) = name.strip_suffix(".claim")?.split_once('.')?;
    is_hex(hash).then(|| Some((Sha256::new(hash), ClaimOwner::parse(owner)?)))?
}
