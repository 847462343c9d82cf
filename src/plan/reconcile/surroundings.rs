//! What else is at the destination around a recording, by the plan's own matching.

use crate::domain::{AccountName, Activity, ProfileId, RemoteId, RuleName, Verdict};
use crate::plan::matching::{self, Field, Outcome, Seeker};
use crate::plan::reason::{ConflictReason, StepReason};
use crate::plan::world::{Decided, Memory, is_party};

use super::evidence::There;

/// The rows around a recording, and what is known about them.
pub struct Surroundings<'a> {
    /// The destination's rows around it.
    pub rows: Vec<&'a Activity>,
    /// Whether a row is the counterpart of another activity of the same source account: the source
    /// itself holds both.
    pub is_sibling: &'a dyn Fn(&RemoteId) -> bool,
    /// Whether a row is the counterpart of an activity of another account.
    pub is_linked: &'a dyn Fn(&RemoteId) -> bool,
    /// Rows that a person said it is not, and the one that it replaces.
    pub excluded: Vec<RemoteId>,
    /// Why the step was planned: what was forced is not asked again.
    pub reason: StepReason,
}

/// Judges a recording as the plan would, with the key that its file has.
pub fn there(recording: &Activity, around: &Surroundings<'_>) -> There {
    let rows = around.rows.iter().filter(|row| !(around.is_sibling)(&row.id));
    let mut field = Field { activities: rows.copied().collect(), ..Field::default() };
    let places = field.activities.iter().enumerate();
    field.linked = places
        .clone()
        .filter(|(_, row)| (around.is_linked)(&row.id))
        .map(|(place, _)| (place, 0))
        .collect();
    let excluded =
        places.filter(|(_, row)| around.excluded.contains(&row.id)).map(|(place, _)| place);
    let seeker =
        Seeker { activity: recording, account: 0, fixed: None, excluded: excluded.collect() };
    let outcome = matching::find(std::slice::from_ref(&seeker), &field).pop();
    let is_forced = around.reason == StepReason::Forced;
    match outcome.unwrap_or(Outcome::Alone) {
        Outcome::Match(place, _) => {
            let found = field.activities.get(place);
            found.map_or(There::Nothing, |row| There::Same(row.id.clone()))
        }
        Outcome::Ambiguous(_) => There::Question(ConflictReason::Ambiguous),
        Outcome::Contained(_) | Outcome::Overlap(_) | Outcome::ZoneSuspect(_) if is_forced => {
            There::Nothing
        }
        Outcome::Contained(_) => There::Question(ConflictReason::Contained),
        Outcome::Overlap(_) => There::Question(ConflictReason::PartialOverlap),
        Outcome::ZoneSuspect(_) => There::Question(ConflictReason::PossibleTimeZoneDuplicate),
        Outcome::Alone => There::Nothing,
    }
}

/// Those of an account's rows that a person said an activity is not.
pub fn told_apart(
    memory: &Memory,
    rule: &RuleName,
    source: (&AccountName, Option<&ProfileId>, &Activity),
    destination: (&AccountName, Option<&ProfileId>),
    rows: &[&Activity],
) -> Vec<RemoteId> {
    let (account, profile, activity) = source;
    let decided = Decided::about(memory, rule, account, profile);
    let Some(decision) = decided.find(Verdict::Distinct, activity) else { return Vec::new() };
    let is_meant = |row: &&&Activity| {
        let mut parties = decision.candidates.iter();
        parties.any(|party| is_party(party, destination.0, destination.1, row))
    };
    rows.iter().filter(is_meant).map(|row| row.id.clone()).collect()
}
