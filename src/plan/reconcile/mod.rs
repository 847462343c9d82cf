//! How a step of a plan comes true: reconciled, not executed.
//!
//! A step never asks which call comes next. It asks what is written down ([`StepState`]) and what is
//! there now ([`Evidence`]), and one pure function, [`next`], answers with the one [`Move`] to make.
//! The same function decides in the first run, after a crash, when a refused replace is put back, and
//! in a restore. This room sees no network, disk or clock.

mod arrivals;
mod entry;
mod evidence;
mod finish;
mod gap;
#[cfg(test)]
mod laws;
mod next;
mod state;
mod surroundings;
mod why;

pub use arrivals::{Arrival, Candidate, assign};
pub use entry::{Cause, Entry, Outcome, Payload};
pub use evidence::{Days, Evidence, GivenUp, Named, Old, Source, There, Visibility};
pub use next::{Move, next};
pub use state::{Answer, IllegalTransition, MAX_SENDS, Removal, StepState, Turned};
pub use surroundings::{Surroundings, there, told_apart};
pub use why::Why;
