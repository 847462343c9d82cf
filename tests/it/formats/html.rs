//! Pages as a browser reads them: sound, without script or inline style, and going nowhere but to the
//! platforms' own pages.

use std::collections::BTreeSet;

use fit_sync::domain::neutralise;
use fit_sync::plan::{Action, Document};
use fit_sync::render::html::{STYLE, STYLE_FILE, Style};
use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

use super::worlds::{TITLES, apply_page, hostile, plan_page, report, rich};
use crate::plans::markdown::large;
use crate::support::scenario::Scenario;

/// All that a page is made of.
const ELEMENTS: [&str; 44] = [
    "a", "b", "bdi", "body", "circle", "code", "del", "desc", "details", "div", "h1", "h2", "h3",
    "head", "header", "html", "ins", "li", "link", "main", "meta", "p", "path", "rect", "section",
    "small", "span", "strong", "summary", "svg", "symbol", "table", "tbody", "td", "text", "th",
    "thead", "title", "tr", "ul", "use", "g", "ol", "em",
];
/// Where links may lead.
const HOSTS: [&str; 2] =
    ["https://connect.garmin.com/modern/activity/", "https://connect.garmin.cn/modern/activity/"];

/// An element with its attributes.
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

struct Read {
    elements: Vec<Element>,
    /// Every piece of text in its place.
    texts: Vec<String>,
    faults: Vec<String>,
}

fn read(page: &str) -> Read {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(page);
    let faults = dom.errors.borrow().iter().map(|fault| format!("broken: {fault}")).collect();
    let mut read = Read { elements: Vec::new(), texts: Vec::new(), faults };
    walk(&dom.document, &mut read);
    read
}

fn walk(node: &Handle, read: &mut Read) {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let attributes = attrs.borrow();
            let attributes = attributes
                .iter()
                .map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string()))
                .collect();
            read.elements.push(Element { name: name.local.to_string(), attributes });
        }
        NodeData::Text { contents } => read.texts.push(contents.borrow().to_string()),
        NodeData::Comment { contents } => read.faults.push(format!("a comment: {contents}")),
        NodeData::Document | NodeData::Doctype { .. } | NodeData::ProcessingInstruction { .. } => {}
    }
    node.children.borrow().iter().for_each(|child| walk(child, read));
}

/// All that is wrong with a page.
fn faults(page: &str) -> Vec<String> {
    let mut read = read(page);
    let ids: Vec<&str> = read.elements.iter().filter_map(|element| element.get("id")).collect();
    let known: BTreeSet<&str> = ids.iter().copied().collect();
    if known.len() < ids.len() {
        read.faults.push("an id stands twice".to_owned());
    }
    for element in &read.elements {
        let name = &element.name;
        if !ELEMENTS.contains(&name.as_str()) {
            read.faults.push(format!("<{name}> has no business here"));
        }
        for (key, value) in &element.attributes {
            if key.starts_with("on") || key == "style" || key == "http-equiv" || key == "src" {
                read.faults.push(format!("<{name} {key}>"));
            }
            let leads = match (name.as_str(), key.as_str()) {
                ("link", "href") => value == STYLE_FILE,
                ("a" | "use", "href") => leads_somewhere(value, &known),
                (_, "aria-labelledby") => value.split(' ').all(|id| known.contains(id)),
                (_, "href" | "action" | "formaction" | "data" | "ping" | "background") => false,
                _ => true,
            };
            if !leads {
                read.faults.push(format!("<{name} {key}={value}>"));
            }
        }
    }
    for text in &read.texts {
        let lines = text.replace('\n', " ");
        if neutralise(&lines) != lines {
            read.faults.push(format!("not neutralised: {lines:?}"));
        }
    }
    read.faults
}

fn leads_somewhere(href: &str, ids: &BTreeSet<&str>) -> bool {
    match href.strip_prefix('#') {
        Some(id) => ids.contains(id),
        None => HOSTS.iter().any(|host| {
            let id = href.strip_prefix(host).unwrap_or_default();
            !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '%')
        }),
    }
}

#[track_caller]
fn is_sound(page: &str) {
    assert_eq!(faults(page), Vec::<String>::new());
}

fn pages(scenario: &Scenario) -> [String; 3] {
    let listed = scenario.clone().listing_pairs().plan().document;
    let report = report(&listed, TITLES[5]);
    [
        plan_page(&scenario.plan().document, Style::Beside),
        plan_page(&listed, Style::Beside),
        apply_page(&listed, &report, Some(TITLES[5])),
    ]
}

#[test]
fn pages_are_sound() {
    pages(&rich()).iter().for_each(|page| is_sound(page));
    let nothing = Scenario::new().rule("garmin_us -> archive").has("garmin_us", "");
    pages(&nothing).iter().for_each(|page| is_sound(page));
    let same = "1 2026-11-10T06:00:00Z running 3011s 10010m";
    let paired = nothing.clone().has("garmin_us", same).has("archive", same);
    pages(&paired).iter().for_each(|page| is_sound(page));
    assert!(pages(&nothing)[0].contains("No changes. 0 activities are in sync."));
}

