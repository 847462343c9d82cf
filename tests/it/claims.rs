//! A step claims the bytes that it needs, and nothing removes them before it has ended.

use std::sync::Arc;
use std::time::Duration;

use crate::support::memory::{Fault, Memory, Operation, Settings, UploadFault};
use fit_sync::archive::{Backups, Blobs, ClaimOwner, ClaimReason};
use fit_sync::domain::Sha256;
use fit_sync::engine::UnresumedReason;
use fit_sync::event::{Event, Phase};
use fit_sync::manifest::ConflictStrategy;
use fit_sync::platform::PlatformError;
use fit_sync::state::{Access, Effects, Store};
use jiff::Timestamp;

use crate::faults::stage::{Flow, Stage};
use crate::support::session;

const NOTHING: Vec<String> = Vec::new();

/// A replace whose new activity is not listed yet.
async fn held(flow: Flow) -> Stage {
    held_in(Store::open_in_memory().unwrap(), flow).await
}

async fn held_in(state: Store, flow: Flow) -> Stage {
    let mut stage = Stage::new(flow, 1);
    stage.world.session.store = state;
    let late = || stage.there.script(Fault::Upload(UploadFault::ListedLate(9)));
    stage.world.apply_after(late).await;
    assert_eq!(stage.world.session.store.unsettled().unwrap().len(), 1, "{flow:?}");
    stage
}

fn needed(stage: &Stage) -> [Sha256; 2] {
    let row = &stage.recordings[0];
    [Sha256::of(&row.old.as_ref().unwrap().1), Sha256::of(&row.bytes)]
}

/// Everything that is old by now.
fn prune(stage: &Stage) -> usize {
    let backups = Backups::new(stage.world.backups());
    let listed = backups.list().unwrap().backups;
    let ids: Vec<_> = listed.into_iter().map(|backup| backup.id).collect();
    backups.prune(&ids, Timestamp::MAX).unwrap().removed.len()
}

#[tokio::test]
async fn a_replace_under_way_claims_what_goes_and_what_comes() {
    for flow in [Flow::UploadThenDelete, Flow::DeleteThenUpload] {
        let stage = held(flow).await;
        let blobs = Blobs::new(stage.world.backups());
        let state = stage.world.session.store.state_id().unwrap();
        for (sha256, why) in needed(&stage).iter().zip([ClaimReason::Backup, ClaimReason::Payload])
        {
            let claims = blobs.claims(sha256).unwrap().readable;
            assert_eq!(claims.len(), 1, "{flow:?}: {claims:?}");
            assert_eq!((&claims[0].owner.state, claims[0].why), (&state, why), "{flow:?}");
        }
        assert_eq!(prune(&stage), 0, "{flow:?}");
    }
}

#[tokio::test]
async fn two_states_in_one_home_leave_each_other_s_bytes() {
    for flow in [Flow::UploadThenDelete, Flow::DeleteThenUpload] {
        let folder = tempfile::tempdir().unwrap();
        let state = |name: &str| Store::open(&folder.path().join(name), Access::ReadWrite).unwrap();
        let mut stage = held_in(state("own.db"), flow).await;
        let own = std::mem::replace(&mut stage.world.session.store, state("other.db"));
        stage.world.pass(Duration::from_secs(2 * 3600));
        stage.world.settle().await;
        assert_eq!(prune(&stage), 0, "{flow:?}");
        let blobs = Blobs::new(stage.world.backups());
        for sha256 in needed(&stage) {
            assert!(blobs.get(&sha256).unwrap().is_some(), "{flow:?}");
        }
        stage.world.session.store = own;
        stage.heal();
        for _ in 0..9 {
            stage.world.settle().await;
        }
        assert_eq!(stage.world.session.store.unsettled().unwrap(), [], "{flow:?}");
        for sha256 in needed(&stage) {
            assert!(blobs.claims(&sha256).unwrap().readable.is_empty(), "{flow:?}");
        }
        assert_eq!(prune(&stage), 1, "{flow:?}");
    }
}

#[tokio::test]
async fn the_next_apply_releases_and_sweeps_what_a_crash_left() {
    let stage = held(Flow::UploadThenDelete).await;
    let blobs = Blobs::new(stage.world.backups());
    let [old, new] = needed(&stage);
    let claim = blobs.claims(&new).unwrap().readable.remove(0);
    stage.heal();
    for _ in 0..9 {
        stage.world.settle().await;
    }
    blobs.claim(&new, &claim).unwrap();
    stage.world.settle().await;
    assert!(blobs.claims(&new).unwrap().readable.is_empty(), "its step has ended");
    assert!(blobs.get(&new).unwrap().is_some(), "and the bytes are young");
    stage.world.pass(Duration::from_secs(2 * 3600));
    stage.world.settle().await;
    assert!(blobs.get(&new).unwrap().is_none());
    assert!(blobs.get(&old).unwrap().is_some(), "the backup stays");
}

