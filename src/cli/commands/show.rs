//! `fit_sync show FILE`: a saved plan, as `plan` printed it.

use std::path::Path;

use crate::plan::Document;
use crate::render::{Detail, Pages};

use super::super::args::{Format, Show};
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::printer::Verbosity;
use super::super::review::Review;
use super::plan::rendered;

/// Prints a saved plan.
pub fn run(context: &Context, args: &Show) -> Result<Exit, Failure> {
    let review = Review { document: read(context, &args.file)?, since: Vec::new() };
    let format = if args.json { Format::Json } else { args.format };
    context.printer.product(&rendered(context, &review, format, args.markdown_limit)?);
    Ok(Exit::Done)
}

/// The pages to which a plan's text may lead: none where links would only be noise.
pub fn pages<'a>(context: &Context, document: &'a Document) -> Pages<'a> {
    if context.printer.shows_links() {
        Pages::of(document, &context.catalog)
    } else {
        Pages::default()
    }
}

/// How much of a plan is shown as text.
pub fn detail(context: &Context) -> Detail {
    match context.printer.verbosity() {
        Verbosity::Quiet | Verbosity::Normal => Detail::Brief,
        Verbosity::Verbose => Detail::Full,
    }
}

/// Reads a saved plan.
pub fn read(context: &Context, path: &Path) -> Result<Document, Failure> {
    let path = context.env.absolute(path);
    let named = |mut failure: Failure| {
        failure.happened = format!("{}: {}", path.display(), failure.happened);
        failure
    };
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let exit = match error.kind() {
            std::io::ErrorKind::InvalidData => Exit::StalePlan,
            _ => Exit::Failed,
        };
        named(Failure::new(exit, error.to_string(), "name a file made with `fit_sync plan --out`"))
    })?;
    Document::read(&text).map_err(|error| named(error.into()))
}
