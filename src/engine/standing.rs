//! Where one activity stands in a plan: what is to be done about it, why, and with what.

use crate::domain::{Address, RemoteId};
use crate::manifest::Rule;
use crate::plan::{
    Action, ActivityRef, Change, Conflict, InSyncReason, SkipReason, StepReason, activity_at,
};

use super::diff::find;
use super::error::EngineError;
use super::plan::Planned;
use super::session::Session;

/// An activity of a rule's source, and the plan's word on it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The rule.
    pub rule: Rule,
    /// The activity.
    pub source: ActivityRef,
    /// What it is paired with, or could be; best first.
    pub counterparts: Vec<ActivityRef>,
    /// The word.
    pub word: Word,
}

/// What a plan says about an activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// It will be uploaded, or take another one's place.
    Step {
        /// Which of the two.
        action: Action,
        /// Why.
        reason: StepReason,
        /// What differs.
        changes: Vec<Change>,
        /// What the replaced one loses.
        loses: Vec<String>,
    },
    /// Nothing is to do.
    InSync(InSyncReason),
    /// It is left alone.
    Skip {
        /// Why.
        reason: SkipReason,
        /// What exactly.
        detail: Option<String>,
    },
    /// A person must decide.
    Conflict(Box<Conflict>),
    /// Its rule could not be planned.
    Blocked(String),
}

/// Finds an address in a plan.
///
/// # Errors
/// If the plan's world has no activity there.
pub(super) fn standing(
    session: &Session,
    planned: &Planned,
    address: &Address,
) -> Result<Standing, EngineError> {
    let unknown = || EngineError::UnknownAddress(address.clone());
    let mut rules = session.manifest.rules.iter();
    let rule = rules.find(|rule| rule.name.as_str() == address.rule()).ok_or_else(unknown)?;
    let blocked = planned.plan.document.context.blocked.iter().find(|b| b.rule == rule.name);
    let activity = planned
        .inventories
        .get(&rule.source)
        .and_then(|inventory| activity_at(rule, inventory, address));
    let Some(activity) = activity else {
        return Err(match blocked {
            // What cannot be read cannot be known.
            Some(blocked) if !planned.inventories.contains_key(&rule.source) => {
                EngineError::Unread {
                    account: blocked.account.clone(),
                    why: blocked.message.clone(),
                    reason: blocked.reason,
                }
            }
            _ => unknown(),
        });
    };
    let (word, counterparts) = word_on(planned, rule, address, &activity.id)
        .or_else(|| blocked.map(|blocked| (Word::Blocked(blocked.message.clone()), Vec::new())))
        .ok_or_else(unknown)?;
    let source = ActivityRef::of(&rule.source, activity);
    Ok(Standing { rule: rule.clone(), source, counterparts, word })
}

fn word_on(
    planned: &Planned,
    rule: &Rule,
    address: &Address,
    id: &RemoteId,
) -> Option<(Word, Vec<ActivityRef>)> {
    let document = &planned.plan.document;
    let there = |id: &RemoteId| {
        let found = find(&planned.inventories, &rule.destination, id)?;
        Some(ActivityRef::of(&rule.destination, found))
    };
    let linked = || -> Vec<ActivityRef> {
        let between = (rule.source.clone(), rule.destination.clone());
        let links = planned.memory.links.get(&between).into_iter().flatten();
        let mut links = links.filter(|link| link.source.id == *id);
        links.find_map(|link| there(&link.destination.as_ref()?.id)).into_iter().collect()
    };
    if let Some(step) = document.body.steps.iter().find(|step| step.address == *address) {
        let word = Word::Step {
            action: step.action,
            reason: step.reason,
            changes: step.changes.clone(),
            loses: step.loses.clone(),
        };
        return Some((word, step.destination.id.as_ref().and_then(there).into_iter().collect()));
    }
    let context = &document.context;
    if let Some(conflict) = context.conflicts.iter().find(|row| row.address == *address) {
        let candidates = conflict.candidates.clone();
        return Some((Word::Conflict(Box::new(conflict.clone())), candidates));
    }
    if let Some(pair) = planned.plan.in_sync.iter().find(|pair| pair.address == *address) {
        let with = pair.destination.as_ref().and_then(|(_, id)| there(id));
        return Some((Word::InSync(pair.reason), with.into_iter().collect()));
    }
    let skip = context.skips.iter().find(|row| row.address == *address)?;
    let compared = planned.plan.to_compare.iter().find(|row| row.address == *address);
    let with = compared.and_then(|row| there(&row.destination.1));
    let with = with.map_or_else(linked, |with| vec![with]);
    Some((Word::Skip { reason: skip.reason, detail: skip.detail.clone() }, with))
}
