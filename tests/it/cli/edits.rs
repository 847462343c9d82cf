//! What happens to a pair after it was linked: edits here, there and on both sides.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::cli::{Cli, MANIFEST, REPLACING, Ran, context, gzip, ride, steps};

const START: &str = "2026-11-01T06:12:33Z";
const ADDRESS: &str = "keep/2026-11-01T06:12:33Z";
const THERE: &str = "archive/cycling/2026/2026-11-01_061233_cycling_a.fit";

fn linked(manifest: &str) -> Cli {
    let cli = Cli::new(manifest);
    cli.fit("watch/a.fit", &ride(START));
    cli.run("apply --auto-approve").ok();
    cli
}

fn idle(ran: &Ran) -> bool {
    ran.code == 0 && ran.stdout.starts_with("No changes.")
}

#[test]
fn an_edit_at_the_source_is_told_or_brought_over_as_the_rule_says() {
    let edited = ride(START).distance_m(33_000);
    let cli = linked(MANIFEST);
    cli.fit("watch/a.fit", &edited);
    let plan = cli.run("plan").ok();
    assert!(idle(&plan), "{plan:#?}");
    plan.tells(&format!("{ADDRESS}: changed at the source"));
    cli.run("apply --auto-approve").ok();
    assert_eq!(cli.files("")[THERE], ride(START).build());
    cli.run("plan").ok().tells("changed at the source");
    let cli = linked(REPLACING);
    cli.fit("watch/a.fit", &edited);
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan), [(ADDRESS.into(), "replace".into(), "content_differs".into())]);
    cli.run("apply --auto-approve").ok().says("1 replaced");
    assert_eq!(cli.activities("archive").len(), 1);
    assert!(cli.files("archive").values().any(|bytes| *bytes == edited.build()));
    assert!(idle(&cli.run("plan")));
}

#[test]
fn an_edit_at_the_destination_is_never_overwritten() {
    let edited = ride(START).distance_m(33_000);
    for manifest in [MANIFEST, REPLACING] {
        let cli = linked(manifest);
        cli.put(THERE, edited.build());
        for _ in 0..2 {
            let plan = cli.run("plan").ok();
            assert!(idle(&plan), "{plan:#?}");
            plan.tells("changed at the destination");
            cli.run("apply --auto-approve").ok();
        }
        assert_eq!(cli.files("")[THERE], edited.build());
    }
}

#[test]
fn edits_on_both_sides_are_a_question() {
    let cli = linked(REPLACING);
    cli.fit("watch/a.fit", &ride(START).distance_m(33_000));
    cli.put(THERE, ride(START).distance_m(35_000).build());
    let plan = cli.run("plan --json").ok().json();
    let question = (ADDRESS.into(), "keep".into(), "changed_on_both_sides".into());
    assert_eq!(context(&plan, "conflicts"), [question]);
    let before = cli.files("archive");
    cli.run("apply --auto-approve").exits(6);
    assert_eq!(cli.files("archive"), before);
}

#[test]
fn what_would_lose_data_is_a_question() {
    let cli = Cli::new(REPLACING);
    cli.fit("watch/a.fit", &ride(START).distance_m(30_400).serial(0));
    cli.fit("archive/a.fit", &ride(START).developer_fields(2));
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(context(&plan, "conflicts")[0].2, "would_lose_data");
    cli.run("apply --auto-approve").exits(6);
    assert_eq!(cli.activities("archive"), ["a.fit"]);
}

#[test]
fn a_source_that_moves_its_files_uploads_nothing_again() {
    let cli = linked(MANIFEST);
    fs::create_dir(cli.path("watch/2026")).unwrap();
    fs::rename(cli.path("watch/a.fit"), cli.path("watch/2026/renamed.fit")).unwrap();
    assert!(idle(&cli.run("plan")));
    cli.put("watch/2026/packed.fit.gz", gzip(&ride(START).build()));
    fs::remove_file(cli.path("watch/2026/renamed.fit")).unwrap();
    assert!(idle(&cli.run("plan")));
    cli.run("apply --auto-approve").ok();
    assert_eq!(cli.activities("archive").len(), 1);
}

#[test]
fn a_file_edited_in_place_at_the_same_size_and_second_is_seen() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.run("plan").ok().says("2026-11-01 06:12:33Z");
    cli.fit("watch/a.fit", &ride("2026-11-01T06:12:34Z"));
    cli.run("plan").ok().says("2026-11-01 06:12:34Z");
}

