//! Folders of FIT files, and the worlds that plans make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use fit_sync::cancellation::Cancellation;
use fit_sync::clock::Clock;
use fit_sync::domain::{LinkStatus, ReplaceProtocol, Sha256};
use fit_sync::engine::{self, Approved, Pace, Planned, RunReport, Session};
use fit_sync::event::{Events, Phase};
use fit_sync::manifest::{self, LoadRequest, Trust};
use fit_sync::plan::{Conflict, ConflictReason, SkipReason};
use fit_sync::platform::{self, Opening, Platform};
use fit_sync::state::{Access, Store};
use jiff::Timestamp;

use super::deadly::{Deadly, Trigger};
use crate::support::fit::FitFile;
use crate::support::session;

/// What a run is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scenario {
    /// Several files, two devices among them that began in one second.
    Uploads,
    /// Several files that are there already, but differ; the new one is sent first.
    UploadThenDelete,
    /// The same; the old one is removed first.
    DeleteThenUpload,
    /// Uploads and replaces, the new ones sent first.
    Mixed,
    /// Uploads and replaces, the old ones removed first.
    MixedGaps,
    /// Old ones that are removed first for new ones that are then refused, and so put back.
    Refused,
}

impl Scenario {
    pub(super) const ALL: [Self; 6] = [
        Self::Uploads,
        Self::UploadThenDelete,
        Self::DeleteThenUpload,
        Self::Mixed,
        Self::MixedGaps,
        Self::Refused,
    ];

    pub(super) fn word(self) -> String {
        format!("{self:?}")
    }

    fn protocol(self) -> ReplaceProtocol {
        match self {
            Self::Uploads | Self::UploadThenDelete | Self::Mixed => {
                ReplaceProtocol::UploadThenDelete
            }
            Self::DeleteThenUpload | Self::MixedGaps | Self::Refused => {
                ReplaceProtocol::DeleteThenUpload
            }
        }
    }

    fn uploads(self) -> u32 {
        match self {
            Self::Uploads => 5,
            Self::Mixed | Self::MixedGaps => 1,
            Self::UploadThenDelete | Self::DeleteThenUpload | Self::Refused => 0,
        }
    }

    fn replaces(self) -> u32 {
        match self {
            Self::Uploads => 0,
            Self::Mixed | Self::MixedGaps => 1,
            Self::Refused => 2,
            Self::UploadThenDelete | Self::DeleteThenUpload => 3,
        }
    }

    /// How every step of a run ends.
    fn end(self) -> Phase {
        match self {
            Self::Refused => Phase::Restored,
            Self::Uploads
            | Self::UploadThenDelete
            | Self::DeleteThenUpload
            | Self::Mixed
            | Self::MixedGaps => Phase::Confirmed,
        }
    }
}

/// What becomes of the state beside a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is gone.
    Lost,
    /// It is as it was before the run.
    Older,
}

/// A source, an archive and a home in one folder.
pub(super) struct World {
    pub(super) root: PathBuf,
    pub(super) scenario: Scenario,
    /// What a finished plan leaves in the archive.
    wanted: BTreeMap<Sha256, usize>,
    /// What was in the archive before.
    old: Vec<Sha256>,
}

const MANIFEST: &str = "
accounts:
  watch: { platform: directory, path: source }
  archive: { platform: directory, path: archive }
sync_rules:
  - { name: keep, source: watch, destination: archive, conflict_strategy: replace_existing }
limits: { max_replaces: 1000 }
";

impl World {
    /// A world before its plan.
    pub(super) fn new(root: &Path, scenario: Scenario) -> Self {
        Self::of(root, scenario, scenario.uploads(), scenario.replaces())
    }

    /// The world in this folder, as it is.
    pub(super) fn known(root: &Path, scenario: Scenario) -> Self {
        Self { root: root.to_owned(), scenario, wanted: BTreeMap::new(), old: Vec::new() }
    }

