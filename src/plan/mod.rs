//! Deciding, purely: a world of values in, a plan out.
//!
//! This room sees no network, disk, clock or `async`; the same world gives the same bytes. It reads
//! like the line `select → owners → matching → decide → build → guard`.

mod basis;
mod build;
mod chains;
mod choice;
mod compare;
mod context;
mod copies;
mod decide;
mod document;
mod filter;
mod guard;
mod links;
pub mod matching;
mod model;
mod owners;
mod question;
mod reason;
mod recall;
pub mod reconcile;
mod refused;
mod repeats;
mod rivals;
mod select;
mod simulate;
mod since;
mod steps;
mod suspects;
mod twins;
mod underway;
mod unopened;
mod within;
mod world;

pub use build::{Comparison, Pair, Plan, Way, build};
pub use compare::{changes, clock, is_same_recording, is_whole};
pub use context::{
    ActivityRef, Blocked, BlockedReason, Conflict, Context, Counts, InSync, InventoryRef,
    LimitExceeded, ManifestRef, OpenStep, RuleSummary, Skip,
};
pub use decide::Notice;
pub use document::DocumentError;
pub use filter::wants;
pub use guard::exceeded;
pub use model::{
    AccountRef, Action, Body, ByAccount, Change, DestinationRef, Document, FORMAT, Meta, PlanId,
    Protocol, SourceRef, Step, StepKey,
};
pub use reason::{ConflictReason, InSyncReason, SkipReason, StepReason};
pub use select::{activity_at, address_of};
pub use simulate::simulate;
pub use since::{Now, Since, since};
pub use underway::Underway;
pub use unopened::{is_ruled_out, may_hold};
pub use within::{Difference, Part, allowed, differences};
pub use world::{
    AccountView, Force, Glob, Listing, Memory, Options, RetryRefused, Selection, World,
};
