//! Calls of the API with the account's session: read again after failures, written once.

use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::clock::Clock;
use crate::net::{
    Answer, Body, Client, Headers, Method, NetError, Part, Request, Retry, RetryPolicy, Urgency,
    retry_after,
};
use crate::platform::PlatformError;
use crate::platform::http;
use crate::platform::session_provider::SessionProvider;
use crate::vault::Session;

use super::error::{api_error, change_error, list_error};
use super::wire;

/// Larger than any zipped activity.
const MAX_FILE_BYTES: usize = 128 * 1024 * 1024;

/// The API of an account.
pub(super) struct Api {
    pub(super) base: String,
    pub(super) client: Client,
    pub(super) sessions: SessionProvider,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) retry: RetryPolicy,
}

/// One call, which may have to be sent again with another token.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) sends: Sends,
    pub(super) urgency: Urgency,
}

/// What a call carries.
pub(super) enum Sends {
    Nothing,
    Json(serde_json::Value),
    File { name: String, bytes: Vec<u8>, headers: Headers },
}

impl Call {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            sends: Sends::Nothing,
            urgency: Urgency::Normal,
        }
    }

    fn request(&self, base: &str, session: &Session) -> Result<Request, PlatformError> {
        let query: Vec<(&str, &str)> =
            self.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = wire::url(base, &self.path, &query)
            .map_err(|error| PlatformError::Protocol(error.to_string()))?;
        let token = session.token("access_token").unwrap_or_default();
        let request = wire::native(self.method.clone(), url)
            .header("authorization", format!("Bearer {token}"))
            .header("accept", "application/json, */*")
            .urgency(self.urgency)
            .at_most(MAX_FILE_BYTES);
        Ok(match &self.sends {
            Sends::Nothing if self.method == Method::GET => request,
            Sends::Nothing => request.changing(),
            Sends::Json(value) => request.changing().body(Body::Json(value.clone())),
            Sends::File { name, bytes, headers } => {
                let part = Part { field: "file", file_name: name.clone(), bytes: bytes.clone() };
                request.changing().headers(headers.clone()).body(Body::File(part))
            }
        })
    }
}

impl Api {
    /// Reads JSON, patiently.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, PlatformError> {
        let json = |answer: &Answer| {
            answer.json().ok_or_else(|| {
                PlatformError::Protocol(format!("Garmin's answer to {} is not its JSON", call.path))
            })
        };
        self.fetch(call, api_error, json).await
    }

    /// Reads a list, patiently. What cannot be read as one is an outage.
    pub(super) async fn list<T: DeserializeOwned>(&self, call: &Call) -> Result<T, PlatformError> {
        let unreadable = || PlatformError::Transient("Garmin's list cannot be read".to_owned());
        self.fetch(call, list_error, |answer| answer.json().ok_or_else(unreadable)).await
    }

    /// Reads what `take` makes of a good answer, patiently: what cannot be made sense of is asked for
    /// again as well.
    pub(super) async fn fetch<T>(
        &self,
        call: &Call,
        error_of: fn(&Answer, Timestamp) -> PlatformError,
        take: impl Fn(&Answer) -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        let fetch = || async {
            match self.send(call).await? {
                Ok(answer) if answer.status == 200 && is_page(&answer) => Err(a_page(call)),
                Ok(answer) if answer.status == 200 => take(&answer),
                Ok(answer) => Err(error_of(&answer, self.clock.now())),
                Err(error) => Err(http::error::read_error(&error)),
            }
        };
        let judge = |error: &PlatformError| match error {
            PlatformError::Protocol(_) => Retry::Backoff,
            other => http::error::retry(other),
        };
        self.retry.run(judge, fetch).await.map_err(http::error::exhausted)
    }

    /// Makes a change, once. Where a gateway answers in the server's place, nobody knows.
    pub(super) async fn change(&self, call: &Call) -> Result<(), PlatformError> {
        let answer = self.changed(call).await?;
        match answer.status {
            200..=299 if is_page(&answer) => {
                Err(PlatformError::Unconfirmed("a page came instead of Garmin's answer".to_owned()))
            }
            200..=299 => Ok(()),
            _ => Err(change_error(&answer, self.clock.now())),
        }
    }

    /// Makes a change, once, and gives whatever answer came.
    pub(super) async fn changed(&self, call: &Call) -> Result<Answer, PlatformError> {
        self.send(call).await?.map_err(|error| http::error::write_error(&error))
    }

    /// Sends a call; a second time only where its token was refused, which is no attempt.
    async fn send(&self, call: &Call) -> Result<Result<Answer, NetError>, PlatformError> {
        let session = self.sessions.session(call.urgency).await?;
        let answer = self.client.send(call.request(&self.base, &session)?).await;
        if let Some(answer) = answer.as_ref().ok().filter(|answer| answer.status == 429) {
            self.client.slow_down(retry_after(answer, self.clock.now()));
        }
        if !answer.as_ref().is_ok_and(|answer| answer.status == 401) {
            return Ok(answer);
        }
        let session = self.sessions.replace_rejected(&session, call.urgency).await?;
        Ok(self.client.send(call.request(&self.base, &session)?).await)
    }
}

/// Whether a page for people came in place of the API's answer.
fn is_page(answer: &Answer) -> bool {
    answer.body.trim_ascii_start().first() == Some(&b'<')
}

fn a_page(call: &Call) -> PlatformError {
    PlatformError::Transient(format!("a page came instead of Garmin's answer to {}", call.path))
}