#[test]
fn packed_and_broken_files_at_a_destination_do_no_harm() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(START));
    cli.put("archive/packed.FIT.gz", gzip(&ride(START).build()));
    cli.put("archive/broken.fit", "nothing");
    cli.put("archive/notes.txt", "mine");
    assert!(idle(&cli.run("plan")));
    cli.run("apply --auto-approve").ok();
    assert_eq!(cli.activities("archive"), ["broken.fit", "notes.txt", "packed.FIT.gz"]);
}

#[test]
fn links_dot_files_and_leftovers_are_as_the_contract_says() {
    let mut cli = Cli::new(MANIFEST);
    cli.fit("elsewhere/linked.fit", &ride(START));
    fs::create_dir(cli.path("watch")).unwrap();
    symlink(cli.path("elsewhere/linked.fit"), cli.path("watch/linked.fit")).unwrap();
    symlink("nowhere", cli.path("watch/dangling.fit")).unwrap();
    symlink(".", cli.path("watch/loop")).unwrap();
    cli.put("watch/._a.fit", "resource fork");
    cli.put("watch/.hidden/b.fit", ride(START).build());
    let leftover = "archive/.fit_sync-0123456789abcdef0123456789abcdef.tmp";
    cli.put(leftover, "half a file");
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(plan["context"]["inventories"][1]["count"], 1);
    assert_eq!(plan["context"]["inventories"][1]["complete"], true);
    assert!(cli.path(leftover).exists(), "a plan removes nothing");
    cli.run("apply --auto-approve").ok().says("1 uploaded");
    // More than a day after any clock by which the file was written.
    cli.set("FIT_SYNC_NOW", "2100-01-01T12:00:00Z");
    cli.run("apply --auto-approve").ok();
    assert!(!cli.path(leftover).exists());
    let there = cli.path("archive/cycling/2026/2026-11-01_061233_cycling_linked.fit");
    assert!(there.symlink_metadata().unwrap().is_file(), "the file, not the link");
}

#[test]
fn two_watches_worn_at_once_give_one_activity() {
    let cli = Cli::new(
        "accounts:\n  a: { platform: directory, path: a }\n  b: { platform: directory, path: b }\n  \
         c: { platform: directory, path: c }\nsync_rules:\n  - { name: one, source: a, destination: \
         c }\n  - { name: two, source: b, destination: c, conflict_strategy: replace_existing }\n",
    );
    cli.fit("a/x.fit", &ride(START));
    cli.fit("b/x.fit", &ride("2026-11-01T06:12:40Z").maker(294, 802));
    let plan = cli.run("plan --json").ok().json();
    assert_eq!(steps(&plan).len(), 1);
    assert_eq!(steps(&plan)[0].0, "two/2026-11-01T06:12:40Z");
    assert_eq!(context(&plan, "skips")[0].2, "covered_by_rule");
    cli.run("apply --auto-approve").ok();
    assert!(idle(&cli.run("plan")));
    cli.lose_state();
    assert!(idle(&cli.run("plan")));
    assert_eq!(cli.activities("c").len(), 1);
}

#[test]
fn there_and_back_again_converges() {
    let cli = Cli::new(
        "accounts:\n  a: { platform: directory, path: a }\n  b: { platform: directory, path: b }\n\
         sync_rules:\n  - { source: a, destination: b, conflict_strategy: replace_existing }\n  - { \
         source: b, destination: a }\n",
    );
    cli.fit("a/x.fit", &ride(START).distance_m(30_400));
    cli.fit("b/x.fit", &ride(START));
    cli.fit("b/y.fit", &ride("2026-11-02T06:12:33Z"));
    cli.run("apply --auto-approve").ok().says("1 uploaded, 1 replaced");
    assert!(idle(&cli.run("plan")));
    cli.run("apply --auto-approve").ok();
    cli.lose_state();
    assert!(idle(&cli.run("plan")));
    assert_eq!((cli.activities("a").len(), cli.activities("b").len()), (2, 2));
}

#[test]
fn a_destination_may_be_made_with_folders_above_it_and_through_a_link() {
    let cli = Cli::new(&MANIFEST.replace("path: archive", "path: deep/er/archive"));
    cli.fit("watch/a.fit", &ride(START));
    cli.run("apply --auto-approve").ok().says("1 uploaded");
    assert!(cli.path("deep/er/archive/.fit_sync-id").exists());
    fs::rename(cli.path("deep/er/archive"), cli.path("moved")).unwrap();
    symlink(cli.path("moved"), cli.path("deep/er/archive")).unwrap();
    assert!(idle(&cli.run("plan")), "a moved folder is known by its marker");
}
