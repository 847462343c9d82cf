//! A plan's checks and an apply's steps as JUnit XML.
//!
//! A case is named by its address and keeps that name, so that pipelines keep its history: an
//! activity that is a question today and is uploaded tomorrow is a failure that was mended.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use quick_junit::{
    NonSuccessKind, Report as Xml, SerializeError, TestCase, TestCaseStatus, TestSuite,
};

use crate::domain::{RuleName, neutralise};
use crate::event::Phase;
use crate::plan::{Action, Blocked, Conflict, Document, LimitExceeded, RuleSummary, Skip, Step};

use super::answers::{decide_line, particulars};
use super::column::distance;
use super::facts::Facts;
use super::outcome::Outcome;
use super::reasons;
use super::report::ReportedStep;

/// XML that could not be put together.
pub type JunitError = SerializeError;

/// The checks of a plan: questions fail, so do limits that are exceeded, and blocked rules are
/// errors; what would be done passes, and what is left alone is skipped.
///
/// # Errors
/// None is known: the text is written into memory.
pub fn plan_junit(document: &Document) -> Result<String, JunitError> {
    let mut xml = Xml::new("fit_sync plan");
    for rule in &document.context.rules {
        let class = class("plan", rule.name.as_str());
        let mut suite = TestSuite::new(text(rule.name.as_str()));
        suite.add_test_case(rule_case(document, &rule.name, &class));
        suite.add_test_cases(conflict_cases(document, rule, &class));
        let steps = document.body.steps.iter().filter(|step| step.rule == rule.name);
        suite.add_test_cases(steps.map(|step| planned_case(step, &class)));
        let skips = document.context.skips.iter().filter(|skip| skip.rule == rule.name);
        suite.add_test_cases(skips.map(|skip| skip_case(skip, &class)));
        xml.add_test_suite(suite);
    }
    xml.add_test_suites(blocked_suites(document, "plan"));
    xml.add_test_suite(limits(document));
    xml.to_string()
}

/// The steps of an apply, and the run itself: what is not done fails, what was not tried is skipped.
///
/// # Errors
/// None is known: the text is written into memory.
pub fn apply_junit(outcome: &Outcome<'_>) -> Result<String, JunitError> {
    let mut xml = Xml::new("fit_sync apply");
    let mut run = TestSuite::new("run");
    run.add_test_case(run_case(outcome));
    xml.add_test_suite(run);
    for (document, rule) in outcome
        .document
        .iter()
        .flat_map(|document| document.context.rules.iter().map(move |rule| (document, rule)))
    {
        let class = class("apply", rule.name.as_str());
        let mut suite = TestSuite::new(text(rule.name.as_str()));
        suite.add_test_case(rule_case(document, &rule.name, &class));
        suite.add_test_cases(conflict_cases(document, rule, &class));
        let steps = outcome.steps().filter(|(step, _)| step.rule == rule.name);
        suite.add_test_cases(steps.map(|(step, row)| step_case(row, &class, &planned(step))));
        xml.add_test_suite(suite);
    }
    xml.add_test_suites(outcome.document.iter().flat_map(|all| blocked_suites(all, "apply")));
    if !outcome.report.settled.is_empty() {
        let mut suite = TestSuite::new("left open by earlier runs");
        let rows = outcome.report.settled.iter();
        let case = |row: &ReportedStep| step_case(row, &class("earlier", row.rule.as_str()), "");
        suite.add_test_cases(rows.map(case));
        xml.add_test_suite(suite);
    }
    xml.to_string()
}

