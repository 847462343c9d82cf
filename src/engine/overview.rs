//! Where things stand, from the memory alone: no account is asked.

use crate::domain::AccountName;
use crate::plan::{Document, Options};
use crate::state::{InventoryMeta, Run, StepRecord};

use super::error::EngineError;
use super::plan::{PlanRequest, plan};
use super::refresh::Refresh;
use super::session::Session;

/// Where things stand.
pub struct Overview {
    /// The manifest's accounts in its order, and what was read of them last.
    pub listings: Vec<(AccountName, Option<InventoryMeta>)>,
    /// The last run of apply.
    pub last_run: Option<Run>,
    /// Steps that wait for the next apply.
    pub open: Vec<StepRecord>,
    /// What would be planned from what was read last.
    pub document: Document,
}

/// Where things stand.
pub async fn overview(session: &Session) -> Result<Overview, EngineError> {
    let options = Options::default();
    let request = PlanRequest { refresh: Refresh::None, options, max_downloads: 0 };
    let planned = plan(session, &request).await?;
    let names = session.manifest.accounts.keys();
    let listings: Result<Vec<_>, EngineError> =
        names.map(|name| Ok((name.clone(), read_last(session, name)?))).collect();
    Ok(Overview {
        listings: listings?,
        last_run: session.store.runs()?.into_iter().next(),
        open: session.store.unsettled()?,
        document: planned.plan.document,
    })
}

/// The listing that commands would use; one that was cleared is none.
fn read_last(session: &Session, name: &AccountName) -> Result<Option<InventoryMeta>, EngineError> {
    let Some(stored) = session.store.account_named(name)? else { return Ok(None) };
    let meta = session.store.inventory_meta(stored.row)?;
    Ok(meta.filter(|meta| !meta.cleared))
}
