//! COROS Training Hub: United States, China, Europe, Singapore.
//!
//! There is no public API: this speaks as the website does. One token is shared by all requests and
//! used until it is refused. Uploads go through the website's storage credentials to an object store
//! and are believed only when they are listed. Regions are rows of a table (`regions`), answers become
//! errors in one place (`error`).
//!
//! Knows no other platform, no state, no plan and no prompt.

mod api;
mod auth;
mod error;
mod import;
mod listing;
mod platform;
mod regions;
mod row;
mod sign;
pub(super) mod spec;
mod types;
mod wire;

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::manifest::Account;
use crate::net::{Client, Hosts, Pace, RetryPolicy, Settings};

use super::Platform;
use super::pacing::pacing;
use super::registry::{OpenError, Opening};
use super::session_provider::SessionProvider;

use api::Api;
use auth::CorosLogin;
use platform::Coros;
use regions::Endpoints;

/// What keeps an account's session.
pub(super) fn session_provider(
    account: &Account,
    opening: &Opening,
) -> Result<SessionProvider, OpenError> {
    let pace = pace(account, opening);
    Ok(kept(login(account, opening, &pace)?, opening))
}

/// Opens an account, without contacting anything yet.
pub(super) fn open(account: &Account, opening: &Opening) -> Result<Arc<dyn Platform>, OpenError> {
    let pace = pace(account, opening);
    let login = login(account, opening, &pace)?;
    let (endpoints, client) = (login.endpoints.clone(), login.client.clone());
    let region = login.region;
    let files = client_for(account, endpoints.file_hosts(), &pace, opening)?;
    let sessions = kept(login, opening);
    let [a, b, c, d, ..] = (opening.random)();
    let seed = u64::from(u32::from_be_bytes([a, b, c, d]));
    let retry = RetryPolicy::new(Arc::clone(&opening.clock), opening.stop.clone(), seed);
    let clock = Arc::clone(&opening.clock);
    let (user, stop) = (OnceCell::new(), opening.stop.clone());
    let api = Api { endpoints, client, files, sessions, user, clock, stop, retry };
    Ok(Arc::new(Coros::new(api, region)))
}

fn kept(login: CorosLogin, opening: &Opening) -> SessionProvider {
    SessionProvider::new(
        Arc::clone(&login.account),
        Arc::new(login),
        opening.vault.clone(),
        Arc::clone(&opening.ask),
        Arc::clone(&opening.clock),
        opening.stop.clone(),
    )
}

fn login(account: &Account, opening: &Opening, pace: &Arc<Pace>) -> Result<CorosLogin, OpenError> {
    let region = regions::region(account.region.as_deref());
    let endpoints = Endpoints::of(&account.endpoints);
    let client = client_for(account, endpoints.hosts(), pace, opening)?;
    Ok(CorosLogin {
        account: Arc::new(account.clone()),
        region,
        endpoints,
        client,
        clock: Arc::clone(&opening.clock),
        random: Arc::clone(&opening.random),
    })
}

fn pace(account: &Account, opening: &Opening) -> Arc<Pace> {
    let pacing = pacing(account, &spec::REQUESTS);
    Arc::new(Pace::new(pacing, Arc::clone(&opening.clock), opening.stop.clone()))
}

fn client_for(
    account: &Account,
    hosts: Hosts,
    pace: &Arc<Pace>,
    opening: &Opening,
) -> Result<Client, OpenError> {
    let settings = Settings {
        proxy: account.proxy.clone(),
        ca_file: account.ca_file.clone(),
        hosts,
        timeouts: opening.timeouts,
    };
    Client::new(settings, Arc::clone(pace)).map_err(|error| OpenError::NoClient {
        account: account.name.clone(),
        problem: error.to_string(),
    })
}
