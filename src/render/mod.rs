//! Values in, text out: no file, no terminal, no clock.

mod column;
pub mod diagnostics;
mod plan_text;

pub use plan_text::{Detail, plan_summary, plan_text};
