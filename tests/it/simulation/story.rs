//! Lives through a world: act after act, then quiet weather, then the questions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use fit_sync::domain::{Details, RemoteId, ReplaceProtocol, Sha256};
use fit_sync::plan::Document;
use fit_sync::platform::{Platform, PlatformError, Rejection};
use jiff::SignedDuration;

use super::account::Account;
use super::driver::{Exit, Machine, Parts, PlanFacts, Ran, Report, until_killed};
use super::ledger::{By, Ledger, SETTLE_S};
use super::questions;
use super::recordings::{self, Recording, VERSIONS};
use super::time::{MachineClock, Time, TrueClock};
use super::weather::{Broken, Known, Question, Weather};
use super::world::{self, Act, Edit, NAMES, Quirk, Run, Words, World};
use crate::support::memory::{Delay, Duplicates, Memory, PrivacyEdits, Settings};

/// How a story ended.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) broken: Option<Broken>,
    /// One line per event, where somebody listens.
    pub(crate) lines: Vec<String>,
    /// Runs that were made.
    pub(crate) runs: u32,
}

/// Hours that pass before each run of the quiet weather.
const QUIET: [i64; 6] = [2, 25, 25, 24 * 8, 25, 25];

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
    runs: u32,
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
        let mut life = Self {
            world,
            accounts,
            weather,
            machine,
            saved: None,
            is_untouched: false,
            runs: 0,
            titles: 0,
        };
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
        Ending { broken, lines, runs: self.runs }
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
        self.runs += 1;
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
        let account = NAMES.iter().position(|name| *name == backup.account.as_str());
        let recording = Recording::of(&backup.sha256);
        self.weather.say(|_| {
            let name = recording.map_or_else(|| "?".to_owned(), Recording::name);
            format!("backup restore of {name} to {}", backup.account)
        });
        if let (Some(destination), Some(address)) = (account, backup.address.clone()) {
            let known = Known { destination, new: recording, old: None };
            self.weather.state().known.entry(address).or_default().push(known);
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
        state.ledger.copies.iter_mut().flatten().for_each(|copy| copy.state_lost = true);
    }

    fn put(&mut self, held: &world::Held) {
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
                    let is_done = self.is_done(&report);
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
        questions::at_the_end(&self.weather, self.world, last.as_ref(), &open);
    }

    fn is_done(&self, report: &Report) -> bool {
        let is_quiet = report.plan.as_ref().is_some_and(|plan| {
            let is_final = |reason| questions::is_final(reason);
            plan.steps.is_empty()
                && plan.blocked.is_empty()
                && plan.in_sync.iter().all(|pair| !pair.is_pending)
                && plan.skips.iter().all(|(.., reason)| is_final(*reason))
        });
        is_quiet && report.exit >= Exit::Decide && self.machine.open_steps().is_empty()
    }

    fn has_two_names(&self) -> bool {
        let quirks = self.world.accounts.iter().flat_map(|account| &account.quirks);
        quirks.into_iter().any(|quirk| *quirk == Quirk::SecondName)
    }
}

/// A person at the accounts.
struct Editor<'a> {
    accounts: &'a [Account],
    weather: &'a Weather,
    titles: u32,
}

