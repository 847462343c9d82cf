//! Originals: by the row's own sport, from the file host, and what there is no file of.

use fit_sync::platform::PlatformError;

use crate::support::fake_coros::{Place, Switches, Trouble};

use super::stage::{Account, ride};

const ASK: &str = "POST /activity/detail/download";

#[tokio::test]
async fn a_file_is_asked_for_by_its_row_s_own_sport() {
    let account = Account::open(Switches::of("cn")).await;
    let bytes = ride(1).sport(1, 3).build();
    account.fake.world().store(&bytes, "Ridge", 32);
    // Two codes of one type.
    account.fake.world().activities[0].code = 299;
    let row = account.all().await.remove(0);
    assert_eq!(row.kind.as_str(), "cycling");
    account.fake.take_seen();
    assert_eq!(account.platform.download(&row).await.unwrap().bytes, bytes);
    let seen = account.fake.take_seen();
    assert_eq!(seen[0], ASK);
    assert!(seen.len() == 2 && seen[1].starts_with("GET /fit/"), "{seen:?}");
}

#[tokio::test]
async fn a_sport_that_was_changed_meanwhile_is_looked_up_again() {
    for refused in [true, false] {
        let account = Account::open(Switches::of("cn")).await;
        account.fake.switch(|switches| switches.refuses_wrong_sport = refused);
        let bytes = ride(1).build();
        account.fake.world().store(&bytes, "Ride", 32);
        let row = account.all().await.remove(0);
        account.fake.world().activities[0].code = 204;
        assert_eq!(account.platform.download(&row).await.unwrap().bytes, bytes);
    }
}

#[tokio::test]
async fn no_file_is_said_after_two_looks_that_agree() {
    let account = Account::open(Switches::of("cn")).await;
    account.fake.world().store(&ride(1).build(), "Ride", 32);
    account.fake.world().activities[0].file = None;
    let row = account.all().await.remove(0);
    account.fake.take_seen();
    assert!(matches!(account.platform.download(&row).await, Err(PlatformError::NotFound)));
    assert_eq!(account.fake.take_seen(), [ASK, "GET /activity/query", ASK]);
}

#[tokio::test]
async fn a_failing_file_host_is_no_missing_file() {
    let account = Account::open(Switches::of("cn")).await;
    account.fake.world().store(&ride(1).build(), "Ride", 32);
    let row = account.all().await.remove(0);
    for trouble in [Trouble::Status(502), Trouble::Lost] {
        account.fake.fails(Place::File, trouble);
        let error = account.platform.download(&row).await.unwrap_err();
        assert!(matches!(error, PlatformError::Unavailable(_)), "{trouble:?}: {error}");
    }
}
