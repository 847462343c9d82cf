//! Provides an account's session. Refreshes tokens under the account's lock, persists them before
//! use, and logs in unattended where the account allows it.

mod logins;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::domain::ProfileId;
use crate::manifest::Account;
use crate::net::{Retry, RetryPolicy, Urgency};
use crate::vault::{Session, SessionLock, Vault, VaultError};

use super::login::{Ask, EndReason, Login, LoginError, TokenFile};
use super::{AuthFailure, PlatformError, exhausted};

/// Tokens that end sooner are refreshed before they are used.
const MARGIN: SignedDuration = SignedDuration::from_mins(15);

/// Provides the session of one account.
pub struct SessionProvider {
    account: Arc<Account>,
    vault: Vault,
    login: Arc<dyn Login>,
    ask: Arc<dyn Ask>,
    clock: Arc<dyn Clock>,
    retry: RetryPolicy,
    current: Mutex<Current>,
}

/// What this run has obtained.
#[derive(Default)]
struct Current {
    session: Option<Session>,
    /// The outcome of this run's own login.
    login: Option<Result<(), LoginError>>,
}

/// Whether `auth` logs in although a session works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It does.
    Yes,
    /// It does not.
    No,
}

/// How an account was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The stored session works; the login was not touched.
    Reused(Session),
    /// By a new login, or by imported tokens.
    LoggedIn(Session),
}

impl Opened {
    /// Returns the session, however it was obtained.
    pub fn session(&self) -> &Session {
        match self {
            Self::Reused(session) | Self::LoggedIn(session) => session,
        }
    }
}

impl SessionProvider {
    /// Provides the session of this account; `ask` answers what logins need.
    pub fn new(
        account: Arc<Account>,
        login: Arc<dyn Login>,
        vault: Vault,
        ask: Arc<dyn Ask>,
        clock: Arc<dyn Clock>,
        stop: Cancellation,
    ) -> Self {
        let retry = RetryPolicy::new(Arc::clone(&clock), stop, 0);
        Self { account, vault, login, ask, clock, retry, current: Mutex::default() }
    }

    /// Returns a session that can be used now, for a request of this urgency.
    ///
    /// # Errors
    /// If there is none and none can be obtained unattended.
    pub async fn session(&self, urgency: Urgency) -> Result<Session, PlatformError> {
        let mut current = self.current.lock().await;
        if let Some(session) = current.session.as_ref().filter(|session| self.is_fresh(session)) {
            return Ok(session.clone());
        }
        let session = self.stored_or_refreshed(urgency).await;
        self.keep(&mut current, session).await
    }

    /// Returns another session than one that the platform rejected.
    ///
    /// # Errors
    /// If there is none and none can be obtained unattended.
    pub async fn replace_rejected(
        &self,
        rejected: &Session,
        urgency: Urgency,
    ) -> Result<Session, PlatformError> {
        let mut current = self.current.lock().await;
        let other = current.session.as_ref().filter(|current| current.tokens != rejected.tokens);
        if let Some(session) = other {
            return Ok(session.clone());
        }
        let session = self.refreshed_after(rejected, urgency).await;
        self.keep(&mut current, session).await
    }

    /// Keeps what was obtained for this run; logs in unattended where the session has ended.
    async fn keep(
        &self,
        current: &mut Current,
        obtained: Result<Session, LoginError>,
    ) -> Result<Session, PlatformError> {
        let obtained = match obtained {
            Err(LoginError::SessionEnded(reason)) => self.log_in_unattended(current, reason).await,
            other => other,
        };
        let session = obtained.map_err(platform_error)?;
        current.session = Some(session.clone());
        Ok(session)
    }

    /// Asks the platform whose session it is.
    ///
    /// # Errors
    /// If it does not say, or the session belongs to another account.
    pub async fn profile(&self) -> Result<ProfileId, PlatformError> {
        let session = self.session(Urgency::Normal).await?;
        let probed = match self.login.probe(&session).await {
            Err(LoginError::TokenRejected(_)) => {
                let session = self.replace_rejected(&session, Urgency::Normal).await?;
                self.login.probe(&session).await
            }
            other => other,
        };
        let profile = probed.map_err(platform_error)?;
        let mut current = self.current.lock().await;
        if let Some(session) = current.session.take() {
            let known = self.known_as(session, profile.clone()).await;
            current.session = Some(known.map_err(platform_error)?);
        }
        Ok(profile)
    }

