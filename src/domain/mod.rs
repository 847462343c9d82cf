//! The words of the trade as plain values: accounts, activities, their keys and types.
//!
//! Lowest floor. Knows no file, network, database, clock or output; every other room may use it.

mod account;
mod action;
mod activity;
mod activity_type;
mod catalog;
mod content;
mod coverage;
mod decision;
mod details;
mod file_name;
mod id;
mod key;
mod link;
mod nearest;
mod neutral;
mod refusal;

pub use account::{Profile, ProfileId};
pub use action::Action;
pub use activity::{Activity, Inventory, Note, Unusable};
pub use activity_type::{ActivityType, Family, SportTable};
pub use catalog::{
    Capabilities, Catalog, Editable, PlatformSpec, RegionSpec, ReplaceProtocol, RequestSpec,
    Unlisted,
};
pub use content::{Column, Columns, Content, Part, SESSION_VALUES, Session, rounded};
pub use coverage::Coverage;
pub use decision::{Decision, Party, Verdict};
pub use details::Details;
pub use file_name::{FileName, title_of_stem};
pub use id::{
    AccountName, Address, Fingerprint, NotAnAddress, RemoteId, RuleName, Sha256, StateId,
};
pub use key::{Interval, Key};
pub use link::{Link, LinkOrigin, LinkStatus, Side};
pub use nearest::nearest;
pub use neutral::neutralise;
pub use refusal::{Refusal, RefusalReason, RefusalStanding};
