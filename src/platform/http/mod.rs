//! What the platforms that are reached by HTTP share.

pub(in crate::platform) mod error;
