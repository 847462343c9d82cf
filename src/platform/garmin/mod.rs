//! Garmin Connect, global and China.
//!
//! There is no public API: `auth` gets one service ticket out of the login and trades it for tokens,
//! which then renew themselves for weeks; everything else uses those. Regions are rows of a table
//! (`regions`), answers become errors in one place (`error`).
//!
//! Knows no other platform, no state, no plan and no prompt.

mod api;
mod archive;
mod auth;
mod details;
mod error;
mod listing;
mod platform;
mod regions;
mod row;
pub(super) mod spec;
mod types;
mod wire;

use std::sync::Arc;

use crate::manifest::Account;
use crate::net::{Client, Hosts, Pace, RetryPolicy, Settings};

use super::Platform;
use super::pacing::pacing;
use super::registry::{OpenError, Opening};
use super::session_provider::SessionProvider;

use api::Api;
use auth::GarminLogin;
use platform::{Garmin, UploadAs};
use regions::Endpoints;

/// What keeps an account's session.
pub(super) fn session_provider(
    account: &Account,
    opening: &Opening,
) -> Result<SessionProvider, OpenError> {
    let account = Arc::new(account.clone());
    let login = login(&account, opening)?;
    Ok(SessionProvider::new(
        account,
        Arc::new(login),
        opening.vault.clone(),
        Arc::clone(&opening.ask),
        Arc::clone(&opening.clock),
        opening.stop.clone(),
    ))
}

/// Opens an account, without contacting anything yet.
pub(super) fn open(account: &Account, opening: &Opening) -> Result<Arc<dyn Platform>, OpenError> {
    let account = Arc::new(account.clone());
    let login = login(&account, opening)?;
    let (client, base, region) =
        (login.client.clone(), login.endpoints.connectapi.clone(), login.region);
    let upload_as = match account.upload_as_import {
        Some(true) => UploadAs::Import,
        Some(false) | None => UploadAs::Upload,
    };
    let sessions = SessionProvider::new(
        account,
        Arc::new(login),
        opening.vault.clone(),
        Arc::clone(&opening.ask),
        Arc::clone(&opening.clock),
        opening.stop.clone(),
    );
    let [a, b, c, d, ..] = (opening.random)();
    let seed = u64::from(u32::from_be_bytes([a, b, c, d]));
    let retry = RetryPolicy::new(Arc::clone(&opening.clock), opening.stop.clone(), seed);
    let api = Api { base, client, sessions, clock: Arc::clone(&opening.clock), retry };
    Ok(Arc::new(Garmin { api, region, upload_as }))
}

fn login(account: &Arc<Account>, opening: &Opening) -> Result<GarminLogin, OpenError> {
    let region = regions::region(account.region.as_deref());
    let endpoints = Endpoints::of(region, &account.endpoints);
    let settings = Settings {
        proxy: account.proxy.clone(),
        ca_file: account.ca_file.clone(),
        hosts: Hosts::of(endpoints.all()),
        timeouts: opening.timeouts,
    };
    let pacing = pacing(account, &spec::REQUESTS);
    let pace = Arc::new(Pace::new(pacing, Arc::clone(&opening.clock), opening.stop.clone()));
    let client = Client::new(settings, pace).map_err(|error| OpenError::NoClient {
        account: account.name.clone(),
        problem: error.to_string(),
    })?;
    Ok(GarminLogin {
        account: Arc::clone(account),
        region,
        endpoints,
        client,
        clock: Arc::clone(&opening.clock),
        random: Arc::clone(&opening.random),
        stop: opening.stop.clone(),
    })
}
