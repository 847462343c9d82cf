//! From a seed to a world.

use super::recordings::{DEVICES, EVENTS, Recording, VERSIONS};
use super::switches::Switch;
use super::world::{
    Account, Act, Edit, Held, Kill, Quirk, Rule, Run, Trouble, Words, World, Wrong,
};
use crate::support::memory::{Answers, Operation};

/// Rules that meet in different ways, by source, destination and whether they replace.
const WIRINGS: &[&[(usize, usize, bool)]] = &[
    &[(0, 1, false)],
    &[(0, 1, true)],
    &[(0, 1, true), (1, 0, false)],
    &[(0, 1, false), (1, 0, false)],
    &[(0, 2, false), (1, 2, false)],
    &[(0, 2, true), (1, 2, false)],
    &[(0, 2, false), (1, 2, true)],
    &[(0, 1, true), (1, 2, false)],
    &[(0, 1, false), (0, 2, false)],
    &[(0, 1, true), (0, 2, true)],
    &[(0, 1, true), (1, 2, true)],
    &[(0, 1, false), (1, 2, false), (2, 0, false)],
];

/// The most switches that one world turns on by chance.
const SWITCHES: u64 = 7;

/// Returns the world of a seed; with switches given, those are on and no others.
pub(crate) fn world(seed: u64, given: &[Switch]) -> World {
    let mut dice = Dice::new(seed);
    let on = if given.is_empty() { dice.switches() } else { given.to_vec() };
    let mut drawn = Drawing { dice, on, held: Vec::new() };
    let rules = drawn.rules();
    let count = rules.iter().map(|rule| rule.source.max(rule.destination)).max().unwrap_or(1) + 1;
    let held = drawn.held(&rules);
    drawn.held.clone_from(&held);
    let accounts = drawn.accounts(count, &held);
    let acts = drawn.acts(count);
    let is_guarded = drawn.is_on(Switch::Guarded);
    World { seed, accounts, rules, is_guarded, held, acts }
}

struct Drawing {
    dice: Dice,
    on: Vec<Switch>,
    held: Vec<Held>,
}

impl Drawing {
    fn is_on(&self, switch: Switch) -> bool {
        self.on.contains(&switch)
    }

    /// Whether an oddity that is on shows up here.
    fn shows(&mut self, switch: Switch) -> bool {
        self.is_on(switch) && self.dice.one_in(2)
    }

    fn rules(&mut self) -> Vec<Rule> {
        if self.is_on(Switch::SecondName) {
            let rule = |destination| Rule { source: 0, destination, replaces: false };
            return vec![rule(1), rule(2)];
        }
        let wiring = self.dice.pick(WIRINGS).copied().unwrap_or_default();
        let rule = |(source, destination, replaces)| Rule { source, destination, replaces };
        wiring.iter().copied().map(rule).collect()
    }

    fn held(&mut self, rules: &[Rule]) -> Vec<Held> {
        let mut held: Vec<Held> = Vec::new();
        for rule in rules {
            for _ in 0..1 + self.dice.below(3) {
                let recording = self.recording();
                let private = self.shows(Switch::Private);
                let new = Held { account: rule.source, recording, private };
                let is_there =
                    |held: &Held| held.account == new.account && held.recording.is_same(recording);
                if !held.iter().any(is_there) {
                    held.push(new);
                }
                if self.shows(Switch::Twins) {
                    held.push(new);
                }
                if self.dice.one_in(if rule.replaces { 2 } else { 4 }) {
                    let old = self.old_one(rule, recording);
                    let is_there = |held: &Held| {
                        held.account == old.account && held.recording.is_same(old.recording)
                    };
                    if !held.iter().any(is_there) {
                        held.push(old);
                    }
                }
            }
        }
        held
    }

    /// What the destination holds of an event already.
    fn old_one(&mut self, rule: &Rule, recording: Recording) -> Held {
        let old = Recording { event: recording.event, ..self.recording() };
        let private = self.shows(Switch::Private);
        Held { account: rule.destination, recording: old, private }
    }

    fn recording(&mut self) -> Recording {
        let device = match self.shows(Switch::Devices) {
            true => self.dice.small(DEVICES),
            false => 0,
        };
        Recording { event: self.dice.small(EVENTS), device, version: self.dice.small(VERSIONS) }
    }

