//! What a person must decide or mend first, and what is done all the same.

use std::fs;

use crate::support::cli::{Cli, MANIFEST, REPLACING, context, ride, steps};

fn start(day: u32) -> String {
    format!("2026-11-{day:02}T06:12:33Z")
}

#[test]
fn nothing_is_written_without_approval() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(&start(1)));
    cli.run("apply").exits(6).tells("--auto-approve").says("1 to upload");
    cli.run("apply --no-input").exits(6);
    assert!(!cli.path("archive").exists());
    let cli = Cli::new(MANIFEST);
    fs::create_dir(cli.path("watch")).unwrap();
    cli.run("apply").ok().says("No changes.");
}

#[test]
fn too_many_uploads_are_refused_before_the_first() {
    let limits = format!("{MANIFEST}limits: {{ max_uploads: 2 }}\n");
    let cli = Cli::new(&limits);
    (1..=3).for_each(|day| cli.fit(format!("watch/{day}.fit"), &ride(&start(day))));
    let plan = cli.run("plan --json").ok().json();
    let limit = &plan["context"]["limits"][0];
    assert_eq!(limit["limit"], "max_uploads");
    assert_eq!((&limit["value"], &limit["planned"]), (&2.into(), &3.into()));
    cli.run("plan").ok().says("max_uploads");
    cli.run("plan --out saved.json --detailed-exitcode").exits(2);
    for refused in [
        "apply --auto-approve",
        "apply saved.json",
        "apply --auto-approve --allow uploads=2",
        "apply --auto-approve --allow replaces=3",
    ] {
        cli.run(refused).exits(6).tells("--allow uploads=3");
    }
    assert!(!cli.path("archive").exists());
    cli.run("apply --auto-approve --only *2026-11-01*").ok();
    cli.run("apply --auto-approve").ok().says("2 uploaded");
}

#[test]
fn allowed_this_once_goes_beyond_a_limit() {
    let cli = Cli::new(&format!("{REPLACING}limits: {{ max_replaces: 0, max_uploads: 0 }}\n"));
    cli.fit("watch/a.fit", &ride(&start(1)).distance_m(30_400));
    cli.fit("archive/a.fit", &ride(&start(1)).distance_m(30_000));
    cli.fit("watch/b.fit", &ride(&start(2)));
    let before = cli.files("archive");
    cli.run("apply --auto-approve --allow uploads=1").exits(6).tells("replaces=1");
    cli.run("apply --auto-approve --allow replaces=1").exits(6).tells("uploads=1");
    assert_eq!(cli.files("archive"), before);
    let ran = cli.run("apply --auto-approve --allow replaces=1 --allow uploads=1").ok();
    ran.says("1 uploaded, 1 replaced");
}

#[test]
fn twenty_replaces_are_the_most_unless_told_otherwise() {
    let cli = Cli::new(REPLACING);
    for day in 1..=21 {
        cli.fit(format!("watch/{day}.fit"), &ride(&start(day)).distance_m(30_400));
        cli.fit(format!("archive/{day}.fit"), &ride(&start(day)));
    }
    let before = cli.files("archive");
    cli.run("apply --auto-approve").exits(6).tells("--allow replaces=21");
    assert_eq!(cli.files("archive"), before);
}

/// One that can be uploaded and one that a person must decide.
fn conflict() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/clear.fit", &ride(&start(1)));
    cli.fit("watch/unclear.fit", &ride(&start(2)));
    cli.fit("archive/half.fit", &ride(&start(2)).elapsed_s(1500));
    cli
}

#[test]
fn a_conflict_stops_nothing_else_and_is_told_at_the_end() {
    let cli = conflict();
    let plan = cli.run("plan --json").ok().json();
    let address = format!("keep/{}", start(2));
    assert_eq!(
        context(&plan, "conflicts"),
        [(address.clone(), "keep".into(), "partial_overlap".into())]
    );
    cli.run("plan --out saved.json").ok().says("1 conflict.");
    cli.run("apply --auto-approve").exits(6).says("1 uploaded");
    assert_eq!(cli.activities("archive").len(), 2);
    // Only the conflict is left; it is no change, and it is not forgotten.
    cli.run("plan --detailed-exitcode").ok().says("1 conflict.");
    cli.run("apply --auto-approve").exits(6);
    cli.run("apply saved.json").exits(6);
    cli.run("apply --auto-approve --except *2026-11-02*").ok();
}

#[test]
fn a_destination_that_lost_its_marker_is_not_written_to() {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride(&start(1)));
    cli.run("apply --auto-approve").ok();
    cli.fit("watch/b.fit", &ride(&start(2)));
    cli.run("plan --out saved.json").ok();
    fs::rename(cli.path("archive"), cli.path("unmounted")).unwrap();
    for exists in [false, true] {
        if exists {
            fs::create_dir(cli.path("archive")).unwrap();
        }
        let plan = cli.run("plan --json").exits(5).json();
        assert_eq!(steps(&plan), []);
        let blocked = &plan["context"]["blocked"][0];
        assert_eq!((&blocked["rule"], &blocked["account"]), (&"keep".into(), &"archive".into()));
        assert_eq!(blocked["reason"], "marker_missing");
        cli.run("plan").exits(5).says("archive");
        cli.run("apply --auto-approve").exits(5);
        cli.run("apply saved.json").exits(5);
        assert_eq!(cli.activities("archive"), Vec::<String>::new());
    }
    assert!(!cli.path("archive/.fit_sync-id").exists());
    fs::remove_dir(cli.path("archive")).unwrap();
    fs::rename(cli.path("unmounted"), cli.path("archive")).unwrap();
    cli.run("apply saved.json").ok().says("1 uploaded");
}

