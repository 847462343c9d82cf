//! What keeps a whole run from going on. What keeps one rule or step from going on is not an error
//! but part of the plan or the summary.

use crate::archive::{ArchiveError, LockError, Owner};
use crate::domain::{AccountName, Address, RuleName};
use crate::plan::reconcile::IllegalTransition;
use crate::plan::{BlockedReason, DocumentError};
use crate::state::StateError;

/// A run cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The memory cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The plan cannot be written or read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Two names of one account in a rule.
    #[error("rule {rule}: {source_account} and {destination} are the same account")]
    SameAccount {
        /// The rule.
        rule: RuleName,
        /// Its source.
        source_account: AccountName,
        /// Its destination.
        destination: AccountName,
    },
    /// One account under two names: what one rule puts there the other would not know of.
    #[error("{first} and {second} are one account under two names")]
    TwoNames {
        /// A name.
        first: AccountName,
        /// The other one.
        second: AccountName,
    },
    /// Two folders that say that they are one account: one is a copy of the other.
    #[error("the folders of {first} and {second} carry the same marker")]
    TwoMarkers {
        /// A name.
        first: AccountName,
        /// The other one.
        second: AccountName,
        /// The second folder.
        folder: String,
    },
    /// A folder inside the other one would copy itself.
    #[error(
        "rule {rule}: the folders of {source_account} and {destination} are one inside the other"
    )]
    NestedFolders {
        /// The rule.
        rule: RuleName,
        /// Its source.
        source_account: AccountName,
        /// Its destination.
        destination: AccountName,
    },
    /// A saved plan's account is another one now.
    #[error("account {account} of the plan is {now}")]
    OtherAccount {
        /// The account.
        account: AccountName,
        /// What it is now.
        now: String,
    },
    /// No such rule in the manifest.
    #[error("there is no rule '{0}'")]
    UnknownRule(String),
    /// No such address in the plan.
    #[error("there is no activity at {0}")]
    UnknownAddress(Address),
    /// An account that must be read cannot be.
    #[error("{account} cannot be read: {why}")]
    Unread {
        /// The account.
        account: AccountName,
        /// Why not.
        why: String,
        /// What kind of cause.
        reason: BlockedReason,
    },
    /// The decision does not fit the activity.
    #[error("{address}: {problem}")]
    CannotDecide {
        /// The activity.
        address: Address,
        /// Why not.
        problem: String,
    },
    /// What was decided would change nothing.
    #[error("{address}: {problem}")]
    NoEffect {
        /// The activity.
        address: Address,
        /// Why not.
        problem: String,
    },
    /// A backup cannot be put back.
    #[error("nothing can be put back into {account}: {problem}")]
    CannotRestore {
        /// The account.
        account: AccountName,
        /// Why not.
        problem: String,
        /// What kind of obstacle.
        obstacle: RestoreObstacle,
    },
    /// What an earlier run began there is not over.
    #[error("{0}: what an earlier run began is not settled yet")]
    UnderWay(Address),
    /// Files for the cache cannot be read.
    #[error("nothing can be taken into the cache of {account}: {problem}")]
    CannotImport {
        /// The account.
        account: AccountName,
        /// Why not.
        problem: String,
    },
    /// Another run writes to a destination.
    #[error("another run writes to {account}: {}", whose(owner.as_ref()))]
    Locked {
        /// The destination.
        account: AccountName,
        /// Whose run it is, where they have said so.
        owner: Option<Owner>,
    },
    /// A destination came up after the locks were taken.
    #[error("{0} could not be reached before, so that others were not kept from writing to it")]
    NotLocked(AccountName),
    /// Somebody wanted it to stop before its first step.
    #[error("interrupted before the first step")]
    Interrupted,
    /// Nobody else can be kept from writing, so nothing is written.
    #[error(transparent)]
    Lock(LockError),
    /// A step's journal would have gone on as none may: a bug.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// A step finds no end: a bug.
    #[error("{0} finds no end")]
    Endless(Address),
    /// The store of backups and payloads cannot be used.
    #[error(transparent)]
    Archive(ArchiveError),
    /// A file of ours cannot be written or read.
    #[error("{what}: {error}")]
    File {
        /// Which one.
        what: String,
        /// What the system says.
        error: std::io::Error,
    },
}

/// What keeps a backup from being put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreObstacle {
    /// The account cannot be opened or read.
    Account(BlockedReason),
    /// The account takes nothing.
    ReadOnly,
    /// A person must say what is to happen to what is there.
    Unclear,
    /// The backup is not what was stored.
    Backup,
}

/// Whose run it is.
pub(super) fn whose(owner: Option<&Owner>) -> String {
    owner.map_or_else(|| "it has not said whose it is".to_owned(), ToString::to_string)
}
