//! `fit_sync sync`: plan and apply in one go.

use super::super::args::{Apply, Format, MARKDOWN_LIMIT, Plan, Refresh, Selection, Sync};
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::scope::Scope;
use super::{apply, plan};

/// Originals that one run fetches at most for comparing.
const MAX_COMPARED: usize = 200;

/// Plans, asks and applies; with `--dry-run` it plans.
pub async fn run(context: &Context, args: &Sync) -> Result<Exit, Failure> {
    let scope = Scope::Sync(args);
    if args.dry_run {
        return plan::run_scoped(context, &as_plan(args), scope).await;
    }
    apply::run_scoped(context, &as_apply(args), scope).await
}

fn as_plan(args: &Sync) -> Plan {
    Plan {
        selection: Selection::default(),
        out: None,
        json: false,
        format: Format::Text,
        markdown: None,
        markdown_limit: MARKDOWN_LIMIT,
        html: None,
        junit: None,
        all: false,
        simulate: false,
        detailed_exitcode: false,
        refresh: Refresh::Incremental,
        max_downloads: MAX_COMPARED,
        retry_refused: args.retry_refused,
        against: None,
        redact: None,
    }
}

fn as_apply(args: &Sync) -> Apply {
    Apply {
        file: None,
        selection: Selection::default(),
        auto_approve: args.auto_approve,
        expect_plan: None,
        parallel: None,
        max_failures: None,
        within: None,
        allowed_only: false,
        allow: Vec::new(),
        max_downloads: MAX_COMPARED,
        retry_refused: args.retry_refused,
        lock_timeout: std::time::Duration::ZERO,
        json: false,
        report: None,
        html: None,
        junit: None,
    }
}
