//! Everything that a plan depends on, as values.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::civil::Date;
use regex::Regex;

use crate::domain::{
    AccountName, Activity, Address, Capabilities, Content, Decision, Fingerprint, Inventory, Link,
    Party, ProfileId, Refusal, RemoteId, RuleName, Verdict,
};
use crate::manifest::Manifest;

use super::context::{BlockedReason, OpenStep};
use super::model::ByAccount;
use super::underway::Underway;

/// The whole input of a plan: the same world gives the same plan, byte for byte.
pub struct World<'a> {
    /// What the user wants.
    pub manifest: &'a Manifest,
    /// The UTC day of the plan, for relative dates and waiting times.
    pub today: Date,
    /// The accounts that could be read.
    pub accounts: BTreeMap<AccountName, AccountView<'a>>,
    /// Those that could not.
    pub blocked: BTreeMap<AccountName, (BlockedReason, String)>,
    /// What earlier runs and people left.
    pub memory: &'a Memory,
    /// How this plan was asked for.
    pub options: Options,
}

/// An account that could be read.
#[derive(Clone)]
pub struct AccountView<'a> {
    /// Platform id.
    pub platform: String,
    /// Region id.
    pub region: Option<String>,
    /// Whose it is.
    pub profile: Option<ProfileId>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it holds.
    pub inventory: &'a Inventory,
    /// Activities at the last reading that was believed.
    pub last_good_count: Option<u64>,
}

/// What earlier runs and people left.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Links by (source, destination).
    pub links: HashMap<(AccountName, AccountName), Vec<Link>>,
    /// Refusals by (source, destination).
    pub refusals: HashMap<(AccountName, AccountName), HashMap<RemoteId, Refusal>>,
    /// Facts of originals that were fetched to be compared.
    pub contents: ByAccount<HashMap<(RemoteId, Fingerprint), Content>>,
    /// Decisions that are in force.
    pub decisions: Vec<Decision>,
    /// Source activities by (source, destination) of which nobody knows yet what became of them
    /// there: nothing is done about them before that.
    pub in_flight: HashMap<(AccountName, AccountName), HashSet<RemoteId>>,
    /// What was sent to an account by steps that are not over.
    pub underway: ByAccount<Vec<Underway>>,
    /// The steps that are not over and have done something, in the order in which they were begun.
    pub open: Vec<OpenStep>,
    /// Source activities by (source, destination) whose removal there a finished apply has told.
    pub told_removals: HashMap<(AccountName, AccountName), HashSet<RemoteId>>,
    /// By account: what open steps have placed there, and what they are to take away. It goes nowhere
    /// before that is settled.
    pub unsettled: ByAccount<HashSet<RemoteId>>,
}

impl Memory {
    /// The links from one account to another.
    pub fn links_between(&self, source: &AccountName, destination: &AccountName) -> &[Link] {
        self.links.get(&(source.clone(), destination.clone())).map_or(&[], Vec::as_slice)
    }

    /// Whether an earlier run's step about an activity is not settled yet.
    pub fn is_in_flight(
        &self,
        source: &AccountName,
        destination: &AccountName,
        id: &RemoteId,
    ) -> bool {
        let between = self.in_flight.get(&(source.clone(), destination.clone()));
        between.is_some_and(|ids| ids.contains(id))
    }

    /// Whether an open step has placed an account's activity there, or is to take it away.
    pub fn is_unsettled(&self, account: &AccountName, id: &RemoteId) -> bool {
        self.unsettled.get(account).is_some_and(|ids| ids.contains(id))
    }

    /// Whether a finished apply has told that an activity was removed at a destination.
    pub fn is_removal_told(
        &self,
        source: &AccountName,
        destination: &AccountName,
        id: &RemoteId,
    ) -> bool {
        let told = self.told_removals.get(&(source.clone(), destination.clone()));
        told.is_some_and(|ids| ids.contains(id))
    }

    /// The last refusal of an activity of one account by another, whatever it has become since.
    pub fn last_refusal(
        &self,
        source: &AccountName,
        destination: &AccountName,
        id: &RemoteId,
    ) -> Option<&Refusal> {
        self.refusals.get(&(source.clone(), destination.clone()))?.get(id)
    }

    /// The refusal of an activity as it is now, if there is one.
    pub fn refusal(
        &self,
        source: &AccountName,
        destination: &AccountName,
        activity: &Activity,
    ) -> Option<&Refusal> {
        let last = self.last_refusal(source, destination, &activity.id);
        last.filter(|refusal| refusal.fingerprint == activity.fingerprint)
    }

    /// Takes what a look found, and returns it with the earlier looks that found the same.
    pub fn note_refusal(
        &mut self,
        source: &AccountName,
        destination: &AccountName,
        found: Refusal,
    ) -> Refusal {
        let between = self.refusals.entry((source.clone(), destination.clone())).or_default();
        let earlier = between.remove(&found.id);
        let refusal = found.after(earlier.as_ref());
        between.insert(refusal.id.clone(), refusal.clone());
        refusal
    }

