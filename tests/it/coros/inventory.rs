//! The list: whole, in windows, in parts, drifting, and what a day without news costs.

use std::collections::HashMap;
use std::time::Duration;

use fit_sync::domain::{Activity, Coverage, RemoteId};
use fit_sync::platform::{PlatformError, Window};

use crate::support::cli;
use crate::support::fake_coros::{Place, Stored, Switches, Trouble};

use super::stage::{Account, Stage, ride};

const LIST: &str = "GET /activity/query";

fn known(rows: Vec<Activity>) -> HashMap<RemoteId, Activity> {
    rows.into_iter().map(|row| (row.id.clone(), row)).collect()
}

type Expected = fn(&PlatformError) -> bool;

#[tokio::test]
async fn pages_are_read_to_the_end_and_nothing_is_an_empty_account() {
    let account = Account::open(Switches::of("cn")).await;
    assert!(account.all().await.is_empty());
    assert_eq!(account.fake.take_seen(), [LIST]);
    for day in 1..=5 {
        account.fake.world().store(&ride(day).build(), "Ride", 32);
    }
    account.fake.switch(|switches| switches.page_rows = 2);
    let rows = account.all().await;
    assert_eq!(account.fake.take_seen(), [LIST; 3]);
    assert_eq!(rows.len(), 5);
    assert!(rows.is_sorted_by(|a, b| a.start > b.start));
    assert!(rows.iter().all(|row| row.local_offset_s == Some(28_800)));
}

#[tokio::test]
async fn a_day_without_news_is_one_request_and_news_no_more() {
    let account = Account::open(Switches::of("cn")).await;
    for day in 1..=3 {
        account.fake.world().store(&ride(day).build(), "Ride", 32);
    }
    let before = known(account.all().await);
    account.fake.take_seen();
    account.clock.advance(Duration::from_secs(86_400));
    account.fake.world().store(&ride(9).build(), "New", 32);
    let page = account.page(Window::default(), &before).await.unwrap();
    assert!(page.complete && page.activities.len() == 4);
    let grown = known(page.activities);
    let page = account.page(Window::default(), &grown).await.unwrap();
    assert!(page.complete && page.activities.len() == 4);
    assert_eq!(account.fake.take_seen(), [LIST; 2]);
}

#[tokio::test]
async fn what_was_removed_is_noticed_by_the_count_and_on_the_second_day_in_any_case() {
    let mut switches = Switches::of("cn");
    switches.page_rows = 2;
    let account = Account::open(switches).await;
    for day in 1..=5 {
        account.fake.world().store(&ride(day).build(), "Ride", 32);
    }
    let before = known(account.all().await);
    account.fake.world().activities.remove(0);
    let page = account.page(Window::default(), &before).await.unwrap();
    assert_eq!(page.activities.len(), 4);
    account.fake.take_seen();
    let mut rows = known(page.activities);
    for requests in [1, 2, 1, 2] {
        account.clock.advance(Duration::from_secs(86_400));
        let page = account.page(Window::default(), &rows).await.unwrap();
        assert_eq!(page.read == Coverage::Whole, requests == 2, "{:?}", page.read);
        rows = known(page.activities);
        assert_eq!(account.fake.take_seen().len(), requests, "everything every second day");
    }
}

#[tokio::test]
async fn windows_are_asked_for_wider_and_filtered_by_the_activity_s_own_day() {
    let account = Account::open(Switches::of("cn")).await;
    for day in 1..=5 {
        // 06:10 in UTC is 20:10 of the day before, ten hours to the west.
        account.fake.world().store(&ride(day).build(), "Ride", -40);
    }
    let window = Window {
        first: Some("2026-05-02".parse().unwrap()),
        last: Some("2026-05-03".parse().unwrap()),
    };
    let page = account.page(window, &HashMap::new()).await.unwrap();
    let days: Vec<String> = page
        .activities
        .iter()
        .map(|row| row.start.unwrap().to_string().chars().take(10).collect())
        .collect();
    assert_eq!(days, ["2026-05-04", "2026-05-03"]);
}