    /// Often one that some account holds.
    fn known_recording(&mut self) -> Recording {
        let new = self.recording();
        let known = self.dice.pick(&self.held).map(|held| held.recording);
        if self.dice.one_in(2) { known.unwrap_or(new) } else { new }
    }

    fn accounts(&mut self, count: usize, held: &[Held]) -> Vec<Account> {
        let mut accounts: Vec<Account> = (0..count)
            .map(|_| {
                let (refuses_duplicates, quirks) = (self.dice.one_in(2), self.quirks(held));
                // What shows its bytes holds files, and those stay as they are.
                let exports = quirks.contains(&Quirk::ExportsAgain);
                let lists_bytes = self.dice.one_in(3) && !exports;
                Account { refuses_duplicates, lists_bytes, quirks }
            })
            .collect();
        if self.is_on(Switch::SecondName)
            && let Some(account) = accounts.get_mut(1)
        {
            account.refuses_duplicates = false;
            account.quirks.push(Quirk::SecondName);
        }
        accounts
    }

    fn quirks(&mut self, held: &[Held]) -> Vec<Quirk> {
        let listings = 1 + self.dice.small(6);
        let listings = u32::from(listings);
        let answers = match self.dice.one_in(2) {
            true => Answers::Unlisted,
            false => Answers::Missing,
        };
        let words = [Words::Unknown, Words::Rejected, Words::Duplicate];
        let with = self.dice.pick(&words).copied().unwrap_or(Words::Unknown);
        let poison = self.dice.pick(held).map(|held| held.recording);
        let quirks = [
            Some(Quirk::ListedLate { listings }),
            Some(Quirk::ListedVeryLate { hours: 2 * listings }),
            Some(Quirk::ForgottenLate { listings }),
            Some(Quirk::UnsettledDeletions(listings.min(3))),
            Some(Quirk::CountsOnly),
            Some(Quirk::Pages(1 + self.dice.small(3))),
            Some(Quirk::ChangesIds),
            Some(Quirk::Answers(answers)),
            Some(Quirk::Answers(Answers::Neighbour)),
            Some(Quirk::PrivacyRefused),
            Some(Quirk::PrivacyIgnored),
            Some(Quirk::RowsHidePrivacy),
            Some(Quirk::ExportsAgain),
            Some(Quirk::NamesUploads),
            poison.map(|recording| Quirk::Refuses { recording, with }),
        ];
        quirks.into_iter().flatten().filter(|quirk| self.shows(quirk.switch())).collect()
    }

    fn acts(&mut self, accounts: usize) -> Vec<Act> {
        let mut acts = Vec::new();
        for _ in 0..1 + self.dice.below(3) {
            self.people(accounts, &mut acts);
            if self.shows(Switch::SavedPlan) {
                acts.push(Act::SavePlan);
                self.people(accounts, &mut acts);
                let run = Run { is_saved: true, ..self.run(accounts) };
                acts.push(Act::Apply(run));
            } else {
                let run = self.run(accounts);
                acts.push(Act::Apply(run));
            }
            if self.shows(Switch::LostState) {
                acts.push(Act::LoseState);
            }
            if self.shows(Switch::Restore) {
                let (number, run) = (self.dice.index(), self.run(accounts));
                acts.push(Act::Restore(number, run));
            }
            self.pass_time(&mut acts);
        }
        acts
    }

    fn pass_time(&mut self, acts: &mut Vec<Act>) {
        let hours = [0, 1, 26, 200];
        let hours = self.dice.pick(&hours).copied().unwrap_or_default();
        // A clock that is set right again after a week makes a week of what came late.
        let is_late = self.is_on(Switch::ListedVeryLate);
        acts.push(match self.shows(Switch::ClockBack) && !is_late {
            true => Act::ClockBack { hours: 1 + hours },
            false => Act::Wait { hours },
        });
    }

    fn people(&mut self, accounts: usize, acts: &mut Vec<Act>) {
        acts.extend(self.edits(accounts).into_iter().map(Act::Person));
    }

