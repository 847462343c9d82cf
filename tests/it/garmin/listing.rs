//! What a listing proves: pages that are empty, short or moved, counts that are off, and rows that were
//! swapped or come late.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fit_sync::clock::{Clock as _, ManualClock};
use fit_sync::domain::{Activity, Coverage, RemoteId};
use fit_sync::net::Timeouts;
use fit_sync::platform::{ListRequest, Page, Platform, Window};
use jiff::SignedDuration;
use tempfile::TempDir;

use crate::support::cli;
use crate::support::fake_garmin::{FakeGarmin, Stored, Switches};
use crate::support::garmin;
use crate::support::world::NOW;

use super::pair::ride;
use super::stage::Stage;

type Known = HashMap<RemoteId, Activity>;

/// An open account with a ride of each of so many days.
struct Account {
    fake: FakeGarmin,
    platform: Arc<dyn Platform>,
    clock: Arc<ManualClock>,
    home: TempDir,
}

impl Account {
    async fn open(rides: u32) -> Self {
        let fake = FakeGarmin::start(Switches::of("garmin.com"));
        {
            let mut world = fake.world();
            let id = world.store(&ride(0, 30_000).1, "Ride");
            let one = world.find(id).clone();
            world.activities = (0..rides).map(|number| at_day(&one, number)).collect();
        }
        let home = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let platform = garmin::open_in(&fake, &home, &clock, Timeouts::default());
        platform.whoami().await.unwrap();
        fake.take_seen();
        Self { fake, platform, clock, home }
    }

    async fn page(&self, window: Window, known: &Known) -> Page {
        self.platform.list(ListRequest { window, page: None, known }).await.unwrap()
    }

    async fn read(&self, known: &Known) -> Page {
        self.page(Window::default(), known).await
    }

    /// Everything, and the rows by their ids.
    async fn known(&self) -> Known {
        let page = self.read(&HashMap::new()).await;
        assert!(page.complete);
        self.fake.take_seen();
        known(&page)
    }

    /// Requests for the list since the last call; a token's renewal aside.
    fn requests(&self) -> usize {
        let seen = self.fake.take_seen();
        seen.iter().filter(|seen| seen.what.contains("/activitylist-service/")).count()
    }
}

fn known(page: &Page) -> Known {
    page.activities.iter().map(|row| (row.id.clone(), row.clone())).collect()
}

fn at_day(one: &Stored, number: u32) -> Stored {
    let later = SignedDuration::from_hours(24 * i64::from(number));
    let start = one.start.checked_add(later).unwrap();
    Stored { id: 80_000_000 + u64::from(number), start, ..one.clone() }
}

/// The days of May around the rides of these numbers.
fn days(first: u8, last: u8) -> Window {
    let day = |number: u8| format!("2026-05-{number:02}").parse().ok();
    Window { first: day(first), last: day(last) }
}

#[tokio::test]
async fn an_empty_page_in_the_middle_is_no_end_and_twice_it_is_a_part() {
    for (empty, rows, complete) in [(1, 250, true), (2, 100, false)] {
        for counts_more in [0, 4] {
            let account = Account::open(250).await;
            account.fake.switch(|switches| {
                (switches.empty_later, switches.counts_more) = (empty, counts_more);
            });
            let page = account.read(&HashMap::new()).await;
            let listed = (page.activities.len(), page.complete);
            assert_eq!(listed, (rows, complete), "{empty} times, {counts_more} more");
            let hints = page.activities.iter().filter(|row| row.hint.is_some()).count();
            assert_eq!(hints > 0, complete, "a part is no base for a cheap look");
        }
    }
}

#[tokio::test]
async fn a_part_is_not_completed_by_what_is_known() {
    let account = Account::open(250).await;
    let before = account.known().await;
    account.clock.advance(Duration::from_secs(48 * 3600));
    account.fake.switch(|switches| switches.empty_later = 2);
    let page = account.read(&before).await;
    assert_eq!((page.activities.len(), page.complete), (100, false));
}

#[tokio::test]
async fn an_empty_first_page_is_read_again_and_never_believed_where_rows_were_known() {
    for (empty, rows, complete) in [(1, 250, true), (2, 0, false)] {
        let account = Account::open(250).await;
        let before = account.known().await;
        for known in [&before, &HashMap::new()] {
            account.fake.switch(|switches| switches.empty_first = empty);
            let page = account.read(known).await;
            assert_eq!((page.activities.len(), page.complete), (rows, complete), "{empty}");
        }
    }
    let account = Account::open(3).await;
    let before = account.known().await;
    account.fake.world().forget_activities();
    assert!(!account.read(&before).await.complete, "nothing, as the count says too");
    assert!(account.read(&HashMap::new()).await.complete, "an account that is new");
}

#[tokio::test]
async fn a_count_that_is_always_off_costs_a_second_reading_once_and_stops_nothing() {
    for (rides, first, daily, whole) in [(250, 10, 2, 5), (60, 6, 2, 3)] {
        let account = Account::open(rides).await;
        account.fake.switch(|switches| switches.counts_more = 4);
        let page = account.read(&HashMap::new()).await;
        let listed = (page.activities.len(), page.complete, page.read);
        assert_eq!(listed, (rides as usize, true, Coverage::Whole));
        assert_eq!(account.requests(), first);
        account.clock.advance(Duration::from_secs(24 * 3600));
        let page = account.read(&known(&page)).await;
        assert!(matches!(page.read, Coverage::Since(_)) && page.complete, "{:?}", page.read);
        assert_eq!(account.requests(), daily, "{rides}");
        account.clock.advance(Duration::from_secs(24 * 3600));
        let page = account.read(&known(&page)).await;
        assert_eq!((page.complete, page.read), (true, Coverage::Whole));
        assert_eq!(account.requests(), whole, "{rides}");
    }
}

