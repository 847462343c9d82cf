//! A plan as a comment of a pull request.
//!
//! A comment holds only so much. What does not fit is shortened rung by rung, the least important
//! first: skipped rows become counts, then uploads; then the details of questions and replaces go, and
//! what has changed since a review but for its counts; then their facts. Only on the last rung are rows of replaces and questions left out, and the
//! text says how many.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::domain::AccountName;
use crate::plan::{Action, ActivityRef, Conflict, Document, RuleSummary, Step, StepReason, clock};

use super::answers::{decide_line, particulars};
use super::column::distance;
use super::facts::Facts;
use super::markdown::{code, linked, row};
use super::open::open_words;
use super::pages::Pages;
use super::plan_text::{count, tally};
use super::time::second;

/// By it a pipeline finds its own comment again.
pub const MARKER: &str = "<!-- fit_sync plan -->";

/// How much is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rung {
    Whole,
    CountedSkips,
    CountedUploads,
    NoDetails,
    Addresses,
}

const RUNGS: [Rung; 5] =
    [Rung::Whole, Rung::CountedSkips, Rung::CountedUploads, Rung::NoDetails, Rung::Addresses];

/// The whole plan in at most `limit` characters, or as much of it as fits. `since` are the lines of
/// [`super::since()`], if it was held against a reviewed plan.
pub fn plan_markdown(
    document: &Document,
    pages: &Pages<'_>,
    since: &[String],
    limit: usize,
) -> String {
    let fits = |text: &String| text.chars().count() <= limit;
    let texts = RUNGS.map(|rung| move || Comment { document, pages, since, rung }.text());
    texts.into_iter().map(|text| text()).find(fits).unwrap_or_else(|| cut(document, limit))
}

struct Comment<'a> {
    document: &'a Document,
    pages: &'a Pages<'a>,
    since: &'a [String],
    rung: Rung,
}

