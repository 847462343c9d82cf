//! Keeps an account's session: gives it to the open platform, renews it under the account's lock,
//! saves it before it is used, and logs in where that needs nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::domain::ProfileId;
use crate::manifest::Account;
use crate::net::{Again, Patience};
use crate::vault::{Session, SessionLock, Vault, VaultError};

use super::login::{Ask, CodeUse, Ending, LoggedIn, Login, LoginError, TokenFile};
use super::{AuthFailure, PlatformError};

/// Tokens that end sooner are renewed before they are used.
const MARGIN: SignedDuration = SignedDuration::from_mins(15);

/// Keeps the session of one account.
pub struct Keeper {
    account: Arc<Account>,
    vault: Vault,
    login: Arc<dyn Login>,
    ask: Arc<dyn Ask>,
    clock: Arc<dyn Clock>,
    patience: Patience,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    session: Option<Session>,
    /// What this run's own login came to.
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
pub enum Entered {
    /// The stored session works; the login was not touched.
    Stored(Session),
    /// By a new login, or tokens taken over.
    Anew(Session),
}

impl Entered {
    /// The session, however it came.
    pub fn session(&self) -> &Session {
        match self {
            Self::Stored(session) | Self::Anew(session) => session,
        }
    }
}

impl Keeper {
    /// Keeps the session of this account; `ask` answers what logins need.
    pub fn new(
        account: Arc<Account>,
        login: Arc<dyn Login>,
        vault: Vault,
        ask: Arc<dyn Ask>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let patience = Patience::new(Arc::clone(&clock), 0);
        Self { account, vault, login, ask, clock, patience, kept: Mutex::default() }
    }

    /// A session that can be used now.
    ///
    /// # Errors
    /// If there is none and none can be had without a person.
    pub async fn session(&self) -> Result<Session, PlatformError> {
        let mut kept = self.kept.lock().await;
        if let Some(session) = kept.session.as_ref().filter(|session| self.is_fresh(session)) {
            return Ok(session.clone());
        }
        let session = match self.stored_or_renewed().await {
            Err(LoginError::Over(ending)) => self.log_in_alone(&mut kept, ending).await,
            other => other,
        };
        let session = session.map_err(platform_error)?;
        kept.session = Some(session.clone());
        Ok(session)
    }

    /// Another session than one that the platform did not accept.
    ///
    /// # Errors
    /// If there is none and none can be had without a person.
    pub async fn another(&self, refused: &Session) -> Result<Session, PlatformError> {
        let mut kept = self.kept.lock().await;
        if let Some(session) = kept.session.as_ref().filter(|kept| kept.tokens != refused.tokens) {
            return Ok(session.clone());
        }
        let session = match self.renewed_after(refused).await {
            Err(LoginError::Over(ending)) => self.log_in_alone(&mut kept, ending).await,
            other => other,
        };
        let session = session.map_err(platform_error)?;
        kept.session = Some(session.clone());
        Ok(session)
    }

    /// Whose session it is, asked of the platform.
    ///
    /// # Errors
    /// If it does not say, or the session is somebody else's.
    pub async fn profile(&self) -> Result<ProfileId, PlatformError> {
        let session = self.session().await?;
        let probed = match self.login.probe(&session).await {
            Err(LoginError::TokenRejected(_)) => {
                let session = self.another(&session).await?;
                self.login.probe(&session).await
            }
            other => other,
        };
        let profile = probed.map_err(platform_error)?;
        let mut kept = self.kept.lock().await;
        if let Some(session) = kept.session.take() {
            let known = self.known_as(session, profile.clone()).await;
            kept.session = Some(known.map_err(platform_error)?);
        }
        Ok(profile)
    }

    /// Opens the account for a person: by the stored session if it works, else by a login.
    ///
    /// # Errors
    /// If neither is possible.
    pub async fn enter(&self, force: Force) -> Result<Entered, LoginError> {
        if force == Force::No {
            match self.tried().await {
                Ok(session) => return Ok(Entered::Stored(session)),
                Err(
                    LoginError::Over(_) | LoginError::TokenRejected(_) | LoginError::Foreign(_),
                ) => {}
                Err(error) => return Err(error),
            }
        }
        let held = self.lock().await?;
        self.log_in(&held).await.map(Entered::Anew)
    }

    /// Opens the account by way of the person's browser.
    ///
    /// # Errors
    /// If no ticket comes of it.
    pub async fn enter_by_browser(&self) -> Result<Entered, LoginError> {
        let held = self.lock().await?;
        let session = self.login.by_browser(self.ask.as_ref()).await?;
        self.accept(&held, session, None).map(Entered::Anew)
    }

