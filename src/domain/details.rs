//! What a file does not hold about an activity.

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
}
