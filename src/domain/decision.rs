//! What a person decided about a conflict.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountName, Address, Fingerprint, ProfileId, RemoteId, RuleName};

/// One decision, as it stands in the decisions file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What was decided.
    pub decision: Verdict,
    /// The rule in which it holds.
    pub rule: RuleName,
    /// Where it was shown at that time; for people.
    pub address: Address,
    /// The source activity that it is about.
    pub source: Party,
    /// The destination activity that was chosen; only with `adopt`.
    #[serde(default)]
    pub destination: Option<Party>,
    /// The destination activities that were to be chosen from.
    #[serde(default)]
    pub candidates: Vec<Party>,
    /// When.
    pub at: Timestamp,
}

/// One activity as a decision names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The account's name at that time.
    pub account: AccountName,
    /// Whose account it is; `None` for a directory without a marker.
    #[serde(default)]
    pub profile: Option<ProfileId>,
    /// The platform's id.
    pub id: RemoteId,
    /// Another fingerprint voids the decision.
    pub fingerprint: Fingerprint,
}

/// What can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Source and destination are the same activity.
    Adopt,
    /// They are different: upload it.
    Distinct,
    /// Leave it alone until it changes.
    Ignore,
    /// Takes back what was decided before.
    Undecide,
}

impl Verdict {
    /// The word, as in the decisions file and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adopt => "adopt",
            Self::Distinct => "distinct",
            Self::Ignore => "ignore",
            Self::Undecide => "undecide",
        }
    }
}

impl Decision {
    /// Whether both speak about the same source activity in the same rule.
    pub fn same_subject(&self, other: &Self) -> bool {
        self.rule == other.rule && self.source.same(&other.source)
    }
}

impl Party {
    /// Whether both name the same activity in the same condition: by profile, or by the account's
    /// name where a profile is not known.
    pub fn same(&self, other: &Self) -> bool {
        let owner = match (&self.profile, &other.profile) {
            (Some(one), Some(two)) => one == two,
            (None, _) | (_, None) => self.account == other.account,
        };
        owner && self.id == other.id && self.fingerprint == other.fingerprint
    }
}
