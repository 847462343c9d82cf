//! What earlier runs left open: settled where this run may, told where it may not, and never
//! forgotten in silence.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::support::memory::{Change, Fault, ListFault, Memory, Operation, Settings, UploadFault};
use async_trait::async_trait;
use fit_sync::archive::{AccountLocks, Owner};
use fit_sync::domain::{
    AccountName, Activity, Address, Capabilities, Details, Profile, RemoteId, ReplaceProtocol,
};
use fit_sync::engine::{self, Approved, EngineError, Pace, UnresumedReason};
use fit_sync::event::{Event, Phase};
use fit_sync::manifest::ConflictStrategy;
use fit_sync::plan::reconcile::Entry;
use fit_sync::platform::{
    FitFile, ListRequest, Original, Page, Platform, PlatformError, UploadStatus, UploadTicket,
    Uploaded,
};
use fit_sync::state::{Access, Effects, Store, Written};
use jiff::Timestamp;

use crate::faults::stage::{Flow, Stage, ride as ride_of};
use crate::support::cli::{Cli, REPLACING, ride};
use crate::support::session;
use crate::support::world::{End, World, settings};

const START: &str = "2026-11-19T06:12:33Z";

const TWO_RULES: &str = "\
accounts:
  watch: { platform: directory, path: watch }
  archive: { platform: directory, path: archive }
  other: { platform: directory, path: other }
sync_rules:
  - { name: keep, source: watch, destination: archive }
  - { name: else, source: watch, destination: other, start_date: 2030-01-01 }
";

fn no_locks() -> AccountLocks {
    let owner = Owner { user: "me".to_owned(), host: "here".to_owned(), pid: 1, run_url: None };
    AccountLocks::take(&[], &BTreeSet::new(), &owner).unwrap()
}

#[tokio::test]
async fn without_its_lock_a_destination_is_left_alone() {
    let stage = Stage::new(Flow::Upload, 1);
    let late = || stage.there.script(Fault::Upload(UploadFault::ListedLate(9)));
    stage.world.apply_after(late).await;
    let before = (stage.there.history().len(), stage.world.phases().len());
    let settled = engine::resume(&stage.world.session, &no_locks()).await.unwrap();
    assert!(settled.steps.is_empty(), "{settled:?}");
    let why: Vec<_> = settled.left.iter().map(|left| &left.why).collect();
    assert_eq!(why, [&UnresumedReason::NotLocked(AccountName::new("there"))]);
    assert_eq!(settled.left[0].phase, Phase::Pending);
    assert_eq!(stage.world.phases().len(), before.1, "nothing was journalled");
    let asked = stage.there.history().split_off(before.0);
    let wrote = |operation| matches!(operation, Some(Operation::Upload | Operation::Delete));
    assert!(!asked.iter().any(|moment| wrote(moment.happening.operation)));
}

#[tokio::test]
async fn a_session_that_is_lost_leaves_its_steps_and_says_so() {
    let stage = Stage::new(Flow::Upload, 1);
    let late = || stage.there.script(Fault::Upload(UploadFault::ListedLate(9)));
    stage.world.apply_after(late).await;
    let locks = session::lock(&stage.world.session).await;
    stage.there.script(Fault::EndsSession(Operation::List));
    let settled = engine::resume(&stage.world.session, &locks).await.unwrap();
    assert!(
        matches!(&settled.left[0].why, UnresumedReason::Blocked(name, ..) if name.as_str() == "there"),
        "{settled:?}"
    );
}

