//! From a path to a document: found, read within bounds, parsed and masked.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Severity, Source};
use crate::domain::Sha256;

use super::codes;
use super::faults::{Document, Fault};
use super::mask;
use super::raw::{Kind, Node};
use super::trust::Privacy;

/// Larger files are no manifests: this holds thousands of rules.
const MAX_BYTES: u64 = 1 << 20;
/// Most values in it, those that aliases repeat included.
const MAX_VALUES: usize = 20_000;

/// Where a manifest is looked for, in this order.
const IN_FOLDER: &[&str] = &["fit_sync.yaml", "fit_sync.yml"];
const IN_HOME: &[&str] = &["config.yaml", "config.yml", "config.json"];

/// Finds the manifest: the one that was named, else one in the working folder, else one in home.
///
/// The path is as people know it: relative to `cwd` unless it was named otherwise.
pub fn find(config: Option<&Path>, cwd: &Path, home: &Path) -> Result<PathBuf, Diagnostic> {
    if let Some(path) = config {
        return Ok(path.to_path_buf());
    }
    // A link that leads nowhere is a manifest with a fault, and not none.
    let is_there = |path: &Path| path.symlink_metadata().is_ok();
    let here = IN_FOLDER.iter().find(|name| is_there(&cwd.join(name)));
    if let Some(name) = here {
        return Ok(PathBuf::from(name));
    }
    IN_HOME.iter().map(|name| home.join(name)).find(|path| is_there(path)).ok_or_else(|| {
        Diagnostic {
            code: codes::MANIFEST_NOT_FOUND,
            severity: Severity::Error,
            message: format!(
                "no manifest: neither ./fit_sync.yaml nor {}",
                home.join("config.yaml").display()
            ),
            help: Some(
                "'fit_sync init' writes one to start from; --config PATH names one elsewhere"
                    .to_owned(),
            ),
            place: None,
        }
    })
}

/// A file's content as it is on disk.
pub(super) struct Loaded {
    pub(super) document: Document,
    pub(super) sha256: Sha256,
    /// Faults of the text itself that did not keep the rest from being read.
    pub(super) faults: Vec<Diagnostic>,
}

/// Reads a document; `None` if the file does not exist.
pub(super) fn load(shown: &Path, path: &Path, uid: u32) -> Result<Option<Loaded>, Diagnostic> {
    let Some((text, metadata)) = read(shown, path, MAX_BYTES)? else {
        return Ok(None);
    };
    let privacy = Privacy::of(path, &metadata, uid);
    let (document, faults) = document(shown, path, privacy, &text)?;
    Ok(Some(Loaded { document, sha256: Sha256::of(text.as_bytes()), faults }))
}

/// Reads a text within a bound, whatever kind of file it is; `None` if there is none.
pub(super) fn read(
    shown: &Path,
    path: &Path,
    max_bytes: u64,
) -> Result<Option<(String, Metadata)>, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        whole(
            shown,
            codes::UNREADABLE_FILE,
            format!("the file cannot be read: {}", reason(&error)),
            "check that it is a file and that you may read it",
        )
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = file.metadata().map_err(unreadable)?;
    let mut bytes = Vec::new();
    if metadata.len() <= max_bytes {
        let mut bounded = (&mut file).take(max_bytes + 1);
        bounded.read_to_end(&mut bytes).map_err(unreadable)?;
    }
    if metadata.len() > max_bytes || bytes.len() as u64 > max_bytes {
        let message = format!("the file is larger than {} KiB", max_bytes >> 10);
        let help = "is this the right file?";
        return Err(whole(shown, codes::FILE_TOO_LARGE, message, help));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let lines = good.unwrap_or_default().iter();
        let line = 1 + lines.filter(|byte| **byte == b'\n').count();
        let message = format!("the file is not UTF-8 text, from line {line} on");
        whole(shown, codes::NOT_UTF8, message, "save it as UTF-8")
    })?;
    Ok(Some((text, metadata)))
}

/// A finding about a file as a whole: it stands at its beginning.
pub(super) fn whole(shown: &Path, code: &'static str, message: String, help: &str) -> Diagnostic {
    let source = Arc::new(Source { path: shown.to_path_buf(), text: String::new() });
    Fault::new(code, 0..0, message).help(help).of(&source, Severity::Error)
}

fn document(
    shown: &Path,
    path: &Path,
    privacy: Privacy,
    text: &str,
) -> Result<(Document, Vec<Diagnostic>), Diagnostic> {
    let source = |text: String| Arc::new(Source { path: shown.to_path_buf(), text });
    let tree = super::tree::read(text, MAX_VALUES)
        .map_err(|fault| fault.of(&source(mask::text(text)), Severity::Error))?;
    let mut found = Vec::new();
    if let Some(root) = &tree.root {
        find_secrets(root, false, &mut found);
    }
    let mut spans: Vec<Range<usize>> = found.iter().map(|(_, span)| span.clone()).collect();
    let secrets = long_ones(found);
    for secret in &secrets {
        spans.extend(text.match_indices(secret).map(|(at, _)| at..at + secret.len()));
    }
    let document = Document {
        source: source(mask::spans(text, &spans)),
        path: path.to_path_buf(),
        privacy,
        secrets,
        root: tree.root.filter(|root| !root.is_null()),
    };
    let faults =
        tree.faults.into_iter().map(|fault| fault.of(&document.source, Severity::Error)).collect();
    Ok((document, faults))
}

/// A secret value and where it is defined.
type Secret = (String, Range<usize>);

fn find_secrets(node: &Node, secret: bool, found: &mut Vec<Secret>) {
    match &node.kind {
        Kind::Scalar(text, _) if secret => found.push((text.clone(), node.span.clone())),
        Kind::Scalar(..) => {}
        Kind::List(items) => {
            for item in items {
                find_secrets(item, secret, found);
            }
        }
        Kind::Map(entries) => {
            for entry in entries {
                let secret = secret || mask::is_secret(&entry.key);
                find_secrets(&entry.value, secret, found);
            }
        }
    }
}

/// Secrets that are long enough to be hidden wherever they occur, such as in comments.
fn long_ones(secrets: Vec<Secret>) -> Vec<String> {
    let mut words: Vec<String> =
        secrets.into_iter().map(|(word, _)| word).filter(|word| word.len() >= 6).collect();
    words.sort_unstable();
    words.dedup();
    words.truncate(100);
    words
}

fn reason(error: &std::io::Error) -> &'static str {
    let kind = error.kind();
    if kind == ErrorKind::IsADirectory {
        "it is a folder"
    } else if kind == ErrorKind::PermissionDenied {
        "permission denied"
    } else if kind == ErrorKind::NotADirectory {
        "a part of its path is no folder"
    } else {
        "input/output error"
    }
}
