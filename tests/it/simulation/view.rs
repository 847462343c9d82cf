//! What the questions see of a world: its rules, and what is truly there.

use super::ledger::{By, Copy, Ledger};
use super::world::{Quirk, Rule, World};

/// A world and its ledger.
pub(super) struct View<'a> {
    pub(super) ledger: &'a Ledger,
    pub(super) world: &'a World,
}

impl View<'_> {
    /// Whether no other activity claims the same place at the destination.
    pub(super) fn owns(&self, rule: Rule, copy: &Copy) -> bool {
        let into = self.world.rules.iter().filter(|other| other.destination == rule.destination);
        let mut rivals = into.flat_map(|other| self.ledger.there(other.source));
        let there = self.ledger.there(rule.destination);
        let may_be = |it: &&Copy| it.recording.may_be(copy.recording);
        rivals.by_ref().filter(may_be).count() == 1 && there.filter(may_be).count() == 1
    }

    /// Whether a person removed it at the destination.
    pub(super) fn is_taken_away(&self, rule: Rule, copy: &Copy) -> bool {
        let gone = self.ledger.of(rule.destination).iter().filter(|it| it.gone == Some(By::Person));
        gone.into_iter().any(|gone| gone.recording.may_be(copy.recording))
    }

    pub(super) fn is_poison(&self, rule: Rule, copy: &Copy) -> bool {
        let owner = self.ledger.owner(rule.destination);
        let account = self.world.accounts.get(owner);
        let mut quirks = account.into_iter().flat_map(|account| &account.quirks);
        quirks.any(|quirk| {
            matches!(quirk, Quirk::Refuses { recording, .. } if *recording == copy.recording)
        })
    }
}