    /// Opens the account by another tool's tokens, which are tried first.
    ///
    /// # Errors
    /// If they are not this account's, or do not work; then what was stored stays.
    pub async fn enter_by_tokens(&self, tokens: &TokenFile) -> Result<Entered, LoginError> {
        let held = self.lock().await?;
        let mut session = self.login.import(tokens)?;
        let mut renewed = false;
        if !self.is_fresh(&session) {
            session = self.renew(&held, &session, Keep::OnceNew).await?;
            renewed = true;
        }
        let probed = match self.login.probe(&session).await {
            Err(LoginError::TokenRejected(_)) if !renewed => {
                session = self.renew(&held, &session, Keep::OnceNew).await?;
                self.login.probe(&session).await
            }
            other => other,
        };
        session.profile = Some(probed?);
        self.accept(&held, session, None).map(Entered::Anew)
    }

    /// The stored session after one request with it.
    async fn tried(&self) -> Result<Session, LoginError> {
        let session = self.stored_or_renewed().await?;
        match self.login.probe(&session).await {
            Ok(profile) => self.known_as(session, profile).await,
            Err(LoginError::TokenRejected(_)) => {
                let session = self.renewed_after(&session).await?;
                let profile = self.login.probe(&session).await?;
                self.known_as(session, profile).await
            }
            Err(error) => Err(error),
        }
    }

