//! `fit_sync plan`: read the accounts, show what apply would do.

use std::time::Duration;

use crate::domain::neutralise;
use crate::engine::{self, PlanRequest, Planned, Session};
use crate::plan::{BlockedReason, Document, Listing, Options};
use crate::render::html::Style;
use crate::render::{notice, plan_summary, plan_text, simulated};

use super::super::args::{Format, Plan, Refresh};
use super::super::context::{Context, retry_refused, selection};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::printer::Verbosity;
use super::super::publish;
use super::super::review::{Review, redacted, review};
use super::super::scope::Scope;
use super::show::{detail, pages};

/// An execution that takes at least so long is announced.
const LONG: Duration = Duration::from_secs(60);

/// Plans and prints.
pub async fn run(context: &Context, args: &Plan) -> Result<Exit, Failure> {
    run_scoped(context, args, Scope::Manifest).await
}

/// Plans and prints what a scope is about.
pub async fn run_scoped(context: &Context, args: &Plan, scope: Scope<'_>) -> Result<Exit, Failure> {
    let (mut session, progress) = context.session()?;
    scope.narrow(&mut session)?;
    if session.manifest.rules.is_empty() {
        context.printer.note("The manifest has no sync_rules, so there is nothing to plan.");
    }
    note_first_plan(context, &session)?;
    let request = PlanRequest {
        refresh: match args.refresh {
            Refresh::Incremental => engine::Refresh::Incremental,
            Refresh::Full => engine::Refresh::Full,
            Refresh::None => engine::Refresh::None,
        },
        options: Options {
            selection: selection(&args.selection)?,
            force: scope.force(),
            refused: retry_refused(args.retry_refused),
            in_sync: if args.against.is_some() { Listing::Listed } else { listing(context, args) },
            ..Options::default()
        },
        max_downloads: args.max_downloads,
    };
    let planned = engine::plan(&session, &request).await;
    progress.clear();
    let planned = planned?;
    let review = review(context, &session, args, &planned, listing(context, args))?;
    let format = if args.json { Format::Json } else { args.format };
    let unwritten = publish::everywhere(context, &review, args);
    context.printer.product(&rendered(context, &review, format, args.markdown_limit)?);
    note_findings(context, &planned);
    note_cost(context, &session, &review.document);
    let mut more: String = review.since.iter().map(|line| format!("{line}\n")).collect();
    if args.simulate {
        let next = planned.simulate(&session, request.options)?;
        more.push_str(&simulated(&redacted(next.document, args)?));
    }
    match format {
        Format::Text => context.printer.product(&more),
        Format::Json | Format::Summary | Format::Markdown | Format::Html => {
            context.printer.error(&more);
        }
    }
    publish::ended(context, &unwritten, exit(&review.document, args.detailed_exitcode))
}

/// Pairs in sync are listed where they were asked for, so that a saved plan shows them again.
fn listing(context: &Context, args: &Plan) -> Listing {
    let verbose = context.printer.verbosity() == Verbosity::Verbose;
    let as_text = !args.json && args.format == Format::Text;
    if args.all || (verbose && as_text) { Listing::Listed } else { Listing::Counted }
}

/// A plan in a format; the same for one that was just made and for one that was saved.
pub fn rendered(
    context: &Context,
    review: &Review,
    format: Format,
    markdown_limit: usize,
) -> Result<String, Failure> {
    let Review { document, since } = review;
    Ok(match format {
        Format::Json => Document { meta: None, ..document.clone() }.to_json()?,
        Format::Summary => plan_summary(document),
        Format::Markdown => publish::comment(context, document, since, markdown_limit),
        Format::Html => publish::page(context, document, Style::Within)?,
        Format::Text => {
            let in_sync = document.context.in_sync.as_deref().unwrap_or_default();
            plan_text(document, in_sync, detail(context), &pages(context, document))
        }
    })
}

/// Says that nothing is remembered yet.
pub fn note_first_plan(context: &Context, session: &Session) -> Result<(), Failure> {
    if session.store.accounts()?.is_empty() {
        context.printer.note(
            "This is the first plan on an empty state: pairs are found by their start times, and \
             what was removed at a destination before is not known.",
        );
    }
    Ok(())
}

/// Tells about edits that the plan leaves alone, and about what could not be compared.
pub fn note_findings(context: &Context, planned: &Planned) {
    for (address, found) in &planned.plan.notices {
        context.printer.note(&format!("{address}: {}", notice(*found)));
    }
    note_uncompared(context, planned);
}

/// Tells whose originals could not be compared, and which were not tried.
fn note_uncompared(context: &Context, planned: &Planned) {
    const MAX_NAMED: usize = 5;
    let Planned { uncompared, beyond_downloads, plan, .. } = planned;
    for pair in uncompared.iter().take(MAX_NAMED) {
        let line = format!("{}: not compared: {}: {}", pair.address, pair.account, pair.message);
        context.printer.note(&neutralise(&line));
    }
    if *beyond_downloads > 0 {
        context.printer.note(&format!(
            "{beyond_downloads} pairs are not compared yet; later plans go on (--max-downloads)"
        ));
    }
    let named = uncompared.len().min(MAX_NAMED) + beyond_downloads;
    let further = plan.to_compare.len().saturating_sub(named);
    if further > 0 {
        let note = format!("{further} pairs could not be compared; later plans try again");
        context.printer.note(&note);
    }
}

/// Says what a long execution takes.
pub fn note_cost(context: &Context, session: &Session, document: &Document) {
    let cost = engine::cost(session, &document.body);
    if cost.duration >= LONG {
        context.printer.note(&format!(
            "Executing it takes some {} requests: at least {} minutes at the accounts' pacing.",
            cost.requests,
            cost.duration.as_secs().div_ceil(60)
        ));
    }
}

/// How a plan ends: blocked rules are failures, conflicts and limits are not.
pub fn exit(document: &Document, detailed: bool) -> Exit {
    let blocked =
        Exit::worst(document.context.blocked.iter().map(|blocked| blocked_exit(blocked.reason)));
    match blocked {
        Exit::Done if detailed && has_work(document) => Exit::Changes,
        other => other,
    }
}

/// Whether an apply would do something: its steps, and what earlier runs left open.
fn has_work(document: &Document) -> bool {
    !(document.body.steps.is_empty() && document.context.open.is_empty())
}

/// The code of the failure that blocks a rule or a step.
pub fn blocked_exit(reason: BlockedReason) -> Exit {
    match reason {
        BlockedReason::LoginNeeded => Exit::Login,
        BlockedReason::Unavailable
        | BlockedReason::MarkerMissing
        | BlockedReason::InventoryIncomplete => Exit::Unavailable,
        BlockedReason::Unsupported | BlockedReason::Failed => Exit::Failed,
    }
}
