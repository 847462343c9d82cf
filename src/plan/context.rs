//! What a plan says besides its steps: what it was made from, what it leaves alone, what it asks.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountName, Activity, ActivityType, Address, Fingerprint, RemoteId, RuleName, Sha256,
    neutralise,
};
use crate::event::Phase;

use super::model::Change;
use super::reason::{ConflictReason, InSyncReason, SkipReason};

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
    /// Steps that earlier runs began and that are not over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenStep>,
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
    /// Of `would_lose_data`: what the one at the destination has and would lose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loses: Vec<String>,
    /// Of `original_differs`: in what the listed activity (`from`) and its file (`to`) differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
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
    /// Whether it is a removal of which no finished apply has told yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_news: bool,
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
    /// The account's files that cannot be opened, if only what may lie in those waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
}

/// A step that an earlier run began and that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenStep {
    /// Its address.
    pub address: Address,
    /// The account that it writes to.
    pub account: AccountName,
    /// How far it came.
    pub phase: Phase,
    /// Whether the old activity is removed and nothing is seen in its place.
    pub is_gap: bool,
    /// Whether something was sent that may be there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_sent: bool,
    /// The backup of the old activity, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup: Option<String>,
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
