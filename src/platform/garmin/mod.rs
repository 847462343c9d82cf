//! Garmin Connect, global and China.
//!
//! There is no public API: `auth` gets one service ticket out of the login and trades it for tokens,
//! which then renew themselves for weeks; everything else uses those. Regions are rows of a table
//! (`regions`), answers become errors in one place (`error`).
//!
//! Knows no other platform, no state, no plan and no prompt.

mod auth;
mod error;
mod regions;
pub(super) mod spec;
mod types;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use crate::manifest::Account;
use crate::net::{Client, Hosts, Pace, Pacing, Settings};

use super::keeper::Keeper;
use super::registry::{OpenError, Opening};

use auth::GarminLogin;
use regions::Endpoints;

/// One request at a time, at most two or three a second, as those advise who were banned for more.
const PACING: Pacing = Pacing { max_parallel: 1, min_gap: Duration::from_millis(400) };

/// What keeps an account's session.
pub(super) fn keeper(account: &Account, opening: &Opening) -> Result<Keeper, OpenError> {
    let account = Arc::new(account.clone());
    let login = login(&account, opening)?;
    Ok(Keeper::new(
        account,
        Arc::new(login),
        opening.vault.clone(),
        Arc::clone(&opening.ask),
        Arc::clone(&opening.clock),
    ))
}

fn login(account: &Arc<Account>, opening: &Opening) -> Result<GarminLogin, OpenError> {
    let region = regions::region(account.region.as_deref());
    let endpoints = Endpoints::of(region, &account.endpoints);
    let settings = Settings {
        proxy: account.proxy.clone(),
        ca_file: account.ca_file.clone(),
        hosts: Hosts::of(endpoints.all()),
    };
    let pacing = Pacing {
        max_parallel: account.max_parallel.unwrap_or(PACING.max_parallel),
        min_gap: account.min_gap_ms.map_or(PACING.min_gap, Duration::from_millis),
    };
    let pace = Arc::new(Pace::new(pacing, Arc::clone(&opening.clock)));
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
    })
}
