//! Pages for people: a plan and an apply as a folder of one page and its style, without a script.
//!
//! Pipelines show such folders under a policy that allows neither inline style nor scripts. All text
//! is escaped by the templates; what could hide or reverse text is neutralised before.

mod activity;
mod apply;
mod calendar;
mod mark;
mod plan;
mod style;

pub use apply::apply_html;
pub use plan::plan_html;
pub use style::{GENERATOR, PAGE_FILE, STYLE, STYLE_FILE, Style};

/// A page that could not be put together.
pub type PageError = askama::Error;