/// A new state in the place of the old one, which nobody can read any more.
fn lose_state(stage: &mut Stage) {
    stage.world.forget_state();
    stage.heal();
    stage.world.pass(Duration::from_secs(3600));
}

#[tokio::test]
async fn a_state_goes_on_with_what_a_lost_one_had_begun() {
    for flow in [Flow::UploadThenDelete, Flow::DeleteThenUpload] {
        let mut stage = held(flow).await;
        lose_state(&mut stage);
        for _ in 0..9 {
            stage.world.apply().await;
        }
        assert_eq!(stage.broken_laws(), NOTHING, "{flow:?}");
        assert_eq!(stage.unfinished().await, NOTHING, "{flow:?}");
        assert_eq!(stage.world.session.store.unsettled().unwrap(), [], "{flow:?}");
        for sha256 in needed(&stage) {
            let claims = Blobs::new(stage.world.backups()).claims(&sha256).unwrap();
            assert!(claims.readable.is_empty(), "{flow:?}");
        }
    }
}

#[tokio::test]
async fn a_plan_does_not_plan_again_what_a_lost_state_had_begun() {
    for flow in [Flow::UploadThenDelete, Flow::DeleteThenUpload] {
        let mut stage = held(flow).await;
        lose_state(&mut stage);
        let document = stage.world.plan().await.plan.document;
        assert_eq!(document.body.steps, [], "{flow:?}");
        let is_told = |event: &Event| matches!(event, Event::Noted { note, .. } if note.message.contains("its state is gone"));
        assert!(stage.witness.events().iter().any(is_told), "{flow:?}");
    }
}

/// Whoever plans hears of it, too, where the manifest or its rules have its accounts no more.
#[tokio::test]
async fn a_lost_state_s_step_without_its_accounts_is_told() {
    for (left, accounts, told) in [
        ("there", &["spare", "there"][..], "waits: here is no account of the manifest any more"),
        ("here", &["here", "spare"], "waits: there is no account of the manifest any more"),
        ("there", &["here", "spare", "there"], "the next apply looks at it"),
    ] {
        let mut stage = held(Flow::DeleteThenUpload).await;
        lose_state(&mut stage);
        let spare = Memory::new(Settings::new("spare"));
        let rules = vec![session::rule("spare", left, ConflictStrategy::SkipExisting)];
        stage.world.session.manifest = session::manifest(accounts, rules);
        stage.world.session.open = session::open([
            ("here", Arc::new(stage.here.clone()) as _),
            ("spare", Arc::new(spare) as _),
            ("there", Arc::new(stage.there.clone()) as _),
        ]);
        stage.world.plan().await;
        let is_told = |event: &Event| matches!(event, Event::Noted { note, .. } if note.message.contains(told));
        let events = stage.witness.events();
        assert!(events.iter().any(is_told), "{told}: {events:?}");
    }
}

#[tokio::test]
async fn what_a_lost_state_had_sent_and_not_hidden_is_hidden() {
    let mut stage = Stage::new(Flow::Upload, 1);
    let keeps = || (0..9).for_each(|_| stage.there.script(Fault::KeepsPrivacy));
    let first = stage.world.apply_after(keeps).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    lose_state(&mut stage);
    let second = stage.world.apply().await;
    assert_eq!(second.settled[0].phase, Phase::Confirmed, "{}", second.told());
    assert_eq!(stage.unfinished().await, NOTHING);
    assert_eq!(stage.broken_laws(), NOTHING);
}

/// Hiding needs the destination only.
#[tokio::test]
async fn what_others_see_is_hidden_also_while_its_source_is_down() {
    let stage = Stage::new(Flow::Upload, 1);
    let keeps = || (0..9).for_each(|_| stage.there.script(Fault::KeepsPrivacy));
    let first = stage.world.apply_after(keeps).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    stage.heal();
    let down = || PlatformError::Transient("down".to_owned());
    (0..99).for_each(|_| stage.here.script(Fault::Fails(Operation::List, down())));
    let settled = stage.world.settle().await;
    assert_eq!(settled.steps[0].phase, Phase::Confirmed, "{settled:?}");
    stage.heal();
    assert_eq!(stage.unfinished().await, NOTHING);
    assert_eq!(stage.broken_laws(), NOTHING);
}

