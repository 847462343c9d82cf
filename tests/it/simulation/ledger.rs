//! What the accounts truly hold and held: every copy of every recording, who made it, who sees it.
//!
//! Independent of the engine: it is told by the accounts themselves, at every call.

use fit_sync::domain::RemoteId;
use jiff::{SignedDuration, Timestamp};

use super::recordings::Recording;
use super::world::{Rule, World};

/// How long an account may need to show what it took.
pub(crate) const SETTLE_S: u32 = 60;

/// Who did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Person,
    Run,
}

/// An activity in an account, also one that is gone.
#[derive(Clone, Debug)]
pub(crate) struct Copy {
    pub(crate) id: RemoteId,
    pub(crate) recording: Recording,
    pub(crate) by: By,
    pub(crate) since: Timestamp,
    pub(crate) gone: Option<By>,
    pub(crate) private: bool,
    /// Whether it was private when a list last showed it: what is hidden after that is not known.
    pub(crate) was_private: bool,
    /// Its source, or the one that it replaces, was private when it was made.
    pub(crate) must_be_private: bool,
    pub(crate) title: Option<String>,
    /// Its title before a person wrote it last.
    pub(crate) former_title: Option<String>,
    /// A person has written its title since.
    pub(crate) is_renamed: bool,
    /// The engine was told its id.
    pub(crate) is_known: bool,
    /// Edits of its privacy that this run has tried.
    pub(crate) hidings: u32,
    /// The engine was not told that it was taken.
    pub(crate) answer_lost: bool,
    /// The state was lost since.
    pub(crate) state_lost: bool,
    /// A second one of it is a person's doing, or could not be foreseen.
    pub(crate) is_excused: bool,
    /// When it was made, in ticks.
    pub(crate) made: u64,
    /// When a person changed its content, in ticks.
    pub(crate) changed: u64,
    /// It took the id of another recording.
    pub(crate) is_swapped: bool,
    /// A run took it for its own and hid it.
    pub(crate) is_adopted: bool,
    /// It was put back, with its own words.
    pub(crate) is_restored: bool,
}

impl Copy {
    pub(crate) fn is_there(&self) -> bool {
        self.gone.is_none()
    }

    /// Whether it shows itself to more people than it may. What a person has changed since, nobody can
    /// tell from a person's own once the state is lost, nor where nobody was told its id.
    fn is_exposed(&self) -> bool {
        let is_wide = self.must_be_private && !self.private;
        let is_nameless = self.state_lost || !self.is_known;
        let is_ours = self.by == By::Run && !(is_nameless && self.changed > self.made);
        self.is_there() && is_ours && !self.is_excused && is_wide
    }
}

/// A step of some plan.
#[derive(Clone, Debug)]
struct Planned {
    account: usize,
    /// What it takes away.
    old: Option<RemoteId>,
    /// What it brings.
    new: Option<Recording>,
    tick: u64,
}

/// All copies of all accounts. An account with two names is one.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// By account.
    pub(crate) copies: Vec<Vec<Copy>>,
    rules: Vec<Rule>,
    /// The second name of an account stands for it.
    owner: Vec<usize>,
    /// What plans wanted, in their order.
    planned: Vec<Planned>,
    /// When people last imported what, while a run was under way.
    tick: u64,
    /// What a run brings is a backup.
    pub(crate) is_restoring: bool,
    /// When the run began, in ticks.
    pub(crate) run_began: u64,
}

impl Ledger {
    pub(crate) fn new(rules: Vec<Rule>, owner: Vec<usize>) -> Self {
        let copies = owner.iter().map(|_| Vec::new()).collect();
        Self {
            copies,
            rules,
            owner,
            planned: Vec::new(),
            tick: 0,
            is_restoring: false,
            run_began: 0,
        }
    }

    /// The account that an account's name stands for.
    pub(crate) fn owner(&self, account: usize) -> usize {
        self.owner.get(account).copied().unwrap_or(account)
    }

