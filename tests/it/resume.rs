//! No crash loses or doubles an activity.
//!
//! A real process is killed after every transition of the journal, before every one, and between
//! request and answer; the next ordinary run must end in the planned world.

mod at_accounts;
mod binary;
mod child;
mod deadly;
mod matrix;
mod world;