/// What XML cannot hold besides what is never printed.
fn text(words: &str) -> String {
    neutralise(words).replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

/// Jenkins reads packages and classes from it, parted by the last dot.
fn class(what: &str, rule: &str) -> String {
    format!("fit_sync.{what}.{}", text(rule).replace('.', "_"))
}

fn case(class: &str, name: &str, status: TestCaseStatus, out: &str) -> TestCase {
    let mut case = TestCase::new(text(name), status);
    case.set_classname(class);
    if !out.is_empty() {
        case.set_system_out(text(out));
    }
    case
}

fn status(mut status: TestCaseStatus, kind: &str, message: &str) -> TestCaseStatus {
    status.set_type(text(kind)).set_message(text(message));
    status
}

fn failed(kind: &str, message: &str) -> TestCaseStatus {
    status(TestCaseStatus::non_success(NonSuccessKind::Failure), kind, message)
}

fn error(kind: &str, message: &str) -> TestCaseStatus {
    status(TestCaseStatus::non_success(NonSuccessKind::Error), kind, message)
}

fn skipped(kind: &str, message: &str) -> TestCaseStatus {
    status(TestCaseStatus::skipped(), kind, message)
}

/// Whether a rule can be planned at all.
fn rule_case(document: &Document, rule: &RuleName, class: &str) -> TestCase {
    let blocked: Vec<&Blocked> =
        document.context.blocked.iter().filter(|row| row.rule == *rule).collect();
    let messages: Vec<String> =
        blocked.iter().map(|row| format!("blocked by {}: {}", row.account, row.message)).collect();
    let status = match messages.as_slice() {
        [] => TestCaseStatus::success(),
        messages => error("blocked", &messages.join("; ")),
    };
    case(class, "accounts can be read", status, "")
}

/// Rules that could not be planned at all.
fn blocked_suites(document: &Document, what: &str) -> Vec<TestSuite> {
    let context = &document.context;
    let is_planned = |name: &RuleName| context.rules.iter().any(|rule| rule.name == *name);
    let blocked = context.blocked.iter().map(|row| &row.rule).filter(|name| !is_planned(name));
    let names: BTreeSet<&RuleName> = blocked.collect();
    let suite = |name: &&RuleName| {
        let mut suite = TestSuite::new(text(name.as_str()));
        suite.add_test_case(rule_case(document, name, &class(what, name.as_str())));
        suite
    };
    names.iter().map(suite).collect()
}

fn conflict_cases(document: &Document, rule: &RuleSummary, class: &str) -> Vec<TestCase> {
    let conflicts = document.context.conflicts.iter().filter(|row| row.rule == rule.name);
    conflicts.map(|row| conflict_case(row, rule, class)).collect()
}

fn conflict_case(conflict: &Conflict, rule: &RuleSummary, class: &str) -> TestCase {
    let reason = conflict.reason;
    let mut words = format!("{reason}: {}", reasons::conflict(reason));
    for line in particulars(conflict) {
        let _ = write!(words, "; {line}");
    }
    let mut status = failed(reason.as_str(), &words);
    status.set_description(text(&decide_line(conflict, &rule.destination)));
    case(class, conflict.address.as_str(), status, &about(&Facts::of_ref(&conflict.source)))
}

fn planned_case(step: &Step, class: &str) -> TestCase {
    case(class, step.address.as_str(), TestCaseStatus::success(), &planned(step))
}

fn skip_case(skip: &Skip, class: &str) -> TestCase {
    let detail = skip.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let words = format!("{}: {}{detail}", skip.reason, reasons::skip(skip.reason));
    case(class, skip.address.as_str(), skipped(skip.reason.as_str(), &words), "")
}

/// What a step does, in a line.
fn planned(step: &Step) -> String {
    let about = about(&Facts::of_step(step));
    let old = step.destination.id.as_ref().map(|id| format!(" of {id}")).unwrap_or_default();
    match (step.action, step.loses.as_slice()) {
        (Action::Upload, _) => format!("upload: {about}"),
        (Action::Replace, []) => format!("replace{old}: {about}"),
        (Action::Replace, loses) => {
            format!("replace{old}, loses {}: {about}", loses.join(" and "))
        }
    }
}

fn about(facts: &Facts<'_>) -> String {
    let parts = [facts.kind.to_owned(), distance(facts.distance_m)];
    let parts = parts.into_iter().chain(facts.title.map(str::to_owned));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The limits of the manifest: each is a check, whether it is exceeded or not.
fn limits(document: &Document) -> TestSuite {
    let exceeded = &document.context.limits;
    let status = |row: Option<&LimitExceeded>| {
        row.map_or_else(TestCaseStatus::success, |row| {
            failed(&row.limit, &format!("{} here, {} allowed", row.planned, row.value))
        })
    };
    let mut suite = TestSuite::new("limits");
    for name in ["max_uploads", "max_replaces"] {
        let row = exceeded.iter().find(|row| row.account.is_none() && row.limit == name);
        suite.add_test_case(case("fit_sync.plan.limits", name, status(row), ""));
    }
    for inventory in &document.context.inventories {
        let of = |row: &&LimitExceeded| row.account.as_ref() == Some(&inventory.account);
        let name = format!("min_inventory_ratio of {}", inventory.account);
        let status = status(exceeded.iter().find(of));
        suite.add_test_case(case("fit_sync.plan.limits", &name, status, ""));
    }
    suite
}

/// How the run as a whole ended.
fn run_case(outcome: &Outcome<'_>) -> TestCase {
    let ending = outcome.ending();
    let status = match &outcome.report.exit {
        Some(exit) if exit.code == 0 => TestCaseStatus::success(),
        Some(exit) => {
            let mut status = failed(&exit.name, &ending);
            if let Some(failure) = &outcome.failure {
                let words = format!("{}; next: {}", failure.happened, failure.next);
                status.set_description(text(&words));
            }
            status
        }
        None => error("not_ended", &ending),
    };
    case("fit_sync.apply", "run", status, "")
}

fn step_case(row: &ReportedStep, class: &str, planned: &str) -> TestCase {
    let words = |phase: Phase| {
        let sentence = [reasons::phase(phase), row.detail.as_str()];
        let sentence: Vec<&str> = sentence.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}: {}", phase.as_str().replace('_', " "), sentence.join("; "))
    };
    let status = match (row.phase, &row.question) {
        (_, Some(question)) => failed(question, &format!("a person must decide: {question}")),
        (None, None) => skipped("not_begun", "the run ended before it"),
        (Some(phase), None) => match phase {
            Phase::Confirmed | Phase::Adopted => TestCaseStatus::success(),
            Phase::Skipped | Phase::NotTried => skipped(phase.as_str(), &words(phase)),
            Phase::Failed | Phase::Stale | Phase::Restored | Phase::Held | Phase::Pending => {
                failed(phase.as_str(), &words(phase))
            }
            Phase::Intent
            | Phase::Fetched
            | Phase::BackedUp
            | Phase::Removed
            | Phase::Sent
            | Phase::Unknown => error(phase.as_str(), &words(phase)),
        },
    };
    case(class, row.address.as_str(), status, planned)
}
