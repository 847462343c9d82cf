//! Garmin through the binary: what a person does with two accounts, what it costs, and what happens
//! when the network fails.

mod corners;
mod days;
mod listing;
mod matrix;
mod pair;
mod sessions;
mod stage;
mod troubles;
