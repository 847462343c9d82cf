//! What was removed for an activity that its destination then refused is put back.

use serde_json::json;

use crate::archive::Backups;
use crate::domain::{AccountName, Activity, Content, Details, RefusalReason, RemoteId};
use crate::event::Phase;
use crate::plan::changes;
use crate::platform::{FitFile, PlatformError};

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
        let stock = Backups::new(&self.session.places.backups);
        let loaded = stock.load(task.backup.as_deref().unwrap_or_default());
        let (backup, bytes) = match loaded {
            Ok(found) => found,
            Err(error) => return self.waits(task, (reason, why), &error.to_string()),
        };
        let content = crate::fit::read(&bytes).ok();
        let key = content.as_ref().and_then(Content::key);
        let (Some(content), Some((key, _))) = (content, key) else {
            return self.waits(task, (reason, why), "it cannot be read");
        };
        let file = FitFile {
            sha256: backup.sha256.clone(),
            key,
            kind: backup.kind.clone(),
            title: backup.title.clone(),
            local_offset_s: None,
            bytes,
        };
        match self.is_back(task, &file, &content).await? {
            Back::Yes(id) => {
                return self.is_restored(task, Some(id), &backup.details, (reason, why)).await;
            }
            Back::Unclear(error) => return self.waits(task, (reason, why), &error),
            Back::No => {}
        }
        let not = match self.send_until_settled(task, &file).await? {
            Answer::Taken(id) => {
                return self.is_restored(task, id, &backup.details, (reason, why)).await;
            }
            Answer::Unknown(words) => words,
            Answer::Duplicate(_) => "its deletion has not settled".to_owned(),
            Answer::Refused(_, words) | Answer::TooLarge(words) => words,
            Answer::Not(error) => error.to_string(),
        };
        self.waits(task, (reason, why), &not)
    }

    /// The old one is not back yet; the next run goes on with it.
    fn waits(
        &self,
        task: &mut Task,
        (reason, why): (RefusalReason, &str),
        error: &str,
    ) -> Result<(), EngineError> {
        let backup = task.backup.clone().unwrap_or_default();
        let words = format!("refused ({why}); backup {backup} waits to be put back: {error}");
        task.enter(self, Phase::Held, &words, json!({ "restore": reason, "why": why }))
    }

    /// An earlier run may have put it back without learning so: looked for before it is sent. Another
    /// recording of that very time, perhaps put back as well, is told apart by what it holds.
    async fn is_back(
        &self,
        task: &Task,
        file: &FitFile,
        content: &Content,
    ) -> Result<Back, EngineError> {
        let account = &task.step.destination.account;
        if self.read_again(account).await? == Reading::Failed {
            return Ok(Back::Unclear("the destination cannot be read".to_owned()));
        }
        let Some(inventory) = self.inventory(account) else { return Ok(Back::No) };
        for row in inventory.activities.iter().filter(|row| row.start == Some(file.key.start)) {
            let was_there = task.known.contains(&row.id) || self.was_there(account, &row.id);
            if was_there || self.is_linked_elsewhere(task, row)? {
                continue;
            }
            match self.is_same(account, row, file, content).await {
                Ok(true) => return Ok(Back::Yes(row.id.clone())),
                Ok(false) => {}
                Err(error) => {
                    let words = format!("{} cannot be looked at: {error}", row.id);
                    return Ok(Back::Unclear(words));
                }
            }
        }
        Ok(Back::No)
    }

    /// Whether an activity holds a file: by its bytes where they are listed, else by its facts.
    async fn is_same(
        &self,
        account: &AccountName,
        row: &Activity,
        file: &FitFile,
        content: &Content,
    ) -> Result<bool, PlatformError> {
        if let Some(listed) = &row.sha256 {
            return Ok(*listed == file.sha256);
        }
        let bytes = self.original(account, row).await?;
        Ok(bytes == file.bytes
            || crate::fit::read(&bytes).is_ok_and(|there| changes(content, &there).is_empty()))
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
            // What cannot be carried over stays in the backup.
            let _ = self.carry_over(task, id, details).await;
        }
        let words = format!("refused ({why}); the old one was put back");
        task.enter(self, Phase::Restored, &words, json!({ "id": id }))
    }
}

/// Whether the old activity is at its destination again.
enum Back {
    /// As this.
    Yes(RemoteId),
    No,
    /// It could not be seen, for this reason.
    Unclear(String),
}
