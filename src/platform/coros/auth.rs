//! Logging in to COROS: by the form that the website sends, by the older one only where the server
//! does not know the newer, with a code where the account asks for one, or by a browser's token.
//!
//! Never by the mobile app's login, which would log the phone out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use bcrypt::Version;
use md5::{Digest as _, Md5};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::domain::ProfileId;
use crate::manifest::Account;
use crate::net::{Answer, Body, Client, Method, Request, Urgency, Url};
use crate::platform::http;
use crate::platform::login::{
    Ask, CodeRequest, CodeUse, Credentials, EndReason, LoggedIn, Login, LoginError, TokenFile,
};
use crate::vault::{FORMAT, Session, Token};

use super::error::{Meaning, login_error, meaning};
use super::regions::{self, Endpoints, Region};
use super::types::{AccountData, id};
use super::wire;

/// Codes that a person may try.
const MAX_CODES: u32 = 3;
/// As the website hashes: two prefixes are in use, this is bcryptjs' own.
const COST: u32 = 10;

/// Names of a session's tokens.
pub(super) const ACCESS: &str = "access_token";
pub(super) const USER: &str = "user_id";
const REGION: &str = "region_id";

/// COROS' login for one account.
pub(in crate::platform) struct CorosLogin {
    pub(super) account: Arc<Account>,
    pub(super) region: &'static Region,
    pub(super) endpoints: Endpoints,
    pub(super) client: Client,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Fn() -> [u8; 16] + Send + Sync>,
}

/// The region where a session's account lives: as COROS said, else as configured.
pub(super) fn region_of(session: &Session) -> &'static Region {
    let numbered = session.token(REGION).and_then(regions::numbered);
    numbered.unwrap_or_else(|| regions::region(Some(&session.region)))
}

#[async_trait]
impl Login for CorosLogin {
    fn hosts(&self) -> BTreeSet<String> {
        self.endpoints.token_hosts()
    }

    async fn log_in(&self, with: &Credentials, ask: &dyn Ask) -> Result<LoggedIn, LoginError> {
        let data = self.entered(with).await?;
        if data.two_factor_required == Some(true) {
            let session = self.by_code(data, ask).await?;
            return Ok(LoggedIn { session, code: CodeUse::Asked });
        }
        let session = self.opened(data, "password").await?;
        Ok(LoggedIn { session, code: CodeUse::NotAsked })
    }

    async fn by_browser(&self, _ask: &dyn Ask) -> Result<Session, LoginError> {
        Err(LoginError::Unsupported(
            "COROS sends no ticket back: log in to the Training Hub in your browser and give its \
             cookie CPL-coros-token by --token-stdin",
        ))
    }

    fn import(&self, tokens: &TokenFile) -> Result<Session, LoginError> {
        if tokens.form.is_some() {
            return Err(LoginError::Unsupported("these are Garmin's tokens, not COROS'"));
        }
        let text = tokens.files.first().map_or("", |(_, text)| text.expose_secret().trim());
        let (token, region) = from_browser(text)?;
        let region = region.as_deref().map_or(Ok(self.region), |number| self.obeyed(number))?;
        Ok(self.session(&token, region, None, "token"))
    }

    async fn refresh(&self, _: &Session, _: Urgency) -> Result<Session, LoginError> {
        // There is nothing to refresh a token with.
        Err(LoginError::SessionEnded(EndReason::Ended))
    }

    async fn probe(&self, session: &Session) -> Result<ProfileId, LoginError> {
        let data = self.queried(session).await?;
        let user = id(&data.user_id).ok_or_else(|| not_understood("no userId"))?;
        Ok(ProfileId::of_account("coros", region_of(session).id, &user))
    }
}

impl CorosLogin {
    /// What the login answers, by the newer form; by the older one if its fields are not known.
    async fn entered(&self, with: &Credentials) -> Result<AccountData, LoginError> {
        let base = self.endpoints.api(self.region);
        let answer = self.post(&base, "/account/login", self.newer_form(with)?).await?;
        let mut found = (meaning(&answer), answer);
        if matches!(found.0, Meaning::Parameters) {
            tracing::info!("{}: the login does not take the newer form", self.account.name);
            let answer = self.post(&base, "/account/login", older_form(with)).await?;
            found = (meaning(&answer), answer);
        }
        self.data(&found.0, &found.1)
    }

