//! The program as its users meet it: the binary, its files, its output and its exit codes.
#![cfg(test)]

mod comment;
mod corners;
mod corpus;
mod decisions;
mod determinism;
mod diff;
mod edits;
mod explain;
mod helps;
mod init;
mod main_line;
mod memory;
mod open;
mod output;
mod refused;
mod saved_plan;
mod status;
mod unopened;
mod usage;
