//! What an import into the cache took and what not, for people.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::domain::{AccountName, neutralise};
use crate::engine::Imported;

use super::column::pad;
use super::plan_text::Detail;
use super::time::second;

/// The whole account of an import; in full also the activities without a file.
pub fn imported(account: &AccountName, imported: &Imported, detail: Detail) -> String {
    let mut out = String::new();
    let all = imported.taken.len() + imported.there + imported.left.len();
    let files =
        |count: usize| if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
    let there = match imported.there {
        0 => String::new(),
        there => format!(", {there} there already"),
    };
    let _ = writeln!(out, "{account}: {} of {} taken{there}.", imported.taken.len(), files(all));
    if !imported.left.is_empty() {
        out.push_str("\nNot taken:\n");
    }
    let start = |start: Option<Timestamp>| start.map_or_else(|| "no time".to_owned(), second);
    for left in &imported.left {
        let when = pad(&start(left.start), 20);
        let line = format!("  - {when}  {}: {}", left.file, left.why);
        let _ = writeln!(out, "{}", neutralise(&line));
    }
    let lacking = imported.lacking.len();
    if lacking > 0 {
        let listed = imported.listed;
        let _ = writeln!(
            out,
            "\n{lacking} of {listed} activities have no file in the cache; they are fetched when they \
             are needed."
        );
    }
    if detail == Detail::Full {
        for activity in &imported.lacking {
            let title = activity.title.as_deref().unwrap_or_default();
            let line = format!("  {}  {}  {title}", start(activity.start), activity.id);
            let _ = writeln!(out, "{}", neutralise(line.trim_end()));
        }
    }
    out
}
