//! A plan as a page: counts, what stands in the way, a calendar, a table per rule.

use askama::Template;

use crate::domain::neutralise;
use crate::plan::{Action, Change, Counts, Document, InSync, RuleSummary, Skip, Step, StepReason};

use super::super::facts::Facts;
use super::super::open::open_words;
use super::super::pages::Pages;
use super::super::plan_text::{nothing_to_do, tally};
use super::super::reasons;
use super::PageError;
use super::activity::{Activity, Link, Notice, Question, Tile, link, place};
use super::calendar::Calendar;
use super::mark::Mark;
use super::style::Style;

const NOTHING_DONE: &str = "What an apply would do; nothing has been changed yet.";

#[derive(Template)]
#[template(path = "plan.html", config = "src/render/html/askama.toml")]
struct Page {
    style: String,
    id: String,
    lead: String,
    tiles: Vec<Tile>,
    notices: Vec<Notice>,
    calendar: Calendar,
    rules: Vec<Rule>,
}

struct Rule {
    name: String,
    source: String,
    destination: String,
    counts: Counts,
    tally: String,
    conflicts: Vec<Question>,
    replaces: Vec<Replace>,
    uploads: Vec<Upload>,
    pairs: Vec<Pair>,
    skips: Vec<Skipped>,
}

struct Replace {
    id: String,
    mark: Mark,
    activity: Activity,
    old: Link,
    because: String,
    loses: String,
    changes: Vec<Change>,
}

struct Upload {
    id: String,
    mark: Mark,
    activity: Activity,
    note: &'static str,
}

struct Pair {
    id: String,
    mark: Mark,
    activity: Activity,
    reason: &'static str,
    counterpart: Option<Link>,
}

struct Skipped {
    id: String,
    address: String,
    reason: &'static str,
    sentence: &'static str,
    detail: String,
}

/// The page of a plan.
///
/// # Errors
/// None is known: the page is written into memory.
pub fn plan_html(
    document: &Document,
    pages: &Pages<'_>,
    style: Style,
) -> Result<String, PageError> {
    let context = &document.context;
    let steps = document.body.steps.iter();
    let steps = steps.map(|step| (Some(step.key.start), Mark::of_action(step.action)));
    let questions = context.conflicts.iter().map(|row| (row.source.start, Mark::Question));
    Page {
        style: style.address(),
        id: document.id.short(),
        lead: nothing_to_do(document).unwrap_or_else(|| NOTHING_DONE.to_owned()),
        tiles: tiles(&context.counts),
        notices: notices(document),
        calendar: Calendar::of(steps.chain(questions)),
        rules: context.rules.iter().map(|rule| Rule::of(document, rule, pages)).collect(),
    }
    .render()
}

fn tiles(counts: &Counts) -> Vec<Tile> {
    let tile = |mark, number, word: &str| Tile { mark, number, word: word.to_owned() };
    let conflicts = if counts.conflict == 1 { "conflict" } else { "conflicts" };
    let mut tiles = vec![
        tile(Some(Mark::Question), counts.conflict, conflicts),
        tile(Some(Mark::Replace), counts.replace, "to replace"),
        tile(Some(Mark::Upload), counts.upload, "to upload"),
        tile(None, counts.in_sync, "in sync"),
        tile(None, counts.skip, "skipped"),
    ];
    if counts.excluded > 0 {
        tiles.push(tile(None, counts.excluded, "excluded"));
    }
    tiles
}

/// What stands in the way of a plan.
pub(super) fn notices(document: &Document) -> Vec<Notice> {
    let blocked = document.context.blocked.iter().map(|row| {
        let text = format!("{} by {}: {}", row.rule, row.account, row.message);
        Notice::new("blocked", &text)
    });
    let limits = document.context.limits.iter().map(|row| {
        let account = row.account.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
        let text = format!("{}{account}: {} here, {} allowed", row.limit, row.planned, row.value);
        Notice::new("limit", &text)
    });
    let open = document.context.open.iter();
    let open = open.map(|row| Notice::new("open", &open_words(row)));
    blocked.chain(limits).chain(open).collect()
}

impl Rule {
    fn of(document: &Document, rule: &RuleSummary, pages: &Pages<'_>) -> Self {
        let context = &document.context;
        let steps = || document.body.steps.iter().filter(|step| step.rule == rule.name);
        let replaces = steps().filter(|step| step.action == Action::Replace);
        let uploads = steps().filter(|step| step.action == Action::Upload);
        let conflicts = context.conflicts.iter().filter(|row| row.rule == rule.name);
        let pairs = context.in_sync.iter().flatten().filter(|row| row.rule == rule.name);
        let skips = context.skips.iter().filter(|row| row.rule == rule.name);
        Self {
            name: neutralise(rule.name.as_str()),
            source: neutralise(rule.source.as_str()),
            destination: neutralise(rule.destination.as_str()),
            counts: rule.counts,
            tally: tally(&rule.counts),
            conflicts: conflicts.map(|row| Question::of(row, &rule.destination, pages)).collect(),
            replaces: replaces.map(|step| Replace::of(step, pages)).collect(),
            uploads: uploads.map(|step| Upload::of(step, pages)).collect(),
            pairs: pairs.map(|pair| Pair::of(pair, pages)).collect(),
            skips: skips.map(Skipped::of).collect(),
        }
    }
}

impl Replace {
    fn of(step: &Step, pages: &Pages<'_>) -> Self {
        let old = step.destination.id.as_ref();
        let change = |change: &Change| Change {
            field: neutralise(&change.field),
            from: neutralise(&change.from),
            to: neutralise(&change.to),
        };
        Self {
            id: place(&step.address),
            mark: Mark::Replace,
            activity: Activity::of(&Facts::of_step(step), pages),
            old: old.map_or_else(
                || Link { text: String::new(), href: None },
                |id| link(&step.destination.account, id, pages),
            ),
            because: step.reason.as_str().replace('_', " "),
            loses: neutralise(&step.loses.join(" and ")),
            changes: step.changes.iter().map(change).collect(),
        }
    }
}

impl Upload {
    fn of(step: &Step, pages: &Pages<'_>) -> Self {
        Self {
            id: place(&step.address),
            mark: Mark::Upload,
            activity: Activity::of(&Facts::of_step(step), pages),
            note: match step.reason {
                StepReason::MissingAtDestination => "",
                StepReason::Distinct | StepReason::ContentDiffers | StepReason::Forced => {
                    reasons::step(step.reason)
                }
            },
        }
    }
}

impl Pair {
    fn of(pair: &InSync, pages: &Pages<'_>) -> Self {
        let counterpart = pair.destination.as_ref();
        Self {
            id: place(&pair.address),
            mark: Mark::Done,
            activity: Activity::of(&Facts::of_ref(&pair.source), pages),
            reason: pair.reason.as_str(),
            counterpart: counterpart.map(|other| link(&other.account, &other.id, pages)),
        }
    }
}

impl Skipped {
    fn of(skip: &Skip) -> Self {
        Self {
            id: place(&skip.address),
            address: neutralise(skip.address.as_str()),
            reason: skip.reason.as_str(),
            sentence: reasons::skip(skip.reason),
            detail: neutralise(skip.detail.as_deref().unwrap_or_default()),
        }
    }
}
