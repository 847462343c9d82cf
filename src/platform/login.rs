//! Getting and keeping a session: what each platform does in its own way, and what it may need a
//! person for. An open platform holds a session and never asks.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::cancellation::Cancelled;
use crate::domain::ProfileId;
use crate::manifest::Account;
use crate::net::Urgency;
use crate::vault::{CredentialsError, Session, VaultError};

/// How a platform lets people in. Every call is one attempt; nothing is repeated or saved here.
#[async_trait]
pub trait Login: Send + Sync {
    /// Origins that its sessions are for.
    fn hosts(&self) -> BTreeSet<String>;

    /// Logs in by name and password, and tries the new session once.
    async fn log_in(&self, with: &Credentials, ask: &dyn Ask) -> Result<LoggedIn, LoginError>;

    /// Logs in by way of the person's own browser.
    async fn by_browser(&self, ask: &dyn Ask) -> Result<Session, LoginError>;

    /// Takes tokens of another tool over; nothing is contacted.
    fn import(&self, tokens: &TokenFile) -> Result<Session, LoginError>;

    /// Makes new tokens from old ones, for a request of this urgency.
    async fn refresh(&self, session: &Session, urgency: Urgency) -> Result<Session, LoginError>;

    /// Asks the platform whose session it is: one request, none of it at the login.
    async fn probe(&self, session: &Session) -> Result<ProfileId, LoginError>;
}

/// Name and password of an account.
pub struct Credentials {
    /// Login name.
    pub email: String,
    /// Password.
    pub password: SecretString,
}

/// Tokens as another tool keeps them.
pub struct TokenFile {
    /// Whose form they have, if the user said so.
    pub form: Option<TokenForm>,
    /// What was read: one text per file, by the file's name.
    pub files: Vec<(String, SecretString)>,
}

/// How other tools keep Garmin tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenForm {
    /// python-garminconnect's `garmin_tokens.json`.
    GarminConnect,
    /// garth's pair of OAuth tokens, which dailysync keeps too.
    Garth,
}

/// A login that succeeded.
pub struct LoggedIn {
    /// Its profile is known if the platform could be asked.
    pub session: Session,
    /// Whether the platform asked for a one-time code.
    pub code: CodeUse,
}

/// Whether a login took a one-time code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeUse {
    /// It did.
    Asked,
    /// It did not.
    NotAsked,
}

/// Answers what a login may need: a person at a terminal, or the environment alone.
pub trait Ask: Send + Sync {
    /// Name and password.
    ///
    /// # Errors
    /// If they are not set and nobody can be asked.
    fn credentials(&self, account: &Account) -> Result<Credentials, LoginError>;

    /// A one-time code; `None` if there is none without a person. `attempt` counts from 1.
    ///
    /// # Errors
    /// If a command is to give it and does not.
    fn code(
        &self,
        account: &Account,
        request: &CodeRequest,
    ) -> Result<Option<SecretString>, LoginError>;

    /// Whether a code can be had without a person.
    fn has_code(&self, account: &Account) -> bool;

    /// What the person's browser shows after it has been at this address.
    ///
    /// # Errors
    /// If nobody answers.
    fn browser(&self, account: &Account, address: &str) -> Result<SecretString, LoginError>;
}

/// A platform asks for a one-time code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRequest {
    /// Where the platform says that it sent it, or what makes it.
    pub way: String,
    /// From 1; more if the one before was not accepted.
    pub attempt: u32,
}

