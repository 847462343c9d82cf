//! Lives through a world: act after act, then quiet weather, then the questions.

use std::path::Path;
use std::sync::Arc;

use fit_sync::plan::Document;
use fit_sync::platform::Platform;
use jiff::{SignedDuration, Timestamp};

use super::account::Account;
use super::driver::{Exit, Machine, Parts, PlanFacts, Ran, Report, until_killed};
use super::last_questions;
use super::ledger::Ledger;
use super::nature::{memory, owners};
use super::people::Editor;
use super::questions;
use super::recordings::Recording;
use super::time::{MachineClock, Time};
use super::weather::{Broken, Known, Question, Weather};
use super::world::{Act, Edit, Held, NAMES, Quirk, Run, World};
use crate::support::memory::PrivacyEdits;

/// How a story ended.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) broken: Option<Broken>,
    /// One line per event, where somebody listens.
    pub(crate) lines: Vec<String>,
}

/// Hours that pass before each run of the quiet weather.
const QUIET: [i64; 8] = [2, 25, 25, 24 * 8, 25, 25, 25, 25];

/// Lives through a world. The folder is the machine's disk.
pub(crate) async fn live(world: &World, folder: &Path, is_told: bool) -> Ending {
    let mut life = Life::new(world, folder, is_told);
    for act in &world.acts {
        life.live(act).await;
        if life.is_broken() {
            return life.end();
        }
    }
    life.quiet_weather().await;
    life.end()
}

struct Life<'a> {
    world: &'a World,
    accounts: Vec<Account>,
    weather: Arc<Weather>,
    machine: Machine,
    saved: Option<Document>,
    /// Nothing happened since a plan without questions was saved.
    is_untouched: bool,
    titles: u32,
}

impl<'a> Life<'a> {
    fn new(world: &'a World, folder: &Path, is_told: bool) -> Self {
        let time = Time::new();
        let owner = owners(world);
        let ledger = Ledger::new(world.rules.clone(), owner.clone());
        let weather = Weather::new(Arc::clone(&time), folder.join("backups"), ledger, is_told);
        let mut accounts: Vec<Account> = Vec::new();
        for (number, account) in world.accounts.iter().enumerate() {
            let own = owner.get(number).copied().unwrap_or(number);
            let memory = match accounts.get(own) {
                Some(first) => first.memory.clone(),
                None => memory(number, account, &time),
            };
            accounts.push(Account { number, memory, weather: Arc::clone(&weather) });
        }
        let platform = |account: &Account| {
            let name = NAMES.get(account.number).copied().unwrap_or("?");
            (name, Arc::new(account.clone()) as Arc<dyn Platform>)
        };
        let names: Vec<&'static str> = NAMES.iter().copied().take(accounts.len()).collect();
        let machine = Machine::new(Parts {
            platforms: accounts.iter().map(platform).collect(),
            rules: &world.rules,
            names: &names,
            is_guarded: world.is_guarded,
            clock: Arc::new(MachineClock(time)),
            events: Arc::clone(&weather) as _,
            folder,
        });
        let mut life =
            Self { world, accounts, weather, machine, saved: None, is_untouched: false, titles: 0 };
        for held in &world.held {
            life.put(held);
        }
        life
    }

    fn is_broken(&self) -> bool {
        self.weather.state().broken.is_some()
    }

    fn end(self) -> Ending {
        let mut state = self.weather.state();
        let (broken, lines) = (state.broken.take(), state.story.take().unwrap_or_default());
        Ending { broken, lines }
    }

    async fn live(&mut self, act: &Act) {
        match act {
            Act::Apply(run) => self.apply(run).await,
            Act::SavePlan => self.save_plan().await,
            Act::Restore(number, run) => self.restore(*number, run).await,
            Act::LoseState => self.lose_state(),
            Act::Person(edit) => self.edit(edit),
            Act::Wait { hours } => {
                self.weather.time.pass(SignedDuration::from_hours(i64::from(*hours)))
            }
            Act::ClockBack { hours } => {
                self.weather.say(|_| format!("the clock is set back by {hours} h"));
                self.weather.time.set_back(SignedDuration::from_hours(i64::from(*hours)));
            }
        }
    }

    async fn apply(&mut self, run: &Run) {
        let saved = if run.is_saved { self.saved.take() } else { None };
        let word = if saved.is_some() { "apply FILE" } else { "apply" };
        self.weather.say(|_| word.to_owned());
        self.begin(run, false);
        let weather = Arc::clone(&self.weather);
        let mut edits = run.between.clone();
        let machine = &self.machine;
        let editor = Editor { accounts: &self.accounts, weather: &weather, titles: self.titles };
        let titles = &mut self.titles;
        let work = machine.apply(
            saved.as_ref(),
            |facts| weather.planned(facts),
            || {
                let mut editor = editor;
                edits.drain(..).for_each(|edit| editor.edit(&edit));
                *titles = editor.titles;
            },
        );
        let ran = until_killed(work, || weather.is_dead()).await;
        self.after_run(&ran);
        if saved.is_some() && self.is_untouched && run.is_plain() {
            questions::after_saved(&self.weather, self.world, &ran);
        }
        self.is_untouched = false;
    }

    fn begin(&mut self, run: &Run, is_restore: bool) {
        let stop = self.machine.next_stop();
        self.weather.begin(run, stop, is_restore);
    }

