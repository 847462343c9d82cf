//! One file per command.

pub mod apply;
pub mod backup;
pub mod cache;
pub mod completions;
pub mod diff;
pub mod explain;
pub mod init;
pub mod inspect;
pub mod plan;
pub mod schema;
pub mod show;
pub mod state;
pub mod validate;
