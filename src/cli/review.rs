//! A plan as its reviewers get it: without titles where they are not to be shown, and held against
//! the plan that they saw before.

use std::path::Path;

use crate::engine::{self, Planned, Session};
use crate::plan::{self, Document, Listing};
use crate::render;

use super::args::{Plan, Redact};
use super::commands::show;
use super::context::Context;
use super::failure::Failure;

/// A plan for reviewers.
pub struct Review {
    /// The plan.
    pub document: Document,
    /// What it does otherwise than the plan that was reviewed before, a line each; empty if none was
    /// named.
    pub since: Vec<String>,
}

/// How a planned world is shown. A comparison needs its pairs in sync listed; `listing` says whether
/// the plan itself has them.
pub fn review(
    context: &Context,
    session: &Session,
    args: &Plan,
    planned: &Planned,
    listing: Listing,
) -> Result<Review, Failure> {
    let document = &planned.plan.document;
    let reviewed = args.against.as_deref();
    let since = reviewed.map(|path| since(context, session, planned, path)).transpose()?;
    let mut document = document.clone();
    if listing == Listing::Counted {
        document.context.in_sync = None;
    }
    Ok(Review { document: redacted(document, args)?, since: since.unwrap_or_default() })
}

fn since(
    context: &Context,
    session: &Session,
    planned: &Planned,
    path: &Path,
) -> Result<Vec<String>, Failure> {
    let reviewed = show::read(context, path)?;
    engine::check_accounts(planned, &reviewed)?;
    let today = &planned.plan.document;
    let since = plan::since(today, &reviewed);
    let mut lines = render::since(&since, &reviewed);
    let most = session.manifest.limits.max_uploads.map(u64::from);
    let id = reviewed.id.short();
    lines.push(match plan::differences(&today.body, &reviewed.body, most).is_empty() {
        true => format!("It lies within plan {id}: `apply --within` runs it."),
        false => format!("It goes beyond plan {id}: `apply --within` refuses it."),
    });
    Ok(lines)
}

/// The plan without what `--redact` names.
pub fn redacted(document: Document, args: &Plan) -> Result<Document, Failure> {
    match args.redact {
        Some(Redact::Titles) => Ok(document.without_titles()?),
        None => Ok(document),
    }
}