    fn after_run(&self, ran: &Ran) {
        self.weather.say(|_| match ran {
            Ran::Ended(report) => format!("ends: {:?}", report.exit),
            Ran::Refused(error) => format!("refused: {error}"),
            Ran::Killed => "dead".to_owned(),
        });
        questions::after_any_run(&self.weather);
        if let Ran::Ended(report) = ran {
            questions::after_run(&self.weather, self.world, report);
        }
    }

    async fn save_plan(&mut self) {
        self.begin(&Run::default(), false);
        if let Ok((facts, document)) = self.machine.plan().await {
            self.weather.say(|_| format!("plan: saves {} steps", facts.steps.len()));
            self.weather.planned(&facts);
            let is_plain = facts.conflicts.is_empty() && facts.blocked.is_empty();
            self.is_untouched = is_plain && self.machine.open_steps().is_empty();
            self.saved = Some(document);
        }
    }

    async fn restore(&mut self, number: usize, run: &Run) {
        let backups = self.machine.backups();
        let Some(backup) = number.checked_rem(backups.len()).and_then(|n| backups.get(n)) else {
            return;
        };
        let account = NAMES.iter().position(|name| *name == backup.subject.account.as_str());
        let recording = Recording::of(&backup.sha256);
        self.weather.say(|_| {
            let name = recording.map_or_else(|| "?".to_owned(), Recording::name);
            format!("backup restore of {name} to {}", backup.subject.account)
        });
        if let (Some(destination), Some(address)) = (account, backup.subject.address.clone()) {
            let known = Known { destination, new: recording, former: Vec::new(), old: None };
            self.weather.state().known.entry(address).or_default().push(known);
        }
        if let (Some(account), Some(recording)) = (account, recording) {
            self.weather.state().ledger.plan_restore(account, recording);
        }
        self.begin(run, true);
        let weather = Arc::clone(&self.weather);
        let ran = until_killed(self.machine.restore(backup), || weather.is_dead()).await;
        self.after_run(&ran);
        if let (Some(account), Some(recording)) = (account, recording) {
            questions::after_restore(&self.weather, (account, recording), &ran);
        }
    }

    fn lose_state(&mut self) {
        self.weather.say(|_| "the state is lost".to_owned());
        self.is_untouched = false;
        self.machine.lose_state();
        let mut state = self.weather.state();
        for copy in state.ledger.copies.iter_mut().flatten() {
            copy.state_lost = true;
        }
    }

    fn put(&mut self, held: &Held) {
        self.edit(&Edit::Add(*held));
    }

    fn edit(&mut self, edit: &Edit) {
        self.is_untouched = false;
        let (accounts, weather) = (&self.accounts, &self.weather);
        let mut editor = Editor { accounts, weather, titles: self.titles };
        editor.edit(edit);
        self.titles = editor.titles;
    }

    /// Nothing goes wrong any more; runs are made until nothing is left to do, then all is asked.
    async fn quiet_weather(&mut self) {
        self.weather.say(|_| "quiet weather begins".to_owned());
        self.weather.time.set_right();
        for account in &self.accounts {
            account.memory.heal();
            account.memory.quirk(|quirks| quirks.privacy_edits = PrivacyEdits::Kept);
        }
        let mut last: Option<PlanFacts> = None;
        let began = self.weather.time.now();
        for hours in QUIET {
            self.weather.time.pass(SignedDuration::from_hours(hours));
            self.weather.say(|_| "apply".to_owned());
            self.begin(&Run::default(), false);
            let weather = Arc::clone(&self.weather);
            let ran = self.machine.apply(None, |facts| weather.planned(facts), || ()).await;
            self.after_run(&ran);
            if self.is_broken() {
                return;
            }
            match ran {
                Ran::Ended(report) => {
                    let is_done = self.is_done(&report) && self.is_read(began);
                    last = report.plan;
                    if is_done {
                        break;
                    }
                }
                Ran::Refused(_) if self.has_two_names() => return,
                Ran::Refused(error) => {
                    let mut state = self.weather.state();
                    state.breaks(Question::Unended, |_| {
                        format!("refused in quiet weather: {error}")
                    });
                    return;
                }
                Ran::Killed => return,
            }
        }
        let open = self.machine.open_steps();
        last_questions::at_the_end(&self.weather, self.world, last.as_ref(), &open);
    }

    fn is_done(&self, report: &Report) -> bool {
        let is_quiet = report.plan.as_ref().is_some_and(|plan| {
            let is_final = |reason| last_questions::is_final(reason);
            plan.steps.is_empty()
                && plan.blocked.is_empty()
                && plan.in_sync.iter().all(|pair| !pair.is_pending)
                && plan.skips.iter().all(|(.., reason)| is_final(*reason))
        });
        is_quiet && report.exit >= Exit::Decide && self.machine.open_steps().is_empty()
    }

    /// Whether everything has been read row by row since: counts are believed for less than two days,
    /// and what is listed late may need one.
    fn is_read(&self, since: Timestamp) -> bool {
        let quirks = self.world.accounts.iter().flat_map(|account| &account.quirks);
        let waited = self.weather.time.now().duration_since(since);
        let needs = |quirk: &Quirk| match quirk {
            Quirk::CountsOnly => 48,
            Quirk::ListedVeryLate { hours } => i64::from(*hours),
            _ => 0,
        };
        let needed = quirks.map(needs).max().unwrap_or_default();
        waited > SignedDuration::from_hours(needed)
    }

    fn has_two_names(&self) -> bool {
        let quirks = self.world.accounts.iter().flat_map(|account| &account.quirks);
        quirks.into_iter().any(|quirk| *quirk == Quirk::SecondName)
    }
}
