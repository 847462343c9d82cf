//! `fit_sync status`: where things stand; no account is asked.

use crate::engine;
use crate::manifest::Account;
use crate::platform;
use crate::render::{self, StatusRow};

use super::super::args::Json;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::sessions::{has_login, session_row};

/// Prints where things stand.
pub async fn run(context: &Context, args: &Json) -> Result<Exit, Failure> {
    let session = context.reading_session()?;
    let overview = engine::overview(&session).await?;
    let accounts = session.manifest.accounts.values();
    let rows: Result<Vec<StatusRow>, Failure> =
        accounts.map(|account| row(context, account)).collect();
    let text = if args.json {
        render::json(&render::status_json(&rows?, &overview))
    } else {
        render::status(&rows?, &overview)
    };
    context.printer.product(&text);
    Ok(Exit::Done)
}

fn row(context: &Context, account: &Account) -> Result<StatusRow, Failure> {
    let usual = context.catalog.platform(&account.platform).and_then(|spec| spec.requests);
    let pacing = usual.map(|usual| platform::pacing(account, &usual));
    Ok(StatusRow {
        session: session_row(context, account)?,
        needs_login: has_login(account),
        pace: pacing.map(|pacing| (pacing.max_parallel, pacing.min_gap.as_millis())),
    })
}
