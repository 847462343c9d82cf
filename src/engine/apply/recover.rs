//! What an earlier run left in flight: look at the destination, then finish, repeat or give up.
//! Never repeats blindly.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;
use serde_json::json;

use crate::archive::Blobs;
use crate::domain::{AccountName, LinkOrigin, LinkStatus, RefusalReason, RemoteId};
use crate::event::Phase;
use crate::plan::{Action, Protocol};
use crate::platform::FitFile;
use crate::state::StepRecord;

use super::super::error::EngineError;
use super::super::plan::utc_day;
use super::task::Task;
use super::trace::Brought;
use super::{Reading, Run};

/// How far a step had come.
pub(super) struct Past {
    pub(super) began: bool,
    removed: bool,
    /// When the platform said that it took the new one.
    taken: Option<Timestamp>,
    /// How often it was looked for since.
    looks: u32,
    /// The old activity was to be put back, for this reason.
    restoring: Option<(RefusalReason, String)>,
}

impl Past {
    pub(super) fn of(record: &StepRecord) -> Self {
        let reached = |phase| record.entries.iter().any(|written| written.entry.phase == phase);
        let mut since =
            record.entries.iter().skip_while(|written| written.entry.phase != Phase::Sent);
        let taken = since.next().map(|written| written.at);
        let waits = [Phase::Pending, Phase::Held];
        let looks = since.filter(|written| waits.contains(&written.entry.phase));
        let last = record.entries.last().map(|written| &written.entry.detail);
        let restoring = last.and_then(|detail| {
            let reason = serde_json::from_value(detail.get("restore")?.clone()).ok()?;
            Some((reason, detail.get("why")?.as_str()?.to_owned()))
        });
        Self {
            began: reached(Phase::Fetched),
            removed: reached(Phase::Removed),
            taken,
            looks: u32::try_from(looks.count()).unwrap_or(u32::MAX),
            restoring,
        }
    }
}

