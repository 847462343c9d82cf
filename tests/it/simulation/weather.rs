//! What all accounts of a world share: the run that is under way, what befalls it, the ledger, the
//! story, and the first question that was answered wrongly.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fit_sync::cancellation::Cancellation;
use fit_sync::domain::{Address, RemoteId};
use fit_sync::event::{Event, Events, Phase};
use jiff::Timestamp;

use super::driver::PlanFacts;
use super::ledger::{By, Copy, Ledger};
use super::recordings::Recording;
use super::time::Time;
use super::world::{Kill, NAMES, Run, Trouble};

/// A promise that may be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Question {
    /// Something is nowhere any more, or does not arrive.
    Lost,
    /// There are two of one recording.
    Doubled,
    /// More people see it than may.
    Visible,
    /// A step is neither ended nor explained.
    Unended,
    /// What was said is not so.
    Claim,
    /// Another plan has something to do though nothing happened.
    NotEmpty,
    /// All is said to be well, and it is not.
    Silent,
    /// An activity carries the words of another.
    Words,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "nothing is lost",
            Self::Doubled => "nothing is doubled",
            Self::Visible => "nothing is more visible",
            Self::Unended => "every step ends or is explained",
            Self::Claim => "every claim is true",
            Self::NotEmpty => "the next plan is empty",
            Self::Silent => "nothing is silent",
            Self::Words => "nothing carries the words of another",
        })
    }
}

/// A promise that was broken, and how.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    pub(crate) question: Question,
    pub(crate) how: String,
}

/// A step of some plan, for its claims.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) destination: usize,
    pub(crate) new: Option<Recording>,
    /// What stood under its id before: where counts are believed, that is meant.
    pub(crate) former: Vec<Recording>,
    pub(crate) old: Option<Recording>,
}

/// What the accounts of a world share.
pub(crate) struct Weather {
    pub(crate) time: Arc<Time>,
    pub(crate) backups: PathBuf,
    state: Mutex<State>,
}

/// The part that changes.
pub(crate) struct State {
    pub(crate) ledger: Ledger,
    pub(crate) broken: Option<Broken>,
    /// `None` where nobody listens.
    pub(crate) story: Option<Vec<String>>,
    pub(crate) run: RunState,
    pub(crate) known: HashMap<Address, Vec<Known>>,
    /// What was put back into which account, and when in ticks.
    pub(crate) restored: Vec<(usize, Recording, u64)>,
    /// Uploads that an account refused: account, file, when.
    pub(crate) refusals: Vec<(usize, Recording, Timestamp)>,
}

/// The run that is under way.
#[derive(Default)]
pub(crate) struct RunState {
    pub(crate) calls: u32,
    pub(crate) kill: Option<Kill>,
    pub(crate) is_dead: bool,
    /// A list did not tell everything.
    pub(crate) is_unread: bool,
    pub(crate) stop: Option<(u32, Cancellation)>,
    pub(crate) troubles: Vec<Trouble>,
    pub(crate) is_restore: bool,
    /// When it began, in ticks.
    pub(crate) since: u64,
    /// When it began.
    pub(crate) began: Option<Timestamp>,
}

impl Weather {
    pub(crate) fn new(
        time: Arc<Time>,
        backups: PathBuf,
        ledger: Ledger,
        is_told: bool,
    ) -> Arc<Self> {
        let state = State {
            ledger,
            broken: None,
            story: is_told.then(Vec::new),
            run: RunState::default(),
            known: HashMap::new(),
            refusals: Vec::new(),
            restored: Vec::new(),
        };
        Arc::new(Self { time, backups, state: Mutex::new(state) })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().run.is_dead
    }

    /// Adds a line to the story.
    pub(crate) fn say(&self, line: impl FnOnce(&Ledger) -> String) {
        self.state().say(&self.time, line);
    }

    /// Begins a run with what will befall it.
    pub(crate) fn begin(&self, run: &Run, stop: Cancellation, is_restore: bool) {
        let mut state = self.state();
        let since = state.ledger.next_tick();
        (state.ledger.is_restoring, state.ledger.run_began) = (is_restore, since);
        state.run = RunState {
            calls: 0,
            kill: run.kill,
            is_dead: false,
            is_unread: false,
            stop: run.stop.map(|call| (call, stop)),
            troubles: run.troubles.clone(),
            is_restore,
            since,
            began: Some(self.time.now()),
        };
        for copies in &mut state.ledger.copies {
            copies.iter_mut().for_each(|copy| copy.hidings = 0);
        }
    }

