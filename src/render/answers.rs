//! The commands that answer a question of the plan.

use crate::domain::{AccountName, neutralise};
use crate::plan::{ActivityRef, Conflict, ConflictReason};

/// The line under a question that tells how to answer it.
pub(super) fn decide_line(conflict: &Conflict, destination: &AccountName) -> String {
    let Conflict { address, reason, candidates, .. } = conflict;
    let address = neutralise(address.as_str());
    format!("decide: {}", answers(*reason, &address, candidates, destination))
}

/// What exactly is asked, a line each: what would be lost, in what the file differs from its row.
pub(super) fn particulars(conflict: &Conflict) -> Vec<String> {
    let loses = conflict.loses.iter().map(|loss| format!("would lose {loss}"));
    let changes = conflict.changes.iter();
    let changes = changes.map(|it| format!("{}: listed {}, file {}", it.field, it.from, it.to));
    loses.chain(changes).map(|line| neutralise(&line)).collect()
}

/// The command that is likeliest meant, and the others that would change something.
pub(super) fn answers(
    reason: ConflictReason,
    address: &str,
    candidates: &[ActivityRef],
    destination: &AccountName,
) -> String {
    let mut there = candidates.iter().filter(|candidate| candidate.account == *destination);
    let Some(first) = there.next() else {
        return format!("fit_sync state distinct {address}   (or ignore)");
    };
    let others = match reason {
        ConflictReason::RefusedByDestination => "ignore; distinct sends it once more",
        // Its own copy is there already, beside the version that was edited.
        ConflictReason::ChangedOnBothSides if there.next().is_some() => "ignore",
        _ => "distinct, ignore",
    };
    let id = neutralise(first.id.as_str());
    format!("fit_sync state adopt {address} --as {id}   (or {others})")
}
