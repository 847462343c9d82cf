//! From a ticket to tokens, and from tokens to new ones, at Garmin's OAuth2 service.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::net::{Answer, Body, Method, Request, Urgency};
use crate::platform::http;
use crate::platform::login::{EndReason, LoginError};
use crate::vault::{FORMAT, Session, Token};

use super::super::error::token_error;
use super::super::regions::{DI_CLIENT_IDS, TICKET_GRANT};
use super::super::types::{Claims, TokenAnswer};
use super::super::wire;
use super::{GarminLogin, Ticket, oauth1};

const PATH: &str = "/di-oauth2-service/oauth/token";

/// Tokens for a ticket, under the first client id that is accepted.
pub(super) async fn trade(
    login: &GarminLogin,
    ticket: &Ticket,
    word: &str,
) -> Result<Session, LoginError> {
    let mut last = 0;
    for id in DI_CLIENT_IDS {
        let fields = vec![
            ("client_id", SecretString::from(id)),
            ("service_ticket", ticket.value.clone()),
            ("grant_type", SecretString::from(TICKET_GRANT)),
            ("service_url", SecretString::from(ticket.service.clone())),
        ];
        let request = asked(login, id, "application/json,text/html;q=0.9,*/*;q=0.8", fields)?;
        let answer =
            login.client.send(request).await.map_err(|error| http::error::login_error(&error))?;
        match answer.status {
            200 => return session(login, &answer, id, word),
            400 | 401 => last = answer.status,
            429 => return Err(throttled(token_error(&answer, login.now()))),
            _ => return Err(token_error(&answer, login.now())),
        }
    }
    Err(LoginError::NotUnderstood(format!(
        "the token service took the ticket under none of the known names ({last})"
    )))
}

/// New tokens for old ones. An imported pair of the older kind is first tried as a new one, once: its
/// refresh token may be accepted.
pub(super) async fn refresh(
    login: &GarminLogin,
    old: &Session,
    urgency: Urgency,
) -> Result<Session, LoginError> {
    let is_older = old.token("oauth_token").is_some();
    let Some(refresh) = old.token("refresh_token") else {
        return if is_older {
            oauth1::refresh(login, old, urgency).await
        } else {
            Err(LoginError::SessionEnded(EndReason::Ended))
        };
    };
    let [newest, ..] = DI_CLIENT_IDS;
    let id = old.token("client_id").unwrap_or(newest);
    let fields = vec![
        ("grant_type", SecretString::from("refresh_token")),
        ("client_id", SecretString::from(id)),
        ("refresh_token", SecretString::from(refresh)),
    ];
    let request = asked(login, id, "application/json", fields)?.urgency(urgency);
    let answer =
        login.client.send(request).await.map_err(|error| http::error::login_error(&error))?;
    if answer.status != 200 {
        let error = token_error(&answer, login.now());
        let refused = matches!(error, LoginError::SessionEnded(_) | LoginError::NotUnderstood(_));
        return if is_older && refused {
            oauth1::refresh(login, old, urgency).await
        } else {
            Err(error)
        };
    }
    let fresh = session(login, &answer, id, &old.obtained_by)?;
    Ok(Session { obtained_at: old.obtained_at, profile: old.profile.clone(), ..fresh })
}

fn asked(
    login: &GarminLogin,
    id: &str,
    accept: &str,
    fields: Vec<(&'static str, SecretString)>,
) -> Result<Request, LoginError> {
    let url = wire::url(&login.endpoints.diauth, PATH, &[])?;
    Ok(wire::native(Method::POST, url)
        .header("authorization", wire::basic(id))
        .header("accept", accept)
        .header("cache-control", "no-cache")
        .body(Body::Form(fields)))
}

/// At the end of a login a wish to wait is a throttled login.
fn throttled(error: LoginError) -> LoginError {
    match error {
        LoginError::RateLimited { retry_after } => LoginError::Throttled { retry_after },
        other => other,
    }
}

/// A session from the token service's answer.
fn session(
    login: &GarminLogin,
    answer: &Answer,
    id: &str,
    word: &str,
) -> Result<Session, LoginError> {
    let tokens: TokenAnswer = answer.json().ok_or_else(no_tokens)?;
    let refresh = tokens.refresh_token.ok_or_else(no_tokens)?;
    let claims: Claims = wire::claims(&tokens.access_token);
    let id = claims.client_id.unwrap_or_else(|| id.to_owned());
    let now = login.now();
    let session = Session {
        expires_at: expiry(now, tokens.expires_in).or_else(|| second(claims.exp)),
        ends_at: expiry(now, tokens.refresh_token_expires_in),
        ..empty(login, word)
    };
    let named =
        [("access_token", tokens.access_token), ("refresh_token", refresh), ("client_id", id)];
    with_tokens(session, named)
}

/// A session of this account without tokens.
pub(super) fn empty(login: &GarminLogin, word: &str) -> Session {
    Session {
        format: FORMAT.to_owned(),
        platform: login.account.platform.clone(),
        region: login.region.id.to_owned(),
        profile: None,
        hosts: login.endpoints.token_hosts(),
        obtained_by: word.to_owned(),
        obtained_at: login.now(),
        renewed_at: login.now(),
        expires_at: None,
        ends_at: None,
        renewing_since: None,
        tokens: BTreeMap::new(),
    }
}

/// The session with these tokens, if they can be tokens.
pub(super) fn with_tokens<const N: usize>(
    session: Session,
    named: [(&str, String); N],
) -> Result<Session, LoginError> {
    let tokens = named.map(|(name, token)| (name.to_owned(), Token::new(token)));
    let session = Session { tokens: BTreeMap::from(tokens), ..session };
    if session.is_sound() { Ok(session) } else { Err(no_tokens()) }
}

pub(super) fn no_tokens() -> LoginError {
    LoginError::NotUnderstood("what should be tokens is none".to_owned())
}

/// So many seconds from now; what is beyond all sense is no time.
pub(super) fn expiry(now: Timestamp, seconds: Option<u64>) -> Option<Timestamp> {
    let seconds = i64::try_from(seconds?).ok()?;
    now.checked_add(SignedDuration::from_secs(seconds)).ok()
}

/// A second of the epoch.
pub(super) fn second(second: Option<i64>) -> Option<Timestamp> {
    Timestamp::from_second(second?).ok()
}

/// A token of a session, to be sent.
pub(super) fn token(session: &Session, name: &str) -> SecretString {
    SecretString::from(session.token(name).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_times_are_none() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(expiry(now, Some(60)), second(Some(60)));
        assert_eq!(expiry(now, Some(u64::MAX)), None);
        assert_eq!(second(Some(i64::MAX)), None);
    }
}