    /// Enters what a plan wants, so that what is done can be held against it.
    pub(crate) fn planned(&self, facts: &PlanFacts) {
        let mut state = self.state();
        for step in &facts.steps {
            let index = |name: &str| NAMES.iter().position(|known| *known == name);
            let source = index(step.source.0.as_str()).unwrap_or_default();
            let destination = index(step.destination.as_str()).unwrap_or_default();
            let recording =
                |account, id: &RemoteId| state.ledger.copy(account, id).map(|c| c.recording);
            let new = recording(source, &step.source.1);
            let old = step.old.as_ref().and_then(|id| recording(destination, id));
            let under = state.ledger.of(source).iter().filter(|copy| copy.id == step.source.1);
            let former = under.map(|copy| copy.recording).collect();
            let known = Known { destination, new, former, old };
            state.known.entry(step.address.clone()).or_default().push(known);
            state.ledger.plan(destination, step.old.clone(), new);
        }
    }
}

impl State {
    pub(crate) fn say(&mut self, time: &Time, line: impl FnOnce(&Ledger) -> String) {
        if let Some(story) = &mut self.story {
            story.push(format!("{} {}", time.told(), line(&self.ledger)));
        }
    }

    /// Enters a broken promise; the first one counts.
    pub(crate) fn breaks(&mut self, question: Question, how: impl FnOnce(&Ledger) -> String) {
        if self.broken.is_none() {
            self.broken = Some(Broken { question, how: how(&self.ledger) });
        }
    }

    /// Holds a claim against what is there.
    fn check_claim(&mut self, address: &Address, phase: Phase) {
        let Some(known) = self.known.get(address).cloned() else { return };
        // What a person puts under its id or removes in the same moment, nobody can know.
        let is_race = known.iter().any(|known| {
            let of = self.ledger.of(known.destination);
            let is_its = |copy: &Copy| known.new.is_some_and(|new| copy.recording.may_be(new));
            let is_gone = |copy: &Copy| copy.gone == Some(By::Person) && is_its(copy);
            let had_it = |id: &RemoteId| of.iter().any(|copy| copy.id == *id && is_gone(copy));
            of.iter().any(|copy| match phase {
                Phase::Adopted => is_gone(copy),
                _ => copy.is_swapped && (copy.made > self.run.since || had_it(&copy.id)),
            })
        });
        if is_race {
            return;
        }
        let holds = |known: &Known, wanted: Option<Recording>, loosely: bool| {
            let fits = |held: Recording, wanted: Recording| {
                if loosely { held.may_be(wanted) } else { held.is_same(wanted) }
            };
            let mut there = self.ledger.there(known.destination);
            wanted.is_none_or(|wanted| there.any(|copy| fits(copy.recording, wanted)))
        };
        let is_true = |known: &Known| match phase {
            Phase::Confirmed => {
                let mut former = known.former.iter();
                holds(known, known.new, false) || former.any(|it| holds(known, Some(*it), false))
            }
            Phase::Adopted => holds(known, known.new, true),
            Phase::Restored => holds(known, known.old, true),
            _ => true,
        };
        if !known.iter().any(is_true) {
            self.breaks(Question::Claim, |_| {
                format!("{address} is said to be {}, and is not there", phase.as_str())
            });
        }
        let ends_well = matches!(phase, Phase::Confirmed | Phase::Adopted | Phase::Restored);
        let exposed = known.iter().find_map(|known| {
            let mut exposed = self.ledger.exposed(known.destination);
            let is_it = |recording: Recording| {
                let it = if phase == Phase::Restored { known.old } else { known.new };
                it.is_some_and(|it| it.is_same(recording))
            };
            exposed.find(|copy| is_it(copy.recording))
        });
        if let (true, Some(copy)) = (ends_well, exposed.cloned()) {
            self.breaks(Question::Visible, |_| {
                format!("{address} is {}, and {} is public", phase.as_str(), copy.recording.name())
            });
        }
    }
}

impl Events for Weather {
    fn emit(&self, event: Event) {
        let Event::Step { address, phase, detail, .. } = event else { return };
        let mut state = self.state();
        state.say(&self.time, |_| format!("  {address}: {} {detail}", phase.as_str()));
        state.check_claim(&address, phase);
    }
}
