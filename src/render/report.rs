//! What an apply is doing and has done, as a document that pipelines keep.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Address, RuleName, neutralise};
use crate::engine::Resumed;
use crate::event::Phase;
use crate::plan::{Action, Document, PlanId};

use super::summary::left_words;

/// The name of the format.
const FORMAT: &str = "fit_sync.report/1";

/// How many steps are in which phase.
pub type PhaseCounts = BTreeMap<Phase, u64>;

/// A report of one apply; `exit` is null while it runs, and stays so if it is killed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// `fit_sync.report/1`.
    pub format: String,
    /// The plan that is executed; null until there is one.
    pub plan: Option<PlanId>,
    /// Its number in the history; null until its first step is written down.
    pub run: Option<String>,
    /// When apply began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub exit: Option<ReportedExit>,
    /// The plan's steps by their phase; those without a phase are not counted.
    pub counts: PhaseCounts,
    /// In the order of the plan.
    pub steps: Vec<ReportedStep>,
    /// What became of steps that an earlier run had left open.
    pub settled: Vec<ReportedStep>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedExit {
    /// The process's exit code.
    pub code: u8,
    /// The same as a word.
    pub name: String,
}

/// How far a step came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedStep {
    /// Which.
    pub address: Address,
    /// The rule that wants it.
    pub rule: RuleName,
    /// What it does; null while a step of an earlier run is being settled.
    pub action: Option<Action>,
    /// How far it came; null before it has begun.
    pub phase: Option<Phase>,
    /// For people; may be empty.
    pub detail: String,
    /// The question that it has become, if so.
    pub question: Option<String>,
}

impl Report {
    /// The report of an apply that has just begun.
    pub fn begin(now: Timestamp) -> Self {
        Self {
            format: FORMAT.to_owned(),
            plan: None,
            run: None,
            started_at: now,
            ended_at: None,
            exit: None,
            counts: PhaseCounts::new(),
            steps: Vec::new(),
            settled: Vec::new(),
        }
    }

    /// Lists the steps of the plan, none of which has begun.
    pub fn plan(&mut self, document: &Document) {
        self.plan = Some(document.id.clone());
        let steps = document.body.steps.iter();
        self.steps = steps
            .map(|step| ReportedStep {
                address: step.address.clone(),
                rule: step.rule.clone(),
                action: Some(step.action),
                phase: None,
                detail: String::new(),
                question: None,
            })
            .collect();
    }

    /// Moves the step at a place of the plan on to a phase.
    pub fn enter(&mut self, place: usize, phase: Phase, detail: &str) {
        let Some(step) = self.steps.get_mut(place) else {
            return;
        };
        if let Some(count) = step.phase.and_then(|before| self.counts.get_mut(&before)) {
            *count -= 1;
        }
        self.counts.retain(|_, count| *count > 0);
        *self.counts.entry(phase).or_default() += 1;
        step.phase = Some(phase);
        step.detail = neutralise(detail);
    }

    /// Notes how far an earlier run's step came.
    pub fn settle(&mut self, address: &Address, phase: Phase, detail: &str) {
        let known = self.settled.iter_mut().find(|step| step.address == *address);
        let detail = neutralise(detail);
        match known {
            Some(step) => (step.phase, step.detail) = (Some(phase), detail),
            None => self.settled.push(ReportedStep {
                address: address.clone(),
                rule: RuleName::new(address.rule()),
                action: None,
                phase: Some(phase),
                detail,
                question: None,
            }),
        }
    }

    /// Takes what became of the steps of earlier runs.
    pub fn settled(&mut self, settled: &Resumed) {
        let left = settled.left.iter().map(|left| {
            let words = left_words(left);
            ReportedStep {
                address: left.address.clone(),
                rule: RuleName::new(left.address.rule()),
                action: None,
                phase: Some(left.phase),
                detail: neutralise(&format!("{}; {}", words.happened, words.next)),
                question: None,
            }
        });
        self.settled = settled
            .steps
            .iter()
            .map(|step| ReportedStep {
                address: step.address.clone(),
                rule: RuleName::new(step.address.rule()),
                action: Some(step.action),
                phase: Some(step.phase),
                detail: neutralise(&step.detail),
                question: step.question.clone(),
            })
            .chain(left)
            .collect();
    }

    /// Notes when and how it ended.
    pub fn end(&mut self, now: Timestamp, exit: ReportedExit) {
        (self.ended_at, self.exit) = (Some(now), Some(exit));
    }
}

/// A report's text, of which a change costs no more than the step that changed and one copy of the
/// rest: it is written again after every step.
#[derive(Clone, Debug, Default)]
pub struct ReportText {
    steps: Vec<String>,
}

impl ReportText {
    /// The text of a report's steps.
    pub fn of(report: &Report) -> Result<Self, serde_json::Error> {
        let steps = report.steps.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        Ok(Self { steps })
    }

    /// Takes what a step has become.
    pub fn change(&mut self, place: usize, step: &ReportedStep) -> Result<(), serde_json::Error> {
        if let Some(text) = self.steps.get_mut(place) {
            *text = serde_json::to_string(step)?;
        }
        Ok(())
    }

    /// The whole document as JSON, a line for each step and a newline at its end.
    pub fn whole(&self, report: &Report) -> Result<String, serde_json::Error> {
        let Report { format, plan, run, started_at, ended_at, exit, counts, settled, .. } = report;
        let length: usize = self.steps.iter().map(|step| step.len() + 8).sum();
        let mut text = String::with_capacity(length + 4096);
        let members = [
            ("format", serde_json::to_string(format)?),
            ("plan", serde_json::to_string(plan)?),
            ("run", serde_json::to_string(run)?),
            ("started_at", serde_json::to_string(started_at)?),
            ("ended_at", serde_json::to_string(ended_at)?),
            ("exit", serde_json::to_string(exit)?),
            ("counts", serde_json::to_string(counts)?),
            ("settled", serde_json::to_string(settled)?),
        ];
        text.push_str("{\n");
        for (name, value) in members {
            text.extend(["  \"", name, "\": ", &value, ",\n"]);
        }
        text.push_str("  \"steps\": [");
        for (place, step) in self.steps.iter().enumerate() {
            text.push_str(if place == 0 { "\n    " } else { ",\n    " });
            text.push_str(step);
        }
        text.push_str(if self.steps.is_empty() { "]\n}\n" } else { "\n  ]\n}\n" });
        Ok(text)
    }
}
