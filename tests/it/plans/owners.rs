//! Several rules, in one direction, in both, in a chain.

use fit_sync::plan::{BlockedReason, InSyncReason, Notice, SkipReason};

use super::shows;
use crate::support::scenario::Scenario;

const EVENT: &str = "1 2026-11-10T06:00:00Z running 3000s 10000m records=3000";
const SAME_EVENT: &str = "2 2026-11-10T06:00:09Z running 2995s 10040m records=3000";

fn two_watches() -> Scenario {
    Scenario::new().rule("fenix -> archive").rule("pace -> archive")
}

#[test]
fn the_first_rule_owns_an_event() {
    let scenario = two_watches().has("fenix", EVENT).has("pace", SAME_EVENT);
    shows("owned_by_the_first_rule", &scenario);
}

#[test]
fn the_last_rule_that_replaces_owns_an_event() {
    let scenario = Scenario::new()
        .rule("fenix -> archive")
        .replacing()
        .rule("pace -> archive")
        .replacing()
        .rule("phone -> archive")
        .has("fenix", EVENT)
        .has("pace", SAME_EVENT)
        .has("phone", "3 2026-11-10T06:00:20Z running 2980s 10000m");
    shows("owned_by_the_last_replacing_rule", &scenario);
}

#[test]
fn an_event_that_another_rule_brought_is_in_sync_for_its_owner() {
    let scenario = two_watches()
        .has("pace", SAME_EVENT)
        .has("archive", SAME_EVENT)
        .placed("pace/2 -> archive/2")
        .has("fenix", EVENT);
    shows("owner_after_the_other_rule", &scenario);
}

#[test]
fn an_event_that_another_rule_sent_is_not_sent_again_by_its_owner() {
    let scenario = two_watches()
        .has("pace", SAME_EVENT)
        .pending("pace/2 -> archive", "2026-11-19T09:00:00Z", 0)
        .has("fenix", EVENT);
    shows("owner_of_a_pending_event", &scenario);
}

#[test]
fn an_event_removed_at_the_destination_stays_removed_whoever_owns_it() {
    let scenario = two_watches()
        .has("pace", SAME_EVENT)
        .has("archive", SAME_EVENT)
        .placed("pace/2 -> archive/2")
        .lacks("archive", "2")
        .has("fenix", EVENT);
    shows("owner_of_a_removed_event", &scenario);
}

#[test]
fn recordings_that_may_be_one_event_are_a_question_between_the_sources() {
    let scenario = two_watches()
        .has("fenix", EVENT)
        .has("pace", "2 2026-11-10T06:15:00Z running 3000s 10000m");
    shows("rivals", &scenario);
    shows("rivals_told_apart", &scenario.distinct("pace/2 -> fenix/1 archive"));
}

#[test]
fn two_rules_of_one_source_share_its_events() {
    let scenario = Scenario::new()
        .rule("us -> archive")
        .with("activity_types: [running]")
        .rule("us -> archive")
        .has("us", EVENT)
        .has("us", "2 2026-11-11T06:00:00Z cycling 3000s");
    shows("two_rules_of_one_source", &scenario);
}

#[test]
fn a_source_that_cannot_be_read_owns_nothing() {
    let scenario = two_watches().has("fenix", EVENT).has("pace", SAME_EVENT).blocked(
        "fenix",
        BlockedReason::Unavailable,
        "no answer after 4 attempts",
    );
    shows("blocked_source", &scenario);
}

fn there_and_back() -> Scenario {
    Scenario::new()
        .rule("us -> watch")
        .rule("watch -> us")
        .rule("watch -> backup")
        .has("us", EVENT)
        .has("watch", "w 2026-11-10T06:00:00Z running 3000s 10000m")
        .placed("us/1 -> watch/w")
}

#[test]
fn a_copy_does_not_go_back_but_goes_on() {
    shows("is_our_copy", &there_and_back());
}

#[test]
fn a_copy_whose_original_left_stays_a_copy() {
    shows("is_our_copy_without_original", &there_and_back().lacks("us", "1"));
}

fn uploads(scenario: &Scenario) -> Vec<String> {
    let steps = scenario.plan().document.body.steps.clone();
    steps.iter().map(|step| format!("{} {}", step.rule, step.source.id)).collect()
}

/// Found by the simulation: a copy's id vouched for whatever a person put under it.
#[test]
fn another_recording_under_the_id_of_a_copy_is_no_copy() {
    let other = there_and_back().edited("watch", "w 2026-11-13T06:00:00Z running 3000s 10000m");
    assert_eq!(uploads(&other), ["watch-to-us w", "watch-to-backup w"]);
    let edited = there_and_back().edited("watch", "w 2026-11-10T06:00:00Z running 2400s 8000m");
    assert_eq!(uploads(&edited), ["watch-to-backup w"]);
}

