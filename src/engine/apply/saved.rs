//! Whether the steps of a saved plan still hold in the world of today.
//!
//! The plan is made once more; a step holds if it comes out again.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{Address, RemoteId, RuleName};
use crate::manifest::{ConflictStrategy, Filter, Manifest, Rule};
use crate::plan::reconcile::{Entry, Outcome, Why};
use crate::plan::{
    Action, ConflictReason, Document, Force, Options, Plan, SkipReason, Step, StepReason,
    address_of,
};

use super::super::error::EngineError;
use super::super::plan::Planned;
use super::super::session::Session;
use super::run::Run;
use super::task::Task;

/// How a step of a saved plan stands today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// As planned.
    Holds,
    /// The destination has it by now, as this activity.
    Done(RemoteId),
    /// An earlier run has sent it, or linked it, and it is not to be seen now.
    Unseen,
    /// A question has come up.
    Question(ConflictReason),
    /// There is something else than was planned for.
    Different,
    /// A reason against it has come up.
    Against(SkipReason),
    /// Source or destination changed or are gone.
    Stale(Why),
}

/// Refuses a saved plan whose accounts are others today.
pub fn check_accounts(planned: &Planned, document: &Document) -> Result<(), EngineError> {
    for account in &document.body.accounts {
        let other = |now: &str| EngineError::OtherAccount {
            account: account.name.clone(),
            now: now.to_owned(),
        };
        if planned.opened.blocked.contains_key(&account.name) {
            continue;
        }
        let open = planned
            .opened
            .accounts
            .get(&account.name)
            .ok_or_else(|| other("not in the manifest"))?;
        if open.platform_id != account.platform || open.region != account.region {
            return Err(other("on another platform or in another region"));
        }
        let same = account.profile.is_none() || open.profile.id == account.profile;
        if !same {
            return Err(other("somebody else's, or another folder"));
        }
    }
    Ok(())
}

/// How each of these steps of a saved plan stands today, in their order: as a plan of the whole world
/// sees it, so that both never disagree.
pub(super) fn standings(
    session: &Session,
    planned: &Planned,
    steps: &[Step],
) -> Result<Vec<Standing>, EngineError> {
    let is_forced = steps.iter().any(|step| step.reason == StepReason::Forced);
    let mut approved: HashMap<RuleName, HashSet<RemoteId>> = HashMap::new();
    for step in steps {
        approved.entry(step.rule.clone()).or_default().insert(step.source.id.clone());
    }
    let options = Options {
        force: if is_forced { Force::Yes } else { Force::No },
        refused: planned.refused,
        approved,
        ..Options::default()
    };
    let manifest = manifest_of(&session.manifest, steps);
    let today = planned.replan(session, &manifest, options)?;
    let verdicts = Verdicts::of(&today);
    Ok(steps.iter().map(|step| verdicts.standing(planned, step)).collect())
}

/// The manifest with the rules of these steps as they were approved: where it has another rule or none
/// under a name, they were planned without the others.
fn manifest_of(manifest: &Manifest, steps: &[Step]) -> Manifest {
    let mut own: Vec<Rule> = Vec::new();
    for step in steps {
        if !own.iter().any(|rule| is_rule_of(rule, step)) {
            own.push(rule_of(manifest, step));
        }
    }
    let replaces = |rule: &Rule| {
        let mut steps = steps.iter().filter(|step| is_rule_of(rule, step));
        steps.any(|step| step.action == Action::Replace)
    };
    for rule in own.iter_mut().filter(|rule| replaces(rule)) {
        rule.strategy = ConflictStrategy::ReplaceExisting;
    }
    let is_known = |rule: &Rule| manifest.rules.iter().any(|known| is_alike(known, rule));
    let rules = match own.iter().all(is_known) {
        true => {
            let as_approved = |rule: &Rule| own.iter().find(|own| is_alike(own, rule)).cloned();
            let rules = manifest.rules.iter();
            rules.map(|rule| as_approved(rule).unwrap_or_else(|| rule.clone())).collect()
        }
        false => own,
    };
    Manifest { rules, ..manifest.clone() }
}

fn is_alike(rule: &Rule, other: &Rule) -> bool {
    (&rule.name, &rule.source, &rule.destination)
        == (&other.name, &other.source, &other.destination)
}

fn is_rule_of(rule: &Rule, step: &Step) -> bool {
    let (source, destination) = (&step.source.account, &step.destination.account);
    (&rule.name, &rule.source, &rule.destination) == (&step.rule, source, destination)
}

