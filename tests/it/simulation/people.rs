//! What people do at the accounts.

use fit_sync::domain::{Details, RemoteId, ReplaceProtocol};
use fit_sync::platform::Platform as _;

use super::account::Account;
use super::ledger::{By, Copy};
use super::recordings::{Recording, VERSIONS};
use super::weather::Weather;
use super::world::{Edit, World};

/// A person at the accounts.
pub(crate) struct Editor<'a> {
    pub(crate) accounts: &'a [Account],
    pub(crate) weather: &'a Weather,
    /// Titles that were written so far: no two are alike.
    pub(crate) titles: u32,
}

impl Editor<'_> {
    pub(crate) fn edit(&mut self, edit: &Edit) {
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
        let starts = |copy: &Copy| copy.recording.start() == recording.start();
        let refuses = account.memory.capabilities().replace == ReplaceProtocol::DeleteThenUpload;
        if refuses && self.weather.state().ledger.there(account.number).any(starts) {
            return;
        }
        let is_other =
            |copy: &Copy| copy.recording.is_same(recording) && copy.recording != recording;
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
                self.with(account, id, |copy| {
                    copy.former_title = std::mem::replace(&mut copy.title, title);
                    copy.is_renamed = true;
                });
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

    fn with(&self, account: &Account, id: &RemoteId, change: impl FnOnce(&mut Copy)) {
        let mut state = self.weather.state();
        let copy = state.ledger.there_mut(account.number).find(|copy| copy.id == *id);
        if let Some(copy) = copy {
            change(copy);
        }
    }
}
