//! A person's decisions about an address of the plan.

use crate::domain::{
    Activity, Address, Decision, Party, Refusal, RefusalReason, RuleName, Verdict,
};
use crate::plan::{Action, ActivityRef, SkipReason};

use super::error::EngineError;
use super::plan::Planned;
use super::session::Session;

/// What a plan says about an address.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The rule's name.
    pub rule: crate::domain::RuleName,
    /// The source's activity.
    pub source: Party,
    /// What it could be.
    pub candidates: Vec<ActivityRef>,
    /// The destination's account.
    pub destination: crate::domain::AccountName,
}

/// Finds what an address means today.
pub fn find_subject(
    session: &Session,
    planned: &Planned,
    address: &Address,
) -> Result<Subject, EngineError> {
    let unknown = || EngineError::UnknownAddress(address.clone());
    let rules = &session.manifest.rules;
    let rule =
        rules.iter().find(|rule| rule.name.as_str() == address.rule()).ok_or_else(unknown)?;
    let view = planned.inventories.get(&rule.source).ok_or_else(unknown)?;
    let activity = crate::plan::activity_at(rule, view, address).ok_or_else(unknown)?;
    let candidates = candidates(planned, address);
    Ok(Subject {
        rule: rule.name.clone(),
        source: party(planned, &rule.source, activity),
        candidates,
        destination: rule.destination.clone(),
    })
}

/// What a question asks about, or what a replace would take away.
fn candidates(planned: &Planned, address: &Address) -> Vec<ActivityRef> {
    let document = &planned.plan.document;
    let mut conflicts = document.context.conflicts.iter();
    if let Some(conflict) = conflicts.find(|conflict| conflict.address == *address) {
        return conflict.candidates.clone();
    }
    let mut steps = document.body.steps.iter();
    let replaced = steps.find(|step| step.address == *address).and_then(|step| {
        let (account, old) = (&step.destination.account, step.destination.id.as_ref()?);
        let rows = &planned.inventories.get(account)?.activities;
        let old = rows.iter().find(|row| row.id == *old)?;
        Some(ActivityRef::of(account, old))
    });
    replaced.into_iter().collect()
}

fn party(planned: &Planned, account: &crate::domain::AccountName, activity: &Activity) -> Party {
    let profile = planned.opened.accounts.get(account).and_then(|open| open.profile.id.clone());
    Party {
        account: account.clone(),
        profile,
        id: activity.id.clone(),
        fingerprint: activity.fingerprint.clone(),
    }
}

/// Whether the destination refused it as a duplicate after a person had said that it is none.
fn was_refused_again(session: &Session, planned: &Planned, subject: &Subject) -> bool {
    let said = |decision: &Decision| {
        decision.decision == Verdict::Distinct
            && decision.rule == subject.rule
            && decision.source.same(&subject.source)
    };
    let Some(said) = session.decisions.iter().find(|decision| said(decision)) else { return false };
    let Party { account, id, .. } = &subject.source;
    planned.memory.last_refusal(account, &subject.destination, id).is_some_and(|refusal| {
        refusal.reason == RefusalReason::DuplicateAtDestination && refusal.last_seen >= said.at
    })
}

/// Whether a candidate is what a replace has sent beside a version that was changed meanwhile: called
/// distinct from it, its own source would be sent once more.
fn is_own_copy(planned: &Planned, subject: &Subject, candidate: &ActivityRef) -> bool {
    let Party { account, id, .. } = &subject.source;
    let refusal = planned.memory.last_refusal(account, &subject.destination, id);
    let is_asked = |refusal: &Refusal| refusal.reason == RefusalReason::ChangedOnBothSides;
    let mut links = planned.memory.links_between(account, &subject.destination).iter();
    refusal.is_some_and(is_asked)
        && links.any(|link| {
            let there = link.destination.as_ref();
            link.source.id == *id && there.is_some_and(|side| side.id == candidate.id)
        })
}

/// Rules a destination's file out of what uploads wait for, if `ACCOUNT/ID` is what was typed.
fn decide_about_file(
    session: &Session,
    planned: &Planned,
    address: &Address,
    verdict: Verdict,
) -> Option<Result<Decision, EngineError>> {
    let (name, id) = address.as_str().split_once('/')?;
    let account = session.manifest.accounts.keys().find(|account| account.as_str() == name)?;
    let inventory = planned.inventories.get(account)?;
    let file = inventory.activities.iter().find(|row| row.id.as_str() == id)?;
    let cannot = |problem: &str| {
        let problem = problem.to_owned();
        Some(Err(EngineError::CannotDecide { address: address.clone(), problem }))
    };
    if !matches!(verdict, Verdict::Ignore | Verdict::Undecide) {
        return cannot("a file of a destination can only be ignored");
    }
    if file.unopened().is_none() {
        return cannot("it can be opened, so nothing waits for it");
    }
    Some(Ok(Decision {
        decision: verdict,
        rule: RuleName::new(name),
        address: address.clone(),
        source: party(planned, account, file),
        destination: None,
        candidates: Vec::new(),
        at: session.clock().now(),
    }))
}

