//! The report of a run, kept up to date on the disk while it goes on.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::archive::disk::{self, Access};
use crate::clock::Clock;
use crate::domain::Address;
use crate::engine::{Applied, Finished};
use crate::event::{Event, Events};
use crate::plan::Document;
use crate::render::{Report, ReportedExit};

/// A report of so many steps or fewer is written after every change.
const SMALL: usize = 20;
/// A larger one is written after at most this time if anything has changed.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(1);

/// Follows a run. A writing waits for the disk and costs as much as the report is long, so that of
/// many steps not each can have its own: a change is written at once where there are at most 20 steps,
/// else with the first change by which there are as many as a twentieth of the steps, or a second has
/// passed. That is about a hundred writings for any number of quick steps, one a second for slow
/// ones. The end is always written.
pub struct Record {
    path: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    report: Report,
    /// Where the plan's steps stand in the report.
    places: HashMap<Address, usize>,
    unwritten: usize,
    written_at: Timestamp,
    problem: Option<std::io::Error>,
}

impl Record {
    /// Of a run that has just begun; with a path, on the disk too.
    pub fn begin(path: Option<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        let inner = Inner {
            report: Report::begin(now),
            places: HashMap::new(),
            unwritten: 0,
            written_at: now,
            problem: None,
        };
        Self { path, clock, inner: Mutex::new(inner) }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the report as it is; what goes wrong is kept for [`Record::problem`].
    pub fn write(&self) {
        self.write_locked(&mut self.inner());
    }

    fn write_locked(&self, inner: &mut Inner) {
        let Some(path) = &self.path else {
            return;
        };
        let text = inner.report.to_json().map_err(std::io::Error::other);
        let written =
            text.and_then(|text| disk::write_atomically(path, text.as_bytes(), Access::Shared));
        inner.problem = written.err();
        inner.unwritten = 0;
        inner.written_at = self.clock.now();
    }

    fn changed(&self, inner: &mut Inner) {
        inner.unwritten += 1;
        let waited = self.clock.now().duration_since(inner.written_at);
        if is_due(inner.unwritten, inner.report.steps.len(), waited) {
            self.write_locked(inner);
        }
    }

    /// Why the last writing failed, if it did.
    pub fn problem(&self) -> Option<String> {
        let path = self.path.as_ref()?;
        let problem = self.inner().problem.as_ref().map(ToString::to_string)?;
        Some(format!("{}: the report cannot be written: {problem}", path.display()))
    }

    /// Takes the steps of the plan that is to be executed.
    pub fn planned(&self, document: &Document) {
        let mut inner = self.inner();
        inner.report.plan(document);
        let steps = document.body.steps.iter().enumerate();
        inner.places = steps.map(|(place, step)| (step.address.clone(), place)).collect();
        self.write_locked(&mut inner);
    }

    /// Takes what became of the steps of earlier runs.
    pub fn settled(&self, steps: &[Applied]) {
        if !steps.is_empty() {
            let mut inner = self.inner();
            inner.report.settled(steps);
            self.write_locked(&mut inner);
        }
    }

    /// Takes what became of the plan's steps.
    pub fn finished(&self, finished: &Finished) {
        let mut inner = self.inner();
        for step in &finished.steps {
            let Some(place) = inner.places.get(&step.address).copied() else {
                continue;
            };
            inner.report.enter(place, step.phase, &step.detail);
            if let Some(reported) = inner.report.steps.get_mut(place) {
                reported.question.clone_from(&step.question);
            }
        }
    }

    /// Notes how the run ended, and hands out the whole report.
    pub fn end(&self, exit: ReportedExit) -> Report {
        let mut inner = self.inner();
        inner.report.end(self.clock.now(), exit);
        self.write_locked(&mut inner);
        inner.report.clone()
    }
}

/// Whether so many changes of so many steps are to be written, so long after the last writing.
fn is_due(changes: usize, steps: usize, waited: SignedDuration) -> bool {
    changes.saturating_mul(SMALL) >= steps || waited >= LONGEST_WAIT
}

impl Events for Record {
    fn emit(&self, event: Event) {
        let mut inner = self.inner();
        match event {
            Event::RunStarted { run, .. } => {
                inner.report.run = Some(run.to_string());
                self.write_locked(&mut inner);
            }
            Event::Step { address, phase, detail, .. } => {
                match inner.places.get(&address).copied() {
                    Some(place) => inner.report.enter(place, phase, &detail),
                    None => inner.report.settle(&address, phase, &detail),
                }
                self.changed(&mut inner);
            }
            Event::Reading { .. }
            | Event::Refreshed { .. }
            | Event::Comparing { .. }
            | Event::Fetching { .. }
            | Event::Waiting { .. }
            | Event::Noted { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writings(steps: usize, pause: SignedDuration) -> usize {
        let (mut writings, mut unwritten, mut waited) = (0, 0, SignedDuration::ZERO);
        for _ in 0..steps * 5 {
            unwritten += 1;
            waited += pause;
            if is_due(unwritten, steps, waited) {
                (writings, unwritten, waited) = (writings + 1, 0, SignedDuration::ZERO);
            }
        }
        writings
    }

    #[test]
    fn a_long_report_is_written_in_twentieths_or_each_second() {
        assert_eq!(writings(20, SignedDuration::ZERO), 100);
        assert_eq!(writings(10_000, SignedDuration::ZERO), 100);
        assert_eq!(writings(10_000, SignedDuration::from_millis(100)), 5_000);
        assert_eq!(writings(1_000, SignedDuration::from_secs(1)), 5_000);
    }
}
