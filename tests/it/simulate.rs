//! `plan --simulate`: what would be left after a plan.

use std::collections::BTreeMap;

use fit_sync::domain::{
    AccountName, Activity, ActivityType, Capabilities, Content, Editable, Fingerprint, Inventory,
    Part, RemoteId, ReplaceProtocol, RuleName, Session, Sha256, Unlisted,
};
use fit_sync::manifest::{CacheSettings, ConflictStrategy, Filter, Limits, Manifest, Rule};
use fit_sync::plan::{AccountView, Memory, Options, Plan, Step, World, build, simulate};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::support::cli::{Cli, MANIFEST, REPLACING, context, gzip, ride};

#[test]
fn after_a_plan_without_questions_the_next_is_empty() {
    let cli = Cli::new(REPLACING);
    cli.fit("watch/a.fit", &ride("2026-10-01T06:00:00Z").distance_m(10_000));
    cli.fit("archive/a.fit", &ride("2026-10-01T06:00:00Z").distance_m(9_000));
    cli.put("watch/b.fit.gz", gzip(&ride("2026-10-02T06:00:00Z").build()));
    let plain = cli.run("plan").ok();
    let simulated = cli.run("plan --simulate").ok();
    let line = "Simulated: the next plan is empty.\n";
    assert_eq!(simulated.stdout, format!("{}{line}", plain.stdout));
    assert_eq!(cli.activities("archive"), ["a.fit"]);
    let json = cli.run("plan --json --simulate --detailed-exitcode").exits(2).tells(line);
    assert_eq!(json.stdout, cli.run("plan --json").ok().stdout);
    cli.run("plan --format summary --simulate").ok().tells(line);
    cli.run("apply --auto-approve").ok();
    cli.run("plan --simulate").ok().says("No changes.").says(line);
}

#[test]
fn conflicts_are_left() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride("2026-10-01T06:00:00Z").elapsed_s(3600));
    cli.fit("archive/shifted.fit", &ride("2026-10-01T06:20:00Z").elapsed_s(3600));
    cli.fit("watch/b.fit", &ride("2026-10-02T06:00:00Z"));
    let ran = cli.run("plan --simulate").ok();
    let (_, after) = ran.stdout.split_once("Simulated: ").unwrap();
    assert!(
        after.starts_with("of the next plan, 0 to upload, 0 to replace, 1 conflict."),
        "{after}"
    );
    assert!(after.contains("partial_overlap"), "{after}");
    cli.run("apply --auto-approve").exits(6);
    let next = cli.run("plan --json").ok().json();
    let expected = ("keep/2026-10-01T06:00:00Z", "keep", "partial_overlap");
    let expected = (expected.0.to_owned(), expected.1.to_owned(), expected.2.to_owned());
    assert_eq!(context(&next, "conflicts"), [expected]);
}

#[test]
fn what_arrives_in_a_source_is_the_next_plan_s() {
    let cli = Cli::new(
        "\
accounts:
  a: { platform: directory, path: a }
  b: { platform: directory, path: b }
  c: { platform: directory, path: c }
sync_rules:
  - { name: one, source: a, destination: b }
  - { name: two, source: b, destination: c }
",
    );
    cli.fit("a/ride.fit", &ride("2026-10-01T06:00:00Z"));
    let ran = cli.run("plan --simulate").ok();
    ran.says("Simulated: of the next plan, 1 to upload, 0 to replace").says("two: b -> c");
}

/// A made-up activity, from few values so that they meet.
fn activity(id: String, facts: (u8, u8, u8, Option<u8>)) -> Activity {
    let (start, length, kind, bytes) = facts;
    // Seconds, minutes and hours apart: the same, near, overlapping, shifted by a zone.
    let offset = [0, 1, 60, 900, 3600, 86_400, 90_000][usize::from(start % 7)];
    let start = Timestamp::from_second(1_780_000_000 + offset).unwrap();
    let elapsed = [600, 3600, 3610, 7200][usize::from(length % 4)];
    let kind = ActivityType::of_fit(Some([1, 2][usize::from(kind % 2)]), None);
    let sha256 =
        bytes.map(|bytes| Sha256::of(format!("{start} {elapsed} {}", bytes % 2).as_bytes()));
    let content = bytes.map(|bytes| content(start, elapsed, bytes % 2));
    Activity {
        id: RemoteId::new(id),
        fingerprint: match &sha256 {
            Some(sha256) => Fingerprint::of_bytes(sha256),
            None => Fingerprint::of_listing(Some(start), Some(elapsed), None, kind.as_str()),
        },
        start: Some(start),
        weak_start: false,
        elapsed_s: Some(elapsed),
        timer_s: None,
        local_offset_s: None,
        kind,
        title: None,
        distance_m: None,
        device: None,
        sha256,
        content,
        unusable: None,
        private: None,
        hint: None,
    }
}