    /// A world with so many uploads and replaces to do.
    pub(super) fn of(root: &Path, scenario: Scenario, uploads: u32, replaces: u32) -> Self {
        let mut world = Self::known(root, scenario);
        for folder in ["source", "archive/old", "home"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        std::fs::write(root.join("fit_sync.yaml"), MANIFEST).unwrap();
        let bystander = recording(3000, 0).build();
        world.put("archive/bystander.fit", &bystander);
        world.want(&bystander);
        for number in 0..uploads {
            let new = recording(number, 30_000).build();
            world.put(&format!("source/{number}.fit"), &new);
            world.want(&new);
        }
        for number in 600..600 + replaces {
            let old = recording(number, 29_000).build();
            let new = recording(number, 30_000).build();
            world.put(&format!("archive/old/{number}.fit"), &old);
            world.put(&format!("source/{number}.fit"), &new);
            world.want(if scenario == Scenario::Refused { &old } else { &new });
            world.old.push(Sha256::of(&old));
        }
        world
    }

    /// Lets one request at a time be under way. Of several, a kill may catch one on its way to the disk
    /// each time, and what was sent twice without an answer is left to a person.
    pub(super) fn one_at_a_time(self) -> Self {
        let manifest = MANIFEST.replace("path: archive }", "path: archive, max_parallel: 1 }");
        std::fs::write(self.root.join("fit_sync.yaml"), manifest).unwrap();
        self
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        std::fs::write(self.root.join(path), bytes).unwrap();
    }

    fn want(&mut self, bytes: &[u8]) {
        *self.wanted.entry(Sha256::of(bytes)).or_default() += 1;
    }

    fn home(&self, name: &str) -> PathBuf {
        self.root.join("home").join(name)
    }

    /// A session over this world.
    pub(super) fn session(&self, clock: Arc<dyn Clock>, trigger: &Trigger) -> Session {
        let home = self.root.join("home");
        let catalog = platform::catalog();
        let manifest = manifest::load(&LoadRequest {
            path: Path::new("fit_sync.yaml"),
            cwd: &self.root,
            home: &home,
            user_home: None,
            catalog: &catalog,
            trust: Trust::PrivateFiles,
            uid: rustix::process::getuid().as_raw(),
        })
        .unwrap();
        let protocol = self.scenario.protocol();
        let refused: BTreeSet<Sha256> = match self.scenario.end() {
            Phase::Restored => hashes(&self.root.join("source")).into_keys().collect(),
            _ => BTreeSet::new(),
        };
        let armed = trigger.clone();
        Session {
            manifest,
            decisions: Vec::new(),
            store: Store::open(&self.home("state.db"), Access::ReadWrite).unwrap(),
            catalog,
            open: Arc::new(move |account, opening| {
                let inner = platform::open(account, opening)?;
                let refused = refused.clone();
                let deadly = Deadly { inner, protocol, refused, trigger: armed.clone() };
                Ok(Arc::new(deadly) as Arc<dyn Platform>)
            }),
            opening: Opening::offline(clock, Arc::new(random)),
            events: Arc::new(trigger.clone()) as Arc<dyn Events>,
            places: engine::Places { backups: self.home("backups"), cache: self.home("cache") },
            stop: Cancellation::default(),
        }
    }

    /// Every old activity is in the archive or, whole, in the backups.
    pub(super) fn nothing_is_lost(&self, when: &str) {
        let archive = hashes(&self.root.join("archive"));
        let backups = hashes(&self.home("backups"));
        for old in &self.old {
            let is_safe = archive.contains_key(old) || backups.contains_key(old);
            assert!(is_safe, "{when}: {old} is neither in the archive nor backed up");
        }
    }

    /// The planned world, and no trace of the way there.
    pub(super) fn is_as_planned(&self, when: &str) {
        self.nothing_is_lost(when);
        let archive = hashes(&self.root.join("archive"));
        assert_eq!(archive, self.wanted, "{when}: the archive is not as planned");
        let backups = hashes(&self.home("backups"));
        for old in &self.old {
            assert!(backups.contains_key(old), "{when}: no backup of {old}");
        }
        let left: Vec<_> = files(&self.home("backups/claims"));
        assert!(left.is_empty(), "{when}: claims of steps that have ended: {left:?}");
        let store = Store::open(&self.home("state.db"), Access::ReadOnly).unwrap();
        assert_eq!(store.verify().unwrap(), Vec::<String>::new(), "{when}");
        assert_eq!(store.unsettled().unwrap(), [], "{when}: the journal is not closed");
        let links = store.all_links().unwrap();
        let linked = if self.scenario == Scenario::Refused { 0 } else { self.wanted.len() - 1 };
        assert_eq!(links.len(), linked, "{when}: {links:?}");
        for link in links.iter().map(|stored| &stored.link) {
            let there = link.destination.as_ref().and_then(|side| side.sha256.clone());
            assert_eq!(link.source.sha256, there, "{when}: {} is linked to another", link.address);
            assert_eq!(link.status, LinkStatus::Confirmed, "{when}: {}", link.address);
        }
    }

    /// Settles, plans and applies until nothing is left to do, which one run must achieve.
    pub(super) fn converge(&self, when: &str) {
        let session = self.session(Arc::new(fit_sync::clock::SystemClock), &Trigger::never());
        let finished = block_on(run(&session));
        let end = self.scenario.end();
        let unfinished: Vec<_> = finished.steps.iter().filter(|step| step.phase != end).collect();
        assert!(unfinished.is_empty(), "{when}: {unfinished:?}");
        let planned = block_on(engine::plan(&session, &session::request())).unwrap();
        let document = &planned.plan.document;
        assert!(document.body.steps.is_empty(), "{when}: {:?}", document.body.steps);
        assert!(document.context.conflicts.is_empty(), "{when}: {:?}", document.context.conflicts);
        let skips: Vec<SkipReason> =
            document.context.skips.iter().map(|skip| skip.reason).collect();
        let refused = if end == Phase::Restored { self.old.len() } else { 0 };
        assert_eq!(skips, vec![SkipReason::RejectedByDestination; refused], "{when}");
        drop(session);
        self.is_as_planned(when);
    }

    /// Plans once, and keeps a copy of the state.
    pub(super) fn begin_state(&self) {
        let session = self.session(Arc::new(fit_sync::clock::SystemClock), &Trigger::never());
        block_on(engine::plan(&session, &session::request())).unwrap();
        drop(session);
        std::fs::copy(self.home("state.db"), self.home("older.db")).unwrap();
    }

    /// The state is lost, or yesterday's copy takes its place.
    pub(super) fn meet(&self, fate: Fate) {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(self.home(&format!("state.db{ending}")));
        }
        if fate == Fate::Older {
            std::fs::copy(self.home("older.db"), self.home("state.db")).unwrap();
        }
    }

