//! What is only guessed about COROS, both ways: whichever is true, nothing is lost, nothing doubled,
//! and in the end there is nothing left to do.

use std::time::Duration;

use crate::support::fake_coros::{Duplicates, Place, Switches, Trouble, Unreadable};
use crate::support::world::End;

use super::flows::{Flow, Stage};

type Guess = (&'static str, fn(&mut Switches));

const GUESSES: [Guess; 34] = [
    ("as the fake is", |_| {}),
    ("many sessions", |s| s.one_session = false),
    ("ids are numbers", |s| s.numeric_ids = true),
    ("one row a page", |s| s.page_rows = 1),
    ("the count is always more", |s| s.counts_more = 3),
    ("no count of pages", |s| s.list_lacks = &["totalPage"]),
    ("no count of rows", |s| s.list_lacks = &["count"]),
    ("no counts", |s| s.list_lacks = &["count", "totalPage", "pageNumber"]),
    ("short pages and no count of them", |s| {
        (s.page_rows, s.list_lacks) = (1, &["totalPage"]);
    }),
    ("short pages and no counts", |s| {
        (s.page_rows, s.list_lacks) = (1, &["totalPage", "count"]);
    }),
    ("another sport is refused", |s| s.refuses_wrong_sport = true),
    ("every download is another export", |s| s.exports_anew = true),
    ("imports are done at once", |s| s.polls = 0),
    ("imports take a while", |s| s.polls = 7),
    ("imports take longer than anybody asks", |s| s.polls = 40),
    ("a registration is modest", |s| s.boasts = false),
    ("imports are never listed", |s| s.forgets_imports = true),
    ("shown at the second look", |s| s.shows_after = 1),
    ("shown at the fourth look", |s| s.shows_after = 3),
    ("shown in a later run", |s| s.shows_after = 12),
    ("what is removed lingers for a look", |s| s.lingers = 1),
    ("what is removed lingers for three looks", |s| s.lingers = 3),
    ("what is removed lingers for a run", |s| s.lingers = 9),
    ("the right zone leaves the start alone", |s| s.zone_moves_start = Some(0)),
    ("another type of that family", |s| s.retypes = Some(204)),
    ("another type", |s| s.retypes = Some(101)),
    ("another type that nobody knows", |s| s.retypes = Some(403)),
    ("imports say nothing of time and distance", |s| s.zeroes = true),
    ("names are not taken", |s| s.ignores_names = true),
    ("the marker stands before", |s| s.marker_first = true),
    ("objects are never written over", |s| s.forbids_overwrite = true),
    ("a second copy is left out", |s| s.duplicates = Duplicates::LeftOut),
    ("a second copy fails", |s| s.duplicates = Duplicates::Failed),
    ("a second copy is refused", |s| s.duplicates = Duplicates::Refused),
];

async fn stage(flow: Flow, change: fn(&mut Switches)) -> Stage {
    let mut switches = Switches::of("cn");
    change(&mut switches);
    Stage::with(flow, switches, true, false).await
}

/// Runs until a run has nothing more to say.
async fn work(stage: &mut Stage) {
    for _ in 0..4 {
        if stage.world.apply().await.end(true) == End::Done {
            return;
        }
        stage.world.pass(Duration::from_secs(120));
        stage.next_run();
    }
}

#[tokio::test]
async fn whichever_guess_is_true_the_work_is_done_once_and_the_next_plan_is_empty() {
    for flow in Flow::ALL {
        for (what, change) in GUESSES {
            if flow == Flow::Replace && what.starts_with("a second copy") {
                continue;
            }
            let mut stage = stage(flow, change).await;
            work(&mut stage).await;
            assert_eq!(stage.left().await, Vec::<String>::new(), "{what}, {flow:?}");
            assert_eq!(stage.broken_laws(), Vec::<String>::new(), "{what}, {flow:?}");
            stage.world.empty_cache();
            stage.world.forget_state();
            stage.next_run();
            assert_eq!(stage.left().await, Vec::<String>::new(), "{what}, {flow:?}, forgotten");
            work(&mut stage).await;
            assert_eq!(stage.broken_laws(), Vec::<String>::new(), "{what}, {flow:?}, forgotten");
        }
    }
}

#[tokio::test]
async fn names_are_carried_over_where_they_are_taken() {
    for ignored in [false, true] {
        let change: fn(&mut Switches) =
            if ignored { |s| s.ignores_names = true } else { |s| s.ignores_names = false };
        let mut stage = stage(Flow::Replace, change).await;
        work(&mut stage).await;
        let expected = if ignored { "" } else { "As I called it" };
        assert_eq!(stage.titles(), [expected; 2]);
    }
}

const REFUSED_TWICE: [End; 3] = [End::Partly, End::Done, End::Done];

#[tokio::test]
async fn where_no_second_copy_is_taken_nothing_is_removed_and_every_run_says_so() {
    for duplicates in [Duplicates::LeftOut, Duplicates::Failed, Duplicates::Refused] {
        let mut stage = stage(Flow::Replace, |_| {}).await;
        stage.fake.switch(|switches| switches.duplicates = duplicates);
        let mut ends = Vec::new();
        for _ in 0..3 {
            ends.push(stage.world.apply().await.end(true));
            assert!(stage.is_untouched(), "{duplicates:?}");
            stage.world.pass(Duration::from_secs(4 * 24 * 3600));
            stage.next_run();
        }
        let document = stage.world.plan().await.plan.document;
        let skips: Vec<_> = document.context.skips.iter().map(|skip| skip.reason).collect();
        let registered = stage.fake.world().imports.len();
        match duplicates {
            // Waited for a week, then sent again.
            Duplicates::LeftOut => assert_eq!((ends, registered), (vec![End::Partly; 3], 4)),
            // Refused on two days, then left alone; a week later it is looked at once more.
            Duplicates::Refused => assert_eq!((&ends[..], registered), (&REFUSED_TWICE[..], 0)),
            Duplicates::Failed => {
                assert_eq!(ends, REFUSED_TWICE);
                assert_eq!((skips.len(), document.body.steps.len(), registered), (0, 2, 4));
            }
            Duplicates::Taken => {}
        }
    }
}

#[tokio::test]
async fn a_start_that_a_zone_moves_is_not_sent_again() {
    let mut stage = stage(Flow::Into, |s| s.zone_moves_start = Some(32)).await;
    for _ in 0..3 {
        stage.world.apply().await;
        assert_eq!(stage.broken_laws(), Vec::<String>::new());
        stage.world.pass(Duration::from_secs(120));
        stage.next_run();
    }
    assert_eq!(stage.fake.world().imports.len(), 2);
    stage.world.forget_state();
    let asked = stage.world.left().await;
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(
        asked.iter().all(|asked| asked.starts_with("possible_time_zone_duplicate")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_object_that_is_broken_in_the_store_is_told_or_never_appears_and_is_not_doubled() {
    for unreadable in [Unreadable::Counted, Unreadable::Negative, Unreadable::Hidden] {
        let mut stage = stage(Flow::Into, |_| {}).await;
        stage.fake.switch(|switches| switches.unreadable = unreadable);
        stage.fake.fails_for(1, Place::Put, Trouble::Spoilt);
        for _ in 0..3 {
            stage.world.apply().await;
            stage.world.pass(Duration::from_secs(4 * 24 * 3600));
            stage.next_run();
        }
        assert_eq!(stage.broken_laws(), Vec::<String>::new());
        let document = stage.world.plan().await.plan.document;
        let (asked, skips) = (document.context.conflicts.len(), document.context.skips.len());
        // What was refused is sent once more on the second day, and is whole by then.
        let told = if unreadable == Unreadable::Hidden { (1, 0) } else { (0, 0) };
        assert_eq!((asked, skips), told, "{unreadable:?}");
    }
}

#[tokio::test]
async fn a_list_with_a_hole_is_no_whole_list() {
    for page in [1, 2] {
        for flow in Flow::ALL {
            let mut stage = stage(flow, |s| s.page_rows = 1).await;
            let rows = stage.fake.world().activities.len();
            stage.fake.switch(|switches| switches.empty_page = Some(page));
            let outcome = stage.world.apply().await;
            if rows >= page {
                let end = outcome.end(stage.wrote());
                // Of a source in part, what is there may be brought.
                let expected = if stage.wrote() { End::Partly } else { End::Unavailable };
                assert_eq!(end, expected, "page {page}, {flow:?}");
                assert!(flow == Flow::Out || !stage.wrote(), "page {page}, {flow:?}");
            }
            stage.fake.switch(|switches| switches.empty_page = None);
            stage.next_run();
            work(&mut stage).await;
            assert_eq!(stage.left().await, Vec::<String>::new(), "page {page}, {flow:?}");
            assert_eq!(stage.broken_laws(), Vec::<String>::new(), "page {page}, {flow:?}");
        }
    }
}

#[tokio::test]
async fn a_new_export_is_no_change_for_a_rule_that_replaces() {
    let mut stage = stage(Flow::Out, |s| s.exports_anew = true).await;
    stage.world = stage.world.replacing();
    work(&mut stage).await;
    for forgets in [false, true, true] {
        if forgets {
            stage.world.forget_state();
        }
        stage.world.empty_cache();
        stage.next_run();
        assert_eq!(stage.left().await, Vec::<String>::new());
        assert_eq!(stage.world.apply().await.phases(), []);
    }
}
