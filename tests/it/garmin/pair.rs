//! A global and a Chinese account, one rule from the first to the second, through the library: many
//! worlds one after another, with the same two servers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fit_sync::clock::ManualClock;
use fit_sync::net::Timeouts;
use fit_sync::platform::Platform;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::support::fake_garmin::{Change, FakeGarmin, Stored, Switches};
use crate::support::fit::FitFile;
use crate::support::world::{NOW, Outcome, World, undone};
use crate::support::{garmin, session, world};

/// What the destination holds of the recordings before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Upload,
    Replace,
}

/// Two servers, each with a session that lasts.
pub(super) struct Pair {
    pub(super) us: FakeGarmin,
    pub(super) cn: FakeGarmin,
    homes: [TempDir; 2],
    clock: Arc<ManualClock>,
    platforms: [Arc<dyn Platform>; 2],
}

/// How the accounts of a play are opened.
#[derive(Clone, Copy, Debug)]
pub(super) enum Opened {
    /// Once for all: it takes its time.
    Shared,
    /// For each run, as processes do, which matters where they count.
    Anew(Timeouts),
}

/// One world between them.
pub(super) struct Play<'a> {
    pub(super) pair: &'a Pair,
    pub(super) world: World,
    pub(super) recordings: Vec<Recording>,
    strangers: Vec<u64>,
    opened: Opened,
}

/// A recording of the source.
pub(super) struct Recording {
    pub(super) start: Timestamp,
    pub(super) source: u64,
    pub(super) bytes: Vec<u8>,
    /// What the destination holds of it before.
    old: Option<(u64, Vec<u8>)>,
}

pub(super) const TITLE: &str = "As I called it";

fn us() -> Switches {
    Switches { profile: 1, ..Switches::of("garmin.com") }
}

fn cn() -> Switches {
    Switches { profile: 2, ..Switches::of("garmin.cn") }
}

/// The ride of a day in May.
pub(super) fn ride(day: i64, distance_m: u32) -> (Timestamp, Vec<u8>) {
    let first: Timestamp = "2026-05-01T06:12:33Z".parse().unwrap();
    let start = first + SignedDuration::from_hours(24 * day);
    (start, FitFile::new(start).records(12).distance_m(distance_m).build())
}

/// A run of the same day's afternoon.
fn stranger(day: i64) -> Vec<u8> {
    let start = ride(day, 0).0 + SignedDuration::from_secs(5 * 3600 + 437);
    FitFile::new(start).sport(1, 0).elapsed_s(1805).distance_m(6_120).records(9).build()
}

impl Pair {
    pub(super) fn start() -> Self {
        let home = || tempfile::tempdir().unwrap();
        let (us, cn, homes) = (FakeGarmin::start(us()), FakeGarmin::start(cn()), [home(), home()]);
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let usual = Timeouts::default();
        let platforms = [
            garmin::open_in(&us, &homes[0], &clock, usual),
            garmin::open_in(&cn, &homes[1], &clock, usual),
        ];
        Self { us, cn, homes, clock, platforms }
    }

    /// Everything as on the first day, but for sessions and clock.
    pub(super) fn play(&self, flow: Flow, steps: u32, opened: Opened) -> Play<'_> {
        for (fake, switches) in [(&self.us, us()), (&self.cn, cn())] {
            let mut world = fake.world();
            world.switches = switches;
            world.forget_activities();
        }
        let strangers = (0..2).map(|day| self.cn.world().store(&stranger(day), "Run")).collect();
        let recordings = (0..steps).map(|number| self.recording(flow, number)).collect();
        let [here, there] = self.platforms.clone();
        let mut world = World::new(here, there);
        world.session.opening = world::opening(&self.clock);
        world.clock = Arc::clone(&self.clock);
        if flow == Flow::Replace {
            world = world.replacing();
        }
        Play { pair: self, world, recordings, strangers, opened }
    }

    fn open(&self, timeouts: Timeouts) -> [Arc<dyn Platform>; 2] {
        let open =
            |fake, place: usize| garmin::open_in(fake, &self.homes[place], &self.clock, timeouts);
        [open(&self.us, 0), open(&self.cn, 1)]
    }

    fn recording(&self, flow: Flow, number: u32) -> Recording {
        let day = i64::from(number);
        let (start, bytes) = ride(day, 31_000 + 100 * number);
        let source = self.us.world().store(&bytes, "Ride");
        self.us.world().find(source).access = "private".to_owned();
        let old = (flow == Flow::Replace).then(|| {
            let (_, bytes) = ride(day, 30_000 + 100 * number);
            (self.cn.world().store(&bytes, TITLE), bytes)
        });
        Recording { start, source, bytes, old }
    }
}

