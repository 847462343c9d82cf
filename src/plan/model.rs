//! The plan document: what is saved, shown, reviewed, compared, refused and executed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountName, Activity, ActivityType, Address, Fingerprint, ProfileId, RemoteId,
    ReplaceProtocol, RuleName, Sha256, neutralise,
};

use super::reason::{ConflictReason, InSyncReason, SkipReason, StepReason};

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

/// What a step does.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Another activity takes the place of one at the destination.
    Replace,
    /// An activity is added.
    Upload,
}

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

/// What a plan was made from, and what a person should know.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The manifest.
    pub manifest: ManifestRef,
    /// By account name.
    pub inventories: Vec<InventoryRef>,
    /// Over all rules.
    pub counts: Counts,
    /// As in the manifest.
    pub rules: Vec<RuleSummary>,
    /// Questions that a person must decide.
    pub conflicts: Vec<Conflict>,
    /// What is left alone.
    pub skips: Vec<Skip>,
    /// Rules that could not be planned.
    pub blocked: Vec<Blocked>,
    /// Limits that this plan exceeds.
    pub limits: Vec<LimitExceeded>,
    /// Pairs with nothing to do; only with `--all`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_sync: Option<Vec<InSync>>,
}

/// The manifest that a plan was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManifestRef {
    /// Of its text.
    pub sha256: String,
}

impl From<&Sha256> for ManifestRef {
    fn from(sha256: &Sha256) -> Self {
        Self { sha256: sha256.to_string() }
    }
}

/// An inventory that a plan was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InventoryRef {
    /// Whose.
    pub account: AccountName,
    /// Activities in it.
    pub count: u64,
    /// False if part of it could not be read.
    pub complete: bool,
    /// sha256 over ids and fingerprints.
    pub digest: String,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Uploads planned.
    pub upload: u64,
    /// Replaces planned.
    pub replace: u64,
    /// Conflicts.
    pub conflict: u64,
    /// In sync.
    pub in_sync: u64,
    /// Left alone.
    pub skip: u64,
    /// Left out by `--rule`, `--only`, `--except`.
    pub excluded: u64,
}

impl Counts {
    /// Everything that was counted.
    pub fn total(&self) -> u64 {
        self.upload + self.replace + self.conflict + self.in_sync + self.skip + self.excluded
    }

    /// Adds the counts of another rule.
    pub fn add(&mut self, other: &Self) {
        self.upload += other.upload;
        self.replace += other.replace;
        self.conflict += other.conflict;
        self.in_sync += other.in_sync;
        self.skip += other.skip;
        self.excluded += other.excluded;
    }
}

/// A rule and its counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSummary {
    /// Its name.
    pub name: RuleName,
    /// Its source.
    pub source: AccountName,
    /// Its destination.
    pub destination: AccountName,
    /// Its counts.
    pub counts: Counts,
}

/// An activity as people and decisions need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityRef {
    /// Its account.
    pub account: AccountName,
    /// Its id there.
    pub id: RemoteId,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Start in UTC, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// Wall-clock seconds, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elapsed_s: Option<u32>,
    /// Canonical type.
    #[serde(rename = "type")]
    pub kind: ActivityType,
    /// Title, neutralised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_m: Option<u32>,
}

impl ActivityRef {
    /// The activity as it stands in an account's inventory.
    pub fn of(account: &AccountName, activity: &Activity) -> Self {
        Self {
            account: account.clone(),
            id: activity.id.clone(),
            fingerprint: activity.fingerprint.clone(),
            start: activity.start,
            elapsed_s: activity.elapsed_s,
            kind: activity.kind.clone(),
            title: activity.title.as_deref().map(neutralise),
            distance_m: activity.distance_m,
        }
    }
}

/// A question that a person must decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conflict {
    /// Its address.
    pub address: Address,
    /// The rule.
    pub rule: RuleName,
    /// What the question is.
    pub reason: ConflictReason,
    /// The activity in question.
    pub source: ActivityRef,
    /// What it could be, best first.
    pub candidates: Vec<ActivityRef>,
}

/// Something left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// Its address.
    pub address: Address,
    /// The rule.
    pub rule: RuleName,
    /// Why.
    pub reason: SkipReason,
    /// What exactly: the defect of a file, the owning rule, the manifest's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A pair with nothing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InSync {
    /// Its address.
    pub address: Address,
    /// The rule.
    pub rule: RuleName,
    /// Why nothing is to do.
    pub reason: InSyncReason,
    /// The source's.
    pub source: ActivityRef,
    /// The destination's; null while it is not listed yet.
    pub destination: Option<ActivityRef>,
}

/// A rule that could not be planned, in whole or in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Blocked {
    /// The rule.
    pub rule: RuleName,
    /// The account that is the cause.
    pub account: AccountName,
    /// What kind of cause.
    pub reason: BlockedReason,
    /// For people.
    pub message: String,
}

/// Why a rule is blocked.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum BlockedReason {
    /// No session that the platform accepts.
    LoginNeeded,
    /// The platform or folder cannot be reached.
    Unavailable,
    /// A directory that should carry a marker does not.
    MarkerMissing,
    /// Part of the account could not be read.
    InventoryIncomplete,
    /// This version has no client for the platform.
    Unsupported,
    /// The account answers, but not as it should.
    Failed,
}

/// A limit that a plan exceeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitExceeded {
    /// `max_uploads`, `max_replaces` or `min_inventory_ratio`.
    pub limit: String,
    /// What the manifest allows; for an inventory the least count that is believed.
    pub value: u64,
    /// What is planned; for an inventory the count that was read.
    pub planned: u64,
    /// Of an inventory: whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
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