impl Run<'_> {
    /// What is known to be the counterpart of an activity that none of these tasks is about.
    pub(super) fn linked_to_others(
        &self,
        tasks: &[(Task, Past)],
    ) -> Result<BTreeMap<AccountName, HashSet<RemoteId>>, EngineError> {
        let mut linked: BTreeMap<AccountName, HashSet<RemoteId>> = BTreeMap::new();
        let sources: HashSet<&RemoteId> =
            tasks.iter().map(|(task, _)| &task.step.source.id).collect();
        for (task, _) in tasks {
            let account = &task.step.destination.account;
            if linked.contains_key(account) {
                continue;
            }
            let links = self.session.store.links_to(task.destination)?.into_iter();
            let others = links.filter(|link| {
                link.status == LinkStatus::Confirmed && !sources.contains(&link.source.id)
            });
            let ids = others.filter_map(|link| Some(link.destination?.id)).collect();
            linked.insert(account.clone(), ids);
        }
        Ok(linked)
    }

    pub(super) async fn settle_one(
        &self,
        task: &mut Task,
        past: &Past,
        rivals: &[&Task],
    ) -> Result<(), EngineError> {
        if !past.began {
            let words = "an earlier run ended before it; it is planned again";
            return task.enter(self, Phase::NotTried, words, json!({}));
        }
        if let Some((reason, why)) = &past.restoring {
            return self.restore(task, *reason, why).await;
        }
        if let Brought::One(new) = self.brought_among(task, rivals) {
            return self.finish(task, &new).await;
        }
        if past.taken.is_some() {
            return self.still_unseen(task, past);
        }
        if self.has_gap(task, past) {
            return self.settle_gap(task, rivals).await;
        }
        match self.wait_for_trace(task, rivals).await? {
            Trace::Seen => Ok(()),
            Trace::None => {
                let words = "an earlier run was interrupted and nothing arrived; planned again";
                task.enter(self, Phase::Failed, words, json!({}))
            }
            Trace::Several => {
                let words = "several at the destination could be what was sent; planned again";
                task.enter(self, Phase::Failed, words, json!({}))
            }
            Trace::Unclear => {
                let words = "what became of it cannot be seen yet; the next run looks again";
                task.enter(self, Phase::Held, words, json!({}))
            }
        }
    }

    /// What was taken is not listed yet. After a week of looking it is a question; where the old one is
    /// still there, it is simply replaced again.
    fn still_unseen(&self, task: &mut Task, past: &Past) -> Result<(), EngineError> {
        let today = utc_day(self.session.clock().now());
        if task.old_goes_last() || task.is_restore() {
            let sent = LinkStatus::Pending {
                since: past.taken.unwrap_or_default(),
                full_reads: past.looks,
            };
            if !sent.never_appeared(today) {
                return self.not_listed_yet(task);
            }
            let words = "it never appeared; what was there before is kept, planned again";
            return task.enter(self, Phase::Failed, words, json!({}));
        }
        let links = self.session.store.links(task.source, task.destination)?;
        let link = links.iter().find(|link| link.source.id == task.step.source.id);
        match link.map(|link| link.status) {
            Some(LinkStatus::Confirmed) => {
                let words = "linked to what the destination has by now";
                task.enter(self, Phase::Adopted, words, json!({}))
            }
            Some(status) if status.never_appeared(today) => task.ask(self, "never_appeared"),
            Some(LinkStatus::Pending { .. }) => self.not_listed_yet(task),
            None if past.looks > 0 => {
                let words = "forgotten since; planned again";
                task.enter(self, Phase::Failed, words, json!({}))
            }
            None => {
                task.link(self, None, LinkOrigin::Placed)?;
                self.not_listed_yet(task)
            }
        }
    }

    fn brought_among(&self, task: &Task, rivals: &[&Task]) -> Brought {
        let tasks: Vec<&Task> = std::iter::once(task).chain(rivals.iter().copied()).collect();
        let brought = self.brought(&task.step.destination.account, &tasks);
        brought.into_iter().next().unwrap_or(Brought::Nothing)
    }

    /// Whether the old activity is gone and the new one not there.
    fn has_gap(&self, task: &Task, past: &Past) -> bool {
        let destination = &task.step.destination;
        let old_is_listed = destination
            .id
            .as_ref()
            .is_some_and(|id| self.listed(&destination.account, id).is_some());
        task.step.action == Action::Replace
            && task.backup.is_some()
            && (past.removed || task.step.protocol == Some(Protocol::DeleteThenUpload))
            && !old_is_listed
    }

    async fn settle_gap(&self, task: &mut Task, rivals: &[&Task]) -> Result<(), EngineError> {
        match self.wait_for_trace(task, rivals).await? {
            Trace::Seen => return Ok(()),
            Trace::None => {}
            Trace::Several => {
                let words = "the old one is removed; several could be the new one";
                return task.enter(self, Phase::Held, words, json!({}));
            }
            Trace::Unclear => {
                let words = "the old one is removed; the destination cannot be read now";
                return task.enter(self, Phase::Held, words, json!({}));
            }
        }
        self.fill_gap_again(task).await?;
        let account = task.step.destination.account.clone();
        if task.phase == Phase::Sent {
            self.confirm_at(&account, &mut [task]).await?;
        }
        Ok(())
    }

    /// Sends the new activity into a gap once more; what cannot be had any more is given up for the
    /// old one.
    pub(super) async fn fill_gap_again(&self, task: &mut Task) -> Result<(), EngineError> {
        let Some(file) = self.file_for_gap(task).await else {
            let why = "the new one cannot be fetched any more";
            return self.restore(task, RefusalReason::NoOriginal, why).await;
        };
        task.attempt += 1;
        self.fill_gap(task, &file).await
    }

    /// The bytes that were to be sent: from the store, else from the source if they are the same.
    async fn file_for_gap(&self, task: &Task) -> Option<FitFile> {
        let parcel = task.parcel.as_ref()?;
        let source = &task.step.source;
        let listed = self.listed(&source.account, &source.id);
        let bytes =
            match Blobs::new(&self.session.places.backups).get(&parcel.sha256).ok().flatten() {
                Some(bytes) => bytes,
                None => {
                    let bytes = self.original(&source.account, listed.as_ref()?).await.ok()?;
                    crate::fit::read(&bytes).ok()?;
                    bytes
                }
            };
        Some(FitFile {
            sha256: crate::domain::Sha256::of(&bytes),
            key: parcel.key(),
            kind: task.step.key.kind.clone(),
            title: source.title.clone(),
            local_offset_s: listed.and_then(|row| row.local_offset_s),
            bytes,
        })
    }

    /// Looks for as long as the destination may need to show what it took.
    async fn wait_for_trace(
        &self,
        task: &mut Task,
        rivals: &[&Task],
    ) -> Result<Trace, EngineError> {
        let account = task.step.destination.account.clone();
        let wait = self.settling(&account);
        loop {
            let reading = self.read_again(&account).await?;
            let brought = self.brought_among(task, rivals);
            if let Brought::One(new) = &brought {
                self.finish(task, new).await?;
                return Ok(Trace::Seen);
            }
            if task.sent_at.is_none_or(|at| self.is_over(at, wait)) {
                return Ok(match (reading, brought) {
                    (Reading::Complete, Brought::Several) => Trace::Several,
                    (Reading::Complete, Brought::Nothing | Brought::One(_)) => Trace::None,
                    (Reading::Partial | Reading::Failed, _) => Trace::Unclear,
                });
            }
            if self.session.stop.is_requested() {
                return Ok(Trace::Unclear);
            }
            self.sleep(wait / 6).await;
        }
    }
}

/// What was seen of a step that may have been sent.
enum Trace {
    Seen,
    None,
    Several,
    Unclear,
}