impl Editor<'_> {
    fn edit(&mut self, edit: &Edit) {
        let number = match *edit {
            Edit::Add(held) => held.account,
            Edit::Remove(account, _)
            | Edit::Reimport(account, _)
            | Edit::Correct(account, _)
            | Edit::Swap(account, ..)
            | Edit::Rename(account, _)
            | Edit::Hide(account, _) => account,
        };
        let Some(account) = self.accounts.get(number) else { return };
        let place = match *edit {
            Edit::Add(_) => None,
            Edit::Remove(_, place)
            | Edit::Reimport(_, place)
            | Edit::Correct(_, place)
            | Edit::Swap(_, place, _)
            | Edit::Rename(_, place)
            | Edit::Hide(_, place) => Some(place),
        };
        let id = place.map(|place| self.weather.state().ledger.place(number, place));
        match (*edit, id) {
            (Edit::Add(held), _) => self.add(account, held.recording, held.private),
            (_, None | Some(None)) => {}
            (_, Some(Some(id))) => {
                self.weather.say(|ledger| {
                    format!("a person: {} {}", edit.switch(), ledger.told(number, &id))
                });
                self.change(account, *edit, &id);
            }
        }
    }

    fn title(&mut self, account: &Account) -> Option<String> {
        self.titles += 1;
        Some(format!("{} {}", World::name(account.number), self.titles))
    }

    fn add(&mut self, account: &Account, recording: Recording, private: bool) {
        let starts = |copy: &super::ledger::Copy| copy.recording.start() == recording.start();
        let refuses = account.memory.capabilities().replace == ReplaceProtocol::DeleteThenUpload;
        if refuses && self.weather.state().ledger.there(account.number).any(starts) {
            return;
        }
        let is_other = |copy: &super::ledger::Copy| {
            copy.recording.is_same(recording) && copy.recording != recording
        };
        // Of one device there is one recording of an event, be it twice.
        if self.weather.state().ledger.there(account.number).any(is_other) {
            return;
        }
        let title = self.title(account);
        let details = Details { title, private: private.then_some(true), ..Details::default() };
        let id = account.memory.new_id();
        account.memory.put_file_as(&id, recording.bytes(), &details);
        self.told(account);
        self.weather.say(|ledger| {
            let whose = if private { "private " } else { "" };
            format!("a person adds {whose}{}", ledger.told(account.number, &id))
        });
    }

    fn told(&self, account: &Account) {
        account.enter_changes(&mut self.weather.state(), By::Person, By::Person);
    }

    fn change(&mut self, account: &Account, edit: Edit, id: &RemoteId) {
        let held = self.weather.state().ledger.copy(account.number, id).cloned();
        let Some(held) = held else { return };
        match edit {
            Edit::Add(_) => {}
            // An account that was emptied looks like one that fails.
            Edit::Remove(..) if self.weather.state().ledger.there(account.number).count() < 2 => {}
            Edit::Remove(..) => {
                let _ = account.memory.take(id);
                self.told(account);
            }
            Edit::Reimport(..) => {
                let _ = account.memory.take(id);
                self.told(account);
                self.add(account, held.recording, held.private);
            }
            Edit::Correct(..) => {
                let version = (held.recording.version + 1) % VERSIONS;
                self.store(account, id, Recording { version, ..held.recording });
            }
            Edit::Swap(_, _, recording) => self.swap(account, id, recording),
            Edit::Rename(..) => {
                let title = self.title(account);
                account.memory.write(id, |details| details.title.clone_from(&title));
                self.with(account, id, |copy| (copy.title, copy.is_renamed) = (title, true));
            }
            Edit::Hide(..) => {
                account.memory.write(id, |details| details.private = Some(true));
                self.with(account, id, |copy| copy.private = true);
            }
        }
    }

    /// Other content under the same id.
    fn store(&self, account: &Account, id: &RemoteId, recording: Recording) {
        let details = account.memory.written(id).unwrap_or_default();
        account.memory.put_file_as(id, recording.bytes(), &details);
        let tick = self.weather.state().ledger.next_tick();
        self.with(account, id, |copy| (copy.recording, copy.changed) = (recording, tick));
    }

    /// Another recording under the same id.
    fn swap(&mut self, account: &Account, id: &RemoteId, recording: Recording) {
        let there = self
            .weather
            .state()
            .ledger
            .there(account.number)
            .any(|copy| copy.recording.may_be(recording));
        if there {
            return;
        }
        let details = account.memory.written(id).unwrap_or_default();
        account.memory.put_file_as(id, recording.bytes(), &details);
        let mut state = self.weather.state();
        let now = self.weather.time.now();
        state.ledger.leave(account.number, id, By::Person);
        let seen = (details.private == Some(true), details.title);
        state.ledger.enter(account.number, (id.clone(), recording, By::Person), seen, now);
        let copies = state.ledger.of_mut(account.number);
        copies.iter_mut().next_back().into_iter().for_each(|copy| copy.is_swapped = true);
    }

    fn with(
        &self,
        account: &Account,
        id: &RemoteId,
        change: impl FnOnce(&mut super::ledger::Copy),
    ) {
        let mut state = self.weather.state();
        let copy = state.ledger.there_mut(account.number).find(|copy| copy.id == *id);
        if let Some(copy) = copy {
            change(copy);
        }
    }
}

