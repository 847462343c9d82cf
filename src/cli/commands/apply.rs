//! `fit_sync apply [FILE]`: execute a saved plan, or plan, ask and execute.

use std::cell::OnceCell;
use std::sync::Arc;

use crate::archive::AccountLocks;
use crate::engine::{self, Approved, LockRequest, Pace, PlanRequest, Planned, RunReport, Session};
use crate::plan::{Document, Options};
use crate::render::{self, plan_text};
use crate::state::RunId;

use super::super::approval::{self, LeftOut};
use super::super::args::Apply;
use super::super::context::{Context, retry_refused, selection};
use super::super::ending::{self, Ending};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::progress::Progress;
use super::super::reporting::Reporting;
use super::super::scope::Scope;
use super::super::signals;
use super::backup::take_back_failed;
use super::plan::{note_cost, note_findings, note_first_plan};
use super::show;

/// Applies, and tells everybody who follows how it ended.
pub async fn run(context: &Context, args: &Apply) -> Result<Exit, Failure> {
    run_scoped(context, args, Scope::Manifest).await
}

/// Applies what a scope is about.
pub async fn run_scoped(
    context: &Context,
    args: &Apply,
    scope: Scope<'_>,
) -> Result<Exit, Failure> {
    let reporting = Reporting::begin(context, args);
    let result = follow(context, args, scope, &reporting).await;
    reporting.end(result)
}

async fn follow(
    context: &Context,
    args: &Apply,
    scope: Scope<'_>,
    to: &Reporting,
) -> Result<Exit, Failure> {
    to.begun()?;
    let approved = args.file.as_deref().or(args.within.as_deref());
    let approved = approved.map(|path| show::read(context, path)).transpose()?;
    let (mut session, progress) = context.session()?;
    scope.narrow(&mut session)?;
    session.events = to.listener(Arc::clone(&progress) as _);
    let request = PlanRequest {
        refresh: engine::Refresh::Incremental,
        options: Options {
            selection: selection(&args.selection)?,
            force: scope.force(),
            refused: retry_refused(args.retry_refused),
            ..Options::default()
        },
        max_downloads: args.max_downloads,
    };
    let since = OnceCell::new();
    let work = Work { context, args, session: &session, progress: &progress, to, since: &since };
    let result =
        signals::watched(&session.stop, &context.printer, work.done(approved, &request)).await;
    result.map_err(|failure| match since.get() {
        Some(run) => failure.after(engine::deeds_since(&session.store, *run).ok()),
        None => failure,
    })
}

/// A run from its locks to its summary; it can be cancelled at any point.
struct Work<'a> {
    context: &'a Context,
    args: &'a Apply,
    session: &'a Session,
    progress: &'a Progress,
    to: &'a Reporting,
    /// The run before this one, read once the locks keep others from beginning another.
    since: &'a OnceCell<Option<RunId>>,
}

impl Work<'_> {
    async fn done(
        &self,
        approved: Option<Document>,
        request: &PlanRequest,
    ) -> Result<Exit, Failure> {
        let Self { context, args, session, progress, to, since } = *self;
        let locks = lock(context, args, session, approved.as_ref()).await?;
        let last = session.store.last_run()?;
        let since = *since.get_or_init(|| last);
        note_first_plan(context, session)?;
        let settled = engine::resume(session, &locks).await?;
        to.settled(&settled);
        to.say(&render::settled_summary(&settled));
        take_back_failed(context, session)?;
        let planned = session.stop.race(engine::plan(session, request)).await;
        progress.clear();
        let Some(planned) = planned else {
            to.say(&render::interrupted(&settled));
            return Ok(Exit::Interrupted);
        };
        let planned = planned?;
        let review = Review { context, args, session, planned: &planned, to };
        let reviewed = review.all(approved, &request.options, &locks).await;
        let (document, left_out) =
            reviewed.map_err(|failure| failure.at_least(ending::settled_exit(&settled)))?;
        let is_saved = args.file.is_some();
        let approved =
            if is_saved { Approved::Saved(&document) } else { Approved::Fresh(&document) };
        let pace = Pace { parallel: args.parallel, max_failures: args.max_failures };
        let uncompared = planned.uncompared.clone();
        let finished = engine::apply(session, planned, approved, pace).await?;
        progress.clear();
        to.finished(&finished);
        to.say(&render::apply_summary(&document, &settled, &finished.steps));
        if let Some(broken) = finished.broken {
            return Err(broken.into());
        }
        let failed_for_good = engine::failed_for_good(&session.store, since, &document)?;
        to.say(&render::not_taken_up(&failed_for_good));
        let ending = Ending {
            document: &document,
            is_saved,
            settled: &settled,
            failed_for_good: &failed_for_good,
            finished: &finished.steps,
            uncompared: &uncompared,
        };
        let exit = match session.stop.is_requested() {
            true => Exit::Interrupted,
            false => Exit::worst([ending::apply_exit(&ending), left_out.exit()]),
        };
        end(session, &finished, exit)
    }
}

