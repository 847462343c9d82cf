//! `plan --against FILE`: what changed since a plan was reviewed; and plans without titles.

use fit_sync::plan::Document;
use serde_json::Value;

use crate::support::cli::{Cli, MANIFEST, REPLACING, ride};
use crate::support::fit::FitFile;
use crate::support::snapshot;

fn whole(start: &str) -> FitFile {
    ride(start).distance_m(10_000)
}

fn poor(start: &str) -> FitFile {
    ride(start).distance_m(9_000)
}

/// Reviewed in `plan.json`: replaces of `a.fit` and `b.fit`, uploads of `c.fit` and `d.fit`, and a
/// question about `e.fit`.
fn reviewed() -> Cli {
    let cli = Cli::new(REPLACING);
    for (name, day) in [("a", 1), ("b", 2)] {
        let start = format!("2026-10-0{day}T06:00:00Z");
        cli.fit(format!("watch/{name}.fit"), &whole(&start));
        cli.fit(format!("archive/{name}.fit"), &poor(&start));
    }
    for (name, day) in [("c", 3), ("d", 4), ("e", 5)] {
        cli.fit(format!("watch/{name}.fit"), &whole(&format!("2026-10-0{day}T06:00:00Z")));
    }
    for second in [1, 2] {
        let start = format!("2026-10-05T06:00:0{second}Z");
        cli.fit(format!("archive/e{second}.fit"), &whole(&start));
    }
    cli.run("plan --out plan.json").ok().says("2 to upload, 2 to replace, 1 conflict");
    cli
}

/// What is told after the plan itself.
fn told(cli: &Cli) -> String {
    let plan = cli.run("plan").ok().stdout;
    let ran = cli.run("plan --against plan.json").ok();
    ran.stdout.strip_prefix(plan.as_str()).unwrap().to_owned()
}

#[test]
fn nothing_is_told_where_nothing_changed() {
    let cli = reviewed();
    let text = told(&cli);
    assert!(text.contains(": the same steps and questions.\nIt lies within plan"), "{text}");
}

#[test]
fn everything_that_changed_is_told() {
    let cli = reviewed();
    cli.fit("archive/a.fit", &poor("2026-10-01T06:00:00Z").distance_m(8_000));
    cli.fit("archive/c.fit", &whole("2026-10-03T06:00:00Z"));
    std::fs::remove_file(cli.path("watch/d.fit")).unwrap();
    std::fs::remove_file(cli.path("archive/e2.fit")).unwrap();
    for (place, kilometres) in [("watch", 10), ("archive", 9)] {
        let file = ride("2026-10-06T06:00:00Z").distance_m(1000 * kilometres);
        cli.fit(format!("{place}/f.fit"), &file);
    }
    cli.fit("watch/g.fit", &whole("2026-10-07T06:00:00Z"));
    cli.fit("watch/h.fit", &whole("2026-10-08T06:00:00Z"));
    for second in [1, 2] {
        let start = format!("2026-10-08T06:00:0{second}Z");
        cli.fit(format!("archive/h{second}.fit"), &whole(&start));
    }
    snapshot::check("cli", "against", &told(&cli));
    cli.run("plan --against plan.json --markdown plan.md --redact titles").ok();
    let comment = std::fs::read_to_string(cli.path("plan.md")).unwrap();
    snapshot::check("cli", "against.md", &comment);
    for limit in [250, 700, 2000] {
        let text = cli
            .run(&format!("plan --against plan.json --format markdown --markdown-limit {limit}"));
        assert!(text.ok().stdout.chars().count() <= limit);
    }
}

#[test]
fn two_more_uploads_lie_within_and_one_more_replace_does_not() {
    let cli = reviewed();
    cli.fit("watch/f.fit", &whole("2026-10-06T06:00:00Z"));
    cli.fit("watch/g.fit", &whole("2026-10-07T06:00:00Z"));
    let text = told(&cli);
    assert!(text.contains("2 more.\n") && text.contains("It lies within"), "{text}");
    cli.fit("archive/g.fit", &poor("2026-10-07T06:00:00Z"));
    let text = told(&cli);
    assert!(text.contains("It goes beyond"), "{text}");
    cli.run("apply --within plan.json").exits(6);
}

#[test]
fn a_machine_s_product_stays_the_plan() {
    let cli = reviewed();
    let plain = cli.run("plan --json").ok().stdout;
    let ran = cli.run("plan --json --against plan.json").ok().tells("Since plan ");
    assert_eq!(ran.stdout, plain);
}

#[test]
fn a_file_that_is_no_plan_and_one_of_other_accounts_are_refused() {
    let cli = reviewed();
    cli.put("bad.json", "{}");
    cli.run("plan --against bad.json").exits(7);
    cli.run("plan --against missing.json").exits(1);
    cli.manifest(&MANIFEST.replace("archive", "elsewhere"));
    cli.run("plan --against plan.json").exits(7).tells("account archive");
}

#[test]
fn a_plan_without_titles_is_one_that_can_be_applied() {
    let cli = reviewed();
    let secret = ["\"a\"", "\"c\"", "\"e\"", "\"e1\""];
    let plain = cli.run("plan --json --all").ok().stdout;
    assert!(secret.iter().all(|title| plain.contains(title)), "{plain}");
    let ran = cli.run("plan --json --all --redact titles --out bare.json").ok();
    let saved = std::fs::read_to_string(cli.path("bare.json")).unwrap();
    for text in [&ran.stdout, &saved] {
        assert!(!secret.iter().any(|title| text.contains(title)), "{text}");
    }
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let shown = ran.json();
    assert_eq!(id(&shown), Document::read(&saved).unwrap().id.0);
    assert_ne!(id(&shown), id(&serde_json::from_str(&plain).unwrap()));
    for format in ["text", "markdown", "summary"] {
        let text = cli.run(&format!("plan --format {format} --redact titles")).ok().stdout;
        assert!(!text.contains(" a ") && !text.contains("`a`"), "{text}");
    }
    cli.run("plan --against bare.json").ok().says("the same steps and questions");
    cli.run("apply --within bare.json").exits(6).says("2 uploaded, 2 replaced");
}