fn owners(world: &World) -> Vec<usize> {
    let has_two = |account: &world::Account| account.quirks.contains(&Quirk::SecondName);
    let first = world.accounts.iter().position(has_two);
    let last = world.accounts.len().saturating_sub(1);
    (0..world.accounts.len())
        .map(|number| match first {
            Some(first) if number == last => first,
            _ => number,
        })
        .collect()
}

/// The account in memory that a world's account stands for.
fn memory(number: usize, account: &world::Account, time: &Arc<Time>) -> Memory {
    let mut settings = Settings::new(World::name(number));
    settings.capabilities.lists_bytes = account.lists_bytes;
    settings.capabilities.settle_s = u64::from(SETTLE_S);
    if account.refuses_duplicates {
        settings.capabilities.replace = ReplaceProtocol::DeleteThenUpload;
        settings.duplicates = Duplicates::Refused;
    }
    for quirk in &account.quirks {
        match quirk {
            Quirk::UnsettledDeletions(refusals) => settings.unsettled_deletions = *refusals,
            Quirk::Pages(size) => {
                settings.page_size = std::num::NonZeroUsize::new(usize::from(*size))
            }
            _ => {}
        }
    }
    let memory = Memory::new(settings);
    memory.quirk(|quirks| quirks.clock = Some(Arc::new(TrueClock(Arc::clone(time)))));
    account.quirks.iter().for_each(|quirk| give(&memory, *quirk));
    memory
}

fn give(memory: &Memory, quirk: Quirk) {
    let settling = |listings| Some(Delay { listings, seconds: SETTLE_S - 5 });
    memory.quirk(|quirks| match quirk {
        Quirk::ListedLate { listings } => quirks.listed_late = settling(listings),
        Quirk::ListedVeryLate { hours } => {
            quirks.listed_late = Some(Delay { listings: u32::MAX, seconds: 3600 * hours });
        }
        Quirk::ForgottenLate { listings } => quirks.forgotten_late = settling(listings),
        Quirk::CountsOnly => quirks.counts_only = true,
        Quirk::ChangesIds => quirks.changes_ids = true,
        Quirk::Answers(answers) => quirks.answers = answers,
        Quirk::PrivacyRefused => quirks.privacy_edits = PrivacyEdits::Refused,
        Quirk::PrivacyIgnored => quirks.privacy_edits = PrivacyEdits::Ignored,
        Quirk::RowsHidePrivacy => quirks.rows_hide_privacy = true,
        Quirk::ExportsAgain => quirks.exports_again = Some(recordings::export),
        Quirk::Refuses { recording, with } => {
            let files: BTreeSet<Sha256> = recording.files();
            let refusal = refusal(with);
            quirks.refused.extend(files.into_iter().map(|sha256| (sha256, refusal.clone())));
        }
        Quirk::UnsettledDeletions(_) | Quirk::Pages(_) | Quirk::SecondName => {}
    });
}

fn refusal(with: Words) -> PlatformError {
    match with {
        Words::Unknown => PlatformError::Permanent("error 5071".to_owned()),
        Words::Rejected => PlatformError::Rejected {
            reason: "not an activity".to_owned(),
            kind: Rejection::Refused,
        },
        Words::Duplicate => PlatformError::Duplicate { existing: None },
    }
}
