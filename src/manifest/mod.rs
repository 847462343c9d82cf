//! From text to what the user wants: read, checked, trusted.
//!
//! Everything that a manifest depends on is handed down ([`LoadRequest`]); after [`load`] nothing is
//! checked again. Platforms are known only as a [`Catalog`](crate::domain::Catalog).

mod accounts;
mod check;
mod codes;
mod decisions;
mod faults;
mod fields;
mod keys;
mod load;
mod mask;
mod model;
mod parse;
mod raw;
mod rules;
mod schema;
mod starter;
mod text;
mod tree;
mod trust;
mod url;
mod value;
mod way;

pub use codes::CODES;
pub use decisions::{Decisions, DecisionsError, append};
pub use load::{LoadRequest, load};
pub use model::{
    Account, CacheSettings, ConflictStrategy, DateBound, Filter, Limits, Located, Manifest,
    PasswordSource, Rule,
};
pub use parse::pattern;
pub use schema::schema;
pub use starter::{Starter, convert, starter};
pub use text::find;
pub use trust::Trust;
pub use value::{BadValue, date_bound, distance_m, duration_s};
pub use way::{BadWay, one_way};
