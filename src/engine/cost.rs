//! What executing a plan asks of the accounts.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{AccountName, RequestSpec};
use crate::net::Pacing;
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
    let mut asked: BTreeMap<&AccountName, Asked> = BTreeMap::new();
    for step in &body.steps {
        let there = asked.entry(&step.destination.account).or_default();
        match step.action {
            Action::Upload => there.uploads += 1,
            Action::Replace => there.replaces += 1,
        }
        asked.entry(&step.source.account).or_default().downloads += 1;
    }
    let mut cost = Cost::default();
    for (name, asked) in asked {
        let Some((pacing, spec)) = paced(session, name) else { continue };
        cost.requests += asked.requests(&spec);
        cost.duration = cost.duration.max(asked.duration(&pacing, &spec));
    }
    cost
}

/// What is asked of an account.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    downloads: u64,
    uploads: u64,
    replaces: u64,
}

impl Asked {
    fn requests(self, spec: &RequestSpec) -> u64 {
        self.downloads * u64::from(spec.download)
            + self.uploads * u64::from(spec.upload)
            + self.replaces * u64::from(spec.replace)
    }

    /// Requests that change something: an upload; of a replace the deletion and the details, too.
    fn changes(self) -> u64 {
        self.uploads + 3 * self.replaces
    }

    fn duration(self, pacing: &Pacing, spec: &RequestSpec) -> Duration {
        let times = |gap: Duration, number: u64| {
            gap.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))
        };
        let readings = self.requests(spec).saturating_sub(self.changes());
        times(pacing.min_gap, readings).saturating_add(times(pacing.change_gap, self.changes()))
    }
}

/// How an account is paced; `None` if it is asked over no wire.
fn paced(session: &Session, account: &AccountName) -> Option<(Pacing, RequestSpec)> {
    let account = session.manifest.accounts.get(account)?;
    let spec = session.catalog.platform(&account.platform)?.requests?;
    Some((platform::pacing(account, &spec), spec))
}