    /// Opens the account for a person: by the stored session if it works, else by a login.
    ///
    /// # Errors
    /// If neither is possible.
    pub async fn open_interactive(&self, force: Force) -> Result<Opened, LoginError> {
        if force == Force::No {
            match self.probed().await {
                Ok(session) => return Ok(Opened::Reused(session)),
                Err(
                    LoginError::SessionEnded(_)
                    | LoginError::TokenRejected(_)
                    | LoginError::WrongAccount
                    | LoginError::WrongHost(_)
                    | LoginError::Damaged(_),
                ) => {}
                Err(error) => return Err(error),
            }
        }
        let held = self.lock().await?;
        self.log_in(&held).await.map(Opened::LoggedIn)
    }

    /// Opens the account by way of the person's browser.
    ///
    /// # Errors
    /// If no ticket comes of it.
    pub async fn open_by_browser(&self) -> Result<Opened, LoginError> {
        let held = self.lock().await?;
        let session = self.login.by_browser(self.ask.as_ref()).await?;
        self.accept(&held, session, None).map(Opened::LoggedIn)
    }

    /// Opens the account by another tool's tokens, which are probed first.
    ///
    /// # Errors
    /// If they are not this account's, or do not work; then what was stored stays.
    pub async fn open_by_tokens(&self, tokens: &TokenFile) -> Result<Opened, LoginError> {
        let held = self.lock().await?;
        let mut session = self.login.import(tokens)?;
        let mut is_refreshed = false;
        if !self.is_fresh(&session) {
            session = self.refresh(&held, &session, Persist::Result, Urgency::Normal).await?;
            is_refreshed = true;
        }
        let probed = match self.login.probe(&session).await {
            Err(LoginError::TokenRejected(_)) if !is_refreshed => {
                session = self.refresh(&held, &session, Persist::Result, Urgency::Normal).await?;
                self.login.probe(&session).await
            }
            other => other,
        };
        session.profile = Some(probed?);
        self.accept(&held, session, None).map(Opened::LoggedIn)
    }

