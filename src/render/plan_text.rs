//! A plan as people read it in a terminal.
//!
//! Colours are always written; whoever prints strips them where they do not belong.

use std::fmt::Write as _;

use jiff::Timestamp;
use owo_colors::OwoColorize as _;

use crate::domain::{AccountName, ActivityType, RemoteId, neutralise};
use crate::plan::{
    Action, ActivityRef, Blocked, Conflict, Counts, Document, InSync, LimitExceeded, RuleSummary,
    Skip, Step, StepReason, clock,
};

use super::answers::{decide_line, particulars};
use super::column::{distance, fit, pad, pad_left};
use super::highlight::highlighted;
use super::open::open_words;
use super::pages::Pages;
use super::time::second;

/// Widths below which the columns of types and titles do not shrink, and beyond which titles are
/// cut.
const TYPE_WIDTH: usize = 9;
const TITLE_WIDTH: usize = 21;
const TITLE_MOST: usize = 32;

/// What is shown besides what is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Conflicts and steps; pairs in sync if the document lists them.
    #[default]
    Brief,
    /// Skipped rows with their reasons too.
    Full,
}

/// The whole plan. `in_sync` are the pairs to list, from the document or from the planner; titles
/// lead to their `pages`.
pub fn plan_text(
    document: &Document,
    in_sync: &[InSync],
    detail: Detail,
    pages: &Pages<'_>,
) -> String {
    let mut out = all_rows(document, in_sync, detail, pages);
    out.push_str(&last_line(document));
    out
}

/// What is to be done, without the last line.
pub(super) fn plan_rows(document: &Document) -> String {
    all_rows(document, &[], Detail::Brief, &Pages::default())
}

fn all_rows(document: &Document, in_sync: &[InSync], detail: Detail, pages: &Pages<'_>) -> String {
    let rows = Rows::of(document, in_sync, detail, pages);
    let mut out = String::new();
    for summary in &document.context.rules {
        rows.rule(&mut out, summary);
    }
    for blocked in &document.context.blocked {
        blocked_line(&mut out, blocked);
    }
    for limit in &document.context.limits {
        limit_line(&mut out, limit);
    }
    for open in &document.context.open {
        let _ = writeln!(out, "{} {}", "open:".red(), open_words(open));
    }
    out
}

/// At most 12 lines, without titles.
pub fn plan_summary(document: &Document) -> String {
    const MAX_RULES: usize = 7;
    let mut out = last_line(document);
    let rules = &document.context.rules;
    for summary in rules.iter().take(MAX_RULES) {
        let _ = writeln!(out, "{}: {}", summary.name, tally(&summary.counts));
    }
    if rules.len() > MAX_RULES {
        let _ = writeln!(out, "and {} more rules", rules.len() - MAX_RULES);
    }
    if !document.context.blocked.is_empty() {
        let _ = writeln!(out, "{} blocked", count(document.context.blocked.len() as u64, "rule"));
    }
    if !document.context.open.is_empty() {
        let open = document.context.open.len() as u64;
        let _ = writeln!(out, "{} of earlier runs open", count(open, "step"));
    }
    if !document.context.limits.is_empty() {
        let limits = document.context.limits.len() as u64;
        let _ = writeln!(out, "{} exceeded", count(limits, "limit"));
    }
    out
}

pub(super) fn tally(counts: &Counts) -> String {
    let excluded = match counts.excluded {
        0 => String::new(),
        excluded => format!(", {excluded} excluded"),
    };
    format!(
        "{} to upload, {} to replace, {}. {} in sync, {} skipped{excluded}.",
        counts.upload,
        counts.replace,
        count(counts.conflict, "conflict"),
        counts.in_sync,
        counts.skip,
    )
}

/// `1 conflict`, `0 conflicts`.
pub(super) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

fn last_line(document: &Document) -> String {
    let tally = || format!("Plan {}: {}", document.id.short(), tally(&document.context.counts));
    nothing_to_do(document).unwrap_or_else(tally) + "\n"
}

/// The words for a plan that changes and asks nothing.
pub(super) fn nothing_to_do(document: &Document) -> Option<String> {
    let context = &document.context;
    let counts = &context.counts;
    let idle = document.body.steps.is_empty()
        && context.conflicts.is_empty()
        && context.blocked.is_empty()
        && context.limits.is_empty()
        && context.open.is_empty();
    if !idle {
        return None;
    }
    let mut line = if counts.in_sync == 1 {
        "No changes. 1 activity is in sync.".to_owned()
    } else {
        format!("No changes. {} activities are in sync.", counts.in_sync)
    };
    if counts.skip > 0 {
        let _ = write!(line, " {} skipped.", counts.skip);
    }
    if counts.excluded > 0 {
        let _ = write!(line, " {} excluded.", counts.excluded);
    }
    Some(line)
}