impl Comment<'_> {
    fn text(&self) -> String {
        let mut out = head(self.document);
        self.since(&mut out);
        self.document.context.rules.iter().for_each(|rule| self.rule(&mut out, rule));
        if self.rung > Rung::Whole {
            out.push_str("\nShortened to fit: the saved plan has all rows and details.\n");
        }
        out
    }

    /// What the reviewed plan says otherwise: the counts and what they mean, then the rows.
    fn since(&self, out: &mut String) {
        let [counts, rows @ .., verdict] = self.since else { return };
        let _ = write!(out, "\n**{counts}** {verdict}\n");
        if rows.is_empty() || self.rung >= Rung::NoDetails {
            return;
        }
        let _ = write!(out, "\n<details><summary>what has changed since</summary>\n\n");
        rows.iter().for_each(|row| out.push_str(&format!("- {}\n", code(row))));
        out.push_str("\n</details>\n");
    }

    fn rule(&self, out: &mut String, rule: &RuleSummary) {
        let steps = self.document.body.steps.iter().filter(|step| step.rule == rule.name);
        let (replaces, uploads): (Vec<&Step>, Vec<&Step>) =
            steps.partition(|step| step.action == Action::Replace);
        let conflicts = self.document.context.conflicts.iter();
        let conflicts: Vec<&Conflict> = conflicts.filter(|row| row.rule == rule.name).collect();
        let skipped = rule.counts.skip > 0;
        if replaces.is_empty() && uploads.is_empty() && conflicts.is_empty() && !skipped {
            return;
        }
        let _ = writeln!(
            out,
            "\n#### {}: {} → {}\n\n{}",
            code(rule.name.as_str()),
            code(rule.source.as_str()),
            code(rule.destination.as_str()),
            tally(&rule.counts)
        );
        if self.rung >= Rung::Addresses {
            addresses(out, &replaces, &conflicts);
        } else {
            self.conflicts(out, &conflicts, &rule.destination);
            self.replaces(out, &replaces);
        }
        self.uploads(out, &uploads);
        self.skips(out, rule);
    }

    fn conflicts(&self, out: &mut String, conflicts: &[&Conflict], destination: &AccountName) {
        if conflicts.is_empty() {
            return;
        }
        table(out, &["❗", "question"]);
        for conflict in conflicts {
            let mut question = format!("**{}**", conflict.reason);
            if self.rung < Rung::NoDetails {
                for candidate in &conflict.candidates {
                    let _ = write!(question, "<br>{}", self.candidate(candidate));
                }
                for line in particulars(conflict) {
                    let _ = write!(question, "<br>{}", code(&line));
                }
                let decide = decide_line(conflict, destination);
                let _ = write!(question, "<br>{}", code(&decide));
            }
            out.push_str(&self.line(&Facts::of_ref(&conflict.source), &question));
        }
    }

    fn candidate(&self, candidate: &ActivityRef) -> String {
        let page = self.pages.of_activity(&candidate.account, &candidate.id);
        let parts = [
            linked(candidate.id.as_str(), page.as_deref()),
            candidate.start.map(second).unwrap_or_default(),
            distance(candidate.distance_m),
            candidate.elapsed_s.map(clock).unwrap_or_default(),
            code(candidate.title.as_deref().unwrap_or_default()),
        ];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }

    fn replaces(&self, out: &mut String, replaces: &[&Step]) {
        if replaces.is_empty() {
            return;
        }
        table(out, &["±", "replaces"]);
        for step in replaces {
            let mut what = self.replaced(step);
            if self.rung < Rung::NoDetails {
                let _ = write!(what, "<br>because {}", step.reason.as_str().replace('_', " "));
                for change in &step.changes {
                    let (from, to) = (code(&change.from), code(&change.to));
                    let _ = write!(what, "<br>{} {from} → {to}", code(&change.field));
                }
            }
            out.push_str(&self.line(&Facts::of_step(step), &what));
        }
    }

    fn replaced(&self, step: &Step) -> String {
        let mut what = step.destination.id.as_ref().map_or_else(String::new, |id| {
            let page = self.pages.of_activity(&step.destination.account, id);
            linked(id.as_str(), page.as_deref())
        });
        if !step.loses.is_empty() {
            let _ = write!(what, ", loses **{}**", step.loses.join(" and "));
        }
        what
    }

    fn uploads(&self, out: &mut String, uploads: &[&Step]) {
        let Some((first, last)) = uploads.first().zip(uploads.last()) else {
            return;
        };
        let number = count(uploads.len() as u64, "upload");
        if self.rung >= Rung::CountedUploads {
            let (from, to) = (second(first.key.start), second(last.key.start));
            let _ = writeln!(out, "\n{number}, {from} to {to}.");
            return;
        }
        let _ = write!(out, "\n<details><summary>{number}</summary>\n");
        table(out, &["+", "upload"]);
        for step in uploads {
            let why = match step.reason {
                StepReason::MissingAtDestination => String::new(),
                reason => reason.to_string(),
            };
            out.push_str(&self.line(&Facts::of_step(step), &why));
        }
        out.push_str("\n</details>\n");
    }

    fn skips(&self, out: &mut String, rule: &RuleSummary) {
        let skips = self.document.context.skips.iter().filter(|skip| skip.rule == rule.name);
        let skips: Vec<_> = skips.collect();
        if skips.is_empty() {
            return;
        }
        let number = format!("{} skipped", skips.len());
        if self.rung >= Rung::CountedSkips {
            let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
            skips.iter().for_each(|s| *reasons.entry(s.reason.as_str()).or_default() += 1);
            let reasons: Vec<String> =
                reasons.iter().map(|(reason, number)| format!("{number} {reason}")).collect();
            let _ = writeln!(out, "\n{number}: {}.", reasons.join(", "));
            return;
        }
        let _ = write!(out, "\n<details><summary>{number}</summary>\n\n");
        for skip in skips {
            let detail = skip.detail.as_deref().map(|text| format!(" {}", code(text)));
            let address = code(skip.address.as_str());
            let _ = writeln!(out, "- {address} {}{}", skip.reason, detail.unwrap_or_default());
        }
        out.push_str("\n</details>\n");
    }

    fn line(&self, facts: &Facts<'_>, end: &str) -> String {
        let page = self.pages.of_activity(facts.account, facts.id);
        let title = facts.title.unwrap_or_default();
        row(&[
            facts.start.map(second).unwrap_or_default(),
            code(facts.kind),
            distance(facts.distance_m),
            facts.elapsed_s.map(clock).unwrap_or_default(),
            linked(title, page.as_deref()),
            end.to_owned(),
        ])
    }
}

