//! What would be left after a plan, for people.

use crate::plan::{Document, SkipReason};

use super::plan_text::{plan_rows, tally};

/// One line, and the rows of the next plan if it has any.
pub fn simulated(next: &Document) -> String {
    let context = &next.context;
    let skips = context.skips.iter();
    let uncompared = skips.filter(|skip| skip.reason == SkipReason::NotCompared).count();
    let but = match uncompared {
        0 => String::new(),
        1 => ", but for 1 pair that is not compared yet".to_owned(),
        number => format!(", but for {number} pairs that are not compared yet"),
    };
    let empty = next.body.steps.is_empty() && context.conflicts.is_empty();
    if empty && context.blocked.is_empty() {
        return format!("Simulated: the next plan is empty{but}.\n");
    }
    format!("Simulated: of the next plan, {}\n\n{}", tally(&context.counts), plan_rows(next))
}
