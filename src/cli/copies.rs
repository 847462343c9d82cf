//! What is told of an apply besides its report: a page for people, steps for a pipeline.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::archive::disk::{self, Access};
use crate::domain::Catalog;
use crate::plan::Document;
use crate::render::html::{self, Style};
use crate::render::{FailureWords, Outcome, Pages, Report, apply_junit};

use super::args::Apply;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::page;
use super::publish::unmade;

/// Written when a run begins, when its plan is known and when it ends, however it ends: a run that was
/// killed leaves word that it has not ended.
pub struct Copies {
    html: Option<PathBuf>,
    junit: Option<PathBuf>,
    catalog: Catalog,
    document: Mutex<Option<Document>>,
}

impl Copies {
    /// As the command line wants.
    pub fn of(context: &Context, args: &Apply) -> Self {
        Self {
            html: args.html.as_deref().map(|path| context.env.absolute(path)),
            junit: args.junit.as_deref().map(|path| context.env.absolute(path)),
            catalog: context.catalog.clone(),
            document: Mutex::default(),
        }
    }

    /// Keeps the plan that is to be executed, for a report does not tell what a step is about.
    pub fn planned(&self, document: &Document) {
        if self.html.is_some() || self.junit.is_some() {
            let mut kept = self.document.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some(document.clone());
        }
    }

    /// Writes all; one that cannot be written does not keep it from the others.
    pub fn write(&self, report: &Report, failure: Option<&Failure>) -> Vec<Failure> {
        let document = self.document.lock().unwrap_or_else(PoisonError::into_inner);
        let failure = failure
            .map(|failure| FailureWords { happened: &failure.happened, next: &failure.next });
        let outcome = Outcome { report, document: document.as_ref(), failure };
        let results = [self.page(&outcome), self.steps(&outcome)];
        results.into_iter().filter_map(Result::err).collect()
    }

    fn page(&self, outcome: &Outcome<'_>) -> Result<(), Failure> {
        let Some(folder) = &self.html else {
            return Ok(());
        };
        let pages = outcome.document.map(|document| Pages::of(document, &self.catalog));
        let text = html::apply_html(outcome, &pages.unwrap_or_default(), Style::Beside)
            .map_err(|error| unmade("page", &error))?;
        page::write(folder, &text)
    }

    fn steps(&self, outcome: &Outcome<'_>) -> Result<(), Failure> {
        let Some(path) = &self.junit else {
            return Ok(());
        };
        let text = apply_junit(outcome).map_err(|error| unmade("JUnit file", &error))?;
        disk::write_atomically(path, text.as_bytes(), Access::Shared).map_err(|error| {
            let happened = format!("{}: the JUnit file cannot be written: {error}", path.display());
            Failure::new(Exit::Failed, happened, "choose another place with --junit")
        })
    }
}
