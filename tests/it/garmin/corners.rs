//! What only Garmin does: duplicates in every shape, late lists, pages that move, refusals of a whole
//! account, and manners under pressure.

use std::collections::HashMap;
use std::time::Duration;

use fit_sync::domain::{Details, RemoteId};
use fit_sync::event::Phase;
use fit_sync::net::Timeouts;
use fit_sync::plan::SkipReason;
use fit_sync::platform::{ListRequest, PlatformError, Window};

use crate::support::fake_garmin::{Change, Duplicates, FakeGarmin, Stored, Switches, Trouble};
use crate::support::garmin;
use crate::support::world::End;

use super::pair::{Flow, Opened, Pair, ride};

const NOTHING: Vec<String> = Vec::new();

fn asked(fake: &FakeGarmin, method: &str, path: &str) -> usize {
    let seen = &fake.world().seen;
    let what = |seen: &str| seen.starts_with(method) && seen.contains(path);
    seen.iter().filter(|seen| what(&seen.what)).count()
}

#[tokio::test]
async fn a_duplicate_is_believed_in_no_shape_before_it_is_seen() {
    let pair = Pair::start();
    for flow in [Flow::Upload, Flow::Replace] {
        for shape in Duplicates::ALL {
            let mut play = pair.play(flow, 1, Opened::Shared);
            let what = format!("{flow:?} {shape:?}");
            let own = play.recordings[0].bytes.clone();
            // Somebody brings it by another way, and the list does not show it at once.
            let arrives = || {
                let mut world = pair.cn.world();
                world.switches.duplicates = shape;
                if flow == Flow::Upload {
                    let id = world.store(&own, "By another way");
                    world.find(id).hidden_for = 3;
                } else {
                    world.switches.forgets_after = 2;
                }
            };
            let first = play.run(arrives).await;
            assert_eq!(play.broken_laws(), NOTHING, "{what}: {}", first.told());
            let is_named = shape == Duplicates::AsSuccess && flow == Flow::Replace;
            let end = if is_named { End::Partly } else { End::Done };
            assert_eq!(first.end(play.wrote()), end, "{what}: {}", first.told());
            play.heal();
            play.go_on().await;
            assert_eq!(play.unfinished().await, NOTHING, "{what}: {}", first.told());
        }
    }
}

#[tokio::test]
async fn a_duplicate_of_another_recording_is_a_question() {
    let pair = Pair::start();
    let mut play = pair.play(Flow::Upload, 1, Opened::Shared);
    // The same start, but hardly the same time.
    let other =
        crate::support::fit::FitFile::new(play.recordings[0].start).elapsed_s(60).records(5);
    let arrives = || {
        pair.cn.world().store(&other.build(), "Short");
    };
    let first = play.run(arrives).await;
    assert_eq!(first.phases(), [Phase::Failed], "{}", first.told());
    assert_eq!(play.broken_laws(), NOTHING);
    for _ in 0..2 {
        let next = play.run(|| ()).await;
        assert_eq!(next.end(false), End::Decide, "and stays one: {}", next.told());
    }
    assert_eq!(pair.cn.world().changes, []);
    assert_eq!(asked(&pair.cn, "POST", "/upload"), 1, "not sent again");
}

#[tokio::test]
async fn of_two_recordings_of_one_start_one_is_taken_and_the_other_is_a_question() {
    let pair = Pair::start();
    let mut play = pair.play(Flow::Upload, 1, Opened::Shared);
    let twin = ride(0, 30_500).1;
    pair.us.world().store(&twin, "The other watch");
    let first = play.run(|| ()).await;
    let mut phases = first.phases();
    phases.sort();
    assert_eq!(first.end(play.wrote()), End::Partly, "{}", first.told());
    assert_eq!(phases, [Phase::Confirmed, Phase::Failed], "{}", first.told());
    let changes = pair.cn.world().changes.clone();
    let is_stored = |change: &&Change| matches!(change, Change::Stored(_));
    assert_eq!(changes.iter().filter(is_stored).count(), 1, "{changes:?}");
    // Both are wanted there, and it takes one: that stays a question until somebody decides it.
    let next = play.run(|| ()).await;
    assert_eq!(next.end(false), End::Decide, "{}", next.told());
    assert_eq!(pair.cn.world().changes, changes, "nothing was doubled or removed");
}