    pub(crate) fn of(&self, account: usize) -> &[Copy] {
        self.copies.get(self.owner(account)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn of_mut(&mut self, account: usize) -> &mut Vec<Copy> {
        let owner = self.owner(account);
        if owner >= self.copies.len() {
            self.copies.resize_with(owner + 1, Vec::new);
        }
        &mut self.copies[owner]
    }

    /// The newest copy that had this id.
    pub(crate) fn copy(&self, account: usize, id: &RemoteId) -> Option<&Copy> {
        self.of(account).iter().rev().find(|copy| copy.id == *id)
    }

    pub(crate) fn there(&self, account: usize) -> impl Iterator<Item = &Copy> {
        self.of(account).iter().filter(|copy| copy.is_there())
    }

    pub(crate) fn there_mut(&mut self, account: usize) -> impl Iterator<Item = &mut Copy> {
        self.of_mut(account).iter_mut().filter(|copy| copy.is_there())
    }

    /// The id of a copy by its place among those that are there.
    pub(crate) fn place(&self, account: usize, place: usize) -> Option<RemoteId> {
        let there: Vec<&Copy> = self.there(account).collect();
        let place = place.checked_rem(there.len())?;
        there.get(place).map(|copy| copy.id.clone())
    }

    /// Enters a copy.
    pub(crate) fn enter(
        &mut self,
        account: usize,
        (id, recording, by): (RemoteId, Recording, By),
        (private, title): (bool, Option<String>),
        since: Timestamp,
    ) {
        let is_restored = by == By::Run && self.is_restored(account, recording);
        let must_be_private = by == By::Run && self.must_be_private(account, recording);
        let made = self.next_tick();
        self.of_mut(account).push(Copy {
            id,
            recording,
            by,
            since,
            gone: None,
            private,
            was_private: private,
            must_be_private,
            title,
            former_title: None,
            is_renamed: false,
            is_known: false,
            hidings: 0,
            answer_lost: true,
            state_lost: false,
            is_excused: false,
            made,
            changed: if by == By::Person { made } else { 0 },
            is_swapped: false,
            is_adopted: false,
            is_restored,
        });
    }

    pub(crate) fn leave(&mut self, account: usize, id: &RemoteId, by: By) {
        if let Some(copy) = self.there_mut(account).find(|copy| copy.id == *id) {
            copy.gone = Some(by);
        }
    }

    pub(crate) fn next_tick(&mut self) -> u64 {
        self.tick += 1;
        self.tick
    }

    /// Enters that a plan wants a recording in an account, in the place of an activity if it names one.
    pub(crate) fn plan(&mut self, account: usize, old: Option<RemoteId>, new: Option<Recording>) {
        let (account, tick) = (self.owner(account), self.next_tick());
        self.planned.push(Planned { account, old, new, tick });
    }

    /// Enters that a person wants a recording back, in the place of another version.
    pub(crate) fn plan_restore(&mut self, account: usize, recording: Recording) {
        let there = self.there(account).filter(|copy| copy.recording.is_same(recording));
        let old: Vec<RemoteId> = there.map(|copy| copy.id.clone()).collect();
        old.into_iter().for_each(|id| self.plan(account, Some(id), Some(recording)));
    }

    /// When a plan last named this activity as one to be replaced.
    pub(crate) fn planned_at(&self, account: usize, old: &RemoteId) -> Option<u64> {
        self.removals(account, old).map(|planned| planned.tick).max()
    }

    /// Steps of plans that take an activity away.
    fn removals<'l>(
        &'l self,
        account: usize,
        old: &'l RemoteId,
    ) -> impl Iterator<Item = &'l Planned> {
        let owner = self.owner(account);
        let planned = self.planned.iter();
        planned.filter(move |it| it.account == owner && it.old.as_ref() == Some(old))
    }

    /// Whether a plan wants this activity to make room for that recording.
    pub(crate) fn makes_room(&self, account: usize, old: &RemoteId, new: Recording) -> bool {
        let is_it = |planned: &Planned| planned.new.is_none_or(|wanted| wanted.is_same(new));
        self.removals(account, old).any(is_it)
    }

    /// Whether a plan wants an activity to make room for a recording of something else.
    pub(crate) fn is_replaced_by_another(&self, account: usize, gone: &Copy) -> bool {
        let is_other = |wanted: Recording| !wanted.may_be(gone.recording);
        self.removals(account, &gone.id).any(|planned| planned.new.is_some_and(is_other))
    }

    /// The accounts from which rules bring something here.
    pub(crate) fn sources(&self, account: usize) -> impl Iterator<Item = usize> {
        let into = self
            .rules
            .iter()
            .filter(move |rule| self.owner(rule.destination) == self.owner(account));
        into.map(|rule| rule.source)
    }