#[tokio::test]
async fn a_list_that_drifts_is_read_again_and_a_count_that_is_always_off_is_not_drift() {
    let mut switches = Switches::of("cn");
    (switches.page_rows, switches.drifts) = (2, true);
    let account = Account::open(switches).await;
    for day in 1..=3 {
        account.fake.world().store(&ride(day).build(), "Ride", 32);
    }
    let page = account.page(Window::default(), &HashMap::new()).await.unwrap();
    assert_eq!(page.activities.len(), 4, "each once, and the new one");
    account.fake.switch(|switches| switches.counts_more = 7);
    let rows = account.all().await;
    account.fake.take_seen();
    account.page(Window::default(), &known(rows)).await.unwrap();
    assert!(account.fake.take_seen().len() <= 2);
}

#[tokio::test]
async fn failures_are_told_apart_and_only_some_are_repeated() {
    let cases: [(Trouble, usize, Expected); 6] = [
        (Trouble::Status(502), 3, |error| matches!(error, PlatformError::Unavailable(_))),
        (Trouble::Lost, 3, |error| matches!(error, PlatformError::Unavailable(_))),
        (Trouble::Status(200), 3, |error| matches!(error, PlatformError::Unavailable(_))),
        (Trouble::Bare, 3, |error| matches!(error, PlatformError::Unavailable(_))),
        (Trouble::Halved, 3, |error| matches!(error, PlatformError::Unavailable(_))),
        (Trouble::Result("1001", "Service exceptions"), 1, |error| {
            matches!(error, PlatformError::Permanent(_))
        }),
    ];
    for (trouble, requests, is_expected) in cases {
        let account = Account::open(Switches::of("cn")).await;
        account.fake.fails(Place::List, trouble);
        let error = account.page(Window::default(), &HashMap::new()).await.unwrap_err();
        assert!(is_expected(&error), "{trouble:?}: {error}");
        assert_eq!(account.fake.take_seen().len(), requests, "{trouble:?}");
    }
}

#[test]
fn a_day_without_news_costs_one_request_and_no_login_through_every_command() {
    for counts_more in [0, 7] {
        let mut switches = Switches::of("cn");
        switches.counts_more = counts_more;
        let mut stage = Stage::new(switches);
        let first: jiff::Timestamp = "2026-11-01T06:10:00Z".parse().unwrap();
        for number in 0..250 {
            let start = first - jiff::SignedDuration::from_hours(24 * number);
            stage.fake.world().store(&cli::ride(&start.to_string()).build(), "Ride", 32);
        }
        stage.cli.run("plan").ok().says("250 to upload");
        let seen = stage.fake.take_seen();
        // A count that is off costs a look at the end and a second reading.
        let (lists, whole) = if counts_more == 0 { (3, 3) } else { (8, 4) };
        assert_eq!(seen.len(), 1 + lists, "a login and every page: {seen:?}");
        for day in 21..=26 {
            stage.cli.set("FIT_SYNC_NOW", format!("2026-11-{day}T12:00:00Z"));
            let mut first = if day % 2 == 0 { whole } else { 1 };
            for command in ["plan", "plan --detailed-exitcode", "list --account me --refresh"] {
                stage.cli.run(command);
                assert_eq!(stage.fake.take_seen(), vec![LIST; first], "{command} on day {day}");
                first = 1;
            }
        }
        stage.fake.world().store(&cli::ride("2026-11-26T06:00:00Z").build(), "New", 32);
        stage.cli.run("plan").ok().says("251 to upload");
        assert_eq!(stage.fake.take_seen(), [LIST], "one that is new");
        stage.fake.world().store(&cli::ride("2020-01-01T06:00:00Z").build(), "Late", 32);
        stage.cli.run("plan").ok().says("252 to upload");
        assert!(stage.fake.take_seen().len() <= 6, "one that is late");
    }
}

