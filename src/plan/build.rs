//! The second straight line's middle: from a world to a plan.

use std::collections::BTreeMap;

use crate::domain::{AccountName, Activity, Address, Fingerprint, RemoteId, RuleName, neutralise};
use crate::manifest::{ConflictStrategy, Rule};

use super::basis::{accounts, inventories, selected_rules, shrunken_destinations};
use super::chains;
use super::context::{
    ActivityRef, Blocked, BlockedReason, Conflict, Context, Counts, InSync, ManifestRef,
    RuleSummary, Skip,
};
use super::decide::{self, Notice, Ruling};
use super::document::DocumentError;
use super::guard;
use super::model::{Body, Document, Step};
use super::owners::{self, Covered, Owned};
use super::question::Question;
use super::reason::{InSyncReason, SkipReason};
use super::select::{self, Entry};
use super::steps;
use super::unopened::Unopened;
use super::world::{AccountView, Force, Listing, World};

/// A plan and what belongs beside it.
#[derive(Debug)]
pub struct Plan {
    /// What is printed, saved and executed.
    pub document: Document,
    /// Every pair with nothing to do, whether listed in the document or not.
    pub in_sync: Vec<Pair>,
    /// Originals that must be read before the plan is complete, in order of their addresses.
    pub to_compare: Vec<Comparison>,
    /// Edits that the plan leaves alone.
    pub notices: Vec<(Address, Notice)>,
    /// What is wanted without a step: another rule owns its event, or it has to wait.
    pub left: Vec<Way>,
    /// What was removed at its destination, by its address.
    pub removed: Vec<(Address, Way)>,
}

/// The way of an activity: its account, where to, and its id.
pub type Way = (AccountName, AccountName, RemoteId);

/// A pair with nothing to do, by the ids of its sides: there may be many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its address.
    pub address: Address,
    /// The rule.
    pub rule: RuleName,
    /// Why nothing is to do.
    pub reason: InSyncReason,
    /// The source's account and id.
    pub source: (AccountName, RemoteId),
    /// The destination's; `None` while it is not listed yet.
    pub destination: Option<(AccountName, RemoteId)>,
}

/// A pair whose originals must be read to know whether they differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The pair's address.
    pub address: Address,
    /// The source's account, id and fingerprint.
    pub source: (AccountName, RemoteId, Fingerprint),
    /// The destination's account, id and fingerprint.
    pub destination: (AccountName, RemoteId, Fingerprint),
}

/// Makes the plan of a world. Pure: the same world gives the same bytes.
pub fn build(world: &World<'_>) -> Result<Plan, DocumentError> {
    let mut draft = Draft::default();
    let mut blocked = Vec::new();
    for (destination, rules) in by_destination(world) {
        let (open, closed): (Vec<&Rule>, Vec<&Rule>) =
            rules.into_iter().partition(|rule| obstacle(world, rule).is_none());
        blocked.extend(closed.iter().filter_map(|rule| blocked_rule(world, rule)));
        if let Some(view) = world.accounts.get(destination) {
            draft.plan_destination(world, destination, view, &open);
        }
    }
    blocked.append(&mut draft.blocked);
    draft.finish(world, blocked)
}

fn by_destination<'a>(world: &'a World<'a>) -> BTreeMap<&'a AccountName, Vec<&'a Rule>> {
    let mut rules: BTreeMap<&AccountName, Vec<&Rule>> = BTreeMap::new();
    for rule in &world.manifest.rules {
        rules.entry(&rule.destination).or_default().push(rule);
    }
    rules
}

/// The account that keeps a rule from being planned.
fn obstacle<'a>(
    world: &'a World<'a>,
    rule: &'a Rule,
) -> Option<(&'a AccountName, &'a (BlockedReason, String))> {
    [&rule.source, &rule.destination]
        .into_iter()
        .find_map(|account| Some((account, world.blocked.get(account)?)))
}

fn blocked_rule(world: &World<'_>, rule: &Rule) -> Option<Blocked> {
    let (account, (reason, message)) = obstacle(world, rule)?;
    Some(blocked(rule, account, *reason, message.clone()))
}

