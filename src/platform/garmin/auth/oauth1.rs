//! The older tokens: one OAuth1 token for about a year, traded for OAuth2 again and again. For China,
//! and for sessions of garth and dailysync. Signing is RFC 5849, HMAC-SHA1.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;

use crate::net::{Answer, Body, Method, Request, Urgency, Url, retry_after};
use crate::platform::http;
use crate::platform::login::{EndReason, LoginError};
use crate::vault::{Session, Token};

use super::super::regions::{AUDIENCE, CONSUMER};
use super::super::types::TokenAnswer;
use super::super::wire;
use super::exchange::{empty, expiry, no_tokens, token};
use super::{GarminLogin, Ticket};

/// Everything but letters, digits and `-._~`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a session of this kind consists of besides its OAuth2 token.
const LASTING: [&str; 3] = ["oauth_token", "oauth_token_secret", "mfa_token"];

/// Tokens for a ticket, the older way.
pub(super) async fn trade(
    login: &GarminLogin,
    ticket: &Ticket,
    word: &str,
) -> Result<Session, LoginError> {
    let query = [
        ("ticket", ticket.value.expose_secret()),
        ("login-url", ticket.service.as_str()),
        ("accepts-mfa-tokens", "true"),
    ];
    let path = "/oauth-service/oauth/preauthorized";
    let url = wire::url(&login.endpoints.connectapi, path, &query)?;
    let request = signed(login, Method::GET, url, None, Vec::new());
    let answer =
        login.client.send(request).await.map_err(|error| http::error::login_error(&error))?;
    let answer = accepted(login, answer)?;
    let given: BTreeMap<String, String> =
        url::form_urlencoded::parse(&answer.body).into_owned().collect();
    let mut session = empty(login, word);
    for name in LASTING {
        if let Some(value) = given.get(name) {
            session.tokens.insert(name.to_owned(), Token::new(value.clone()));
        }
    }
    if session.token("oauth_token").is_none() || session.token("oauth_token_secret").is_none() {
        return Err(no_tokens());
    }
    session.ends_at = given.get("mfa_expiration_timestamp").and_then(|text| end_of(text));
    exchanged(login, &session, Some(AUDIENCE), Urgency::Normal).await
}

/// A new OAuth2 token for the lasting one. Nothing rotates, so nothing can be lost.
pub(super) async fn refresh(
    login: &GarminLogin,
    old: &Session,
    urgency: Urgency,
) -> Result<Session, LoginError> {
    exchanged(login, old, None, urgency).await
}

async fn exchanged(
    login: &GarminLogin,
    session: &Session,
    audience: Option<&str>,
    urgency: Urgency,
) -> Result<Session, LoginError> {
    let path = "/oauth-service/oauth/exchange/user/2.0";
    let url = wire::url(&login.endpoints.connectapi, path, &[])?;
    let mut fields = Vec::new();
    if let Some(audience) = audience {
        fields.push(("audience", SecretString::from(audience)));
    }
    if session.token("mfa_token").is_some() {
        fields.push(("mfa_token", token(session, "mfa_token")));
    }
    let request = signed(login, Method::POST, url, Some(session), fields).urgency(urgency);
    let answer =
        login.client.send(request).await.map_err(|error| http::error::login_error(&error))?;
    let tokens: TokenAnswer = accepted(login, answer)?.json().ok_or_else(no_tokens)?;
    let mut fresh = session.clone();
    fresh.tokens.retain(|name, _| LASTING.contains(&name.as_str()));
    fresh.tokens.insert("access_token".to_owned(), Token::new(tokens.access_token));
    fresh.expires_at = expiry(login.now(), tokens.expires_in);
    fresh.renewed_at = login.now();
    fresh.renewing_since = None;
    if fresh.is_sound() { Ok(fresh) } else { Err(no_tokens()) }
}

