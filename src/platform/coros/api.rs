//! Calls of the API with the account's one token: read again after failures, written once. Files and
//! object stores are reached by a client of their own, which never sees the token.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::net::{
    Answer, Body, Client, Method, NetError, Request, RetryPolicy, Urgency, retry_after,
};
use crate::platform::http;
use crate::platform::login::EndReason;
use crate::platform::session_provider::SessionProvider;
use crate::platform::{AuthFailure, PlatformError};
use crate::vault::Session;

use super::auth::{ACCESS, USER, region_of};
use super::error::{Meaning, change_error, meaning, read_error};
use super::regions::{Endpoints, Region};
use super::types::{AccountData, id};
use super::wire;

/// An account's API.
pub(super) struct Api {
    pub(super) endpoints: Endpoints,
    pub(super) client: Client,
    /// For file hosts and object stores: no token goes there.
    pub(super) files: Client,
    pub(super) sessions: SessionProvider,
    /// The account's own number, where its session does not hold it.
    pub(super) user: OnceCell<String>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: Cancellation,
    pub(super) retry: RetryPolicy,
}

/// Which of the account's hosts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    Api,
    Hub,
}

/// One call, which may have to be sent again with another token.
pub(super) struct Call {
    host: Host,
    method: Method,
    path: &'static str,
    query: Vec<(&'static str, String)>,
    sends: Sends,
    urgency: Urgency,
}

enum Sends {
    Nothing,
    Json(Value),
    Fields(Vec<(&'static str, String)>),
}

impl Call {
    /// A question.
    pub(super) fn get(path: &'static str, query: Vec<(&'static str, String)>) -> Self {
        let (host, method, sends) = (Host::Api, Method::GET, Sends::Nothing);
        Self { host, method, path, query, sends, urgency: Urgency::Normal }
    }

    /// A question that the API wants posted.
    pub(super) fn post(path: &'static str, query: Vec<(&'static str, String)>) -> Self {
        Self { method: Method::POST, ..Self::get(path, query) }
    }

    /// JSON.
    pub(super) fn json(path: &'static str, body: Value) -> Self {
        Self { sends: Sends::Json(body), ..Self::post(path, Vec::new()) }
    }

    /// A multipart form.
    pub(super) fn fields(path: &'static str, fields: Vec<(&'static str, String)>) -> Self {
        Self { sends: Sends::Fields(fields), ..Self::post(path, Vec::new()) }
    }

    /// A question to the website, which knows its user by cookies.
    pub(super) fn hub(path: &'static str, query: Vec<(&'static str, String)>) -> Self {
        Self { host: Host::Hub, ..Self::get(path, query) }
    }

    /// Is sent after a stop, or not.
    pub(super) fn urgency(self, urgency: Urgency) -> Self {
        Self { urgency, ..self }
    }

    fn request(&self, api: &Api, session: &Session) -> Result<Request, PlatformError> {
        let region = region_of(session);
        let base = match self.host {
            Host::Api => api.endpoints.api(region),
            Host::Hub => api.endpoints.hub(region),
        };
        let query: Vec<(&str, &str)> =
            self.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let url = wire::url(&base, self.path, &query)
            .ok_or_else(|| PlatformError::Protocol("an address of COROS is none".to_owned()))?;
        let token = session.token(ACCESS).unwrap_or_default();
        let request = wire::browser(self.method.clone(), url).urgency(self.urgency);
        let request = match self.host {
            Host::Hub => {
                let number = region.number;
                let cookies = format!("CPL-coros-token={token}; CPL-coros-region={number}");
                request.header("cookie", cookies)
            }
            Host::Api => {
                let user = session.token(USER).or(api.user.get().map(String::as_str));
                let request = request.header("accesstoken", token);
                match user.map(|user| json!({ "userId": user, "language": "en-US" })) {
                    Some(known) => request.header("yfheader", known.to_string()),
                    None => request,
                }
            }
        };
        Ok(match &self.sends {
            Sends::Nothing => request,
            Sends::Json(value) => request.body(Body::Json(value.clone())),
            Sends::Fields(fields) => request.body(Body::Fields(fields.clone())),
        })
    }
}

