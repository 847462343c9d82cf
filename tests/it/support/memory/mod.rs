//! An account in memory with scripted faults, for tests and for simulating an apply.
//!
//! Behaves as real platforms were seen to behave, the bad days included: answers get lost, uploads
//! are listed late or never, a deletion takes its time, pages drift. [`Memory`] is a handle: its
//! clones see the same world, so a test keeps one and hands another to the engine, then asks what
//! happened and what the account held at every moment.

mod listing;
mod platform;
mod quirks;
mod script;
mod world;

pub use platform::Memory;
pub use quirks::{Answers, Delay, PrivacyEdits};
pub use script::{DownloadFault, Fault, ListFault, Operation, UploadFault};
pub use world::{Change, Duplicates, Facts, Happening, Moment, Settings};

#[cfg(test)]
mod tests;
