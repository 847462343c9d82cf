//! What the fake remembers about its one account: cookies, tickets, tokens.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::Switches;

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
