//! A plan as a comment: one text on stdout, in a file, of a saved plan, and on a pipeline's page.

use std::fs;

use crate::support::cli::{Cli, MANIFEST, ride};

fn one() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/a.fit", &ride("2026-11-01T06:12:33Z"));
    cli
}

#[test]
fn one_comment_wherever_it_is_written() {
    let mut cli = one();
    let page = cli.path("page.md");
    cli.set("GITHUB_STEP_SUMMARY", &page);
    fs::write(&page, "before\n").unwrap();
    let text = cli.run("plan --out plan.json --markdown plan.md --format markdown").ok().stdout;
    assert!(text.starts_with("<!-- fit_sync plan -->\n### fit_sync plan `"), "{text}");
    assert!(text.contains("**1 to upload, 0 to replace, 0 conflicts."), "{text}");
    assert_eq!(fs::read_to_string(cli.path("plan.md")).unwrap(), text);
    assert_eq!(fs::read_to_string(&page).unwrap(), format!("before\n{text}"));
    assert_eq!(cli.run("show plan.json --format markdown").ok().stdout, text);
    let short = cli.run("show plan.json --format markdown --markdown-limit 250").ok().stdout;
    assert!(short.chars().count() <= 250 && short.contains("1 to upload"), "{short}");
}

#[test]
fn a_limit_below_the_counts_is_wrong_usage() {
    for limit in ["0", "249", "many", ""] {
        let args = ["plan", "--markdown", "plan.md", "--markdown-limit", limit];
        one().args(args).exits(64).tells("--markdown-limit");
    }
    one().run("plan --markdown-limit 249").exits(64).tells("need 250 characters");
    one().run("plan --markdown-limit 250").ok();
}

#[test]
fn a_comment_that_cannot_be_written_is_an_error() {
    one().run("plan --markdown none/plan.md").exits(1).tells("the comment cannot be written");
}
