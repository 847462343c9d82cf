//! An apply as a page: how it ended, what was not done, what was.

use askama::Template;

use crate::domain::neutralise;
use crate::event::Phase;
use crate::plan::{Action, Conflict, Document, RuleSummary, Step};

use super::super::facts::Facts;
use super::super::outcome::Outcome;
use super::super::pages::Pages;
use super::super::reasons;
use super::super::report::{Report, ReportedStep};
use super::super::summary::next_of;
use super::super::time::second;
use super::PageError;
use super::activity::{Activity, Notice, Question, Tile, place};
use super::calendar::Calendar;
use super::mark::Mark;
use super::plan::notices;
use super::style::Style;

#[derive(Template)]
#[template(path = "apply.html", config = "src/render/html/askama.toml")]
struct Page {
    style: String,
    plan: String,
    ending: String,
    times: String,
    tiles: Vec<Tile>,
    notices: Vec<Notice>,
    calendar: Calendar,
    rules: Vec<Rule>,
    settled: Vec<Row>,
}

struct Rule {
    name: String,
    source: String,
    destination: String,
    conflicts: Vec<Question>,
    groups: Vec<Group>,
}

struct Group {
    name: &'static str,
    open: bool,
    rows: Vec<StepRow>,
}

struct StepRow {
    id: String,
    mark: Mark,
    activity: Activity,
    what: &'static str,
    phase: String,
    question: String,
    sentence: &'static str,
    detail: String,
}

/// A step that an earlier run had left open: nothing but its address is known.
struct Row {
    id: String,
    mark: Mark,
    address: String,
    what: &'static str,
    phase: String,
    question: String,
    sentence: &'static str,
    detail: String,
}

/// The page of an apply.
///
/// # Errors
/// None is known: the page is written into memory.
pub fn apply_html(
    outcome: &Outcome<'_>,
    pages: &Pages<'_>,
    style: Style,
) -> Result<String, PageError> {
    let steps = outcome.steps().map(|(step, row)| (Some(step.key.start), Mark::of_step(row)));
    let context = outcome.document.map(|document| &document.context);
    let conflicts = || context.into_iter().flat_map(|context| &context.conflicts);
    let questions = conflicts().map(|row: &Conflict| (row.source.start, Mark::Question));
    let rules = context.into_iter().flat_map(|context| &context.rules);
    Page {
        style: style.address(),
        plan: outcome.document.map(|document| document.id.short()).unwrap_or_default(),
        ending: outcome.ending(),
        times: times(outcome.report),
        tiles: tiles(outcome.report, outcome.document),
        notices: told(outcome),
        calendar: Calendar::of(steps.chain(questions)),
        rules: rules.filter_map(|rule| Rule::of(outcome, rule, pages)).collect(),
        settled: outcome.report.settled.iter().map(Row::of).collect(),
    }
    .render()
}

fn times(report: &Report) -> String {
    let run = report.run.as_ref().map(|run| format!("Run {run}, ")).unwrap_or_default();
    let ended = report.ended_at.map(|at| format!(" to {}", second(at))).unwrap_or_default();
    format!("{run}{}{ended}", second(report.started_at))
}

/// What is not done comes first.
fn tiles(report: &Report, document: Option<&Document>) -> Vec<Tile> {
    let number = |phase: Phase| report.counts.get(&phase).copied().unwrap_or_default();
    let mut phases: Vec<(Mark, Phase, u64)> = Phase::ALL
        .into_iter()
        .map(|phase| (Mark::of_phase(Some(phase)), phase, number(phase)))
        .filter(|(_, _, number)| *number > 0)
        .collect();
    phases.sort_by_key(|(mark, phase, _)| (*mark, *phase));
    let conflicts = document.map_or(0, |document| document.context.conflicts.len() as u64);
    let conflict = (conflicts > 0).then(|| Tile {
        mark: Some(Mark::Question),
        number: conflicts,
        word: if conflicts == 1 { "conflict" } else { "conflicts" }.to_owned(),
    });
    let begun: u64 = report.counts.values().sum();
    let rest = (report.steps.len() as u64).saturating_sub(begun);
    let phases = phases.into_iter().map(|(mark, phase, number)| Tile {
        mark: Some(mark),
        number,
        word: phase.as_str().replace('_', " "),
    });
    let rest = (rest > 0).then(|| Tile {
        mark: Some(Mark::Left),
        number: rest,
        word: "not begun".to_owned(),
    });
    conflict.into_iter().chain(phases).chain(rest).collect()
}

