//! Logins: with a person or unattended, once, and never where the last one says to leave them alone.

use std::time::Duration;

use crate::platform::login::{CodeUse, EndReason, LoggedIn, LoginError};
use crate::vault::{Logins, Session, SessionLock};

use super::{Current, SessionProvider};

impl SessionProvider {
    /// Logs in by password without a person: once per run, where it is allowed and harmless.
    pub(super) async fn log_in_unattended(
        &self,
        current: &mut Current,
        reason: EndReason,
    ) -> Result<Session, LoginError> {
        match &current.login {
            None => {}
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok(())) => {
                let has_ended_again = matches!(reason, EndReason::Ended);
                let reason = if has_ended_again { EndReason::TakenOver } else { reason };
                return Err(LoginError::SessionEnded(reason));
            }
        }
        if !self.account.allow_login.unwrap_or(true) {
            return Err(match reason {
                EndReason::None => LoginError::NotAllowed,
                EndReason::Ended | EndReason::Lost | EndReason::TakenOver => {
                    LoginError::SessionEnded(reason)
                }
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
            LoginError::NoCredentials(_) => LoginError::SessionEnded(reason),
            other => other,
        });
        current.login = Some(session.as_ref().map(drop).map_err(Clone::clone));
        session
    }

    /// Logs in once. A failure that must not be repeated is persisted.
    pub(super) async fn log_in(&self, held: &SessionLock) -> Result<Session, LoginError> {
        let mut logins = self.vault.logins(&self.account.name)?;
        if let Some(until) = logins.cooling_down(self.clock.now()) {
            return Err(LoginError::CoolingDown { reason: logins.cooldown_reason, until });
        }
        let credentials = self.ask.credentials(&self.account)?;
        let error = match self.login.log_in(&credentials, self.ask.as_ref()).await {
            Ok(LoggedIn { session, code }) => return self.accept(held, session, Some(code)),
            Err(error) => error,
        };
        let error = match error {
            LoginError::Throttled { retry_after } => {
                let reason = "logins of this account were throttled".to_owned();
                self.cool_down(&mut logins, reason, retry_after)
            }
            // Each further try of a program makes a gateway surer.
            LoginError::Blocked(_) => self.cool_down(&mut logins, error.to_string(), None),
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

    fn cool_down(
        &self,
        logins: &mut Logins,
        reason: String,
        asked: Option<Duration>,
    ) -> LoginError {
        let until = logins.cool_down(self.clock.now(), reason.clone(), asked);
        LoginError::CoolingDown { reason, until }
    }

    /// Persists a session that a login or an import gave.
    pub(super) fn accept(
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