/// Where a private upload of one state waits, another one writes nothing beside it, and goes on with it
/// once the first one is gone.
#[tokio::test]
async fn another_state_s_open_step_is_told_and_nothing_is_sent_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let state = |name: &str| Store::open(&folder.path().join(name), Access::ReadWrite).unwrap();
    let mut stage = Stage::new(Flow::Upload, 1);
    stage.world.session.store = state("own.db");
    let keeps = || (0..9).for_each(|_| stage.there.script(Fault::KeepsPrivacy));
    let first = stage.world.apply_after(keeps).await;
    assert_eq!(first.phases(), [Phase::Held], "{}", first.told());
    stage.heal();
    stage.world.session.store = state("other.db");
    let left = stage.world.settle().await.left;
    assert!(matches!(left[0].why, UnresumedReason::OtherState(_)), "{left:?}");
    assert_eq!(stage.world.apply().await.steps, []);
    std::fs::remove_file(folder.path().join("own.db")).unwrap();
    let last = stage.world.apply().await;
    assert_eq!(last.settled[0].phase, Phase::Confirmed, "{}", last.told());
    assert_eq!(stage.unfinished().await, NOTHING);
    assert_eq!(stage.broken_laws(), NOTHING);
}

/// An older copy of a state may know a step and not what became of it.
#[tokio::test]
async fn a_step_that_is_claimed_and_looks_untouched_is_looked_for() {
    for flow in [Flow::UploadThenDelete, Flow::DeleteThenUpload] {
        let folder = tempfile::tempdir().unwrap();
        let mut stage = held_in(Store::open_in_memory().unwrap(), flow).await;
        let record = stage.world.session.store.unsettled().unwrap().remove(0);
        let older = Store::open(&folder.path().join("older.db"), Access::ReadWrite).unwrap();
        let own = std::mem::replace(&mut stage.world.session.store, older);
        stage.world.plan().await;
        let now = record.entries[0].at;
        let store = &stage.world.session.store;
        let run = store.begin_run(None, now).unwrap();
        let entries: Vec<_> = record.entries.iter().map(|it| it.entry.clone()).take(3).collect();
        let id = store.begin_step(run, &record.step, &entries, Effects::default(), now).unwrap();
        let blobs = Blobs::new(stage.world.backups());
        let owner =
            |store: &Store, step: i64| ClaimOwner { state: store.state_id().unwrap(), step };
        blobs.hand_over(&owner(&own, record.id.0), &owner(store, id.0), store.path()).unwrap();
        stage.heal();
        stage.world.pass(Duration::from_secs(3600));
        for _ in 0..9 {
            stage.world.apply().await;
        }
        assert_eq!(stage.unfinished().await, NOTHING, "{flow:?}");
        assert_eq!(stage.broken_laws(), NOTHING, "{flow:?}");
    }
}

#[tokio::test]
async fn a_claim_that_cannot_be_read_stops_everything() {
    let mut stage = held(Flow::DeleteThenUpload).await;
    for entry in std::fs::read_dir(stage.world.backups().join("claims")).unwrap() {
        std::fs::write(entry.unwrap().path(), b"{").unwrap();
    }
    lose_state(&mut stage);
    let before = stage.there.ids();
    let planned = fit_sync::engine::plan(&stage.world.session, &session::request()).await;
    assert!(planned.err().unwrap().to_string().contains("cannot be read"));
    assert_eq!(stage.there.ids(), before);
}

/// A state of another home has found the pair before it hears of the step.
#[tokio::test]
async fn a_pair_that_is_known_already_is_what_a_lost_step_has_sent() {
    let mut stage = Stage::new(Flow::Upload, 1);
    let keeps = || (0..9).for_each(|_| stage.there.script(Fault::KeepsPrivacy));
    stage.world.apply_after(keeps).await;
    lose_state(&mut stage);
    let home = stage.world.session.places.backups.clone();
    stage.world.session.places.backups = home.join("elsewhere");
    assert_eq!(stage.world.apply().await.steps, [], "it is in sync");
    stage.world.session.places.backups = home;
    let last = stage.world.apply().await;
    assert_eq!(last.settled[0].phase, Phase::Confirmed, "{}", last.told());
    assert_eq!(stage.unfinished().await, NOTHING);
}