fn told(outcome: &Outcome<'_>) -> Vec<Notice> {
    let mut told = Vec::new();
    if let Some(failure) = &outcome.failure {
        told.push(Notice::new("error", failure.happened));
    }
    told.extend(outcome.document.into_iter().flat_map(notices));
    let steps = outcome.report.steps.iter();
    let phases = steps.filter_map(|step| Some((step.phase?, step.question.is_some())));
    let next = outcome.failure.map(|failure| failure.next).or_else(|| next_of(phases));
    if let Some(next) = next.filter(|next| !next.is_empty()) {
        told.push(Notice::new("next", next));
    }
    told
}

impl Rule {
    fn of(outcome: &Outcome<'_>, rule: &RuleSummary, pages: &Pages<'_>) -> Option<Self> {
        let conflicts = outcome.document.into_iter().flat_map(|all| &all.context.conflicts);
        let conflicts = conflicts.filter(|row| row.rule == rule.name);
        let conflicts: Vec<Question> =
            conflicts.map(|row| Question::of(row, &rule.destination, pages)).collect();
        let groups = groups(outcome, rule, pages);
        let is_empty = conflicts.is_empty() && groups.is_empty();
        (!is_empty).then(|| Self {
            name: neutralise(rule.name.as_str()),
            source: neutralise(rule.source.as_str()),
            destination: neutralise(rule.destination.as_str()),
            conflicts,
            groups,
        })
    }
}

/// What was not done, then what was: replaces before uploads.
fn groups(outcome: &Outcome<'_>, rule: &RuleSummary, pages: &Pages<'_>) -> Vec<Group> {
    let names = [
        ("Became questions", Mark::Question, None),
        ("Not done", Mark::Undone, None),
        ("Under way", Mark::Waiting, None),
        ("Left", Mark::Left, None),
        ("Replaced", Mark::Done, Some(Action::Replace)),
        ("Uploaded", Mark::Done, Some(Action::Upload)),
    ];
    let group = |(name, mark, action): (&'static str, Mark, Option<Action>)| {
        let steps = outcome.steps().filter(|(step, row)| {
            step.rule == rule.name
                && Mark::of_step(row) == mark
                && action.is_none_or(|action| step.action == action)
        });
        let rows: Vec<StepRow> = steps.map(|(step, row)| StepRow::of(step, row, pages)).collect();
        (!rows.is_empty()).then(|| Group {
            name,
            open: mark != Mark::Done || rows.len() <= 100,
            rows,
        })
    };
    names.into_iter().filter_map(group).collect()
}

impl StepRow {
    fn of(step: &Step, row: &ReportedStep, pages: &Pages<'_>) -> Self {
        Self {
            id: place(&step.address),
            mark: Mark::of_step(row),
            activity: Activity::of(&Facts::of_step(step), pages),
            what: what(Some(step.action)),
            phase: word(row.phase),
            question: neutralise(row.question.as_deref().unwrap_or_default()),
            sentence: row.phase.map(reasons::phase).unwrap_or_default(),
            detail: neutralise(&row.detail),
        }
    }
}

impl Row {
    fn of(row: &ReportedStep) -> Self {
        Self {
            id: format!("settled:{}", place(&row.address)),
            mark: Mark::of_step(row),
            address: neutralise(row.address.as_str()),
            what: what(row.action),
            phase: word(row.phase),
            question: neutralise(row.question.as_deref().unwrap_or_default()),
            sentence: row.phase.map(reasons::phase).unwrap_or_default(),
            detail: neutralise(&row.detail),
        }
    }
}

fn what(action: Option<Action>) -> &'static str {
    match action {
        Some(Action::Replace) => "replace",
        Some(Action::Upload) => "upload",
        None => "",
    }
}

fn word(phase: Option<Phase>) -> String {
    phase.map_or_else(|| "not begun".to_owned(), |phase| phase.as_str().replace('_', " "))
}
