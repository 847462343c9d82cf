//! Whom an apply tells what it does: a person, a reader of JSON Lines, reports on the disk.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::domain::neutralise;
use crate::engine::{Resumed, RunReport};
use crate::event::{Event, Events, FanOut};
use crate::plan::Document;
use crate::render::{self, Line, Report, ReportedExit, Severity};

use super::args::Apply;
use super::context::Context;
use super::copies::Copies;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::Printer;
use super::record::Record;

/// Everybody who follows a run.
pub struct Reporting {
    printer: Printer,
    record: Arc<Record>,
    copies: Copies,
    lines: Option<Arc<Lines>>,
}

impl Reporting {
    /// For a run that has just begun.
    pub fn begin(context: &Context, args: &Apply) -> Self {
        let lines = || {
            let (printer, clock) = (context.printer.clone(), Arc::clone(&context.clock));
            Arc::new(Lines { printer, clock, last: Mutex::new(0) })
        };
        let report = args.report.as_deref().map(|path| context.env.absolute(path));
        let record = Record::begin(report, Arc::clone(&context.clock));
        Self {
            printer: context.printer.clone(),
            record: Arc::new(record),
            copies: Copies::of(context, args),
            lines: args.json.then(lines),
        }
    }

    /// Writes down that a run has begun; what cannot be written keeps it from going on.
    pub fn begun(&self) -> Result<(), Failure> {
        self.record.write();
        self.written()
    }

    /// Takes the plan that is to be executed, and writes down that none of its steps has begun: if the
    /// run is killed, this is what is told.
    pub fn planned(&self, document: &Document) -> Result<(), Failure> {
        self.record.planned(document);
        self.copies.planned(document);
        self.written()
    }

    fn written(&self) -> Result<(), Failure> {
        if let Some(problem) = self.record.problem() {
            let next = "choose another place with --report";
            return Err(Failure::new(Exit::Failed, problem, next));
        }
        match self.copies.write(&self.record.report(), None).into_iter().next() {
            Some(unwritten) => Err(unwritten),
            None => Ok(()),
        }
    }

    /// Takes what became of the plan's steps.
    pub fn finished(&self, finished: &RunReport) {
        self.record.finished(finished);
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
    pub fn settled(&self, settled: &Resumed) {
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

    /// Ends the reports and the lines. The work is done, or is not; what cannot be written of it makes
    /// the end a failure that is told here.
    pub fn end(&self, result: Result<Exit, Failure>) -> Result<Exit, Failure> {
        let (exit, failure) = match &result {
            Ok(exit) => (*exit, None),
            Err(failure) => (failure.exit, Some(failure)),
        };
        let failure = failure.filter(|failure| !failure.happened.is_empty());
        if let Some(failure) = failure {
            self.diagnose(None, &failure.happened, Some(&failure.next));
        }
        let mut unwritten = self.copies.write(&self.record.ended(reported(exit)), failure);
        let worst = |unwritten: &[Failure]| {
            Exit::worst(unwritten.iter().map(|failure| failure.exit).chain([exit]))
        };
        let report = self.record.end(reported(worst(&unwritten)));
        if let Some(problem) = self.record.problem() {
            unwritten.push(Failure::new(Exit::Failed, problem, "make room for --report"));
        }
        let is_new = |unwritten: &Failure| {
            failure.is_none_or(|failure| failure.happened != unwritten.happened)
        };
        for failure in unwritten.iter_mut().filter(|unwritten| is_new(unwritten)) {
            "What was done is done; only this does not tell of it.".clone_into(&mut failure.means);
            self.diagnose(None, &failure.happened, Some(&failure.next));
            self.printer.error(&failure.text());
        }
        let exit = worst(&unwritten);
        if let Some(lines) = &self.lines {
            lines.end(report, reported(exit));
        }
        match result {
            Ok(_) => Ok(exit),
            Err(failure) => Err(Failure { exit, ..failure }),
        }
    }
}

fn reported(exit: Exit) -> ReportedExit {
    ReportedExit { code: exit.code(), name: exit.name().to_owned() }
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
