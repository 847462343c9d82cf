//! fit_sync keeps fitness accounts in step.
//!
//! A user writes down in a manifest which account shall hold what another one holds; `plan` shows
//! what is missing or different, `apply` does exactly that.

pub mod archive;
pub mod cli;
pub mod clock;
pub mod diag;
pub mod domain;
pub mod engine;
pub mod event;
pub mod fit;
pub mod manifest;
pub mod plan;
pub mod platform;
pub mod render;
pub mod state;
