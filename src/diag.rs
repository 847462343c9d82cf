//! Findings about a text that a person wrote: a code, a place, words, and what to do.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing is run before it is mended.
    Error,
    /// Worth a look.
    Warning,
}

/// A text that findings point into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path as people know it.
    pub path: PathBuf,
    /// Its whole text, with secrets and e-mail addresses already masked, byte for byte as long as
    /// the original so that spans hold.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable and greppable, such as `unknown_key`.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in lower case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where; `None` for a finding about a file as a whole.
    pub place: Option<Place>,
}

/// A stretch of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text.
    pub source: Arc<Source>,
    /// Byte range in it; empty at the end of the text.
    pub span: Range<usize>,
}

impl Place {
    /// Line and column, both counted from 1, columns in characters.
    pub fn line_column(&self) -> (usize, usize) {
        let start = self.span.start.min(self.source.text.len());
        let before = self.source.text.get(..start).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }
}
