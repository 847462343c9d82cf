//! The report of a run, kept up to date on the disk while it goes on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, age};
use crate::disk::{self, Access, Care};
use crate::domain::Address;
use crate::engine::{Resumed, RunReport};
use crate::event::{Event, Events, Phase};
use crate::plan::Document;
use crate::render::{Report, ReportText, ReportedExit};

/// A report of so many steps or fewer is written after every step, however quick they are.
const MAX_AT_ONCE: usize = 1000;
/// Of a larger one a step's end is written unless this has not passed since the last writing.
const PAUSE: Duration = Duration::from_millis(200);
/// Temporary files older than this are nobody's any more.
const ABANDONED: SignedDuration = SignedDuration::from_hours(1);
/// After this time every change is written.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Follows a run. The report is rewritten after every step, and after everything that a step does
/// to its destination; what only prepares a step goes with the next writing. A writing costs a copy
/// of the whole report, so that of more than 1000 steps those that follow each other within 200 ms
/// share one. The first and the last writing wait for the disk.
pub struct Record {
    path: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    report: Report,
    text: ReportText,
    /// Where the plan's steps stand in the report.
    places: HashMap<Address, usize>,
    written_at: Timestamp,
    problem: Option<std::io::Error>,
}

impl Record {
    /// Of a run that has just begun; with a path, on the disk too.
    pub fn begin(path: Option<PathBuf>, clock: Arc<dyn Clock>) -> Self {
        let now = clock.now();
        if let Some(folder) = path.as_deref().and_then(Path::parent) {
            // What a killed run was writing; younger ones may be another's.
            disk::remove_leftovers(folder, now.saturating_sub(ABANDONED).unwrap_or(now));
        }
        let inner = Inner {
            report: Report::begin(now),
            text: ReportText::default(),
            places: HashMap::new(),
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
        self.write_locked(&mut self.inner(), Care::Synced);
    }

    fn write_locked(&self, inner: &mut Inner, care: Care) {
        let Some(path) = &self.path else {
            return;
        };
        let text = inner.text.whole(&inner.report).map_err(std::io::Error::other);
        let write = |text: String| match care {
            Care::Synced => disk::write_atomically(path, text.as_bytes(), Access::Shared),
            Care::Quick => disk::replace(path, text.as_bytes(), Access::Shared, None, Care::Quick),
        };
        inner.problem = text.and_then(write).err();
        inner.written_at = self.clock.now();
    }

    /// Takes the text of all steps anew.
    fn retell(&self, inner: &mut Inner) {
        // All values of a report have a JSON form.
        inner.text = ReportText::of(&inner.report).unwrap_or_default();
    }

    fn changed(&self, inner: &mut Inner, place: Option<usize>, phase: Phase) {
        let step = place.and_then(|place| Some((place, inner.report.steps.get(place)?)));
        if let Some((place, step)) = step
            && inner.text.change(place, step).is_err()
        {
            self.retell(inner);
        }
        let waited = age(self.clock.now(), inner.written_at);
        if is_due(phase, inner.report.steps.len(), waited) {
            self.write_locked(inner, Care::Quick);
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
        self.retell(&mut inner);
        self.write_locked(&mut inner, Care::Synced);
    }

    /// Takes what became of the steps of earlier runs.
    pub fn settled(&self, settled: &Resumed) {
        if !(settled.steps.is_empty() && settled.left.is_empty()) {
            let mut inner = self.inner();
            inner.report.settled(settled);
            self.write_locked(&mut inner, Care::Synced);
        }
    }

    /// Takes what became of the plan's steps.
    pub fn finished(&self, finished: &RunReport) {
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
        self.retell(&mut inner);
    }

    /// The report as it is.
    pub fn report(&self) -> Report {
        self.inner().report.clone()
    }

    /// The report as it will be when the run has ended so.
    pub fn ended(&self, exit: ReportedExit) -> Report {
        let mut report = self.report();
        report.end(self.clock.now(), exit);
        report
    }

    /// Notes how the run ended, and hands out the whole report.
    pub fn end(&self, exit: ReportedExit) -> Report {
        let mut inner = self.inner();
        inner.report.end(self.clock.now(), exit);
        self.write_locked(&mut inner, Care::Synced);
        inner.report.clone()
    }
}

/// Whether a report of so many steps is written when one of them enters a phase.
fn is_due(phase: Phase, steps: usize, waited: Duration) -> bool {
    match phase {
        Phase::Intent | Phase::Fetched | Phase::BackedUp => waited >= LONGEST_WAIT,
        Phase::Removed
        | Phase::Sent
        | Phase::Adopted
        | Phase::Confirmed
        | Phase::Pending
        | Phase::Restored
        | Phase::Held
        | Phase::Failed
        | Phase::Stale
        | Phase::Skipped
        | Phase::NotTried
        | Phase::Unknown => steps <= MAX_AT_ONCE || waited >= PAUSE,
    }
}

impl Events for Record {
    fn emit(&self, event: Event) {
        let mut inner = self.inner();
        match event {
            Event::RunStarted { run, .. } => {
                inner.report.run = Some(run.to_string());
                self.write_locked(&mut inner, Care::Quick);
            }
            Event::Step { address, phase, detail, .. } => {
                let place = inner.places.get(&address).copied();
                match place {
                    Some(place) => inner.report.enter(place, phase, &detail),
                    None => inner.report.settle(&address, phase, &detail),
                }
                self.changed(&mut inner, place, phase);
            }
            Event::Reading { .. }
            | Event::Refreshed { .. }
            | Event::Comparing { .. }
            | Event::Fetching { .. }
            | Event::Settling { .. }
            | Event::Waiting { .. }
            | Event::Noted { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::clock::ManualClock;
    use crate::plan::Action;
    use crate::render::ReportedStep;

    fn step(number: usize) -> ReportedStep {
        ReportedStep {
            address: format!("keep/@{number}").parse().unwrap(),
            rule: crate::domain::RuleName::new("keep"),
            action: Some(Action::Upload),
            phase: None,
            detail: String::new(),
            question: None,
        }
    }

    #[test]
    fn a_report_is_the_truth_after_every_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let record = Record::begin(Some(path.clone()), Arc::new(ManualClock::new(now)));
        {
            let mut inner = record.inner();
            inner.report.steps = (0..1000).map(step).collect();
            inner.places = (0..1000).map(|n| (step(n).address, n)).collect();
            record.retell(&mut inner);
        }
        for number in [3, 999, 0] {
            for phase in [Phase::Intent, Phase::Fetched, Phase::Sent, Phase::Confirmed] {
                let (address, detail) = (step(number).address, format!("{phase:?} \"{number}\""));
                let (action, title, bytes) = (Action::Upload, None, None);
                record.emit(Event::Step {
                    address,
                    action,
                    title,
                    bytes,
                    phase,
                    attempt: 1,
                    detail,
                });
                if matches!(phase, Phase::Sent | Phase::Confirmed) {
                    let text = fs::read_to_string(&path).unwrap();
                    let report: Report = serde_json::from_str(&text).unwrap();
                    assert_eq!(report, record.inner().report);
                    assert_eq!(report.steps[number].phase, Some(phase));
                }
            }
        }
    }

    #[test]
    fn steps_that_rush_share_a_writing_only_in_long_reports() {
        let at_once = |steps, ms| is_due(Phase::Confirmed, steps, Duration::from_millis(ms));
        assert!(at_once(1000, 0) && at_once(100_000, 200));
        assert!(!at_once(1001, 199));
        assert!(!is_due(Phase::Fetched, 1, Duration::from_millis(999)));
        assert!(is_due(Phase::Fetched, 100_000, Duration::from_secs(1)));
    }
}