#[tokio::test]
async fn a_swap_is_noticed_within_two_days_and_never_covered_by_what_was_read() {
    let account = Account::open(250).await;
    let before = account.known().await;
    let (gone, came) = {
        let mut world = account.fake.world();
        let gone = world.activities.remove(0);
        let start = gone.start - SignedDuration::from_hours(30);
        world.activities.push(Stored { id: 7, start, ..gone.clone() });
        (RemoteId::new(gone.id.to_string()), RemoteId::new("7"))
    };
    account.clock.advance(Duration::from_secs(24 * 3600));
    let page = account.read(&before).await;
    let rows = known(&page);
    assert_eq!(account.requests(), 2);
    assert!(rows.contains_key(&gone) && !rows.contains_key(&came), "the count hides it");
    let start = before[&gone].start.unwrap();
    assert!(!page.read.reaches(start), "{:?} claims to have read {start}", page.read);
    account.clock.advance(Duration::from_secs(24 * 3600));
    let page = account.read(&rows).await;
    let rows = known(&page);
    assert_eq!((page.read, page.complete), (Coverage::Whole, true));
    assert!(!rows.contains_key(&gone) && rows.contains_key(&came));
}

#[tokio::test]
async fn after_a_clock_was_set_back_everything_is_read() {
    let account = Account::open(250).await;
    let before = account.known().await;
    let hour_ago = account.clock.now() - SignedDuration::from_hours(1);
    let clock = Arc::new(ManualClock::new(hour_ago));
    let platform = garmin::open_in(&account.fake, &account.home, &clock, Timeouts::default());
    let request = ListRequest { window: Window::default(), page: None, known: &before };
    assert_eq!(platform.list(request).await.unwrap().read, Coverage::Whole);
}

#[tokio::test]
async fn days_are_read_row_by_row_whatever_is_known() {
    let account = Account::open(120).await;
    let before = account.known().await;
    let swapped = {
        let mut world = account.fake.world();
        let gone = world.activities.remove(10);
        world.activities.push(Stored { id: 7, distance_m: 1, ..gone.clone() });
        RemoteId::new(gone.id.to_string())
    };
    let page = account.page(days(10, 12), &before).await;
    let rows = known(&page);
    assert!(!rows.contains_key(&swapped) && rows.contains_key(&RemoteId::new("7")));
    assert_eq!((page.complete, page.read), (true, Coverage::Whole));
    assert_eq!(account.requests(), 2, "what is missing is looked for twice");
    let page = account.page(days(10, 12), &rows).await;
    assert_eq!((page.activities.len(), page.complete, account.requests()), (3, true, 1));
    account.fake.switch(|switches| switches.empty_first = 1);
    let page = account.page(days(10, 12), &rows).await;
    assert_eq!((page.activities.len(), page.complete), (3, true), "an empty answer");
}

#[tokio::test]
async fn days_that_fill_pages_are_read_to_their_end() {
    let account = Account::open(120).await;
    account.fake.switch(|switches| switches.most_rows = 20);
    let window = Window { first: days(1, 1).first, last: None };
    let page = account.page(window, &HashMap::new()).await;
    assert_eq!((page.activities.len(), page.complete), (120, true));
    account.fake.switch(|switches| switches.empty_later = 2);
    let page = account.page(window, &HashMap::new()).await;
    assert!(!page.complete);
}

#[tokio::test]
async fn a_look_shows_the_row_of_this_moment() {
    let account = Account::open(150).await;
    let before = account.known().await;
    let id = RemoteId::new("80000003");
    account.fake.world().find(80_000_003).distance_m = 31_000;
    let row = account.platform.look(&before[&id], &before).await.unwrap().unwrap();
    assert_eq!((row.distance_m, account.requests()), (Some(31_000), 1));
    account.fake.world().activities.retain(|stored| stored.id != 80_000_003);
    assert_eq!(account.platform.look(&row, &before).await, Ok(None));
    {
        let mut world = account.fake.world();
        let one = world.activities[0].clone();
        let late = Stored { id: 80_000_003, start: row.start.unwrap(), hidden_for: 1, ..one };
        world.activities.push(late);
    }
    assert!(account.platform.look(&row, &before).await.unwrap().is_some(), "it came late");
}

#[test]
fn an_account_that_lists_nothing_all_at_once_is_unavailable() {
    let stage = Stage::new(3).logged_in();
    stage.cli.run("plan").ok().says("3 to upload");
    let activities = std::mem::take(&mut stage.us.world().activities);
    for refresh in ["", "--refresh full"] {
        let ran = stage.cli.run(&format!("plan {refresh}"));
        ran.exits(5).says("it lists nothing, though it listed 3 activities before");
    }
    let ran = stage.cli.run("plan").exits(5);
    let told = ran.stdout.clone() + &ran.stderr;
    let command = told.split("empty indeed: fit_sync ").nth(1).unwrap().lines().next().unwrap();
    stage.cli.run(command.trim()).ok();
    stage.cli.run("plan").ok();
    stage.us.world().activities = activities;
    stage.us.world().store(&cli::ride("2026-11-19T06:00:00Z").build(), "New");
    stage.cli.run("plan").ok().says("4 to upload");
}
