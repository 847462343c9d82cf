//! What holds of every plan, whatever the world: same input, same bytes; an applied plan leaves
//! nothing to do; nothing twice; no conflict is acted upon.

use std::collections::{BTreeMap, HashSet};

use fit_sync::domain::{Activity, Address};
use fit_sync::plan::matching::{self, Field, Outcome, Seeker};
use fit_sync::plan::{Action, Plan};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::scenario::Scenario;
use crate::support::spec;

/// Rules that meet in many ways; all are drawn with the same accounts `a`, `b`, `c`.
const WIRINGS: &[&[&str]] = &[
    &["a -> b"],
    &["a -> b!"],
    &["a -> b", "b -> a"],
    &["a -> b!", "b -> a"],
    &["a -> c", "b -> c"],
    &["a -> c!", "b -> c!"],
    &["a -> c", "b -> c!", "a -> b"],
    &["a -> b", "b -> c", "c -> a"],
];

/// Recordings around few moments: near-duplicates, equal starts, legs, zones, missing lengths.
fn a_line() -> impl Strategy<Value = String> {
    let start = (0i64..3, prop_oneof![Just(0i64), Just(1), Just(30), Just(119), 0..2000i64]);
    let zone = prop_oneof![4 => Just(0i64), 1 => -3..4i64];
    let length = prop_oneof![
        6 => Just(3000u32), 2 => 2990..3010u32, 2 => 2400..3600u32, 1 => Just(9000), 1 => 1..120u32
    ];
    let kind = prop_oneof![
        6 => Just("running"), 1 => Just("trail_running"), 1 => Just("cycling"),
        1 => Just("multi_sport"), 1 => Just("coros_403")
    ];
    let facts = prop_oneof![
        6 => Just(""), 1 => Just("device=fenix"), 1 => Just("device=edge"), 1 => Just("weak"),
        1 => Just("several"), 1 => Just("no_original"), 2 => Just("sha=")
    ];
    let records = prop_oneof![Just(1000u32), 990..1010u32];
    let known = prop::bool::weighted(0.9);
    (start, zone, length, known, kind, facts, records).prop_map(
        |((day, shift), zone, length, known, kind, facts, records)| {
            let second = 1_794_000_000 + day * 86_400 + shift + zone * 3600;
            let start = jiff::Timestamp::from_second(second).unwrap();
            let length = if known { format!("{length}s") } else { String::new() };
            // Equal bytes say the same.
            let bytes =
                if facts == "sha=" { format!("{second}{kind}{length}") } else { String::new() };
            let records = if facts == "sha=" { 1000 } else { records };
            format!("{start} {kind} {length} 10000m records={records} {facts}{bytes}")
        },
    )
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(a_line(), 0..7)
}

fn held(scenario: Scenario, account: &str, lines: &[String]) -> Scenario {
    let numbered = lines.iter().enumerate().map(|(n, line)| format!("{account}{n} {line}\n"));
    scenario.has(account, &numbered.collect::<String>())
}

fn wired(wiring: &[&str]) -> Scenario {
    wiring.iter().fold(Scenario::new(), |scenario, rule| match rule.strip_suffix('!') {
        Some(rule) => scenario.rule(rule).replacing(),
        None => scenario.rule(rule),
    })
}

fn a_world() -> impl Strategy<Value = Scenario> {
    let wiring = prop::sample::select(WIRINGS);
    (wiring, lines(), lines(), lines()).prop_map(|(wiring, a, b, c)| {
        let scenario = held(held(wired(wiring), "a", &a), "b", &b);
        if wiring.iter().any(|rule| rule.contains('c')) {
            held(scenario, "c", &c)
        } else {
            scenario
        }
    })
}

/// A world with a past: applied once, then more arrived.
fn a_world_with_a_past() -> impl Strategy<Value = Scenario> {
    (a_world(), lines(), any::<bool>()).prop_map(|(world, news, apply)| {
        let world = if apply { world.applied() } else { world };
        let news = news.iter().enumerate().map(|(n, line)| format!("new{n} {line}\n"));
        world.has("a", &news.collect::<String>())
    })
}

fn uploads(plan: &Plan) -> Vec<&fit_sync::plan::Step> {
    plan.document.body.steps.iter().filter(|step| step.action == Action::Upload).collect()
}

/// Whether a step's source lists another one alike: before it is sent, their files tell them apart.
fn has_twin(world: &Scenario, step: &fit_sync::plan::Step) -> bool {
    let row = world.activity(&step.source.account, &step.source.id);
    let alike = world.rows(&step.source.account).iter().filter(|other| other.is_listed_as(row));
    alike.count() > 1
}

