//! FIT files: what recording a file holds, and whether it is whole.
//!
//! Two readers. [`scan()`] is the fast one that identity rests on: a single pass that keeps sessions,
//! the count and times of records, and a few facts of the maker. [`detail()`] is for people who look
//! into one file. Both read the same framing (`chain`), message layouts (`definition`) and message
//! stream (`walk`); `check` decides whether a scanned file can be synced at all.
//!
//! Knows bytes and `domain` values only: no paths, no accounts, no platforms. File format after the
//! FIT protocol description of the FIT SDK, <https://developer.garmin.com/fit/protocol/>
//! (read 2026-11).

mod chain;
mod check;
mod columns;
mod crc;
mod definition;
mod detail;
mod names;
mod records;
mod scan;
mod walk;

pub use chain::Defect;
pub use check::{Reason, content, read, several_activities};
pub use detail::{Detail, DetailPart, Device, SessionDetail, detail};
pub use names::{device_name, manufacturer_name};
pub use records::{Record, RecordField, record_field, records};
pub use scan::{Scan, ScannedPart, scan};