#[test]
fn another_recording_under_the_id_of_a_copy_breaks_the_chain_to_its_origin() {
    let chain = Scenario::new()
        .rule("a -> b")
        .rule("b -> c")
        .rule("c -> a")
        .has("a", "a1 2026-11-10T06:00:00Z running 3000s 10000m")
        .has("b", "b1 2026-11-10T06:00:00Z running 3000s 10000m")
        .placed("a/a1 -> b/b1")
        .edited("b", "b1 2026-11-13T06:00:00Z running 3000s 10000m")
        .has("c", "c1 2026-11-13T06:00:00Z running 3000s 10000m")
        .placed("b/b1 -> c/c1");
    assert_eq!(uploads(&chain), ["c-to-a c1"]);
}

#[test]
fn what_an_open_step_is_about_goes_onward_once_it_is_settled() {
    let open = there_and_back().unsettled("watch/w");
    assert_eq!(uploads(&open), [""; 0]);
    let plan = open.plan();
    let told = |pair: &fit_sync::plan::Pair| (pair.rule.to_string(), pair.reason);
    let pairs: Vec<_> = plan.in_sync.iter().map(told).collect();
    let linked = ("us-to-watch".to_owned(), InSyncReason::Linked);
    assert_eq!(pairs, [linked, ("watch-to-backup".to_owned(), InSyncReason::Pending)]);
    assert!(matches!(plan.notices.as_slice(), [(_, Notice::Unsettled)]));
}

/// Found by the simulation: what a replace takes away was to go onward in the same plan.
#[test]
fn what_is_replaced_goes_onward_with_the_next_plan() {
    let chain = Scenario::new()
        .rule("b -> c")
        .replacing()
        .rule("a -> b")
        .replacing()
        .has("a", "a1 2026-11-10T06:00:00Z running 3000s 10000m records=3000")
        .has("b", "b1 2026-11-10T06:00:00Z running 3000s 9000m records=2900")
        .has("c", "c1 2026-11-10T06:00:00Z running 3000s 8000m records=2800");
    assert_eq!(uploads(&chain), ["a-to-b a1"]);
    let skip = chain.plan().document.context.skips.remove(0);
    assert_eq!(skip.reason, SkipReason::NotCompared);
    assert_eq!(skip.detail.as_deref(), Some("waits for a-to-b/2026-11-10T06:00:00Z"));
    let counts = chain.plan().document.context.counts;
    assert_eq!((counts.replace, counts.skip, counts.total()), (1, 1, 2));
    let next = chain.applied();
    assert_eq!(uploads(&next).len(), 1);
    assert_eq!(next.plan().document.body.steps[0].rule.as_str(), "b-to-c");
    assert_eq!(uploads(&next.applied()), [""; 0]);
}

/// Found by the laws: what matched differently at each station went round for ever.
#[test]
fn a_copy_that_went_round_a_ring_has_arrived() {
    let ring = Scenario::new()
        .rule("a -> b")
        .rule("b -> c")
        .rule("c -> a")
        .has("a", "a0 2026-11-06T21:21:59Z running")
        .has("b", "b0 2026-11-06T21:20:00Z running 3000s")
        .has("c", "c0 2026-11-06T21:21:59Z running 3000s");
    // A person may say at every station that it is another activity; at home it is none.
    let at_b = ring.distinct("a/a0 -> b/b0").applied();
    shows("ring", &at_b.distinct("b/made-1 -> c/c0").applied());
}

/// Found by the laws: an original whose copy came round was taken for one without a counterpart, and
/// another activity an hour later for the same one in another zone.
#[test]
fn an_original_whose_copy_went_round_has_its_counterpart() {
    let ring = Scenario::new()
        .rule("a -> b")
        .rule("b -> c")
        .rule("c -> a")
        .has("a", "")
        .has("b", "")
        .has("c", "c0 2026-11-07T21:20:30Z running 3000s 10000m");
    let around = ring.applied().applied();
    let later = around.has("a", "a0 2026-11-07T22:20:30Z running 3000s 10000m").applied();
    shows("ring_an_hour_later", &later);
}

#[test]
fn what_was_found_on_both_sides_is_nobodys_copy() {
    let scenario = Scenario::new()
        .rule("us -> watch")
        .rule("watch -> us")
        .has("us", EVENT)
        .has("watch", "w 2026-11-10T06:00:00Z running 3000s 10000m")
        .found("us/1 -> watch/w");
    shows("found_both_ways", &scenario);
}
