//! The plan document: what is saved, shown, reviewed, compared, refused and executed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountName, ActivityType, Address, Fingerprint, ProfileId, RemoteId, ReplaceProtocol, RuleName,
};

use super::context::Context;
use super::reason::StepReason;

/// The name of the format; another one is refused.
pub const FORMAT: &str = "fit_sync.plan/1";

/// A plan as it is printed and saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// `fit_sync.plan/1`.
    pub format: String,
    /// sha256 over the RFC 8785 form of `body`, 64 hex digits.
    pub id: PlanId,
    /// What is executed.
    pub body: Body,
    /// What it was planned from, and what a person should know.
    pub context: Context,
    /// When and by what it was made; only in saved plans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
}

/// Names a plan by its body.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PlanId(pub String);

impl PlanId {
    /// The first 12 hex digits in groups of four, for people.
    pub fn short(&self) -> String {
        let digits: Vec<char> = self.0.chars().take(12).collect();
        digits.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join("-")
    }
}

/// What is executed: accounts and steps, nothing that moves by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// The accounts of the rules, by name.
    pub accounts: Vec<AccountRef>,
    /// In the order of display: rules as in the manifest; replaces, uploads; start; source id.
    pub steps: Vec<Step>,
}

/// An account as a plan knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountRef {
    /// Name in the manifest.
    pub name: AccountName,
    /// Platform id.
    pub platform: String,
    /// Region id; null where the platform has none.
    pub region: Option<String>,
    /// Profile; null for a directory that was never written to.
    pub profile: Option<ProfileId>,
}

pub use crate::domain::Action;

/// The order of a replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// New one first.
    UploadThenDelete,
    /// Old one first, after a verified backup.
    DeleteThenUpload,
}

impl From<ReplaceProtocol> for Protocol {
    fn from(protocol: ReplaceProtocol) -> Self {
        match protocol {
            ReplaceProtocol::UploadThenDelete => Self::UploadThenDelete,
            ReplaceProtocol::DeleteThenUpload => Self::DeleteThenUpload,
        }
    }
}

impl Protocol {
    /// The word that stands in text and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UploadThenDelete => "upload_then_delete",
            Self::DeleteThenUpload => "delete_then_upload",
        }
    }
}

/// One change of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// For people and for selection.
    pub address: Address,
    /// The rule that wants it.
    pub rule: RuleName,
    /// What it does.
    pub action: Action,
    /// Why.
    pub reason: StepReason,
    /// The order of a replace; absent for uploads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// The recording.
    pub key: StepKey,
    /// What is sent.
    pub source: SourceRef,
    /// Where to, and what is replaced.
    pub destination: DestinationRef,
    /// What differs; empty for uploads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What the replaced activity loses for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loses: Vec<String>,
}

/// Identity of a step's recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepKey {
    /// FIT start in UTC.
    pub start: Timestamp,
    /// Wall-clock seconds, where known.
    pub elapsed_s: Option<u32>,
    /// Canonical type.
    #[serde(rename = "type")]
    pub kind: ActivityType,
}

/// The activity that is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceRef {
    /// Its account.
    pub account: AccountName,
    /// Its id there.
    pub id: RemoteId,
    /// A different one then makes the step stale.
    pub fingerprint: Fingerprint,
    /// Its title, neutralised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<u32>,
}

/// Where a step goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DestinationRef {
    /// The account that is written to.
    pub account: AccountName,
    /// Of a replace: the activity that goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RemoteId>,
    /// Of a replace: a different one then makes the step stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// From a closed list, such as `session.total_distance`.
    pub field: String,
    /// At the destination now.
    pub from: String,
    /// In the source.
    pub to: String,
}

/// When and by what a plan was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// When.
    pub created_at: Timestamp,
    /// Version of fit_sync.
    pub version: String,
    /// The pipeline's page, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_url: Option<String>,
}

/// Activities of accounts by name; the plan's view of the world.
pub type ByAccount<T> = BTreeMap<AccountName, T>;
