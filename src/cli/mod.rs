//! The only floor that prints, prompts, reads the environment and exits.
//!
//! A command reads like its help: load, call the engine, render, say how it ended. One file per
//! command; every lower error becomes words in `failure`.

mod approval;
mod args;
mod ask;
mod choice;
mod commands;
mod context;
mod copies;
mod ending;
mod env;
mod exit;
mod failure;
mod log;
mod page;
mod printer;
mod progress;
mod publish;
mod record;
mod reporting;
mod review;
mod scope;
mod sessions;
mod signals;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::platform;

use args::{Args, Command};
use context::Context;
use env::Environment;
use exit::Exit;
use failure::Failure;
use printer::Printer;

/// Runs the program.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    let terminal = std::io::stderr().is_terminal();
    let printer = Printer::new(&args.global, terminal);
    log::begin(&args.global, &printer);
    let mut exit = match run(args, printer.clone()) {
        Ok(exit) => exit,
        Err(failure) => {
            printer.error(&failure.text());
            failure.exit
        }
    };
    if let Some(error) = printer.unwritten() {
        printer.error(&unwritten(&error).text());
        exit = Exit::worst([Exit::Failed, exit]);
    }
    ExitCode::from(exit.code())
}

/// The work is done; only its account did not arrive.
fn unwritten(error: &str) -> Failure {
    let mut failure = Failure::new(
        Exit::Failed,
        format!("the output cannot be written: {error}"),
        "make room, and run `fit_sync state history` to see what was done",
    );
    failure.means = "What was to be done is done.".to_owned();
    failure
}

fn run(args: Args, printer: Printer) -> Result<Exit, Failure> {
    let mut env = Environment::read()?;
    env.interactive &= !args.global.no_input;
    let clock = env.clock();
    let catalog = platform::catalog();
    let context = Context { global: args.global, env, clock, printer, catalog };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        Failure::new(Exit::Failed, format!("no runtime: {error}"), "free some memory or handles")
    })?;
    let uses_sessions = matches!(
        args.command,
        Command::Plan(_)
            | Command::Apply(_)
            | Command::Sync(_)
            | Command::List(_)
            | Command::Download(_)
            | Command::Diff(_)
    );
    let ended = runtime.block_on(async {
        match args.command {
            Command::Init(args) => commands::init::run(&context, &args),
            Command::List(args) => commands::list::run(&context, &args).await,
            Command::Download(args) => commands::download::run(&context, &args).await,
            Command::Sync(args) => commands::sync::run(&context, &args).await,
            Command::ClearCache(args) => commands::clear_cache::run(&context, &args),
            Command::Validate(args) => commands::validate::run(&context, &args),
            Command::Plan(args) => commands::plan::run(&context, &args).await,
            Command::Show(args) => commands::show::run(&context, &args),
            Command::Apply(args) => commands::apply::run(&context, &args).await,
            Command::Explain(args) => commands::explain::run(&context, &args).await,
            Command::Diff(args) => commands::diff::run(&context, &args).await,
            Command::Inspect(args) => commands::inspect::run(&context, &args),
            Command::State(args) => commands::state::run(&context, &args).await,
            Command::Auth(args) => commands::auth::run(&context, &args).await,
            Command::Backup(args) => commands::backup::run(&context, &args).await,
            Command::Cache(args) => commands::cache::run(&context, &args).await,
            Command::Status(args) => commands::status::run(&context, &args).await,
            Command::Schema(args) => commands::schema::run(&context, &args),
            Command::Completions(args) => Ok(commands::completions::run(&context, &args)),
        }
    });
    // What was interrupted may still be reading a folder or waiting for a word.
    runtime.shutdown_background();
    if uses_sessions {
        sessions::warn_of_endings(&context);
    }
    ended
}

/// clap's own code for a wrong command line would collide with "there are changes".
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    let exit = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done,
        _ => Exit::Usage,
    };
    ExitCode::from(exit.code())
}
