//! A small world for the engine: two accounts, one rule, and a clock that never waits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::support::memory::{Duplicates, Memory, Settings};
use fit_sync::cancellation::Cancellation;
use fit_sync::clock::ManualClock;
use fit_sync::domain::ReplaceProtocol;
use fit_sync::engine::{
    self, Approved, Cause, Pace, Planned, Resumed, RunReport, Session, StepReport,
};
use fit_sync::event::{Event, Events, Phase, Recorder};
use fit_sync::manifest::ConflictStrategy;
use fit_sync::plan::{BlockedReason, Document};
use fit_sync::platform::{self, Opening, Platform};
use fit_sync::state::Store;
use tempfile::TempDir;

use super::session;

/// When every world begins.
pub(crate) const NOW: &str = "2100-01-01T00:00:00Z";

/// Two accounts, a rule from `here` to `there`, and all that a run needs.
pub(crate) struct World {
    pub(crate) session: Session,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) events: Arc<Recorder>,
    pub(crate) pace: Pace,
    folder: TempDir,
}

/// How a run ended, as a pipeline sees it: contract 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    Login,
    Partly,
    Unavailable,
    Decide,
    Done,
}

/// What became of one `apply`.
pub(crate) struct Outcome {
    pub(crate) settled: Vec<StepReport>,
    pub(crate) document: Document,
    pub(crate) steps: Vec<StepReport>,
}

impl World {
    /// Both accounts, opened as they are.
    pub(crate) fn new(here: Arc<dyn Platform>, there: Arc<dyn Platform>) -> Self {
        let rules = vec![session::rule("here", "there", ConflictStrategy::SkipExisting)];
        Self::of(&[("here", here), ("there", there)], rules)
    }

