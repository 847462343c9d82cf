//! Two texts side by side, in a terminal's colours.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;
use similar::{ChangeTag, TextDiff};

use crate::domain::neutralise;

/// Both texts, with the characters in which they differ in colour.
pub(super) fn highlighted(from: &str, to: &str) -> (String, String) {
    let diff = TextDiff::from_chars(from, to);
    let (mut old, mut new) = (String::new(), String::new());
    for change in diff.iter_all_changes() {
        let text = neutralise(change.value());
        match change.tag() {
            ChangeTag::Equal => {
                old.push_str(&text);
                new.push_str(&text);
            }
            ChangeTag::Delete => {
                let _ = write!(old, "{}", text.red());
            }
            ChangeTag::Insert => {
                let _ = write!(new, "{}", text.green());
            }
        }
    }
    (old, new)
}
