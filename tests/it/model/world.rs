//! Three accounts in memory, their rules, their athlete, and what must hold of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use crate::support::memory::{Change, Duplicates, Memory, Operation, Settings};
use fit_sync::archive::Backups;
use fit_sync::clock::ManualClock;
use fit_sync::domain::{AccountName, Address, Fingerprint, RemoteId, ReplaceProtocol, Sha256};
use fit_sync::engine::{self, Approved, Finished, Left, LeftReason, Pace, Planned, Session, Stop};
use fit_sync::event::{Events, Phase, Recorder};
use fit_sync::fit;
use fit_sync::manifest::{ConflictStrategy, Rule};
use fit_sync::plan::{Action, Document};
use fit_sync::platform::{self, ListRequest, Opening, Platform, Window};
use fit_sync::state::{Entry, StepRecord, Store};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::TestCaseError;
use proptest::sample::Index;
use proptest::{prop_assert, prop_assert_eq};

use super::faults::{Trouble, Troubled};
use crate::support::fit::FitFile;
use crate::support::session;

const NAMES: [&str; 3] = ["a", "b", "c"];

/// A recording in an account.
#[derive(Clone, Debug)]
pub(super) struct Activity {
    pub(super) account: usize,
    /// `None`: the clock was not set.
    pub(super) day: Option<u8>,
    /// The second device began in the same second and was switched off earlier.
    pub(super) device: u8,
    /// The same recording, but for its distance.
    pub(super) version: u8,
}

/// What the athlete does by hand.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Add(Activity),
    Remove(usize, Index),
    /// Changes the distance that the account lists.
    Lengthen(usize, Index),
}

pub(super) struct World {
    accounts: Vec<Arc<Troubled>>,
    session: Session,
    clock: Arc<ManualClock>,
    /// Destination activities that some plan wanted to replace.
    planned: HashSet<(AccountName, RemoteId)>,
    /// Steps of the last run that became questions.
    asked: HashSet<Address>,
    _folder: tempfile::TempDir,
}