#[tokio::test]
async fn a_saved_plan_does_not_begin_again_what_is_in_flight() {
    let stage = Stage::new(Flow::Upload, 1);
    let session = &stage.world.session;
    let saved = stage.world.plan().await.plan.document;
    let script = || {
        let cut = PlatformError::Unconfirmed("cut off".to_owned());
        stage.there.script(Fault::Fails(Operation::Upload, cut));
        for _ in 0..60 {
            stage.there.script(Fault::List(ListFault::Incomplete));
        }
    };
    let first = stage.world.apply_after(script).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    stage.world.settle().await;
    let planned = stage.world.plan().await;
    let again = engine::apply(session, planned, Approved::Saved(&saved), Pace::default()).await;
    let phases: Vec<Phase> = again.unwrap().steps.iter().map(|step| step.phase).collect();
    assert_eq!(phases, [Phase::NotTried]);
    let asked = stage.there.history();
    let uploads = asked.iter().filter(|m| m.happening.operation == Some(Operation::Upload));
    assert_eq!(uploads.count(), 1);
    assert!(session.store.all_links().unwrap().is_empty());
}

/// A replace whose old one cannot be removed yet: neither it nor its successor goes onward before.
#[tokio::test]
async fn what_a_held_replace_is_about_goes_onward_once_it_is_settled() {
    let takes = |name| Memory::new(settings(name, ReplaceProtocol::UploadThenDelete));
    let [here, there, third] = ["a", "b", "c"].map(takes);
    let (_, new) = ride_of(0, 31_000);
    here.put_file(&new, None);
    there.put_file(&ride_of(0, 30_000).1, None);
    let platforms: Vec<(&'static str, Arc<dyn Platform>)> = vec![
        ("here", Arc::new(here)),
        ("there", Arc::new(there.clone())),
        ("third", Arc::new(third.clone())),
    ];
    let rules = vec![
        session::rule("here", "there", ConflictStrategy::ReplaceExisting),
        session::rule("there", "third", ConflictStrategy::SkipExisting),
    ];
    let mut world = World::of(&platforms, rules);
    let second = world.session.manifest.rules.pop().unwrap();
    let refuse = || {
        let error = PlatformError::Transient("down".to_owned());
        (0..9).for_each(|_| there.script(Fault::Fails(Operation::Delete, error.clone())));
    };
    assert_eq!(world.apply_after(refuse).await.phases(), [Phase::Held]);
    world.session.manifest.rules.push(second);
    let planned = world.plan().await.plan;
    assert_eq!(planned.document.body.steps.len(), 0);
    assert_eq!(planned.notices.len(), 2);
    there.heal();
    assert_eq!(world.apply().await.phases(), [Phase::Confirmed]);
    assert_eq!(world.left().await, [""; 0]);
    let changes = third.take_changes();
    let [Change::Added(copy)] = changes.as_slice() else { panic!("{changes:?}") };
    assert_eq!(third.bytes(copy).unwrap(), new);
}

/// The archive of a run that was killed between a request and its answer.
fn crashed(arrived: bool) -> Cli {
    let cli = Cli::new(TWO_RULES);
    cli.fit("watch/ride.fit", &ride(START));
    cli.run("apply --auto-approve").ok();
    let address: Address = format!("keep/{START}").parse().unwrap();
    let store = Store::open(&cli.home("state.db"), Access::ReadWrite).unwrap();
    store.forget(&address, jiff::Timestamp::UNIX_EPOCH).unwrap();
    let done = store.steps_at(&address).unwrap().pop().unwrap();
    let run = store.begin_run(None, done.entries[0].at).unwrap();
    let sending = done.entries.iter().position(|w| w.entry == Entry::Sending).unwrap();
    let written = &done.entries[..=sending];
    let entries: Vec<Entry> = written.iter().map(|w| w.entry.clone()).collect();
    let at = written[0].at;
    store.begin_step(run, &done.step, &entries, Effects::default(), at).unwrap();
    if !arrived {
        for name in cli.activities("archive") {
            std::fs::remove_file(cli.path("archive").join(name)).unwrap();
        }
    }
    cli
}

fn open_steps(cli: &Cli) -> usize {
    let store = Store::open(&cli.home("state.db"), Access::ReadOnly).unwrap();
    store.unsettled().unwrap().len()
}

