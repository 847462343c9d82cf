//! What tests need to build their world.

pub(crate) mod catalog;
pub(crate) mod fit;
pub(crate) mod snapshot;
pub(crate) mod witness;
pub(crate) mod world;