    /// Runs with a state that knows nothing of the crash end in the planned world.
    pub(super) fn converge_anew(&self, when: &str) {
        self.nothing_is_lost(when);
        let session = self.session(Arc::new(fit_sync::clock::SystemClock), &Trigger::never());
        for _ in 0..3 {
            block_on(run(&session));
        }
        let planned = block_on(engine::plan(&session, &session::request())).unwrap();
        let document = &planned.plan.document;
        assert!(document.body.steps.is_empty(), "{when}: {:?}", document.body.steps);
        // Which of two of one second is back, and which was refused, a person may have to say.
        let is_told = |conflict: &Conflict| {
            let is_refusal = conflict.reason == ConflictReason::RefusedByDestination;
            self.scenario == Scenario::Refused && is_refusal
        };
        let conflicts = &document.context.conflicts;
        assert!(conflicts.iter().all(is_told), "{when}: {conflicts:?}");
        assert_eq!(session.store.unsettled().unwrap(), [], "{when}: the journal is not closed");
        self.nothing_is_lost(when);
        let archive = hashes(&self.root.join("archive"));
        assert_eq!(archive, self.wanted, "{when}: the archive is not as planned");
        let left: Vec<_> = files(&self.home("backups/claims"));
        assert!(left.is_empty(), "{when}: claims of steps that have ended: {left:?}");
    }

    /// The program, ready to run over this world; temporary files of a crash count as old.
    pub(super) fn program(&self, args: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_fit_sync"));
        program
            .args(args)
            .current_dir(&self.root)
            .env("FIT_SYNC_HOME", self.root.join("home"))
            .env_remove("FIT_SYNC_STATE")
            .stdin(Stdio::null());
        program
    }

    /// How the last run ended, as the journal has it.
    pub(super) fn last_exit(&self) -> Option<i32> {
        let store = Store::open(&self.home("state.db"), Access::ReadOnly).unwrap();
        let runs = store.runs().unwrap();
        runs.first()?.end.as_ref().map(|end| end.exit)
    }

    /// Steps that were begun and not ended.
    /// After a stop, what was sent waits for a look, and nothing else does.
    pub(super) fn only_touched_steps_are_open(&self, when: &str) {
        let store = Store::open(&self.home("state.db"), Access::ReadOnly).unwrap();
        for record in store.unsettled().unwrap() {
            assert!(record.state().unwrap().is_touched(), "{when}: {record:?}");
        }
    }

    pub(super) fn open_steps(&self) -> usize {
        let store = Store::open(&self.home("state.db"), Access::ReadOnly).unwrap();
        store.unsettled().unwrap().len()
    }

    /// How many activities the archive holds.
    pub(super) fn archived(&self) -> usize {
        hashes(&self.root.join("archive")).values().sum()
    }
}

/// What every `apply` does.
pub(super) async fn run(session: &Session) -> RunReport {
    let locks = session::lock(session).await;
    let settled = engine::resume(session, &locks).await.unwrap();
    assert_eq!(settled.left, []);
    let planned: Planned = engine::plan(session, &session::request()).await.unwrap();
    let document = planned.plan.document.clone();
    let approved = Approved::Fresh(&document);
    let finished = engine::apply(session, planned, approved, Pace::default()).await.unwrap();
    let now = session.clock().now();
    session.store.end_run(finished.run, now, 0, &fit_sync::state::RunCounts::new()).unwrap();
    finished
}

pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work)
}

/// A recording of an hour. Of every three the first two began in one second on two devices: the
/// second device was switched off a little earlier, so that the two could be taken for one.
fn recording(number: u32, distance_m: u32) -> FitFile {
    let first: Timestamp = "2026-03-01T06:00:00Z".parse().unwrap();
    let (day, second_device) = (number - number % 3, number % 3 == 1);
    let day = if second_device { day } else { number };
    let start = first + jiff::SignedDuration::from_hours(24 * i64::from(day));
    let file = FitFile::new(start).records(20).distance_m(distance_m).elapsed_s(3600);
    match second_device {
        true => file.elapsed_s(3300).maker(294, 7).serial(77),
        false => file,
    }
}

/// A folder for a world: in memory where the machine has such a place, since no crash of a process
/// loses what its system holds.
pub(super) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Markers and temporary names.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// How often each content occurs among the FIT files below a folder.
fn hashes(folder: &Path) -> BTreeMap<Sha256, usize> {
    let mut hashes = BTreeMap::new();
    for path in files(folder).iter().filter(|path| path.extension().is_some_and(|e| e == "fit")) {
        *hashes.entry(Sha256::of(&std::fs::read(path).unwrap())).or_default() += 1;
    }
    hashes
}

fn files(folder: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}
