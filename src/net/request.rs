//! What is asked, and what is answered.

use std::fmt;

use reqwest::Method;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{Gap, Urgency, redact};

/// Answers are small unless a caller expects a file.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Headers of a request; their values may be secret and are never printed.
pub type Headers = Vec<(&'static str, SecretString)>;

/// Whether the answer may send the client on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// The first answer is the answer.
    Keep,
    /// Followed for reading, to the account's own hosts.
    Follow,
}

/// One request. Its contents are never printed.
pub struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Headers,
    pub(super) body: Body,
    pub(super) redirects: Redirects,
    pub(super) max_bytes: usize,
    pub(super) path: ShownPath,
    pub(super) gap: Gap,
    pub(super) urgency: Urgency,
}

/// Whether the log shows where on its host a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShownPath {
    Shown,
    /// Whoever knows it may read what is there.
    Secret,
}

/// What a request carries.
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON.
    Json(Value),
    /// A form, URL-encoded.
    Form(Vec<(&'static str, SecretString)>),
    /// A file in a multipart form.
    File(Part),
    /// Texts in a multipart form.
    Fields(Vec<(&'static str, String)>),
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

/// A file in a multipart form.
pub struct Part {
    /// Name of the field.
    pub field: &'static str,
    /// Name of the file.
    pub file_name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Request {
    /// Without headers and body; the first answer is the answer.
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: Body::Empty,
            redirects: Redirects::Keep,
            max_bytes: MAX_BYTES,
            path: ShownPath::Shown,
            gap: Gap::Usual,
            urgency: Urgency::Normal,
        }
    }

    /// Is followed by the longer gap of a change.
    #[must_use]
    pub fn changing(mut self) -> Self {
        self.gap = Gap::Change;
        self
    }

    /// Is sent after a stop, or not.
    #[must_use]
    pub fn urgency(mut self, urgency: Urgency) -> Self {
        self.urgency = urgency;
        self
    }

    /// Tells its host to the log, and nothing else of its address.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.path = ShownPath::Secret;
        self
    }

    /// With these headers, in place of those of the same names.
    #[must_use]
    pub fn headers(mut self, headers: Headers) -> Self {
        self.headers.retain(|(name, _)| headers.iter().all(|(other, _)| other != name));
        self.headers.extend(headers);
        self
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, SecretString::from(value.into())));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Goes where the answer says.
    #[must_use]
    pub fn following(mut self) -> Self {
        self.redirects = Redirects::Follow;
        self
    }

    /// Takes an answer of so many bytes, unpacked.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    pub(super) fn header_values(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.expose_secret()))
    }
}

/// An answer, whatever its status. Its contents are never printed.
#[derive(Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Unpacked.
    pub body: Vec<u8>,
    /// Where it came from, redirects followed.
    pub url: Url,
}

impl Answer {
    /// The first header of that (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, whatever its bytes.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body, if it is such JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} from {}, {} bytes", self.status, redact::url(&self.url), self.body.len())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetError {
    /// The host was not reached: nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// The answer was lost, or is not whole: the request may have been carried out.
    #[error("{0}")]
    Lost(String),
    /// The answer is larger than it can be.
    #[error("the answer of {host} is larger than {most} bytes")]
    TooLarge {
        /// Who answered.
        host: String,
        /// What was expected at most.
        most: usize,
    },
    /// A request, or a redirect, to a host that is not the account's: not sent.
    #[error("{0} is not one of this account's hosts; nothing was sent there")]
    ForeignHost(String),
    /// The account's proxy or certificates cannot be used.
    #[error("{0}")]
    Setup(String),
    /// A stop came first: nothing was sent.
    #[error("stopped before it was sent")]
    Cancelled,
    /// The account has asked for a longer wait than any: nothing was sent.
    #[error("the account asked to wait for longer than 15 minutes")]
    Throttled,
}
