//! Pieces of GitHub's markdown that remote text cannot break out of.

use crate::domain::neutralise;

/// A code span: neither markup, mentions nor links are read in it.
pub(super) fn code(text: &str) -> String {
    let text = neutralise(text).replace('\n', "\u{FFFD}");
    if text.trim().is_empty() {
        return String::new();
    }
    let mut fence = "`".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A code span that leads to a page.
pub(super) fn linked(text: &str, page: Option<&str>) -> String {
    match (code(text).as_str(), page) {
        ("", _) => String::new(),
        (span, Some(page)) => format!("[{span}]({page})"),
        (span, None) => span.to_owned(),
    }
}

/// One line of a table. Its cells end at `|` even within a code span, unless a backslash stands
/// before it that is not escaped itself.
pub(super) fn row(cells: &[String]) -> String {
    let safe = |cell: &String| cell.replace("\\|", "\\ |").replace('|', "\\|");
    let cells: Vec<String> = cells.iter().map(safe).collect();
    format!("| {} |\n", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_span() {
        assert_eq!(code("Morning Run"), "`Morning Run`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(row(&[code("a|b"), code("c\\|")]), "| `a\\|b` | `c\\ \\|` |\n");
        assert_eq!(code("one\ntwo\u{202e}"), "`one\u{FFFD}two\u{FFFD}`");
        assert_eq!(code("  "), "");
        assert_eq!(linked("@everyone](x)", Some("https://h/1")), "[`@everyone](x)`](https://h/1)");
    }
}
