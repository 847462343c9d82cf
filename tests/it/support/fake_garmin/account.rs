//! What the fake remembers about its one account: cookies, tickets, tokens.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Switches, World};

/// Cookies, tickets and tokens.
#[derive(Default)]
pub(crate) struct Account {
    drawn: u64,
    /// Cookies of pages that were loaded.
    pub(crate) pages: BTreeSet<String>,
    /// Cookies of logins that wait for a code.
    pub(crate) waiting: BTreeSet<String>,
    /// Codes that were sent on demand.
    pub(crate) codes_sent: u32,
    /// Tickets and their services.
    pub(crate) tickets: BTreeMap<String, String>,
    pub(crate) access: BTreeSet<String>,
    /// Refresh tokens and the client ids that they are bound to.
    pub(crate) refresh: BTreeMap<String, String>,
    /// OAuth1 tokens and their secrets.
    pub(crate) older: BTreeMap<String, String>,
}

impl Account {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn
    }

    pub(crate) fn cookie(&mut self) -> String {
        format!("{:08}", self.draw())
    }

    /// A ticket for a service.
    pub(crate) fn ticket(&mut self, word: &str, service: &str, suffix: &str) -> String {
        let ticket = format!("ST-{:07}-{word}ticket-{suffix}", self.draw());
        self.tickets.insert(ticket.clone(), service.to_owned());
        ticket
    }

    /// An access token with claims.
    pub(crate) fn access_token(&mut self, switches: &Switches, client_id: &str) -> String {
        let claims = json!({
            "iss": format!("https://diauth.{}", switches.domain),
            "client_id": client_id,
            "jti": self.draw(),
        });
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        let token = format!(
            "{}.{}.{}access{}",
            part(json!({"alg": "RS256"}).to_string()),
            part(claims.to_string()),
            switches.word,
            self.drawn
        );
        self.access.insert(token.clone());
        token
    }

    /// A refresh token for a client id.
    pub(crate) fn refresh_token(&mut self, switches: &Switches, client_id: &str) -> String {
        let token = format!("{}refresh{:07}", switches.word, self.draw());
        self.refresh.insert(token.clone(), client_id.to_owned());
        token
    }

    /// An OAuth1 token and its secret.
    pub(crate) fn older_token(&mut self, switches: &Switches) -> (String, String) {
        let number = self.draw();
        let token = format!("{}older{number}", switches.word);
        let secret = format!("{}secret{number}", switches.word);
        self.older.insert(token.clone(), secret.clone());
        (token, secret)
    }
}

impl World {
    /// Tokens as python-garminconnect keeps them.
    pub(crate) fn newer_tokens(&mut self) -> Value {
        let id = "GARMIN_CONNECT_MOBILE_ANDROID_DI_2025Q2";
        let Self { switches, account, .. } = self;
        json!({
            "di_token": account.access_token(switches, id),
            "di_refresh_token": account.refresh_token(switches, id),
            "di_client_id": id,
        })
    }

    /// Tokens as garth and dailysync keep them: the lasting one, and the one that it is traded for.
    pub(crate) fn older_tokens(&mut self) -> [Value; 2] {
        let Self { switches, account, .. } = self;
        let (token, secret) = account.older_token(switches);
        let lasting = json!({
            "oauth_token": token,
            "oauth_token_secret": secret,
            "mfa_token": "MFA-1",
            "mfa_expiration_timestamp": "2027-03-18 05:33:02.000",
            "domain": switches.domain,
        });
        let traded = json!({
            "scope": "CONNECT_READ", "jti": "1", "token_type": "Bearer",
            "access_token": account.access_token(switches, "GARMIN_CONNECT_MOBILE_ANDROID_DI"),
            "refresh_token": "older-refresh",
            "expires_in": 75017,
            // 2026-11-20, in the evening.
            "expires_at": 1_795_200_000,
            "refresh_token_expires_in": 2_591_999,
            "refresh_token_expires_at": 1_797_000_000,
        });
        [lasting, traded]
    }
}
