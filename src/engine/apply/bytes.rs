//! The bytes that steps need: by their hash on the disk, claimed as long as a step is open.

use crate::archive::{
    ArchiveError, BackupId, Backups, Blobs, Claim, ClaimOwner, ClaimReason, Subject,
};
use crate::domain::Sha256;
use crate::event::Phase;
use crate::plan::reconcile::Entry;
use crate::state::StepRecord;

use super::super::error::EngineError;
use super::super::session::Session;

/// The backups of this run.
pub(super) fn backups(session: &Session) -> Backups {
    Backups::new(&session.places.backups)
}

/// The bytes of this hash, if they are on the disk as they were.
pub(super) fn get(session: &Session, sha256: &Sha256) -> Option<Vec<u8>> {
    Blobs::new(&session.places.backups).get(sha256).ok().flatten()
}

/// Stores the old activity's bytes and those that are sent, and claims both for a step.
pub(super) fn keep(
    session: &Session,
    claim: Claim,
    old: (&[u8], Subject),
    payload: &[u8],
) -> Result<BackupId, ArchiveError> {
    let (bytes, subject) = old;
    let private = subject.details.private == Some(true);
    let id = BackupId::of(&subject, &Sha256::of(bytes));
    let mut claim = claim;
    claim.journal.push(Entry::BackedUp { backup: id.to_string(), private });
    backups(session).store(bytes, subject, &claim)?;
    keep_payload(session, payload, &Claim { why: ClaimReason::Payload, ..claim })?;
    Ok(id)
}

/// Stores the bytes that are sent, and claims them for a step.
pub(super) fn keep_payload(
    session: &Session,
    payload: &[u8],
    claim: &Claim,
) -> Result<(), ArchiveError> {
    Blobs::new(&session.places.backups).put(payload, claim).map(drop)
}

/// Gives up the claims of a step that is over; what stays by accident, the next run releases.
pub(super) fn release(session: &Session, owner: &ClaimOwner) {
    let _ = Blobs::new(&session.places.backups).release(owner);
}

/// Releases the claims of steps that are over, which a crash may leave, and removes stored bytes that
/// nothing needs.
pub(super) fn sweep(session: &Session) -> Result<(), EngineError> {
    let blobs = Blobs::new(&session.places.backups);
    let state = session.store.state_id()?;
    for claim in blobs.claims_of(&state).map_err(EngineError::Archive)? {
        let steps = session.store.steps_at(&claim.address)?;
        // One that this journal does not know is another copy's.
        if steps.iter().any(|record| record.id.0 == claim.owner.step && is_over(record)) {
            blobs.release(&claim.owner).map_err(EngineError::Archive)?;
        }
    }
    blobs.sweep(session.clock().now()).map_err(EngineError::Archive)?;
    Ok(())
}

fn is_over(record: &StepRecord) -> bool {
    record.phase().is_some_and(Phase::is_final)
}
