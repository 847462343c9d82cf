//! What a file does not hold about an activity.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ActivityType;

/// What people wrote about an activity, and who may see it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Title.
    pub title: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Canonical type.
    pub kind: Option<ActivityType>,
    /// Whether only the athlete sees it.
    pub private: Option<bool>,
    /// What its platform says more exactly than the others could, by the platform's own names: only
    /// that platform understands them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub words: BTreeMap<String, String>,
}
