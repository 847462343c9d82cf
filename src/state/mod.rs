//! The memory: accounts, inventories, links, refusals and the journal, in one SQLite file.
//!
//! Everything in it can be found out again from the platforms, at the price of time; it is what
//! makes a second plan cheap and an interrupted apply safe. Calls are synchronous and made between
//! awaits. Knows no platform, no plan and no clock: times are handed in. No other room sees SQLite.

mod accounts;
mod error;
mod place;
mod row;
mod schema;
mod store;

pub use accounts::{AccountRow, StoredAccount};
pub use error::StateError;
pub use store::{Access, Store};
