//! The files of home that hold sessions, and what is known about logins.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::disk::{self, Access};
use crate::domain::AccountName;

use super::lock::{self, SessionLock};
use super::{Logins, Session};

/// Far more than a session has.
const MAX_BYTES: u64 = 1024 * 1024;

/// Sessions and logins of a home.
#[derive(Clone, Debug)]
pub struct Vault {
    home: PathBuf,
}

/// A file of the vault cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is not what it should be.
    #[error("{}: {problem}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Why not, without its contents.
        problem: String,
    },
}

impl Vault {
    /// The vault of a home, which need not exist yet.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }

    /// The account's session as last saved.
    ///
    /// # Errors
    /// If there is a file, but none with a session in it.
    pub fn session(&self, account: &AccountName) -> Result<Option<Session>, VaultError> {
        let path = self.session_path(account);
        let session: Option<Session> = read(&path)?;
        match session {
            Some(session) if !session.is_sound() => {
                Err(VaultError::Damaged { path, problem: "it holds no session".to_owned() })
            }
            session => Ok(session),
        }
    }

    /// Saves a session, so that it is surely on the disk.
    ///
    /// # Errors
    /// If it does not have the shape of one, or cannot be written; then the old file stands.
    pub fn save(
        &self,
        account: &AccountName,
        session: &Session,
        _held: &SessionLock,
    ) -> Result<(), VaultError> {
        let path = self.session_path(account);
        if !session.is_sound() {
            let problem = "what the platform gave has not the shape of a session".to_owned();
            return Err(VaultError::Damaged { path, problem });
        }
        write(&path, session)
    }

    /// Forgets a session; what is known about logins stays.
    ///
    /// # Errors
    /// If its file cannot be removed.
    pub fn forget(&self, account: &AccountName) -> Result<(), VaultError> {
        let path = self.session_path(account);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(VaultError::Io { path, error })
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// What is known about the account's logins.
    ///
    /// # Errors
    /// If there is a file that cannot be read: then nothing may be tried.
    pub fn logins(&self, account: &AccountName) -> Result<Logins, VaultError> {
        Ok(read(&self.logins_path(account))?.unwrap_or_default())
    }

    /// Saves what is known about the account's logins.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save_logins(&self, account: &AccountName, logins: &Logins) -> Result<(), VaultError> {
        let path = self.logins_path(account);
        if *logins == Logins::default() && !path.exists() {
            return Ok(());
        }
        write(&path, logins)
    }

    /// Waits until no other run logs in to the account or renews its session.
    ///
    /// # Errors
    /// If the lock's file cannot be made.
    pub async fn lock(&self, account: &AccountName) -> Result<SessionLock, VaultError> {
        let path = self.home.join("locks").join(format!("session-{account}.lock"));
        lock::take(path.clone()).await.map_err(|error| VaultError::Io { path, error })
    }

    fn session_path(&self, account: &AccountName) -> PathBuf {
        self.home.join("sessions").join(format!("{account}.json"))
    }

    /// Not among the sessions: a cooldown is not lifted by forgetting them.
    fn logins_path(&self, account: &AccountName) -> PathBuf {
        self.home.join("logins").join(format!("{account}.json"))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, VaultError> {
    let failed = |error| VaultError::Io { path: path.to_path_buf(), error };
    let damaged = |problem: String| VaultError::Damaged { path: path.to_path_buf(), problem };
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
        Ok(metadata) if metadata.len() > MAX_BYTES => {
            return Err(damaged("it is far too large".to_owned()));
        }
        Ok(_) => {}
    }
    let bytes = fs::read(path).map_err(failed)?;
    // serde's own words may quote the file.
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| damaged(format!("it is not what was saved there (line {})", error.line())))
}

fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), VaultError> {
    let failed = |error| VaultError::Io { path: path.to_path_buf(), error };
    if let Some(folder) = path.parent() {
        disk::create_private_dir(folder).map_err(failed)?;
    }
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    disk::write_atomically(path, &text, Access::Private).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::os::unix::fs::PermissionsExt as _;

    use jiff::Timestamp;

    use super::super::{FORMAT, Token};
    use super::*;

    fn session(token: &str) -> Session {
        Session {
            format: FORMAT.to_owned(),
            platform: "garmin".to_owned(),
            region: "cn".to_owned(),
            profile: None,
            hosts: BTreeSet::from(["https://h.example".to_owned()]),
            obtained_by: "test".to_owned(),
            obtained_at: Timestamp::UNIX_EPOCH,
            renewed_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            ends_at: None,
            renewing_since: None,
            tokens: BTreeMap::from([("access".to_owned(), Token::new(token))]),
        }
    }

    #[tokio::test]
    async fn a_session_is_private_and_survives_bad_ones() {
        let home = tempfile::tempdir().unwrap();
        let vault = Vault::new(home.path());
        let name = AccountName::new("a");
        let held = vault.lock(&name).await.unwrap();
        assert!(vault.session(&name).unwrap().is_none());
        vault.save(&name, &session("t"), &held).unwrap();
        for bad in ["", "two\nlines"] {
            assert!(vault.save(&name, &session(bad), &held).is_err());
        }
        assert_eq!(vault.session(&name).unwrap().unwrap(), session("t"));
        let path = home.path().join("sessions/a.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!format!("{:?}", session("hidden")).contains("hidden"));
    }

    #[tokio::test]
    async fn a_damaged_file_is_no_session_and_its_contents_are_not_told() {
        let home = tempfile::tempdir().unwrap();
        let vault = Vault::new(home.path());
        let name = AccountName::new("a");
        fs::create_dir(home.path().join("sessions")).unwrap();
        for text in ["{\"access\": \"hidden\"}", "hidden", "", "{\"format\": \"hidden\"}"] {
            fs::write(home.path().join("sessions/a.json"), text).unwrap();
            let error = vault.session(&name).unwrap_err().to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
        vault.forget(&name).unwrap();
        vault.forget(&name).unwrap();
        assert!(vault.session(&name).unwrap().is_none());
    }
}