#[tokio::test]
async fn what_is_listed_late_is_waited_for_and_then_pending() {
    let pair = Pair::start();
    for flow in [Flow::Upload, Flow::Replace] {
        for (late, end) in [(3, End::Done), (20, End::Partly)] {
            let mut play = pair.play(flow, 2, Opened::Shared);
            pair.cn.switch(|switches| switches.lists_late = late);
            let first = play.run(|| ()).await;
            assert_eq!(first.end(play.wrote()), end, "{flow:?} {late}: {}", first.told());
            for _ in 0..4 {
                play.go_on().await;
            }
            assert_eq!(play.broken_laws(), NOTHING, "{flow:?} {late}");
            assert_eq!(play.unfinished().await, NOTHING, "{flow:?} {late}");
        }
    }
}

#[tokio::test]
async fn an_account_that_takes_no_uploads_is_asked_once_and_says_what_to_do() {
    const EU: &str = r#"{"message":"The user is from EU location, but upload consent is not yet granted or revoked","error":"PreconditionFailedException"}"#;
    const WITHIN: &str = r#"{"detailedImportResult":{"failures":[{"messages":[{"code":null,"content":"upload consent is not yet granted"}]}]}}"#;
    let pair = Pair::start();
    for (status, text) in [(412, EU), (412, WITHIN), (200, WITHIN)] {
        let mut play = pair.play(Flow::Upload, 9, Opened::Shared);
        pair.cn.take_seen();
        pair.cn.switch(|switches| switches.upload = Trouble::Says(status, text));
        let first = play.run(|| ()).await;
        assert!(first.told().contains("Device Upload"), "{}", first.told());
        assert_eq!(asked(&pair.cn, "POST", "/upload"), 1, "and no more");
        assert_eq!(first.end(play.wrote()), End::Partly);
        play.heal();
        play.go_on().await;
        assert_eq!(play.unfinished().await, NOTHING);
    }
}

#[tokio::test]
async fn what_is_refused_for_good_is_remembered_and_what_was_entered_by_hand_has_no_file() {
    const BAD: &str = r#"{"detailedImportResult":{"uploadId":"","successes":null,"failures":[{"messages":[{"code":415,"content":"The file is of a type we do not support."}]}]}}"#;
    const NPE: &str = r#"{"message":"HTTP 500","error":"NullPointerException"}"#;
    let pair = Pair::start();
    let upload = |trouble| (true, trouble, SkipReason::RejectedByDestination);
    let cases = [
        upload(Trouble::Says(415, "{}")),
        upload(Trouble::Says(200, BAD)),
        upload(Trouble::Says(400, BAD)),
        (true, Trouble::Status(413), SkipReason::TooLarge),
        (false, Trouble::Says(500, NPE), SkipReason::NoOriginal),
        (false, Trouble::Says(404, NPE), SkipReason::NoOriginal),
    ];
    for (is_upload, trouble, reason) in cases {
        let mut play = pair.play(Flow::Upload, 1, Opened::Shared);
        let between = || {
            let fake = if is_upload { &pair.cn } else { &pair.us };
            fake.switch(|switches| match is_upload {
                true => switches.upload = trouble.clone(),
                false => switches.download = trouble.clone(),
            });
        };
        let first = play.run(between).await;
        assert_eq!(first.end(play.wrote()), End::Partly, "{trouble:?}: {}", first.told());
        let document = play.world.plan().await.plan.document;
        let skips: Vec<_> = document.context.skips.iter().map(|skip| skip.reason).collect();
        assert_eq!(skips, [reason], "{trouble:?}");
    }
}

#[tokio::test]
async fn a_throttled_account_is_asked_three_times_and_the_next_day_goes_on() {
    let pair = Pair::start();
    let usual = Opened::Anew(Timeouts::default());
    let mut play = pair.play(Flow::Upload, 8, usual);
    for (method, path, trouble) in
        [("GET", "/search", 'l'), ("GET", "/download-service", 'd'), ("POST", "/upload", 'u')]
    {
        pair.us.take_seen();
        pair.cn.take_seen();
        let fake = if trouble == 'd' { &pair.us } else { &pair.cn };
        let limit = |switches: &mut Switches| {
            let place = match trouble {
                'l' => &mut switches.list,
                'd' => &mut switches.download,
                _ => &mut switches.upload,
            };
            *place = Trouble::Status(429);
        };
        if trouble == 'l' {
            fake.switch(limit);
        }
        let before = play.world.clock.sleeps().len();
        let first = play.run(|| fake.switch(limit)).await;
        assert_eq!(first.end(play.wrote()), End::Unavailable, "{path}: {}", first.told());
        let times = asked(fake, method, path);
        match trouble {
            'l' => assert_eq!((times, asked(fake, "GET", "/count")), (0, 3)),
            // Others may be on their way when it asks for the third time.
            'd' => assert!(times <= 5, "{times}"),
            _ => assert_eq!(times, 3),
        }
        let waited: Duration = play.world.clock.sleeps()[before..].iter().sum();
        assert!(waited >= Duration::from_secs(120), "{path}: {waited:?}");
        play.heal();
    }
    play.world.pass(Duration::from_secs(24 * 3600));
    let next = play.run(|| ()).await;
    assert_eq!(next.end(play.wrote()), End::Done, "{}", next.told());
    assert_eq!(play.unfinished().await, NOTHING);
    assert_eq!(play.broken_laws(), NOTHING);
}