fn blocked_line(out: &mut String, blocked: &Blocked) {
    let Blocked { rule, account, message, .. } = blocked;
    let _ = writeln!(out, "{}: {} {message}", rule.bold(), format!("blocked by {account}:").red());
}

fn limit_line(out: &mut String, limit: &LimitExceeded) {
    let LimitExceeded { limit, value, planned, account } = limit;
    let _ = match account {
        Some(account) => writeln!(
            out,
            "{}: the listing of {account} has {planned} of the at least {value} activities that are \
             believed after its last reading; apply will not write to it",
            limit.red()
        ),
        None => writeln!(
            out,
            "{}: {planned} planned, {value} allowed; apply will ask for --allow {}={planned}",
            limit.red(),
            limit.trim_start_matches("max_")
        ),
    };
}

/// The document's rows by rule, and the widths of their columns.
struct Rows<'a> {
    conflicts: Vec<&'a Conflict>,
    steps: Vec<&'a Step>,
    in_sync: Vec<&'a InSync>,
    skips: Vec<&'a Skip>,
    type_width: usize,
    title_width: usize,
    pages: &'a Pages<'a>,
}

/// The columns that every row has.
struct Columns<'a> {
    activity: (&'a AccountName, &'a RemoteId),
    start: Option<Timestamp>,
    kind: &'a ActivityType,
    distance_m: Option<u32>,
    elapsed_s: Option<u32>,
    title: Option<&'a str>,
}

impl<'a> Columns<'a> {
    fn of_ref(activity: &'a ActivityRef) -> Self {
        Self {
            activity: (&activity.account, &activity.id),
            start: activity.start,
            kind: &activity.kind,
            distance_m: activity.distance_m,
            elapsed_s: activity.elapsed_s,
            title: activity.title.as_deref(),
        }
    }

    fn of_step(step: &'a Step) -> Self {
        Self {
            activity: (&step.source.account, &step.source.id),
            start: Some(step.key.start),
            kind: &step.key.kind,
            distance_m: step.source.distance_m,
            elapsed_s: step.key.elapsed_s,
            title: step.source.title.as_deref(),
        }
    }
}

impl<'a> Rows<'a> {
    fn of(
        document: &'a Document,
        in_sync: &'a [InSync],
        detail: Detail,
        pages: &'a Pages<'a>,
    ) -> Self {
        let skips = match detail {
            Detail::Brief => document.context.skips.iter().filter(|skip| skip.is_news).collect(),
            Detail::Full => document.context.skips.iter().collect(),
        };
        let mut rows = Self {
            conflicts: document.context.conflicts.iter().collect(),
            steps: document.body.steps.iter().collect(),
            in_sync: in_sync.iter().collect(),
            skips,
            pages,
            type_width: TYPE_WIDTH,
            title_width: TITLE_WIDTH,
        };
        let conflicts = rows.conflicts.iter().map(|conflict| Columns::of_ref(&conflict.source));
        let steps = rows.steps.iter().map(|step| Columns::of_step(step));
        let pairs = rows.in_sync.iter().map(|pair| Columns::of_ref(&pair.source));
        let (types, titles) = conflicts
            .chain(steps)
            .chain(pairs)
            .map(|columns| {
                let title =
                    unicode_width::UnicodeWidthStr::width(columns.title.unwrap_or_default());
                (columns.kind.as_str().len(), title.min(TITLE_MOST))
            })
            .fold((TYPE_WIDTH, TITLE_WIDTH), |most, row| (most.0.max(row.0), most.1.max(row.1)));
        (rows.type_width, rows.title_width) = (types, titles);
        rows
    }

    fn rule(&self, out: &mut String, summary: &RuleSummary) {
        let before = out.len();
        let conflicts = self.conflicts.iter().filter(|row| row.rule == summary.name);
        conflicts.for_each(|conflict| self.conflict(out, conflict, &summary.destination));
        let steps = self.steps.iter().filter(|row| row.rule == summary.name);
        steps.for_each(|step| self.step(out, step));
        let pairs = self.in_sync.iter().filter(|row| row.rule == summary.name);
        pairs.for_each(|pair| self.pair(out, pair));
        let skips = self.skips.iter().filter(|row| row.rule == summary.name);
        skips.for_each(|skip| skip_line(out, skip));
        if out.len() > before {
            out.insert_str(before, &heading(summary));
            out.push('\n');
        }
    }

    fn row(&self, sign: &str, columns: &Columns<'_>, end: &str) -> String {
        let start = columns.start.map(second);
        let title = neutralise(columns.title.unwrap_or_default());
        format!(
            "  {sign} {}  {}  {}  {}  {}  {end}\n",
            pad(&start.unwrap_or_default(), 20),
            pad(columns.kind.as_str(), self.type_width),
            pad_left(&distance(columns.distance_m), 8),
            pad_left(&columns.elapsed_s.map(clock).unwrap_or_default(), 8),
            self.led_to(columns.activity, &fit(&title, self.title_width)),
        )
    }