    /// Whether a copy of a recording that a run makes here may be seen by its athlete only.
    pub(crate) fn must_be_private(&self, account: usize, recording: Recording) -> bool {
        let was_removed = || {
            let mut removed = self.of(account).iter().filter(|copy| copy.gone == Some(By::Run));
            removed.any(|copy| copy.recording == recording)
        };
        match self.is_restored(account, recording) {
            true => self.was_private(account, recording),
            // It may as well be put back.
            false if was_removed() => {
                self.was_private(account, recording)
                    && self.is_private_at_source(account, recording)
            }
            false => self.is_private_at_source(account, recording),
        }
    }

    fn is_restored(&self, account: usize, recording: Recording) -> bool {
        self.is_restoring || self.is_put_back(account, recording)
    }

    fn is_private_at_source(&self, account: usize, recording: Recording) -> bool {
        let owner = self.owner(account);
        let rules = self.rules.iter().filter(|rule| self.owner(rule.destination) == owner);
        // A look at what was swapped meanwhile reads its day, and not for the others of that day.
        let is_looked_past = |source: usize| {
            self.there(source).any(|copy| copy.is_swapped && copy.made > self.run_began)
        };
        let is_past = rules.clone().any(|rule| is_looked_past(rule.source));
        let mut sources = rules
            .flat_map(|rule| self.there(rule.source))
            .filter(|copy| copy.recording.is_same(recording))
            .peekable();
        let by_source =
            !is_past && sources.peek().is_some() && sources.all(|copy| copy.was_private);
        // What the last plan says counts: what came of an earlier replace may be gone again since.
        let is_it = |planned: &&Planned| {
            planned.account == owner && planned.new.is_some_and(|new| new.is_same(recording))
        };
        // What has its id since then is another one.
        let old = self.planned.iter().rev().find(is_it).and_then(|planned| {
            let copy = self.copy(account, planned.old.as_ref()?)?;
            (copy.made <= planned.tick && copy.gone != Some(By::Person)).then_some(copy)
        });
        by_source || old.is_some_and(|copy| copy.private)
    }

    /// Whether a recording is one that a run removed here and that no source has.
    fn is_put_back(&self, account: usize, recording: Recording) -> bool {
        let owner = self.owner(account);
        let into = self.rules.iter().filter(|rule| self.owner(rule.destination) == owner);
        let mut sources = into.flat_map(|rule| self.there(rule.source));
        let mut removed = self.of(account).iter().filter(|copy| copy.gone == Some(By::Run));
        removed.any(|copy| copy.recording == recording)
            && !sources.any(|copy| copy.recording == recording)
    }

    /// Whether what is put back, or what stands in its place, was its athlete's only.
    fn was_private(&self, account: usize, recording: Recording) -> bool {
        let of = self.of(account).iter();
        let mut backed_up = of.clone().rev().filter(|copy| copy.gone == Some(By::Run));
        let then = backed_up.find(|copy| copy.recording == recording);
        let mut now = of.filter(|copy| copy.is_there() && copy.recording.is_same(recording));
        then.is_some_and(|copy| copy.private) || now.any(|copy| copy.private)
    }

    /// Whether an earlier copy could not be known of when another one is sent.
    pub(crate) fn is_unforeseen(copy: &Copy, is_listed: bool, now: Timestamp) -> bool {
        let settle = SignedDuration::from_secs(i64::from(SETTLE_S));
        let is_late = now.duration_since(copy.since) >= settle;
        !is_listed && is_late && (copy.answer_lost || copy.state_lost)
    }

    /// Whether a copy came from what a run had removed there: a list may show that for a while, and the
    /// state that knew of it is lost.
    pub(crate) fn is_ghost(&self, account: usize, copy: &Copy) -> bool {
        let mut of = self.sources(account).flat_map(|source| self.of(source));
        let is_it = |it: &Copy| it.recording == copy.recording && it.state_lost;
        copy.by == By::Run && of.any(|it| is_it(it) && it.gone == Some(By::Run))
    }

    /// Copies that show themselves to more people than they may.
    pub(crate) fn exposed(&self, account: usize) -> impl Iterator<Item = &Copy> {
        let there = self.there(account).filter(|copy| copy.is_exposed());
        there.filter(move |copy| !self.is_ghost(account, copy))
    }

    /// The copy by its name in a story.
    pub(crate) fn told(&self, account: usize, id: &RemoteId) -> String {
        match self.copy(account, id) {
            Some(copy) => format!("{} ({id}) at {}", copy.recording.name(), World::name(account)),
            None => format!("{id} at {}", World::name(account)),
        }
    }
}