/// Puts a decision into words that the decisions file keeps; `counterpart` is what `adopt` names.
pub fn decide(
    session: &Session,
    planned: &Planned,
    address: &Address,
    verdict: Verdict,
    counterpart: Option<&str>,
) -> Result<Decision, EngineError> {
    if let Some(decision) = decide_about_file(session, planned, address, verdict) {
        return decision;
    }
    let subject = find_subject(session, planned, address)?;
    let cannot = |problem: String| EngineError::CannotDecide { address: address.clone(), problem };
    let Party { account, id, .. } = &subject.source;
    let is_open = planned.memory.is_in_flight(account, &subject.destination, id);
    if is_open && verdict != Verdict::Undecide {
        let address = address.clone();
        let problem = "an earlier run began this, and the next `fit_sync apply` goes on with it";
        return Err(EngineError::NoEffect { address, problem: problem.to_owned() });
    }
    if verdict == Verdict::Distinct && was_refused_again(session, planned, &subject) {
        let problem = "it was sent once more and refused again; adopt or ignore it";
        return Err(cannot(problem.to_owned()));
    }
    let destination = match (verdict, counterpart) {
        (Verdict::Adopt, Some(id)) => {
            let rows = planned.inventories.get(&subject.destination);
            let found = rows.and_then(|i| i.activities.iter().find(|row| row.id.as_str() == id));
            let found = found
                .ok_or_else(|| cannot(format!("{} has no activity '{id}'", subject.destination)))?;
            Some(party(planned, &subject.destination, found))
        }
        _ => None,
    };
    let candidates = match verdict {
        Verdict::Distinct => subject
            .candidates
            .iter()
            .filter(|candidate| !is_own_copy(planned, &subject, candidate))
            .map(|candidate| Party {
                account: candidate.account.clone(),
                profile: planned
                    .opened
                    .accounts
                    .get(&candidate.account)
                    .and_then(|open| open.profile.id.clone()),
                id: candidate.id.clone(),
                fingerprint: candidate.fingerprint.clone(),
            })
            .collect(),
        Verdict::Adopt | Verdict::Ignore | Verdict::Undecide => Vec::new(),
    };
    let decision = Decision {
        decision: verdict,
        rule: subject.rule,
        address: address.clone(),
        source: subject.source,
        destination,
        candidates,
        at: session.clock().now(),
    };
    match verdict {
        Verdict::Distinct => check_upload(session, planned, decision),
        Verdict::Adopt | Verdict::Ignore | Verdict::Undecide => Ok(decision),
    }
}

/// Refuses to call an activity distinct that would not be uploaded for it.
fn check_upload(
    session: &Session,
    planned: &Planned,
    decision: Decision,
) -> Result<Decision, EngineError> {
    let address = decision.address.clone();
    let plan = planned.plan_with(session, &decision)?;
    let mut skips = plan.document.context.skips.iter();
    let skip = skips
        .find(|skip| skip.address == address)
        // Its accounts must be read first.
        .filter(|skip| skip.reason != SkipReason::NotCompared)
        .map(|skip| {
            let detail = skip.detail.as_ref().map(|detail| format!(" ({detail})"));
            format!("{}{}", skip.reason, detail.unwrap_or_default())
        });
    let mut pairs = plan.in_sync.iter().filter(|pair| pair.address == address);
    let mut steps = plan.document.body.steps.iter();
    let replace = steps.find(|step| step.address == address && step.action == Action::Replace);
    let replaced = replace.and_then(|step| step.destination.id.as_ref());
    let obstacle = skip
        .or_else(|| pairs.next().map(|pair| format!("in sync: {}", pair.reason)))
        .or_else(|| replaced.map(|id| format!("it would replace {id}")));
    match obstacle {
        None => Ok(decision),
        Some(what) => {
            let problem = format!("it would not be uploaded all the same: {what}");
            Err(EngineError::NoEffect { address, problem })
        }
    }
}
