//! Who an account belongs to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Sha256;

/// 32 hex digits that name an account of a platform without revealing its owner.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct ProfileId(String);

impl ProfileId {
    /// First 32 hex digits of sha256(`fit_sync/1|platform|region|account id`).
    pub fn of_account(platform: &str, region: &str, account_id: &str) -> Self {
        let text = format!("fit_sync/1|{platform}|{region}|{account_id}");
        Self(Sha256::of(text.as_bytes()).as_str().chars().take(32).collect())
    }

    /// The id in a directory's marker, or one read back from the state.
    pub fn new(hex: impl Into<String>) -> Self {
        Self(hex.into())
    }

    /// The 32 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a platform says about the account that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `None` only for a directory without a marker (never yet a destination).
    pub id: Option<ProfileId>,
    /// Names the place on this machine where the profile is `None`; never leaves the state file.
    pub location: Option<String>,
}
