//! The arguments of the commands about backups.

use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};

use super::{Json, parse_duration};

#[derive(Debug, Subcommand)]
pub enum Backup {
    /// List the backups, the newest first
    List(Json),
    /// Show one backup
    Show(BackupArg),
    /// Put a backup back, in the place of what replaced it if that is still there
    Restore(Restore),
    /// Remove old backups for good
    Prune(Prune),
}

#[derive(Debug, ClapArgs)]
pub struct BackupArg {
    /// As `backup list` shows it, or its beginning
    pub id: String,
}

#[derive(Debug, ClapArgs)]
pub struct Restore {
    /// As `backup list` shows it, or its beginning
    pub id: String,
    /// Upload it to this account instead, beside what is there
    #[arg(long, value_name = "ACCOUNT")]
    pub to: Option<String>,
    /// Wait so long for other runs that write to the same account, such as 90s, 10m or 2h
    #[arg(long, value_name = "D", default_value = "0s", value_parser = parse_duration)]
    pub lock_timeout: Duration,
}

#[derive(Debug, ClapArgs)]
pub struct Prune {
    /// Such as 90d
    #[arg(long, value_name = "D")]
    pub older_than: String,
    /// List what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(short = 'y', long, visible_alias = "yes", conflicts_with = "dry_run")]
    pub auto_approve: bool,
}
