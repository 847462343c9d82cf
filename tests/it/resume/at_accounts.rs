//! The program at accounts on the web, killed at each of its requests: before its effect, and before
//! its answer.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use rustix::process::Pid;

use crate::support::cli::Cli;
use crate::support::fake_coros::{self, FakeCoros};
use crate::support::fake_garmin::{self, FakeGarmin};
use crate::support::fit::FitFile;
use crate::support::reaper::{Death, Reaper};

/// When the runs after the one that died are made: soon, the next day, and after a week.
const LATER: [&str; 4] = [
    "2026-11-20T14:00:00Z",
    "2026-11-21T15:00:00Z",
    "2026-11-29T16:00:00Z",
    "2026-11-30T17:00:00Z",
];

/// Rides by their day, and the distance of what the account holds of it before, if anything.
const RIDES: [(i8, Option<u32>); 3] = [(3, None), (4, Some(20_000)), (5, Some(21_000))];
const DISTANCE_M: u32 = 30_000;

/// What becomes of the state beside a death.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Lost,
}

/// What an account holds of a recording.
type Held = (Timestamp, u32, String);

enum Fake {
    Garmin(FakeGarmin),
    Coros(FakeCoros),
}

impl Fake {
    fn account(&self) -> (&'static str, String) {
        match self {
            Self::Garmin(fake) => ("garmin_cn", fake.endpoints()),
            Self::Coros(fake) => ("coros_cn", fake.endpoints()),
        }
    }

    fn reaper(&self) -> Reaper {
        match self {
            Self::Garmin(fake) => fake.world().reaper.clone(),
            Self::Coros(fake) => fake.world().reaper.clone(),
        }
    }

    /// Holds what it held before the first run.
    fn begin_again(&self) {
        let old = RIDES.iter().filter_map(|(day, old)| Some((*day, ride(*day, (*old)?))));
        match self {
            Self::Garmin(fake) => {
                let mut world = fake.world();
                world.forget_activities();
                for (day, bytes) in old {
                    world.store(&bytes, &title(day));
                }
            }
            Self::Coros(fake) => {
                let mut world = fake.world();
                world.activities.clear();
                world.imports.clear();
                for (day, bytes) in old {
                    world.store(&bytes, &title(day), 0);
                }
            }
        }
    }

    fn held(&self) -> Vec<Held> {
        let mut held: Vec<Held> = match self {
            Self::Garmin(fake) => {
                let world = fake.world();
                let rows = world.activities.iter();
                rows.map(|it| (it.start, it.distance_m, it.title.clone())).collect()
            }
            Self::Coros(fake) => {
                let world = fake.world();
                let rows = world.activities.iter().filter(|it| it.last_listing.is_none());
                rows.map(|it| (it.start, it.distance_m, it.title.clone())).collect()
            }
        };
        held.sort();
        held
    }
}

fn title(day: i8) -> String {
    format!("As I called day {day}")
}

fn start(day: i8) -> Timestamp {
    format!("2026-11-{day:02}T06:12:33Z").parse().unwrap()
}

fn ride(day: i8, distance_m: u32) -> Vec<u8> {
    FitFile::new(start(day)).records(12).distance_m(distance_m).build()
}

struct Stage {
    cli: Cli,
    fake: Fake,
}

impl Stage {
    fn new(fake: Fake) -> Self {
        let (account, endpoints) = fake.account();
        let cli = Cli::new(&format!(
            "accounts: {{ watch: {{ platform: directory, path: watch }}, {account}: {{}} }}\n\
             sync_rules:\n  \
             - {{ name: keep, source: watch, destination: {account}, conflict_strategy: replace_existing }}\n"
        ));
        cli.accounts(&format!(
            "accounts:\n  {account}: {{ email: runner@example.com, password: right, min_gap_ms: 0, \
             endpoints: {endpoints} }}\n"
        ));
        for (day, _) in RIDES {
            cli.put(format!("watch/{day}.fit"), ride(day, DISTANCE_M));
        }
        cli.run("auth").ok();
        Self { cli, fake }
    }

