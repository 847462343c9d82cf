//! The only place that reads the environment, the working folder and the user.

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use secrecy::SecretString;

use crate::archive::Owner;
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::domain::Sha256;
use crate::vault::Lookup;

/// What surrounds a run, read once.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `$FIT_SYNC_HOME`, else `~/.fit_sync`.
    pub home: PathBuf,
    /// The user's own folder, for `~`.
    pub user_home: Option<PathBuf>,
    /// The working folder.
    pub cwd: PathBuf,
    /// `$FIT_SYNC_STATE`.
    pub state: Option<PathBuf>,
    /// `$FIT_SYNC_TRUST_MANIFEST=1`.
    pub trust_manifest: bool,
    /// Whether a person may be asked: stdin and stderr are terminals and `CI` is not set.
    pub interactive: bool,
    /// Columns of the terminal that the product goes to; `None` where it goes elsewhere.
    pub width: Option<u16>,
    /// Numeric id of the user.
    pub uid: u32,
    /// Who others are told to be waiting for.
    pub owner: Owner,
    /// `$FIT_SYNC_NOW`, reserved for tests.
    pub now: Option<Timestamp>,
    /// `$FIT_SYNC_SEED`, reserved for tests.
    pub seed: Option<String>,
    /// Page of the pipeline that runs this.
    pub run_url: Option<String>,
    /// `$GITHUB_STEP_SUMMARY`, where a GitHub pipeline shows what is appended to it.
    pub step_summary: Option<PathBuf>,
}

/// Where another tool keeps its tokens.
pub enum OtherTool {
    /// In a file or folder.
    Path(PathBuf),
    /// In the variable itself.
    Text(SecretString),
}

/// The environment lacks something without which nothing can run.
#[derive(Debug, thiserror::Error)]
pub enum EnvironmentError {
    /// Neither `FIT_SYNC_HOME` nor a home folder.
    #[error("neither FIT_SYNC_HOME nor a home folder is known")]
    NoHome,
    /// The working folder is gone.
    #[error("the working folder cannot be read: {0}")]
    NoWorkingFolder(std::io::Error),
    /// A variable for tests does not hold what it should.
    #[error("FIT_SYNC_NOW is no time: {0}")]
    BadNow(jiff::Error),
}

impl Environment {
    /// Reads the surroundings of this process.
    pub fn read() -> Result<Self, EnvironmentError> {
        let user_home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let home = variable("FIT_SYNC_HOME")
            .map(PathBuf::from)
            .or_else(|| user_home.as_ref().map(|home| home.join(".fit_sync")))
            .ok_or(EnvironmentError::NoHome)?;
        #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
        let cwd = std::env::current_dir().map_err(EnvironmentError::NoWorkingFolder)?;
        let uid = rustix::process::getuid().as_raw();
        let run_url = text("BUILD_URL");
        let now = text("FIT_SYNC_NOW").map(|now| now.parse()).transpose();
        Ok(Self {
            home: cwd.join(home),
            user_home,
            state: variable("FIT_SYNC_STATE").map(|state| cwd.join(PathBuf::from(state))),
            cwd,
            trust_manifest: text("FIT_SYNC_TRUST_MANIFEST").as_deref() == Some("1"),
            interactive: std::io::stdin().is_terminal()
                && std::io::stderr().is_terminal()
                && variable("CI").is_none(),
            width: width(),
            uid,
            owner: owner(uid, run_url.clone()),
            now: now.map_err(EnvironmentError::BadNow)?,
            seed: text("FIT_SYNC_SEED"),
            run_url,
            step_summary: variable("GITHUB_STEP_SUMMARY").map(PathBuf::from),
        })
    }

    /// A path of the command line, made absolute.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.cwd.join(path)
    }

    /// The clock of this run.
    pub fn clock(&self) -> Arc<dyn Clock> {
        match self.now {
            Some(now) => Arc::new(ManualClock::new(now)),
            None => Arc::new(SystemClock),
        }
    }

    /// Variables that name credentials, read when they are needed.
    pub fn lookup(&self) -> Arc<Lookup> {
        Arc::new(text)
    }

    /// A path of another tool: its variable, else below the user's own folder.
    pub fn of_other_tool(&self, variable: &str, folder: &str) -> Option<OtherTool> {
        if let Some(value) = text(variable) {
            let inline = value.trim_start().starts_with(['{', '[']) || value.len() > 512;
            return Some(if inline {
                OtherTool::Text(SecretString::from(value))
            } else {
                OtherTool::Path(self.cwd.join(self.expanded(&value)))
            });
        }
        Some(OtherTool::Path(self.user_home.as_ref()?.join(folder)))
    }

    fn expanded(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.user_home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    /// Random ids; with a seed the same ones in every run.
    pub fn random(&self) -> Arc<dyn Fn() -> [u8; 16] + Send + Sync> {
        let seed = self.seed.clone();
        let drawn = AtomicU64::new(0);
        Arc::new(move || match &seed {
            Some(seed) => {
                let number = drawn.fetch_add(1, Ordering::Relaxed);
                first_16(Sha256::of(format!("{seed}/{number}").as_bytes()).as_str())
            }
            None => from_the_machine(),
        })
    }
}

fn width() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    Some(size.ws_col).filter(|columns| *columns > 0)
}

fn owner(uid: u32, run_url: Option<String>) -> Owner {
    let user = text("USER").or_else(|| text("LOGNAME")).unwrap_or_else(|| format!("uid {uid}"));
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Owner { user, host, pid: std::process::id(), run_url }
}

fn first_16(hex_digits: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    let digits = hex_digits.get(..32).unwrap_or_default();
    // 32 hex digits always fill the 16 bytes.
    let _ = hex::decode_to_slice(digits, &mut bytes);
    bytes
}

fn from_the_machine() -> [u8; 16] {
    let mut bytes = [0; 16];
    // Markers need no secrecy; a machine without randomness gets one that its neighbours may share.
    let _ = getrandom::fill(&mut bytes);
    bytes
}

fn variable(name: &str) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads it")]
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Option<String> {
    variable(name)?.into_string().ok()
}