fn content(start: Timestamp, elapsed_s: u32, variant: u8) -> Content {
    let session = Session {
        start: Some(start),
        elapsed_ms: Some(elapsed_s * 1000),
        distance_cm: Some(1_000_000 + u32::from(variant) * 10_000),
        ..Session::default()
    };
    Content { parts: vec![Part { sessions: vec![session], records: 100, ..Part::default() }] }
}

fn inventory(prefix: &'static str) -> impl Strategy<Value = Inventory> {
    let facts = (any::<u8>(), any::<u8>(), any::<u8>(), proptest::option::of(any::<u8>()));
    proptest::collection::vec(facts, 0..8).prop_map(move |rows| {
        let rows = rows.into_iter().enumerate();
        let rows = rows.map(|(n, facts)| activity(format!("{prefix}{n}"), facts)).collect();
        Inventory::new(rows, true, None)
    })
}

const CAPABILITIES: Capabilities = Capabilities {
    upload: true,
    delete: true,
    lists_bytes: true,
    replace: ReplaceProtocol::UploadThenDelete,
    editable: Editable { title: false, description: false, kind: false, privacy: false },
    max_upload_bytes: None,
    parallel: 1,
    steps_per_request: 1,
    settle_s: 0,
    unlisted: Unlisted::Silent,
    loses_on_replace: &[],
};

fn manifest(rules: &[(&str, &str, ConflictStrategy)]) -> Manifest {
    let rules = rules.iter().enumerate().map(|(number, (source, destination, strategy))| Rule {
        name: RuleName::new(format!("rule{number}")),
        source: AccountName::new(*source),
        destination: AccountName::new(*destination),
        filter: Filter::default(),
        strategy: *strategy,
        line: number + 1,
    });
    Manifest {
        path: "fit_sync.yaml".into(),
        sha256: Sha256::of(b""),
        accounts: BTreeMap::new(),
        rules: rules.collect(),
        cache: CacheSettings { directory: None, max_age_days: 7 },
        limits: Limits::default(),
        state: None,
        backups: None,
        decisions: "fit_sync.decisions.yaml".into(),
        warnings: Vec::new(),
    }
}

/// Today's plan and the one that would follow.
fn plans(manifest: &Manifest, memory: &Memory, inventories: &[(&str, &Inventory)]) -> (Plan, Plan) {
    let views = inventories.iter().map(|(name, inventory)| {
        let view = AccountView {
            platform: "memory".to_owned(),
            region: None,
            profile: None,
            capabilities: CAPABILITIES,
            inventory,
            last_good_count: None,
        };
        (AccountName::new(*name), view)
    });
    let world = World {
        manifest,
        today: jiff::civil::date(2026, 11, 20),
        accounts: views.collect(),
        blocked: BTreeMap::new(),
        memory,
        options: Options::default(),
    };
    let plan = build(&world).unwrap();
    let next = simulate(&world, &plan).unwrap();
    assert_eq!(simulate(&world, &plan).unwrap().document, next.document);
    (plan, next)
}

/// Steps of the next plan that are news: a replace may answer a question, since it tells whose copy
/// the destination's activity is, but nothing else may come up.
fn left(plan: &Plan, next: &Plan) -> Vec<String> {
    let asked = |step: &Step| {
        let mut conflicts = plan.document.context.conflicts.iter();
        conflicts.any(|conflict| conflict.rule == step.rule && conflict.source.id == step.source.id)
    };
    let steps = next.document.body.steps.iter().filter(|step| !asked(step));
    steps.map(|step| format!("{step:?}")).collect()
}

/// Whether an account lists two alike: only their files tell whether the second one goes over.
fn has_twins(inventory: &Inventory) -> bool {
    let rows = &inventory.activities;
    rows.iter().enumerate().any(|(n, row)| rows[..n].iter().any(|it| it.is_listed_as(row)))
}

fn strategy() -> impl Strategy<Value = ConflictStrategy> {
    prop_oneof![Just(ConflictStrategy::SkipExisting), Just(ConflictStrategy::ReplaceExisting)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_step_is_left_but_of_questions(
        (a, b, c) in (inventory("a"), inventory("b"), inventory("c")),
        (first, second) in (strategy(), strategy()),
    ) {
        prop_assume!(![&a, &b, &c].into_iter().any(has_twins));
        let manifest = manifest(&[("a", "c", first), ("b", "c", second)]);
        let memory = Memory::default();
        let (plan, next) = plans(&manifest, &memory, &[("a", &a), ("b", &b), ("c", &c)]);
        prop_assert_eq!(left(&plan, &next), Vec::<String>::new());
    }

    #[test]
    fn there_and_back_leaves_no_other_step((a, b) in (inventory("a"), inventory("b"))) {
        prop_assume!(!has_twins(&a) && !has_twins(&b));
        let skip = ConflictStrategy::SkipExisting;
        let manifest = manifest(&[("a", "b", skip), ("b", "a", skip)]);
        let memory = Memory::default();
        let (plan, next) = plans(&manifest, &memory, &[("a", &a), ("b", &b)]);
        prop_assert_eq!(left(&plan, &next), Vec::<String>::new());
    }
}
