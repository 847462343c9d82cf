//! What tests need to build their world.

pub(crate) mod catalog;
#[cfg(test)]
pub(crate) mod cli;
pub(crate) mod fit;
pub(crate) mod snapshot;
