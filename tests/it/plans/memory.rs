//! What links and decisions remember, and what voids them.

use super::shows;
use crate::support::scenario::Scenario;

fn watch_to_archive() -> Scenario {
    Scenario::new().rule("watch -> archive")
}

#[test]
fn renamed_files_keep_their_link() {
    let linked = watch_to_archive()
        .has("watch", "w.fit 2026-11-10T06:00:00Z running 3000s sha=w")
        .has("archive", "a.fit 2026-11-10T06:00:00Z running 3000s sha=a")
        .placed("watch/w.fit -> archive/a.fit");
    let renamed = linked.renamed("watch", "w.fit", "w2.fit").renamed("archive", "a.fit", "2/a.fit");
    shows("renamed", &renamed);
}

#[test]
fn a_name_that_another_file_took_does_not_keep_the_link() {
    let linked = watch_to_archive()
        .replacing()
        .has("watch", "latest.fit 2026-11-10T06:00:00Z running 3000s sha=1 records=3000")
        .has("archive", "a.fit 2026-11-10T06:00:00Z running 3000s sha=1 records=3000")
        .placed("watch/latest.fit -> archive/a.fit");
    let moved = linked
        .clone()
        .renamed("watch", "latest.fit", "old.fit")
        .has("watch", "latest.fit 2026-11-09T06:00:00Z running 3000s sha=2 records=3000");
    shows("name_taken_after_a_rename", &moved);
    let overwritten =
        linked.edited("watch", "latest.fit 2026-11-12T06:00:00Z running 3000s sha=2 records=3000");
    shows("name_taken_by_another_recording", &overwritten);
}

/// Of what one source lists alike, the second one waits for the first; its own copy does not.
#[test]
fn what_another_account_holds_takes_no_remembered_place() {
    let scenario = Scenario::new()
        .rule("watch -> archive")
        .rule("phone -> archive")
        .has("phone", "p 2026-11-10T06:00:00Z running 3000s")
        .has(
            "watch",
            "1 2026-11-10T06:01:00Z running 3000s
             2 2026-11-10T06:01:00Z running 3000s",
        );
    let sources = |world: &Scenario| -> Vec<String> {
        world.plan().document.body.steps.iter().map(|step| step.source.id.to_string()).collect()
    };
    assert_eq!(sources(&scenario), ["1", "2"]);
    assert_eq!(sources(&scenario.applied()), [""; 0]);
}

/// What was found to be a pair is replaced only while nothing else there looks like it.
#[test]
fn a_found_pair_is_a_question_once_another_fits_as_well() {
    let source = "1 2026-11-10T06:00:00Z running 3000s 10000m sha=1 records=3000";
    let pair = |origin: fn(Scenario, &str) -> Scenario| {
        let world = watch_to_archive().replacing().has("watch", source);
        let world =
            world.has("archive", "a 2026-11-10T06:00:00Z running 3000s 10000m sha=a records=2900");
        origin(world, "watch/1 -> archive/a")
    };
    let facts = |world: &Scenario| {
        let plan = world.plan();
        (plan.document.body.steps.len(), plan.document.context.conflicts.len(), plan.in_sync.len())
    };
    let like = "b 2026-11-10T06:00:00Z running 3000s sha=b records=2900";
    // Nothing is asked where nothing is to be done.
    assert_eq!(facts(&pair(Scenario::found).has("archive", like)), (0, 0, 1));
    let edited = "1 2026-11-10T06:00:00Z running 3000s 12000m sha=2 records=3000";
    let found = pair(Scenario::found).edited("watch", edited);
    assert_eq!(facts(&found), (1, 0, 0));
    assert_eq!(facts(&found.clone().has("archive", like)), (0, 1, 0));
    // What fits less well is no rival, and what has the very bytes is it.
    let near = "b 2026-11-10T06:00:40Z running 2990s sha=b records=2900";
    assert_eq!(facts(&found.clone().has("archive", near)), (1, 0, 0));
    let same = "b 2026-11-10T06:00:00Z running 3000s 12000m sha=2 records=3000";
    assert_eq!(facts(&found.clone().has("archive", same)), (0, 0, 1));
    // What apply put there is its own, whatever else comes.
    let placed = pair(Scenario::placed).edited("watch", edited).has("archive", like);
    assert_eq!(facts(&placed), (1, 0, 0));
}

/// Where no bytes are listed, the same length at another hour may be an edited start or another
/// recording: what has the very start of the destination's tells.
#[test]
fn an_edited_start_keeps_its_link_unless_another_has_the_old_one() {
    let linked = watch_to_archive()
        .has("watch", "1 2026-11-10T06:00:00Z running 3000s 10000m")
        .has("archive", "a 2026-11-10T06:00:00Z running 3000s 10000m")
        .placed("watch/1 -> archive/a")
        .edited("watch", "1 2026-11-10T08:00:00Z running 3000s 10000m");
    let plan = linked.plan();
    assert_eq!((plan.document.body.steps.len(), plan.in_sync.len()), (0, 1));
    let plan = linked.has("watch", "2 2026-11-10T06:00:00Z running 3000s 10000m").plan();
    let uploads: Vec<&str> =
        plan.document.body.steps.iter().map(|step| step.source.id.as_str()).collect();
    assert_eq!((uploads, plan.in_sync.len()), (vec!["1"], 1));
}

