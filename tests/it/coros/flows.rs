//! What is done with a COROS account, by the engine, run after run: brought from it, brought to it,
//! replaced in it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::support::memory::{Memory, Settings};
use fit_sync::clock::ManualClock;
use fit_sync::net::Timeouts;
use fit_sync::plan::{SkipReason, changes};
use fit_sync::platform::Platform;
use tempfile::TempDir;

use crate::support::coros;
use crate::support::fake_coros::{FakeCoros, Switches};
use crate::support::session;
use crate::support::world::{NOW, World, todo};

use super::stage::ride;

/// Which way two recordings go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Out,
    Into,
    Replace,
}

impl Flow {
    pub(super) const ALL: [Self; 3] = [Self::Out, Self::Into, Self::Replace];
}

/// The name that somebody gave to what is replaced.
const TITLE: &str = "As I called it";

pub(super) struct Stage {
    pub(super) fake: FakeCoros,
    pub(super) world: World,
    memory: Memory,
    flow: Flow,
    home: TempDir,
    timeouts: Timeouts,
    /// What shall be there at the end.
    wanted: Vec<Vec<u8>>,
    /// What COROS held at the beginning.
    before: Vec<Vec<u8>>,
}

impl Stage {
    /// With the account logged in or not, and hardly any patience with hosts that are silent.
    pub(super) async fn new(flow: Flow, logged_in: bool, hurried: bool) -> Self {
        Self::with(flow, Switches::of("cn"), logged_in, hurried).await
    }

    pub(super) async fn with(
        flow: Flow,
        switches: Switches,
        logged_in: bool,
        hurried: bool,
    ) -> Self {
        let fake = FakeCoros::start(switches);
        let memory = Memory::new(Settings::new("a"));
        let wanted: Vec<Vec<u8>> =
            (1..=2).map(|day| ride(day).distance_m(31_000).build()).collect();
        for (day, bytes) in (1..).zip(&wanted) {
            match flow {
                Flow::Out => drop(fake.world().store(bytes, "Ride", 32)),
                Flow::Into | Flow::Replace => drop(memory.put_file(bytes, Some("Ride"))),
            }
            if flow == Flow::Replace {
                fake.world().store(&ride(day).build(), TITLE, 32);
            }
        }
        // Not of this matter, and never to be touched.
        fake.world().store(&ride(20).sport(1, 0).elapsed_s(1805).build(), "Run", 32);
        memory.put_file(&ride(20).sport(1, 0).elapsed_s(1805).build(), Some("Run"));
        let before = held(&fake);
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        if logged_in {
            coros::log_in(&fake, &home).await;
        }
        let moment = if hurried { Duration::from_millis(250) } else { Duration::from_secs(60) };
        let timeouts = Timeouts { connect: moment, read: moment, whole: 2 * moment };
        let mut world = World::new(Arc::new(memory.clone()), Arc::new(memory.clone()));
        world.clock = clock;
        world.session.opening = crate::support::world::opening(&world.clock);
        if flow == Flow::Replace {
            world = world.replacing();
        }
        fake.take_seen();
        let mut stage = Self { fake, world, memory, flow, home, timeouts, wanted, before };
        stage.next_run();
        stage
    }

    /// Has everything go well again, in its own time.
    pub(super) fn heal(&mut self) {
        self.fake.heal();
        self.timeouts = Timeouts::default();
    }

    /// Opens the account anew, as a later run does.
    pub(super) fn next_run(&mut self) {
        let coros = coros::open_with(&self.fake, &self.home, &self.world.clock, self.timeouts);
        let memory: Arc<dyn Platform> = Arc::new(self.memory.clone());
        let (here, there) = match self.flow {
            Flow::Out => (coros, memory),
            Flow::Into | Flow::Replace => (memory, coros),
        };
        self.world.session.open = session::open([("here", here), ("there", there)]);
    }

    /// Whether COROS holds what it held at the beginning.
    pub(super) fn is_untouched(&self) -> bool {
        held(&self.fake) == self.before
    }

    /// Whether something was changed at the destination.
    pub(super) fn wrote(&self) -> bool {
        match self.flow {
            Flow::Out => self.memory.ids().len() > 1,
            Flow::Into | Flow::Replace => {
                !self.fake.world().imports.is_empty() || !self.is_untouched()
            }
        }
    }

    /// What a next plan would do or ask, and what is not there as it should be without a word.
    pub(super) async fn left(&self) -> Vec<String> {
        let document = self.world.plan().await.plan.document;
        let mut left = todo(&document);
        let told = |reason| {
            use SkipReason::{NoOriginal, RejectedByDestination, Unreadable};
            matches!(reason, NoOriginal | RejectedByDestination | Unreadable)
        };
        let told = document.context.skips.iter().filter(|skip| told(skip.reason)).count();
        let now = self.destination();
        let times = |bytes: &Vec<u8>| now.iter().filter(|there| is_same(there, bytes)).count();
        let missing = self.wanted.iter().filter(|bytes| times(bytes) == 0).count();
        if self.wanted.iter().any(|bytes| times(bytes) > 1) {
            left.push("a recording is there twice".to_owned());
        }
        if missing > told {
            left.push(format!("{missing} are missing, {told} told"));
        }
        let olds = if self.flow == Flow::Replace { missing } else { 0 };
        if now.len() != self.wanted.len() + 1 - missing + olds {
            left.push(format!("{} activities, {missing} missing", now.len()));
        }
        left
    }

    fn destination(&self) -> Vec<Vec<u8>> {
        match self.flow {
            Flow::Out => {
                let ids = self.memory.ids();
                ids.iter().map(|id| self.memory.bytes(id).unwrap()).collect()
            }
            Flow::Into | Flow::Replace => held(&self.fake),
        }
    }

    /// What never may have happened.
    pub(super) fn broken_laws(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let world = self.fake.world();
        if self.flow == Flow::Out {
            drop(world);
            if !self.is_untouched() {
                broken.push("the source was written to".to_owned());
            }
            return broken;
        }
        let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
        for import in world.imports.iter().filter(|import| import.is_taken()) {
            *taken.entry(import.parameter["md5"].as_str().unwrap()).or_default() += 1;
        }
        broken.extend(
            taken
                .iter()
                .filter(|(_, times)| **times > 1)
                .map(|(md5, n)| format!("{md5} sent {n}×")),
        );
        if !world.activities.iter().any(|row| row.title == "Run") {
            broken.push("another activity is gone".to_owned());
        }
        broken
    }

    /// The names of what COROS holds, without that of the other activity.
    pub(super) fn titles(&self) -> Vec<String> {
        let world = self.fake.world();
        let titles = world.activities.iter().map(|row| row.title.clone());
        titles.filter(|title| title != "Run").collect()
    }
}

/// Whether these are the same recording: exports of it differ.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let read = |bytes| fit_sync::fit::read(bytes).unwrap();
    changes(&read(one), &read(other)).is_empty()
}

/// The files that COROS holds, of what is not removed.
pub(super) fn held(fake: &FakeCoros) -> Vec<Vec<u8>> {
    let world = fake.world();
    let there = world.activities.iter().filter(|row| row.last_listing.is_none());
    there.map(|row| row.file.clone().unwrap()).collect()
}