impl Play<'_> {
    /// A run, with something that happens between plan and apply.
    pub(super) async fn run(&mut self, between: impl FnOnce()) -> Outcome {
        if let Opened::Anew(timeouts) = self.opened {
            let [here, there] = self.pair.open(timeouts);
            self.world.session.open = session::open([("here", here), ("there", there)]);
        }
        let world = &self.world;
        world
            .apply_after(|| {
                world.empty_cache();
                between();
            })
            .await
    }

    pub(super) fn heal(&self) {
        self.pair.us.world().switches = us();
        self.pair.cn.world().switches = cn();
    }

    pub(super) fn wrote(&self) -> bool {
        let changes = &self.pair.cn.world().changes;
        changes.iter().any(|change| !matches!(change, Change::Edited(_)))
    }

    /// What never may be, at any moment so far.
    pub(super) fn broken_laws(&self) -> Vec<String> {
        let mut broken = Vec::new();
        if !self.pair.us.world().changes.is_empty() {
            broken.push("the source was written to".to_owned());
        }
        let world = self.pair.cn.world();
        let mut stored: BTreeMap<Timestamp, u32> = BTreeMap::new();
        for change in &world.changes {
            match change {
                Change::Stored(id) => *stored.entry(world.start_of(*id)).or_default() += 1,
                Change::Edited(id) if self.strangers.contains(id) => {
                    broken.push("a stranger was edited".to_owned());
                }
                Change::Edited(_) => {}
                Change::Removed(id) => {
                    let is_old =
                        |row: &Recording| row.old.as_ref().is_some_and(|(old, _)| old == id);
                    if !self.recordings.iter().any(is_old) {
                        broken.push(format!("{id} was deleted"));
                    }
                }
            }
        }
        let often = stored.iter().filter(|(_, times)| **times > 1);
        broken.extend(often.map(|(start, times)| format!("{start} was stored {times} times")));
        for id in &self.strangers {
            if !world.activities.iter().any(|stored| stored.id == *id) {
                broken.push("a stranger is gone".to_owned());
            }
        }
        broken
    }

    /// What is not as it should be when all is over; empty if every recording is there once, or the
    /// plan says why not.
    pub(super) async fn unfinished(&self) -> Vec<String> {
        let document = self.world.plan().await.plan.document;
        let mut wrong = Vec::new();
        for row in &self.recordings {
            let address = row.start.to_string();
            let source = row.source.to_string();
            let asked = document.context.conflicts.iter().any(|c| c.source.id.as_str() == source);
            let skips = &document.context.skips;
            let told = skips.iter().any(|skip| skip.address.as_str().ends_with(&address));
            let world = self.pair.cn.world();
            let there: Vec<&Stored> =
                world.activities.iter().filter(|stored| stored.start == row.start).collect();
            let holds = |bytes: &[u8]| matches!(there.as_slice(), [one] if one.file.as_deref() == Some(bytes));
            let kept = match &row.old {
                Some((_, bytes)) => holds(bytes),
                None => there.is_empty(),
            };
            if holds(&row.bytes) {
                wrong.extend(there.first().and_then(|stored| not_carried(row, stored)));
            } else if !(kept && (asked || told)) {
                let titles: Vec<&str> = there.iter().map(|stored| stored.title.as_str()).collect();
                wrong.push(format!("{address}: there is {titles:?}"));
            }
        }
        wrong.extend(undone(&document));
        wrong
    }

    /// Lets time pass and runs until all is done, at most twice.
    pub(super) async fn go_on(&mut self) {
        for _ in 0..2 {
            self.world.pass(Duration::from_secs(120));
            let again = self.run(|| ()).await;
            if again.end(true) == crate::support::world::End::Done {
                break;
            }
        }
    }
}

fn not_carried(row: &Recording, stored: &Stored) -> Option<String> {
    if stored.access != "private" {
        return Some(format!("{} can be seen by others", row.start));
    }
    let kept = row.old.is_none() || stored.title == TITLE;
    (!kept).then(|| format!("{} has lost its title: {}", row.start, stored.title))
}
