//! Whether the steps of a saved plan still hold in the world of today.
//!
//! The plan is made once more, of nothing but the saved plan's own activities; a step holds if it
//! comes out again.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::json;

use crate::domain::{AccountName, Address, LinkOrigin, RemoteId, RuleName};
use crate::event::Phase;
use crate::manifest::{ConflictStrategy, Filter, Located, Manifest, Rule};
use crate::plan::{
    Action, ConflictReason, Document, Force, Options, Plan, SkipReason, Step, StepReason,
};

use super::super::error::EngineError;
use super::super::plan::Planned;
use super::super::session::Session;
use super::Run;
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
    Stale(&'static str),
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
            return Standing::Stale("the source could not be read");
        };
        let source = inventory.activities.iter().find(|row| row.id == step.source.id);
        match source {
            None => return Standing::Stale("the source does not list it any more"),
            Some(row) if row.fingerprint != step.source.fingerprint => {
                return Standing::Stale("the source has changed; plan again");
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
            None => Standing::Stale("an account could not be read"),
        }
    }
}

fn same_step(planned: &Step, now: &Step) -> Standing {
    match (planned.action, now.action) {
        (Action::Upload, Action::Upload) => Standing::Holds,
        (Action::Replace, Action::Replace) if planned.destination == now.destination => {
            Standing::Holds
        }
        (Action::Replace, _) => {
            Standing::Stale("the activity to be replaced is gone or has changed; plan again")
        }
        (Action::Upload, Action::Replace) => Standing::Different,
    }
}

impl Run<'_> {
    /// Ends a step that does not hold any more.
    pub(super) fn stand(&self, task: &mut Task, standing: Standing) -> Result<(), EngineError> {
        match standing {
            Standing::Holds => Ok(()),
            Standing::Done(id) => {
                let account = &task.step.destination.account;
                if let Some(found) = self.listed(account, &id) {
                    task.link(self, Some(&found), LinkOrigin::Found)?;
                }
                let words = "the destination has it by now";
                task.enter(self, Phase::Adopted, words, json!({ "id": id }))
            }
            Standing::Unseen => {
                let words = "an earlier run has brought it, and it is not listed now";
                task.enter(self, Phase::NotTried, words, json!({}))
            }
            Standing::Question(reason) => task.ask(self, reason.as_str()),
            Standing::Different => task.ask(self, "content_differs"),
            Standing::Against(reason) => {
                task.enter(self, Phase::Skipped, reason.as_str(), json!({ "reason": reason }))
            }
            Standing::Stale(words) => task.enter(self, Phase::Stale, words, json!({})),
        }
    }
}
