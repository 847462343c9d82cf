//! `apply --within FILE`: today's plan, held against one that was approved.

use fit_sync::plan::{Difference, Document, Part, allowed, differences};
use serde_json::Value;

use crate::support::cli::{Cli, REPLACING, ride, steps};
use crate::support::fit::FitFile;

const OLD: &str = "2026-10-01T06:00:00Z";
const NEWER: &str = "2026-10-02T06:00:00Z";
const NEWEST: &str = "2026-10-03T06:00:00Z";

/// The source's recording of a ride, and a poorer one of the same.
fn whole(start: &str) -> FitFile {
    ride(start).distance_m(10_000)
}

fn poor(start: &str) -> FitFile {
    ride(start).distance_m(9_000)
}

/// Approved in `plan.json`: one replace of `old.fit`, one upload.
fn world(limits: &str) -> Cli {
    let cli = Cli::new(&format!("{REPLACING}{limits}"));
    cli.fit("watch/old.fit", &whole(OLD));
    cli.fit("archive/old.fit", &poor(OLD));
    cli.fit("watch/newer.fit", &whole(NEWER));
    let plan = cli.run("plan --json --out plan.json").ok().json();
    let actions: Vec<String> = steps(&plan).into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(actions, ["replace", "upload"]);
    cli
}

#[test]
fn the_approved_plan_lies_within_itself_and_needs_no_other_word() {
    let cli = world("");
    cli.run("apply --within plan.json").ok().says("1 uploaded, 1 replaced");
    cli.run("apply --within plan.json").ok().says("No changes.");
}

#[test]
fn it_holds_without_what_was_remembered() {
    let cli = world("");
    cli.lose_state();
    cli.run("apply --within plan.json").ok().says("1 uploaded, 1 replaced");
}

#[test]
fn uploads_pass_and_other_replaces_do_not() {
    let cli = world("");
    cli.fit("watch/newest.fit", &whole(NEWEST));
    cli.run("apply --within plan.json --rule keep --except *10-01*").ok().says("2 uploaded");
    let cli = world("");
    cli.fit("watch/newest.fit", &whole(NEWEST));
    cli.fit("archive/newest.fit", &poor(NEWEST));
    let before = cli.files("archive");
    let ran = cli.run("apply --within plan.json").exits(6).says("goes beyond plan");
    ran.says("keep/2026-10-03T06:00:00Z replaces newest.fit: not in the plan")
        .tells("--allowed-only");
    assert_eq!(cli.files("archive"), before);
    cli.run("state history").ok().says("Nothing was applied yet.");
    let ran = cli.run("apply --within plan.json --allowed-only --report report.json").exits(6);
    ran.says("Left out: 1.").says("1 uploaded, 1 replaced");
    assert_eq!(cli.files("archive")["newest.fit"], before["newest.fit"]);
    let report: Value =
        serde_json::from_slice(&std::fs::read(cli.path("report.json")).unwrap()).unwrap();
    assert_eq!(report["exit"]["name"], "decide");
    assert_eq!(report["steps"].as_array().unwrap().len(), 2);
}

#[test]
fn a_replace_whose_sides_changed_was_not_approved() {
    let cli = world("");
    cli.fit("archive/old.fit", &poor(OLD).records(15));
    cli.run("apply --within plan.json").exits(6).says("replaces old.fit: that has changed since");
    let cli = world("");
    cli.fit("watch/old.fit", &whole(OLD).distance_m(11_000));
    let ran = cli.run("apply --within plan.json --json").exits(6);
    assert!(ran.stdout.contains("the source has changed since"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\"type\":\"diagnostic\""), "{}", ran.stdout);
}

#[test]
fn more_uploads_than_the_limit_are_too_many() {
    let cli = world("limits: { max_uploads: 1 }\n");
    cli.fit("watch/newest.fit", &whole(NEWEST));
    let ran = cli.run("apply --within plan.json").exits(6);
    ran.says("uploads 2 planned, 1 allowed").says("keep/2026-10-03T06:00:00Z uploaded: not in");
    assert_eq!(cli.activities("archive"), ["old.fit"]);
    cli.run("apply --within plan.json --allowed-only").exits(6).says("1 uploaded, 1 replaced");
    cli.run("apply --within plan.json").ok().says("1 uploaded");
    let cli = world("limits: { max_uploads: 1 }\n");
    cli.fit("watch/newest.fit", &whole(NEWEST));
    cli.run("apply --within plan.json --allow uploads=2").ok().says("2 uploaded, 1 replaced");
}

#[test]
fn an_altered_file_and_other_accounts_are_refused() {
    let cli = world("");
    let text = std::fs::read_to_string(cli.path("plan.json")).unwrap();
    cli.put("altered.json", text.replace("\"upload\"", "\"replace\""));
    cli.run("apply --within altered.json").exits(7);
    cli.manifest(&REPLACING.replace("archive", "elsewhere"));
    cli.run("apply --within plan.json").exits(7).tells("account archive");
    cli.run("apply plan.json --within plan.json").exits(64);
    cli.run("apply --allowed-only").exits(64);
}

fn saved(cli: &Cli) -> Document {
    Document::read(&std::fs::read_to_string(cli.path("plan.json")).unwrap()).unwrap()
}

#[test]
fn differences_name_the_parts_in_which_a_replace_differs() {
    let approved = saved(&world("")).body;
    assert_eq!(differences(&approved, &approved, Some(1)), []);
    let changed = |change: &dyn Fn(&mut fit_sync::plan::Step)| {
        let mut today = approved.clone();
        change(&mut today.steps[0]);
        let found = differences(&today, &approved, None);
        let allowed = allowed(&today, &found).len();
        match found.as_slice() {
            [Difference::Changed { parts, .. }] => (Some(parts.clone()), allowed),
            [Difference::Unplanned { .. }] => (None, allowed),
            other => panic!("{other:?}"),
        }
    };
    let id = || fit_sync::domain::RemoteId::new("x");
    let print = || fit_sync::domain::Fingerprint::new("x");
    let account = || fit_sync::domain::AccountName::new("x");
    let parts = |parts: &[Part]| (Some(parts.to_vec()), 1);
    assert_eq!(changed(&|step| step.source.id = id()), parts(&[Part::Source]));
    assert_eq!(changed(&|s| s.source.fingerprint = print()), parts(&[Part::SourceContent]));
    assert_eq!(changed(&|s| s.destination.id = Some(id())), parts(&[Part::Destination]));
    let old = |step: &mut fit_sync::plan::Step| step.destination.fingerprint = Some(print());
    assert_eq!(changed(&old), parts(&[Part::DestinationContent]));
    assert_eq!(changed(&|step| step.destination.account = account()), (None, 1));
    assert_eq!(changed(&|s| s.source.account = account()), parts(&[Part::Source]));
}

#[test]
fn uploads_that_were_approved_one_by_one_stay_when_there_are_too_many() {
    let approved = saved(&world("")).body;
    let mut today = approved.clone();
    let mut more = today.steps[1].clone();
    more.source.id = fit_sync::domain::RemoteId::new("more");
    more.address = "keep/@more".parse().unwrap();
    today.steps.push(more.clone());
    assert_eq!(differences(&today, &approved, Some(2)), []);
    assert_eq!(differences(&today, &approved, None), []);
    let found = differences(&today, &approved, Some(1));
    let beyond = vec![more.address];
    assert_eq!(found, [Difference::TooManyUploads { planned: 2, allowed: 1, beyond }]);
    assert_eq!(allowed(&today, &found), approved.steps);
}
