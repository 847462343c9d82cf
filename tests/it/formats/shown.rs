//! Snapshots of every format.

use fit_sync::plan::Document;
use fit_sync::platform;
use fit_sync::render::html::Style;
use fit_sync::render::{
    Detail, FailureWords, Outcome, Pages, apply_junit, plan_junit, plan_markdown, plan_summary,
    plan_text,
};

use super::worlds::{ROOM, TITLES, apply_page, hostile, plan_page, report, rich};
use crate::support::snapshot;

fn shows(name: &str, document: &Document, detail: &str, happened: &str) {
    let check = |format: &str, text: &str| {
        snapshot::check("formats", &format!("{name}.{format}"), text);
    };
    let text = plan_text(document, &[], Detail::Full, &Pages::default());
    check("txt", &anstream::adapter::strip_str(&text).to_string());
    check("summary.txt", &plan_summary(document));
    check("json", &document.to_json().unwrap());
    let pages = Pages::of(document, &platform::catalog());
    check("md", &plan_markdown(document, &pages, &[], ROOM));
    check("html", &plan_page(document, Style::Beside));
    check("xml", &plan_junit(document).unwrap());
    let report = report(document, detail);
    let failure = Some(FailureWords { happened, next: "run `fit_sync auth`" });
    let outcome = Outcome { report: &report, document: Some(document), failure };
    check("apply.html", &apply_page(document, &report, Some(happened)));
    check("apply.xml", &apply_junit(&outcome).unwrap());
}

#[test]
fn a_rich_plan_in_every_format() {
    let detail = "the destination has 10055 m where 10012 m were sent";
    shows("rich", &rich().plan().document, detail, "garmin_us: the session has ended");
}

#[test]
fn a_hostile_plan_in_every_format() {
    shows("hostile", &hostile().plan().document, TITLES[5], TITLES[0]);
}