    /// A title that leads to its activity's page, in terminals that know such links.
    fn led_to(&self, (account, id): (&AccountName, &RemoteId), title: &str) -> String {
        let words = title.trim_end();
        match self.pages.of_activity(account, id).filter(|_| !words.is_empty()) {
            None => title.to_owned(),
            Some(page) => {
                let spaces = " ".repeat(title.len() - words.len());
                format!("\u{1b}]8;;{page}\u{1b}\\{words}\u{1b}]8;;\u{1b}\\{spaces}")
            }
        }
    }

    fn conflict(&self, out: &mut String, conflict: &Conflict, destination: &AccountName) {
        let candidates = match conflict.candidates.len() {
            0 => String::new(),
            number => format!(": {}", count(number as u64, "candidate")),
        };
        let end = format!("{}{candidates}", conflict.reason);
        let row =
            self.row(&"!".yellow().bold().to_string(), &Columns::of_ref(&conflict.source), &end);
        out.push_str(&row);
        for (letter, candidate) in ('a'..='z').chain('A'..='Z').zip(&conflict.candidates) {
            candidate_line(out, letter, candidate, conflict, destination);
        }
        if let Some(hidden) = conflict.candidates.len().checked_sub(52).filter(|n| *n > 0) {
            let _ = writeln!(out, "      and {hidden} more");
        }
        for line in particulars(conflict) {
            let _ = writeln!(out, "      {line}");
        }
        let _ = writeln!(out, "      {}", decide_line(conflict, destination).dimmed());
    }

    fn step(&self, out: &mut String, step: &Step) {
        match step.action {
            Action::Upload => {
                let end = match step.reason {
                    StepReason::MissingAtDestination => "upload".to_owned(),
                    reason => format!("upload, {reason}"),
                };
                out.push_str(&self.row(&"+".green().to_string(), &Columns::of_step(step), &end));
            }
            Action::Replace => self.replace(out, step),
        }
    }

    fn replace(&self, out: &mut String, step: &Step) {
        let id = step.destination.id.as_ref().map(ToString::to_string).unwrap_or_default();
        let loses = match step.loses.as_slice() {
            [] => String::new(),
            loses => format!(", loses {}", loses.join(" and ")),
        };
        let end = format!("replace {}{loses}", neutralise(&id));
        out.push_str(&self.row(&"±".magenta().bold().to_string(), &Columns::of_step(step), &end));
        let because = step.reason.as_str().replace('_', " ");
        let _ = writeln!(out, "      because {because}");
        let width = step.changes.iter().map(|change| change.field.len()).max().unwrap_or_default();
        for change in &step.changes {
            let (from, to) = highlighted(&change.from, &change.to);
            let _ = writeln!(out, "      ~ {}   {from} -> {to}", pad(&change.field, width));
        }
    }

    fn pair(&self, out: &mut String, pair: &InSync) {
        let with =
            pair.destination.as_ref().map(|found| format!(", {}", neutralise(found.id.as_str())));
        let end = format!("{}{}", pair.reason, with.unwrap_or_default());
        out.push_str(&self.row(&"=".dimmed().to_string(), &Columns::of_ref(&pair.source), &end));
    }
}

fn heading(summary: &RuleSummary) -> String {
    let RuleSummary { name, source, destination, counts } = summary;
    let to_look_at = counts.upload + counts.replace + counts.conflict;
    format!(
        "{}: {source} -> {destination}   {} in source, {} in sync, {to_look_at} to look at\n\n",
        name.bold(),
        counts.total(),
        counts.in_sync,
    )
}

fn candidate_line(
    out: &mut String,
    letter: char,
    candidate: &ActivityRef,
    conflict: &Conflict,
    destination: &AccountName,
) {
    let day = |activity: &ActivityRef| activity.start.map(|s| s.strftime("%Y-%m-%d").to_string());
    let format =
        if day(candidate) == day(&conflict.source) { "%H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%SZ" };
    let start = candidate.start.map(|start| start.strftime(format).to_string());
    let title = candidate.title.as_deref().map(|title| format!("\"{}\"", neutralise(title)));
    let other = if candidate.account == *destination {
        String::new()
    } else {
        format!("  (in {})", candidate.account)
    };
    let parts: Vec<String> = [
        Some(neutralise(candidate.id.as_str())),
        start,
        Some(distance(candidate.distance_m)).filter(|text| !text.is_empty()),
        candidate.elapsed_s.map(clock),
        title,
    ]
    .into_iter()
    .flatten()
    .collect();
    let _ = writeln!(out, "      {letter}) {}{other}", parts.join("  "));
}

fn skip_line(out: &mut String, skip: &Skip) {
    let detail = skip.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let address = neutralise(skip.address.as_str());
    let _ = writeln!(out, "  {} {address}  {}{}", "-".dimmed(), skip.reason, neutralise(&detail));
}
