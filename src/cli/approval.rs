//! What must be true before the first step: the right plan, its limits, a person's word.

use crate::cancellation::Cancellation;
use crate::engine::{EngineError, Session};
use crate::plan::{self, Action, Counts, Document, LimitExceeded};
use crate::render;

use super::args::{Allowance, Apply};
use super::ask;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::reporting::Reporting;

/// Refuses any plan but the one that was named.
pub fn expect(args: &Apply, document: &Document) -> Result<(), Failure> {
    let Some(expected) = &args.expect_plan else {
        return Ok(());
    };
    let digits: String = expected.chars().filter(|c| *c != '-').collect();
    if digits.len() >= 12 && document.id.0.starts_with(&digits) {
        return Ok(());
    }
    let happened = format!("this is plan {}, not {expected}", document.id.short());
    Err(Failure::new(Exit::StalePlan, happened, "review this plan, then name its id"))
}

/// Limits hold unless the command line goes beyond them this once.
pub fn refuse_limits(session: &Session, args: &Apply, document: &Document) -> Result<(), Failure> {
    let limits = &session.manifest.limits;
    let mut exceeded = plan::exceeded(limits, &step_counts(document));
    exceeded.retain(|limit| !is_allowed(limit, &args.allow));
    let inventories = document.context.limits.iter().filter(|limit| limit.account.is_some());
    exceeded.extend(inventories.cloned());
    let Some(first) = exceeded.first() else {
        return Ok(());
    };
    let happened = format!("{}: {} planned, {} allowed", first.limit, first.planned, first.value);
    let next = match &first.account {
        Some(account) => {
            format!(
                "look why {account} lists so few; lower limits.min_inventory_ratio if it is right"
            )
        }
        None => {
            let class = first.limit.trim_start_matches("max_");
            format!("review the plan; to go on this once, add --allow {class}={}", first.planned)
        }
    };
    Err(Failure::new(Exit::Decide, happened, next))
}

fn step_counts(document: &Document) -> Counts {
    let of =
        |action| document.body.steps.iter().filter(|step| step.action == action).count() as u64;
    Counts { upload: of(Action::Upload), replace: of(Action::Replace), ..Counts::default() }
}

fn is_allowed(limit: &LimitExceeded, allowances: &[Allowance]) -> bool {
    allowances.iter().any(|allowance| match allowance {
        Allowance::Uploads(number) => {
            limit.limit == "max_uploads" && limit.planned <= u64::from(*number)
        }
        Allowance::Replaces(number) => {
            limit.limit == "max_replaces" && limit.planned <= u64::from(*number)
        }
    })
}

/// Asks a person, unless the command line is their word already.
pub async fn approve(context: &Context, args: &Apply, stop: &Cancellation) -> Result<(), Failure> {
    if args.auto_approve {
        return Ok(());
    }
    if !context.env.interactive {
        let next = "review the plan, then add --auto-approve, or save it with `plan --out FILE` \
                    and apply FILE";
        return Err(Failure::new(Exit::Decide, "nobody is here to approve the plan", next));
    }
    // An open prompt must not block signals.
    let asking = tokio::task::spawn_blocking(|| ask::confirm("Apply this plan?"));
    match stop.race(asking).await {
        Some(Ok(true)) => return Ok(()),
        Some(Ok(false) | Err(_)) => {}
        None => return Err(EngineError::Interrupted.into()),
    }
    Err(Failure::new(Exit::Decide, "the plan was not approved", "run it again when it is right"))
}

/// Whether something of the plan was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// It is executed whole.
    Nothing,
    /// It is executed in part.
    Something,
}

impl LeftOut {
    /// How a run ends because of it.
    pub fn exit(self) -> Exit {
        match self {
            Self::Nothing => Exit::Done,
            Self::Something => Exit::Decide,
        }
    }
}

/// Holds a plan of today against an approved one: refuses it, or leaves out what goes beyond.
pub fn keep_within(
    session: &Session,
    args: &Apply,
    reporting: &Reporting,
    document: &mut Document,
    approved: &Document,
) -> Result<LeftOut, Failure> {
    let most = args.allow.iter().filter_map(|allowance| match allowance {
        Allowance::Uploads(number) => Some(*number),
        Allowance::Replaces(_) => None,
    });
    let limit = session.manifest.limits.max_uploads;
    let most = limit.map(|limit| u64::from(most.fold(limit, u32::max)));
    let differences = plan::differences(&document.body, &approved.body, most);
    if differences.is_empty() {
        return Ok(LeftOut::Nothing);
    }
    let allowed = plan::allowed(&document.body, &differences);
    let left_out = document.body.steps.len() - allowed.len();
    let happened = format!("the plan goes beyond plan {}", approved.id.short());
    let mut text = format!("{happened}:\n");
    for (subject, words) in render::differences(&differences) {
        text.push_str(&format!("  {subject} {words}\n"));
        reporting.diagnose(Some(&subject), &words, None);
    }
    reporting.say(&text);
    if args.allowed_only {
        reporting.say(&format!("Left out: {left_out}. The rest is done.\n"));
        document.body.steps = allowed;
        return Ok(LeftOut::Something);
    }
    let next = "review and save a new plan, or run what is allowed with --allowed-only";
    Err(Failure::new(Exit::Decide, happened, next))
}
