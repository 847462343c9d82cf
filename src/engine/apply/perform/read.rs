//! Reads the days of a destination: for all its open steps at once.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::clock::age;
use crate::domain::{AccountName, Activity, RemoteId};
use crate::plan::BlockedReason;
use crate::plan::reconcile::{Cause, Days};
use crate::platform::Window;

use super::super::super::cause::obstacle;
use super::super::super::error::EngineError;
use super::super::super::refresh::{self, Refresh};
use super::super::observe::BELIEVED;
use super::super::run::Run;
use super::super::task::Task;
use super::super::view::{Reading, View, window};

/// Days that a reading may span without a step, so that one request serves both sides of the gap.
const MAX_GAP_DAYS: i32 = 31;
/// Rows that one request brings.
const ROWS: usize = 100;

impl Run<'_> {
    /// Reads what a step needs to know. Of several steps that need it, one reads.
    pub(super) async fn read_for(&self, task: &Task) -> Result<(), EngineError> {
        let _alone = self.reading.lock().await;
        if self.is_source_old(task) {
            self.read_whole(&task.step.source.account, Refresh::Incremental).await?;
        }
        if self.days(task) == Days::Due {
            self.read_days_now(&task.step.destination.account).await?;
        }
        Ok(())
    }

    /// Whether the source was read so long ago that it says nothing about today.
    fn is_source_old(&self, task: &Task) -> bool {
        if task.state.is_touched() || task.is_restore() {
            return false;
        }
        let read_at = self.account(&task.step.source.account).and_then(|open| {
            let meta = self.session.store.inventory_meta(open.row).ok()??;
            Some(meta.refreshed_at)
        });
        let now = self.session.clock().now();
        read_at.is_none_or(|at| age(now, at) > BELIEVED)
    }

    /// Reads the days of all open steps of an account once more.
    pub(in super::super) async fn read_days(
        &self,
        account: &AccountName,
    ) -> Result<(), EngineError> {
        let _alone = self.reading.lock().await;
        self.read_days_now(account).await
    }

    async fn read_days_now(&self, account: &AccountName) -> Result<(), EngineError> {
        let ranges = self.ranges(account);
        let is_cheaper_whole = {
            let views = self.views.borrow();
            let rows = views.get(account).map_or(0, View::len);
            ranges.len() > 1 + rows / ROWS
        };
        let lists_bytes = self.reuses_ids(account);
        if is_cheaper_whole && !lists_bytes {
            self.read_whole(account, Refresh::Full).await?;
        } else {
            for (first, last) in merged(ranges, lists_bytes) {
                self.read_range(account, window(first, last)).await?;
            }
        }
        self.assign_arrivals(account);
        Ok(())
    }

    /// Stretches of UTC days that the open steps of an account look at.
    fn ranges(&self, account: &AccountName) -> Vec<(Date, Date)> {
        let open = self.open.borrow();
        let mut days: Vec<(Date, Date)> = open.at(account).map(|(_, aim)| aim.looks_at()).collect();
        days.sort_unstable();
        let mut ranges: Vec<(Date, Date)> = Vec::new();
        for (first, last) in days {
            match ranges.last_mut() {
                Some(range) if is_near(range.1, first) => range.1 = range.1.max(last),
                Some(_) | None => ranges.push((first, last)),
            }
        }
        ranges
    }

    async fn read_range(&self, name: &AccountName, window: Window) -> Result<(), EngineError> {
        let Some(account) = self.account(name) else { return Ok(()) };
        let known: HashMap<RemoteId, Activity> = {
            let views = self.views.borrow();
            let rows = views.get(name).into_iter().flat_map(|view| view.rows());
            match account.capabilities.lists_bytes {
                true => rows.map(|row| (row.id.clone(), row.clone())).collect(),
                false => HashMap::new(),
            }
        };
        let (order, at) = (self.next_order(), self.session.clock().now());
        let read = async || refresh::read_window(self.session, account, window, &known).await;
        let answer = match read().await? {
            // An answer that lacks everything is likelier than an athlete who removed it.
            Ok(found) if found.activities.is_empty() && self.has_rows(name, window) => {
                read().await?
            }
            answer => answer,
        };
        let mut views = self.views.borrow_mut();
        let Some(view) = views.get_mut(name) else { return Ok(()) };
        match answer {
            Ok(read) => {
                let reading = Reading { at, order, complete: read.complete };
                view.take_days(window, read.activities, reading);
                drop(views);
                self.free_names(name);
            }
            Err(error) => {
                let (reason, message) = obstacle(&error);
                drop(views);
                self.note_unread(name, order, reason, &message);
            }
        }
        Ok(())
    }

    /// Whether something is known to lie in a window.
    fn has_rows(&self, name: &AccountName, window: Window) -> bool {
        let views = self.views.borrow();
        let days = window.first.zip(window.last);
        views.get(name).zip(days).is_some_and(|(view, (first, last))| view.has_rows(first, last))
    }

    pub(in super::super) async fn read_whole(
        &self,
        name: &AccountName,
        refresh: Refresh,
    ) -> Result<(), EngineError> {
        let Some(account) = self.account(name) else { return Ok(()) };
        let order = self.next_order();
        match refresh::read_one(self.session, account, refresh).await? {
            Ok(inventory) => {
                if let Some(view) = self.views.borrow_mut().get_mut(name) {
                    view.take_whole(inventory, order);
                }
                self.free_names(name);
            }
            Err((reason, message)) => self.note_unread(name, order, reason, &message),
        }
        Ok(())
    }

    fn note_unread(&self, name: &AccountName, order: u64, reason: BlockedReason, message: &str) {
        let cause = Cause::from(reason);
        let message = format!("{name} could not be read: {message}");
        if cause == Cause::Login {
            self.breaker.borrow_mut().trip(name, message.clone(), cause);
        }
        if let Some(view) = self.views.borrow_mut().get_mut(name) {
            view.note_failure(order, message, cause);
        }
    }
}

/// What a folder shows it shows as a whole.
fn merged(ranges: Vec<(Date, Date)>, whole: bool) -> Vec<(Date, Date)> {
    match (whole, ranges.first(), ranges.last()) {
        (true, Some((first, _)), Some((_, last))) => vec![(*first, *last)],
        _ => ranges,
    }
}

fn is_near(last: Date, first: Date) -> bool {
    last.until(first).is_ok_and(|gap| gap.get_days() <= MAX_GAP_DAYS)
}
