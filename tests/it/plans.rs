//! What a plan is, for every reason that it can have: snapshots of its text, and of its JSON where
//! the text does not say all.

mod appearance;
mod broke_others;
mod closed_lists;
mod conflicts;
mod inventories;
pub(crate) mod markdown;
mod memory;
mod owners;
mod skips;
mod steps;

use crate::support::scenario::Scenario;
use crate::support::snapshot;

/// Compares everything that a terminal shows with `-v`.
fn shows(name: &str, scenario: &Scenario) {
    snapshot::check("plan", name, &scenario.text());
}

/// Compares the document.
fn saves(name: &str, scenario: &Scenario) {
    snapshot::check("plan", &format!("{name}.json"), &scenario.json());
}