#[test]
fn a_step_of_a_rule_that_is_gone_is_settled_while_its_accounts_are_known() {
    // What did not arrive is sent once more: it was begun.
    for arrived in [true, false] {
        let cli = crashed(arrived);
        let rule = "  - { name: keep, source: watch, destination: archive }\n";
        cli.manifest(&TWO_RULES.replace(rule, ""));
        cli.run("apply --auto-approve").ok().says("confirmed");
        assert_eq!((open_steps(&cli), cli.activities("archive").len()), (0, 1));
    }
}

#[test]
fn a_step_of_an_account_that_was_renamed_is_settled() {
    let cli = crashed(true);
    cli.manifest(&TWO_RULES.replace("archive:", "attic:").replace("tion: archive", "tion: attic"));
    cli.run("apply --auto-approve").ok().says("settled from an earlier run");
    assert_eq!(open_steps(&cli), 0);
}

#[test]
fn a_name_that_means_another_folder_now_is_not_looked_at_for_the_step() {
    let mut cli = crashed(true);
    cli.set("FIT_SYNC_SEED", "another");
    cli.manifest(&TWO_RULES.replace("path: archive", "path: third"));
    let ran = cli.run("apply --auto-approve").exits(10).says("left from an earlier run");
    assert!(!ran.stdout.contains("settled from"), "{ran:?}");
    assert_eq!(open_steps(&cli), 1);
    cli.manifest(TWO_RULES);
    cli.run("apply --auto-approve").ok().says("settled from an earlier run");
    assert_eq!(open_steps(&cli), 0);
}

