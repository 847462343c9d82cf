//! The one place that speaks to people about what went wrong: what happened, what it means for
//! their activities, what to do next.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::domain::neutralise;
use crate::engine::EngineError;
use crate::manifest::DecisionsError;
use crate::plan::DocumentError;
use crate::state::StateError;

use super::commands::plan::blocked_exit;
use super::env::EnvironmentError;
use super::exit::Exit;

/// A failure in words, and the code that a pipeline sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What happened.
    pub happened: String,
    /// What it means for the user's activities.
    pub means: String,
    /// What to do next.
    pub next: String,
}

const NOTHING_CHANGED: &str = "No activity was touched.";

impl Failure {
    /// A failure of which nothing has come.
    pub fn new(exit: Exit, happened: impl Into<String>, next: impl Into<String>) -> Self {
        let means = NOTHING_CHANGED.to_owned();
        Self { exit, happened: happened.into(), means, next: next.into() }
    }

    /// A failure whose words have been printed already.
    pub fn told(exit: Exit) -> Self {
        Self { exit, happened: String::new(), means: String::new(), next: String::new() }
    }

    /// The words for stderr; empty if they have been printed already.
    pub fn text(&self) -> String {
        if self.happened.is_empty() {
            return String::new();
        }
        let mut text = format!("{} {}\n", "error:".red().bold(), neutralise(&self.happened));
        if !self.means.is_empty() {
            let _ = writeln!(text, "  {}", neutralise(&self.means));
        }
        if !self.next.is_empty() {
            let _ = writeln!(text, "  {} {}", "next:".bold(), neutralise(&self.next));
        }
        text
    }
}

impl From<EnvironmentError> for Failure {
    fn from(error: EnvironmentError) -> Self {
        let next = match &error {
            EnvironmentError::NoHome => "set FIT_SYNC_HOME to a folder of your own",
            EnvironmentError::NoWorkingFolder(_) => "run it in a folder that exists",
            EnvironmentError::BadNow(_) => "unset FIT_SYNC_NOW, which is for tests",
        };
        Self::new(Exit::Failed, error.to_string(), next)
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        let (exit, next) = match &error {
            StateError::Busy => (Exit::Locked, "try again when the other run is over"),
            StateError::Newer { .. } => {
                (Exit::State, "use the newer fit_sync that wrote it, or another --state")
            }
            StateError::Corrupt(_) => (
                Exit::State,
                "move it away and plan again: pairs are found again by their start times, and \
                 nothing is uploaded twice",
            ),
            StateError::Unwritable(_) => {
                (Exit::State, "check the file's folder and mode, or choose another with --state")
            }
            StateError::Full => (Exit::State, "make room on the disk and run again"),
            StateError::Unidentified(_) | StateError::Failed(_) => {
                (Exit::State, "run `fit_sync state verify`")
            }
        };
        let means = "Activities are not affected; the journal keeps what was done so far.";
        Self { exit, happened: error.to_string(), means: means.to_owned(), next: next.to_owned() }
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        Self::new(
            Exit::StalePlan,
            error.to_string(),
            "make a new plan with `fit_sync plan --out FILE`",
        )
    }
}

impl From<DecisionsError> for Failure {
    fn from(error: DecisionsError) -> Self {
        let next = "check the decisions file beside the manifest";
        Self::new(Exit::Failed, error.to_string(), next)
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let happened = error.to_string();
        match error {
            EngineError::State(error) => error.into(),
            EngineError::Document(error) => error.into(),
            EngineError::SameAccount { .. } | EngineError::NestedFolders { .. } => {
                Self::new(Exit::Invalid, happened, "give the rule two different accounts")
            }
            EngineError::OtherAccount { .. } => Self::new(
                Exit::StalePlan,
                happened,
                "make a new plan with `fit_sync plan --out FILE`",
            ),
            EngineError::UnknownRule(_) => Self::new(
                Exit::Invalid,
                happened,
                "the manifest's rules are listed by `fit_sync plan`",
            ),
            EngineError::UnknownAddress(_) => {
                Self::new(Exit::Failed, happened, "addresses are listed by `fit_sync plan -v`")
            }
            EngineError::Unread { reason, .. } => {
                Self::new(blocked_exit(reason), happened, "see `fit_sync plan` for all rules")
            }
            EngineError::CannotDecide { .. } => {
                Self::new(Exit::Failed, happened, "ids of candidates are shown by `fit_sync plan`")
            }
            EngineError::CannotRestore { .. } => Self::new(
                Exit::Failed,
                happened,
                "the backup is untouched; mend this and try again",
            ),
            EngineError::CannotImport { .. } => {
                let next = "name a folder of FIT files, or the .zip of an account export";
                Self::new(Exit::Failed, happened, next)
            }
            EngineError::Locked { .. } => {
                let next =
                    "try again when it is over, or let this one wait with --lock-timeout 10m";
                Self::new(Exit::Locked, happened, next)
            }
            EngineError::NotLocked(_) => Self::new(Exit::Unavailable, happened, "run it again"),
            EngineError::Lock(_) => {
                let next = "check the folder's owner and mode; without a lock nothing is written";
                Self::new(Exit::State, happened, next)
            }
            EngineError::File { .. } => {
                Self::new(Exit::Failed, happened, "check its folder and mode")
            }
        }
    }
}
