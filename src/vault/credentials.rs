//! Where an account's name and password come from: environment, other places of the manifest, the
//! manifest itself. Asking a person is not done here.

use std::fs;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::AccountName;
use crate::manifest::{Account, PasswordSource};

/// More than any password or code.
const MAX_BYTES: u64 = 64 * 1024;
/// How long a command may take for one line.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks a variable of the environment up.
pub type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Why a credential that is named cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("password_file {}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The command gave nothing.
    #[error("{key} {problem}")]
    Command {
        /// The manifest's key.
        key: &'static str,
        /// Why not.
        problem: String,
    },
}

/// An account's credentials, without anybody being asked.
pub struct Secrets<'a> {
    /// The account.
    pub account: &'a Account,
    /// The environment.
    pub lookup: &'a Lookup,
}

impl Secrets<'_> {
    /// The login name: the environment's, else the manifest's.
    pub fn email(&self) -> Option<String> {
        let name = variable(&self.account.name, "EMAIL");
        (self.lookup)(&name).or_else(|| self.account.email.clone())
    }

    /// The first password that is set: environment, `password_*`, literal.
    ///
    /// # Errors
    /// If one is set but cannot be had.
    pub fn password(&self) -> Result<Option<SecretString>, CredentialsError> {
        if let Some(text) = (self.lookup)(&variable(&self.account.name, "PASSWORD")) {
            return Ok(Some(SecretString::from(text)));
        }
        for source in &self.account.password {
            let found = match source {
                PasswordSource::Env(name) => (self.lookup)(name).map(SecretString::from),
                PasswordSource::File(path) => Some(first_line_of(path)?),
                PasswordSource::Command(line) => Some(command_line("password_command", line)?),
                PasswordSource::Literal(text) => Some(text.clone()),
            };
            if found.as_ref().is_some_and(|found| !found.expose_secret().is_empty()) {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether a one-time code can be had without a person.
    pub fn has_code(&self) -> bool {
        self.account.mfa_command.is_some()
            || (self.lookup)(&variable(&self.account.name, "MFA_CODE")).is_some()
    }

    /// A one-time code that needs no person.
    ///
    /// # Errors
    /// If a command is to give it and does not.
    pub fn code(&self) -> Result<Option<SecretString>, CredentialsError> {
        if let Some(text) = (self.lookup)(&variable(&self.account.name, "MFA_CODE")) {
            return Ok(Some(SecretString::from(text.trim().to_owned())));
        }
        let Some(line) = &self.account.mfa_command else {
            return Ok(None);
        };
        let code = command_line("mfa_command", line)?;
        Ok(Some(SecretString::from(code.expose_secret().trim().to_owned())))
    }
}

/// `FIT_SYNC_<ACCOUNT>_<WHAT>`.
pub fn variable(account: &AccountName, what: &str) -> String {
    let name: String = account
        .as_str()
        .to_uppercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '_' })
        .collect();
    format!("FIT_SYNC_{name}_{what}")
}

fn first_line_of(path: &PathBuf) -> Result<SecretString, CredentialsError> {
    let failed = |error| CredentialsError::File { path: path.clone(), error };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(failed)?;
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(first_line(&text))
}

fn first_line(text: &str) -> SecretString {
    SecretString::from(text.lines().next().unwrap_or_default().to_owned())
}

/// The first line that a shell command prints within a minute.
///
/// # Errors
/// If it cannot be started, fails, prints nothing, or takes longer.
pub fn command_line(key: &'static str, line: &str) -> Result<SecretString, CredentialsError> {
    let failed = |problem: &str| CredentialsError::Command { key, problem: problem.to_owned() };
    let mut child = Command::new("sh")
        .args(["-c", line])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // A group of its own, so that it ends with all that it started.
        .process_group(0)
        .spawn()
        .map_err(|error| failed(&format!("cannot be started: {error}")))?;
    let Some(stdout) = child.stdout.take() else {
        return Err(failed("has no output"));
    };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.take(MAX_BYTES).read_to_string(&mut text);
        // Nobody listens any more if it took too long.
        let _ = sender.send(read.map(|_| text));
    });
    let Ok(text) = receiver.recv_timeout(PATIENCE) else {
        end(&mut child);
        return Err(failed("took longer than a minute"));
    };
    let status = child.wait();
    if !status.is_ok_and(|status| status.success()) {
        return Err(failed("failed"));
    }
    let text = first_line(&text.map_err(|_| failed("prints no text"))?);
    if text.expose_secret().trim().is_empty() {
        return Err(failed("printed nothing"));
    }
    Ok(text)
}

fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        // It may have ended by itself meanwhile.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gives_its_first_line_or_says_why_not() {
        let line = |text: &str| {
            command_line("mfa_command", text)
                .map(|line| line.expose_secret().to_owned())
                .map_err(|error| error.to_string())
        };
        assert_eq!(line("printf '12 34\\nmore'"), Ok("12 34".to_owned()));
        assert_eq!(line("true"), Err("mfa_command printed nothing".to_owned()));
        assert_eq!(line("echo 1; exit 3"), Err("mfa_command failed".to_owned()));
    }

    #[test]
    fn names_of_variables_have_no_odd_letters() {
        assert_eq!(variable(&AccountName::new("my-watch_2"), "EMAIL"), "FIT_SYNC_MY_WATCH_2_EMAIL");
    }
}