#[test]
fn names_swapped_at_the_destination_change_nothing() {
    let scenario = watch_to_archive()
        .has(
            "watch",
            "1.fit 2026-11-10T06:00:00Z running 3000s sha=1
             2.fit 2026-11-11T06:00:00Z running 3000s sha=2",
        )
        .has(
            "archive",
            "a.fit 2026-11-10T06:00:00Z running 3000s sha=a
             b.fit 2026-11-11T06:00:00Z running 3000s sha=b",
        )
        .placed("watch/1.fit -> archive/a.fit")
        .placed("watch/2.fit -> archive/b.fit")
        .renamed("archive", "a.fit", "c.fit")
        .renamed("archive", "b.fit", "a.fit")
        .renamed("archive", "c.fit", "b.fit");
    shows("names_swapped", &scenario);
}

#[test]
fn what_was_removed_at_the_destination_is_not_brought_back() {
    let scenario = watch_to_archive()
        .has("watch", "1 2026-11-10T06:00:00Z running 3000s")
        .has("archive", "a 2026-11-10T06:00:00Z running 3000s")
        .placed("watch/1 -> archive/a")
        .lacks("archive", "a");
    shows("removed_at_destination", &scenario);
    shows("removed_or_only_unread", &scenario.read_in_part("archive"));
}

#[test]
fn what_is_linked_to_one_recording_is_no_candidate_for_another() {
    let scenario = watch_to_archive()
        .has("watch", "1 2026-11-10T06:00:00Z running 3000s")
        .has("archive", "a 2026-11-10T06:00:00Z running 3000s")
        .placed("watch/1 -> archive/a")
        .has("watch", "0 2026-11-10T06:00:00Z running 3000s");
    shows("linked_to_another", &scenario);
    shows("linked_to_one_that_left", &scenario.lacks("watch", "1"));
}

/// One run, and two others that it may be.
fn question() -> Scenario {
    watch_to_archive().has("watch", "1 2026-11-10T06:00:00Z running 3000s").has(
        "archive",
        "a 2026-11-10T06:00:01Z running 3000s
         b 2026-11-10T06:00:02Z running 3000s",
    )
}

/// It was edited, so that its fingerprint is another one.
fn edited(decided: Scenario) -> Scenario {
    decided.edited("watch", "1 2026-11-10T06:00:00Z running 3001s")
}

#[test]
fn adopted_until_it_changes() {
    let decided = question().adopt("watch/1 -> archive/b");
    shows("adopted", &decided);
    shows("adopted_then_edited", &edited(decided));
}

#[test]
fn distinct_until_it_changes() {
    let decided = question().distinct("watch/1 -> archive/a archive/b");
    shows("distinct", &decided);
    shows("distinct_then_edited", &edited(decided.clone()));
    let third = decided.has("archive", "c 2026-11-10T06:00:03Z running 2900s");
    shows("distinct_until_another_appears", &third);
}

#[test]
fn ignored_until_it_changes() {
    let decided = question().ignore("watch/1 -> archive");
    shows("ignored", &decided);
    shows("ignored_then_edited", &edited(decided));
}

#[test]
fn a_decision_beats_a_link() {
    let changed = watch_to_archive()
        .has("watch", "1 2026-11-10T06:00:00Z running 3000s")
        .has("archive", "a 2026-11-10T06:00:00Z running 3000s")
        .placed("watch/1 -> archive/a")
        .edited("watch", "1 2026-11-10T06:00:00Z running 2900s")
        .edited("archive", "a 2026-11-10T06:00:00Z running 2800s");
    shows("changed_then_adopted", &changed.clone().adopt("watch/1 -> archive/a"));
    shows("changed_then_told_apart", &changed.distinct("watch/1 -> archive/a"));
}

#[test]
fn an_upload_that_never_appeared_can_be_decided() {
    let lost = watch_to_archive().has("watch", "1 2026-11-10T06:00:00Z running 3000s").pending(
        "watch/1 -> archive",
        "2026-11-10T09:00:00Z",
        3,
    );
    shows("never_appeared_then_told_apart", &lost.distinct("watch/1 -> archive"));
}

#[test]
fn several_activities_can_be_uploaded_as_they_are() {
    let chain = watch_to_archive().has("watch", "1 2026-11-10T06:00:00Z running 3000s several");
    shows("several_activities_decided", &chain.distinct("watch/1 -> archive"));
}
