//! What the questions see of a world: its rules, and what is truly there.

use fit_sync::domain::Address;

use super::last_questions::rule_name;
use super::ledger::{By, Copy, Ledger};
use super::recordings::Recording;
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

    /// Whether the one that was removed for a recording is one that its account does not take back: the
    /// gap stays open, every run says so and names the backup.
    pub(super) fn is_refused_back(&self, rule: Rule, recording: Recording) -> bool {
        let is_gone = |copy: &Copy| copy.gone == Some(By::Run) && copy.recording.may_be(recording);
        let mut gone = self.ledger.of(rule.destination).iter().filter(|copy| is_gone(copy));
        gone.any(|copy| self.is_poison(rule, copy))
    }

    /// Whether an open step waits for an account that does not take back what was removed.
    pub(super) fn waits_for_good(&self, step: &str) -> bool {
        self.world.rules.iter().any(|rule| {
            self.ledger.of(rule.source).iter().any(|copy| {
                let address = Address::of_start(&rule_name(*rule), copy.recording.start(), 1);
                step.starts_with(address.as_str())
                    && (self.is_refused_back(*rule, copy.recording)
                        || self.is_place_taken(rule.destination, copy))
            })
        })
    }
}