    fn edits(&mut self, accounts: usize) -> Vec<Edit> {
        let mut account = || self.dice.to(accounts);
        let [a, b, c, d, e, f, g, h] = std::array::from_fn(|_| account());
        let mut edits = Vec::new();
        let (recording, other) = (self.known_recording(), self.recording());
        let private = self.shows(Switch::Private);
        edits.push(Edit::Add(Held { account: a, recording, private }));
        edits.push(Edit::Add(Held { account: h, recording, private }));
        edits.push(Edit::Remove(b, self.dice.index()));
        edits.push(Edit::Reimport(c, self.dice.index()));
        edits.push(Edit::Correct(d, self.dice.index()));
        edits.push(Edit::Swap(e, self.dice.index(), other));
        edits.push(Edit::Rename(f, self.dice.index()));
        edits.push(Edit::Hide(g, self.dice.index()));
        edits.retain(|edit| self.shows(edit.switch()));
        if self.is_on(Switch::Guarded) {
            edits.retain(|edit| !matches!(edit, Edit::Remove(..) | Edit::Swap(..)));
        }
        edits
    }

    fn run(&mut self, accounts: usize) -> Run {
        let mut run = Run { troubles: self.troubles(accounts), ..Run::default() };
        if self.dice.one_in(4) {
            run.between = self.edits(accounts);
        }
        let (call, after) = (self.dice.call(), self.dice.one_in(2));
        if self.shows(Switch::Kill) {
            run.kill = Some(Kill { call, after });
        }
        let call = self.dice.call();
        if self.shows(Switch::Stop) {
            run.stop = Some(call);
        }
        run
    }

    fn troubles(&mut self, accounts: usize) -> Vec<Trouble> {
        let mut troubles = Vec::new();
        for (wrong, operations) in TROUBLES {
            let account = self.dice.to(accounts);
            let operation = self.dice.pick(operations).copied().unwrap_or(Operation::List);
            let after = u32::from(self.dice.small(4));
            let times = match wrong {
                Wrong::Down => 1 + u32::from(self.dice.small(8)),
                _ => 1,
            };
            // What goes under changing ids cannot be missed beside its like.
            let is_hidden = *wrong == Wrong::Dropped && self.is_on(Switch::ChangesIds);
            if self.shows(wrong.switch()) && self.dice.one_in(2) && !is_hidden {
                troubles.push(Trouble { account, operation, after, times, wrong: *wrong });
            }
        }
        troubles
    }
}

const ANY: &[Operation] = &[
    Operation::List,
    Operation::Download,
    Operation::Upload,
    Operation::Delete,
    Operation::Details,
    Operation::SetDetails,
];
const LISTS: &[Operation] = &[Operation::List];
const UPLOADS: &[Operation] = &[Operation::Upload];
const DOWNLOADS: &[Operation] = &[Operation::Download];
const WRITES: &[Operation] = &[Operation::Upload, Operation::Delete, Operation::SetDetails];

/// What may go wrong, and with which calls.
const TROUBLES: &[(Wrong, &[Operation])] = &[
    (Wrong::Down, ANY),
    (Wrong::TooMany, ANY),
    (Wrong::LongWait, ANY),
    (Wrong::Odd, ANY),
    (Wrong::Missing, DOWNLOADS),
    (Wrong::Truncated, DOWNLOADS),
    (Wrong::AnswerLost, WRITES),
    (Wrong::NothingDoneAnswerLost, WRITES),
    (Wrong::SessionEnds, ANY),
    (Wrong::NamesLiving, UPLOADS),
    (Wrong::NamesDeleted, UPLOADS),
    (Wrong::NamesNone, UPLOADS),
    (Wrong::Dropped, UPLOADS),
    (Wrong::Refused, UPLOADS),
    (Wrong::KeepsPrivacy, &[Operation::SetDetails]),
    (Wrong::Gap, LISTS),
    (Wrong::Empty, LISTS),
    (Wrong::Unreadable, LISTS),
    (Wrong::Arrives, LISTS),
];

/// Chance that is the same at every run: SplitMix64.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5151_5151)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn small(&mut self, bound: u8) -> u8 {
        u8::try_from(self.below(u64::from(bound))).unwrap_or_default()
    }

    fn to(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).unwrap_or_default()
    }

    fn index(&mut self) -> usize {
        self.to(12)
    }

    /// The number of a call within a run: small ones more often.
    fn call(&mut self) -> u32 {
        let most = 1 + self.below(40);
        u32::try_from(1 + self.below(most)).unwrap_or(1)
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> Option<&'t T> {
        let place = self.to(from.len());
        from.get(place)
    }

    fn switches(&mut self) -> Vec<Switch> {
        let count = self.below(SWITCHES + 1);
        let on = (0..count).filter_map(|_| self.pick(Switch::ALL).copied());
        on.collect()
    }
}
