//! The arguments of the everyday commands.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueHint};

use crate::manifest::{distance_m, duration_s};

/// Which activities.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Filters {
    /// Only these types, such as running,hiking; a family includes its children
    #[arg(long = "activity-type", value_name = "T1,T2", value_delimiter = ',')]
    pub types: Vec<String>,
    /// From this day on, such as 2024-03-31 or -30d
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub start_date: Option<String>,
    /// Up to this day, it included
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub end_date: Option<String>,
    /// Only titles that match; (?i) at its start ignores case
    #[arg(long, value_name = "REGEX")]
    pub title: Option<String>,
    /// Only devices that match
    #[arg(long, value_name = "REGEX")]
    pub device: Option<String>,
    /// At least so far, such as 800, 500m or 1.5km
    #[arg(long, value_name = "DISTANCE", value_parser = parse_distance)]
    pub min_distance: Option<u32>,
    /// At most so far
    #[arg(long, value_name = "DISTANCE", value_parser = parse_distance)]
    pub max_distance: Option<u32>,
    /// At least so long, such as 90s, 20min or 1h30m
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    pub min_duration: Option<u32>,
    /// At most so long
    #[arg(long, value_name = "DURATION", value_parser = parse_seconds)]
    pub max_duration: Option<u32>,
    /// Only the newest N of each account; 0 for all. A list shows 10 by itself
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
}

impl Filters {
    /// Whether any filter is set; rows are then numbered among those that match.
    pub fn is_given(&self) -> bool {
        let Self { types, start_date, end_date, title, device, limit, .. } = self;
        let bounds = [self.min_distance, self.max_distance, self.min_duration, self.max_duration];
        !types.is_empty()
            || [start_date, end_date, title, device].into_iter().any(Option::is_some)
            || bounds.iter().any(Option::is_some)
            || limit.is_some()
    }
}

fn parse_distance(text: &str) -> Result<u32, String> {
    distance_m(text).map_err(|error| format!("{error}: write 800, 500m or 1.5km"))
}

fn parse_seconds(text: &str) -> Result<u32, String> {
    duration_s(text).map_err(|error| format!("{error}: write 90s, 20min or 1h30m"))
}

#[derive(Debug, ClapArgs)]
pub struct List {
    /// Only this account; may be given several times [default: all]
    #[arg(long = "account", value_name = "NAME")]
    pub accounts: Vec<String>,
    #[command(flatten)]
    pub filters: Filters,
    /// Read the accounts now, however young their listings are
    #[arg(long, conflicts_with = "offline")]
    pub refresh: bool,
    /// Use what was read last, however old; opens nothing
    #[arg(long)]
    pub offline: bool,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Download {
    /// From this account
    #[arg(long, value_name = "NAME")]
    pub account: String,
    #[command(flatten)]
    pub which: Which,
    /// Put a copy into this folder [default: into the cache]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub output_dir: Option<PathBuf>,
    #[command(flatten)]
    pub filters: Filters,
}

/// How activities are named; at most one of them.
#[derive(Debug, ClapArgs)]
#[group(multiple = false)]
pub struct Which {
    /// Row N of the last list shown of the account; with filters, of what they leave
    #[arg(long, value_name = "N", value_parser = parse_index)]
    pub index: Option<usize>,
    /// The activity of this id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub id: Option<String>,
    /// Everything that the filters leave
    #[arg(long)]
    pub all: bool,
}

fn parse_index(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "rows are numbered from 1".to_owned())
}

#[derive(Debug, ClapArgs)]
pub struct Sync {
    /// Only rules from this account
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// Only rules into this account; with --source, this one way, whether or not a rule names it
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
    /// Only these types, such as running,cycling; a family includes its children
    #[arg(long = "activity-type", value_name = "T1,T2", value_delimiter = ',')]
    pub types: Vec<String>,
    /// From this day on, such as 2024-03-31 or -30d
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub start_date: Option<String>,
    /// Up to this day, it included
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    pub end_date: Option<String>,
    /// Show the plan; write to no account
    #[arg(long, conflicts_with = "auto_approve")]
    pub dry_run: bool,
    /// Replace matched activities of other bytes even where their contents are equal, except those that
    /// fit_sync put there, and upload what only overlaps; ambiguous ones stay
    #[arg(long)]
    pub force: bool,
    /// Try again now what was refused, whenever it was
    #[arg(long)]
    pub retry_refused: bool,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
}

#[derive(Debug, ClapArgs)]
pub struct ClearCache {
    /// Only sessions: each account logs in again
    #[arg(long, conflicts_with_all = ["activities_only", "all"])]
    pub auth_only: bool,
    /// Only listings: each account is read again
    #[arg(long, conflicts_with = "all")]
    pub activities_only: bool,
    /// Listings, FIT files and sessions
    #[arg(long)]
    pub all: bool,
    /// Only of this account
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
}
