//! Logging in to Garmin: from name and password, or a browser, to a service ticket; from the ticket to
//! tokens; and from tokens to new tokens.
//!
//! Logins are throttled for hours and by each further try for longer. So nothing here repeats a call,
//! a wrong password ends everything at once, and after the first way at most one other is tried.

mod browser;
mod exchange;
mod import;
mod mobile;
mod oauth1;
mod pages;
mod widget;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::domain::ProfileId;
use crate::manifest::Account;
use crate::net::{Client, Method, Urgency};
use crate::platform::http;
use crate::platform::login::{
    Ask, CodeRequest, CodeUse, Credentials, LoggedIn, Login, LoginError, TokenFile,
};
use crate::vault::Session;

use super::error::probe_error;
use super::regions::{Endpoints, Exchange, Region, Way};
use super::types::SocialProfile;
use super::wire;

/// Codes that a person may try.
const MAX_CODES: u32 = 3;

/// Garmin's login for one account.
pub(in crate::platform) struct GarminLogin {
    pub(super) account: Arc<Account>,
    pub(super) region: &'static Region,
    pub(super) endpoints: Endpoints,
    pub(super) client: Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Fn() -> [u8; 16] + Send + Sync>,
    pub(super) stop: Cancellation,
}

/// A single-use pass, good for about a minute and for one service.
struct Ticket {
    value: SecretString,
    service: String,
}

/// A ticket, and whether it took a code.
type Found = (Ticket, CodeUse);

#[async_trait]
impl Login for GarminLogin {
    fn hosts(&self) -> BTreeSet<String> {
        self.endpoints.token_hosts()
    }

    async fn log_in(&self, with: &Credentials, ask: &dyn Ask) -> Result<LoggedIn, LoginError> {
        let mut obstacle: Option<LoginError> = None;
        for way in self.region.ways.iter().take(2) {
            let (error, leads_on) = match self.ticket_by(*way, with, ask).await {
                Ok((ticket, code)) => match self.opened(&ticket, way.word()).await {
                    Ok(session) => return Ok(LoggedIn { session, code }),
                    Err(error) => {
                        let leads_on = another_ticket_helps(&error);
                        (error, leads_on)
                    }
                },
                Err(error) => {
                    let leads_on = another_way_helps(&error);
                    (error, leads_on)
                }
            };
            tracing::info!("login by {}: {error}", way.word());
            obstacle = Some(match obstacle {
                Some(first) => weightier(first, error),
                None => error,
            });
            if !leads_on {
                break;
            }
        }
        Err(obstacle.unwrap_or(LoginError::Unsupported("this region has no login")))
    }

    async fn by_browser(&self, ask: &dyn Ask) -> Result<Session, LoginError> {
        let address = browser::address(&self.endpoints.sso)?;
        let answer = ask.browser(&self.account, address.as_str())?;
        let ticket = browser::ticket(&answer, &self.endpoints.sso)?;
        self.opened(&ticket, "browser").await
    }

    fn import(&self, tokens: &TokenFile) -> Result<Session, LoginError> {
        import::session(self, tokens)
    }

    async fn refresh(&self, session: &Session, urgency: Urgency) -> Result<Session, LoginError> {
        exchange::refresh(self, session, urgency).await
    }

    async fn probe(&self, session: &Session) -> Result<ProfileId, LoginError> {
        let url = wire::url(&self.endpoints.connectapi, "/userprofile-service/socialProfile", &[])?;
        let token = session.token("access_token").unwrap_or_default();
        let request = wire::native(Method::GET, url)
            .header("authorization", format!("Bearer {token}"))
            .header("accept", "application/json");
        let answer =
            self.client.send(request).await.map_err(|error| http::error::login_error(&error))?;
        if answer.status != 200 {
            return Err(probe_error(&answer, self.clock.now()));
        }
        let profile: SocialProfile = answer.json().ok_or_else(|| {
            LoginError::NotUnderstood("the profile names no profileId".to_owned())
        })?;
        let id = profile.profile_id.to_string();
        Ok(ProfileId::of_account("garmin", self.region.id, &id))
    }
}

