//! `explain`: why a plan says what it says.

use std::fs;

use crate::support::cli::{Cli, MANIFEST, REPLACING, ride};
use crate::support::snapshot;

fn shown(cli: &Cli, address: &str) -> String {
    cli.run(&format!("explain {address}")).ok().stdout
}

fn check(cli: &Cli, name: &str, address: &str) -> String {
    let text = shown(cli, address);
    snapshot::check("cli", &format!("explain_{name}"), &text);
    text
}

#[test]
fn an_upload_is_explained_before_and_after() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/tempo.fit", &ride("2026-11-10T06:00:00Z"));
    cli.fit("archive/other.fit", &ride("2026-11-12T06:00:00Z").elapsed_s(4000).maker(294, 802));
    check(&cli, "upload", "keep/2026-11-10T06:00:00Z");
    cli.run("apply --auto-approve").ok();
    let linked = check(&cli, "linked", "keep/2026-11-10T06:00:00Z");
    assert!(linked.contains("intent fetched sent confirmed"), "{linked}");
}

#[test]
fn a_replace_names_what_differs_and_a_removed_one_the_way_back() {
    let cli = Cli::new(REPLACING);
    cli.fit("watch/tempo.fit", &ride("2026-11-10T06:00:00Z").distance_m(30_100));
    cli.fit("archive/x.fit", &ride("2026-11-10T06:00:00Z"));
    check(&cli, "replace", "keep/2026-11-10T06:00:00Z");
    cli.run("apply --auto-approve").ok();
    let arrived = cli.activities("archive").pop().unwrap();
    fs::remove_file(cli.path("archive").join(arrived)).unwrap();
    cli.run("plan").ok();
    check(&cli, "removed", "keep/2026-11-10T06:00:00Z");
}

#[test]
fn a_conflict_shows_its_candidates_and_a_decision_ends_it() {
    let cli = Cli::new(MANIFEST);
    for (path, second) in [("watch/a", 0), ("archive/b", 1), ("archive/c", 2)] {
        cli.fit(format!("{path}.fit"), &ride(&format!("2026-11-10T06:00:0{second}Z")));
    }
    let address = "keep/2026-11-10T06:00:00Z";
    check(&cli, "conflict", address);
    cli.run(&format!("state adopt {address} --as b.fit")).ok();
    check(&cli, "adopted", address);
    cli.run(&format!("state ignore {address}")).ok();
    check(&cli, "ignored", address);
}

#[test]
fn a_skip_names_the_line_of_the_manifest() {
    let cli = Cli::new(&MANIFEST.replace(
        "destination: archive }",
        "destination: archive,\n      activity_types: [running] }",
    ));
    cli.fit("watch/tempo.fit", &ride("2026-11-10T06:00:00Z"));
    cli.put("watch/broken.fit", "broken");
    let filtered = check(&cli, "filtered", "keep/2026-11-10T06:00:00Z");
    assert!(filtered.contains("fit_sync.yaml:6\n"), "{filtered}");
    check(&cli, "unreadable", "keep/@broken.fit");
}

#[test]
fn a_fresh_listing_is_not_read_again() {
    let mut cli = Cli::new(MANIFEST);
    cli.fit("watch/tempo.fit", &ride("2026-11-10T06:00:00Z"));
    cli.fit("archive/other.fit", &ride("2026-11-12T06:00:00Z"));
    cli.run("plan").ok();
    fs::rename(cli.path("watch"), cli.path("away")).unwrap();
    let address = "keep/2026-11-10T06:00:00Z";
    cli.set("FIT_SYNC_NOW", "2026-11-20T12:14:59Z");
    assert!(shown(&cli, address).contains("upload, missing_at_destination"));
    cli.set("FIT_SYNC_NOW", "2026-11-20T12:15:00Z");
    cli.run(&format!("explain {address}")).exits(5).tells("watch cannot be read");
}

#[test]
fn what_is_not_there_says_so() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/tempo.fit", &ride("2026-11-10T06:00:00Z"));
    let unknown = cli.run("explain keep/2026-01-01T00:00:00Z").exits(1);
    snapshot::check("cli", "explain_unknown", &unknown.stderr);
    cli.run("explain other/2026-11-10T06:00:00Z").exits(1);
    cli.run("explain nonsense").exits(1);
    cli.run("explain").exits(64);
}

#[test]
fn titles_cannot_steer_a_terminal() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/\u{1b}[31mred\u{202e}.fit", &ride("2026-11-10T06:00:00Z"));
    let text = shown(&cli, "keep/2026-11-10T06:00:00Z");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text:?}");
}
