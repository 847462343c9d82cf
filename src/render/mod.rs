//! Values in, text out: no file, no terminal, no clock.

mod answers;
mod backups;
mod column;
pub mod diagnostics;
mod diff;
mod difference;
mod explained;
mod facts;
mod highlight;
pub mod html;
mod imported;
mod inspected;
mod junit;
mod lines;
mod listing;
mod markdown;
mod memory;
mod open;
mod outcome;
mod pages;
mod plan_markdown;
mod plan_text;
mod reasons;
mod report;
mod sessions;
mod simulated;
mod since;
mod status;
mod summary;
mod time;
mod within;

pub use backups::{backup, backups, prunable, pruned};
pub use diff::{diff, diff_json};
pub use difference::{Difference, FieldDifference, RecordDifference, Stretches, difference};
pub use explained::explained;
pub use imported::imported;
pub use inspected::inspected;
pub use junit::{JunitError, apply_junit, plan_junit};
pub use lines::{Line, Severity, settling};
pub use listing::{Numbered, activities_json, activity_line, activity_table};
pub use memory::{history, json, links, outline, refusal_json, refusals, run_json};
pub use outcome::{FailureWords, Outcome};
pub use pages::Pages;
pub use plan_markdown::{MARKER, plan_markdown};
pub use plan_text::{Detail, plan_summary, plan_text};
pub use reasons::notice;
pub use report::{PhaseCounts, Report, ReportText, ReportedExit, ReportedStep};
pub use sessions::{SessionRow, SessionState, sessions, sessions_json};
pub use simulated::simulated;
pub use since::since;
pub use status::{StatusRow, status, status_json};
pub use summary::{
    LeftWords, apply_counts, apply_summary, interrupted, left_words, not_taken_up, settled_summary,
};
pub use time::age;
pub use within::differences;
