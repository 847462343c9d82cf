//! An account export as an account: a zip of FIT files that is only read.
//!
//! Garmin and Strava hand out an account's whole history as one zip, with thousands of FIT files
//! in it, some gzipped (`.fit.gz`), some in zips of their own. Every one of them is an activity;
//! its id is its path inside the zip, and that of one in an inner zip goes on behind that zip's
//! name: `folder/part1.zip/1234.fit`.
//!
//! A zip is taken apart by its central directory, entry by entry, within [`bounds`]; nothing is
//! extracted. What cannot be read within them, and what would lead out of the zip, is listed with
//! its reason. A zip that has not changed since it was last listed is not opened again.

mod bounds;
mod guard;
mod medium;
mod member;
mod name;
mod platform;
mod reading;
mod warm;
mod zip;

pub use platform::Export;
