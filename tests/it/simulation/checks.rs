//! The questions at each call that changes an account: before it, whether it may be made, and after it,
//! whether what it brought was there already.

use fit_sync::domain::{RemoteId, Sha256};

use super::account::Account;
use super::ledger::{By, Copy, Ledger};
use super::recordings::Recording;
use super::weather::{Question, State};

impl Account {
    /// What is public and must not be is hidden before anything else is sent.
    pub(super) fn check_upload(&self, state: &mut State, recording: Recording) {
        let is_private = state.ledger.must_be_private(self.number, recording);
        // Where a list failed, it could not be looked for first.
        let is_unread = state.run.is_unread;
        let is_forgotten = |copy: &Copy| copy.hidings == 0 && !is_unread;
        // What only a lost state knew of is found once it is listed.
        let is_known =
            |copy: &Copy| copy.is_known && (!copy.state_lost || self.memory.is_listed(&copy.id));
        let exposed = state
            .ledger
            .exposed(self.number)
            .find(|copy| is_known(copy) && (is_private || is_forgotten(copy)));
        if let Some(id) = exposed.map(|copy| copy.id.clone()) {
            state.breaks(Question::Visible, |ledger| {
                let exposed = ledger.told(self.number, &id);
                format!("{} is sent while {exposed} is public", recording.name())
            });
        }
    }

    /// Nothing goes without a backup, a plan, and a look.
    pub(super) fn check_delete(&self, state: &mut State, id: &RemoteId) {
        let Some(copy) = state.ledger.there(self.number).find(|copy| copy.id == *id).cloned()
        else {
            return;
        };
        if !self.is_backed_up(copy.recording) {
            state.breaks(Question::Lost, |ledger| {
                format!("{} is removed without a backup", ledger.told(self.number, id))
            });
        }
        let planned = state.ledger.planned_at(self.number, id);
        if copy.by == By::Person && !state.run.is_restore {
            match planned {
                None => state.breaks(Question::Lost, |ledger| {
                    format!("{} is removed, and no plan named it", ledger.told(self.number, id))
                }),
                Some(tick) if copy.changed > tick => state.breaks(Question::Lost, |ledger| {
                    let it = ledger.told(self.number, id);
                    format!("{it} is removed, and a person has changed it since the plan")
                }),
                Some(_) => {}
            }
        }
    }

    fn is_backed_up(&self, recording: Recording) -> bool {
        let Ok(entries) = std::fs::read_dir(&self.weather.backups) else { return false };
        entries.flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.ends_with(".fit") && {
                let bytes = std::fs::read(entry.path()).unwrap_or_default();
                Recording::of(&Sha256::of(&bytes)) == Some(recording)
            }
        })
    }

    /// Nothing is sent that is there already, unless nobody could know of it; then it returns true.
    pub(super) fn check_doubled(&self, state: &mut State, recording: Recording) -> bool {
        let (now, run) = (self.weather.time.now(), state.run.since);
        let (mut double, mut is_excused) = (None, false);
        let ledger = &mut state.ledger;
        let held: Vec<_> = ledger.there(self.number).cloned().collect();
        // What came meanwhile of another device was taken for it.
        let is_mistaken = |copy: &Copy| {
            let mut since = held.iter().filter(|it| it.by == By::Person && it.made > copy.made);
            since.any(|it| it.recording.may_be(recording))
        };
        for copy in held.iter().filter(|copy| copy.recording.is_same(recording)) {
            let is_listed = self.memory.is_listed(&copy.id);
            let is_race = copy.by == By::Person && copy.changed > run;
            if ledger.makes_room(self.number, &copy.id, recording) {
                // What a person puts back and stands there for a twin is given to the first one.
                let it = ledger.there_mut(self.number).find(|it| it.id == copy.id);
                it.into_iter().for_each(|it| it.is_excused |= it.recording == recording);
                continue;
            }
            let is_own = Self::is_of_both(ledger, self.number, copy, recording);
            let is_unforeseen = copy.is_excused
                || Ledger::is_unforeseen(copy, is_listed, now)
                || self.is_unseen(copy)
                || (!copy.is_known && state.run.is_unread)
                || (!is_listed && is_mistaken(copy))
                || ledger.is_ghost(self.number, copy);
            is_excused |= is_unforeseen;
            // What a person makes equal was not, when it was brought.
            let is_edited = copy.by == By::Run && copy.changed > copy.made;
            if is_race || is_own || is_edited || is_unforeseen {
                let it = ledger.there_mut(self.number).find(|it| it.id == copy.id);
                it.into_iter().for_each(|it| it.is_excused = true);
                continue;
            }
            double = Some(copy.id.clone());
        }
        // What is put back may stand beside what took its place.
        if let Some(id) = double.filter(|_| !state.run.is_restore) {
            state.breaks(Question::Doubled, |ledger| {
                let there = ledger.told(self.number, &id);
                format!("{} is sent, and {there} is the same", recording.name())
            });
        }
        is_excused
    }

    /// Whether a person gave an id to it where only the number of activities is looked at.
    fn is_unseen(&self, copy: &Copy) -> bool {
        let mut counts_only = false;
        self.memory.quirk(|quirks| counts_only = quirks.counts_only);
        copy.is_swapped && counts_only
    }

    /// Whether people keep two of a recording themselves: a copy beside the one that is replaced, or two
    /// files that differ at a source, of which both are wanted.
    fn is_of_both(ledger: &Ledger, account: usize, copy: &Copy, recording: Recording) -> bool {
        let is_same = |other: &&Copy| other.recording.is_same(recording);
        let makes_room =
            |other: &Copy| other.id != copy.id && ledger.makes_room(account, &other.id, recording);
        let is_twin =
            copy.by == By::Person && ledger.of(account).iter().filter(is_same).any(makes_room);
        let holds = |source: usize, recording: Recording| {
            ledger.there(source).any(|held| held.recording == recording)
        };
        let holds_both = |source: usize| holds(source, recording) && holds(source, copy.recording);
        // A person changed one of a source's twins since the plan.
        let run = ledger.run_began;
        let mut others = ledger.sources(account).flat_map(|source| ledger.there(source));
        let is_changed = others.any(|held| {
            (held.is_swapped && held.changed > copy.made)
                || (held.recording.is_same(recording) && held.changed > run)
        });
        // A person made two of a source's twins; what was brought of them is what one of them was.
        let is_parted = |source: usize| {
            let mut there = ledger.there(source);
            holds(source, recording)
                && there.any(|held| {
                    held.recording != recording
                        && held.recording.is_same(recording)
                        && (held.changed > copy.made || held.by == By::Run)
                })
        };
        // Two exports of one recording differ; what a person put beside a run's is one more file.
        let is_kept_twice = |source: usize| {
            let its =
                |by: By| ledger.there(source).any(|it| it.recording == recording && it.by == by);
            its(By::Run) && its(By::Person)
        };
        is_twin
            || is_changed
            || ledger.sources(account).any(is_kept_twice)
            || ledger.sources(account).any(is_parted)
            || (copy.recording != recording && ledger.sources(account).any(holds_both))
    }
}
