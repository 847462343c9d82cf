//! fit_sync keeps fitness accounts in step.
//!
//! A user writes down in a manifest which account shall hold what another one holds; `plan` shows
//! what is missing or different, `apply` does exactly that.
//!
//! # Two straight lines
//!
//! Each arrow is one function, a value in and a value out.
//!
//! ```text
//! plan:   text ─manifest::load→ Manifest ─engine::accounts→ open accounts
//!         ─engine::refresh→ inventories (kept in the state) ─plan::select→ wanted
//!         ─plan::owners→ one owner per event ─plan::matching→ matches ─plan::decide→ rulings
//!         ─plan::build→ Plan ─plan::guard→ Plan ─render→ text | json | markdown | html | junit | summary
//!
//! apply:  ─engine::lock→ alone at the destinations ─(plan, or a saved one)→
//!         Plan ─engine::apply::precondition→ still true? ─cli::ask→ yes ─state::journal→ run
//!         each step: journal(intent) → bytes (cache or download) → platform call → verify
//!         → journal(outcome) → event
//!         ─→ summary ─render→ text | JSON lines | report | html | junit
//! ```
//!
//! No step of `plan` writes to a platform; no step of `apply` decides what the plan has not said.
//!
//! # Floors
//!
//! ```text
//! 6  cli                                   the only floor that prints, prompts, reads the environment
//! 5  render                                values in, text out
//! 4  engine                                orchestration; emits events
//! 3  platform | state | archive            accounts; the memory; files on this machine
//! 2  plan | net | vault                    deciding, purely; HTTP; sessions and credentials
//! 1  manifest | fit                        what the user wants; what a file holds
//! 0  domain  diag  clock  cancellation  event  disk    the words of the trade; whole files or none
//! ```
//!
//! A floor uses only lower floors, and rooms of one floor do not know each other;
//! `tests/it/architecture.rs` checks both.

pub mod archive;
pub mod cancellation;
pub mod cli;
pub mod clock;
pub mod diag;
pub mod disk;
pub mod domain;
pub mod engine;
pub mod event;
pub mod fit;
pub mod manifest;
pub mod net;
pub mod plan;
pub mod platform;
pub mod render;
pub mod state;
pub mod vault;