fn blocked(rule: &Rule, account: &AccountName, reason: BlockedReason, message: String) -> Blocked {
    let (rule, account) = (rule.name.clone(), account.clone());
    Blocked { rule, account, reason, message, files: Vec::new() }
}

/// A plan in the making.
#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    conflicts: Vec<Conflict>,
    skips: Vec<Skip>,
    in_sync: Vec<Pair>,
    listed: Vec<InSync>,
    to_compare: Vec<Comparison>,
    notices: Vec<(Address, Notice)>,
    blocked: Vec<Blocked>,
    left: Vec<Way>,
    removed: Vec<(Address, Way)>,
    counts: BTreeMap<RuleName, Counts>,
}

/// What the state of the inventories forbids a rule.
#[derive(Clone, Copy, Default)]
struct Forbidden {
    uploads: bool,
    replaces: bool,
}

impl Draft {
    fn plan_destination<'a>(
        &mut self,
        world: &'a World<'a>,
        destination: &'a AccountName,
        view: &'a AccountView<'a>,
        rules: &[&'a Rule],
    ) {
        let mut wishes = Vec::new();
        for rule in rules {
            let Some(source) = world.accounts.get(&rule.source) else {
                continue;
            };
            let selected = select::select(world, rule, source);
            for (entry, reason, detail) in selected.skipped {
                self.skip(world, rule, &entry, reason, detail.as_deref());
            }
            wishes.push((*rule, selected.wanted));
        }
        let (owned, covered) = owners::assign(world, wishes);
        for Covered { rule, entry, by } in &covered {
            let detail = format!("owned by {}", by.1);
            self.skip(world, rule, entry, SkipReason::CoveredByRule, Some(&detail));
        }
        let forbidden: BTreeMap<&RuleName, Forbidden> =
            rules.iter().map(|rule| (&rule.name, self.forbidden(world, rule, view))).collect();
        let rulings = decide::decide(world, destination, view, &owned);
        let pairs = rulings.iter().filter(|ruling| matches!(ruling, Ruling::InSync { .. }));
        self.in_sync.reserve_exact(pairs.count());
        let mut unopened = Unopened::of(world, destination, view);
        for (event, ruling) in owned.iter().zip(rulings) {
            let forbidden = forbidden.get(&event.rule.name).copied().unwrap_or_default();
            self.take(world, (view, &mut unopened), event, ruling, forbidden);
        }
        self.blocked.extend(unopened.blocked());
    }

    fn forbidden(&mut self, world: &World<'_>, rule: &Rule, view: &AccountView<'_>) -> Forbidden {
        let mut forbidden = Forbidden::default();
        if let Some((reason, message)) = guard::incomplete(&rule.destination, view) {
            self.blocked.push(blocked(rule, &rule.destination, reason, message));
            forbidden = Forbidden { uploads: true, replaces: true };
        }
        let source = world.accounts.get(&rule.source);
        let replaces =
            rule.strategy == ConflictStrategy::ReplaceExisting || world.options.force == Force::Yes;
        let doubt = source.and_then(|source| match replaces {
            true => guard::doubtful(&world.manifest.limits, &rule.source, source, world.memory),
            false => guard::partly_read(&rule.source, source),
        });
        if let Some((reason, message)) = doubt {
            let message = format!("{message}; nothing is replaced");
            self.blocked.push(blocked(rule, &rule.source, reason, message));
            forbidden.replaces = true;
        }
        forbidden
    }

