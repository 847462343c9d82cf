//! A plan that was saved is shown as it was, and is the approval of exactly what it says.

use std::fs;

use serde_json::Value;

use crate::support::cli::{Cli, MANIFEST, REPLACING, ride};

const EARLY: &str = "2026-11-01T06:12:33Z";
const LATE: &str = "2026-11-02T06:12:33Z";

/// Two uploads.
fn uploads() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(EARLY));
    cli.fit("watch/b.fit", &ride(LATE));
    cli
}

/// One replace.
fn replace() -> Cli {
    let cli = Cli::new(REPLACING);
    cli.fit("watch/a.fit", &ride(EARLY).distance_m(30_400));
    cli.fit("archive/old.fit", &ride(EARLY).distance_m(30_000));
    cli
}

#[test]
fn show_prints_the_bytes_that_plan_printed() {
    let cli = uploads();
    cli.fit("watch/c.fit", &ride("2026-11-03T06:12:33Z"));
    cli.fit("archive/c1.fit", &ride("2026-11-03T06:12:33Z").serial(7));
    cli.fit("archive/c2.fit", &ride("2026-11-03T06:12:33Z").serial(8));
    cli.put("watch/broken.fit", "nothing");
    for format in ["text", "json", "summary"] {
        for before in ["", "-v", "--color always"] {
            let plan = cli.run(&format!("{before} plan --format {format} --out saved.json"));
            let shown = cli.run(&format!("{before} show saved.json --format {format}"));
            assert_eq!(plan.ok().stdout, shown.ok().stdout, "{format} {before}");
        }
        let plan = cli.run(&format!("plan --all --format {format} --out saved.json")).ok();
        let shown = cli.run(&format!("show saved.json --format {format}")).ok();
        assert_eq!(plan.stdout, shown.stdout, "{format} --all");
    }
}

#[test]
fn pairs_in_sync_are_shown_again_with_v() {
    let cli = uploads();
    cli.run("apply --auto-approve").ok();
    let plan = cli.run("plan -v --out saved.json").ok().says("linked");
    assert_eq!(cli.run("show -v saved.json").ok().stdout, plan.stdout);
}

#[test]
fn meta_is_in_the_file_only() {
    let mut cli = uploads();
    cli.set("BUILD_URL", "https://ci.example/42");
    let printed = cli.run("plan --json --out saved.json").ok().json();
    let saved: Value = serde_json::from_slice(&fs::read(cli.path("saved.json")).unwrap()).unwrap();
    assert_eq!(printed.get("meta"), None);
    assert_eq!(saved["meta"]["run_url"], "https://ci.example/42");
    assert_eq!(saved["meta"]["created_at"], crate::support::cli::NOW);
    assert_eq!(saved["id"], printed["id"]);
}

#[test]
fn a_saved_plan_asks_nothing_and_does_no_more_than_it_says() {
    let cli = uploads();
    cli.run("plan --out saved.json").ok();
    cli.fit("watch/new.fit", &ride("2026-11-05T06:12:33Z"));
    cli.run("apply saved.json").ok().says("2 uploaded");
    assert_eq!(cli.activities("archive").len(), 2);
    cli.run("plan").ok().says("1 to upload");
}

#[test]
fn what_is_no_plan_or_was_altered_is_refused() {
    let cli = uploads();
    cli.run("plan --out saved.json").ok();
    let text = fs::read_to_string(cli.path("saved.json")).unwrap();
    cli.put("altered.json", text.replacen("upload", "replace", 1));
    cli.put("other_id.json", text.replacen("\"id\": \"", "\"id\": \"0", 1));
    cli.put("newer.json", text.replace("fit_sync.plan/1", "fit_sync.plan/2"));
    cli.put("binary.json", [0xff, 0xfe, 0x00]);
    cli.put("empty.json", "");
    cli.put("deep.json", "[".repeat(200_000));
    for name in ["altered", "other_id", "newer", "binary", "empty", "deep"] {
        cli.run(&format!("show {name}.json")).exits(7).tells(name);
        cli.run(&format!("apply {name}.json")).exits(7).tells("fit_sync plan --out");
    }
    cli.run("show fit_sync.yaml").exits(7);
    cli.run("apply missing.json").exits(1).tells("missing.json");
    assert!(!cli.path("archive").exists());
}

#[test]
fn accounts_of_a_saved_plan_may_not_be_others_today() {
    let cli = uploads();
    cli.run("apply --auto-approve --only *2026-11-01*").ok();
    cli.run("plan --out saved.json").ok().says("1 to upload");
    cli.manifest(&MANIFEST.replace("path: archive", "path: elsewhere"));
    // Another folder that has a marker of its own.
    cli.put(
        "elsewhere/.fit_sync-id",
        r#"{"format":"fit_sync.directory/1","id":"0123456789abcdef0123456789abcdef"}"#,
    );
    cli.run("apply saved.json").exits(7).tells("archive");
    cli.manifest(&MANIFEST.replace("archive", "attic"));
    cli.run("apply saved.json").exits(7);
    assert_eq!(cli.activities("elsewhere"), Vec::<String>::new());
    assert_eq!(cli.activities("archive").len(), 1);
    cli.manifest(MANIFEST);
    cli.run("apply saved.json").ok();
}

#[test]
fn rules_may_have_changed_since() {
    let cli = uploads();
    cli.run("plan --out saved.json").ok();
    cli.manifest(&MANIFEST.replace("name: keep", "name: renamed"));
    cli.run("apply saved.json").ok().says("2 uploaded");
    cli.run("plan").ok().says("No changes. 2 activities");
}