impl Api {
    /// Asks patiently, and reads the answer's data.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, PlatformError> {
        let data = self
            .retry
            .run(http::error::retry, || self.asked(call))
            .await
            .map_err(http::error::exhausted)?;
        serde_json::from_value(data).map_err(|_| {
            PlatformError::Protocol(format!("COROS' answer to {} is not its JSON", call.path))
        })
    }

    /// Reads a list. What cannot be read as one is an outage, and asked for again.
    pub(super) async fn list<T>(
        &self,
        call: &Call,
        take: impl Fn(Value) -> Option<T>,
    ) -> Result<T, PlatformError> {
        let unreadable = || PlatformError::Transient("COROS' list cannot be read".to_owned());
        let ask = || async {
            match self.asked(call).await {
                Ok(data) => take(data).ok_or_else(unreadable),
                Err(PlatformError::Protocol(_)) => Err(unreadable()),
                Err(error) => Err(error),
            }
        };
        self.retry.run(http::error::retry, ask).await.map_err(http::error::exhausted)
    }

    /// Asks once. Waiting is left to the caller, who may have other things to do.
    pub(super) async fn asked(&self, call: &Call) -> Result<Value, PlatformError> {
        let answer = self.send(call).await?.map_err(|error| http::error::read_error(&error))?;
        match meaning(&answer) {
            Meaning::Data(data) => Ok(data),
            other => Err(read_error(&other, &answer, self.clock.now())),
        }
    }

    /// Asks the website patiently, whose answers have another envelope.
    pub(super) async fn hub<T: DeserializeOwned>(&self, call: &Call) -> Result<T, PlatformError> {
        self.retry
            .run(http::error::retry, || self.hub_once(call))
            .await
            .map_err(http::error::exhausted)
    }

    async fn hub_once<T: DeserializeOwned>(&self, call: &Call) -> Result<T, PlatformError> {
        let answer = self.send(call).await?.map_err(|error| http::error::read_error(&error))?;
        if answer.status != 200 {
            return Err(read_error(&Meaning::Status(answer.status), &answer, self.clock.now()));
        }
        answer.json().ok_or_else(|| read_error(&Meaning::Unknown, &answer, self.clock.now()))
    }

    /// Makes a change, once.
    pub(super) async fn change(&self, call: &Call) -> Result<Value, PlatformError> {
        let answer = self.send(call).await?.map_err(|error| http::error::write_error(&error))?;
        match meaning(&answer) {
            Meaning::Data(data) => Ok(data),
            other => Err(change_error(&other, &answer, self.clock.now())),
        }
    }

    /// Sends a call; a second time only where its token was refused, which is no attempt. A new token
    /// that is refused too was taken away by somebody.
    async fn send(&self, call: &Call) -> Result<Result<Answer, NetError>, PlatformError> {
        let session = self.sessions.session(call.urgency).await?;
        let answer = self.client.send(call.request(self, &session)?).await;
        if let Some(answer) = answer.as_ref().ok().filter(|answer| answer.status == 429) {
            self.client.slow_down(retry_after(answer, self.clock.now()));
        }
        if !answer.as_ref().is_ok_and(is_refused) {
            return Ok(answer);
        }
        let session = self.sessions.replace_rejected(&session, call.urgency).await?;
        let answer = self.client.send(call.request(self, &session)?).await;
        if answer.as_ref().is_ok_and(is_refused) {
            let words = EndReason::TakenOver.to_string();
            return Err(PlatformError::Auth(AuthFailure::NotOpened(words)));
        }
        Ok(answer)
    }

    /// Where the account lives.
    pub(super) async fn region(&self, urgency: Urgency) -> Result<&'static Region, PlatformError> {
        Ok(region_of(&self.sessions.session(urgency).await?))
    }

    /// The account's own number; a browser's token comes without it.
    pub(super) async fn user(&self, urgency: Urgency) -> Result<String, PlatformError> {
        let session = self.sessions.session(urgency).await?;
        if let Some(user) = session.token(USER) {
            return Ok(user.to_owned());
        }
        let asked = async || {
            let data: AccountData =
                self.read(&Call::get("/account/query", Vec::new()).urgency(urgency)).await?;
            id(&data.user_id).ok_or_else(|| {
                PlatformError::Protocol("COROS does not say whose account it is".to_owned())
            })
        };
        self.user.get_or_try_init(asked).await.cloned()
    }
}

fn is_refused(answer: &Answer) -> bool {
    matches!(meaning(answer), Meaning::Token)
}