    /// Returns the stored session after one request with it.
    async fn probed(&self) -> Result<Session, LoginError> {
        let session = self.stored_or_refreshed(Urgency::Normal).await?;
        match self.login.probe(&session).await {
            Ok(profile) => self.known_as(session, profile).await,
            Err(LoginError::TokenRejected(_)) => {
                let session = self.refreshed_after(&session, Urgency::Normal).await?;
                let profile = self.login.probe(&session).await?;
                self.known_as(session, profile).await
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the session with its profile; a session of another account is not used.
    async fn known_as(
        &self,
        mut session: Session,
        profile: ProfileId,
    ) -> Result<Session, LoginError> {
        match &session.profile {
            Some(known) if *known == profile => Ok(session),
            Some(_) => Err(LoginError::WrongAccount),
            None => {
                session.profile = Some(profile);
                let held = self.lock().await?;
                self.vault.save(&self.account.name, &session, &held)?;
                Ok(session)
            }
        }
    }

    async fn lock(&self) -> Result<SessionLock, LoginError> {
        Ok(self.vault.lock(&self.account.name).await?)
    }

    fn is_fresh(&self, session: &Session) -> bool {
        let soon = self.clock.now().checked_add(MARGIN).unwrap_or(Timestamp::MAX);
        session.expires_at.is_none_or(|end| end > soon)
    }

    /// Returns whether a session was made for this account's platform, region and hosts.
    pub fn is_for(&self, session: &Session) -> bool {
        session.platform == self.account.platform
            && Some(session.region.as_str()) == self.account.region.as_deref()
            && session.hosts == self.login.hosts()
    }

    /// Returns the stored session, if it was made for this account's hosts.
    fn stored(&self) -> Result<Session, LoginError> {
        let stored = self.vault.session(&self.account.name).map_err(|error| match error {
            damaged @ VaultError::Damaged { .. } => LoginError::Damaged(damaged.to_string()),
            other @ VaultError::Io { .. } => other.into(),
        })?;
        let session = stored.ok_or(LoginError::SessionEnded(EndReason::None))?;
        if !self.is_for(&session) {
            return Err(LoginError::WrongHost(
                "the stored session was made for other hosts, so it is not sent to these"
                    .to_owned(),
            ));
        }
        Ok(session)
    }

    async fn stored_or_refreshed(&self, urgency: Urgency) -> Result<Session, LoginError> {
        let session = self.stored()?;
        if self.is_fresh(&session) {
            return Ok(session);
        }
        let held = self.lock().await?;
        let session = self.stored()?;
        if self.is_fresh(&session) {
            return Ok(session);
        }
        match self.refresh(&held, &session, Persist::Attempt, urgency).await {
            // Good for a few minutes still.
            Err(
                LoginError::Unavailable(_) | LoginError::RateLimited { .. } | LoginError::Cancelled,
            ) if session.expires_at.is_some_and(|end| end > self.clock.now()) => Ok(session),
            other => other,
        }
    }

    async fn refreshed_after(
        &self,
        rejected: &Session,
        urgency: Urgency,
    ) -> Result<Session, LoginError> {
        let held = self.lock().await?;
        let session = self.stored()?;
        if session.tokens != rejected.tokens {
            return Ok(session);
        }
        self.refresh(&held, &session, Persist::Attempt, urgency).await
    }

    /// Trades tokens for new ones. The attempt is persisted first, so that a lost answer is known for
    /// what it is; the result is persisted before it is used.
    async fn refresh(
        &self,
        held: &SessionLock,
        session: &Session,
        persist: Persist,
        urgency: Urgency,
    ) -> Result<Session, LoginError> {
        if session.is_over(self.clock.now()) {
            return Err(LoginError::SessionEnded(EndReason::Ended));
        }
        if persist == Persist::Attempt {
            let renewing_since = session.renewing_since.or(Some(self.clock.now()));
            let begun = Session { renewing_since, ..session.clone() };
            self.vault.save(&self.account.name, &begun, held)?;
        }
        let is_doubtful = AtomicBool::new(session.renewing_since.is_some());
        let judge = |error: &LoginError| match error {
            LoginError::Unavailable(_) => {
                is_doubtful.store(true, Ordering::Relaxed);
                Retry::Backoff
            }
            LoginError::RateLimited { retry_after } => Retry::After(*retry_after),
            _ => Retry::No,
        };
        let refreshed = self.retry.run(judge, || self.login.refresh(session, urgency)).await;
        let is_doubtful = is_doubtful.load(Ordering::Relaxed);
        match refreshed {
            Ok(mut fresh) => {
                fresh.profile = fresh.profile.or_else(|| session.profile.clone());
                self.vault.save(&self.account.name, &fresh, held)?;
                tracing::info!("session of {} refreshed", self.account.name);
                Ok(fresh)
            }
            Err(LoginError::SessionEnded(_)) if is_doubtful => {
                tracing::warn!("{}: {}", self.account.name, EndReason::Lost);
                Err(LoginError::SessionEnded(EndReason::Lost))
            }
            // A clear answer, or nothing was sent: nothing was interrupted.
            Err(error @ (LoginError::SessionEnded(_) | LoginError::Cancelled))
                if persist == Persist::Attempt && !is_doubtful =>
            {
                self.vault.save(&self.account.name, session, held)?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }
}

/// What of a refresh is persisted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Persist {
    /// The attempt and its result: the tokens are the stored ones.
    Attempt,
    /// The result only: the tokens are imported, and stored once they work.
    Result,
}

/// Returns what a login's failure means to a caller that only uses the account. What may be repeated
/// has been.
fn platform_error(error: LoginError) -> PlatformError {
    match error {
        LoginError::Unavailable(message) => PlatformError::Unavailable(message),
        LoginError::RateLimited { retry_after } => {
            exhausted(PlatformError::RateLimited { retry_after })
        }
        LoginError::Cancelled => PlatformError::Cancelled,
        LoginError::SessionEnded(EndReason::None) => PlatformError::Auth(AuthFailure::NoSession),
        LoginError::SessionEnded(EndReason::Ended) => PlatformError::Auth(AuthFailure::Expired),
        other => PlatformError::Auth(AuthFailure::NotOpened(other.to_string())),
    }
}