/// `2027-03-18 05:33:02.000`, in UTC.
pub(super) fn end_of(text: &str) -> Option<jiff::Timestamp> {
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

fn accepted(login: &GarminLogin, answer: Answer) -> Result<Answer, LoginError> {
    match answer.status {
        200 => Ok(answer),
        400 | 401 => Err(LoginError::SessionEnded(EndReason::Ended)),
        403 => Err(LoginError::Blocked("403 from the token service".to_owned())),
        429 => Err(LoginError::RateLimited { retry_after: retry_after(&answer, login.now()) }),
        status @ 500..=599 => {
            Err(LoginError::Unavailable(format!("the token service answered {status}")))
        }
        status => Err(LoginError::NotUnderstood(format!("the token service answered {status}"))),
    }
}

fn signed(
    login: &GarminLogin,
    method: Method,
    url: Url,
    session: Option<&Session>,
    fields: Vec<(&'static str, SecretString)>,
) -> Request {
    let secret = session.map(|session| token(session, "oauth_token_secret"));
    let signature = Signature {
        consumer: CONSUMER,
        token: session.and_then(|session| session.token("oauth_token")),
        token_secret: secret.as_ref().map_or("", |secret| secret.expose_secret()),
        nonce: &hex::encode((login.random)()),
        timestamp: login.now().as_second(),
    };
    let form = fields.iter().map(|(name, value)| (*name, value.expose_secret()));
    let header = signature.header(&method, &url, form);
    let request = Request::new(method, url)
        .header("user-agent", "com.garmin.android.apps.connectmobile")
        .header("authorization", header);
    if fields.is_empty() { request } else { request.body(Body::Form(fields)) }
}

/// What signs a request.
struct Signature<'a> {
    consumer: (&'a str, &'a str),
    token: Option<&'a str>,
    token_secret: &'a str,
    nonce: &'a str,
    timestamp: i64,
}

impl Signature<'_> {
    fn header<'f>(
        &self,
        method: &Method,
        url: &Url,
        form: impl Iterator<Item = (&'f str, &'f str)>,
    ) -> String {
        let timestamp = self.timestamp.to_string();
        let mut oauth = vec![
            ("oauth_consumer_key", self.consumer.0),
            ("oauth_nonce", self.nonce),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", &timestamp),
        ];
        if let Some(token) = self.token {
            oauth.push(("oauth_token", token));
        }
        let mut all: Vec<(String, String)> =
            oauth.iter().map(|(name, value)| (encoded(name), encoded(value))).collect();
        all.extend(url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value))));
        all.extend(form.map(|(name, value)| (encoded(name), encoded(value))));
        let signature = encoded(&self.sign(&base_string(method, url, all)));
        let mut parts: Vec<String> =
            oauth.iter().map(|(name, value)| format!("{name}=\"{}\"", encoded(value))).collect();
        parts.push(format!("oauth_signature=\"{signature}\""));
        format!("OAuth {}", parts.join(", "))
    }

    fn sign(&self, text: &str) -> String {
        let key = format!("{}&{}", encoded(self.consumer.1), encoded(self.token_secret));
        // A key of any length serves.
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

fn base_string(method: &Method, url: &Url, mut parameters: Vec<(String, String)>) -> String {
    parameters.sort();
    let parameters: Vec<String> =
        parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    format!("{method}&{}&{}", encoded(bare.as_str()), encoded(&parameters.join("&")))
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5849, section 1.2: the request for the photo.
    #[test]
    fn the_example_of_the_standard_is_signed_as_it_says() {
        let signature = Signature {
            consumer: ("dpf43f3p2l4k3l03", "kd94hf93k423kf44"),
            token: Some("nnch734d00sl2jdk"),
            token_secret: "pfkkdhi9sl3r4s00",
            nonce: "chapoH",
            timestamp: 137_131_202,
        };
        let url =
            Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
        let header = signature.header(&Method::GET, &url, std::iter::empty());
        let signed = "oauth_signature=\"MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D\"";
        assert!(header.contains(signed), "{header}");
    }

    /// RFC 5849, section 3.4.1.1: names and values of query and form together.
    #[test]
    fn the_base_string_of_the_standard_is_built_as_it_says() {
        let url = Url::parse("http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b").unwrap();
        let mut all: Vec<(String, String)> = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
            ("c2", ""),
            ("a3", "2 q"),
        ]
        .iter()
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
        all.extend(url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value))));
        assert_eq!(
            base_string(&Method::POST, &url, all),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D\
             %25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e\
             4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9\
             d7dh3k39sjv7"
        );
    }

    #[test]
    fn the_end_of_an_older_token_is_utc() {
        let end = end_of("2027-03-18 05:33:02.000").unwrap();
        assert_eq!(end.to_string(), "2027-03-18T05:33:02Z");
        assert_eq!(end_of("soon"), None);
    }
}