    fn newer_form(&self, with: &Credentials) -> Result<Value, LoginError> {
        let hashed = bcrypt::hash_with_salt(md5_hex(&with.password), COST, (self.random)())
            .map_err(|_| not_understood("the password cannot be hashed"))?;
        let hash = hashed.format_for_version(Version::TwoA);
        let salt = hash.get(..29).unwrap_or_default();
        Ok(json!({
            "account": with.email,
            "accountType": account_type(&with.email),
            "p1": hash,
            "p2": salt,
        }))
    }

    /// The rest of a login with two factors, on the host of the account's own region.
    async fn by_code(&self, data: AccountData, ask: &dyn Ask) -> Result<Session, LoginError> {
        let region = id(&data.region_id).map_or(Ok(self.region), |number| self.obeyed(&number))?;
        let base = self.endpoints.api(region);
        let mail = json!({
            "account": data.account,
            "codeType": 20,
            "lengthType": 2,
            "accountType": "2",
        });
        let answer = self.post(&base, "/account/captcha", mail).await?;
        self.accepted(&meaning(&answer), &answer)?;
        for attempt in 1..=MAX_CODES {
            // What needs no person gives the same code again.
            if attempt > 1 && ask.has_code(&self.account) {
                break;
            }
            let request = CodeRequest { way: "e-mail".to_owned(), attempt };
            let code = ask.code(&self.account, &request)?.ok_or(LoginError::NeedsCode)?;
            let given = json!({
                "loginTicket": data.login_ticket,
                "appKey": data.app_key,
                "code": code.expose_secret(),
            });
            let answer = self.post(&base, "/account/2fa/login/verify", given).await?;
            let found = meaning(&answer);
            if matches!(found, Meaning::Code) {
                continue;
            }
            let mut verified = self.data(&found, &answer)?;
            let is_silent = id(&verified.region_id).is_none();
            if is_silent {
                verified.region_id = data.region_id;
            }
            if id(&verified.user_id).is_none() {
                verified.user_id = data.user_id;
            }
            return self.opened(verified, "code").await;
        }
        Err(LoginError::CodeRefused)
    }

    /// A session of what a login answered. What the answer does not say is asked for.
    async fn opened(&self, data: AccountData, word: &str) -> Result<Session, LoginError> {
        let token = data.access_token.filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| not_understood("no accessToken"))?;
        let mut region = self.region;
        if let Some(number) = id(&data.region_id) {
            region = self.obeyed(&number)?;
        }
        let mut user = id(&data.user_id);
        let mut session = self.session(&token, region, user.as_deref(), word);
        if user.is_none() || id(&data.region_id).is_none() {
            let asked = self.queried(&session).await?;
            if let Some(number) = id(&asked.region_id) {
                region = self.obeyed(&number)?;
            }
            user = user.or_else(|| id(&asked.user_id));
            session = self.session(&token, region, user.as_deref(), word);
        }
        let user = user.ok_or_else(|| not_understood("no userId"))?;
        session.profile = Some(ProfileId::of_account("coros", region.id, &user));
        Ok(session)
    }

    /// The region that COROS names, which counts more than the manifest's.
    fn obeyed(&self, number: &str) -> Result<&'static Region, LoginError> {
        let Some(region) = regions::numbered(number) else {
            let words = format!("the account lives in a region {number}, which is not known here");
            return Err(not_understood(&words));
        };
        if region.id == self.region.id {
            return Ok(region);
        }
        if self.endpoints.are_given() {
            return Err(LoginError::WrongHost(format!(
                "this account lives in COROS' region '{}', but its endpoints are those of '{}'",
                region.id, self.region.id
            )));
        }
        let (name, own) = (&self.account.name, region.id);
        tracing::warn!("{name}: lives in COROS' region '{own}', which is used");
        Ok(region)
    }

    fn session(&self, token: &str, region: &Region, user: Option<&str>, word: &str) -> Session {
        let now = self.clock.now();
        let mut tokens = BTreeMap::from([
            (ACCESS.to_owned(), Token::new(token)),
            (REGION.to_owned(), Token::new(region.number)),
        ]);
        if let Some(user) = user {
            tokens.insert(USER.to_owned(), Token::new(user));
        }
        Session {
            format: FORMAT.to_owned(),
            platform: "coros".to_owned(),
            region: self.region.id.to_owned(),
            profile: None,
            hosts: self.hosts(),
            obtained_by: word.to_owned(),
            obtained_at: now,
            renewed_at: now,
            expires_at: None,
            ends_at: None,
            renewing_since: None,
            tokens,
        }
    }

    /// `account/query`: whose token it is.
    async fn queried(&self, session: &Session) -> Result<AccountData, LoginError> {
        let url = address(&self.endpoints.api(region_of(session)), "/account/query")?;
        let token = session.token(ACCESS).unwrap_or_default();
        let answer =
            self.sent(wire::browser(Method::GET, url).header("accesstoken", token)).await?;
        self.data(&meaning(&answer), &answer).map_err(|error| match error {
            // Not at the login: nothing to leave alone for hours.
            LoginError::Throttled { retry_after } => LoginError::RateLimited { retry_after },
            other => other,
        })
    }

    async fn post(&self, base: &str, path: &str, body: Value) -> Result<Answer, LoginError> {
        self.sent(wire::browser(Method::POST, address(base, path)?).body(Body::Json(body))).await
    }

    async fn sent(&self, request: Request) -> Result<Answer, LoginError> {
        self.client.send(request).await.map_err(|error| http::error::login_error(&error))
    }

    fn accepted(&self, found: &Meaning, answer: &Answer) -> Result<(), LoginError> {
        match found {
            Meaning::Data(_) => Ok(()),
            _ => Err(login_error(found, answer, self.clock.now())),
        }
    }

    fn data(&self, found: &Meaning, answer: &Answer) -> Result<AccountData, LoginError> {
        self.accepted(found, answer)?;
        let Meaning::Data(data) = found else { return Err(not_understood("no data")) };
        serde_json::from_value(data.clone()).map_err(|_| not_understood("other data"))
    }
}

