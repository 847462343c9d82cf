//! What a plan may not do without a person's word, and what it may not conclude from.

use std::collections::HashSet;

use crate::domain::{AccountName, RemoteId};
use crate::manifest::Limits;

use super::context::{BlockedReason, Counts, LimitExceeded};
use super::world::{AccountView, Memory};

/// Limits that these counts exceed.
pub fn exceeded(limits: &Limits, counts: &Counts) -> Vec<LimitExceeded> {
    let exceeded = |limit: &str, value: u64, planned: u64| {
        (planned > value).then(|| LimitExceeded {
            limit: limit.to_owned(),
            value,
            planned,
            account: None,
        })
    };
    let uploads = limits
        .max_uploads
        .and_then(|value| exceeded("max_uploads", u64::from(value), counts.upload));
    let replaces = exceeded("max_replaces", u64::from(limits.max_replaces), counts.replace);
    uploads.into_iter().chain(replaces).collect()
}

/// Whether an inventory shrank below the share that is believed.
pub(super) fn shrunken(
    limits: &Limits,
    account: &AccountName,
    view: &AccountView<'_>,
    memory: &Memory,
) -> Option<LimitExceeded> {
    let count = view.inventory.activities.len() as u64 + own_losses(account, view, memory);
    let share = view.last_good_count?.saturating_mul(u64::from(limits.min_inventory_permille));
    let least = share.div_ceil(1000);
    (count < least).then(|| LimitExceeded {
        limit: "min_inventory_ratio".to_owned(),
        value: least,
        planned: count,
        account: Some(account.clone()),
    })
}

/// How many of an account's activities open steps have taken away, or are about to.
fn own_losses(account: &AccountName, view: &AccountView<'_>, memory: &Memory) -> u64 {
    let Some(own) = memory.unsettled.get(account) else { return 0 };
    let listed: HashSet<&RemoteId> = view.inventory.activities.iter().map(|row| &row.id).collect();
    own.iter().filter(|id| !listed.contains(id)).count() as u64
}

/// Why nothing may be replaced by what a source lists, if so.
pub(super) fn doubtful(
    limits: &Limits,
    account: &AccountName,
    view: &AccountView<'_>,
    memory: &Memory,
) -> Option<(BlockedReason, String)> {
    partly_read(account, view).or_else(|| {
        let LimitExceeded { value, planned, .. } = shrunken(limits, account, view, memory)?;
        let message = format!(
            "its listing has {planned} of the at least {value} activities that are believed after \
             its last reading"
        );
        Some((BlockedReason::InventoryIncomplete, message))
    })
}

/// Why nothing may be written to an account on the strength of its inventory, if so. What waits for
/// single files that cannot be opened is told apart.
pub(super) fn incomplete(
    account: &AccountName,
    view: &AccountView<'_>,
) -> Option<(BlockedReason, String)> {
    (!view.inventory.complete).then(|| unknown(account))
}

/// Why a source may hold other versions than it lists, if so.
pub(super) fn partly_read(
    account: &AccountName,
    view: &AccountView<'_>,
) -> Option<(BlockedReason, String)> {
    (!view.inventory.is_whole()).then(|| unknown(account))
}

fn unknown(account: &AccountName) -> (BlockedReason, String) {
    let message = format!("only part of {account} could be read, so what is missing is unknown");
    (BlockedReason::InventoryIncomplete, message)
}
