//! Asking a person, where there is one, and the environment, where there is none.

use std::io::{BufRead as _, Read as _, Write as _};
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use crate::domain::neutralise;
use crate::manifest::Account;
use crate::platform::login::{Ask, CodeRequest, Credentials, LoginError};
use crate::vault::{Lookup, Secrets};

/// More than any address, text or ticket that somebody pastes.
const MAX_BYTES: u64 = 1024 * 1024;

/// Asks a question on stderr; only the word `yes` is a yes.
pub fn confirm(question: &str) -> bool {
    line(&format!("{question} Only 'yes' is accepted: ")).is_some_and(|answer| answer == "yes")
}

/// One line of stdin, whatever it is, after a prompt on stderr.
fn line(prompt: &str) -> Option<String> {
    let mut err = std::io::stderr();
    write!(err, "{prompt}").and_then(|()| err.flush()).ok()?;
    let mut answer = String::new();
    let read = std::io::stdin().lock().take(MAX_BYTES).read_line(&mut answer).ok()?;
    (read > 0).then(|| answer.trim().to_owned())
}

/// Lines of stdin until they are enough, or end.
pub fn lines_until(is_enough: impl Fn(&str) -> bool) -> SecretString {
    let mut text = String::new();
    let mut stdin = std::io::stdin().lock().take(MAX_BYTES);
    while stdin.read_line(&mut text).is_ok_and(|read| read > 0) {
        if is_enough(&text) {
            break;
        }
    }
    SecretString::from(text)
}

/// Who answers what logins need.
pub struct Answers {
    /// The environment.
    pub lookup: Arc<Lookup>,
    /// Whether a person may be asked.
    pub person: Person,
}

/// Whether a person may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// At this terminal.
    Here,
    /// Nobody, or not by this command.
    Away,
}

impl Answers {
    fn secrets<'a>(&'a self, account: &'a Account) -> Secrets<'a> {
        Secrets { account, lookup: self.lookup.as_ref() }
    }
}

impl Ask for Answers {
    fn credentials(&self, account: &Account) -> Result<Credentials, LoginError> {
        let secrets = self.secrets(account);
        let email = secrets.email().or_else(|| match self.person {
            Person::Here => line(&format!("E-mail address for {}: ", account.name)),
            Person::Away => None,
        });
        let email = email.filter(|email| !email.is_empty());
        let email = email.ok_or(LoginError::NoCredentials("e-mail address"))?;
        let password = match secrets.password()? {
            Some(password) => Some(password),
            None if self.person == Person::Here => {
                hidden(&format!("Password for {} ({email}): ", account.name))
            }
            None => None,
        };
        let password = password.filter(|password| !password.expose_secret().is_empty());
        let password = password.ok_or(LoginError::NoCredentials("password"))?;
        Ok(Credentials { email, password })
    }

    fn code(
        &self,
        account: &Account,
        request: &CodeRequest,
    ) -> Result<Option<SecretString>, LoginError> {
        if let Some(code) = self.secrets(account).code()? {
            return Ok(Some(code));
        }
        if self.person == Person::Away {
            return Ok(None);
        }
        let again = if request.attempt > 1 { "That code was not accepted. " } else { "" };
        let way = neutralise(&request.way);
        let prompt = format!("{again}One-time code for {} ({way}): ", account.name);
        Ok(line(&prompt).filter(|code| !code.is_empty()).map(SecretString::from))
    }

    fn has_code(&self, account: &Account) -> bool {
        self.secrets(account).has_code()
    }

    fn browser(&self, account: &Account, address: &str) -> Result<SecretString, LoginError> {
        let prompt = format!(
            "Log in to {} in your browser, at this address:\n\n  {address}\n\nThe page is empty when \
             you are in. Paste its address here within a minute: ",
            account.name
        );
        line(&prompt)
            .filter(|answer| !answer.is_empty())
            .map(SecretString::from)
            .ok_or_else(|| LoginError::NoToken("nothing was pasted".to_owned()))
    }
}

/// A line that is not shown while it is typed.
fn hidden(prompt: &str) -> Option<SecretString> {
    rpassword::prompt_password(prompt).ok().map(SecretString::from)
}
