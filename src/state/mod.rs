//! The memory: accounts, inventories, links, refusals and the journal, in one SQLite file.
//!
//! Everything in it can be found out again from the platforms, at the price of time; it is what
//! makes a second plan cheap and an interrupted apply safe. Calls are synchronous and made between
//! awaits. Knows no platform and no clock: times are handed in. No other room sees SQLite.

mod accounts;
mod content;
mod error;
mod history;
mod inventory;
mod journal;
mod links;
mod place;
mod refusals;
mod row;
mod schema;
mod shown;
mod store;
mod told;
mod verify;

pub use accounts::{AccountRow, StoredAccount};
pub use error::StateError;
pub use inventory::{InventoryMeta, Reading};
pub use journal::{Effects, Run, RunCounts, RunEnd, RunId, Step, StepId, StepRecord, Written};
pub use links::{Forgotten, StoredLink};
pub use refusals::StoredRefusal;
pub use store::{Access, Store};
