//! An apply from one Garmin account to another, on servers of this machine.
//!
//! Speed: 60 uploads at 100 ms per answer, as a share of what the account allows. What it allows is
//! measured in the same run: as many plain questions, `max_parallel` at a time. At least 0.9, although
//! each upload is answered a second before it is stored.
//!
//! Memory: flat from 60 to 2,000 steps. Each size runs in a process of its own, apart from the servers,
//! which keep every file.
#![expect(clippy::unwrap_used, reason = "a bench may fail where it stands, as a test may")]

#[path = "../tests/it/support/fake_garmin/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "made for tests, which use more of it and want to hear of what they did not expect"
)]
mod fake_garmin;
mod measured;
#[path = "../tests/it/support/session.rs"]
#[expect(dead_code, reason = "the bench takes no locks")]
mod parts;
#[path = "../tests/it/support/reaper.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod reaper;
#[path = "../tests/it/support/fit.rs"]
#[expect(dead_code, reason = "the bench needs few of the writer's words")]
mod writer;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fake_garmin::{FakeGarmin, Host, Switches};
use fit_sync::cancellation::Cancellation;
use fit_sync::clock::{Clock, ManualClock, SystemClock};
use fit_sync::domain::{AccountName, RemoteId};
use fit_sync::engine::{self, Approved, Open, Pace, Session};
use fit_sync::event::Phase;
use fit_sync::manifest::{Account, ConflictStrategy, PasswordSource};
use fit_sync::platform::login::{Ask, CodeRequest, Credentials, LoginError};
use fit_sync::platform::{self, Opening, Platform};
use fit_sync::state::{Access, Store};
use fit_sync::vault::Vault;
use futures_util::stream::{self, StreamExt as _};
use jiff::{SignedDuration, Timestamp};
use measured::{Nobody, peak_kb};
use secrecy::{ExposeSecret as _, SecretString};

const NAMES: [&str; 2] = ["garmin_us", "garmin_cn"];
const REGIONS: [&str; 2] = ["global", "cn"];
const UPLOADS: u32 = 60;
const LATENCY: Duration = Duration::from_millis(100);

#[expect(clippy::print_stdout, reason = "the report is what the bench is for")]
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [word, us, cn] = args.as_slice()
        && word == "apply"
    {
        println!("{}", peak_after([us, cn]));
        return;
    }
    println!("max_parallel   {UPLOADS} uploads   as many questions   share");
    let shares = [1, 2].map(|max_parallel| {
        let (line, share) = speed(max_parallel);
        println!("{line}");
        share
    });
    println!("steps    peak");
    for steps in [60, 2000] {
        println!("{}", peak(steps));
    }
    assert!(
        shares.iter().all(|share| *share >= 0.9),
        "too little of what is allowed: {shares:.3?}"
    );
}

fn fakes(steps: u32, records: u32) -> [FakeGarmin; 2] {
    let us = FakeGarmin::start(Switches { profile: 1, ..Switches::of("garmin.com") });
    let cn = FakeGarmin::start(Switches { profile: 2, ..Switches::of("garmin.cn") });
    let first: Timestamp = "2010-01-01T00:00:00Z".parse().unwrap();
    for number in 0..steps {
        let start = first + SignedDuration::from_hours(11 * i64::from(number));
        us.world().store(&writer::FitFile::new(start).records(records).build(), "Ride");
    }
    [us, cn]
}

/// How fast 60 uploads are, beside as many requests as they take; and the share.
fn speed(max_parallel: u32) -> (String, f64) {
    let fakes = fakes(UPLOADS, 3);
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let bases = fakes.each_ref().map(bases);
    let session = session(folder.path(), &clock, &bases, max_parallel);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let planned = runtime.block_on(engine::plan(&session, &parts::request())).unwrap();
    let document = planned.plan.document.clone();
    let cn = &fakes[1];
    cn.switch(|switches| switches.latency = LATENCY);
    cn.take_seen();
    let begin = clock.now();
    let apply = engine::apply(&session, planned, Approved::Fresh(&document), Pace::default());
    let finished = runtime.block_on(apply).unwrap();
    let taken = clock.now().duration_since(begin);
    assert!(finished.steps.iter().all(|step| step.phase == Phase::Confirmed));
    let requests = cn.take_seen().len();
    let questions = runtime.block_on(questions(&session, &clock, requests, max_parallel));
    assert!(cn.world().busiest <= usize::try_from(max_parallel).unwrap());
    let share = questions.as_secs_f64() / taken.as_secs_f64();
    let line = format!(
        "{max_parallel:>12} {:>9} ms {:>18} ms   {share:.3}",
        taken.as_millis(),
        questions.as_millis()
    );
    (line, share)
}

