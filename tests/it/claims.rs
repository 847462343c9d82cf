//! A step claims the bytes that it needs, and nothing removes them before it has ended.

use std::time::Duration;

use crate::support::memory::{Fault, UploadFault};
use fit_sync::archive::{Backups, Blobs, ClaimReason};
use fit_sync::domain::Sha256;
use fit_sync::state::Store;
use jiff::Timestamp;

use crate::faults::stage::{Flow, Stage};

/// A replace whose new activity is not listed yet.
async fn held(flow: Flow) -> Stage {
    let stage = Stage::new(flow, 1);
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
        let mut stage = held(flow).await;
        let other = Store::open_in_memory().unwrap();
        let own = std::mem::replace(&mut stage.world.session.store, other);
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
