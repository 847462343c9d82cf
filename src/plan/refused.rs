//! What an account refused and a person must decide about.

use crate::domain::{Activity, RefusalReason, RefusalStanding, ReplaceProtocol, Verdict};

use super::context::ActivityRef;
use super::decide::{Judge, Ruling};
use super::owners::Owned;
use super::question::Question;
use super::reason::{ConflictReason, SkipReason, StepReason};
use super::world::{RetryRefused, World};

impl<'a> Judge<'a> {
    /// What the destination refused as a duplicate of something of its own is not sent again before a
    /// person's word about that refusal.
    pub(super) fn rule_on_duplicate(&self, event: &Owned<'a>) -> Option<Ruling<'a>> {
        let activity = event.entry.activity;
        let refusal = self.world.memory.refusal(&event.rule.source, self.destination, activity)?;
        let is_asked = refusal.reason == RefusalReason::DuplicateAtDestination
            && self.world.options.refused == RetryRefused::OnItsDate;
        if !is_asked {
            return None;
        }
        let distinct = self.decision(event, Verdict::Distinct);
        if distinct.is_some_and(|decision| decision.at > refusal.last_seen) {
            return Some(Ruling::Upload(StepReason::Distinct));
        }
        let named = |found: &&Activity| Some(&found.id) == refusal.candidate.as_ref();
        let candidates = self.view.inventory.activities.iter().filter(named);
        let candidates = candidates.map(|found| ActivityRef::of(self.destination, found));
        let reason = ConflictReason::RefusedByDestination;
        Some(Ruling::Conflict(Question::of(reason, candidates.collect())))
    }

    /// What was changed while its successor was sent stays beside it until a person decides which of
    /// them it is, or removes one.
    pub(super) fn rule_on_changed(
        &self,
        event: &Owned<'a>,
        found: &Activity,
    ) -> Option<Ruling<'a>> {
        // Also where its source was edited since: its own copy is there already.
        let (source, id) = (&event.rule.source, &event.entry.activity.id);
        let refusal = self.world.memory.last_refusal(source, self.destination, id)?;
        let old = refusal.candidate.as_ref().filter(|id| **id != found.id)?;
        let is_asked = refusal.reason == RefusalReason::ChangedOnBothSides;
        let mut rows = self.view.inventory.activities.iter().enumerate();
        let (place, old) = rows.find(|(_, row)| row.id == *old).filter(|_| is_asked)?;
        if self.excluded(event).contains(&place) {
            return None;
        }
        let candidates = [found, old].map(|row| ActivityRef::of(self.destination, row));
        Some(Ruling::Conflict(Question::of(ConflictReason::ChangedOnBothSides, candidates.into())))
    }

    /// Why an activity is not replaced whose successor was refused on two days, each time after it had
    /// been removed: a further look would remove it once more, so only a person asks for one.
    pub(super) fn removed_in_vain(&self, event: &Owned<'a>) -> Option<SkipReason> {
        let activity = event.entry.activity;
        let refusal = self.world.memory.refusal(&event.rule.source, self.destination, activity)?;
        let is_of_destination = matches!(
            refusal.reason,
            RefusalReason::RejectedByDestination | RefusalReason::TooLarge
        );
        let deletes_first = self.view.capabilities.replace == ReplaceProtocol::DeleteThenUpload;
        let is_left = self.world.options.refused == RetryRefused::OnItsDate;
        let is_known = is_of_destination && !refusal.is_first_look();
        (is_known && deletes_first && is_left).then(|| SkipReason::from(refusal.reason))
    }

    /// Whether looks on two days found no usable original of a destination's activity, so that no
    /// backup can be made of it.
    pub(super) fn has_no_file(&self, found: &Activity) -> bool {
        let World { memory, today, options, .. } = self.world;
        let refusal = memory.refusal(self.destination, self.destination, found);
        options.refused == RetryRefused::OnItsDate
            && refusal.is_some_and(|refusal| {
                !refusal.is_first_look() && refusal.standing(*today) != RefusalStanding::Due
            })
    }
}
