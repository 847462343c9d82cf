//! A folder of FIT files as an account.
//!
//! Every regular `.fit` or `.fit.gz` below the folder is an activity; its id is its relative path.
//! Listing reads the files themselves, so hashes and contents cost no download, and a file that
//! has not changed since it was last listed is not opened again. As a destination the folder
//! carries a marker, so that an unmounted disk is not taken for an empty account. A zip in place of
//! the folder is an account export (`export`), which is only read.
//!
//! Knows no other platform, no state and no plan. Never writes over a file, and never outside.

mod cores;
mod export;
mod marker;
mod path;
mod platform;
mod read;
mod remove;
mod scan;
pub(super) mod spec;
mod write;

pub use export::Export;
pub use platform::Directory;