impl GarminLogin {
    async fn ticket_by(
        &self,
        way: Way,
        with: &Credentials,
        ask: &dyn Ask,
    ) -> Result<Found, LoginError> {
        // Cookies of one attempt; they are gone with it.
        let client =
            self.client.with_cookies().map_err(|error| http::error::login_error(&error))?;
        match way {
            Way::Mobile => mobile::ticket(self, &client, with, ask).await,
            Way::Widget => widget::ticket(self, &client, with, ask).await,
        }
    }

    /// A session for a ticket, tried once.
    async fn opened(&self, ticket: &Ticket, word: &str) -> Result<Session, LoginError> {
        let session = self.traded(ticket, word).await?;
        self.known(session).await
    }

    /// Tokens for a ticket. In the older region a second way is tried; the first may have used the
    /// ticket up.
    async fn traded(&self, ticket: &Ticket, word: &str) -> Result<Session, LoginError> {
        let mut refused = LoginError::Unsupported("this region gives no tokens");
        for exchange in self.region.exchanges {
            let traded = match exchange {
                Exchange::Di => exchange::trade(self, ticket, word).await,
                Exchange::OAuth1 => oauth1::trade(self, ticket, word).await,
            };
            match traded {
                Err(error @ LoginError::NotUnderstood(_)) => refused = error,
                // The first refusal tells more than that of a ticket that is used up.
                Err(LoginError::SessionEnded(_))
                    if matches!(refused, LoginError::NotUnderstood(_)) => {}
                other => return other,
            }
        }
        Err(refused)
    }

    /// The session with its profile. A token that its own API rejects is no session; one that could
    /// not be tried is kept, for the next login would cost more.
    async fn known(&self, mut session: Session) -> Result<Session, LoginError> {
        match self.probe(&session).await {
            Ok(profile) => session.profile = Some(profile),
            Err(LoginError::Unavailable(why) | LoginError::NotUnderstood(why)) => {
                tracing::warn!("{}: the new session could not be tried: {why}", self.account.name);
            }
            Err(LoginError::RateLimited { .. }) => {
                tracing::warn!("{}: the new session could not be tried yet", self.account.name);
            }
            Err(error) => return Err(error),
        }
        Ok(session)
    }

    /// Waits between two bounds, as a person would between a page and its form.
    async fn hesitate(&self, least_s: u64, most_s: u64) {
        let [a, b, ..] = (self.random)();
        let spread = (most_s - least_s) * 1000;
        let extra = u64::from(u16::from_be_bytes([a, b])) * spread / u64::from(u16::MAX);
        let pause = Duration::from_millis(least_s * 1000 + extra);
        self.stop.sleep(self.clock.as_ref(), pause).await;
    }

    /// The next code, where another one makes sense.
    fn code(&self, ask: &dyn Ask, way: &str, attempt: u32) -> Result<SecretString, LoginError> {
        // What needs no person gives the same code again.
        if attempt > MAX_CODES || (attempt > 1 && ask.has_code(&self.account)) {
            return Err(LoginError::CodeRefused);
        }
        let request = CodeRequest { way: way.to_owned(), attempt };
        ask.code(&self.account, &request)?.ok_or(LoginError::NeedsCode)
    }

    /// Now, in whole seconds: what sessions count in.
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}

/// Whether another way may be tried after no ticket came of one.
fn another_way_helps(error: &LoginError) -> bool {
    matches!(
        error,
        LoginError::Throttled { .. }
            | LoginError::Blocked(_)
            | LoginError::Unavailable(_)
            | LoginError::NotUnderstood(_)
    )
}

/// Whether a ticket of another way may be taken where one was not.
fn another_ticket_helps(error: &LoginError) -> bool {
    matches!(error, LoginError::NotUnderstood(_) | LoginError::TokenRejected(_))
}

/// Of two ways' failures, the one that says what to do: a throttle must be obeyed, a rejected token
/// was a login, a refusal names its reason.
fn weightier(first: LoginError, second: LoginError) -> LoginError {
    let weight = |error: &LoginError| match error {
        LoginError::Throttled { .. } => 0,
        LoginError::Refused { .. } | LoginError::NeedsCode | LoginError::CodeRefused => 1,
        LoginError::TokenRejected(_) => 2,
        LoginError::Blocked(_) => 3,
        LoginError::NotUnderstood(_) => 4,
        _ => 5,
    };
    if weight(&second) < weight(&first) { second } else { first }
}