/// Why there is no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The platform wants something of the account's owner. Trying again makes it worse.
    #[error("{why}{}", quoted(words))]
    Refused {
        /// What.
        why: Refusal,
        /// In the platform's words, without secrets; may be empty.
        words: String,
    },
    /// A one-time code is needed, and there is none without a person.
    #[error("the account asks for a one-time code, and nobody is here to give it")]
    NeedsCode,
    /// None of the codes was accepted.
    #[error("the one-time code was not accepted")]
    CodeRefused,
    /// Name or password is not set.
    #[error("no {0} is set, and nobody is here to give it")]
    NoCredentials(&'static str),
    /// Name or password is set, but cannot be had.
    #[error("{0}")]
    Credentials(String),
    /// Too many logins.
    #[error("the platform throttles logins of this account")]
    Throttled {
        /// As it asked for, if it did.
        retry_after: Option<Duration>,
    },
    /// A login that was throttled or blocked is not repeated before.
    #[error("{reason}; the login is left alone until {until:.0}")]
    CoolingDown {
        /// What happened to it.
        reason: String,
        /// When it may be tried again.
        until: Timestamp,
    },
    /// An earlier login was refused, and only a person may try again.
    #[error("the last login was refused ({0}), so none is tried without a person")]
    RefusedBefore(String),
    /// The manifest does not let this command log in.
    #[error("there is no session, and allow_login is false")]
    NotAllowed,
    /// A gateway lets nobody through.
    #[error("the platform's gateway blocks this login ({0})")]
    Blocked(String),
    /// A new token that its own platform does not take.
    #[error("the platform gave a token that its API rejects{}", quoted(.0))]
    TokenRejected(String),
    /// The session is over for good.
    #[error("{0}")]
    SessionEnded(EndReason),
    /// The session belongs to another account.
    #[error("the session is another account's now")]
    WrongAccount,
    /// The session, the tokens or the request are for other hosts, or for another region.
    #[error("{0}")]
    WrongHost(String),
    /// The stored session cannot be read.
    #[error("{0}")]
    Damaged(String),
    /// What was given holds no ticket or token.
    #[error("{0}")]
    NoToken(String),
    /// Not reached, or failed on its side.
    #[error("not available: {0}")]
    Unavailable(String),
    /// Too many requests; not at the login.
    #[error("rate limited")]
    RateLimited {
        /// As it asked for, if it did.
        retry_after: Option<Duration>,
    },
    /// A stop came first: nothing was done.
    #[error("stopped before it was sent")]
    Cancelled,
    /// The answer is not what the protocol says.
    #[error("answer not understood: {0}")]
    NotUnderstood(String),
    /// The session cannot be kept.
    #[error("the session cannot be kept: {0}")]
    Vault(String),
    /// This platform has no such way in.
    #[error("{0}")]
    Unsupported(&'static str),
}

/// What a platform wants of an account's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Name or password is wrong.
    #[error("the e-mail address or the password is wrong")]
    WrongPassword,
    /// Wrong, or a robot is suspected; the answer does not tell.
    #[error("the login form came back: the password is wrong, or the login is blocked")]
    WrongOrBlocked,
    /// Too many wrong passwords.
    #[error("the account is locked")]
    Locked,
    /// A robot is suspected.
    #[error("the platform wants a captcha solved")]
    Captcha,
    /// Terms or privacy.
    #[error("the platform wants its terms accepted")]
    Consent,
    /// The profile lacks a phone number.
    #[error("the platform wants the phone number updated")]
    PhoneNumber,
    /// A child's account has no login of its own.
    #[error("this is a child or family account, which cannot log in here")]
    ChildAccount,
    /// A new password is due.
    #[error("the platform wants a new password set")]
    NewPassword,
    /// Anything else.
    #[error("the platform refuses the login")]
    Other,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// Nobody has logged in yet.
    #[error("there is no session")]
    None,
    /// In its own time, or ended by the platform.
    #[error("the session has ended")]
    Ended,
    /// The answer to a renewal was lost, and with it the only good token.
    #[error("the session was lost when its renewal was interrupted; one new login is needed")]
    Lost,
    /// By the platform, soon after this run's own login.
    #[error(
        "the session of this run's own login was ended too: somebody else uses the account, perhaps \
         its web page"
    )]
    TakenOver,
}

impl From<Cancelled> for LoginError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<VaultError> for LoginError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error.to_string())
    }
}

impl From<CredentialsError> for LoginError {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error.to_string())
    }
}

fn quoted(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(": \"{words}\"") }
}

/// Answers nothing: where no account has a login.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Ask for Nobody {
    fn credentials(&self, _account: &Account) -> Result<Credentials, LoginError> {
        Err(LoginError::NoCredentials("password"))
    }

    fn code(
        &self,
        _account: &Account,
        _request: &CodeRequest,
    ) -> Result<Option<SecretString>, LoginError> {
        Ok(None)
    }

    fn has_code(&self, _account: &Account) -> bool {
        false
    }

    fn browser(&self, _account: &Account, _address: &str) -> Result<SecretString, LoginError> {
        Err(LoginError::NoToken("nobody is here to use a browser".to_owned()))
    }
}
