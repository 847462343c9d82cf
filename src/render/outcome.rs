//! Everything that is told of an apply when it has ended, and as far as it came before.

use crate::plan::{Document, Step};

use super::report::{Report, ReportedStep};

/// What is told of an apply.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'a> {
    /// How it went.
    pub report: &'a Report,
    /// The plan that is executed; none if it did not come to one.
    pub document: Option<&'a Document>,
    /// What went wrong with the run itself, in words, if something did.
    pub failure: Option<FailureWords<'a>>,
}

/// What went wrong, and what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureWords<'a> {
    /// What happened.
    pub happened: &'a str,
    /// What to do next.
    pub next: &'a str,
}

impl<'a> Outcome<'a> {
    /// The plan's steps with what became of them.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&'a Step, &'a ReportedStep)> {
        let steps = self.document.into_iter().flat_map(|document| &document.body.steps);
        // The report lists the same steps in the same order.
        steps.zip(&self.report.steps)
    }

    /// How it ended, in a sentence.
    pub(super) fn ending(&self) -> String {
        let Some(exit) = &self.report.exit else {
            return "This run has not ended, or it was killed. The next apply first looks what \
                    became of the steps under way."
                .to_owned();
        };
        let words = match exit.name.as_str() {
            "done" if self.report.steps.is_empty() => "There was nothing to do.",
            "done" => "All is done.",
            "login" => "An account needs a login.",
            "unavailable" => "An account cannot be reached; nothing is half done.",
            "decide" => "A person must decide.",
            "stale_plan" => "The plan does not fit the accounts any more.",
            "locked" => "Another run was writing.",
            "partly" => "Some steps are not done; the rest is.",
            "interrupted" => "It was interrupted, and closed cleanly.",
            _ => "It could not be done.",
        };
        format!("{words} (exit {}, {})", exit.code, exit.name)
    }
}
