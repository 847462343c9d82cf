//! How a plan looks: the contract's own example, hostile and wide titles.

use fit_sync::render::{Detail, Pages, plan_summary, plan_text};

use super::{saves, shows};
use crate::support::scenario::Scenario;
use crate::support::snapshot;

/// 409 pairs, a question, a replace, an upload.
pub(super) fn contract() -> Scenario {
    let day =
        |n: u32| format!("2025-{:02}-{:02}T{:02}:00:00Z", n % 12 + 1, n / 12 % 28 + 1, n / 336);
    let pairs: String = (0..409).map(|n| format!("p{n} {} running 3000s\n", day(n))).collect();
    Scenario::new()
        .rule("garmin_us -> archive")
        .with("name: us-to-archive")
        .replacing()
        .has("garmin_us", &pairs)
        .has("archive", &pairs)
        .link_all("garmin_us -> archive")
        .has(
            "garmin_us",
            "1728 2026-11-10T06:00:00Z running 3011s 10010m \"Tempo\"
             1725 2026-11-02T05:58:41Z running 3067s 10055m \"Morning Run\" records=3000
             1730 2026-11-19T06:12:33Z cycling 5564s 40210m \"Evening Ride\"",
        )
        .has(
            "archive",
            "4720 2026-11-10T06:00:01Z running 3011s 10010m \"Tempo\"
             4721 2026-11-10T05:59:58Z running 3009s 10000m \"Imported\"
             4711 2026-11-02T05:58:41Z running 3067s 10012m records=3000",
        )
}

#[test]
fn the_contracts_example() {
    let document = contract().plan().document;
    let brief = plan_text(&document, &[], Detail::Brief, &Pages::default());
    snapshot::check("plan", "contract", &anstream::adapter::strip_str(&brief).to_string());
    snapshot::check("plan", "contract_summary", &plan_summary(&document));
    saves("contract", &contract());
}

#[test]
fn titles_cannot_steer_the_terminal() {
    let rows = "esc 2026-11-10T06:00:00Z running 60s\nbidi 2026-11-11T06:00:00Z running 60s
        line 2026-11-12T06:00:00Z running 60s\nodd\u{1b}id 2026-11-13T06:00:00Z running 60s";
    let titled = |scenario: Scenario, account: &str| {
        scenario
            .has(account, rows)
            .titled(account, "esc", "\u{1b}[2J\u{1b}]8;;http://evil\u{7}click\u{9b}31m")
            .titled(account, "bidi", "\u{202e}txt.exe\u{2066}\u{200f}\u{61c}")
            .titled(account, "line", "one\ntwo\r\nthree\tfour\u{2028}five\u{0}")
    };
    let scenario = titled(Scenario::new().rule("us -> archive"), "us");
    shows("hostile_titles", &scenario);
    saves("hostile_titles", &scenario);
    let questions = "q1 2026-11-10T06:00:20Z cycling 60s\nq2 2026-11-12T06:00:20Z cycling 60s";
    let conflicts = titled(Scenario::new().rule("us -> archive").has("us", questions), "archive");
    shows("hostile_candidates", &conflicts);
}

#[test]
fn wide_titles_keep_the_columns() {
    let scenario = Scenario::new().rule("us -> archive").has(
        "us",
        "1 2026-11-10T06:00:00Z running 3000s 10000m \"Run\"
         2 2026-11-11T06:00:00Z running 36000s 100000m \"越野跑\"
         3 2026-11-12T06:00:00Z open_water_swimming 300s 995m \"北京马拉松 2026 完赛纪念 第三十届 国际田联金标赛事\"
         4 2026-11-13T06:00:00Z yoga
         5 2026-11-14T06:00:00Z running 3000s 10004m \"A title that is far too long for any column of a table\"",
    );
    shows("wide_titles", &scenario);
}

#[test]
fn equal_starts_are_numbered_in_order_of_their_ids() {
    let scenario = Scenario::new().rule("us -> archive").has(
        "us",
        "b 2026-11-10T06:00:00Z running 60s
         c 2026-11-10T06:00:00Z cycling 90s
         a 2026-11-10T06:00:00Z running 120s
         y - running 60s
         x - running 60s",
    );
    saves("addresses", &scenario);
}
