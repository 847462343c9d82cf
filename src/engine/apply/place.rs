//! What stands where a backup belongs, and whose it is.

use crate::archive::Backup;
use crate::domain::{AccountName, Activity, Content, RemoteId, Sha256};
use crate::fit;
use crate::plan::reconcile::{Payload, Surroundings, There, there};
use crate::plan::{BlockedReason, StepReason, changes};
use crate::platform::PlatformError;
use crate::state::AccountRow;

use super::super::error::{EngineError, RestoreObstacle};
use super::super::session::Session;
use super::restore::{Restore, damaged, refused, stored_bytes, unclear, unseen};

/// What stands where a backup belongs.
pub(super) enum Place {
    /// Those very bytes, as this activity.
    Holds(RemoteId),
    /// Another version of that recording.
    Taken(Box<Activity>),
    /// Nothing.
    Free,
}

impl Restore {
    /// What stands where a backup belongs, by the plan's own matching; its bytes decide.
    pub(super) async fn place_of(
        &self,
        session: &Session,
        backup: &Backup,
        account: &AccountName,
    ) -> Result<Place, EngineError> {
        let bytes = stored_bytes(session, backup, account)?;
        let content = fit::read(&bytes).ok();
        let recording = content.as_ref().and_then(|content| recording(backup, content));
        let (Some(content), Some(recording)) = (content, recording) else {
            return Err(damaged(account, backup, "holds no whole activity"));
        };
        if let Some(row) = self.same_bytes(account, backup) {
            return match self.download(account, row).await {
                Ok(there) if Sha256::of(&there) == backup.sha256 => {
                    Ok(Place::Holds(row.id.clone()))
                }
                Ok(_) | Err(PlatformError::NotFound) => {
                    let problem = "what it lists is not what it holds; try again later";
                    let obstacle = RestoreObstacle::Account(BlockedReason::Unavailable);
                    Err(refused(account, problem, obstacle))
                }
                Err(error) => Err(unseen(account, &row.id, &error)),
            };
        }
        let around = Surroundings {
            rows: self.rows(account).iter().collect(),
            is_sibling: &|_| false,
            is_linked: &|_| false,
            excluded: Vec::new(),
            reason: StepReason::Forced,
        };
        let found = match there(&recording, &around) {
            There::Nothing => return Ok(Place::Free),
            There::Same(id) => self.rows(account).iter().find(|row| row.id == id),
            There::Question(question) => {
                let problem = format!("it is not clear what stands in its place ({question})");
                return Err(unclear(account, &problem));
            }
        };
        let Some(found) = found else { return Ok(Place::Free) };
        match self.holds(account, found, &content).await {
            Ok(true) => Ok(Place::Holds(found.id.clone())),
            Ok(false) => Ok(Place::Taken(Box::new(found.clone()))),
            Err(error) => Err(unseen(account, &found.id, &error)),
        }
    }

    /// Whether an activity holds what a backup does.
    async fn holds(
        &self,
        account: &AccountName,
        activity: &Activity,
        content: &Content,
    ) -> Result<bool, PlatformError> {
        if activity.sha256.is_some() {
            return Ok(false);
        }
        let there = self.download(account, activity).await?;
        Ok(fit::read(&there).is_ok_and(|there| changes(content, &there).is_empty()))
    }

    /// What an account lists with a backup's very bytes.
    fn same_bytes(&self, account: &AccountName, backup: &Backup) -> Option<&Activity> {
        let mut rows = self.rows(account).iter();
        rows.find(|row| row.sha256.as_ref() == Some(&backup.sha256))
    }

    async fn download(
        &self,
        account: &AccountName,
        activity: &Activity,
    ) -> Result<Vec<u8>, PlatformError> {
        let open = self.opened.accounts.get(account);
        let platform = open.and_then(|open| open.platform.clone());
        let platform = platform.ok_or(PlatformError::Unsupported)?;
        Ok(platform.download(activity).await?.bytes)
    }

    /// Refuses to take anything away but what a run has put in the backup's place.
    pub(super) async fn check_successor(
        &self,
        session: &Session,
        backup: &Backup,
        account: &AccountName,
        old: &Activity,
    ) -> Result<(), EngineError> {
        let Some(replaced_by) = &backup.subject.replaced_by else { return Ok(()) };
        let links = session.store.counterparts(self.row_of(account)?)?;
        let is_pair = |(id, (_, source)): &(RemoteId, (AccountRow, RemoteId))| {
            *id == old.id && *source == replaced_by.source.id
        };
        let is_linked = links.iter().any(is_pair);
        if is_linked || old.sha256.as_ref() == Some(&replaced_by.payload) {
            return Ok(());
        }
        let there = match old.sha256 {
            Some(_) => None,
            None => self.download(account, old).await.ok(),
        };
        if there.is_some_and(|bytes| Sha256::of(&bytes) == replaced_by.payload) {
            return Ok(());
        }
        let problem = format!(
            "{} is there, and is not what a run has put in its place; remove that yourself, or put \
             the backup beside it into another account with --to",
            old.id
        );
        Err(unclear(account, &problem))
    }
}

/// A backup as an activity, so that it can be looked for.
fn recording(backup: &Backup, content: &Content) -> Option<Activity> {
    let (key, _) = content.key()?;
    let payload = Payload {
        sha256: backup.sha256.clone(),
        start: key.start,
        elapsed_s: key.elapsed_s,
        distance_m: content.distance_m(),
        kind: content.kind(),
        title: None,
        local_offset_s: None,
        private: false,
    };
    Some(payload.activity(&backup.subject.id))
}