    fn begin_again(&self) {
        self.fake.begin_again();
        self.cli.lose_state();
        for folder in ["backups", "cache"] {
            let _ = fs::remove_dir_all(self.cli.home(folder));
        }
    }

    /// An apply; says whether it died of it.
    fn dies(&self, now: &str, death: Death) -> bool {
        let mut child = self.apply(now).spawn().unwrap();
        let reaper = self.fake.reaper();
        reaper.follow(Pid::from_child(&child), death);
        let status = child.wait().unwrap();
        reaper.forget();
        status.signal() == Some(9)
    }

    fn apply(&self, now: &str) -> Command {
        let mut command = self.cli.command(["apply", "--auto-approve"]);
        command.env("FIT_SYNC_NOW", now).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Every ride is there once, or its old one, or a copy of that on this disk.
    fn is_whole(&self, when: &str) {
        let held = self.fake.held();
        for (day, old) in RIDES {
            let of_day = held.iter().filter(|(at, ..)| *at == start(day)).count();
            let is_there = of_day > 0 || old.is_none() || self.has_backup(day, old);
            assert!(is_there, "{when}: day {day} is lost: {held:?}");
        }
    }

    fn has_backup(&self, day: i8, old: Option<u32>) -> bool {
        let wanted = ride(day, old.unwrap_or_default());
        let backups = fs::read_dir(self.cli.home("backups")).into_iter().flatten().flatten();
        backups.into_iter().any(|file| fs::read(file.path()).is_ok_and(|bytes| bytes == wanted))
    }

    /// Ordinary runs end in the planned world.
    fn converges(&self, when: &str) {
        let ends_well = |now: &str| self.apply(now).status().unwrap().code() == Some(0);
        let done = LATER.into_iter().find(|now| ends_well(now));
        assert!(done.is_some(), "{when}: no run ends well; {:?}", self.fake.held());
        let wanted = |(day, old): (i8, Option<u32>)| {
            let kept = old.map(|_| title(day));
            (start(day), DISTANCE_M, kept)
        };
        let held = self.fake.held();
        let is_it = |(wanted, held): ((Timestamp, u32, Option<String>), &Held)| {
            (wanted.0, wanted.1) == (held.0, held.1) && wanted.2.is_none_or(|title| title == held.2)
        };
        let is_as_wanted = RIDES.into_iter().map(wanted).zip(&held).all(is_it);
        assert!(held.len() == RIDES.len() && is_as_wanted, "{when}: {held:#?}");
    }

    /// Kills a run at each of its requests, and has the state meet its fate; returns how many there
    /// were.
    fn dies_at_each(&self, death: fn(usize) -> Death, fate: Fate) -> usize {
        for number in 1.. {
            self.begin_again();
            let when = format!("{:?}, the state is {fate:?}", death(number));
            if !self.dies("2026-11-20T12:00:00Z", death(number)) {
                self.converges(&when);
                return number - 1;
            }
            self.is_whole(&when);
            if fate == Fate::Lost {
                self.cli.lose_state();
            }
            self.converges(&when);
        }
        unreachable!("a run has an end")
    }
}

fn garmin() -> Fake {
    Fake::Garmin(FakeGarmin::start(fake_garmin::Switches::of("garmin.cn")))
}

fn coros() -> Fake {
    Fake::Coros(FakeCoros::start(fake_coros::Switches::of("cn")))
}

fn dies_everywhere(stage: &Stage, least: usize) {
    for fate in [Fate::Kept, Fate::Lost] {
        for death in [Death::BeforeRequest, Death::BeforeAnswer] {
            let points = stage.dies_at_each(death, fate);
            assert!(points >= least, "{points} points");
        }
    }
}

#[test]
fn a_death_at_any_request_to_garmin_is_survived() {
    dies_everywhere(&Stage::new(garmin()), 20);
}

#[test]
fn a_death_at_any_request_to_coros_is_survived() {
    dies_everywhere(&Stage::new(coros()), 35);
}