/// The rule that wants a step, by today's manifest if it has it.
fn rule_of(manifest: &Manifest, step: &Step) -> Rule {
    let known = manifest.rules.iter().find(|rule| is_rule_of(rule, step)).cloned();
    known.unwrap_or_else(|| Rule {
        name: step.rule.clone(),
        source: step.source.account.clone(),
        destination: step.destination.account.clone(),
        filter: Filter::default(),
        strategy: ConflictStrategy::default(),
        line: 0,
    })
}

/// What today's plan says about each activity, by rule and source id.
struct Verdicts<'a> {
    steps: HashMap<(&'a RuleName, &'a RemoteId), &'a Step>,
    done: HashMap<(&'a RuleName, &'a RemoteId), Option<&'a RemoteId>>,
    questions: HashMap<(&'a RuleName, &'a RemoteId), ConflictReason>,
    /// By today's addresses.
    against: BTreeMap<&'a Address, SkipReason>,
}

impl<'a> Verdicts<'a> {
    fn of(today: &'a Plan) -> Self {
        let document = &today.document;
        let steps = document.body.steps.iter();
        let questions = document.context.conflicts.iter();
        let skips = document.context.skips.iter();
        Self {
            steps: steps.map(|step| ((&step.rule, &step.source.id), step)).collect(),
            done: today
                .in_sync
                .iter()
                .map(|pair| {
                    let with = pair.destination.as_ref().map(|(_, id)| id);
                    ((&pair.rule, &pair.source.1), with)
                })
                .collect(),
            questions: questions.map(|c| ((&c.rule, &c.source.id), c.reason)).collect(),
            against: skips.map(|skip| (&skip.address, skip.reason)).collect(),
        }
    }

    fn standing(&self, planned: &Planned, step: &Step) -> Standing {
        let Some(inventory) = planned.inventories.get(&step.source.account) else {
            return Standing::Stale(Why::SourceGone);
        };
        let source = inventory.activities.iter().find(|row| row.id == step.source.id);
        let Some(source) = source else { return Standing::Stale(Why::SourceGone) };
        if source.fingerprint != step.source.fingerprint {
            return Standing::Stale(Why::SourceChanged);
        }
        let key = (&step.rule, &step.source.id);
        if let Some(now) = self.steps.get(&key) {
            return same_step(step, now);
        }
        if let Some(with) = self.done.get(&key) {
            return with.map_or(Standing::Unseen, |id| Standing::Done(id.clone()));
        }
        if let Some(reason) = self.questions.get(&key) {
            return Standing::Question(*reason);
        }
        let address = address_of(&step.rule, inventory, source);
        match self.against.get(&address) {
            Some(reason) => Standing::Against(*reason),
            None => Standing::Stale(Why::SourceGone),
        }
    }
}

fn same_step(planned: &Step, now: &Step) -> Standing {
    match (planned.action, now.action) {
        (Action::Upload, Action::Upload) => Standing::Holds,
        (Action::Replace, Action::Replace) if planned.destination == now.destination => {
            Standing::Holds
        }
        (Action::Replace, _) => Standing::Stale(Why::OldChanged),
        (Action::Upload, Action::Replace) => Standing::Different,
    }
}

impl Run<'_> {
    /// Ends the steps that do not hold any more.
    pub(super) fn leave_what_does_not_hold(
        &self,
        tasks: &mut [Task],
        standings: Vec<Standing>,
    ) -> Result<(), EngineError> {
        for (task, standing) in tasks.iter_mut().zip(standings) {
            if !task.rests() && standing != Standing::Holds {
                self.leave(task, standing)?;
            }
        }
        Ok(())
    }

    fn leave(&self, task: &mut Task, standing: Standing) -> Result<(), EngineError> {
        let (outcome, why) = match standing {
            Standing::Holds => return Ok(()),
            Standing::Done(id) => return self.adopt(task, &id),
            Standing::Unseen => (Outcome::NotTried, Why::Unsettled),
            Standing::Question(question) => (Outcome::Asked { question }, Why::Question),
            Standing::Different => {
                let question = ConflictReason::Ambiguous;
                (Outcome::Asked { question }, Why::Question)
            }
            Standing::Against(reason) => {
                let message = reason.as_str().to_owned();
                (Outcome::Skipped { reason }, Why::Against { message })
            }
            Standing::Stale(why) => (Outcome::Stale, why),
        };
        task.begin(self)?;
        task.write(self, Entry::Ended { outcome, why, cause: None })
    }
}
