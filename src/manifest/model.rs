//! A manifest that has been checked: after `load` nothing in it is checked again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Span;
use jiff::civil::Date;
use regex::Regex;
use secrecy::SecretString;

use crate::diag::Diagnostic;
use crate::domain::{AccountName, ActivityType, RuleName, Sha256};

/// What a user wants, complete and free of faults.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file, as people know it.
    pub path: PathBuf,
    /// Hash of its text.
    pub sha256: Sha256,
    /// All accounts, those of `accounts.yaml` merged in.
    pub accounts: BTreeMap<AccountName, Account>,
    /// In the order of the file.
    pub rules: Vec<Rule>,
    /// FIT cache.
    pub cache: CacheSettings,
    /// What a plan may do at most.
    pub limits: Limits,
    /// State file, if the manifest names one; absolute.
    pub state: Option<PathBuf>,
    /// Folder of backups, if the manifest names one; absolute.
    pub backups: Option<PathBuf>,
    /// Where decisions stand; the file need not exist.
    pub decisions: PathBuf,
    /// What is worth a look.
    pub warnings: Vec<Diagnostic>,
}

/// An account, with platform and region settled.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub name: AccountName,
    /// Id of a platform of the catalog.
    pub platform: String,
    /// Id of a region of that platform; `None` where it has none.
    pub region: Option<String>,
    /// Login name.
    pub email: Option<String>,
    /// Where the password may come from, in the order in which they are tried.
    pub password: Vec<PasswordSource>,
    /// Command whose first line of output is a one-time code.
    pub mfa_command: Option<String>,
    /// Folder or account export (a zip) of a directory account; absolute.
    pub path: Option<PathBuf>,
    /// Proxy URL; may hold credentials.
    pub proxy: Option<SecretString>,
    /// PEM file with further certificate authorities; absolute.
    pub ca_file: Option<PathBuf>,
    /// Most requests in flight; `None`: the platform's own default.
    pub max_parallel: Option<u32>,
    /// Least milliseconds between requests; `None`: the platform's own default.
    pub min_gap_ms: Option<u64>,
    /// Seconds that the platform may need to show what it took.
    pub settle_s: Option<u64>,
    /// Whether commands other than `auth` may log in; `None`: the platform's own default.
    pub allow_login: Option<bool>,
    /// Whether uploads are sent as imports; `None`: the platform's own default.
    pub upload_as_import: Option<bool>,
    /// Base URLs in place of the region's hosts, by the platform's names for them.
    pub endpoints: BTreeMap<String, String>,
}

impl Account {
    /// A folder or export that no manifest names.
    pub fn directory(name: AccountName, path: &Path) -> Self {
        Self {
            name,
            platform: "directory".to_owned(),
            region: None,
            email: None,
            password: Vec::new(),
            mfa_command: None,
            path: Some(path.to_path_buf()),
            proxy: None,
            ca_file: None,
            max_parallel: None,
            min_gap_ms: None,
            settle_s: None,
            allow_login: None,
            upload_as_import: None,
            endpoints: BTreeMap::new(),
        }
    }

    /// Whether its path names the zip of an account export, which is only read.
    pub fn is_export(&self) -> bool {
        let extension = self.path.as_deref().and_then(Path::extension);
        extension.is_some_and(|extension| extension.eq_ignore_ascii_case("zip"))
    }
}

/// Where a password comes from. Never printed.
#[derive(Clone, Debug)]
pub enum PasswordSource {
    /// Stands in a private file.
    Literal(SecretString),
    /// An environment variable's name.
    Env(String),
    /// A file; absolute.
    File(PathBuf),
    /// A shell command.
    Command(String),
}

/// One direction between two accounts.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Unique.
    pub name: RuleName,
    /// Where activities come from.
    pub source: AccountName,
    /// Where they go.
    pub destination: AccountName,
    /// Which of them.
    pub filter: Filter,
    /// What happens to those that are there already.
    pub strategy: ConflictStrategy,
    /// Line of the manifest on which it begins, from 1.
    pub line: usize,
}

/// What happens to activities that are at the destination already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConflictStrategy {
    /// They stay as they are.
    #[default]
    SkipExisting,
    /// Those whose content differs are replaced.
    ReplaceExisting,
}

impl ConflictStrategy {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SkipExisting, Self::ReplaceExisting];

    /// The word, as in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SkipExisting => "skip_existing",
            Self::ReplaceExisting => "replace_existing",
        }
    }
}

/// Which activities a rule wants. An absent part takes everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these types.
    pub types: Option<Located<Vec<ActivityType>>>,
    /// None of these types.
    pub exclude_types: Option<Located<Vec<ActivityType>>>,
    /// On or after this day.
    pub start_date: Option<Located<DateBound>>,
    /// On or before this day.
    pub end_date: Option<Located<DateBound>>,
    /// The title matches.
    pub title: Option<Located<Regex>>,
    /// The device's name matches.
    pub device: Option<Located<Regex>>,
    /// At least so many metres.
    pub min_distance_m: Option<Located<u32>>,
    /// At most so many metres.
    pub max_distance_m: Option<Located<u32>>,
    /// At least so many seconds by the wall clock.
    pub min_duration_s: Option<Located<u32>>,
    /// At most so many seconds by the wall clock.
    pub max_duration_s: Option<Located<u32>>,
}

/// A value and the manifest's line on which it stands.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Line, from 1; `None` for a value of the command line.
    pub line: Option<usize>,
}

/// A calendar day, fixed or counted back from the day of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateBound {
    /// This day.
    Day(Date),
    /// So many days before the plan's UTC day.
    DaysAgo(u32),
}

impl DateBound {
    /// The day that is meant when planning on `today`.
    pub fn on(self, today: Date) -> Date {
        match self {
            Self::Day(day) => day,
            Self::DaysAgo(days) => today.saturating_sub(Span::new().days(i64::from(days))),
        }
    }
}

/// The FIT cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    /// Its folder, if not the one in home; absolute.
    pub directory: Option<PathBuf>,
    /// Files older than this may be dropped.
    pub max_age_days: u32,
}

/// What a plan may do at most before a person has to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Uploads in all; `None`: any number.
    pub max_uploads: Option<u32>,
    /// Replaces in all.
    pub max_replaces: u32,
    /// Least share of an inventory's last good count, in thousandths.
    pub min_inventory_permille: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_uploads: None, max_replaces: 20, min_inventory_permille: 500 }
    }
}
