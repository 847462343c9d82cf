//! One file per command.

pub mod apply;
pub mod auth;
pub mod backup;
pub mod cache;
pub mod clear_cache;
pub mod completions;
pub mod diff;
pub mod download;
pub mod explain;
pub mod init;
pub mod inspect;
pub mod list;
pub mod plan;
pub mod schema;
pub mod show;
pub mod state;
pub mod status;
pub mod sync;
pub mod validate;