#[test]
fn an_upload_is_stale_by_itself() {
    let cli = uploads();
    cli.fit("watch/c.fit", &ride("2026-11-03T06:12:33Z"));
    cli.run("plan --out saved.json").ok();
    cli.fit("watch/a.fit", &ride(EARLY).distance_m(9));
    fs::remove_file(cli.path("watch/b.fit")).unwrap();
    let ran = cli.run("apply saved.json").exits(10).says("1 uploaded").says("2 stale");
    assert!(ran.stdout.contains(&format!("keep/{EARLY} stale")), "{ran:#?}");
    assert_eq!(cli.activities("archive").len(), 1);
}

#[test]
fn a_wholly_stale_plan_says_so() {
    let cli = uploads();
    cli.run("plan --out saved.json").ok();
    cli.fit("watch/a.fit", &ride(EARLY).distance_m(9));
    fs::remove_file(cli.path("watch/b.fit")).unwrap();
    cli.run("apply saved.json").exits(7);
    assert_eq!(cli.activities("archive").len(), 0);
}

#[test]
fn a_new_title_makes_nothing_stale() {
    let cli = uploads();
    cli.run("apply --auto-approve --only *2026-11-01*").ok();
    cli.run("plan --out saved.json").ok();
    fs::rename(
        cli.path("archive/cycling/2026/2026-11-01_061233_cycling_a.fit"),
        cli.path("archive/cycling/2026/a new title.fit"),
    )
    .unwrap();
    cli.run("apply saved.json").ok();
}

#[test]
fn what_the_destination_has_by_now_is_linked_not_sent() {
    let cli = uploads();
    cli.run("plan --out saved.json").ok();
    cli.fit("archive/by hand.fit", &ride(EARLY));
    cli.run("apply saved.json").ok().says("1 uploaded").says("1 adopted");
    assert_eq!(cli.activities("archive").len(), 2);
    cli.run("state list").ok().says("archive/by hand.fit");
    cli.run("plan").ok().says("No changes. 2 activities");
}

#[test]
fn what_came_to_differ_at_the_destination_becomes_a_question() {
    let cli = uploads();
    cli.run("plan --out saved.json").ok();
    // It overlaps, and is not the same.
    cli.fit("archive/half.fit", &ride(EARLY).elapsed_s(1500));
    cli.run("apply saved.json").exits(6).says("1 uploaded").says("skipped: partial_overlap");
    assert_eq!(cli.activities("archive").len(), 2);
}

#[test]
fn applying_a_plan_twice_does_it_once() {
    let cli = uploads();
    cli.run("plan --out saved.json").ok();
    cli.run("apply saved.json").ok().says("2 uploaded");
    cli.run("apply saved.json").ok().says("0 uploaded");
    assert_eq!(cli.activities("archive").len(), 2);
    let cli = replace();
    cli.run("plan --out saved.json").ok();
    cli.run("apply saved.json").ok().says("1 replaced");
    let before = cli.files("archive");
    cli.run("apply saved.json");
    assert_eq!(cli.files("archive"), before);
}

#[test]
fn a_replace_is_stale_when_the_old_one_is_another() {
    let changed = |cli: &Cli| cli.fit("archive/old.fit", &ride(EARLY).distance_m(31_000));
    let gone = |cli: &Cli| fs::remove_file(cli.path("archive/old.fit")).unwrap();
    for (what, happens) in
        [("changed", &changed as &dyn Fn(&Cli)), ("gone", &gone as &dyn Fn(&Cli))]
    {
        let cli = replace();
        cli.run("plan --out saved.json").ok();
        happens(&cli);
        let before = cli.files("archive");
        cli.run("apply saved.json").exits(7).says("1 stale");
        let mut after = cli.files("archive");
        after.remove(".fit_sync-id");
        assert_eq!(after, before, "{what}");
    }
}

#[test]
fn expect_plan_takes_the_id_and_its_short_form() {
    let cli = uploads();
    let plan = cli.run("plan --json").ok().json();
    let id = plan["id"].as_str().unwrap().to_owned();
    let short = cli.run("plan").ok().stdout;
    let short = short.lines().last().unwrap().split(' ').nth(1).unwrap().trim_end_matches(':');
    assert_eq!(short.replace('-', ""), id[..12]);
    for wrong in ["", "0", "f", "000000000000", &id[..11], "7f3a-91c2-04be"] {
        cli.args(["apply", "--auto-approve", "--expect-plan", wrong]).exits(7);
    }
    cli.fit("watch/new.fit", &ride("2026-11-05T06:12:33Z"));
    cli.args(["apply", "--auto-approve", "--expect-plan", &id]).exits(7);
    fs::remove_file(cli.path("watch/new.fit")).unwrap();
    assert!(!cli.path("archive").exists());
    cli.args(["apply", "--auto-approve", "--expect-plan", short]).ok();
    assert_eq!(cli.activities("archive").len(), 2);
}

#[test]
fn a_part_of_a_saved_plan_can_be_applied() {
    let cli = uploads();
    cli.run("plan --out saved.json").ok();
    cli.run("apply saved.json --only *2026-11-01*").ok().says("1 uploaded");
    assert_eq!(cli.activities("archive").len(), 1);
    cli.run("apply saved.json --rule nosuch").exits(3);
}
