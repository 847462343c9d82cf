//! `fit_sync inspect FILE…`: what is in FIT files, or why they cannot be used.

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::fit;
use crate::render;

use super::super::args::Inspect;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// Files beyond this are no activities.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// Prints what is in the files; fails if one of them cannot be used.
pub fn run(context: &Context, args: &Inspect) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut rows: Vec<Value> = Vec::new();
    for path in &args.files {
        let shown = path.display().to_string();
        let inspected = inspect(&context.env.absolute(path));
        if inspected.problem.is_some() {
            exit = Exit::Failed;
        }
        if args.json {
            rows.push(json!({
                "file": shown,
                "usable": inspected.problem.is_none(),
                "problem": inspected.problem,
                "sha256": inspected.sha256,
                "detail": inspected.detail,
            }));
        } else {
            let problem = inspected.problem.as_deref();
            context.printer.product(&render::inspected(&shown, inspected.detail.as_ref(), problem));
        }
    }
    if args.json {
        let document = json!({ "format": "fit_sync.inspect/1", "files": rows });
        context.printer.product(&render::json(&document));
    }
    Ok(exit)
}

/// A file's content for people, and what keeps it from being synced.
#[derive(Default)]
struct Inspected {
    detail: Option<fit::Detail>,
    sha256: Option<String>,
    problem: Option<String>,
}

fn inspect(path: &Path) -> Inspected {
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            return Inspected { problem: Some(error.to_string()), ..Inspected::default() };
        }
    };
    let sha256 = Some(crate::domain::Sha256::of(&bytes).to_string());
    match fit::scan(&bytes) {
        Err(defect) => Inspected { sha256, problem: Some(defect.to_string()), detail: None },
        Ok(scan) => {
            let problem = match fit::content(scan) {
                Ok(content) if fit::several_activities(&content) => {
                    Some("several activities in one file that do not overlap".to_owned())
                }
                Ok(_) => None,
                Err(reason) => Some(reason.to_string()),
            };
            Inspected { detail: fit::detail(&bytes).ok(), sha256, problem }
        }
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let gzipped = bytes.starts_with(&[0x1f, 0x8b]);
    if !gzipped {
        return Ok(bytes);
    }
    let mut unzipped = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .take(MAX_BYTES)
        .read_to_end(&mut unzipped)?;
    Ok(unzipped)
}
