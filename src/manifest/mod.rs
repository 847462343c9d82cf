//! From text to what the user wants: read, checked, trusted.

mod model;

pub use model::{
    Account, CacheSettings, ConflictStrategy, DateBound, Filter, Limits, Located, Manifest,
    PasswordSource, Rule,
};
