//! What a step does, in one word.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

impl Action {
    /// The word that stands in text and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::Upload => "upload",
        }
    }
}
