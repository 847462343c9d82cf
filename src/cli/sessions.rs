//! What the files of home say about accounts' sessions; nothing is contacted.

use std::time::Duration;

use crate::clock::age;
use crate::manifest::Account;
use crate::platform;
use crate::platform::login::LoginError;
use crate::render::{SessionRow, SessionState};

use super::ask::Person;
use super::context::Context;
use super::failure::{self, Failure};

/// Whether an account has a login at all.
pub fn has_login(account: &Account) -> bool {
    account.platform != "directory"
}

/// What the files of home say about an account's session.
pub fn session_row(context: &Context, account: &Account) -> Result<SessionRow, Failure> {
    let (vault, now) = (context.vault(), context.clock.now());
    let kept = |error: &dyn std::fmt::Display| {
        failure::login(&account.name, &LoginError::Vault(error.to_string()))
    };
    let logins = vault.logins(&account.name).map_err(|error| kept(&error))?;
    let (session, damage) = match vault.session(&account.name) {
        Ok(session) => (session, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let foreign = platform::session_provider(account, &context.opening(Person::Away))
        .ok()
        .flatten()
        .is_some_and(|sessions| session.as_ref().is_some_and(|session| !sessions.is_for(session)));
    let cooldown_until = logins.cooling_down(now);
    let state = match &session {
        Some(session) if !session.is_over(now) && !foreign => SessionState::Ok,
        _ if cooldown_until.is_some() => SessionState::Cooldown,
        Some(_) => SessionState::Expired,
        None => SessionState::None,
    };
    let foreign = foreign.then(|| "made for other hosts than the account's".to_owned());
    let refused = logins.refused.map(|why| format!("last login refused: {why}"));
    let spec = context.catalog.platform(&account.platform);
    let region = account.region.as_deref().unwrap_or_default();
    Ok(SessionRow {
        name: account.name.clone(),
        place: format!("{} {region}", spec.map_or("", |spec| spec.name)),
        email: account.email.clone(),
        state,
        obtained: session.as_ref().map(|s| (s.obtained_at, s.obtained_by.clone())),
        ends_at: session.as_ref().and_then(|session| session.ends_at),
        cooldown_until,
        profile: session.and_then(|session| session.profile),
        trouble: damage.or(foreign).or(refused),
    })
}

/// A session that ends sooner is warned of.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

/// Says which sessions end soon, so that nobody finds out by a failed run.
pub fn warn_of_endings(context: &Context) {
    #[expect(clippy::disallowed_methods, reason = "the command itself has shown its findings")]
    let Ok(manifest) = context.manifest() else { return };
    let now = context.clock.now();
    for account in manifest.accounts.values().filter(|account| has_login(account)) {
        let session = context.vault().session(&account.name).ok().flatten();
        let Some(end) = session.and_then(|session| session.ends_at) else { continue };
        let left = age(end, now);
        if !left.is_zero() && left < SOON {
            let name = &account.name;
            context.printer.note(&format!(
                "warning: the session of {name} ends on {}; log in before with `fit_sync auth --account {name} --force`",
                end.strftime("%Y-%m-%d")
            ));
        }
    }
}
