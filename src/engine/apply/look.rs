//! One more look at a single activity, right before and right after it is removed.

use jiff::Span;

use crate::domain::{AccountName, Activity, RemoteId};
use crate::platform::{ListRequest, PlatformError, Window};

use super::super::error::EngineError;
use super::super::plan::utc_day;
use super::{Listing, Reading, Run};

impl Run<'_> {
    /// Whether a complete reading does not show an activity any more.
    pub(super) async fn is_gone(
        &self,
        account: &AccountName,
        id: &RemoteId,
    ) -> Result<bool, EngineError> {
        let reading = self.read_again(account).await?;
        Ok(reading == Reading::Complete && self.listed(account, id).is_none())
    }

    /// Whether an activity is listed at this moment as it was when it was planned for; only its own
    /// days are read.
    pub(super) async fn is_unchanged(
        &self,
        account: &AccountName,
        old: &Activity,
    ) -> Result<bool, PlatformError> {
        let platform = self.platform(account).ok_or(PlatformError::Unsupported)?;
        let day = old.start.map(utc_day);
        let window = Window {
            first: day.map(|day| day.saturating_sub(Span::new().days(1))),
            last: day.map(|day| day.saturating_add(Span::new().days(1))),
        };
        let known = self.inventories.borrow().get(account).map(Listing::by_id).unwrap_or_default();
        let mut next = None;
        loop {
            let page = self
                .call(account, async || {
                    let request = ListRequest { window, page: next.clone(), known: &known };
                    platform.list(request).await
                })
                .await?;
            if let Some(now) = page.activities.iter().find(|row| row.id == old.id) {
                return Ok(now.fingerprint == old.fingerprint);
            }
            next = page.next;
            if next.is_none() {
                return Ok(false);
            }
        }
    }
}