#[test]
fn five_thousand_activities_cost_their_pages_and_nothing_else() {
    let stage = Stage::new(Switches::of("us"));
    stage.fake.world().store(&ride(1).build(), "Ride", 32);
    {
        let world = &mut *stage.fake.world();
        let one = world.activities[0].clone();
        world.activities = (0..5000_u32)
            .map(|number| {
                let start = one.start - jiff::SignedDuration::from_hours(7 * i64::from(number));
                Stored { id: one.id + u64::from(number), start, ..one.clone() }
            })
            .collect();
    }
    stage.cli.run("plan --format summary").ok().says("5000 to upload");
    assert_eq!(stage.fake.count("/activity/query"), 50);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_makes_the_list_a_part_and_nothing_of_it_is_taken_for_gone() {
    let account = Account::open(Switches::of("cn")).await;
    for day in 1..=3 {
        account.fake.world().store(&ride(day).build(), "Ride", 32);
    }
    let before = known(account.all().await);
    account.fake.world().activities[1].id = 0;
    for known in [&before, &HashMap::new()] {
        let page = account.page(Window::default(), known).await.unwrap();
        assert!(!page.complete && page.activities.len() == 2, "{page:?}");
    }
    account.fake.fails(Place::List, Trouble::Bare);
    let error = account.page(Window::default(), &HashMap::new()).await.unwrap_err();
    assert!(matches!(error, PlatformError::Unavailable(_)), "{error}");
}

#[tokio::test]
async fn an_empty_page_is_read_again_and_twice_it_is_a_part() {
    let without: [&[&str]; 4] =
        [&[], &["totalPage"], &["count"], &["totalPage", "count", "pageNumber"]];
    for lacks in without {
        for page in 1..=3 {
            for (times, is_whole) in [(1, true), (2, false)] {
                let mut switches = Switches::of("cn");
                (switches.page_rows, switches.list_lacks) = (2, lacks);
                let account = Account::open(switches).await;
                for day in 1..=5 {
                    account.fake.world().store(&ride(day).build(), "Ride", 32);
                }
                let before = known(account.all().await);
                account.clock.advance(Duration::from_secs(48 * 3600));
                account.fake.switch(|switches| {
                    (switches.empty_page, switches.empty_times) = (Some(page), times);
                });
                let what = format!("without {lacks:?}, page {page} empty {times} times");
                match account.page(Window::default(), &before).await {
                    Ok(page) if is_whole => {
                        assert!(page.complete && page.activities.len() == 5, "{what}: {page:?}");
                    }
                    // An answer without a single one of its members is asked for again.
                    Ok(page) => {
                        let is_all = page.activities.len() == 5;
                        assert!(!page.complete || is_all, "{what}: {page:?}");
                    }
                    Err(error) => assert!(page == 1 && !lacks.is_empty(), "{what}: {error}"),
                }
            }
        }
    }
}

#[tokio::test]
async fn a_swap_is_noticed_within_two_days_and_never_covered_by_what_was_read() {
    let mut switches = Switches::of("cn");
    switches.page_rows = 3;
    let account = Account::open(switches).await;
    for day in 1..=9 {
        account.fake.world().store(&ride(day).build(), "Ride", 32);
    }
    let before = known(account.all().await);
    let gone = account.fake.world().activities.remove(0);
    let start = gone.start - jiff::SignedDuration::from_hours(30);
    let swapped = Stored { id: gone.id + 700, start, ..gone.clone() };
    let came = RemoteId::new(swapped.id.to_string());
    account.fake.world().activities.push(swapped);
    account.clock.advance(Duration::from_secs(24 * 3600));
    let page = account.page(Window::default(), &before).await.unwrap();
    assert!(!page.read.reaches(gone.start), "{:?}", page.read);
    let rows = known(page.activities);
    assert!(!rows.contains_key(&came), "the count hides it");
    let day = Some("2026-05-01".parse().unwrap());
    let days = account.page(Window { first: day, last: day }, &rows).await.unwrap();
    assert!(days.complete && days.activities.is_empty(), "days are read row by row: {days:?}");
    account.clock.advance(Duration::from_secs(24 * 3600));
    let page = account.page(Window::default(), &rows).await.unwrap();
    assert_eq!((page.complete, page.read), (true, Coverage::Whole));
    let rows = known(page.activities);
    assert!(rows.contains_key(&came) && !rows.contains_key(&RemoteId::new(gone.id.to_string())));
}

#[tokio::test]
async fn an_empty_answer_is_not_believed_where_rows_were_known() {
    let account = Account::open(Switches::of("cn")).await;
    account.fake.world().store(&ride(1).build(), "Ride", 32);
    let before = known(account.all().await);
    account.fake.world().activities.clear();
    assert!(!account.page(Window::default(), &before).await.unwrap().complete);
    assert!(account.page(Window::default(), &HashMap::new()).await.unwrap().complete);
}
