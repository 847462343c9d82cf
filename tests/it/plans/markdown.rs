//! A plan as a comment: everything in it, nothing that breaks out of it, and what goes first when it
//! must be shorter.

use fit_sync::plan::{Action, BlockedReason, Document};
use fit_sync::platform;
use fit_sync::render::{MARKER, Pages, plan_markdown};

use super::appearance::contract;
use crate::support::scenario::Scenario;
use crate::support::snapshot;

const ROOM: usize = 60_000;

fn comment(document: &Document, limit: usize) -> String {
    plan_markdown(document, &Pages::of(document, &platform::catalog()), &[], limit)
}

fn shows(name: &str, scenario: &Scenario) {
    snapshot::check("plan", &format!("{name}.md"), &comment(&scenario.plan().document, ROOM));
}

/// With a rule of each kind of row: 20 replaces and a question among many uploads.
pub(crate) fn large(uploads: u32) -> Document {
    let rows = |form: &dyn Fn(u32) -> String| (0..20).map(form).collect::<String>();
    let day = |n: u32| format!("2026-{:02}-{:02}T06:00:00Z", n % 12 + 1, n / 12 + 1);
    let new: String = (0..uploads)
        .map(|n| {
            let start = jiff::Timestamp::from_second(1_500_000_000 + i64::from(n) * 21_600);
            format!("u{n} {} cycling 3600s 30000m \"Ride {n}\"\n", start.unwrap())
        })
        .collect();
    Scenario::new()
        .rule("garmin_us -> archive")
        .replacing()
        .has(
            "garmin_us",
            &rows(&|n| format!("s{n} {} running 3000s 10000m records=1000\n", day(n))),
        )
        .has("garmin_us", &new)
        .has("garmin_us", "q 2025-06-01T06:00:00Z running 3000s\np - running 60s")
        .has("archive", &rows(&|n| format!("d{n} {} running 3010s 9990m records=1000\n", day(n))))
        .has("archive", "q 2025-06-01T06:20:00Z running 3000s")
        .plan()
        .document
}

#[test]
fn a_comment_has_everything() {
    shows("contract", &contract());
    let skips = Scenario::new()
        .rule("garmin_us -> archive")
        .with("exclude_types: [yoga]")
        .rule("coros_cn -> archive")
        .blocked("coros_cn", BlockedReason::Unavailable, "the platform does not answer")
        .has("garmin_us", "1 2026-11-10T06:00:00Z yoga 60s\n2 - running 60s")
        .has("archive", "");
    shows("skips", &skips);
}

#[test]
fn remote_text_stays_in_its_place() {
    let titles = [
        "\u{1b}[2J\u{202e}txt",
        "@everyone #1 https://evil.example",
        "a | b \\| c",
        "`code` ``more",
        "<script>alert(1)</script> --> </details>",
        "one\ntwo\r\n# three",
        "[x](javascript:y) ![z](http://evil.example/p.png)",
    ];
    let rows: String = (0..titles.len())
        .map(|n| format!("{n} 2026-11-{:02}T06:00:00Z running 60s\n", n + 1))
        .collect();
    let scenario = Scenario::new().rule("garmin_us -> archive").has("garmin_us", &rows);
    let named = titles
        .iter()
        .enumerate()
        .fold(scenario, |scenario, (n, title)| scenario.titled("garmin_us", &n.to_string(), title));
    shows("hostile_titles", &named);
    let text = comment(&named.plan().document, ROOM);
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| 2026-")).collect();
    assert_eq!(rows.len(), titles.len());
    for row in rows {
        let ends = row.replace("\\|", "").matches('|').count();
        assert_eq!(ends, 7, "{row}");
    }
}

#[test]
fn three_thousand_steps_fit_and_name_every_replace() {
    let document = large(2_980);
    let steps = &document.body.steps;
    let replaces: Vec<_> = steps.iter().filter(|step| step.action == Action::Replace).collect();
    assert_eq!((steps.len(), replaces.len()), (3_000, 20));
    let text = comment(&document, ROOM);
    assert!(text.chars().count() <= ROOM);
    for step in replaces {
        let start = step.key.start.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let id = step.destination.id.as_ref().unwrap();
        let row = text.lines().find(|line| line.contains(&start)).unwrap();
        assert!(row.contains(&format!("`{id}`")), "{row}");
    }
}

/// What stands in the way may be longer than all else; the counts still come first and the limit
/// holds.
#[test]
fn the_least_limit_holds_whatever_stands_in_the_way() {
    let why = "the platform does not answer ".repeat(40);
    let blocked = (0..9).fold(Scenario::new(), |scenario, n| {
        let name = format!("account_with_a_long_name_{n}");
        let scenario = scenario.rule(&format!("{name} -> archive"));
        scenario.blocked(&name, BlockedReason::Unavailable, &why)
    });
    let document = blocked.limit("max_uploads: 1").has("archive", "").plan().document;
    for limit in [250, 400, 600, 1_000] {
        let text = comment(&document, limit);
        assert!(text.chars().count() <= limit, "{limit}: {text}");
        assert!(text.starts_with(MARKER) && text.contains("0 to upload"), "{text}");
        assert!(text.contains("more rows") || text.contains("Shortened"), "{text}");
    }
    let most = u64::from(u32::MAX);
    let mut large = large(1);
    let counts = &mut large.context.counts;
    (counts.upload, counts.replace, counts.in_sync, counts.skip) = (most, most, most, most);
    assert!(comment(&large, 250).chars().count() <= 250);
}

/// Uploads go before details, details before facts, and rows only at the very end.
#[test]
fn the_ladder_of_shortening() {
    let document = large(100);
    let mut before = comment(&document, usize::MAX);
    snapshot::check("plan", "large.md", &before);
    for name in ["no_skips", "no_uploads", "no_details", "addresses"] {
        let shorter = comment(&document, before.chars().count() - 1);
        assert!(shorter.chars().count() < before.chars().count(), "{name}");
        let named = |text: &str| text.matches("`d1").count() + text.matches("`d2`").count();
        assert_eq!(named(&shorter), 12, "{name}: every replace is named");
        snapshot::check("plan", &format!("large-{name}.md"), &shorter);
        before = shorter;
    }
    let cut = comment(&document, 600);
    snapshot::check("plan", "large-cut.md", &cut);
    assert!(cut.chars().count() <= 600);
    assert!(cut.contains("more rows") && cut.starts_with(MARKER));
}