/// How long so many requests take at least, made by the same client.
async fn questions(
    session: &Session,
    clock: &Arc<dyn Clock>,
    requests: usize,
    max_parallel: u32,
) -> SignedDuration {
    let account = session.manifest.accounts.get(&AccountName::new(NAMES[1])).unwrap();
    let platform = (session.open)(account, &session.opening).unwrap();
    let id = first_id(platform.as_ref()).await;
    let begin = clock.now();
    let ask = |_| async { platform.details(&id).await.unwrap() };
    let parallel = usize::try_from(max_parallel).unwrap();
    let mut answers = stream::iter(0..requests).map(ask).buffer_unordered(parallel);
    while answers.next().await.is_some() {}
    clock.now().duration_since(begin)
}

async fn first_id(platform: &dyn Platform) -> RemoteId {
    let known = std::collections::HashMap::new();
    let window = platform::Window::default();
    let request = platform::ListRequest { window, page: None, known: &known };
    platform.list(request).await.unwrap().activities.remove(0).id
}

/// The peak of a process that applies so many steps.
fn peak(steps: u32) -> String {
    let fakes = fakes(steps, 2000);
    let this = std::env::current_exe().unwrap();
    let bases = fakes.each_ref().map(|fake| serde_json::to_string(&bases(fake)).unwrap());
    let output = Command::new(this).arg("apply").args(bases).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    format!("{steps:>5} {:>4} MB", String::from_utf8_lossy(&output.stdout).trim())
}

/// Applies all there is, without waiting; the most memory that it took, in MB.
fn peak_after(bases: [&String; 2]) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let start = ManualClock::new("2026-06-01T12:00:00Z".parse().unwrap());
    let clock: Arc<dyn Clock> = Arc::new(start);
    let bases = bases.map(|text| serde_json::from_str(text).unwrap());
    let session = session(folder.path(), &clock, &bases, 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let planned = runtime.block_on(engine::plan(&session, &parts::request())).unwrap();
    let document = planned.plan.document.clone();
    let apply = engine::apply(&session, planned, Approved::Fresh(&document), Pace::default());
    let finished = runtime.block_on(apply).unwrap();
    assert!(finished.steps.iter().all(|step| step.phase == Phase::Confirmed));
    peak_kb() / 1024
}

fn bases(fake: &FakeGarmin) -> BTreeMap<String, String> {
    let world = fake.world();
    Host::ALL.map(|host| (host.word().to_owned(), world.base(host).to_owned())).into()
}

fn session(
    folder: &Path,
    clock: &Arc<dyn Clock>,
    bases: &[BTreeMap<String, String>; 2],
    max_parallel: u32,
) -> Session {
    let rules = vec![parts::rule(NAMES[0], NAMES[1], ConflictStrategy::SkipExisting)];
    let mut manifest = parts::manifest(&NAMES, rules);
    for ((name, region), bases) in NAMES.into_iter().zip(REGIONS).zip(bases) {
        let account = manifest.accounts.get_mut(&AccountName::new(name)).unwrap();
        "garmin".clone_into(&mut account.platform);
        account.region = Some(region.to_owned());
        account.email = Some("runner@example.com".to_owned());
        account.password = vec![PasswordSource::Literal(SecretString::from("right"))];
        account.endpoints.clone_from(bases);
        account.min_gap_ms = Some(0);
        account.max_parallel = Some(max_parallel);
    }
    let opening = Opening {
        vault: Vault::new(folder),
        ask: Arc::new(Literal),
        ..Opening::offline(Arc::clone(clock), Arc::new(|| [7; 16]))
    };
    let open: Arc<Open> = Arc::new(platform::opener());
    Session {
        manifest,
        decisions: Vec::new(),
        store: Store::open(&folder.join("state.db"), Access::ReadWrite).unwrap(),
        catalog: platform::catalog(),
        open,
        opening,
        events: Arc::new(Nobody),
        places: parts::places(folder),
        stop: Cancellation::default(),
    }
}

/// Answers with what stands in the account.
struct Literal;

impl Ask for Literal {
    fn credentials(&self, account: &Account) -> Result<Credentials, LoginError> {
        let Some(PasswordSource::Literal(password)) = account.password.first() else {
            return Err(LoginError::NoCredentials("password"));
        };
        let password = SecretString::from(password.expose_secret());
        Ok(Credentials { email: account.email.clone().unwrap_or_default(), password })
    }

    fn code(&self, _: &Account, _: &CodeRequest) -> Result<Option<SecretString>, LoginError> {
        Ok(None)
    }

    fn has_code(&self, _: &Account) -> bool {
        false
    }

    fn browser(&self, _: &Account, _: &str) -> Result<SecretString, LoginError> {
        Err(LoginError::NoCredentials("browser"))
    }
}
