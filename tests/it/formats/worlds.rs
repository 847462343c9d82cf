//! The worlds that every format is shown with: one with every kind of row, one that is hostile.

use fit_sync::event::Phase;
use fit_sync::plan::{BlockedReason, Document};
use fit_sync::platform;
use fit_sync::render::html::{self, Style};
use fit_sync::render::{FailureWords, Outcome, Pages, Report, ReportedExit};

use crate::support::scenario::Scenario;

pub(super) const ROOM: usize = 60_000;

/// Two years, four rules, every kind of row, platforms with pages and without.
pub(super) fn rich() -> Scenario {
    let uploads: String = (1..=14)
        .map(|n| {
            let (month, day) = (n % 6 + 6, n * 2);
            let (seconds, metres) = (1800 + n * 421, 5000 + n * 2503);
            let kind = ["running", "cycling", "open_water_swimming"][n % 3];
            let title = ["Morning Run", "Feierabendrunde um den See", "北京 公开水域"][n % 3];
            format!(
                "17{n:02} 2026-{month:02}-{day:02}T06:12:33Z {kind} {seconds}s {metres}m \"{title}\"\n"
            )
        })
        .collect();
    let replaced = |change: u32| -> String {
        (1..=6)
            .map(|n| {
                let metres = 10_012 + n * 503 + change;
                format!(
                    "{} 2025-{:02}-02T05:58:41Z running 3067s {metres}m \"Tempo {n}\" records=3000\n",
                    4700 + n + change,
                    n + 6
                )
            })
            .collect()
    };
    Scenario::new()
        .rule("garmin_us -> garmin_cn")
        .replacing()
        .rule("garmin_us -> archive")
        .with("exclude_types: [yoga]")
        .rule("coros_cn -> archive")
        .limit("max_uploads: 12")
        .has("garmin_us", &uploads)
        .has("garmin_us", &replaced(43))
        .has("garmin_cn", &replaced(0))
        .has(
            "garmin_us",
            "1728 2026-11-10T06:00:00Z running 3011s 10010m \"Tempo\"
             1729 2026-11-12T17:30:00Z yoga 1800s \"Dehnen\"
             1731 - running 60s
             1732 2026-11-15T08:00:00Z cycling 5400s 40210m \"Early Ride\"",
        )
        .has(
            "garmin_cn",
            "4720 2026-11-10T06:00:01Z running 3011s 10010m \"Tempo\"
             4721 2026-11-10T05:59:58Z running 3009s 10000m \"Imported\"",
        )
        .has("archive", "cycling/2026/early.fit 2026-11-15T07:40:00Z cycling 5400s 40000m")
        .blocked("coros_cn", BlockedReason::LoginNeeded, "its session has ended")
}

/// What a stranger could call an activity.
pub(super) const TITLES: [&str; 9] = [
    "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}click\u{9b}31m",
    "\u{202e}txt.exe\u{2066}\u{200f}\u{61c}",
    "@everyone #1 https://evil.example",
    "a | b \\| c",
    "`code` ``more",
    "<script>alert(1)</script> --> </title></details><img src=x onerror=alert(2)>",
    "one\ntwo\r\n# three\u{2028}four\u{0}",
    "[x](javascript:y) ![z](http://evil.example/p.png)",
    "' onmouseover='alert(3) \" ]]> &amp; &#0; \u{fffe}\u{ffff}",
];

/// Hostile titles, ids and words, as uploads, replaces, questions and skips.
pub(super) fn hostile() -> Scenario {
    let rows: String = (0..TITLES.len())
        .map(|n| format!("{n} 2026-11-{:02}T06:00:00Z running 60s\n", n + 1))
        .collect();
    let scenario = Scenario::new()
        .rule("garmin_us -> archive")
        .replacing()
        .rule("coros_cn -> archive")
        .blocked("coros_cn", BlockedReason::Failed, "<b>answers\n\u{1b}[31m`|` @everyone")
        .has("garmin_us", &rows)
        .has("garmin_us", "9 2026-10-01T06:00:00Z running 3000s 10000m records=1000")
        .has("garmin_us", "q 2026-10-05T06:00:00Z running 3000s 10000m\n<i>'&\u{1b} - running 60s")
        .has(
            "archive",
            "x'><script>|`\u{202e}.fit 2026-10-01T06:00:00Z running 3000s 9000m records=1000",
        )
        .has("archive", "<u>&'|.fit 2026-10-05T06:20:00Z running 3000s 10000m");
    let named = TITLES
        .iter()
        .enumerate()
        .fold(scenario, |scenario, (n, title)| scenario.titled("garmin_us", &n.to_string(), title));
    named.titled("garmin_us", "q", TITLES[5]).titled("archive", "<u>&'|.fit", TITLES[5])
}

/// How an apply of a plan went in which the steps came as far as one can come, each another way.
pub(super) fn report(document: &Document, detail: &str) -> Report {
    let mut report = Report::begin("2026-11-20T12:00:00Z".parse().unwrap());
    report.plan(document);
    report.run = Some("12".to_owned());
    let phases = Phase::ALL.into_iter().chain([Phase::Confirmed; 2]);
    for (place, phase) in (0..document.body.steps.len()).zip(phases) {
        let detail = if phase == Phase::Confirmed { "" } else { detail };
        report.enter(place, phase, detail);
    }
    let skipped = report.steps.iter_mut().find(|step| step.phase == Some(Phase::Skipped));
    if let Some(step) = skipped {
        step.question = Some("partial_overlap".to_owned());
    }
    let address = "us-to-gone/2026-01-02T03:04:05Z".parse().unwrap();
    report.settle(&address, Phase::Held, detail);
    let exit = ReportedExit { code: 10, name: "partly".to_owned() };
    report.end("2026-11-20T12:03:10Z".parse().unwrap(), exit);
    report
}

pub(super) fn plan_page(document: &Document, style: Style) -> String {
    html::plan_html(document, &Pages::of(document, &platform::catalog()), style).unwrap()
}

pub(super) fn apply_page(document: &Document, report: &Report, happened: Option<&str>) -> String {
    let failure = happened.map(|happened| FailureWords { happened, next: "run `fit_sync auth`" });
    let outcome = Outcome { report, document: Some(document), failure };
    let pages = Pages::of(document, &platform::catalog());
    html::apply_html(&outcome, &pages, Style::Beside).unwrap()
}
