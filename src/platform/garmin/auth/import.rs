//! Tokens of other tools: python-garminconnect's file, and the pair of garth and dailysync.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::platform::login::{LoginError, TokenFile, TokenForm};
use crate::vault::{Session, Token};

use super::super::regions::{Region, region_of_domain, region_of_issuer};
use super::super::types::Claims;
use super::super::wire;
use super::GarminLogin;
use super::exchange::{empty, no_tokens, second, with_tokens};
use super::oauth1::end_of;

/// python-garminconnect's file.
#[derive(Deserialize)]
struct Di {
    di_token: String,
    di_refresh_token: String,
    di_client_id: Option<String>,
}

/// The lasting half of garth's pair.
#[derive(Default, Deserialize)]
#[serde(default)]
struct OAuth1 {
    oauth_token: Option<String>,
    oauth_token_secret: Option<String>,
    mfa_token: Option<String>,
    mfa_expiration_timestamp: Option<String>,
    domain: Option<String>,
}

/// The other half.
#[derive(Deserialize)]
struct OAuth2 {
    access_token: String,
    refresh_token: Option<String>,
    expires_at: Option<f64>,
}

/// A session from another tool's tokens; nothing is contacted.
pub(super) fn session(login: &GarminLogin, tokens: &TokenFile) -> Result<Session, LoginError> {
    let documents: Vec<Value> = tokens.files.iter().flat_map(|(_, text)| documents(text)).collect();
    let di = find::<Di>(&documents);
    let pair = find::<OAuth2>(&documents);
    match (tokens.form, di, pair) {
        (None | Some(TokenForm::GarminConnect), Some(di), _) => of_di(login, di),
        (None | Some(TokenForm::Garth), _, Some(newer)) => {
            let older = documents.iter().find(|document| document.get("oauth_token").is_some());
            let older = older.and_then(|older| serde_json::from_value(older.clone()).ok());
            of_pair(login, older.unwrap_or_default(), newer)
        }
        (Some(TokenForm::GarminConnect), None, _) => Err(LoginError::NoToken(
            "there is no garmin_tokens.json with di_token and di_refresh_token in it".to_owned(),
        )),
        (Some(TokenForm::Garth), _, None) => Err(LoginError::NoToken(
            "there is no oauth2_token.json with an access_token in it".to_owned(),
        )),
        (None, None, None) => {
            Err(LoginError::NoToken("there are no Garmin tokens in it".to_owned()))
        }
    }
}

/// The JSON objects in a text: one, several in a list or under names, or the same in base64.
fn documents(text: &SecretString) -> Vec<Value> {
    let text = text.expose_secret().trim();
    let decoded = || STANDARD.decode(text).ok();
    let parsed: Option<Value> =
        serde_json::from_str(text).ok().or_else(|| serde_json::from_slice(&decoded()?).ok());
    match parsed {
        Some(Value::Array(items)) => items,
        Some(Value::Object(fields)) if fields.values().any(Value::is_object) => {
            fields.into_iter().map(|(_, value)| value).filter(Value::is_object).collect()
        }
        Some(object @ Value::Object(_)) => vec![object],
        Some(_) | None => Vec::new(),
    }
}

fn find<T: for<'de> Deserialize<'de>>(documents: &[Value]) -> Option<T> {
    documents.iter().find_map(|document| serde_json::from_value(document.clone()).ok())
}

fn of_di(login: &GarminLogin, di: Di) -> Result<Session, LoginError> {
    let claims: Claims = wire::claims(&di.di_token);
    if let Some(issuer) = claims.iss.as_deref() {
        same_region(login, region_of_issuer(issuer))?;
    }
    let id = di.di_client_id.or(claims.client_id).ok_or_else(no_tokens)?;
    let session =
        Session { expires_at: second(claims.exp), ..empty(login, "import garminconnect") };
    let named =
        [("access_token", di.di_token), ("refresh_token", di.di_refresh_token), ("client_id", id)];
    with_tokens(session, named)
}

fn of_pair(login: &GarminLogin, older: OAuth1, newer: OAuth2) -> Result<Session, LoginError> {
    if let Some(domain) = older.domain.as_deref() {
        same_region(login, region_of_domain(domain))?;
    }
    let claims: Claims = wire::claims(&newer.access_token);
    #[expect(clippy::cast_possible_truncation, reason = "seconds; a cast saturates")]
    let expires = newer.expires_at.map(|at| at as i64);
    let mut session =
        with_tokens(empty(login, "import garth"), [("access_token", newer.access_token)])?;
    let lasting = older.oauth_token.is_some() && older.oauth_token_secret.is_some();
    let mut add = |name: &str, token: Option<String>| {
        if let Some(token) = token.filter(|token| !token.is_empty()) {
            session.tokens.insert(name.to_owned(), Token::new(token));
        }
    };
    add("refresh_token", newer.refresh_token);
    add("client_id", claims.client_id);
    if lasting {
        add("oauth_token", older.oauth_token);
        add("oauth_token_secret", older.oauth_token_secret);
        add("mfa_token", older.mfa_token);
    }
    session.expires_at = second(expires.or(claims.exp));
    session.ends_at = older.mfa_expiration_timestamp.as_deref().and_then(end_of);
    if session.is_sound() { Ok(session) } else { Err(no_tokens()) }
}

/// Tokens of one region are useless, and not sent, in the other.
fn same_region(login: &GarminLogin, theirs: Option<&Region>) -> Result<(), LoginError> {
    match theirs {
        Some(region) if region.id != login.region.id => Err(LoginError::WrongHost(format!(
            "these tokens are for {}, but the account's region is {}",
            region.domain, login.region.id
        ))),
        Some(_) | None => Ok(()),
    }
}
