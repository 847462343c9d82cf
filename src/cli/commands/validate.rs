//! `fit_sync validate`: the manifest, offline.

use crate::render::diagnostics;

use super::super::args::Validate;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// Checks the manifest.
pub fn run(context: &Context, args: &Validate) -> Result<Exit, Failure> {
    let (findings, summary) = match context.manifest() {
        Ok(manifest) => {
            let accounts = manifest.accounts.len();
            let rules = manifest.rules.len();
            let path = manifest.path.display();
            let summary = format!("{path} is valid: {accounts} accounts, {rules} rules.\n");
            (manifest.warnings, Some(summary))
        }
        Err(findings) => (findings, None),
    };
    if args.json {
        context.printer.product(&diagnostics::json(&findings));
    } else {
        if !findings.is_empty() {
            context.printer.error(&context.findings(&findings));
        }
        context
            .printer
            .product(summary.as_deref().unwrap_or_default());
    }
    match summary {
        Some(_) => Ok(Exit::Done),
        None => Err(Failure::told(Exit::Invalid)),
    }
}
