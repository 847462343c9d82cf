//! Findings about a manifest, for people and for programs.
//!
//! Quoted texts come masked; here they are only made harmless to a terminal.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::diag::{Diagnostic, Place, Severity};
use crate::domain::neutralise;

/// Longest stretch of a line that is quoted; columns are counted in the whole line all the same.
const MAX_QUOTED: usize = 200;

/// Findings as text: what is wrong, where, the line underlined, and what to do.
pub fn text(diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let mut out = String::new();
    for finding in sorted(diagnostics) {
        out.push_str(&one(finding, &renderer));
        out.push_str("\n\n");
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn one(finding: &Diagnostic, renderer: &Renderer) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(neutralise(&finding.message)).id(finding.code);
    let help = finding.help.as_deref().map(neutralise);
    let group = Group::with_title(title);
    let groups = match (&finding.place, help) {
        (Some(place), Some(help)) => {
            vec![quoted(place, group).element(Level::HELP.message(help))]
        }
        (Some(place), None) => vec![quoted(place, group)],
        (None, Some(help)) => {
            let help = Level::HELP.secondary_title(help);
            vec![group, Group::with_title(help)]
        }
        (None, None) => vec![group],
    };
    renderer.render(&groups)
}

fn quoted<'a>(place: &Place, group: Group<'a>) -> Group<'a> {
    let path = neutralise(&place.source.path.display().to_string());
    let (line, column) = place.line_column();
    let excerpt = Excerpt::of(place);
    if place.source.text.is_empty() || column > MAX_QUOTED {
        return group.element(Origin::path(path).line(line).char_column(column));
    }
    let marked = excerpt.before.len()..excerpt.before.len() + excerpt.marked.len();
    let text = format!("{}{}{}", excerpt.before, excerpt.marked, excerpt.after);
    group.element(
        Snippet::source(text)
            .path(path)
            .line_start(line)
            .annotation(AnnotationKind::Primary.span(marked)),
    )
}

/// The first line of a place in three parts, harmless.
struct Excerpt {
    before: String,
    marked: String,
    after: String,
}

impl Excerpt {
    fn of(place: &Place) -> Self {
        let text = place.source.text.as_str();
        let start = place.span.start.min(text.len());
        let (head, tail) = text.split_at_checked(start).unwrap_or((text, ""));
        let before = head.rsplit('\n').next().unwrap_or_default();
        let rest = tail.split('\n').next().unwrap_or_default();
        let length = place.span.len().min(rest.len());
        let (marked, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        Self { before: harmless(before), marked: harmless(marked), after: harmless(after) }
    }
}

fn harmless(text: &str) -> String {
    let short: String = text
        .trim_end_matches('\r')
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .take(MAX_QUOTED)
        .collect();
    neutralise(&short)
}

#[derive(Serialize)]
struct Document<'a> {
    format: &'a str,
    diagnostics: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    code: &'a str,
    severity: Severity,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    message: String,
    help: Option<String>,
}

/// Findings as `fit_sync.diagnostics/1`.
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let rows = sorted(diagnostics).into_iter().map(|finding| {
        let place = finding.place.as_ref();
        let at = place.map(Place::line_column);
        Row {
            code: finding.code,
            severity: finding.severity,
            file: place.map(|place| neutralise(&place.source.path.display().to_string())),
            line: at.map(|(line, _)| line),
            column: at.map(|(_, column)| column),
            message: neutralise(&finding.message),
            help: finding.help.as_deref().map(neutralise),
        }
    });
    let document = Document { format: "fit_sync.diagnostics/1", diagnostics: rows.collect() };
    // Strings and numbers only: there is nothing that could fail to serialise.
    let mut out = serde_json::to_string_pretty(&document).unwrap_or_default();
    out.push('\n');
    out
}

/// By file, line and column; findings without a place last.
fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_cached_key(|finding| {
        let place = finding.place.as_ref();
        (place.is_none(), place.map(|place| (place.source.path.clone(), place.span.start)))
    });
    sorted
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::diag::Source;

    fn finding(text: &str, span: std::ops::Range<usize>) -> Diagnostic {
        Diagnostic {
            code: "unknown_key",
            severity: Severity::Error,
            message: "there is no\u{1b}[31m key".to_owned(),
            help: Some("did you mean 'b'?".to_owned()),
            place: Some(Place {
                source: Arc::new(Source {
                    path: PathBuf::from("fit_sync.yaml"),
                    text: text.to_owned(),
                }),
                span,
            }),
        }
    }

    #[test]
    fn the_underline_stands_under_chinese_text() {
        let source = "a: 1\n\t名字: 越野跑\u{202e} x\n";
        let start = source.find("越野跑").unwrap();
        insta::assert_snapshot!(text(&[finding(source, start..start + 9)], false), @"
        error[unknown_key]: there is no\u{fffd}[31m key
         --> fit_sync.yaml:2:6
          |
        2 |  名字: 越野跑\u{fffd} x
          |        ^^^^^^
          |
          = help: did you mean 'b'?
        ");
    }

    #[test]
    fn json_counts_columns_in_characters() {
        let source = "a: 1\n名字: 越野跑\n";
        let start = source.find("越野跑").unwrap();
        insta::assert_snapshot!(json(&[finding(source, start..start + 9)]), @r#"
        {
          "format": "fit_sync.diagnostics/1",
          "diagnostics": [
            {
              "code": "unknown_key",
              "severity": "error",
              "file": "fit_sync.yaml",
              "line": 2,
              "column": 5,
              "message": "there is no�[31m key",
              "help": "did you mean 'b'?"
            }
          ]
        }
        "#);
    }

    #[test]
    fn an_endless_line_is_not_quoted_whole() {
        let source = format!("{}x: 1", "é".repeat(100_000));
        let shown = text(&[finding(&source, 200_000..200_001)], false);
        assert!(shown.contains("fit_sync.yaml:1:100001"), "{shown}");
        let shown = text(&[finding(&source, 0..200_000)], false);
        assert!(shown.len() < 2_000, "{shown}");
    }

    #[test]
    fn nothing_found_is_nothing_shown() {
        assert_eq!(text(&[], true), "");
    }
}