/// Nobody else may write to a destination from before the first look until the end.
async fn lock(
    context: &Context,
    args: &Apply,
    session: &Session,
    approved: Option<&Document>,
) -> Result<AccountLocks, Failure> {
    let steps = approved.into_iter().flat_map(|document| &document.body.steps);
    let request = LockRequest {
        folders: context.lock_folders(&session.manifest)?,
        owner: context.env.owner.clone(),
        patience: args.lock_timeout,
        also: steps.map(|step| step.destination.account.clone()).collect(),
    };
    Ok(engine::lock(session, &request).await?)
}

/// Everything that can be refused is refused here, before the first step.
struct Review<'a> {
    context: &'a Context,
    args: &'a Apply,
    session: &'a Session,
    planned: &'a Planned,
    to: &'a Reporting,
}

impl Review<'_> {
    async fn all(
        &self,
        approved: Option<Document>,
        options: &Options,
        locks: &AccountLocks,
    ) -> Result<(Document, LeftOut), Failure> {
        let (document, left_out) = self.document(approved, options)?;
        engine::check_locks(locks, self.planned, &document.body.steps)?;
        self.approve(&document).await?;
        Ok((document, left_out))
    }

    /// Shows what is to be executed, and holds it against limits and against the approved plan.
    fn document(
        &self,
        approved: Option<Document>,
        options: &Options,
    ) -> Result<(Document, LeftOut), Failure> {
        if let Some(approved) = &approved {
            engine::check_accounts(self.planned, approved)?;
        }
        let today = || self.planned.plan.document.clone();
        let (mut document, within) = match approved {
            Some(saved) if self.args.file.is_some() => (chosen(saved, options), None),
            approved => (today(), approved),
        };
        approval::expect(self.args, &document)?;
        self.to.planned(&document)?;
        let pages = show::pages(self.context, &document);
        self.to.say(&plan_text(&document, &[], show::detail(self.context), &pages));
        note_findings(self.context, self.planned);
        let mut left_out = LeftOut::Nothing;
        if let Some(approved) = &within {
            let (session, args, to) = (self.session, self.args, self.to);
            left_out = approval::keep_within(session, args, to, &mut document, approved)?;
            self.to.planned(&document)?;
        }
        approval::refuse_limits(self.session, self.args, &document)?;
        note_cost(self.context, self.session, &document);
        Ok((document, left_out))
    }

    /// A saved plan is the approval; any other needs a person's word.
    async fn approve(&self, document: &Document) -> Result<(), Failure> {
        let is_saved = self.args.file.is_some() || self.args.within.is_some();
        if is_saved || document.body.steps.is_empty() {
            return Ok(());
        }
        approval::approve(self.context, self.args, &self.session.stop).await
    }
}

/// Writes down how it ended.
fn end(session: &Session, finished: &RunReport, exit: Exit) -> Result<Exit, Failure> {
    let counts = render::apply_counts(&finished.steps);
    let now = session.clock().now();
    session.store.end_run(finished.run, now, i32::from(exit.code()), &counts)?;
    Ok(exit)
}

/// The steps of a saved plan that the selection takes.
fn chosen(mut document: Document, options: &Options) -> Document {
    document.body.steps.retain(|step| options.selection.takes(&step.rule, &step.address));
    document
}