impl World {
    pub(super) fn new(wiring: &[&str], deletes_first: [bool; 3], shows_bytes: [bool; 3]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new("2026-06-01T12:00:00Z".parse().unwrap()));
        let accounts: Vec<Arc<Troubled>> = NAMES
            .iter()
            .zip(deletes_first.into_iter().zip(shows_bytes))
            .map(|(name, (first, bytes))| {
                let memory = Memory::new(settings(name, first, bytes));
                Arc::new(Troubled::new(memory))
            })
            .collect();
        let opened = accounts.iter().map(|account| Arc::clone(account) as Arc<dyn Platform>);
        let open = session::open(NAMES.into_iter().zip(opened));
        let rules = wiring.iter().map(|text| rule(text)).collect();
        let session = Session {
            manifest: session::manifest(&NAMES, rules),
            decisions: Vec::new(),
            store: Store::open_in_memory().unwrap(),
            catalog: platform::catalog(),
            open,
            opening: Opening::offline(Arc::clone(&clock) as _, Arc::new(|| [7; 16])),
            events: Arc::new(Recorder::default()) as Arc<dyn Events>,
            places: session::places(folder.path()),
            stop: Stop::default(),
        };
        let (planned, asked) = (HashSet::new(), HashSet::new());
        Self { accounts, session, clock, planned, asked, _folder: folder }
    }

    /// Has the athlete put a recording into an account; one that takes no two of the same start says
    /// no to its athlete as well.
    pub(super) fn put(&self, activity: &Activity) {
        let memory = &self.accounts[activity.account].memory;
        let bytes = recording(activity);
        let start = |bytes: &[u8]| Some(fit::read(bytes).ok()?.key()?.0.start);
        let has_start = |id: &RemoteId| start(&memory.bytes(id).unwrap()) == start(&bytes);
        let refuses = memory.capabilities().replace == ReplaceProtocol::DeleteThenUpload;
        if !(refuses && memory.ids().iter().any(has_start)) {
            memory.put_file(&bytes, Some("a ride"));
        }
    }

    /// A run during which things go wrong and the athlete is not idle.
    pub(super) fn bad_day(&mut self, troubles: &[Trouble], edits: &[Edit]) {
        for (number, account) in self.accounts.iter().enumerate() {
            account.trouble(troubles.iter().filter(|t| t.account == number).cloned());
        }
        self.apply(edits);
        self.clock.advance(Duration::from_secs(3600));
    }

    /// A run during which all goes well.
    pub(super) fn good_day(&mut self) {
        self.accounts.iter().for_each(|account| account.heal());
        self.apply(&[]);
        self.clock.advance(Duration::from_secs(3600));
    }

    fn apply(&mut self, edits: &[Edit]) {
        let (document, finished) = block_on(async {
            let locks = session::lock(&self.session).await;
            let settled = engine::settle(&self.session, &locks).await.unwrap();
            // Only what cannot be read is left.
            let is_blocked = |left: &Left| matches!(left.why, LeftReason::Blocked(..));
            assert!(settled.left.iter().all(is_blocked), "{:?}", settled.left);
            let planned = self.plan().await;
            for edit in edits {
                self.edit(edit).await;
            }
            let document = planned.plan.document.clone();
            let approved = Approved::Fresh(&document);
            let finished = engine::apply(&self.session, planned, approved, Pace::default()).await;
            (document.clone(), finished.unwrap())
        });
        self.note(&document, &finished);
    }

    async fn plan(&self) -> Planned {
        engine::plan(&self.session, &session::request()).await.unwrap()
    }

    fn note(&mut self, document: &Document, finished: &Finished) {
        let steps = document.body.steps.iter().filter(|step| step.action == Action::Replace);
        self.planned.extend(steps.filter_map(|step| {
            Some((step.destination.account.clone(), step.destination.id.clone()?))
        }));
        let asked = finished.steps.iter().filter(|step| step.is_question());
        self.asked = asked.map(|step| step.address.clone()).collect();
    }

    async fn edit(&self, edit: &Edit) {
        let chosen = |account: usize, index: &Index| {
            let ids: Vec<RemoteId> = self.accounts[account].memory.ids().into_iter().collect();
            (!ids.is_empty()).then(|| ids[index.index(ids.len())].clone())
        };
        match edit {
            Edit::Add(activity) => self.put(activity),
            Edit::Remove(account, index) => {
                if let Some(id) = chosen(*account, index) {
                    self.accounts[*account].memory.take(&id).unwrap();
                }
            }
            Edit::Lengthen(account, index) => {
                if let Some(id) = chosen(*account, index) {
                    self.lengthen(*account, &id).await;
                }
            }
        }
    }

    async fn lengthen(&self, account: usize, id: &RemoteId) {
        let memory = &self.accounts[account].memory;
        let known = HashMap::new();
        let request = ListRequest { window: Window::default(), page: None, known: &known };
        let Ok(page) = memory.list(request).await else { return };
        let Some(mut row) = page.activities.into_iter().find(|row| row.id == *id) else { return };
        row.distance_m = Some(row.distance_m.unwrap_or_default() + 5000);
        if row.sha256.is_none() {
            let (start, length, kind) = (row.start, row.elapsed_s, row.kind.as_str());
            row.fingerprint = Fingerprint::of_listing(start, length, row.distance_m, kind);
        }
        memory.put_row(row, None);
    }

    /// What must hold at the end of every run.
    pub(super) fn check(&self) -> Result<(), TestCaseError> {
        for (name, account) in NAMES.iter().zip(&self.accounts) {
            let is_written =
                self.session.manifest.rules.iter().any(|rule| rule.destination.as_str() == *name);
            let witness = Witness::of(&account.memory);
            prop_assert!(is_written || witness.writes == 0, "{name} is a source only");
            self.nothing_is_lost(name, &account.memory, &witness)?;
            self.nothing_is_doubled(name, &account.memory, &witness)?;
            for id in &witness.deleted {
                let key = (AccountName::new(*name), id.clone());
                prop_assert!(self.planned.contains(&key), "{name}: nobody planned to remove {id}");
            }
        }
        Ok(())
    }

    fn nothing_is_lost(
        &self,
        name: &str,
        memory: &Memory,
        witness: &Witness,
    ) -> Result<(), TestCaseError> {
        let backups = Backups::new(&self.session.places.backups);
        let there: HashSet<Sha256> =
            memory.ids().iter().filter_map(|id| hash(memory, id)).collect();
        for id in &witness.athletes {
            let Some(sha256) = hash(memory, id) else { continue };
            let is_safe = there.contains(&sha256) || backups.load(sha256.as_str()).is_ok();
            prop_assert!(is_safe, "{name}: {id} is lost");
        }
        Ok(())
    }

    /// Of each recording a run has brought no more than some account has ever held: twice the same
    /// file in one account, which does not show its bytes, are two.
    fn nothing_is_doubled(
        &self,
        name: &str,
        memory: &Memory,
        witness: &Witness,
    ) -> Result<(), TestCaseError> {
        let brought = memory.ids().into_iter().filter(|id| witness.brought.contains(id));
        let brought = brought.filter_map(|id| Some((hash(memory, &id)?, id)));
        let mut copies: BTreeMap<Sha256, Vec<RemoteId>> = BTreeMap::new();
        brought.for_each(|(sha256, id)| copies.entry(sha256).or_default().push(id));
        for (sha256, ids) in copies {
            let held = |other: &Arc<Troubled>| {
                let Witness { put, brought, .. } = Witness::of(&other.memory);
                let same = |id: &&RemoteId| hash(&other.memory, id).as_ref() == Some(&sha256);
                put.union(&brought).filter(same).count()
            };
            let mut others = NAMES.iter().zip(&self.accounts).filter(|(other, _)| **other != name);
            let most = others.by_ref().map(|(_, other)| held(other)).max().unwrap_or_default();
            prop_assert!(ids.len() <= most, "{name}: {ids:?} are one recording");
        }
        Ok(())
    }

    /// Whether a step waits, for a week as it should, to see an activity that the athlete removed
    /// before it was ever listed.
    fn waits_for_what_is_gone(&self, record: &StepRecord) -> bool {
        let Some(Entry { phase: Phase::Pending, detail, .. }) =
            record.entries.last().map(|written| &written.entry)
        else {
            return false;
        };
        let id = detail["id"].as_str().map(RemoteId::new);
        let is_held = |id: &RemoteId| self.accounts.iter().any(|a| a.memory.ids().contains(id));
        id.is_some_and(|id| !is_held(&id))
    }

    /// Nothing is left to do but what a person has to decide.
    pub(super) fn is_settled(&self) -> Result<(), TestCaseError> {
        let planned = block_on(self.plan());
        let steps = &planned.plan.document.body.steps;
        let left: Vec<_> =
            steps.iter().filter(|step| !self.asked.contains(&step.address)).collect();
        prop_assert!(left.is_empty(), "left to do: {left:#?}");
        let mut open = self.session.store.unsettled().unwrap();
        open.retain(|record| !self.waits_for_what_is_gone(record));
        prop_assert_eq!(open, []);
        prop_assert_eq!(self.session.store.verify().unwrap(), Vec::<String>::new());
        let spooled = std::fs::read_dir(&self.session.places.spool).map_or(0, Iterator::count);
        prop_assert_eq!(spooled, 0, "the spool is not empty");
        Ok(())
    }
}