fn bytes(plan: &Plan) -> String {
    format!("{}{:?}{:?}", plan.document.to_json().unwrap(), plan.in_sync, plan.notices)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_same_world_gives_the_same_bytes(
        world in a_world_with_a_past(),
        order in prop::collection::vec(any::<Index>(), 64),
    ) {
        prop_assert_eq!(bytes(&world.plan()), bytes(&world.clone().shuffled(&order).plan()));
    }

    /// Onward rules go on with what just arrived, and a replace may take away what another activity
    /// was in conflict with; nothing else comes up, and soon nothing at all.
    #[test]
    fn an_applied_plan_leaves_nothing_to_do(world in a_world_with_a_past()) {
        let (plan, after) = (world.plan(), world.applied());
        let questions: HashSet<_> =
            plan.document.context.conflicts.iter().map(|row| (&row.rule, &row.source.id)).collect();
        let written: HashSet<_> =
            plan.document.body.steps.iter().map(|step| &step.destination.account).collect();
        for step in &after.plan().document.body.steps {
            let expected = written.contains(&step.source.account)
                || questions.contains(&(&step.rule, &step.source.id));
            prop_assert!(expected, "{:#?}", after);
        }
        let settled = settled(after);
        prop_assert!(settled.plan().document.body.steps.is_empty(), "{:#?}", settled);
    }

    #[test]
    fn a_lost_memory_uploads_nothing(world in a_world_with_a_past()) {
        let forgetful = settled(world).forgetful();
        let plan = forgetful.plan();
        let sent = uploads(&plan);
        prop_assert!(sent.iter().all(|step| has_twin(&forgetful, step)), "{:#?}", forgetful);
    }

    #[test]
    fn nothing_is_uploaded_twice_or_on_top_of_its_like(world in a_world()) {
        let plan = world.plan();
        let mut sent = HashSet::new();
        for step in uploads(&plan) {
            let (source, to) = (&step.source, &step.destination.account);
            prop_assert!(sent.insert((&source.account, &source.id, to)), "{source:?} twice");
            let new = world.activity(&source.account, &source.id);
            if has_twin(&world, step) {
                continue;
            }
            let like = world.rows(to).iter().find(|row| is_like(new, row));
            prop_assert!(like.is_none(), "{new:?} would double {like:?}");
        }
    }

    #[test]
    fn an_account_that_is_only_a_source_is_never_written_to(world in a_world_with_a_past()) {
        let plan = world.plan();
        let destinations: HashSet<_> =
            plan.document.context.rules.iter().map(|rule| &rule.destination).collect();
        for step in &plan.document.body.steps {
            prop_assert!(destinations.contains(&step.destination.account));
        }
    }

    #[test]
    fn what_a_plan_says_it_says_once(world in a_world_with_a_past()) {
        let plan = world.plan();
        let context = &plan.document.context;
        let mut said: BTreeMap<&Address, usize> = BTreeMap::new();
        let steps = plan.document.body.steps.iter().map(|step| &step.address);
        let conflicts = context.conflicts.iter().map(|conflict| &conflict.address);
        let skips = context.skips.iter().map(|skip| &skip.address);
        let pairs = plan.in_sync.iter().map(|pair| &pair.address);
        for address in steps.chain(conflicts).chain(skips).chain(pairs) {
            *said.entry(address).or_default() += 1;
        }
        prop_assert!(said.values().all(|times| *times == 1), "{said:?}");
        prop_assert_eq!(context.counts.total(), said.len() as u64);
    }

    #[test]
    fn matching_is_one_to_one_and_knows_no_clock(
        left in lines(), right in lines(), shift in -1_000_000i64..1_000_000,
    ) {
        let (left, right) = (read(&left, 0), read(&right, 0));
        let outcomes = matched(&left, &right);
        let mut taken = HashSet::new();
        for outcome in &outcomes {
            if let Outcome::Match(place, _) = outcome {
                prop_assert!(taken.insert(*place), "{place} twice in {outcomes:?}");
            }
        }
        let moved = |rows: &[Activity]| rows.iter().map(|row| moved(row, shift)).collect::<Vec<_>>();
        prop_assert_eq!(&outcomes, &matched(&moved(&left), &moved(&right)));
    }

    #[test]
    fn matching_is_the_same_from_either_side(left in lines(), right in lines()) {
        let (left, right) = (read(&left, 0), read(&right, 0));
        // Of what a source lists alike, the first one comes first; a destination's are a question.
        let has_twins = |rows: &[Activity]| {
            rows.iter().enumerate().any(|(n, row)| rows[..n].iter().any(|it| it.is_listed_as(row)))
        };
        prop_assume!(!has_twins(&left) && !has_twins(&right));
        let pairs = |outcomes: Vec<Outcome>| -> Vec<(usize, usize)> {
            let matched = outcomes.into_iter().enumerate().filter_map(|(n, outcome)| match outcome {
                Outcome::Match(place, _) => Some((n, place)),
                _ => None,
            });
            matched.collect()
        };
        let there = pairs(matched(&left, &right));
        let mut back: Vec<_> = pairs(matched(&right, &left)).iter().map(|(a, b)| (*b, *a)).collect();
        back.sort_unstable();
        prop_assert_eq!(there, back);
    }
}

/// StepReport again and again; three rules in a row are the longest way.
fn settled(world: Scenario) -> Scenario {
    (0..5).fold(world, |world, _| world.applied())
}

/// The same stretch of time, nearly the same start, types that go together.
fn is_like(new: &Activity, row: &Activity) -> bool {
    let near =
        new.start.zip(row.start).is_some_and(|(a, b)| a.as_second().abs_diff(b.as_second()) <= 120);
    let overlap = new.interval().zip(row.interval()).map(|(a, b)| a.overlap_permille(&b));
    near && overlap.is_some_and(|permille| permille >= 800) && new.kind.compatible(&row.kind)
}

fn read(lines: &[String], first: usize) -> Vec<Activity> {
    let rows = lines.iter().enumerate();
    rows.map(|(n, line)| spec::read(&format!("{} {line}", first + n)).0).collect()
}

fn moved(row: &Activity, shift: i64) -> Activity {
    let start = row.start.map(|start| start + jiff::SignedDuration::from_secs(shift));
    Activity { start, ..row.clone() }
}

fn matched(left: &[Activity], right: &[Activity]) -> Vec<Outcome> {
    let seekers: Vec<Seeker<'_>> = left
        .iter()
        .map(|activity| Seeker { activity, account: 0, fixed: None, excluded: Vec::new() })
        .collect();
    matching::find(&seekers, &Field { activities: right.iter().collect(), ..Field::default() })
}