    /// The facts of an activity's file, where it has been seen.
    pub fn content<'m>(
        &'m self,
        account: &AccountName,
        activity: &'m Activity,
    ) -> Option<&'m Content> {
        activity.content.as_ref().or_else(|| {
            let key = (activity.id.clone(), activity.fingerprint.clone());
            self.contents.get(account)?.get(&key)
        })
    }
}

/// How a plan was asked for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which addresses.
    pub selection: Selection,
    /// Whether questions of overlap and zone are uploaded and equal pairs replaced.
    pub force: Force,
    /// Whether what was refused is tried again before its date.
    pub refused: RetryRefused,
    /// Whether the pairs in sync stand in the document.
    pub in_sync: Listing,
    /// Activities of a rule's source that were approved, whatever its filter says by now.
    pub approved: HashMap<RuleName, HashSet<RemoteId>>,
}

/// Whether what was refused is tried again before its date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RetryRefused {
    /// On its date.
    #[default]
    OnItsDate,
    /// Now (`--retry-refused`).
    Now,
}

/// Whether to go beyond what a plan would do by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// As a plan does by itself.
    #[default]
    No,
    /// `sync --force`.
    Yes,
}

/// Whether pairs in sync are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listing {
    /// They are counted.
    #[default]
    Counted,
    /// They are listed (`--all`).
    Listed,
}

/// Which addresses a plan is about. Everything, unless told otherwise.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these rules; empty for all.
    pub rules: Vec<RuleName>,
    /// Only addresses that match one of these; empty for all.
    pub only: Vec<Glob>,
    /// No addresses that match one of these.
    pub except: Vec<Glob>,
}

impl Selection {
    /// Whether a rule takes part.
    pub fn takes_rule(&self, rule: &RuleName) -> bool {
        self.rules.is_empty() || self.rules.contains(rule)
    }

    /// Whether an address takes part.
    pub fn takes(&self, rule: &RuleName, address: &Address) -> bool {
        let text = address.as_str();
        self.takes_rule(rule)
            && (self.only.is_empty() || self.only.iter().any(|glob| glob.matches(text)))
            && !self.except.iter().any(|glob| glob.matches(text))
    }
}

/// A pattern over addresses: `*` any characters, `?` one, everything else itself.
#[derive(Clone, Debug)]
pub struct Glob(Regex);

impl Glob {
    /// Reads a pattern; every text is one, but a very long one may be refused.
    pub fn parse(pattern: &str) -> Result<Self, regex::Error> {
        let body = regex::escape(pattern).replace(r"\*", ".*").replace(r"\?", ".");
        Ok(Self(Regex::new(&format!("^(?s:{body})$"))?))
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Decisions about the activities of one rule.
pub(super) struct Decided<'a> {
    decisions: HashMap<&'a Fingerprint, Vec<&'a Decision>>,
    account: &'a AccountName,
    profile: Option<&'a ProfileId>,
}

impl<'a> Decided<'a> {
    pub(super) fn about(
        memory: &'a Memory,
        rule: &RuleName,
        account: &'a AccountName,
        profile: Option<&'a ProfileId>,
    ) -> Self {
        let mut decisions: HashMap<&Fingerprint, Vec<&Decision>> = HashMap::new();
        for decision in memory.decisions.iter().filter(|decision| decision.rule == *rule) {
            decisions.entry(&decision.source.fingerprint).or_default().push(decision);
        }
        Self { decisions, account, profile }
    }

    /// The decision about an activity of the rule's source, if there is one of that kind.
    pub(super) fn find(&self, verdict: Verdict, activity: &Activity) -> Option<&'a Decision> {
        let about = self.decisions.get(&activity.fingerprint)?;
        about.iter().copied().find(|decision| {
            decision.decision == verdict
                && is_party(&decision.source, self.account, self.profile, activity)
        })
    }
}

/// Whether a decision means this activity: the same profile, id and fingerprint; where the
/// fingerprint is of the bytes, a renamed file is still meant.
pub(super) fn is_party(
    party: &Party,
    account: &AccountName,
    profile: Option<&ProfileId>,
    activity: &Activity,
) -> bool {
    is_of(party, account, profile)
        && party.fingerprint == activity.fingerprint
        && (party.id == activity.id || activity.sha256.is_some())
}

/// Whether a party is of this account, by its profile where both have one.
pub(super) fn is_of(party: &Party, account: &AccountName, profile: Option<&ProfileId>) -> bool {
    match (&party.profile, profile) {
        (Some(party), Some(profile)) => party == profile,
        (None, _) | (_, None) => party.account == *account,
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn globs_match_whole_addresses() {
        let matches = |glob: &str, text: &str| Glob::parse(glob).unwrap().matches(text);
        assert!(matches("us-to-archive/2026-11-*", "us-to-archive/2026-11-19T06:12:33Z"));
        assert!(!matches("2026-11-*", "us-to-archive/2026-11-19T06:12:33Z"));
        assert!(matches("*#2", "a/2026-11-19T06:12:33Z#2"));
        assert!(matches("a/@x?z.fit", "a/@xyz.fit"));
        assert!(!matches("a/@x.z", "a/@xyz"));
    }
}