/// The least that a comment says.
fn counts(document: &Document) -> String {
    let (id, tally) = (code(&document.id.short()), tally(&document.context.counts));
    format!("{MARKER}\n### fit_sync plan {id}\n\n**{tally}**\n")
}

/// Counts first, then what stands in the way.
fn head(document: &Document) -> String {
    let context = &document.context;
    let mut out = counts(document);
    for blocked in &context.blocked {
        let (rule, account) = (code(blocked.rule.as_str()), code(blocked.account.as_str()));
        let _ = write!(out, "\n> **blocked**: {rule} by {account}: {}\n", code(&blocked.message));
    }
    for open in &context.open {
        let _ = write!(out, "\n> **open**: {}\n", code(&open_words(open)));
    }
    for limit in &context.limits {
        let account = limit.account.as_ref().map(|name| format!(" of {}", code(name.as_str())));
        let (planned, value) = (limit.planned, limit.value);
        let name = code(&limit.limit);
        let account = account.unwrap_or_default();
        let _ = write!(out, "\n> **limit** {name}{account}: {planned} here, {value} allowed\n");
    }
    out
}

fn table(out: &mut String, [sign, end]: &[&str; 2]) {
    let _ = write!(
        out,
        "\n| {sign} start (UTC) | type | distance | duration | title | {end} |\n\
         |---|---|--:|--:|---|---|\n"
    );
}

/// Replaces and questions of a rule by their starts, as short as they can be named.
fn addresses(out: &mut String, replaces: &[&Step], conflicts: &[&Conflict]) {
    if !(replaces.is_empty() && conflicts.is_empty()) {
        out.push('\n');
    }
    for step in replaces {
        let _ = writeln!(out, "{}", replace_line(step));
    }
    for conflict in conflicts {
        let _ = writeln!(out, "{}", conflict_line(conflict));
    }
}

fn replace_line(step: &Step) -> String {
    let id = step.destination.id.as_ref().map_or_else(String::new, |id| code(id.as_str()));
    format!("- ± {} replaces {id}", code(step.address.as_str()))
}

fn conflict_line(conflict: &Conflict) -> String {
    format!("- ❗ {} {}", code(conflict.address.as_str()), conflict.reason)
}

/// What stands in the way, as short as it can be named.
fn obstacles(document: &Document) -> Vec<String> {
    let blocked = document.context.blocked.iter();
    let blocked = blocked.map(|row| format!("- **blocked**: {}", code(row.rule.as_str())));
    let limits = document.context.limits.iter().map(|row| {
        let account = row.account.as_ref().map(|name| format!(" of {}", code(name.as_str())));
        let account = account.unwrap_or_default();
        format!("- **limit** {}{account}: {} of {}", code(&row.limit), row.planned, row.value)
    });
    blocked.chain(limits).collect()
}

/// The last rung: as many rows as fit, what stands in the way first, then replaces.
fn cut(document: &Document, limit: usize) -> String {
    let replaces = document.body.steps.iter().filter(|step| step.action == Action::Replace);
    let conflicts = document.context.conflicts.iter().map(conflict_line);
    let mut rows = obstacles(document);
    rows.extend(replaces.map(replace_line).chain(conflicts));
    let end = |left: usize| match left {
        0 => "\nShortened to fit: the saved plan has all rows.\n".to_owned(),
        left => format!("\n{left} more rows: the saved plan has them.\n"),
    };
    let mut out = counts(document) + "\n";
    let room = limit.saturating_sub(out.chars().count() + end(rows.len()).chars().count());
    let mut used = 0;
    let mut shown = 0;
    for row in &rows {
        used += row.chars().count() + 1;
        if used > room {
            break;
        }
        let _ = writeln!(out, "{row}");
        shown += 1;
    }
    out + &end(rows.len() - shown)
}
