//! The list into which every fault of a run goes, and a file with all that is known about it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Place, Severity, Source};

use super::codes;
use super::mask;
use super::raw::Node;
use super::trust::Privacy;

/// Further faults are left out: nobody mends more in one go.
const MAX_FAULTS: usize = 200;

/// Most characters of a message.
const MAX_MESSAGE: usize = 600;

/// A fault in a text that has no name yet.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Fault {
    pub(super) fn new(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The fault in its file.
    pub(super) fn of(self, source: &Arc<Source>, severity: Severity) -> Diagnostic {
        let start = self.span.start.min(source.text.len());
        let end = self.span.end.clamp(start, source.text.len());
        let length = source.text.get(start..end).map_or(0, |text| text.trim_end().len());
        Diagnostic {
            code: self.code,
            severity,
            message: mask::words(&short(&self.message)),
            help: self.help.map(|help| mask::words(&short(&help))),
            place: Some(Place { source: Arc::clone(source), span: start..start + length }),
        }
    }
}

/// A message may repeat what a person wrote, but not all of a long text.
fn short(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Document {
    /// Its masked text.
    pub(super) source: Arc<Source>,
    /// Where it really stands.
    pub(super) path: PathBuf,
    /// Whether it may hold secrets.
    pub(super) privacy: Privacy,
    /// The secrets in it, so that no message repeats one that stands in a wrong place too.
    pub(super) secrets: Vec<String>,
    /// Its content; `None` if it is empty.
    pub(super) root: Option<Node>,
}

impl Document {
    /// The folder at which its relative paths start.
    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

/// All faults of a run.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Diagnostic>,
}

impl Faults {
    /// Adds an error.
    pub(super) fn error(&mut self, document: &Document, fault: Fault) {
        self.add(document, fault, Severity::Error);
    }

    /// Adds a warning.
    pub(super) fn warning(&mut self, document: &Document, fault: Fault) {
        self.add(document, fault, Severity::Warning);
    }

    /// Adds findings that were made elsewhere.
    pub(super) fn extend(&mut self, findings: Vec<Diagnostic>) {
        let room = MAX_FAULTS.saturating_sub(self.list.len());
        self.list.extend(findings.into_iter().take(room));
    }

    /// The findings of a manifest that cannot be used.
    pub(super) fn refused(self) -> Vec<Diagnostic> {
        self.settle().unwrap_or_else(|refused| refused)
    }

    /// Whether anything keeps the manifest from being used.
    fn has_errors(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether further faults would be left out.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MAX_FAULTS
    }

    fn add(&mut self, document: &Document, fault: Fault, severity: Severity) {
        if !self.is_full() {
            let mut finding = fault.of(&document.source, severity);
            for secret in &document.secrets {
                finding.message = finding.message.replace(secret, "***");
                finding.help = finding.help.map(|help| help.replace(secret, "***"));
            }
            self.list.push(finding);
        }
    }

    /// The findings in order of file and place, as warnings or as a refusal.
    pub(super) fn settle(mut self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        self.list.sort_by_cached_key(|finding| {
            finding.place.as_ref().map(|place| (place.source.path.clone(), place.span.start))
        });
        let refused = self.has_errors();
        if self.is_full() {
            self.list.push(Diagnostic {
                code: codes::TOO_MANY_FAULTS,
                severity: if refused { Severity::Error } else { Severity::Warning },
                message: format!("there are {MAX_FAULTS} faults or more, and these are shown"),
                help: Some("mend these, then validate again".to_owned()),
                place: None,
            });
        }
        if refused { Err(self.list) } else { Ok(self.list) }
    }
}
