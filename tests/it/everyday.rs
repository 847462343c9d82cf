//! The everyday commands: list, download, sync, clear-cache.

mod clear_cache;
mod download;
mod help;
mod list;
mod memory;
mod places;
mod sync;
mod world;
