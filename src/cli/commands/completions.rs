//! `fit_sync completions SHELL`.

use clap::CommandFactory as _;

use super::super::args::{Args, Completions};
use super::super::context::Context;
use super::super::exit::Exit;

/// Prints the completions of a shell.
pub fn run(context: &Context, args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "fit_sync", &mut script);
    context.printer.product(&String::from_utf8_lossy(&script));
    Exit::Done
}