#[test]
fn remote_text_is_text() {
    let pages = pages(&hostile());
    for page in &pages {
        is_sound(page);
        let texts = read(page).texts;
        for title in TITLES {
            let shown = neutralise(title);
            assert!(texts.contains(&shown), "{shown:?} is not whole on the page");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_title_is_text(title in any::<String>()) {
        let scenario = Scenario::new()
            .rule("garmin_us -> archive")
            .has("garmin_us", "1 2026-11-10T06:00:00Z running 3011s 10010m")
            .titled("garmin_us", "1", &title);
        let page = plan_page(&scenario.plan().document, Style::Beside);
        prop_assert_eq!(faults(&page), Vec::<String>::new());
        let shown = if title.trim().is_empty() { "untitled".to_owned() } else { neutralise(&title) };
        prop_assert!(read(&page).texts.contains(&shown), "{:?}", shown);
    }
}

#[test]
fn the_test_itself_sees_what_it_should() {
    let page = plan_page(&rich().plan().document, Style::Beside);
    for (good, bad) in [
        ("<main>", "<main><script></script>"),
        ("<main>", "<main style=\"color:red\">"),
        ("<main>", "<main onclick=\"x\">"),
        ("<main>", "<main><p><ul></ul></p>"),
        ("<main>", "<main><b><i></b></i>"),
        ("<main>", "<main id=\"shape-upload\">"),
        ("<main>", "<main><a href=\"https://evil.example/1\">x</a>"),
        ("<main>", "<main><a href=\"#nowhere\">x</a>"),
        ("<main>", "<main>\u{202e}x"),
        (STYLE_FILE, "//evil.example/x.css"),
        ("https://connect.garmin.com/", "http://connect.garmin.com/"),
    ] {
        assert!(page.contains(good), "{good}");
        assert_ne!(faults(&page.replacen(good, bad, 1)), Vec::<String>::new(), "{bad}");
    }
}

#[test]
fn the_style_needs_nothing_from_elsewhere() {
    for word in ["@import", "url(", "http", "//", "expression", "</"] {
        assert!(!STYLE.contains(word), "{word}");
    }
    for word in ["prefers-color-scheme: dark", "max-width:"] {
        assert!(STYLE.contains(word), "{word}");
    }
}

/// A page that stands alone differs in its style's address only.
#[test]
fn a_page_on_stdout_carries_its_style() {
    let document = rich().plan().document;
    let (beside, within) =
        (plan_page(&document, Style::Beside), plan_page(&document, Style::Within));
    let (before, rest) = within.split_once("data:text/css;base64,").unwrap();
    let (_, after) = rest.split_once('"').unwrap();
    assert_eq!(format!("{before}{STYLE_FILE}\"{after}"), beside);
}

fn place_of(page: &str, id: &str) -> usize {
    page.find(&format!("<tr id=\"{id}\">")).unwrap_or_else(|| panic!("no row {id}"))
}

/// Questions and replaces of a rule stand before its uploads, and counts before all of them.
#[test]
fn what_needs_eyes_comes_first() {
    let document: Document = rich().plan().document;
    let page = plan_page(&document, Style::Beside);
    let places = |rows: Vec<String>| -> Vec<usize> {
        rows.iter().map(|address| place_of(&page, address)).collect()
    };
    let mut numbers = (0, 0);
    for rule in &document.context.rules {
        let of = |action| {
            let steps = document.body.steps.iter();
            let steps = steps.filter(|step| step.rule == rule.name && step.action == action);
            places(steps.map(|step| step.address.to_string()).collect())
        };
        let conflicts = document.context.conflicts.iter().filter(|row| row.rule == rule.name);
        let conflicts = places(conflicts.map(|row| row.address.to_string()).collect());
        let all = [conflicts, of(Action::Replace), of(Action::Upload)].concat();
        assert!(all.is_sorted(), "{}", rule.name);
        assert!(page.find("<ul class=\"tiles\">") < all.first().copied());
        numbers = (numbers.0 + all.len(), numbers.1 + 1);
    }
    assert_eq!(numbers, (6 + 36 + 3, 2));
}

/// A first migration is still a page that opens at once.
#[test]
fn three_thousand_steps_are_one_page() {
    let document = large(2_980);
    let page = plan_page(&document, Style::Beside);
    let rows: BTreeSet<String> =
        read(&page).elements.iter().filter_map(|row| row.get("id").map(str::to_owned)).collect();
    for step in &document.body.steps {
        assert!(rows.contains(step.address.as_str()), "{} is not on the page", step.address);
    }
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

/// What the calendar shows is told to those who cannot see it.
#[test]
fn the_calendar_has_words() {
    let page = plan_page(&rich().plan().document, Style::Beside);
    let words = "2 July 2025: 1 to replace, 1 to upload; 2 August 2025: ";
    assert!(read(&page).texts.iter().any(|text| text.starts_with(words)));
    assert!(page.contains("<title>10 November 2026: 2 to decide, 2 to upload</title>"));
    assert_eq!(page.matches("role=\"img\"").count(), 3);
}
