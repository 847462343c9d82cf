//! What a step of apply costs besides its requests, from accounts in memory, with a state on the
//! disk.
//!
//! The first apply fetches every file and keeps it in the cache: two new files per step, whose price
//! is the file system's (ext4 searches long for room where much was deleted within the last minute,
//! as each size here leaves it to the next). The second sends the same files to another account and
//! finds them in the cache: what is left is reading them, the journal, the links and the events, at
//! most 1 ms of CPU per step, growing linearly to 10,000 steps. At most 64 MB for 5,000 steps of the
//! first, both accounts in memory and all their files included. Each size runs in a process of its
//! own, so that each has its own peak.
#![expect(clippy::unwrap_used, reason = "a bench may fail where it stands, as a test may")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use fit_sync::cancellation::Cancellation;
use fit_sync::clock::ManualClock;
use fit_sync::engine::{self, Approved, Pace, Session};
use fit_sync::event::Phase;
use fit_sync::manifest::ConflictStrategy;
use fit_sync::platform::{self, Opening, Platform};
use fit_sync::state::{Access, Store};
use jiff::{SignedDuration, Timestamp};
use measured::{Nobody, peak_kb};
use memory::{Memory, Settings};

mod measured;
#[path = "../tests/it/support/memory/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the bench has nothing go wrong")]
mod memory;
#[path = "../tests/it/support/session.rs"]
#[expect(dead_code, reason = "the bench takes no locks")]
mod parts;
#[path = "../tests/it/support/fit.rs"]
#[expect(dead_code, reason = "the bench needs few of the writer's words")]
mod writer;

const NAMES: [&str; 3] = ["here", "there", "elsewhere"];

#[expect(clippy::print_stdout, reason = "the report is what the bench is for")]
fn main() {
    let size = std::env::args().nth(1).and_then(|word| word.parse().ok());
    if let Some(steps) = size {
        println!("{}", measured(steps));
        return;
    }
    println!("steps    peak    CPU per step: first apply, files at hand");
    for steps in ["1000", "5000", "10000"] {
        let this = std::env::current_exe().unwrap();
        let output = Command::new(this).arg(steps).output().unwrap();
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
}

fn measured(steps: u32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let accounts = NAMES.map(|name| Memory::new(Settings::new(name)));
    for number in 0..steps {
        accounts[0].put_file(&recording(number), None);
    }
    let first = applied(&session(folder.path(), &accounts, NAMES[1]), steps);
    let peak = peak_kb() / 1024;
    let at_hand = applied(&session(folder.path(), &accounts, NAMES[2]), steps);
    format!("{steps:>6} {peak:>4} MB {first:>23.3} ms {at_hand:>10.3} ms")
}

/// Plans, applies, and says what each step of the apply took, in ms of CPU.
fn applied(session: &Session, steps: u32) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let planned = runtime.block_on(engine::plan(session, &parts::request())).unwrap();
    let document = planned.plan.document.clone();
    let begin = cpu_ms();
    let apply = engine::apply(session, planned, Approved::Fresh(&document), Pace::default());
    let finished = runtime.block_on(apply).unwrap();
    let end = cpu_ms();
    let done = finished.steps.iter().filter(|step| step.phase == Phase::Confirmed).count();
    assert_eq!(done, usize::try_from(steps).unwrap());
    (end - begin) as f64 / f64::from(steps)
}

/// Minutes after each other, like the training of many years put together.
fn recording(number: u32) -> Vec<u8> {
    let first: Timestamp = "2010-01-01T00:00:00Z".parse().unwrap();
    let start = first + SignedDuration::from_hours(11 * i64::from(number));
    writer::FitFile::new(start).records(3).build()
}

fn session(folder: &Path, accounts: &[Memory; 3], to: &str) -> Session {
    let clock = Arc::new(ManualClock::new("2026-06-01T12:00:00Z".parse().unwrap()));
    let platforms = accounts.iter().map(|memory| Arc::new(memory.clone()) as Arc<dyn Platform>);
    let rules = vec![parts::rule(NAMES[0], to, ConflictStrategy::SkipExisting)];
    Session {
        manifest: parts::manifest(&NAMES, rules),
        decisions: Vec::new(),
        store: Store::open(&folder.join("state.db"), Access::ReadWrite).unwrap(),
        catalog: platform::catalog(),
        open: parts::open(NAMES.into_iter().zip(platforms)),
        opening: Opening::offline(clock, Arc::new(|| [7; 16])),
        events: Arc::new(Nobody),
        places: parts::places(folder),
        stop: Cancellation::default(),
    }
}

/// CPU time of this process so far, all threads, user and system.
fn cpu_ms() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let ms = time.tv_sec * 1000 + time.tv_nsec / 1_000_000;
    u64::try_from(ms).unwrap()
}
