//! What a person decided about an activity that the tool would not guess about.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountName, Address, Fingerprint, ProfileId, RemoteId, RuleName};

/// One decision, as it stands in the decisions file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What was decided.
    pub decision: Verdict,
    /// The rule in whose plan the question came up.
    pub rule: RuleName,
    /// The address then; for people.
    pub address: Address,
    /// The activity that it is about.
    pub source: Party,
    /// For `adopt`: its counterpart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Party>,
    /// For `distinct`: the activities that it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Party>,
    /// When.
    pub at: Timestamp,
}

/// What can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Source and destination are one activity: leave them as they are.
    Adopt,
    /// It is none of the candidates: upload it.
    Distinct,
    /// Leave it alone for good.
    Ignore,
    /// An earlier decision is taken back.
    Undecide,
}

/// An activity as a decision names it. A changed fingerprint voids the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// Account name then.
    pub account: AccountName,
    /// Profile; `None` for a directory without a marker, which its account name stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// The platform's id.
    pub id: RemoteId,
    /// Fingerprint then.
    pub fingerprint: Fingerprint,
}
