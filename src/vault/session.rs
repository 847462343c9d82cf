//! A session as it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::ProfileId;

/// The name of the format; another one is refused.
pub const FORMAT: &str = "fit_sync.session/1";

/// What a platform gave for a login: tokens, and what they are good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// [`FORMAT`].
    pub format: String,
    /// The platform's id.
    pub platform: String,
    /// The region's id.
    pub region: String,
    /// Whose it is; `None` until the platform has said so.
    pub profile: Option<ProfileId>,
    /// Origins that it was made for; it is sent to no others.
    pub hosts: BTreeSet<String>,
    /// How it came about, in a platform's own word.
    pub obtained_by: String,
    /// When somebody logged in.
    pub obtained_at: Timestamp,
    /// When its tokens were made.
    pub renewed_at: Timestamp,
    /// When its tokens must be renewed; `None` where only the platform can tell.
    pub expires_at: Option<Timestamp>,
    /// When it cannot be renewed any more; `None` where nothing tells.
    pub ends_at: Option<Timestamp>,
    /// A renewal that was begun, and of which no answer was kept.
    pub renewing_since: Option<Timestamp>,
    /// The tokens, by the platform's names for them.
    pub tokens: BTreeMap<String, Token>,
}

impl Session {
    /// A token by its name.
    pub fn token(&self, name: &str) -> Option<&str> {
        self.tokens.get(name).map(Token::expose)
    }

    /// Whether it has the shape of one: its format, and tokens that can stand in a header.
    pub fn is_sound(&self) -> bool {
        let sendable = |token: &Token| {
            let text = token.expose();
            !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
        };
        self.format == FORMAT && !self.tokens.is_empty() && self.tokens.values().all(sendable)
    }

    /// Whether it is surely over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }
}

/// A token; shows itself to nobody but its file and its platform.
#[derive(Clone)]
pub struct Token(SecretString);

impl Token {
    /// Wraps a token.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<token>")
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Token {}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
