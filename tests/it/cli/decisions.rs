//! What a person decides is a file beside the manifest, and holds even when the memory is lost.

use std::fs;

use crate::support::cli::{Cli, MANIFEST, REPLACING, context, ride, steps};

const START: &str = "2026-11-02T06:12:33Z";
const ADDRESS: &str = "keep/2026-11-02T06:12:33Z";

/// One activity that is half at the destination.
fn overlap() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.fit("archive/half.fit", &ride(START).elapsed_s(1500));
    cli.run("plan").ok().says("partial_overlap");
    cli
}

/// One activity that two at the destination might be.
fn ambiguous() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.fit("archive/one.fit", &ride(START).serial(7));
    cli.fit("archive/two.fit", &ride(START).serial(8));
    cli.run("plan").ok().says("ambiguous: 2 candidates");
    cli
}

fn decided(cli: &Cli) -> String {
    fs::read_to_string(cli.path("fit_sync.decisions.yaml")).unwrap()
}

#[test]
fn the_plan_says_how_to_decide() {
    let cli = ambiguous();
    let plan = cli.run("plan").ok();
    let line =
        format!("decide: fit_sync state adopt {ADDRESS} --as one.fit   (or distinct, ignore)\n");
    assert!(plan.stdout.contains(&line), "{}", plan.stdout);
    let command = line.trim_start_matches("decide: fit_sync ").split("   ").next().unwrap();
    cli.run(command).ok();
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
}

#[test]
fn adopt_distinct_ignore_and_undecide() {
    let cli = ambiguous();
    cli.run(&format!("state adopt {ADDRESS} --as two.fit")).ok();
    let plan = cli.run("plan --all --json").ok().json();
    assert_eq!(plan["context"]["in_sync"][0]["reason"], "adopted");
    assert_eq!(plan["context"]["in_sync"][0]["destination"]["id"], "two.fit");
    cli.run(&format!("state undecide {ADDRESS}")).ok();
    cli.run("plan").ok().says("ambiguous");
    cli.run(&format!("state ignore {ADDRESS}")).ok();
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(context(&plan, "skips"), [(ADDRESS.into(), "keep".into(), "ignored".into())]);
    cli.run(&format!("state undecide {ADDRESS}")).ok();
    cli.run(&format!("state distinct {ADDRESS}")).ok();
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan), [(ADDRESS.into(), "upload".into(), "distinct".into())]);
    cli.run("apply --auto-approve").ok().says("1 uploaded");
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
    assert_eq!(cli.activities("archive").len(), 3);
}

/// What is called distinct from the one that it would replace goes beside it.
#[test]
fn a_planned_replace_that_is_called_distinct_takes_nothing_away() {
    let cli = Cli::new(REPLACING);
    cli.fit("watch/a.fit", &ride(START).distance_m(30_000));
    cli.fit("archive/old.fit", &ride(START).distance_m(20_000));
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan)[0].1, "replace");
    cli.run(&format!("state distinct {ADDRESS}")).ok().tells("will be uploaded");
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan), [(ADDRESS.into(), "upload".into(), "distinct".into())]);
    cli.run("apply --auto-approve").ok().says("1 uploaded");
    assert_eq!(cli.activities("archive").len(), 2);
    cli.run("plan").ok().says("No changes.");
}

#[test]
fn decisions_outlive_the_memory() {
    for (decision, says) in [
        ("ignore", "No changes. 0 activities are in sync. 1 skipped."),
        ("distinct", "1 to upload"),
    ] {
        let cli = overlap();
        cli.run(&format!("state {decision} {ADDRESS}")).ok();
        cli.run("plan").ok().says(says);
        cli.lose_state();
        cli.run("plan").ok().says(says);
    }
    let cli = overlap();
    cli.run(&format!("state adopt {ADDRESS} --as half.fit")).ok();
    cli.run("apply --auto-approve").ok();
    cli.lose_state();
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
}