    /// These accounts, opened as they are.
    pub(crate) fn of(
        platforms: &[(&'static str, Arc<dyn Platform>)],
        rules: Vec<fit_sync::manifest::Rule>,
    ) -> Self {
        let folder = quick_folder();
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let events = Arc::new(Recorder::default());
        let names: Vec<&str> = platforms.iter().map(|(name, _)| *name).collect();
        let open = session::open(platforms.iter().cloned());
        let session = Session {
            manifest: session::manifest(&names, rules),
            decisions: Vec::new(),
            store: Store::open_in_memory().unwrap(),
            catalog: platform::catalog(),
            open,
            opening: opening(&clock),
            events: Arc::clone(&events) as Arc<dyn Events>,
            places: session::places(folder.path()),
            stop: Cancellation::default(),
        };
        Self { session, clock, events, pace: Pace::default(), folder }
    }

    /// Two accounts in memory.
    pub(crate) fn memory(here: &Memory, there: &Memory) -> Self {
        Self::new(Arc::new(here.clone()), Arc::new(there.clone()))
    }

    /// What is there already and differs is replaced.
    pub(crate) fn replacing(mut self) -> Self {
        self.session.manifest.rules[0].strategy = ConflictStrategy::ReplaceExisting;
        self
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    /// Loses the memory, as if the state had been deleted.
    pub(crate) fn forget_state(&mut self) {
        self.session.store = Store::open_in_memory().unwrap();
    }

    /// Loses the files that were fetched so far.
    pub(crate) fn empty_cache(&self) {
        let _ = std::fs::remove_dir_all(&self.session.places.cache);
    }

    pub(crate) fn pass(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub(crate) async fn plan(&self) -> Planned {
        engine::plan(&self.session, &session::request()).await.unwrap()
    }

    pub(crate) async fn settle(&self) -> Resumed {
        let locks = session::lock(&self.session).await;
        engine::resume(&self.session, &locks).await.unwrap()
    }

    /// Does what a fresh plan says, without settling first.
    pub(crate) async fn execute(&self, planned: Planned) -> RunReport {
        let document = planned.plan.document.clone();
        engine::apply(&self.session, planned, Approved::Fresh(&document), self.pace).await.unwrap()
    }

    /// As the command does it: settle, plan, apply.
    pub(crate) async fn apply(&self) -> Outcome {
        self.apply_after(|| ()).await
    }

    /// As [`World::apply`], with something that happens between plan and apply.
    pub(crate) async fn apply_after(&self, between: impl FnOnce()) -> Outcome {
        let settled = self.settle().await.steps;
        let planned = self.plan().await;
        between();
        let document = planned.plan.document.clone();
        let finished = self.execute(planned).await;
        Outcome { settled, document, steps: finished.steps }
    }

    /// What the next plan would do or ask: nothing, if all is well.
    pub(crate) async fn left(&self) -> Vec<String> {
        todo(&self.plan().await.plan.document)
    }

    /// Every phase that was told, in order.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        let phase = |event: Event| match event {
            Event::Step { phase, .. } => Some(phase),
            _ => None,
        };
        self.events.events().into_iter().filter_map(phase).collect()
    }
}

impl Outcome {
    /// How far each step of this run came.
    pub(crate) fn phases(&self) -> Vec<Phase> {
        self.steps.iter().map(|step| step.phase).collect()
    }

    /// The exit by contract 4 and 11; `wrote`: whether anything was sent in this run.
    pub(crate) fn end(&self, wrote: bool) -> End {
        // What was settled as undone was planned again: the steps of this run speak for it.
        let undone = |step: &&StepReport| !matches!(step.phase, Phase::NotTried | Phase::Failed);
        let steps = self.settled.iter().filter(undone).chain(&self.steps);
        let blocked = self.document.context.blocked.iter().map(|blocked| match blocked.reason {
            BlockedReason::LoginNeeded => End::Login,
            _ if wrote => End::Partly,
            _ => End::Unavailable,
        });
        let asked = self.document.context.conflicts.iter().map(|_| End::Decide);
        steps.map(|step| end_of(step, wrote)).chain(blocked).chain(asked).min().unwrap_or(End::Done)
    }

    /// Everything said about the steps, for failing assertions.
    pub(crate) fn told(&self) -> String {
        let line = |step: &StepReport| format!("{} {}", step.phase.as_str(), step.detail);
        let steps: Vec<String> = self.settled.iter().chain(&self.steps).map(line).collect();
        steps.join(" | ")
    }
}

/// What a plan would do or ask.
pub(crate) fn todo(document: &Document) -> Vec<String> {
    let steps = document.body.steps.iter().map(|s| format!("{:?} {}", s.action, s.address));
    let asked = document.context.conflicts.iter().map(|c| format!("{} {}", c.reason, c.address));
    let blocked = document.context.blocked.iter().map(|b| format!("blocked: {}", b.message));
    steps.chain(asked).chain(blocked).collect()
}

fn end_of(step: &StepReport, wrote: bool) -> End {
    match step.phase {
        Phase::Confirmed | Phase::Adopted => End::Done,
        Phase::Skipped if step.is_question() => End::Decide,
        Phase::Skipped => End::Done,
        _ if step.cause == Some(Cause::Login) => End::Login,
        Phase::Failed | Phase::NotTried if step.cause == Some(Cause::Unavailable) && !wrote => {
            End::Unavailable
        }
        _ => End::Partly,
    }
}

/// How a memory account named `name` is set up for a replace protocol.
pub(crate) fn settings(name: &str, protocol: ReplaceProtocol) -> Settings {
    let mut settings = Settings::new(name);
    settings.capabilities.replace = protocol;
    settings.duplicates = match protocol {
        ReplaceProtocol::UploadThenDelete => Duplicates::Taken,
        ReplaceProtocol::DeleteThenUpload => Duplicates::Refused,
    };
    settings
}

/// What platforms are handed in a world with this clock.
pub(crate) fn opening(clock: &Arc<ManualClock>) -> Opening {
    let next = std::sync::atomic::AtomicU8::new(0);
    let random = move || [next.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 16];
    Opening::offline(Arc::clone(clock) as _, Arc::new(random))
}

/// A folder in memory where there is one: a matrix of worlds syncs thousands of files.
fn quick_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// What a plan has still to do, or cannot do: a world in which all is done has none of it.
pub(crate) fn undone(document: &Document) -> Vec<String> {
    let steps = document.body.steps.iter();
    let steps = steps.map(|step| format!("planned still: {:?} {}", step.action, step.address));
    let blocked = document.context.blocked.iter();
    steps.chain(blocked.map(|blocked| format!("blocked: {}", blocked.message))).collect()
}

/// Fails with every cell of a matrix in which something is wrong.
#[track_caller]
pub(crate) fn all_hold(cells: &[(String, Vec<String>)]) {
    let wrong = cells.iter().filter(|(_, wrong)| !wrong.is_empty());
    let wrong: Vec<String> =
        wrong.map(|(name, wrong)| format!("{name}\n    {}", wrong.join("\n    "))).collect();
    assert!(wrong.is_empty(), "{} cells fail:\n{}", wrong.len(), wrong.join("\n"));
}
