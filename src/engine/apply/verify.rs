//! Whether a replace's destination keeps what it was sent.
//!
//! Platforms compute anew: small differences are told and remembered with the pair. What is another
//! recording is no success; it is tried once more by a later run and then left as it is, since what a
//! destination always does must not become a replace of every day.

use serde_json::json;

use crate::archive::Spool;
use crate::domain::{Activity, LinkOrigin, RefusalReason};
use crate::event::Phase;
use crate::fit;
use crate::plan::{Change, changes, is_whole};
use crate::platform::PlatformError;

use super::super::error::EngineError;
use super::Run;
use super::health::cause;
use super::task::Task;

/// The note in the journal of a step whose activity was not kept.
const NOT_KEPT: &str = "not_kept";

/// What a destination made of a file.
enum Kept {
    /// What was sent.
    Same,
    /// The same recording, with other numbers.
    Recomputed(Vec<Change>),
    /// Something else.
    Other,
}

impl Run<'_> {
    /// Whether a replace's new activity holds what was sent; it then gets what people wrote about the
    /// old one, and so it does where there is no other any more.
    pub(super) async fn is_kept(
        &self,
        task: &mut Task,
        new: &Activity,
    ) -> Result<bool, EngineError> {
        let kept = match self.kept(task, new).await {
            Ok(kept) => kept,
            Err(error) => {
                task.cause = Some(cause(&error));
                let words = format!("{} is there, but could not be verified yet: {error}", new.id);
                task.enter(self, Phase::Held, &words, json!({ "id": new.id }))?;
                return Ok(false);
            }
        };
        match kept {
            Kept::Same => {}
            Kept::Recomputed(changes) => task.notice = recomputed(&changes),
            Kept::Other => {
                self.not_kept(task, new).await?;
                return Ok(false);
            }
        }
        self.carry_over_backed_up(task, &new.id).await;
        Ok(true)
    }

    async fn not_kept(&self, task: &mut Task, new: &Activity) -> Result<(), EngineError> {
        if !task.old_goes_last() {
            self.carry_over_backed_up(task, &new.id).await;
        }
        let earlier = self.session.store.steps_at(&task.step.address)?;
        let again = earlier.iter().flat_map(|step| &step.entries).any(|written| {
            written.entry.detail.get(NOT_KEPT) == Some(&json!(task.step.source.fingerprint))
        });
        let mut words = format!("{} does not hold what was sent; the backup is safe", new.id);
        if !again {
            // Never in sync by its link: the next plan compares what is there.
            self.session.store.remove_links_to(task.destination, &new.id)?;
        } else if task.old_goes_last() {
            words.push_str("; for the second time, so the old one stays for good");
            // Each further look would leave another copy there.
            let found = self.refusal(task, RefusalReason::RejectedByDestination, &words);
            self.note_refusal(task, found.without_looks())?;
        } else {
            words.push_str("; for the second time, so it is left as it is");
            task.link(self, Some(new), LinkOrigin::Placed)?;
        }
        let facts = json!({ "id": new.id, NOT_KEPT: task.step.source.fingerprint });
        task.enter(self, Phase::Failed, &words, facts)
    }

    /// What the destination's new activity holds of the file that was sent. One look at a broken
    /// download proves nothing; two that agree do.
    async fn kept(&self, task: &Task, new: &Activity) -> Result<Kept, PlatformError> {
        let Some(parcel) = task.parcel.as_ref() else { return Ok(Kept::Other) };
        if new.sha256.as_ref() == Some(&parcel.sha256) {
            return Ok(Kept::Same);
        }
        let spooled = Spool::new(&self.session.places.spool).get(&parcel.sha256);
        let Some(sent) = spooled.and_then(|bytes| fit::read(&bytes).ok()) else {
            return Ok(Kept::Other);
        };
        let account = &task.step.destination.account;
        let bytes = self.original(account, new).await?;
        let there = fit::read(&bytes).ok();
        let differences = there.as_ref().map(|there| changes(&sent, there));
        if differences.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Kept::Same);
        }
        if self.original(account, new).await? != bytes {
            return Err(PlatformError::Protocol("two downloads of it differ".to_owned()));
        }
        Ok(match (there, differences) {
            (Some(there), Some(changes)) if is_whole(&sent, &there) => Kept::Recomputed(changes),
            _ => Kept::Other,
        })
    }
}

fn recomputed(changes: &[Change]) -> String {
    let each = changes.iter().map(|c| format!("{} {} -> {}", c.field, c.from, c.to));
    let list: Vec<String> = each.collect();
    format!("replaced; the destination keeps it with other numbers: {}", list.join(", "))
}
