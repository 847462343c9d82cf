//! A plan where people review it: as a comment in a file, and on the page of a pipeline.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use crate::archive::disk::{self, Access};
use crate::plan::Document;
use crate::platform;
use crate::render::{Pages, plan_markdown};

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;

/// The plan as a comment.
pub fn comment(document: &Document, limit: usize) -> String {
    plan_markdown(document, &Pages::of(document, &platform::catalog()), limit)
}

/// Writes the comment to a file, and appends it to the page of a GitHub pipeline.
pub fn markdown(
    context: &Context,
    document: &Document,
    file: Option<&Path>,
    limit: usize,
) -> Result<(), Failure> {
    let summary = context.env.step_summary.as_deref();
    if file.is_none() && summary.is_none() {
        return Ok(());
    }
    let text = comment(document, limit);
    if let Some(path) = file {
        let path = context.env.absolute(path);
        let written = disk::write_atomically(&path, text.as_bytes(), Access::Shared);
        written.map_err(|error| unwritten(&path, &error))?;
    }
    if let Some(path) = summary {
        append(path, &text).map_err(|error| unwritten(path, &error))?;
    }
    Ok(())
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).open(path)?;
    file.write_all(text.as_bytes())
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let happened = format!("{}: the comment cannot be written: {error}", path.display());
    Failure::new(Exit::Failed, happened, "nothing was changed anywhere; choose another place")
}
