//! Names and ids. All are strings: platforms count beyond 2^53, and JSON readers round. They are
//! shared and not copied: a plan names every activity many times.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256 as Hasher};

macro_rules! string_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a string that is already known to be such an id.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Arc::from(text.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

string_id! {
    /// Name of an account in the manifest, such as `garmin_us`.
    AccountName
}
string_id! {
    /// Name of a sync rule, `[a-z0-9_-]+`.
    RuleName
}
string_id! {
    /// A platform's own id of an activity; for directories the relative path, `/`-separated, NFC.
    RemoteId
}
string_id! {
    /// 32 hex digits that change when an activity changes: of the bytes where they are known, else
    /// of what the platform lists about it (never its title).
    Fingerprint
}
string_id! {
    /// Lowercase hex sha256 of an activity's (unzipped) bytes.
    Sha256
}
string_id! {
    /// 32 random hex digits that tell a state file from others.
    StateId
}

impl Sha256 {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::new(hex::encode(Hasher::digest(bytes)))
    }
}

impl Fingerprint {
    /// The fingerprint of known bytes.
    pub fn of_bytes(sha256: &Sha256) -> Self {
        Self::new(sha256.as_str().chars().take(32).collect::<String>())
    }

    /// The fingerprint of listed facts. `None` and zero are the same: platforms list either.
    pub fn of_listing(
        start: Option<Timestamp>,
        elapsed_s: Option<u32>,
        distance_m: Option<u32>,
        kind: &str,
    ) -> Self {
        let start = start.map(|start| start.as_second()).unwrap_or_default();
        let text = format!(
            "fit_sync/listing/1|{start}|{}|{}|{kind}",
            elapsed_s.unwrap_or_default(),
            distance_m.unwrap_or_default()
        );
        Self::of_bytes(&Sha256::of(text.as_bytes()))
    }
}

/// Where an activity stands in a rule: `RULE/START`, `RULE/START#2`, or `RULE/@SOURCE_ID`.
///
/// Addresses are for people: memory and decisions use (profile, id, fingerprint).
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Address(Arc<str>);

impl Address {
    /// The address of an activity with a start; `ordinal` counts from 1 among equal starts.
    pub fn of_start(rule: &RuleName, start: Timestamp, ordinal: usize) -> Self {
        if ordinal > 1 {
            Self(format!("{rule}/{start}#{ordinal}").into())
        } else {
            Self(format!("{rule}/{start}").into())
        }
    }

    /// The address of an activity without a usable start.
    pub fn of_id(rule: &RuleName, id: &RemoteId) -> Self {
        Self(format!("{rule}/@{id}").into())
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rule's name.
    pub fn rule(&self) -> &str {
        self.0.split_once('/').map_or(self.as_str(), |(rule, _)| rule)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text has no `/` between a rule and a start or id.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not an address (RULE/START or RULE/@SOURCE_ID)")]
pub struct NotAnAddress(String);

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((rule, rest)) if !rule.is_empty() && !rest.is_empty() => Ok(Self(text.into())),
            _ => Err(NotAnAddress(text.to_owned())),
        }
    }
}
