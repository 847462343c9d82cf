//! What executing a plan asks of the accounts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{AccountName, RequestSpec};
use crate::plan::{Action, Body};
use crate::platform;

use super::session::Session;

/// What executing a plan takes when all goes well and no file is at hand yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests to all accounts together.
    pub requests: u64,
    /// The least time, by the account that is to be asked most slowly.
    pub duration: Duration,
}

/// What executing these steps takes.
pub fn cost(session: &Session, body: &Body) -> Cost {
    let mut asked: BTreeMap<&AccountName, u64> = BTreeMap::new();
    let mut ask = |account, requests: fn(&RequestSpec) -> u32| {
        if let Some(spec) = requests_of(session, account) {
            *asked.entry(account).or_default() += u64::from(requests(&spec));
        }
    };
    for step in &body.steps {
        ask(&step.source.account, |spec| spec.download);
        match step.action {
            Action::Upload => ask(&step.destination.account, |spec| spec.upload),
            Action::Replace => ask(&step.destination.account, |spec| spec.replace),
        }
    }
    let durations = asked.iter().map(|(name, requests)| gap(session, name) * *requests);
    let ms = durations.max().unwrap_or_default();
    Cost { requests: asked.values().sum(), duration: Duration::from_millis(ms) }
}

fn requests_of(session: &Session, account: &AccountName) -> Option<RequestSpec> {
    let account = session.manifest.accounts.get(account)?;
    session.catalog.platform(&account.platform)?.requests
}

/// Milliseconds between two requests.
fn gap(session: &Session, account: &AccountName) -> u64 {
    let account = session.manifest.accounts.get(account);
    let pacing = account.and_then(|account| {
        let usual = session.catalog.platform(&account.platform)?.requests?;
        Some(platform::pacing(account, &usual))
    });
    pacing.map_or(0, |pacing| u64::try_from(pacing.min_gap.as_millis()).unwrap_or(u64::MAX))
}
