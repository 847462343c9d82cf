//! What tests share.

pub(crate) mod catalog;
pub(crate) mod snapshot;
