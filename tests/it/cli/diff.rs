//! `diff`: source against destination.

use std::fs;

use fit_sync::fit;
use serde_json::Value;

use crate::support::cli::{Cli, MANIFEST, REPLACING, ride};
use crate::support::snapshot;

const ADDRESS: &str = "keep/2026-11-10T06:00:00Z";

/// A ride in both folders, edited on its way.
fn edited() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/tempo.fit", &ride("2026-11-10T06:00:00Z").distance_m(30_120).records(24));
    let there = ride("2026-11-10T06:00:00Z").maker(294, 802).serial(0).ascent(12).records(18);
    cli.fit("archive/cycling/2026/x.fit", &there);
    cli
}

#[test]
fn what_differs_is_shown_field_by_field_and_record_by_record() {
    let cli = edited();
    let ran = cli.run(&format!("diff {ADDRESS}")).ok();
    snapshot::check("cli", "diff", &ran.stdout);
    let json = cli.run(&format!("diff {ADDRESS} --json")).ok();
    snapshot::check("cli", "diff.json", &json.stdout);
    let coloured = cli.run(&format!("diff {ADDRESS} --color always")).ok();
    assert!(coloured.stdout.contains("\x1b["));
}

#[test]
fn the_numbers_are_those_of_the_files() {
    let cli = edited();
    let json = cli.run(&format!("diff {ADDRESS} --json")).ok().json();
    let records = &json["comparisons"][0]["difference"]["records"];
    let seconds = |path: &str| -> Vec<i64> {
        let records = fit::records(&fs::read(cli.path(path)).unwrap()).unwrap();
        records.iter().map(|record| record.at.as_second()).collect()
    };
    let (source, there) = (seconds("watch/tempo.fit"), seconds("archive/cycling/2026/x.fit"));
    let common = source.iter().filter(|second| there.contains(second)).count();
    assert!(common > 0 && common < there.len());
    assert_eq!(records["source"], source.len());
    assert_eq!(records["destination"], there.len());
    assert_eq!(records["paired"], common);
    assert_eq!(records["only_in_source"]["records"], source.len() - common);
    assert_eq!(records["only_at_destination"]["records"], there.len() - common);
}

#[test]
fn a_planned_replace_a_linked_pair_and_a_conflict_have_counterparts() {
    let cli = edited();
    cli.manifest(REPLACING);
    let shown = |cli: &Cli| cli.run(&format!("diff {ADDRESS}")).ok().stdout;
    assert!(shown(&cli).contains("session.total_distance   30000 m -> 30120 m"));
    cli.fit("watch/tempo.fit", &ride("2026-11-10T06:00:00Z").maker(294, 802).records(18));
    cli.run("apply --auto-approve").ok();
    assert!(shown(&cli).contains("The same bytes."), "{}", shown(&cli));
    // Two that could be it.
    let cli = Cli::new(MANIFEST);
    for (path, second) in [("watch/a", 0), ("archive/b", 1), ("archive/c", 2)] {
        cli.fit(format!("{path}.fit"), &ride(&format!("2026-11-10T06:00:0{second}Z")));
    }
    let both = cli.run(&format!("diff {ADDRESS} --json")).ok().json();
    assert_eq!(both["comparisons"].as_array().unwrap().len(), 2);
}

#[test]
fn what_has_no_counterpart_or_no_place_says_so() {
    let cli = edited();
    cli.fit("watch/new.fit", &ride("2026-11-12T06:00:00Z"));
    let alone = cli.run("diff keep/2026-11-12T06:00:00Z").ok();
    assert!(alone.stdout.contains("archive holds nothing like it."), "{}", alone.stdout);
    cli.put("watch/broken.fit", "broken");
    cli.run("diff keep/@broken.fit").ok().says("holds nothing like it");
    let unknown = cli.run("diff keep/2026-01-01T00:00:00Z").exits(1);
    snapshot::check("cli", "diff_unknown", &unknown.stderr);
    cli.run("diff other/2026-11-10T06:00:00Z").exits(1).tells("there is no activity at");
    cli.run("diff nonsense").exits(1).tells("is not an address");
    cli.run("diff").exits(64);
    fs::remove_dir_all(cli.path("watch")).unwrap();
    cli.run(&format!("diff {ADDRESS}")).exits(5).tells("watch cannot be read");
}

#[test]
fn a_file_that_has_gone_bad_is_told() {
    let cli = edited();
    cli.run("apply --auto-approve").ok();
    cli.put(
        "archive/cycling/2026/x.fit",
        &fs::read(cli.path("archive/cycling/2026/x.fit")).unwrap()[..90],
    );
    let json: Value = cli.run(&format!("diff {ADDRESS} --json")).ok().json();
    let problem = json["comparisons"][0]["problem"].as_str().unwrap();
    assert!(problem.starts_with("the destination's file: truncated"), "{problem}");
}

#[test]
fn positions_are_not_shown() {
    let cli = edited();
    let json = cli.run(&format!("diff {ADDRESS} --json")).ok().json();
    let fields = &json["comparisons"][0]["difference"]["records"]["fields"];
    for field in fields.as_array().unwrap() {
        let name = field["field"].as_str().unwrap();
        assert!(!name.starts_with("position") || field["from"].is_null(), "{field}");
    }
}
