//! A plan where people and pipelines read it: saved, as a comment, as a page, as checks.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use crate::archive::disk::{self, Access};
use crate::plan::{Document, Meta};
use crate::render::html::{self, Style};
use crate::render::{Pages, plan_junit, plan_markdown};

use super::args::Plan;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::page;
use super::review::Review;

/// The plan as a comment.
pub fn comment(context: &Context, document: &Document, since: &[String], limit: usize) -> String {
    plan_markdown(document, &Pages::of(document, &context.catalog), since, limit)
}

/// The plan as a page.
pub fn page(context: &Context, document: &Document, style: Style) -> Result<String, Failure> {
    let pages = Pages::of(document, &context.catalog);
    html::plan_html(document, &pages, style).map_err(|error| unmade("page", &error))
}

/// Writes the plan wherever it was asked for. One place that cannot be written does not keep it from
/// the others.
pub fn everywhere(context: &Context, review: &Review, args: &Plan) -> Vec<Failure> {
    let Review { document, since } = review;
    let results = [
        args.out.as_deref().map(|path| save(context, document, path)),
        args.markdown.as_deref().map(|path| {
            let text = comment(context, document, since, args.markdown_limit);
            file(context, path, &text, "comment", "--markdown")
        }),
        context.env.step_summary.as_deref().map(|path| {
            let text = comment(context, document, since, args.markdown_limit);
            append(path, &text).map_err(|error| unwritten(path, "comment", &error, "another place"))
        }),
        args.html.as_deref().map(|folder| {
            let text = page(context, document, Style::Beside)?;
            page::write(&context.env.absolute(folder), &text)
        }),
        args.junit.as_deref().map(|path| {
            let text = plan_junit(document).map_err(|error| unmade("JUnit file", &error))?;
            file(context, path, &text, "JUnit file", "--junit")
        }),
    ];
    results.into_iter().flatten().filter_map(Result::err).collect()
}

/// How a command ends that was to write something: as it would, or with what could not be written.
pub fn ended(context: &Context, unwritten: &[Failure], exit: Exit) -> Result<Exit, Failure> {
    if unwritten.is_empty() {
        return Ok(exit);
    }
    unwritten.iter().for_each(|failure| context.printer.error(&failure.text()));
    let exits = unwritten.iter().map(|failure| failure.exit);
    Err(Failure::told(Exit::worst(exits.chain([exit]))))
}

fn save(context: &Context, document: &Document, path: &Path) -> Result<(), Failure> {
    let meta = Meta {
        created_at: context.clock.now(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        run_url: context.env.run_url.clone(),
    };
    let text = document.clone().with_meta(meta).to_json()?;
    let path = context.env.absolute(path);
    disk::write_atomically(&path, text.as_bytes(), Access::Shared).map_err(|error| {
        let happened = format!("{}: the plan cannot be saved: {error}", path.display());
        Failure::new(Exit::Failed, happened, "choose another place with --out")
    })
}

fn file(
    context: &Context,
    path: &Path,
    text: &str,
    what: &str,
    option: &str,
) -> Result<(), Failure> {
    let path = context.env.absolute(path);
    let written = disk::write_atomically(&path, text.as_bytes(), Access::Shared);
    let another = format!("another place with {option}");
    written.map_err(|error| unwritten(&path, what, &error, &another))
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn unwritten(path: &Path, what: &str, error: &io::Error, another: &str) -> Failure {
    let happened = format!("{}: the {what} cannot be written: {error}", path.display());
    let next = format!("nothing was changed anywhere; choose {another}");
    Failure::new(Exit::Failed, happened, next)
}

/// Our own values always have a form; if one has not, that is a bug.
pub fn unmade(what: &str, error: &dyn std::error::Error) -> Failure {
    let happened = format!("the {what} cannot be put together: {error}");
    Failure::new(Exit::Bug, happened, "report it")
}
