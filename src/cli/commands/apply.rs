//! `fit_sync apply [FILE]`: execute a saved plan, or plan, ask and execute.

use crate::engine::{self, Applied, Approved, Cause, Finished, Pace, PlanRequest, Session};
use crate::event::Phase;
use crate::plan::{Document, LimitExceeded, Options};
use crate::render::{self, plan_text};

use super::super::args::{Allowance, Apply};
use super::super::ask;
use super::super::context::{Context, selection};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::signals;
use super::plan::{blocked_exit, note_findings, note_first_plan};
use super::show;

/// Applies.
pub async fn run(context: &Context, args: &Apply) -> Result<Exit, Failure> {
    let saved = args.file.as_deref().map(|path| show::read(context, path)).transpose()?;
    let (session, progress) = context.session()?;
    note_first_plan(context, &session)?;
    let settled = engine::settle(&session).await?;
    let request = PlanRequest {
        refresh: engine::Refresh::Incremental,
        options: Options { selection: selection(&args.selection)?, ..Options::default() },
        max_downloads: args.max_downloads,
    };
    let planned = engine::plan(&session, &request).await;
    progress.clear();
    let planned = planned?;
    let document = match saved {
        Some(saved) => {
            engine::check_accounts(&planned, &saved)?;
            chosen(saved, &request.options)
        }
        None => planned.plan.document.clone(),
    };
    expect(args, &document)?;
    context.printer.product(&plan_text(&document, &[], show::detail(context)));
    note_findings(context, &planned);
    refuse_limits(&session, args, &document)?;
    let is_saved = args.file.is_some();
    if !document.body.steps.is_empty() && !is_saved {
        approve(context, args)?;
    }
    let approved = if is_saved { Approved::Saved(&document) } else { Approved::Fresh(&document) };
    let pace = Pace { parallel: args.parallel, max_failures: args.max_failures };
    let work = engine::apply(&session, planned, approved, pace);
    let finished = signals::watched(&session.stop, &context.printer, work).await?;
    progress.clear();
    let interrupted = session.stop.is_requested();
    let exit = if interrupted {
        Exit::Interrupted
    } else {
        exit(&document, &settled, &finished, is_saved)
    };
    let counts = render::apply_counts(&finished.steps);
    let now = session.clock().now();
    session.store.end_run(finished.run, now, i32::from(exit.code()), &counts)?;
    context.printer.product(&render::apply_summary(&document, &settled, &finished.steps));
    Ok(exit)
}

/// The steps of a saved plan that the selection takes.
fn chosen(mut document: Document, options: &Options) -> Document {
    document.body.steps.retain(|step| options.selection.takes(&step.rule, &step.address));
    document
}

fn expect(args: &Apply, document: &Document) -> Result<(), Failure> {
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
fn refuse_limits(session: &Session, args: &Apply, document: &Document) -> Result<(), Failure> {
    let limits = &session.manifest.limits;
    let mut exceeded = crate::plan::exceeded(limits, &step_counts(document));
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

fn step_counts(document: &Document) -> crate::plan::Counts {
    let of =
        |action| document.body.steps.iter().filter(|step| step.action == action).count() as u64;
    crate::plan::Counts {
        upload: of(crate::plan::Action::Upload),
        replace: of(crate::plan::Action::Replace),
        ..crate::plan::Counts::default()
    }
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

fn approve(context: &Context, args: &Apply) -> Result<(), Failure> {
    if args.auto_approve {
        return Ok(());
    }
    if !context.env.interactive {
        let next = "review the plan, then add --auto-approve, or save it with `plan --out FILE` \
                    and apply FILE";
        return Err(Failure::new(Exit::Decide, "nobody is here to approve the plan", next));
    }
    if ask::confirm("Apply this plan?") {
        return Ok(());
    }
    Err(Failure::new(Exit::Decide, "the plan was not approved", "run it again when it is right"))
}

/// How an apply ends, from what became of its steps and from what the plan could not do.
fn exit(document: &Document, settled: &[Applied], finished: &Finished, is_saved: bool) -> Exit {
    // What an earlier run left undone was planned again: this run's steps speak for it.
    let again = |step: &&Applied| matches!(step.phase, Phase::NotTried | Phase::Failed);
    let settled = settled.iter().filter(|step| !again(step));
    let steps: Vec<&Applied> = settled.chain(&finished.steps).collect();
    let wrote = steps.iter().any(|step| is_written(step.phase));
    let mut exits: Vec<Exit> = steps.iter().map(|step| step_exit(step, wrote)).collect();
    let stale = |step: &Applied| step.phase == Phase::Stale;
    if is_saved && !finished.steps.is_empty() && finished.steps.iter().all(stale) {
        exits.push(Exit::StalePlan);
    }
    exits.extend(document.context.blocked.iter().map(|blocked| {
        match blocked_exit(blocked.reason) {
            Exit::Unavailable if wrote => Exit::Partly,
            other => other,
        }
    }));
    if steps.iter().any(|step| step.is_question()) || !document.context.conflicts.is_empty() {
        exits.push(Exit::Decide);
    }
    Exit::worst(exits)
}

/// Whether something was sent, for better or worse.
fn is_written(phase: Phase) -> bool {
    match phase {
        Phase::Confirmed
        | Phase::Pending
        | Phase::Sent
        | Phase::Removed
        | Phase::Restored
        | Phase::Held
        | Phase::Unknown => true,
        Phase::Intent
        | Phase::Fetched
        | Phase::BackedUp
        | Phase::Adopted
        | Phase::Failed
        | Phase::Stale
        | Phase::Skipped
        | Phase::NotTried => false,
    }
}

fn step_exit(step: &Applied, wrote: bool) -> Exit {
    match step.phase {
        Phase::Failed | Phase::NotTried | Phase::Held if step.cause == Some(Cause::Login) => {
            Exit::Login
        }
        Phase::Failed | Phase::NotTried if step.cause == Some(Cause::Unavailable) && !wrote => {
            Exit::Unavailable
        }
        Phase::Confirmed | Phase::Adopted | Phase::Skipped => Exit::Done,
        Phase::Intent
        | Phase::Fetched
        | Phase::BackedUp
        | Phase::Removed
        | Phase::Sent
        | Phase::Pending
        | Phase::Restored
        | Phase::Held
        | Phase::Failed
        | Phase::Stale
        | Phase::NotTried
        | Phase::Unknown => Exit::Partly,
    }
}