#[test]
fn a_step_of_an_account_that_is_gone_is_told_until_it_is_forgotten() {
    let cli = crashed(true);
    let rule = "  - { name: keep, source: watch, destination: archive }\n";
    let account = "  archive: { platform: directory, path: archive }\n";
    cli.manifest(&TWO_RULES.replace(rule, "").replace(account, ""));
    let address = format!("keep/{START}");
    cli.run("apply --auto-approve")
        .exits(10)
        .says(&format!("left from an earlier run: {address} unknown"))
        .says("archive is no account of the manifest any more")
        .says("It may have been sent; nobody has looked since.")
        .says(&format!("fit_sync state rm {address}"));
    let ran = cli.run("apply --auto-approve --json --report report.json").exits(10);
    let lines: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told = lines.iter().find(|line| line["type"] == "diagnostic").unwrap();
    assert_eq!(told["subject"], address);
    let report = std::fs::read_to_string(cli.path("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["settled"][0]["phase"], "unknown");
    cli.run(&format!("state rm {address}")).ok();
    assert_eq!(open_steps(&cli), 0);
    cli.run("apply --auto-approve").ok().says("No changes.");
    cli.run(&format!("state rm {address}")).exits(1);
}

/// A replace of which nobody knows how far it came; `removed`: the old one is gone.
fn half_replaced(removed: bool) -> (Cli, String) {
    let cli = Cli::new(
        &REPLACING.replace("watch }", "watch }\n  third: { platform: directory, path: third }"),
    );
    cli.fit("watch/ride.fit", &ride(START).distance_m(40_000));
    cli.run("apply --auto-approve").ok();
    cli.fit("watch/ride.fit", &ride(START).distance_m(44_000));
    cli.run("apply --auto-approve").ok();
    let address: Address = format!("keep/{START}").parse().unwrap();
    let store = Store::open(&cli.home("state.db"), Access::ReadWrite).unwrap();
    let done = store.steps_at(&address).unwrap().pop().unwrap();
    let at = done.entries[0].at;
    let run = store.begin_run(None, at).unwrap();
    let last = |w: &Written| matches!(w.entry, Entry::Sending);
    let sending = done.entries.iter().position(last).unwrap();
    let entries: Vec<Entry> =
        done.entries[..=sending].iter().map(|written| written.entry.clone()).collect();
    store.begin_step(run, &done.step, &entries, Effects::default(), at).unwrap();
    if removed {
        for name in cli.activities("archive") {
            std::fs::remove_file(cli.path("archive").join(name)).unwrap();
        }
    }
    let backups = cli.run("backup list --json").ok().json();
    (cli, backups["backups"][0]["id"].as_str().unwrap().to_owned())
}

#[test]
fn a_restore_first_settles_what_is_open_there() {
    let (cli, id) = half_replaced(true);
    cli.run(&format!("backup restore {id}")).ok().tells("an earlier run");
    assert_eq!(open_steps(&cli), 0);
    assert_eq!(cli.activities("archive").len(), 1);
    cli.run("apply --auto-approve").ok().says("No changes.");
}

#[test]
fn a_step_that_is_left_names_the_backup_that_holds_the_old_activity() {
    let (cli, id) = half_replaced(true);
    cli.manifest(
        &std::fs::read_to_string(cli.path("fit_sync.yaml"))
            .unwrap()
            .replace("  archive: { platform: directory, path: archive }\n", "")
            .replace("destination: archive", "destination: third"),
    );
    cli.run("apply --auto-approve")
        .exits(10)
        .says(&format!("Backup {id} holds the old activity"))
        .says("put archive back into the manifest");
    // What another account holds of that recording is not taken away for it.
    let ran = cli.run(&format!("backup restore {id} --to third")).exits(6);
    ran.tells("it holds another version of that recording");
}

#[tokio::test]
async fn events_and_journal_tell_the_same() {
    for flow in Flow::ALL {
        let stage = Stage::new(flow, 3);
        let lost = || stage.there.script(Fault::LosesAnswer(Operation::Upload));
        stage.world.apply_after(lost).await;
        let told: Vec<_> = stage
            .witness
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Step { address, phase, attempt, .. } => Some((address, phase, attempt)),
                _ => None,
            })
            .collect();
        for row in &stage.recordings {
            let address: Address = format!("here-to-there/{}", row.start).parse().unwrap();
            let steps = stage.world.session.store.steps_at(&address).unwrap();
            let written: Vec<_> = steps
                .iter()
                .flat_map(|step| &step.entries)
                .filter_map(|written| written.entry.phase())
                .collect();
            assert_eq!(written[0], Phase::Intent, "{flow:?}");
            let told = told.iter().filter(|(of, ..)| *of == address);
            assert_eq!(told.map(|t| t.1).collect::<Vec<_>>(), written, "{flow:?}");
        }
    }
}

/// An account whose listing never ends.
struct Silent(Memory);

#[async_trait]
impl Platform for Silent {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.0.whoami().await
    }
    async fn list(&self, _: ListRequest<'_>) -> Result<Page, PlatformError> {
        std::future::pending().await
    }
    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        self.0.download(activity).await
    }
    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        self.0.upload(file).await
    }
    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        self.0.upload_status(ticket).await
    }
    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        self.0.delete(activity).await
    }
    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        self.0.details(id).await
    }
    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        self.0.set_details(id, details).await
    }
}

#[tokio::test]
async fn a_wish_to_stop_is_heard_while_settling_reads() {
    let stage = Stage::new(Flow::Upload, 1);
    let late = || stage.there.script(Fault::Upload(UploadFault::ListedLate(9)));
    stage.world.apply_after(late).await;
    let mut world = stage.world;
    let silent = Memory::new(Settings::new("b"));
    let (here, there) = (Arc::new(stage.here.clone()), Arc::new(Silent(silent)));
    world.session.open = session::open([("here", here as _), ("there", there as _)]);
    let locks = session::lock(&world.session).await;
    let stop = world.session.stop.clone();
    let asked = async {
        tokio::task::yield_now().await;
        stop.request();
    };
    let (settled, ()) = tokio::join!(engine::resume(&world.session, &locks), asked);
    assert!(matches!(settled, Err(EngineError::Interrupted)), "{settled:?}");
    assert_eq!(world.session.store.unsettled().unwrap().len(), 1);
}