/// What an account's own history says.
#[derive(Default)]
struct Witness {
    /// Writing requests.
    writes: usize,
    /// Activities that were ever there and that the athlete has not removed.
    athletes: HashSet<RemoteId>,
    /// Activities that the athlete put there.
    put: HashSet<RemoteId>,
    /// Activities that runs brought.
    brought: HashSet<RemoteId>,
    /// Activities that runs removed.
    deleted: HashSet<RemoteId>,
}

impl Witness {
    fn of(memory: &Memory) -> Self {
        let mut witness = Self::default();
        for happening in memory.history().into_iter().map(|moment| moment.happening) {
            let writes = [Operation::Upload, Operation::Delete, Operation::SetDetails];
            let by_a_run = happening.operation.is_some();
            witness.writes += usize::from(happening.operation.is_some_and(|o| writes.contains(&o)));
            for change in happening.changes {
                match change {
                    Change::Added(id) => {
                        let whose = match by_a_run {
                            true => &mut witness.brought,
                            false => &mut witness.put,
                        };
                        whose.insert(id.clone());
                        witness.athletes.insert(id);
                    }
                    Change::Removed(id) if by_a_run => {
                        witness.deleted.insert(id);
                    }
                    Change::Removed(id) => {
                        witness.athletes.remove(&id);
                    }
                    // No account of this model gives other ids.
                    Change::Renamed(..) => {}
                }
            }
        }
        witness
    }
}

fn hash(memory: &Memory, id: &RemoteId) -> Option<Sha256> {
    Some(Sha256::of(&memory.bytes(id)?))
}

fn recording(activity: &Activity) -> Vec<u8> {
    let day = i64::from(activity.day.unwrap_or_default());
    let first: Timestamp = "2026-05-01T06:00:00Z".parse().unwrap();
    let file = FitFile::new(first + SignedDuration::from_hours(24 * day))
        .records(10)
        .elapsed_s(3600)
        .distance_m(30_000 + u32::from(activity.version) * 1000);
    let file = match activity.device {
        0 => file,
        _ => file.elapsed_s(3300).maker(294, 7).serial(77),
    };
    if activity.day.is_some() { file.build() } else { file.clock_not_set().build() }
}

fn settings(name: &str, deletes_first: bool, shows_bytes: bool) -> Settings {
    let mut settings = Settings::new(name);
    settings.capabilities.lists_bytes = shows_bytes;
    settings.capabilities.parallel = 2;
    if deletes_first {
        settings.capabilities.replace = ReplaceProtocol::DeleteThenUpload;
        settings.duplicates = Duplicates::Refused;
        settings.unsettled_deletions = 1;
    }
    settings
}

fn rule(text: &str) -> Rule {
    let (ends, strategy) = match text.strip_suffix('!') {
        Some(ends) => (ends, ConflictStrategy::ReplaceExisting),
        None => (text, ConflictStrategy::SkipExisting),
    };
    let (source, destination) = ends.split_once('>').unwrap();
    session::rule(source, destination, strategy)
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}