fn older_form(with: &Credentials) -> Value {
    json!({
        "account": with.email,
        "accountType": account_type(&with.email),
        "pwd": md5_hex(&with.password),
    })
}

/// A phone number is another type of account than an address.
fn account_type(account: &str) -> u8 {
    let is_phone = !account.is_empty() && account.chars().all(|c| c.is_ascii_digit());
    if is_phone { 1 } else { 2 }
}

/// Of the exact bytes.
fn md5_hex(password: &SecretString) -> String {
    hex::encode(Md5::digest(password.expose_secret().as_bytes()))
}

fn address(base: &str, path: &str) -> Result<Url, LoginError> {
    wire::url(base, path, &[]).ok_or_else(|| not_understood("an address of the platform is none"))
}

fn not_understood(what: &str) -> LoginError {
    LoginError::NotUnderstood(format!("COROS' login: {what}"))
}

/// A browser's token: alone, or among cookies that may name its region.
fn from_browser(text: &str) -> Result<(String, Option<String>), LoginError> {
    let cookie = |name: &str| {
        let pairs = text.split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.trim().to_owned()).next()
    };
    let token = cookie("CPL-coros-token").unwrap_or_else(|| text.to_owned());
    let is_token = token.len() >= 8 && token.chars().all(|c| c.is_ascii_graphic() && c != ';');
    if !is_token || token.starts_with('{') {
        let words = "that is no token: copy the value of the cookie CPL-coros-token".to_owned();
        return Err(LoginError::NoToken(words));
    }
    Ok((token, cookie("CPL-coros-region")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_s_token_comes_alone_or_among_cookies() {
        let token = "XY12345678ABCDEF".to_owned();
        assert_eq!(from_browser(&token).unwrap(), (token.clone(), None));
        let cookies = "lang=en; CPL-coros-token=XY12345678ABCDEF; CPL-coros-region=2";
        assert_eq!(from_browser(cookies).unwrap(), (token, Some("2".to_owned())));
        for other in ["", "short", "two words here", "{\"di_token\": 1}"] {
            assert!(from_browser(other).is_err(), "{other}");
        }
    }

    #[test]
    fn passwords_are_hashed_as_they_are() {
        let hashed = md5_hex(&SecretString::from("pässword "));
        assert_eq!(hashed.len(), 32);
        assert_ne!(hashed, md5_hex(&SecretString::from("pässword")));
        assert_eq!(md5_hex(&SecretString::from("")), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn a_phone_number_is_another_type_of_account() {
        assert_eq!(account_type("13800138000"), 1);
        assert_eq!(account_type("me@example.com"), 2);
    }
}
