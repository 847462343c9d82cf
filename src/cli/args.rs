//! The command line. Its doc comments are the help.

mod auth;
mod backup;
mod everyday;
mod starting;
mod state;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::manifest::duration_s;

pub use auth::{Auth, Import};
pub use backup::{Backup, BackupArg, Prune, Restore};
pub use everyday::{ClearCache, Download, Filters, List, Sync};
pub use starting::{Cache, CacheImport, Init};
pub use state::{AddressArg, Adopt, State, StateList, StateShow};

/// Keep fitness accounts in step: review a plan, then apply exactly that plan.
#[derive(Debug, Parser)]
#[command(name = "fit_sync", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Where the help shows them: below the command's own.
const GLOBAL: &str = "Global options";

/// Options of every command; they may stand before or after it.
#[derive(Clone, Debug, ClapArgs)]
pub struct Global {
    /// Manifest [default: ./fit_sync.yaml, ./fit_sync.yml, then config.{yaml,yml,json} in home]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// State file [default: $FIT_SYNC_STATE, the manifest's `state`, then state.db in home]
    #[arg(long, global = true, help_heading = GLOBAL, value_name = "PATH")]
    pub state: Option<PathBuf>,
    /// Show more: rows in sync and skipped, and what is read
    #[arg(short, long, global = true, help_heading = GLOBAL, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print the product and errors, nothing else
    #[arg(short, long, global = true, help_heading = GLOBAL)]
    pub quiet: bool,
    /// When to colour
    #[arg(long, global = true, help_heading = GLOBAL, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Never ask; fail where an answer would be needed
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub no_input: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a manifest to start from
    Init(Init),
    /// Check the manifest; contacts nothing
    Validate(Validate),
    /// Read the accounts and show what apply would do
    Plan(Plan),
    /// Show a saved plan
    Show(Show),
    /// Execute a saved plan, or plan, ask and execute
    Apply(Apply),
    /// Plan, ask and execute in one go
    Sync(Sync),
    /// List what the accounts hold, the newest first
    List(List),
    /// Fetch FIT files of an account
    Download(Download),
    /// Forget listings and fetched files, or sessions; never what was decided or done
    ClearCache(ClearCache),
    /// Tell why an activity is uploaded, replaced, in sync, skipped or a question
    Explain(Explain),
    /// Compare source and destination of an address, field by field and record by record
    Diff(Diff),
    /// Show what is in FIT files, or why they cannot be used
    Inspect(Inspect),
    /// Look into the memory, and decide conflicts
    #[command(subcommand)]
    State(State),
    /// Show where things stand: sessions, the last apply, what waits, what a plan would do
    Status(Json),
    /// Log in to the accounts, or look at their sessions
    Auth(Auth),
    /// List, show, put back or prune what apply replaced
    #[command(subcommand)]
    Backup(Backup),
    /// Fill the cache with files that are at hand
    #[command(subcommand)]
    Cache(Cache),
    /// Print the JSON Schema of a document
    Schema(Schema),
    /// Print a shell's completions
    Completions(Completions),
}

#[derive(Debug, ClapArgs)]
pub struct Validate {
    /// Print the findings as JSON
    #[arg(long)]
    pub json: bool,
}

/// GitHub takes comments of 65,536 characters (2026-11).
pub const MARKDOWN_LIMIT: usize = 60_000;
/// A comment's counts, and that there is more, always fit into so many.
const MIN_MARKDOWN: usize = 250;

