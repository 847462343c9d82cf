//! What tests need to build their world.

pub(crate) mod catalog;
pub(crate) mod fit;
pub(crate) mod snapshot;
#[cfg(test)]
pub(crate) mod witness;
#[cfg(test)]
pub(crate) mod world;
