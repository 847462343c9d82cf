//! What an earlier run left in flight: look at the destination, then finish, repeat or give up.

use std::collections::BTreeMap;

use serde_json::json;

use crate::domain::{LinkOrigin, RemoteId};
use crate::event::Phase;
use crate::plan::{Action, Protocol, Step};
use crate::state::StepRecord;

use super::super::accounts;
use super::super::error::EngineError;
use super::super::plan::recall;
use super::super::refresh::{self, Refresh};
use super::super::session::Session;
use super::task::Task;
use super::{Applied, Run};

/// Settles the steps that an earlier run began and did not end. Contacts nobody if there are none.
pub async fn settle(session: &Session) -> Result<Vec<Applied>, EngineError> {
    let unsettled = session.store.unsettled()?;
    if unsettled.is_empty() {
        return Ok(Vec::new());
    }
    let mut opened = accounts::open_all(session, Refresh::Incremental).await?;
    let inventories = refresh::read_all(session, &mut opened, Refresh::Incremental).await?;
    let memory = recall(session, &opened)?;
    let id = session.store.begin_run(None, session.clock().now())?;
    let mut run = Run { session, id, opened, inventories, memory, lost: BTreeMap::new() };
    let mut settled = Vec::new();
    for record in unsettled {
        let Some(mut task) = task_of(&run, &record) else {
            continue;
        };
        run.settle_one(&mut task, &Past::of(&record)).await?;
        settled.push(task.applied());
    }
    session.store.end_run(id, session.clock().now(), 0, &json!({ "settled": settled.len() }))?;
    Ok(settled)
}

/// How far a step had come.
struct Past {
    removed: bool,
    sent: bool,
    backup: Option<String>,
}

impl Past {
    fn of(record: &StepRecord) -> Self {
        let reached = |phase| record.entries.iter().any(|written| written.entry.phase == phase);
        let text = |key: &str| {
            let entries = record.entries.iter().rev();
            let found =
                entries.filter_map(|written| written.entry.detail.get(key)?.as_str()).next();
            found.map(str::to_owned)
        };
        Self {
            removed: reached(Phase::Removed),
            sent: reached(Phase::Sent) || reached(Phase::Unknown),
            backup: text("backup"),
        }
    }
}

/// The task as it was when the earlier run ended; `None` if its accounts are not open now.
fn task_of(run: &Run<'_>, record: &StepRecord) -> Option<Task> {
    let intent = &record.entries.first()?.entry.detail;
    let step: Step = serde_json::from_value(intent.get("step")?.clone()).ok()?;
    let known: Vec<RemoteId> = serde_json::from_value(intent.get("known")?.clone()).ok()?;
    run.pair(&step.source.account, &step.destination.account)?;
    let new = record.entries.iter().rev().find_map(|written| {
        let sent = written.entry.phase == Phase::Sent;
        let id = written.entry.detail.get("id").filter(|_| sent)?;
        serde_json::from_value::<RemoteId>(id.clone()).ok()
    });
    Some(Task {
        step,
        id: record.id,
        source: record.step.source,
        destination: record.step.destination,
        phase: record.phase()?,
        detail: String::new(),
        question: None,
        obstacle: None,
        parcel: None,
        new,
        known,
    })
}

impl Run<'_> {
    async fn settle_one(&mut self, task: &mut Task, past: &Past) -> Result<(), EngineError> {
        // The bytes are fetched again: what is looked for must be what was meant.
        let Some(file) = self.fetch(task).await? else {
            return Ok(());
        };
        let replaces = task.step.action == Action::Replace;
        let old_first = task.step.protocol == Some(Protocol::DeleteThenUpload);
        let listed = self.new_one(task).cloned();
        match listed {
            Some(new) if replaces && !old_first => {
                self.let_go(task, &new).await?;
                if task.phase == Phase::Removed {
                    task.enter(self, Phase::Confirmed, "", json!({ "id": new.id }))?;
                }
                Ok(())
            }
            Some(new) => {
                task.link(self, Some(&new), LinkOrigin::Placed)?;
                task.enter(self, Phase::Confirmed, "", json!({ "id": new.id }))
            }
            None if replaces && past.removed => {
                self.send(task, &file).await?;
                let Some(backup) = past.backup.as_deref() else {
                    return Ok(());
                };
                let platform = self.platform(&task.step.destination.account);
                match (task.phase, platform) {
                    (Phase::Failed | Phase::Skipped, Some(platform)) => {
                        self.restore(task, platform.as_ref(), backup).await
                    }
                    _ => Ok(()),
                }
            }
            None if past.sent && task.new.is_some() => {
                let words = "taken, but not listed yet";
                task.enter(self, Phase::Pending, words, json!({}))
            }
            None => {
                let words = "an earlier run was interrupted before it; it is planned again";
                task.enter(self, Phase::Failed, words, json!({}))
            }
        }
    }
}