/// Two rules, of which the second one's source is missing.
fn half_gone() -> Cli {
    let cli = Cli::new(
        "accounts:\n  watch: { platform: directory, path: watch }\n  phone: { platform: directory, \
         path: phone }\n  archive: { platform: directory, path: archive }\n  attic: { platform: \
         directory, path: attic }\nsync_rules:\n  - { name: keep, source: watch, destination: \
         archive }\n  - { name: more, source: phone, destination: attic }\n",
    );
    cli.fit("watch/a.fit", &ride(&start(1)));
    cli
}

#[test]
fn a_missing_source_blocks_its_own_rule_only() {
    let cli = half_gone();
    let plan = cli.run("plan --json --out saved.json").exits(5).json();
    assert_eq!(steps(&plan).len(), 1);
    let blocked = &plan["context"]["blocked"];
    assert_eq!(blocked.as_array().unwrap().len(), 1);
    assert_eq!((&blocked[0]["rule"], &blocked[0]["account"]), (&"more".into(), &"phone".into()));
    cli.run("plan --detailed-exitcode").exits(5).says("more: blocked by phone");
    cli.run("plan --rule keep").ok();
    cli.run("plan --rule more").exits(5);
    // One rule wrote: that is no outage of which nothing has come.
    cli.run("apply --auto-approve").exits(10).says("1 uploaded");
    cli.run("apply --auto-approve").exits(5);
    assert_eq!(cli.activities("archive").len(), 1);
    assert!(!cli.path("attic").exists());
    let cli = half_gone();
    cli.run("apply --auto-approve --rule keep").ok();
}

#[test]
fn a_saved_plan_remembers_what_it_could_not_plan() {
    let cli = half_gone();
    cli.run("plan --out saved.json").exits(5);
    cli.run("apply saved.json").exits(10).says("1 uploaded");
}

#[test]
fn a_folder_that_is_no_folder_blocks_and_keeps_its_place_to_itself() {
    let cli = half_gone();
    cli.put("phone", "a file");
    let ran = cli.run("plan --json");
    assert!(matches!(ran.code, 1 | 5), "{ran:#?}");
    assert_eq!(ran.json()["context"]["blocked"][0]["account"], "phone");
    assert!(!ran.stdout.contains(&*cli.root().to_string_lossy()), "{ran:#?}");
}

#[test]
fn a_source_that_lost_most_of_its_files_replaces_nothing() {
    let cli = Cli::new(REPLACING);
    for day in 1..=4 {
        cli.fit(format!("watch/{day}.fit"), &ride(&start(day)));
    }
    cli.run("apply --auto-approve").ok();
    (2..=4).for_each(|day| fs::remove_file(cli.path(format!("watch/{day}.fit"))).unwrap());
    cli.fit("watch/1.fit", &ride(&start(1)).distance_m(33_000));
    let plan = cli.run("plan --json");
    assert_eq!(steps(&plan.json()), [], "{plan:#?}");
    let before = cli.files("archive");
    for _ in 0..3 {
        cli.run("apply --auto-approve").exits(5);
        cli.run("plan").exits(5);
    }
    assert_eq!(cli.files("archive"), before, "no number of runs makes it believable");
}

#[test]
fn a_source_may_lose_its_files_where_nothing_is_replaced() {
    let cli = Cli::new(MANIFEST);
    (1..=4).for_each(|day| cli.fit(format!("watch/{day}.fit"), &ride(&start(day))));
    cli.run("apply --auto-approve").ok();
    (2..=4).for_each(|day| fs::remove_file(cli.path(format!("watch/{day}.fit"))).unwrap());
    cli.run("plan").ok().says("No changes. 1 activity is in sync.");
    cli.fit("watch/5.fit", &ride(&start(5)));
    cli.run("apply --auto-approve").ok().says("1 uploaded");
}

#[test]
fn a_destination_that_shrank_is_not_filled_again() {
    let cli = Cli::new(MANIFEST);
    (1..=4).for_each(|day| cli.fit(format!("watch/{day}.fit"), &ride(&start(day))));
    cli.run("apply --auto-approve").ok();
    cli.run("plan").ok();
    for name in cli.activities("archive").iter().take(3) {
        fs::remove_file(cli.path("archive").join(name)).unwrap();
    }
    cli.fit("watch/5.fit", &ride(&start(5)));
    let plan = cli.run("plan --json").ok().json();
    let limit = &plan["context"]["limits"][0];
    assert_eq!((&limit["limit"], &limit["planned"]), (&"min_inventory_ratio".into(), &1.into()));
    cli.run("apply --auto-approve").exits(6).tells("archive");
    assert_eq!(cli.activities("archive").len(), 1);
}