    /// The session, once the platform has said whose it is; another one's is not used.
    async fn known_as(
        &self,
        mut session: Session,
        profile: ProfileId,
    ) -> Result<Session, LoginError> {
        match &session.profile {
            Some(known) if *known == profile => Ok(session),
            Some(_) => Err(LoginError::Foreign("the session is another account's now".to_owned())),
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

    /// Whether a session was made for this account's platform, region and hosts.
    pub fn is_for(&self, session: &Session) -> bool {
        session.platform == self.account.platform
            && Some(session.region.as_str()) == self.account.region.as_deref()
            && session.hosts == self.login.hosts()
    }

    /// The stored session, if it was made for this account's hosts.
    fn stored(&self) -> Result<Session, LoginError> {
        let stored = self.vault.session(&self.account.name).map_err(|error| match error {
            damaged @ VaultError::Damaged { .. } => LoginError::Foreign(damaged.to_string()),
            other @ VaultError::Io { .. } => other.into(),
        })?;
        let session = stored.ok_or(LoginError::Over(Ending::None))?;
        if !self.is_for(&session) {
            return Err(LoginError::Foreign(
                "the stored session was made for other hosts, so it is not sent to these"
                    .to_owned(),
            ));
        }
        Ok(session)
    }

    async fn stored_or_renewed(&self) -> Result<Session, LoginError> {
        let session = self.stored()?;
        if self.is_fresh(&session) {
            return Ok(session);
        }
        let held = self.lock().await?;
        let session = self.stored()?;
        if self.is_fresh(&session) {
            return Ok(session);
        }
        match self.renew(&held, &session, Keep::InPlace).await {
            // Good for a few minutes still.
            Err(LoginError::Unavailable(_) | LoginError::RateLimited { .. })
                if session.expires_at.is_some_and(|end| end > self.clock.now()) =>
            {
                Ok(session)
            }
            other => other,
        }
    }

    async fn renewed_after(&self, refused: &Session) -> Result<Session, LoginError> {
        let held = self.lock().await?;
        let session = self.stored()?;
        if session.tokens != refused.tokens {
            return Ok(session);
        }
        self.renew(&held, &session, Keep::InPlace).await
    }

    /// New tokens for old ones. That it was begun is written down first, so that a lost answer is
    /// known for what it is; what it gave is written down before it is used.
    async fn renew(
        &self,
        held: &SessionLock,
        session: &Session,
        keep: Keep,
    ) -> Result<Session, LoginError> {
        if session.is_over(self.clock.now()) {
            return Err(LoginError::Over(Ending::Ended));
        }
        if keep == Keep::InPlace {
            let renewing_since = session.renewing_since.or(Some(self.clock.now()));
            let begun = Session { renewing_since, ..session.clone() };
            self.vault.save(&self.account.name, &begun, held)?;
        }
        let doubtful = AtomicBool::new(session.renewing_since.is_some());
        let judge = |error: &LoginError| match error {
            LoginError::Unavailable(_) => {
                doubtful.store(true, Ordering::Relaxed);
                Again::Soon
            }
            LoginError::RateLimited { retry_after } => Again::After(*retry_after),
            _ => Again::Never,
        };
        let renewed = self.patience.repeat(judge, || self.login.renew(session)).await;
        match renewed {
            Ok(mut fresh) => {
                fresh.profile = fresh.profile.or_else(|| session.profile.clone());
                self.vault.save(&self.account.name, &fresh, held)?;
                tracing::info!("session of {} renewed", self.account.name);
                Ok(fresh)
            }
            Err(LoginError::Over(_)) if doubtful.load(Ordering::Relaxed) => {
                tracing::warn!("{}: {}", self.account.name, Ending::Lost);
                Err(LoginError::Over(Ending::Lost))
            }
            Err(error @ LoginError::Over(_)) if keep == Keep::InPlace => {
                // A clear answer: nothing was interrupted.
                self.vault.save(&self.account.name, session, held)?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// A login by password that needs nobody: once per run, where it is allowed and harmless.
    async fn log_in_alone(&self, kept: &mut Kept, ending: Ending) -> Result<Session, LoginError> {
        match &kept.login {
            None => {}
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok(())) => {
                let ended_again = matches!(ending, Ending::Ended);
                return Err(LoginError::Over(if ended_again { Ending::TakenOver } else { ending }));
            }
        }
        if !self.account.allow_login.unwrap_or(true) {
            return Err(match ending {
                Ending::None => LoginError::NotAllowed,
                Ending::Ended | Ending::Lost | Ending::TakenOver => LoginError::Over(ending),
            });
        }
        let held = self.lock().await?;
        let logins = self.vault.logins(&self.account.name)?;
        if let Some(refused) = logins.refused {
            return Err(LoginError::RefusedBefore(refused));
        }
        if logins.needs_code && !self.ask.has_code(&self.account) {
            return Err(LoginError::NeedsCode);
        }
        let session = self.log_in(&held).await.map_err(|error| match error {
            LoginError::NoCredentials(_) => LoginError::Over(ending),
            other => other,
        });
        kept.login = Some(session.as_ref().map(drop).map_err(Clone::clone));
        session
    }

    /// One login. What it came to is written down, so that nobody repeats what must not be repeated.
    async fn log_in(&self, held: &SessionLock) -> Result<Session, LoginError> {
        let mut logins = self.vault.logins(&self.account.name)?;
        if let Some(until) = logins.cooling_down(self.clock.now()) {
            return Err(LoginError::CoolingDown { until });
        }
        let credentials = self.ask.credentials(&self.account)?;
        let error = match self.login.log_in(&credentials, self.ask.as_ref()).await {
            Ok(LoggedIn { session, code }) => return self.accept(held, session, Some(code)),
            Err(error) => error,
        };
        let error = match error {
            LoginError::Throttled { retry_after } => {
                logins.throttled(self.clock.now(), retry_after);
                let until = logins.cooldown_until.unwrap_or(Timestamp::MAX);
                LoginError::CoolingDown { until }
            }
            LoginError::Refused { why, .. } => {
                logins.refused = Some(why.to_string());
                error
            }
            LoginError::NeedsCode | LoginError::CodeRefused => {
                logins.needs_code = true;
                error
            }
            other => other,
        };
        self.vault.save_logins(&self.account.name, &logins)?;
        Err(error)
    }

    /// Keeps a session that somebody just got.
    fn accept(
        &self,
        held: &SessionLock,
        session: Session,
        code: Option<CodeUse>,
    ) -> Result<Session, LoginError> {
        self.vault.save(&self.account.name, &session, held)?;
        let mut logins = self.vault.logins(&self.account.name)?;
        logins.succeeded();
        if let Some(code) = code {
            logins.needs_code = code == CodeUse::Asked;
        }
        self.vault.save_logins(&self.account.name, &logins)?;
        Ok(session)
    }
}

/// Whether a renewal is of what is stored.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// It is.
    InPlace,
    /// It is of something that is stored only if it can be renewed.
    OnceNew,
}

/// What a login's failure means to who only wanted to use the account.
fn platform_error(error: LoginError) -> PlatformError {
    match error {
        LoginError::Unavailable(why) => PlatformError::Transient(why),
        LoginError::RateLimited { retry_after } => PlatformError::RateLimited { retry_after },
        LoginError::Over(Ending::None) => PlatformError::Auth(AuthFailure::NoSession),
        LoginError::Over(Ending::Ended) => PlatformError::Auth(AuthFailure::Expired),
        other => PlatformError::Auth(AuthFailure::NotOpened(other.to_string())),
    }
}
