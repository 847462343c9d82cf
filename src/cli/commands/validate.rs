//! `fit_sync validate`: the manifest, offline.

use crate::domain::neutralise;
use crate::render::diagnostics;

use super::super::args::Validate;
use super::super::context::Context;
use super::super::exit::Exit;
use super::super::failure::Failure;

/// Checks the manifest.
pub fn run(context: &Context, args: &Validate) -> Result<Exit, Failure> {
    #[expect(clippy::disallowed_methods, reason = "its findings are the product")]
    let (findings, summary) = match context.manifest() {
        Ok(manifest) => {
            let accounts = counted(manifest.accounts.len(), "account");
            let rules = counted(manifest.rules.len(), "rule");
            let path = manifest.path.display();
            let summary = neutralise(&format!("{path} is valid: {accounts}, {rules}."));
            (manifest.warnings, Some(summary + "\n"))
        }
        Err(findings) => (findings, None),
    };
    if args.json {
        context.printer.product(&diagnostics::json(&findings));
    } else {
        if !findings.is_empty() {
            context.printer.error(&context.findings(&findings));
        }
        context.printer.product(summary.as_deref().unwrap_or_default());
    }
    match summary {
        Some(_) => Ok(Exit::Done),
        None => Err(Failure::told(Exit::Invalid)),
    }
}

fn counted(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
