//! The arguments of what is done once, in the beginning.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

#[derive(Debug, ClapArgs)]
pub struct Init {
    /// Rewrite this configuration [default: an old config.json in home, else start from nothing]
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Cache {
    /// Take an account's files from a folder or an account export, matched by their starts
    Import(CacheImport),
}

#[derive(Debug, ClapArgs)]
pub struct CacheImport {
    /// A folder of FIT files, or the .zip of an account export
    pub path: PathBuf,
    /// The account whose files they are
    #[arg(long, value_name = "NAME")]
    pub account: String,
}