fn parse_limit(text: &str) -> Result<usize, String> {
    let limit: usize = text.parse().map_err(|_| "expected a number".to_owned())?;
    if limit < MIN_MARKDOWN {
        return Err(format!("a comment's counts alone need {MIN_MARKDOWN} characters"));
    }
    Ok(limit)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// The plan document
    Json,
    /// A comment for a pull request
    Markdown,
    /// A page, with its style within
    Html,
    /// At most 12 lines, no titles
    Summary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Refresh {
    /// Read what is new
    Incremental,
    /// Read everything
    Full,
    /// Use what was read last; opens no session
    None,
}

/// Which part of the plan.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Selection {
    /// Only this rule; may be given several times
    #[arg(long = "rule", value_name = "NAME")]
    pub rules: Vec<String>,
    /// Only addresses that match; `*` and `?` are wildcards
    #[arg(long, value_name = "GLOB")]
    pub only: Vec<String>,
    /// No addresses that match
    #[arg(long, value_name = "GLOB")]
    pub except: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub struct Plan {
    #[command(flatten)]
    pub selection: Selection,
    /// Save the plan, to be applied exactly as it is
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// How to print the plan
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Write it as a pull request's comment too
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Most characters of a comment; what does not fit is shortened, replaces last
    #[arg(long, value_name = "N", default_value_t = MARKDOWN_LIMIT, value_parser = parse_limit)]
    pub markdown_limit: usize,
    /// Write it as a page into this folder too, which may hold other files
    #[arg(long, value_name = "DIR")]
    pub html: Option<PathBuf>,
    /// Write its checks as JUnit XML too
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// List the pairs in sync too
    #[arg(long)]
    pub all: bool,
    /// Show too what would be left after the plan; nothing is executed
    #[arg(long)]
    pub simulate: bool,
    /// Exit with 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// How much to read
    #[arg(long, value_enum, default_value_t = Refresh::Incremental)]
    pub refresh: Refresh,
    /// Most originals to fetch for comparing
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub max_downloads: usize,
    /// Try again now what was refused, whenever it was
    #[arg(long)]
    pub retry_refused: bool,
    /// Tell too what it does otherwise than this saved plan, which was reviewed
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Leave something out of every output; file names of folders stay, for they are ids
    #[arg(long, value_enum)]
    pub redact: Option<Redact>,
}

/// What a plan may be shown and saved without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Redact {
    /// What activities are called
    Titles,
}

#[derive(Debug, ClapArgs)]
pub struct Show {
    /// A plan saved with `plan --out`
    pub file: PathBuf,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Most characters of a comment; what does not fit is shortened, replaces last
    #[arg(long, value_name = "N", default_value_t = MARKDOWN_LIMIT, value_parser = parse_limit)]
    pub markdown_limit: usize,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Apply {
    /// A plan saved with `plan --out`; it is the approval
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub selection: Selection,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Refuse any plan but the one with this id (or its first digits, as shown)
    #[arg(long, value_name = "ID")]
    pub expect_plan: Option<String>,
    /// Most steps under way per destination [default: as its platform says]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub parallel: Option<u32>,
    /// Begin nothing new after so many failed steps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_failures: Option<u32>,
    /// Plan again, and run it if it does nothing that this saved plan does not: replaces exactly as
    /// in it, any uploads within the limit
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub within: Option<PathBuf>,
    /// With --within: leave out what the saved plan does not allow, and run the rest
    #[arg(long, requires = "within")]
    pub allowed_only: bool,
    /// Go beyond a limit this once: uploads=N or replaces=N
    #[arg(long, value_name = "CLASS=N", value_parser = parse_allowance)]
    pub allow: Vec<Allowance>,
    /// Most originals to fetch for comparing
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub max_downloads: usize,
    /// Try again now what was refused, whenever it was
    #[arg(long)]
    pub retry_refused: bool,
    /// Wait so long for other runs that write to the same destinations, such as 90s, 10m or 2h
    #[arg(long, value_name = "D", default_value = "0s", value_parser = parse_duration)]
    pub lock_timeout: Duration,
    /// Print events as JSON Lines; what people read goes to stderr
    #[arg(long)]
    pub json: bool,
    /// Keep a report in this file while it runs
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Write how it went as a page into this folder, which may hold other files
    #[arg(long, value_name = "DIR")]
    pub html: Option<PathBuf>,
    /// Write what became of each step as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = duration_s(text).map_err(|error| error.to_string())?;
    Ok(Duration::from_secs(u64::from(seconds)))
}

/// `uploads=N` or `replaces=N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    Uploads(u32),
    Replaces(u32),
}

fn parse_allowance(text: &str) -> Result<Allowance, String> {
    let (class, number) = text.split_once('=').ok_or("expected uploads=N or replaces=N")?;
    let number = number.parse().map_err(|_| format!("'{number}' is not a number"))?;
    match class {
        "uploads" => Ok(Allowance::Uploads(number)),
        "replaces" => Ok(Allowance::Replaces(number)),
        _ => Err(format!("'{class}' is neither uploads nor replaces")),
    }
}

#[derive(Debug, ClapArgs)]
pub struct Explain {
    /// As the plan shows it: RULE/START or RULE/@SOURCE_ID
    pub address: String,
}

#[derive(Debug, ClapArgs)]
pub struct Diff {
    /// As the plan shows it: RULE/START or RULE/@SOURCE_ID
    pub address: String,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Inspect {
    /// FIT files, also gzipped
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Json {
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    Manifest,
    Plan,
    /// A line of `apply --json`
    Event,
    /// What `apply --report` writes
    Report,
}

#[derive(Debug, ClapArgs)]
pub struct Schema {
    /// Of which document
    #[arg(value_enum)]
    pub of: SchemaOf,
}

#[derive(Debug, ClapArgs)]
pub struct Completions {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
