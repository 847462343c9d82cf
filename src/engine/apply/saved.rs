//! Whether the steps of a saved plan still hold in the world of today.
//!
//! The plan is made once more; a step holds if it comes out again.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{AccountName, Address, RemoteId, RuleName};
use crate::manifest::{ConflictStrategy, Filter, Located, Manifest, Rule};
use crate::plan::reconcile::{Entry, Outcome, Why};
use crate::plan::{
    Action, ConflictReason, Document, Force, Options, Plan, SkipReason, Step, StepReason,
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

/// How each of these steps of a saved plan stands today, in their order.
pub(super) fn standings(
    session: &Session,
    planned: &Planned,
    steps: &[Step],
) -> Result<Vec<Standing>, EngineError> {
    let forced = steps.iter().any(|step| step.reason == StepReason::Forced);
    let options =
        Options { force: if forced { Force::Yes } else { Force::No }, ..Options::default() };
    let manifest = manifest_of(&session.manifest, steps);
    let today = planned.replan(session, &manifest, options)?;
    let verdicts = Verdicts::of(&today);
    Ok(steps.iter().map(|step| verdicts.standing(planned, step)).collect())
}

/// A manifest that wants exactly the activities of these steps.
fn manifest_of(manifest: &Manifest, steps: &[Step]) -> Manifest {
    type Direction = (RuleName, AccountName, AccountName, Action);
    let mut rules: Vec<(Direction, HashSet<RemoteId>)> = Vec::new();
    for step in steps {
        let accounts = (step.source.account.clone(), step.destination.account.clone());
        let direction = (step.rule.clone(), accounts.0, accounts.1, step.action);
        match rules.iter_mut().find(|(known, _)| *known == direction) {
            Some((_, ids)) => {
                ids.insert(step.source.id.clone());
            }
            None => rules.push((direction, HashSet::from([step.source.id.clone()]))),
        }
    }
    let strategy_of = |name: &RuleName| {
        let rule = manifest.rules.iter().find(|rule| rule.name == *name);
        rule.map(|rule| rule.strategy).unwrap_or_default()
    };
    let rule = |((name, source, destination, action), ids): (Direction, HashSet<RemoteId>)| Rule {
        strategy: match action {
            Action::Replace => ConflictStrategy::ReplaceExisting,
            Action::Upload => strategy_of(&name),
        },
        name,
        source,
        destination,
        filter: Filter { ids: Some(Located { value: ids, line: None }), ..Filter::default() },
        line: 0,
    };
    Manifest { rules: rules.into_iter().map(rule).collect(), ..manifest.clone() }
}

/// What today's plan says about each activity, by rule and source id.
struct Verdicts<'a> {
    steps: HashMap<(&'a RuleName, &'a RemoteId), &'a Step>,
    done: HashMap<(&'a RuleName, &'a RemoteId), Option<&'a RemoteId>>,
    questions: HashMap<(&'a RuleName, &'a RemoteId), ConflictReason>,
    against: BTreeMap<&'a Address, SkipReason>,
}

impl<'a> Verdicts<'a> {
    fn of(today: &'a Plan) -> Self {
        let document = &today.document;
        let steps = document.body.steps.iter();
        let questions = document.context.conflicts.iter();
        let skips =
            document.context.skips.iter().filter(|skip| skip.reason != SkipReason::Filtered);
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
        match source {
            None => return Standing::Stale(Why::SourceGone),
            Some(row) if row.fingerprint != step.source.fingerprint => {
                return Standing::Stale(Why::SourceChanged);
            }
            Some(_) => {}
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
        match self.against.get(&step.address) {
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
