//! What was removed for an activity that its destination then refused is put back.

use serde_json::json;

use crate::archive::Backups;
use crate::domain::{Details, RefusalReason, RemoteId};
use crate::event::Phase;
use crate::platform::FitFile;

use super::super::error::EngineError;
use super::send::Answer;
use super::task::Task;
use super::{Reading, Run};

impl Run<'_> {
    /// Puts the old activity back from its backup, since the new one was refused for good.
    pub(super) async fn restore(
        &self,
        task: &mut Task,
        reason: RefusalReason,
        why: &str,
    ) -> Result<(), EngineError> {
        let held = |error: &dyn std::fmt::Display| {
            let backup = task.backup.clone().unwrap_or_default();
            format!("refused ({why}); backup {backup} waits to be put back: {error}")
        };
        let stock = Backups::new(&self.session.places.backups);
        let loaded = stock.load(task.backup.as_deref().unwrap_or_default());
        let (backup, bytes) = match loaded {
            Ok(found) => found,
            Err(error) => {
                let words = held(&error);
                return task.enter(self, Phase::Held, &words, json!({}));
            }
        };
        let key = crate::fit::read(&bytes).ok().and_then(|content| content.key());
        let Some((key, _)) = key else {
            let words = held(&"it cannot be read");
            return task.enter(self, Phase::Held, &words, json!({}));
        };
        let file = FitFile {
            sha256: backup.sha256.clone(),
            key,
            kind: backup.kind.clone(),
            title: backup.title.clone(),
            local_offset_s: None,
            bytes,
        };
        if let Some(back) = self.is_back(task, &file).await? {
            return self.is_restored(task, Some(back), &backup.details, (reason, why)).await;
        }
        let not = match self.send_until_settled(task, &file).await? {
            Answer::Taken(id) => {
                return self.is_restored(task, id, &backup.details, (reason, why)).await;
            }
            Answer::Unknown(words) => words,
            Answer::Duplicate(_) => "its deletion has not settled".to_owned(),
            Answer::Refused(_, words) => words,
            Answer::Not(error) => error.to_string(),
        };
        let words = format!(
            "refused ({why}); backup {} waits to be put back: {not}",
            task.backup.clone().unwrap_or_default()
        );
        task.enter(self, Phase::Held, &words, json!({ "restore": reason, "why": why }))
    }

    /// An earlier run may have put it back without learning so: looked for before it is sent.
    async fn is_back(&self, task: &Task, file: &FitFile) -> Result<Option<RemoteId>, EngineError> {
        let account = &task.step.destination.account;
        if self.read_again(account).await? == Reading::Failed {
            return Ok(None);
        }
        let Some(inventory) = self.inventory(account) else { return Ok(None) };
        for row in inventory.activities.iter().filter(|row| row.start == Some(file.key.start)) {
            let overlap = row.interval().zip(file.key.interval());
            let fits = overlap.is_some_and(|(a, b)| a.overlap_permille(&b) >= 800);
            let was_there = task.known.contains(&row.id) || self.was_there(account, &row.id);
            if fits && !was_there && !self.is_linked_elsewhere(task, row)? {
                return Ok(Some(row.id.clone()));
            }
        }
        Ok(None)
    }

    async fn is_restored(
        &self,
        task: &mut Task,
        id: Option<RemoteId>,
        details: &Details,
        (reason, why): (RefusalReason, &str),
    ) -> Result<(), EngineError> {
        self.remember_refusal(task, reason, why)?;
        if let Some(id) = &id {
            self.note_new(&task.step.destination.account, id);
            self.carry_over(task, id, details).await;
        }
        let words = format!("refused ({why}); the old one was put back");
        task.enter(self, Phase::Restored, &words, json!({ "id": id }))
    }
}
