//! Values in, text out: no file, no terminal, no clock.

mod column;
pub mod diagnostics;
mod inspected;
mod memory;
mod plan_text;
mod summary;

pub use inspected::inspected;
pub use memory::{backups, history, json, links, outline};
pub use plan_text::{Detail, plan_summary, plan_text};
pub use summary::{apply_counts, apply_summary};
