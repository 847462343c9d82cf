//! The one place that speaks to people about what went wrong: what happened, what it means for
//! their activities, what to do next.

use std::fmt::Write as _;

use owo_colors::OwoColorize as _;

use crate::archive::ArchiveError;
use crate::domain::{AccountName, neutralise};
use crate::engine::{Deeds, EngineError, RestoreObstacle};
use crate::manifest::DecisionsError;
use crate::plan::DocumentError;
use crate::platform::login::{LoginError, Refusal};
use crate::state::StateError;
use crate::vault::variable;

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
    /// A failure before anything was written to an account; [`Failure::after`] is for later ones.
    pub fn new(exit: Exit, happened: impl Into<String>, next: impl Into<String>) -> Self {
        let means = NOTHING_CHANGED.to_owned();
        Self { exit, happened: happened.into(), means, next: next.into() }
    }

    /// The failure of a run that has written to accounts: what it has done there is told as its journal
    /// has it, if that can be read.
    #[must_use]
    pub fn after(self, deeds: Option<Deeds>) -> Self {
        let means = match deeds {
            Some(deeds) => done(deeds),
            None => "What was sent or removed cannot be read from the journal now; the next \
                       `fit_sync apply` looks first."
                .to_owned(),
        };
        Self { means, ..self }
    }

    /// The failure of a run in which something else ends no better than this.
    #[must_use]
    pub fn at_least(self, exit: Exit) -> Self {
        Self { exit: Exit::worst([self.exit, exit]), ..self }
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

/// What a run has done at accounts.
fn done(deeds: Deeds) -> String {
    let Deeds { sent, removed, restored, under_way, open } = deeds;
    let parts = [
        (sent, format!("{sent} sent")),
        (removed, format!("{removed} removed (in the backups)")),
        (restored, format!("{restored} removed and put back")),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words).collect();
    let mut words = match parts.is_empty() {
        true if under_way + open == 0 => return NOTHING_CHANGED.to_owned(),
        true => String::new(),
        false => format!("Activities that this run touched: {}. ", parts.join(", ")),
    };
    if under_way > 0 {
        let _ = write!(words, "{under_way} under way, perhaps sent or removed. ");
    }
    if open > 0 {
        let _ = write!(words, "{open} of earlier runs not over. ");
    }
    words.push_str("The next `fit_sync apply` first looks what became of them.");
    words
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
        Self::new(exit, error.to_string(), next)
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

/// Why an account could not be opened.
pub fn login(account: &AccountName, error: &LoginError) -> Failure {
    let happened = format!("{account}: {error}");
    let auth = format!("fit_sync auth --account {account}");
    let (exit, next) = match error {
        LoginError::Refused { why, .. } => (Exit::Login, mended(*why, &auth)),
        LoginError::NeedsCode => (
            Exit::Login,
            format!(
                "run `{auth}` at a terminal, or set mfa_command or {}",
                variable(account, "MFA_CODE")
            ),
        ),
        LoginError::CodeRefused => {
            (Exit::Login, format!("run `{auth}` again with the newest code"))
        }
        LoginError::NoCredentials(_) => (
            Exit::Login,
            format!(
                "set {} and {}, or run `{auth}` at a terminal",
                variable(account, "EMAIL"),
                variable(account, "PASSWORD")
            ),
        ),
        LoginError::Credentials(_) => {
            (Exit::Login, format!("mend it in the manifest, then run `{auth}`"))
        }
        LoginError::Throttled { .. } | LoginError::CoolingDown { .. } => (
            Exit::Login,
            format!("wait, for each try makes it longer; or use your browser: `{auth} --browser`"),
        ),
        LoginError::Blocked(_) | LoginError::TokenRejected(_) => {
            (Exit::Login, format!("use your browser: `{auth} --browser`"))
        }
        LoginError::RefusedBefore(_)
        | LoginError::NotAllowed
        | LoginError::SessionEnded(_)
        | LoginError::NotUnderstood(_) => (Exit::Login, format!("run `{auth}`")),
        LoginError::WrongAccount | LoginError::WrongHost(_) | LoginError::Damaged(_) => {
            (Exit::Login, format!("check the account's region, then run `{auth} --force`"))
        }
        LoginError::NoToken(_) => (Exit::Login, "try again with the whole text".to_owned()),
        LoginError::Unavailable(_) | LoginError::RateLimited { .. } => {
            (Exit::Unavailable, "try again later".to_owned())
        }
        LoginError::Cancelled => (Exit::Interrupted, "run it again".to_owned()),
        LoginError::Vault(_) => {
            (Exit::Failed, "check the folders of home and their modes".to_owned())
        }
        LoginError::Unsupported(_) => (Exit::Failed, "choose another way in".to_owned()),
    };
    Failure::new(exit, happened, next)
}

/// What a person can do about a refusal.
fn mended(why: Refusal, auth: &str) -> String {
    match why {
        Refusal::WrongPassword => {
            format!("correct them, then run `{auth}` once; repeated wrong tries lock the account")
        }
        Refusal::WrongOrBlocked => {
            format!("check the password on the website, then use your browser: `{auth} --browser`")
        }
        Refusal::Captcha => format!("use your browser: `{auth} --browser`"),
        Refusal::Locked | Refusal::NewPassword => {
            format!("unlock it or set a new password on the website, then run `{auth}`")
        }
        Refusal::Consent | Refusal::PhoneNumber | Refusal::Other => {
            format!("log in on the website, do what it asks for, then run `{auth}`")
        }
        Refusal::ChildAccount => "use an account of its own; this one has no login".to_owned(),
    }
}

/// How accounts that are one are told apart.
fn told_apart(error: &EngineError) -> String {
    match error {
        EngineError::TwoNames { .. } => "use one of the names in all rules".to_owned(),
        EngineError::TwoMarkers { folder, .. } => {
            format!("if {folder} is the copy, delete {folder}/.fit_sync-id and try again")
        }
        _ => "give the rule two different accounts".to_owned(),
    }
}

const NOT_DECIDED: &str =
    "nothing was decided; `fit_sync explain` tells what the plan does with it";

/// How a restore ends that something keeps from beginning, and what can be done about it.
fn not_restored(obstacle: RestoreObstacle, happened: String) -> Failure {
    let (exit, next) = match obstacle {
        RestoreObstacle::Account(reason) => (
            blocked_exit(reason),
            "the backup is untouched; try again when the account can be used",
        ),
        RestoreObstacle::ReadOnly => {
            (Exit::Invalid, "the backup is untouched; name an account that takes it with --to")
        }
        RestoreObstacle::Unclear => {
            (Exit::Decide, "the backup is untouched; look at what is there, then try again")
        }
        RestoreObstacle::Backup => {
            (Exit::Failed, "`fit_sync backup list` shows which backups can be used")
        }
    };
    Failure::new(exit, happened, next)
}

const FOLDER_AND_MODE: &str = "check its folder and mode";

/// What to do about what is wrong with the store.
fn next_for_store(error: &ArchiveError) -> String {
    match error {
        ArchiveError::UnreadableClaim { path } => {
            format!("look at the account, then remove {}", path.display())
        }
        _ => FOLDER_AND_MODE.to_owned(),
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        let happened = error.to_string();
        match error {
            EngineError::State(error) => error.into(),
            EngineError::Document(error) => error.into(),
            EngineError::SameAccount { .. }
            | EngineError::NestedFolders { .. }
            | EngineError::TwoNames { .. }
            | EngineError::TwoMarkers { .. } => {
                Self::new(Exit::Invalid, happened, told_apart(&error))
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
            EngineError::NoEffect { .. } => Self::new(Exit::Decide, happened, NOT_DECIDED),
            EngineError::CannotRestore { obstacle, .. } => not_restored(obstacle, happened),
            EngineError::UnderWay(_) => {
                let next = "run `fit_sync apply`, which looks what became of it, then try again";
                Self::new(Exit::Partly, happened, next)
            }
            EngineError::Interrupted => Self::new(Exit::Interrupted, happened, "run it again"),
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
            EngineError::Illegal(_) | EngineError::Endless(_) => {
                Self::new(Exit::Bug, happened, "please report this; the next apply looks first")
            }
            EngineError::Archive(error) => {
                Self::new(Exit::Failed, happened, next_for_store(&error))
            }
            EngineError::File { .. } => Self::new(Exit::Failed, happened, FOLDER_AND_MODE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(deeds: Option<Deeds>) -> String {
        Failure::new(Exit::State, "the disk is full", "make room").after(deeds).means
    }

    #[test]
    fn what_a_failure_means_is_told_by_what_was_done() {
        let nothing = Deeds::default();
        assert_eq!(means(Some(nothing)), NOTHING_CHANGED);
        let gap = Deeds { sent: 2, removed: 1, ..nothing };
        assert!(means(Some(gap)).contains("2 sent, 1 removed (in the backups)"));
        let restored = Deeds { restored: 1, ..nothing };
        assert!(means(Some(restored)).contains("1 removed and put back"));
        // The disk was full before the last deed could be written down.
        let under_way = Deeds { under_way: 1, ..nothing };
        assert!(means(Some(under_way)).starts_with("1 under way, perhaps sent or removed."));
        for deeds in [Some(gap), Some(restored), Some(under_way), None] {
            assert!(means(deeds).contains("first looks") || means(deeds).contains("looks first"));
            assert!(!means(deeds).contains(NOTHING_CHANGED));
        }
    }
}