#[tokio::test]
async fn pages_that_move_are_read_again_and_short_ones_are_not_the_end() {
    let fake = FakeGarmin::start(Switches::of("garmin.com"));
    let (platform, _home) = garmin::open(&fake);
    {
        let mut world = fake.world();
        let id = world.store(&ride(0, 30_000).1, "Ride");
        let one = world.find(id).clone();
        world.activities = (0..230_u32).map(|number| at_day(&one, number)).collect();
        world.switches.drifts = Some(ride(300, 30_000).1);
    }
    let known = HashMap::new();
    let list = async |window| {
        let request = ListRequest { window, page: None, known: &known };
        platform.list(request).await.unwrap()
    };
    let page = list(Window::default()).await;
    assert_eq!((page.activities.len(), page.complete), (231, true));
    fake.switch(|switches| switches.most_rows = 20);
    let page = list(Window::default()).await;
    assert_eq!((page.activities.len(), page.complete), (231, true), "pages of twenty");
    fake.switch(|switches| switches.most_rows = 1000);
    for utc in [false, true] {
        fake.switch(|switches| switches.days_are_utc = utc);
        fake.take_seen();
        let day = "2026-05-02".parse().ok();
        let page = list(Window { first: day, last: day }).await;
        assert_eq!((page.activities.len(), fake.take_seen().len()), (1, 1));
    }
}

fn at_day(one: &Stored, number: u32) -> Stored {
    let later = jiff::SignedDuration::from_hours(24 * i64::from(number));
    let start = one.start.checked_add(later).unwrap();
    Stored { id: 80_000_000 + u64::from(number), start, ..one.clone() }
}

#[tokio::test]
async fn an_old_one_that_changed_far_down_the_list_is_seen_before_it_is_deleted() {
    let pair = Pair::start();
    let mut play = pair.play(Flow::Replace, 1, Opened::Shared);
    // So much newer stands above it that the newest page does not show it.
    let one = pair.cn.world().activities[0].clone();
    pair.cn.world().activities.extend((0..150).map(|number| {
        let id = 90_000_000 + u64::from(number);
        Stored { id, ..at_day(&one, 40 + number) }
    }));
    let start = play.recordings[0].start;
    let edited = || {
        let mut world = pair.cn.world();
        let old = world.activities.iter_mut().find(|stored| stored.start == start).unwrap();
        old.distance_m += 5_000;
    };
    let first = play.run(edited).await;
    assert_eq!(first.phases(), [Phase::Stale], "{}", first.told());
    assert_eq!(pair.cn.world().changes, [], "nothing was removed");
}

#[tokio::test]
async fn details_are_given_back_in_garmin_s_own_words_and_never_wider() {
    let fake = FakeGarmin::start(Switches::of("garmin.com"));
    let (platform, _home) = garmin::open(&fake);
    let id = fake.world().store(&ride(0, 30_000).1, "Ride");
    let remote = RemoteId::new(id.to_string());
    {
        let mut world = fake.world();
        let stored = world.find(id);
        (stored.kind, stored.access) = ("road_biking".to_owned(), "subscribers".to_owned());
        stored.description = "Windy".to_owned();
    }
    let old = platform.details(&remote).await.unwrap();
    for (now, then) in [("public", "subscribers"), ("private", "private")] {
        {
            let mut world = fake.world();
            let stored = world.find(id);
            (stored.kind, stored.access) = ("cycling".to_owned(), now.to_owned());
            (stored.title, stored.description) = ("Untitled".to_owned(), String::new());
        }
        platform.set_details(&remote, &old).await.unwrap();
        let mut world = fake.world();
        let stored = world.find(id);
        assert_eq!((stored.kind.as_str(), stored.access.as_str()), ("road_biking", then));
        assert_eq!((stored.title.as_str(), stored.description.as_str()), ("Ride", "Windy"));
    }
    let cleared = Details { description: Some(String::new()), ..Details::default() };
    platform.set_details(&remote, &cleared).await.unwrap();
    assert_eq!(fake.world().find(id).description, "");
    let nobody = platform.set_details(&RemoteId::new("1"), &cleared).await;
    assert_eq!(nobody, Err(PlatformError::NotFound));
}
