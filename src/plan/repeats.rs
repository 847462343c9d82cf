//! What a source may hold twice is no reason to replace anything.

use crate::domain::Activity;

use super::compare;
use super::decide::{Judge, Ruling};
use super::owners::Owned;
use super::reason::SkipReason;
use super::recall::Memory;

impl<'a> Judge<'a> {
    /// Nothing is replaced by what may be the recording of its twin once more.
    pub(super) fn tell_from_twin(
        &self,
        event: &Owned<'a>,
        memory: &Memory<'a>,
        first: Option<&'a Activity>,
        ruling: Ruling<'a>,
    ) -> Ruling<'a> {
        let is_linked = matches!(memory, Memory::Linked(_) | Memory::Adopted(_));
        let (Ruling::Replace { .. } | Ruling::Compare(..), Some(first), false) =
            (&ruling, first, is_linked)
        else {
            return ruling;
        };
        let account = &event.rule.source;
        let content = |activity| self.world.memory.content(account, activity);
        match content(event.entry.activity).zip(content(first)) {
            None => Ruling::Compare(account, first),
            Some((own, other)) if compare::is_same_recording(own, other) => {
                Ruling::Skip(SkipReason::SameRecordingInSource)
            }
            Some(_) => ruling,
        }
    }
}