#[test]
fn a_distinct_activity_is_uploaded_once_with_or_without_memory() {
    let cli = overlap();
    cli.run(&format!("state distinct {ADDRESS}")).ok();
    cli.run("apply --auto-approve").ok().says("1 uploaded");
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
    cli.lose_state();
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
    cli.run("apply --auto-approve").ok();
    assert_eq!(cli.activities("archive").len(), 2);
}

#[test]
fn decisions_lie_beside_the_manifest_and_are_only_appended() {
    let cli = overlap();
    fs::rename(cli.path("fit_sync.yaml"), cli.path("mine.yml")).unwrap();
    cli.run(&format!("--config mine.yml state ignore {ADDRESS}")).ok().tells("mine.decisions.yaml");
    let first = fs::read_to_string(cli.path("mine.decisions.yaml")).unwrap();
    cli.run(&format!("--config mine.yml state undecide {ADDRESS}")).ok();
    let second = fs::read_to_string(cli.path("mine.decisions.yaml")).unwrap();
    assert!(second.starts_with(&first) && second.len() > first.len(), "{second}");
    assert!(!first.contains(&*cli.root().to_string_lossy()), "{first}");
}

#[test]
fn a_decision_must_fit_what_is_there() {
    let cli = overlap();
    for wrong in [
        format!("state adopt {ADDRESS} --as nosuch.fit"),
        "state ignore keep/2026-11-02T06:12:34Z".to_owned(),
        "state ignore other/2026-11-02T06:12:33Z".to_owned(),
        "state ignore nonsense".to_owned(),
    ] {
        cli.run(&wrong).exits(1);
    }
    assert!(!cli.path("fit_sync.decisions.yaml").exists());
    cli.run(&format!("state adopt {ADDRESS}")).exits(64);
}

#[test]
fn deciding_reads_no_account() {
    let cli = overlap();
    fs::rename(cli.path("watch"), cli.path("away")).unwrap();
    cli.run(&format!("state ignore {ADDRESS}")).ok();
    assert!(decided(&cli).contains("ignore"));
}

#[test]
fn a_broken_decisions_file_is_a_fault_of_the_manifest() {
    let cli = overlap();
    cli.put("fit_sync.decisions.yaml", "- {what: is this");
    for command in ["plan", "apply --auto-approve"] {
        cli.run(command).exits(3).tells("fit_sync.decisions.yaml:1");
    }
    assert_eq!(cli.activities("archive"), ["half.fit"]);
}

#[test]
fn one_start_shared_by_two_is_told_apart_by_number() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.fit("watch/b.fit", &ride(START).elapsed_s(60).distance_m(100));
    let plan = cli.run("plan --json").ok().json();
    let addresses: Vec<String> = steps(&plan).into_iter().map(|step| step.0).collect();
    assert_eq!(addresses, [ADDRESS.to_owned(), format!("{ADDRESS}#2")]);
    cli.run(&format!("state ignore {ADDRESS}#2")).ok();
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(plan["context"]["skips"][0]["address"], format!("{ADDRESS}#2"));
}

/// Nobody is promised an upload that would not come.
#[test]
fn what_would_not_be_uploaded_is_not_called_distinct() {
    let cli = Cli::new(
        "\
accounts:
  watch: { platform: directory, path: watch }
  phone: { platform: directory, path: phone }
  archive: { platform: directory, path: archive }
sync_rules:
  - { name: keep, source: watch, destination: archive }
  - { name: also, source: phone, destination: archive }
",
    );
    cli.fit("watch/a.fit", &ride(START));
    cli.fit("phone/a.fit", &ride(START).serial(7));
    cli.run("plan -v").ok().says("covered_by_rule");
    let also = ADDRESS.replace("keep", "also");
    let ran = cli.run(&format!("state distinct {also}")).exits(6);
    ran.tells("it would not be uploaded all the same: covered_by_rule").tells(ADDRESS);
    cli.run("apply --auto-approve").ok();
    cli.run(&format!("state distinct {ADDRESS}")).exits(6).tells("in sync");
    assert!(!cli.path("fit_sync.decisions.yaml").exists());
}
