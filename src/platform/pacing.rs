//! How fast an account is asked.

use std::time::Duration;

use crate::domain::RequestSpec;
use crate::manifest::Account;
use crate::net::Pacing;

/// As the account says, else as its platform usually is.
pub fn pacing(account: &Account, usual: &RequestSpec) -> Pacing {
    let gap = |usual: u64| Duration::from_millis(account.min_gap_ms.unwrap_or(usual));
    Pacing {
        max_parallel: account.max_parallel.unwrap_or(usual.max_parallel),
        min_gap: gap(usual.min_gap_ms),
        change_gap: gap(usual.change_gap_ms),
    }
}