    fn take<'a>(
        &mut self,
        world: &World<'_>,
        (view, unopened): (&AccountView<'_>, &mut Unopened<'a>),
        event: &Owned<'a>,
        ruling: Ruling<'_>,
        forbidden: Forbidden,
    ) {
        let (rule, entry) = (event.rule, &event.entry);
        match ruling {
            Ruling::Upload(_) if forbidden.uploads => self.skip_unread(world, rule, entry),
            Ruling::Replace { .. } if forbidden.replaces => self.skip_unread(world, rule, entry),
            Ruling::Upload(_) | Ruling::Replace { .. } if unopened.hides(entry.activity.start) => {
                self.skip_hidden(world, rule, entry, unopened);
            }
            Ruling::Upload(reason) => {
                if self.count(world, rule, entry, |counts| counts.upload += 1) {
                    self.steps.push(steps::upload(rule, entry, reason));
                }
            }
            Ruling::Replace { old, reason, changes } => {
                if self.count(world, rule, entry, |counts| counts.replace += 1) {
                    self.steps.push(steps::replace(view, rule, entry, old, reason, changes));
                }
            }
            Ruling::Conflict(Question { reason, candidates, loses, changes }) => {
                if self.count(world, rule, entry, |counts| counts.conflict += 1) {
                    self.conflicts.push(Conflict {
                        address: entry.address.clone(),
                        rule: rule.name.clone(),
                        reason,
                        source: ActivityRef::of(&rule.source, entry.activity),
                        candidates,
                        loses,
                        changes,
                    });
                }
            }
            Ruling::Skip(reason) => {
                if reason == SkipReason::RemovedAtDestination {
                    let id = entry.activity.id.clone();
                    let way = (rule.source.clone(), rule.destination.clone(), id);
                    self.removed.push((entry.address.clone(), way));
                }
                self.skip(world, rule, entry, reason, None);
            }
            Ruling::Compare(account, found) => {
                self.compare(world, rule, entry, (account, found));
            }
            Ruling::InSync { with, reason, notice } => {
                if self.count(world, rule, entry, |counts| counts.in_sync += 1) {
                    self.notices.extend(notice.map(|notice| (entry.address.clone(), notice)));
                    self.keep_pair(world, rule, entry, with, reason);
                }
            }
        }
    }

    fn keep_pair(
        &mut self,
        world: &World<'_>,
        rule: &Rule,
        entry: &Entry<'_>,
        with: Option<&Activity>,
        reason: InSyncReason,
    ) {
        let (address, name) = (entry.address.clone(), rule.name.clone());
        if world.options.in_sync == Listing::Listed {
            self.listed.push(InSync {
                address: address.clone(),
                rule: name.clone(),
                reason,
                source: ActivityRef::of(&rule.source, entry.activity),
                destination: with.map(|found| ActivityRef::of(&rule.destination, found)),
            });
        }
        self.in_sync.push(Pair {
            address,
            rule: name,
            reason,
            source: (rule.source.clone(), entry.activity.id.clone()),
            destination: with.map(|found| (rule.destination.clone(), found.id.clone())),
        });
    }

    /// Counts an entry if it is selected, else as excluded; says which.
    fn count(
        &mut self,
        world: &World<'_>,
        rule: &Rule,
        entry: &Entry<'_>,
        add: impl Fn(&mut Counts),
    ) -> bool {
        let counts = self.counts.entry(rule.name.clone()).or_default();
        let selected = world.options.selection.takes(&rule.name, &entry.address);
        if selected {
            add(counts);
        } else {
            counts.excluded += 1;
        }
        selected
    }

    fn skip(
        &mut self,
        world: &World<'_>,
        rule: &Rule,
        entry: &Entry<'_>,
        reason: SkipReason,
        detail: Option<&str>,
    ) {
        let (source, id) = (&rule.source, &entry.activity.id);
        if matches!(reason, SkipReason::CoveredByRule | SkipReason::NotCompared) {
            self.left.push((source.clone(), rule.destination.clone(), id.clone()));
        }
        if self.count(world, rule, entry, |counts| counts.skip += 1) {
            let is_told = || world.memory.is_removal_told(source, &rule.destination, id);
            self.skips.push(Skip {
                address: entry.address.clone(),
                rule: rule.name.clone(),
                reason,
                detail: detail.map(neutralise),
                is_news: reason == SkipReason::RemovedAtDestination && !is_told(),
            });
        }
    }

    /// What would be written on the strength of an inventory that is not believed.
    fn skip_unread(&mut self, world: &World<'_>, rule: &Rule, entry: &Entry<'_>) {
        let detail = Some("an account's listing is in doubt");
        self.skip(world, rule, entry, SkipReason::NotCompared, detail);
    }

    /// What may lie in a file that cannot be opened.
    fn skip_hidden<'a>(
        &mut self,
        world: &World<'_>,
        rule: &'a Rule,
        entry: &Entry<'_>,
        unopened: &mut Unopened<'a>,
    ) {
        let is_selected = world.options.selection.takes(&rule.name, &entry.address);
        let file = is_selected.then(|| unopened.await_for(&rule.name, entry.activity.start));
        let detail = file.flatten().map(|id| format!("it may lie in {id}, which cannot be opened"));
        self.skip(world, rule, entry, SkipReason::NotCompared, detail.as_deref());
    }

    fn compare(
        &mut self,
        world: &World<'_>,
        rule: &Rule,
        entry: &Entry<'_>,
        (account, found): (&AccountName, &Activity),
    ) {
        let side = |account: &AccountName, activity: &Activity| {
            (account.clone(), activity.id.clone(), activity.fingerprint.clone())
        };
        if world.options.selection.takes(&rule.name, &entry.address) {
            self.to_compare.push(Comparison {
                address: entry.address.clone(),
                source: side(&rule.source, entry.activity),
                destination: side(account, found),
            });
        }
        self.skip(world, rule, entry, SkipReason::NotCompared, None);
    }

    fn finish(mut self, world: &World<'_>, blocked: Vec<Blocked>) -> Result<Plan, DocumentError> {
        let order: BTreeMap<&RuleName, usize> =
            world.manifest.rules.iter().enumerate().map(|(n, rule)| (&rule.name, n)).collect();
        let place = |rule: &RuleName| order.get(rule).copied().unwrap_or(usize::MAX);
        self.steps.sort_by_cached_key(|step| {
            (place(&step.rule), step.action, step.key.start, step.source.id.clone())
        });
        self.skips.extend(chains::leave_what_waits(&mut self.steps, &mut self.counts));
        self.conflicts.sort_by_cached_key(|conflict| {
            let source = &conflict.source;
            (place(&conflict.rule), source.start, source.id.clone())
        });
        self.skips.sort_by_cached_key(|skip| (place(&skip.rule), skip.address.clone()));
        self.listed.sort_by_cached_key(|pair| {
            let source = &pair.source;
            (place(&pair.rule), source.start, source.id.clone())
        });
        self.in_sync.sort_by_cached_key(|pair| (place(&pair.rule), pair.source.1.clone()));
        self.to_compare.sort_by(|a, b| a.address.cmp(&b.address));
        self.notices.sort_by(|a, b| a.0.cmp(&b.0));
        let mut blocked: Vec<Blocked> = blocked
            .into_iter()
            .filter(|blocked| world.options.selection.takes_rule(&blocked.rule))
            .collect();
        blocked.sort_by(|a, b| (place(&a.rule), &a.account).cmp(&(place(&b.rule), &b.account)));
        let (body, context) = self.document(world, blocked);
        Ok(Plan {
            document: Document::seal(body, context)?,
            in_sync: self.in_sync,
            to_compare: self.to_compare,
            notices: self.notices,
            left: self.left,
            removed: self.removed,
        })
    }

    fn document(&mut self, world: &World<'_>, blocked: Vec<Blocked>) -> (Body, Context) {
        let mut counts = Counts::default();
        self.counts.values().for_each(|rule| counts.add(rule));
        let mut limits = guard::exceeded(&world.manifest.limits, &counts);
        limits.extend(shrunken_destinations(world));
        let listed = std::mem::take(&mut self.listed);
        let context = Context {
            manifest: ManifestRef::from(&world.manifest.sha256),
            inventories: inventories(world),
            counts,
            rules: self.summaries(world),
            conflicts: std::mem::take(&mut self.conflicts),
            skips: std::mem::take(&mut self.skips),
            blocked,
            limits,
            open: world.memory.open.clone(),
            in_sync: (world.options.in_sync == Listing::Listed).then_some(listed),
        };
        let body = Body { accounts: accounts(world), steps: std::mem::take(&mut self.steps) };
        (body, context)
    }

    fn summaries(&self, world: &World<'_>) -> Vec<RuleSummary> {
        selected_rules(world)
            .filter(|rule| obstacle(world, rule).is_none())
            .map(|rule| RuleSummary {
                name: rule.name.clone(),
                source: rule.source.clone(),
                destination: rule.destination.clone(),
                counts: self.counts.get(&rule.name).copied().unwrap_or_default(),
            })
            .collect()
    }
}
