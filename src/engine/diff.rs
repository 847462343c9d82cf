//! Both originals behind an address, to be laid side by side.

use crate::domain::{AccountName, Activity, Address, Inventory, RemoteId};
use crate::fit;
use crate::plan::{ActivityRef, ByAccount};
use crate::platform::PlatformError;

use super::error::EngineError;
use super::originals;
use super::plan::{PlanRequest, Planned, plan};
use super::refresh::Refresh;
use super::session::Session;
use super::standing::{Standing, standing};

/// An activity and its file.
#[derive(Debug)]
pub struct Fetched {
    /// As it is listed.
    pub activity: ActivityRef,
    /// Its bytes, or why they cannot be had.
    pub file: Result<Vec<u8>, String>,
}

/// The source's activity and what stands for it at the destination.
#[derive(Debug)]
pub struct Pairing {
    /// Where the source's activity stands.
    pub address: Address,
    /// What the plan says about it.
    pub standing: Standing,
    /// The source's.
    pub source: Fetched,
    /// Its counterpart, or all that could be it; empty where there is nothing like it.
    pub destinations: Vec<Fetched>,
}

/// Reads the accounts and fetches what an address and its counterparts hold.
///
/// # Errors
/// If there is no activity at that address.
pub async fn diff(session: &Session, address: &Address) -> Result<Pairing, EngineError> {
    let request = PlanRequest {
        refresh: Refresh::Incremental,
        options: crate::plan::Options::default(),
        max_downloads: 0,
    };
    let planned = plan(session, &request).await?;
    let standing = standing(session, &planned, address)?;
    let source = fetched(session, &planned, &standing.source).await;
    let mut destinations = Vec::new();
    for counterpart in &standing.counterparts {
        destinations.push(fetched(session, &planned, counterpart).await);
    }
    Ok(Pairing { address: address.clone(), standing, source, destinations })
}

async fn fetched(session: &Session, planned: &Planned, activity: &ActivityRef) -> Fetched {
    let file = original(session, planned, activity).await;
    Fetched { activity: activity.clone(), file }
}

/// An activity's bytes: from the cache, else from its account.
async fn original(
    session: &Session,
    planned: &Planned,
    activity: &ActivityRef,
) -> Result<Vec<u8>, String> {
    let open = planned.opened.accounts.get(&activity.account);
    let row = find(&planned.inventories, &activity.account, &activity.id);
    let Some(((open, platform), row)) =
        open.and_then(|open| Some((open, open.platform.as_ref()?))).zip(row)
    else {
        return Err(format!("{} cannot be reached", activity.account));
    };
    if let Some(bytes) = originals::cached(session, open, row) {
        return Ok(bytes);
    }
    match platform.download(row).await {
        Ok(original) => {
            if let Ok(content) = fit::read(&original.bytes)
                && originals::fit_the_listing(row, &original.bytes, &content)
            {
                originals::keep(session, open, row, &original.bytes);
            }
            Ok(original.bytes)
        }
        Err(PlatformError::NotFound) => Err("the account holds no file of it".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn find<'a>(
    inventories: &'a ByAccount<Inventory>,
    account: &AccountName,
    id: &RemoteId,
) -> Option<&'a Activity> {
    inventories.get(account)?.activities.iter().find(|activity| activity.id == *id)
}
