//! What tests need to build their world.

pub(crate) mod fit;
