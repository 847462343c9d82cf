//! Whom an apply tells what it does: a person, a reader of JSON Lines, a report on the disk.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::domain::neutralise;
use crate::engine::Settled;
use crate::event::{Event, Events, FanOut};
use crate::render::{self, Line, Report, ReportedExit, Severity};

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::Printer;
use super::record::Record;

/// Everybody who follows a run.
pub struct Reporting {
    printer: Printer,
    /// The report.
    pub record: Arc<Record>,
    lines: Option<Arc<Lines>>,
}

impl Reporting {
    /// For a run that has just begun: with JSON Lines on stdout, or for people.
    pub fn begin(context: &Context, record: Record, format: Format) -> Self {
        let lines = || {
            let (printer, clock) = (context.printer.clone(), Arc::clone(&context.clock));
            Arc::new(Lines { printer, clock, last: Mutex::new(0) })
        };
        let lines = (format == Format::Json).then(lines);
        Self { printer: context.printer.clone(), record: Arc::new(record), lines }
    }

    /// Listens for everybody, and for one more.
    pub fn listener(&self, also: Arc<dyn Events>) -> Arc<dyn Events> {
        let mut listeners: Vec<Arc<dyn Events>> = vec![also, Arc::clone(&self.record) as _];
        listeners.extend(self.lines.iter().map(|lines| Arc::clone(lines) as _));
        Arc::new(FanOut(listeners))
    }

    /// Prints what people read: on stdout, unless that is for machines.
    pub fn say(&self, text: &str) {
        match self.lines {
            Some(_) => self.printer.note(text),
            None => self.printer.product(text),
        }
    }

    /// Takes what became of steps that earlier runs had left open.
    pub fn settled(&self, settled: &Settled) {
        self.record.settled(settled);
        for left in &settled.left {
            let words = render::left_words(left);
            let message = format!("left from an earlier run: {}; {}", words.happened, words.means);
            self.diagnose(Some(left.address.as_str()), &message, Some(&words.next));
        }
    }

    /// Tells machines what people read elsewhere.
    pub fn diagnose(&self, subject: Option<&str>, message: &str, help: Option<&str>) {
        if let Some(lines) = &self.lines {
            lines.diagnose(subject, message, help);
        }
    }

    /// Ends the report and the lines.
    pub fn end(&self, result: &Result<Exit, Failure>) {
        let exit = match result {
            Ok(exit) => *exit,
            Err(failure) => {
                if !failure.happened.is_empty() {
                    self.diagnose(None, &failure.happened, Some(&failure.next));
                }
                failure.exit
            }
        };
        let exit = ReportedExit { code: exit.code(), name: exit.name().to_owned() };
        let report = self.record.end(exit.clone());
        if let Some(problem) = self.record.problem() {
            self.printer.error(&format!("warning: {problem}"));
        }
        if let Some(lines) = &self.lines {
            lines.end(report, exit);
        }
    }
}

/// What stdout is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Plan and summary, for people.
    Text,
    /// Events, one JSON object a line.
    Json,
}

/// Prints events as JSON Lines.
struct Lines {
    printer: Printer,
    clock: Arc<dyn Clock>,
    last: Mutex<u64>,
}

impl Lines {
    /// Prints the line that is made for the next number, if one is.
    fn print(&self, line: impl FnOnce(u64) -> Option<Line>) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // All values of a line have a JSON form.
        if let Some(Ok(text)) = line(*last + 1).map(|line| line.to_json()) {
            *last += 1;
            self.printer.product(&text);
        }
    }

    fn diagnose(&self, subject: Option<&str>, message: &str, help: Option<&str>) {
        let text = |text: Option<&str>| text.map(neutralise);
        self.print(|seq| {
            Some(Line::Diagnostic {
                seq,
                ts: self.clock.now(),
                severity: Severity::Error,
                subject: text(subject),
                message: neutralise(message),
                help: text(help),
            })
        });
    }

    fn end(&self, report: Report, exit: ReportedExit) {
        self.print(|seq| {
            let Report { plan, run, counts, .. } = report;
            Some(Line::Summary { seq, ts: self.clock.now(), plan, run, counts, exit })
        });
    }
}

impl Events for Lines {
    fn emit(&self, event: Event) {
        self.print(|seq| Line::of(seq, self.clock.now(), &event));
    }
}