#[tokio::test]
async fn a_listing_that_fails_for_a_moment_is_asked_again() {
    let limited = |seconds: Option<u64>| PlatformError::RateLimited {
        retry_after: seconds.map(std::time::Duration::from_secs),
    };
    let down = || PlatformError::Transient("no route".to_owned());
    for (errors, slept, is_read) in [
        (vec![limited(Some(7)), limited(None)], vec![7, 60], true),
        (vec![limited(None), limited(None), limited(None)], vec![60, 60], false),
        (vec![limited(Some(901))], vec![], false),
        (vec![limited(Some(u64::MAX))], vec![], false),
        (vec![down(), down()], vec![1, 2], true),
        (vec![down(), down(), down()], vec![1, 2], false),
    ] {
        let (here, there) = (Memory::new(Settings::new("a")), Memory::new(Settings::new("b")));
        let world = World::memory(&here, &there);
        for error in &errors {
            here.script(Fault::Fails(Operation::List, error.clone()));
        }
        let blocked = world.plan().await.plan.document.context.blocked;
        assert_eq!(blocked.is_empty(), is_read, "{errors:?}: {blocked:?}");
        let sleeps: Vec<u64> = world.clock.sleeps().iter().map(|sleep| sleep.as_secs()).collect();
        assert_eq!(sleeps, slept, "{errors:?}");
    }
}

/// The journal's disk is full in mid-run: what was done is told, and the next run looks first.
#[test]
fn a_journal_that_cannot_be_written_stops_the_run_and_loses_nothing() {
    for most in [2, 3, 5, 7, 8] {
        let cli = Cli::new(TWO_RULES);
        std::fs::create_dir(cli.path("watch")).unwrap();
        cli.run("apply --auto-approve").ok();
        for day in 1..=3 {
            cli.fit(format!("watch/{day}.fit"), &ride(&format!("2026-10-0{day}T06:00:00Z")));
        }
        let state = rusqlite::Connection::open(cli.home("state.db")).unwrap();
        let full = format!(
            "CREATE TRIGGER full BEFORE INSERT ON entry WHEN (SELECT count(*) FROM entry) >= {most}
             BEGIN SELECT RAISE(FAIL, 'no room'); END"
        );
        state.execute_batch(&full).unwrap();
        cli.run("apply --auto-approve --report report.json")
            .exits(9)
            .says("Applied plan")
            .tells("no room");
        let there = cli.activities("archive").len();
        let written: i64 =
            state.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap();
        assert!(written <= most);
        let sent = "SELECT count(DISTINCT step) FROM entry WHERE entry LIKE '%\"sending\"%'";
        let sent: i64 = state.query_row(sent, [], |row| row.get(0)).unwrap();
        assert!(there as i64 <= sent, "{most}: {there} were sent, {sent} are journalled");
        state.execute_batch("DROP TRIGGER full").unwrap();
        drop(state);
        cli.run("apply --auto-approve").ok();
        assert_eq!(cli.activities("archive").len(), 3, "{most}");
        assert_eq!(open_steps(&cli), 0);
        cli.run("plan").ok().says("No changes.");
    }
}

#[tokio::test]
async fn what_is_waited_for_is_told_once_a_run_with_its_end() {
    let stage = Stage::new(Flow::Upload, 1);
    stage.there.script(Fault::Upload(UploadFault::ListedLate(20)));
    for runs in 1..=2 {
        let began = stage.world.session.clock().now();
        assert_eq!(stage.world.apply().await.end(true), End::Partly);
        let told: Vec<(usize, Timestamp)> = stage
            .witness
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Settling { steps, until, .. } => Some((steps, until)),
                _ => None,
            })
            .collect();
        assert_eq!(told.len(), runs, "{told:?}");
        let (steps, until) = told[runs - 1];
        assert!(steps == 1 && until > began, "{told:?}");
    }
}
