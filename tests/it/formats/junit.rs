//! JUnit as a pipeline reads it: every row once, under a name that it keeps.

use std::collections::{BTreeMap, BTreeSet};

use fit_sync::event::Phase;
use fit_sync::render::{FailureWords, Outcome, Report as Told, apply_junit, plan_junit};
use proptest::prelude::*;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus};

use super::worlds::{TITLES, hostile, report, rich};
use crate::support::scenario::Scenario;

/// Class and name with what became of it.
type Cases = BTreeMap<(String, String), TestCase>;

#[track_caller]
fn cases(xml: &str) -> Cases {
    let is_legal = |c: char| c == '\n' || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    assert!(xml.chars().all(is_legal), "a character that XML cannot hold");
    let report = Report::deserialize_from_str(xml).unwrap();
    let cases = report.test_suites.into_iter().flat_map(|suite| suite.test_cases);
    let mut found = Cases::new();
    for case in cases {
        let class = case.classname.clone().unwrap().as_str().to_owned();
        let name = case.name.as_str().to_owned();
        let before = found.insert((class, name), case);
        assert!(before.is_none(), "{before:?} stands twice");
    }
    found
}

fn apply_cases(told: &Told, scenario: &Scenario, happened: Option<&str>) -> Cases {
    let document = scenario.plan().document;
    let failure = happened.map(|happened| FailureWords { happened, next: "try again" });
    let outcome = Outcome { report: told, document: Some(&document), failure };
    cases(&apply_junit(&outcome).unwrap())
}

fn kind(case: &TestCase) -> &'static str {
    match &case.status {
        TestCaseStatus::Success { .. } => "passed",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Failure, .. } => "failed",
        TestCaseStatus::NonSuccess { kind: NonSuccessKind::Error, .. } => "error",
        TestCaseStatus::Skipped { .. } => "skipped",
    }
}

fn of_kind(cases: &Cases, wanted: &str) -> BTreeSet<String> {
    let names = cases.iter().filter(|(_, case)| kind(case) == wanted);
    names.map(|((_, name), _)| name.clone()).collect()
}

#[test]
fn every_row_of_a_plan_is_a_check() {
    let scenario = rich();
    let document = scenario.plan().document;
    let cases = cases(&plan_junit(&document).unwrap());
    let steps = document.body.steps.iter().map(|step| step.address.to_string());
    let checks = ["accounts can be read", "max_replaces"].map(str::to_owned);
    let inventories = document.context.inventories.iter();
    let inventories = inventories.map(|row| format!("min_inventory_ratio of {}", row.account));
    assert_eq!(
        of_kind(&cases, "passed"),
        steps.chain(checks).chain(inventories).collect::<BTreeSet<_>>()
    );
    let conflicts = document.context.conflicts.iter().map(|row| row.address.to_string());
    let failed: BTreeSet<String> = conflicts.chain(["max_uploads".to_owned()]).collect();
    assert_eq!(of_kind(&cases, "failed"), failed);
    let skips = document.context.skips.iter().map(|row| row.address.to_string());
    assert_eq!(of_kind(&cases, "skipped"), skips.collect::<BTreeSet<_>>());
    let blocked = &cases[&("fit_sync.plan.coros_cn-to-archive".to_owned(), checks_name())];
    assert_eq!(kind(blocked), "error");
}

fn checks_name() -> String {
    "accounts can be read".to_owned()
}

/// A case's name says nothing that may change: not its title, and not what becomes of it.
#[test]
fn names_outlive_titles_and_answers() {
    let names = |cases: Cases| -> BTreeSet<(String, String)> { cases.into_keys().collect() };
    let before = rich();
    let after = before
        .clone()
        .titled("garmin_us", "1728", "Renamed")
        .distinct("garmin_us/1728 -> garmin_cn/4720");
    let (old, new) = (before.plan().document, after.plan().document);
    assert_ne!(old.context.conflicts.len(), new.context.conflicts.len());
    let of = |document| names(cases(&plan_junit(document).unwrap()));
    assert_eq!(of(&old), of(&new));
}

#[test]
fn every_step_of_an_apply_is_a_case() {
    let scenario = rich();
    let document = scenario.plan().document;
    let told = report(&document, "why");
    let cases = apply_cases(&told, &scenario, Some("garmin_us: the session has ended"));
    let class = |row: &fit_sync::render::ReportedStep| format!("fit_sync.apply.{}", row.rule);
    let mut seen = BTreeMap::new();
    for row in &told.steps {
        let case = &cases[&(class(row), row.address.to_string())];
        seen.insert(row.phase, kind(case));
    }
    let wanted = |phase: Phase| match phase {
        Phase::Confirmed | Phase::Adopted => "passed",
        // The report's skipped step has become a question.
        Phase::Skipped => "failed",
        Phase::NotTried => "skipped",
        Phase::Failed | Phase::Stale | Phase::Restored | Phase::Held | Phase::Pending => "failed",
        Phase::Intent
        | Phase::Fetched
        | Phase::BackedUp
        | Phase::Removed
        | Phase::Sent
        | Phase::Unknown => "error",
    };
    let phases = Phase::ALL.into_iter().map(|phase| (Some(phase), wanted(phase)));
    assert_eq!(seen, phases.chain([(None, "skipped")]).collect());
    assert_eq!(kind(&cases[&("fit_sync.apply".to_owned(), "run".to_owned())]), "failed");
    let earlier =
        ("fit_sync.earlier.us-to-gone".to_owned(), "us-to-gone/2026-01-02T03:04:05Z".to_owned());
    assert_eq!(kind(&cases[&earlier]), "failed");
}

#[test]
fn a_run_that_has_not_ended_is_an_error_and_a_good_one_passes() {
    let scenario = Scenario::new().rule("garmin_us -> archive").has("garmin_us", "");
    let document = scenario.plan().document;
    let mut told = Told::begin("2026-11-20T12:00:00Z".parse().unwrap());
    told.plan(&document);
    let run = ("fit_sync.apply".to_owned(), "run".to_owned());
    assert_eq!(kind(&apply_cases(&told, &scenario, None)[&run]), "error");
    let exit = fit_sync::render::ReportedExit { code: 0, name: "done".to_owned() };
    told.end("2026-11-20T12:00:00Z".parse().unwrap(), exit);
    assert_eq!(kind(&apply_cases(&told, &scenario, None)[&run]), "passed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_words_are_text(words in any::<String>()) {
        let scenario = Scenario::new()
            .rule("garmin_us -> archive")
            .has("garmin_us", "1 2026-11-10T06:00:00Z running 3011s 10010m")
            .titled("garmin_us", "1", &words);
        let document = scenario.plan().document;
        cases(&plan_junit(&document).unwrap());
        apply_cases(&report(&document, &words), &scenario, Some(&words));
    }
}

#[test]
fn remote_text_does_not_break_out() {
    let scenario = hostile();
    let document = scenario.plan().document;
    cases(&plan_junit(&document).unwrap());
    for words in TITLES {
        apply_cases(&report(&document, words), &scenario, Some(words));
    }
}
