//! Values in, text out: no file, no terminal, no clock.

mod column;
pub mod diagnostics;
mod diff;
mod difference;
mod explained;
mod imported;
mod inspected;
mod lines;
mod memory;
mod plan_text;
mod reasons;
mod report;
mod simulated;
mod summary;
mod within;

pub use diff::{diff, diff_json};
pub use difference::{Difference, FieldDifference, RecordDifference, Stretches, difference};
pub use explained::explained;
pub use imported::imported;
pub use inspected::inspected;
pub use lines::{Line, Severity};
pub use memory::{backups, history, json, links, outline};
pub use plan_text::{Detail, plan_summary, plan_text};
pub use report::{PhaseCounts, Report, ReportedExit, ReportedStep};
pub use simulated::simulated;
pub use summary::{apply_counts, apply_summary};
pub use within::differences;
