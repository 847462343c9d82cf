//! From the command line and its surroundings to what a command works with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::disk::{self, Mode};
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::diag::Diagnostic;
use crate::domain::{Catalog, RuleName};
use crate::engine::{Places, Session};
use crate::manifest::{self, Decisions, LoadRequest, Manifest, Trust};
use crate::net::Timeouts;
use crate::plan::{self, Glob, RetryRefused};
use crate::platform::{self, Opening};
use crate::render::diagnostics;
use crate::state::{Access, Store};
use crate::vault::Vault;

use super::args::{Global, Selection};
use super::ask::{Answers, Person};
use super::env::Environment;
use super::exit::Exit;
use super::failure::Failure;
use super::printer::Printer;
use super::progress::Progress;

/// What every command works with.
pub struct Context {
    /// Global options.
    pub global: Global,
    /// The surroundings.
    pub env: Environment,
    /// The clock of this run.
    pub clock: Arc<dyn Clock>,
    /// Where output goes.
    pub printer: Printer,
    /// What platforms there are.
    pub catalog: Catalog,
}

impl Context {
    /// Finds and checks the manifest. Its findings are the caller's to show: commands take
    /// [`Context::checked_manifest`] or [`Context::manifest_if_any`], since one with faults must never
    /// be taken for none.
    pub fn manifest(&self) -> Result<Manifest, Vec<Diagnostic>> {
        let config = self.global.config.as_deref();
        let path = manifest::find(config, &self.env.cwd, &self.env.home)
            .map_err(|diagnostic| vec![diagnostic])?;
        self.manifest_at(&path)
    }

    /// Checks the manifest at this path.
    pub fn manifest_at(&self, path: &Path) -> Result<Manifest, Vec<Diagnostic>> {
        manifest::load(&LoadRequest {
            path,
            cwd: &self.env.cwd,
            home: &self.env.home,
            user_home: self.env.user_home.as_deref(),
            catalog: &self.catalog,
            trust: if self.env.trust_manifest { Trust::Everything } else { Trust::PrivateFiles },
            uid: self.env.uid,
        })
    }

    /// The manifest, with its findings told on stderr.
    pub fn checked_manifest(&self) -> Result<Manifest, Failure> {
        #[expect(clippy::disallowed_methods, reason = "its findings are shown")]
        let manifest = self.manifest().map_err(|findings| self.refused(&findings))?;
        if !manifest.warnings.is_empty() {
            self.printer.note(&self.findings(&manifest.warnings));
        }
        Ok(manifest)
    }

    /// The manifest, where there is one; one with faults is refused.
    pub fn manifest_if_any(&self) -> Result<Option<Manifest>, Failure> {
        let config = self.global.config.as_deref();
        match manifest::find(config, &self.env.cwd, &self.env.home) {
            Ok(_) => self.checked_manifest().map(Some),
            Err(_) => {
                self.printer.detail("there is no manifest: what lies in home is meant");
                Ok(None)
            }
        }
    }

    /// Where fetched files are kept: as the manifest says, else in home.
    pub fn cache_path(&self, manifest: Option<&Manifest>) -> PathBuf {
        let own = manifest.and_then(|manifest| manifest.cache.directory.clone());
        own.unwrap_or_else(|| self.env.home.join("cache"))
    }

    /// Findings as text for stderr.
    pub fn findings(&self, findings: &[Diagnostic]) -> String {
        diagnostics::text(findings, self.printer.colours_stderr())
    }

    fn refused(&self, findings: &[Diagnostic]) -> Failure {
        self.printer.error(&self.findings(findings));
        Failure::told(Exit::Invalid)
    }

    /// Makes home, private to its owner.
    pub fn home(&self) -> Result<&Path, Failure> {
        let home = self.env.home.as_path();
        match disk::create_private_dir(home) {
            Ok(Mode::Kept) => {}
            Ok(Mode::Tightened) => {
                let note = format!("{} was open to others; it is 0700 now", home.display());
                self.printer.note(&note);
            }
            Err(error) => {
                let happened = format!("{} cannot be made private: {error}", home.display());
                let next = "check its owner and mode, or set FIT_SYNC_HOME";
                return Err(Failure::new(Exit::Failed, happened, next));
            }
        }
        Ok(home)
    }

    /// The state that the option or the environment names.
    fn named_state(&self) -> Option<PathBuf> {
        let option = self.global.state.as_deref().map(|path| self.env.absolute(path));
        option.or_else(|| self.env.state.clone())
    }

    /// Where the state lies: the option, the environment, the manifest, home.
    pub fn state_path(&self, manifest: Option<&Manifest>) -> PathBuf {
        self.named_state()
            .or_else(|| manifest.and_then(|manifest| manifest.state.clone()))
            .unwrap_or_else(|| self.env.home.join("state.db"))
    }

    /// Where the locks of those who write lie: in home, since its sessions and backups are shared, and
    /// beside the state, which several homes may share.
    pub fn lock_folders(&self, manifest: &Manifest) -> Result<Vec<PathBuf>, Failure> {
        let state = self.state_path(Some(manifest));
        let mut beside = state.canonicalize().unwrap_or(state).into_os_string();
        beside.push(".locks");
        Ok(vec![self.home()?.join("locks"), PathBuf::from(beside)])
    }

    /// Opens the state for a command about it: the named one, which must be there, else the one of the
    /// manifest, which may be missing but not faulty.
    pub fn own_store(&self, access: Access) -> Result<Store, Failure> {
        let Some(path) = self.named_state() else {
            let manifest = self.manifest_if_any()?;
            return self.store(manifest.as_ref(), access);
        };
        if !path.exists() {
            let happened = format!("there is no state at {}", path.display());
            let next = "check --state and FIT_SYNC_STATE";
            return Err(Failure::new(Exit::State, happened, next));
        }
        self.store(None, access)
    }

    /// Where backups lie: as the manifest says, else in home.
    pub fn backups_path(&self, manifest: Option<&Manifest>) -> PathBuf {
        let own = manifest.and_then(|manifest| manifest.backups.clone());
        own.unwrap_or_else(|| self.env.home.join("backups"))
    }

    /// Opens the state.
    pub fn store(&self, manifest: Option<&Manifest>, access: Access) -> Result<Store, Failure> {
        let path = self.state_path(manifest);
        if access == Access::ReadWrite {
            self.home()?;
        }
        let store = Store::open(&path, access).map_err(|error| {
            let mut failure = Failure::from(error);
            failure.happened = format!("{}: {}", path.display(), failure.happened);
            failure
        })?;
        if let Some(warning) = store.warning() {
            self.printer.note(&format!("warning: {warning}"));
        }
        Ok(store)
    }

    /// What platforms are handed; `person` may be asked.
    pub fn opening(&self, person: Person) -> Opening {
        Opening {
            clock: Arc::clone(&self.clock),
            random: self.env.random(),
            vault: self.vault(),
            ask: Arc::new(Answers { lookup: self.env.lookup(), person }),
            timeouts: Timeouts::default(),
            stop: Cancellation::default(),
        }
    }

    /// Sessions of this home.
    pub fn vault(&self) -> Vault {
        Vault::new(&self.env.home)
    }

    /// A session over the checked manifest, and its progress.
    pub fn session(&self) -> Result<(Session, Arc<Progress>), Failure> {
        self.session_with(Access::ReadWrite)
    }

    /// A session that only looks: what is not there yet reads as empty.
    pub fn reading_session(&self) -> Result<Session, Failure> {
        Ok(self.session_with(Access::ReadOnly)?.0)
    }

    fn session_with(&self, access: Access) -> Result<(Session, Arc<Progress>), Failure> {
        let manifest = self.checked_manifest()?;
        let store = self.store(Some(&manifest), access)?;
        let decisions =
            Decisions::load(&manifest.decisions).map_err(|findings| self.refused(&findings))?;
        let progress = Arc::new(Progress::new(self.printer.clone()));
        let backups = self.backups_path(Some(&manifest));
        let cache = self.cache_path(Some(&manifest));
        let opening = self.opening(Person::Away);
        let session = Session {
            decisions: decisions.current(),
            store,
            catalog: self.catalog.clone(),
            open: Arc::new(platform::opener()),
            events: Arc::clone(&progress) as Arc<dyn crate::event::Events>,
            places: Places { backups, cache },
            stop: opening.stop.clone(),
            opening,
            manifest,
        };
        Ok((session, progress))
    }
}

/// Whether what was refused is tried again before its date.
pub fn retry_refused(is_asked: bool) -> RetryRefused {
    if is_asked { RetryRefused::Now } else { RetryRefused::OnItsDate }
}

/// The options of a selection as the planner takes them.
pub fn selection(selection: &Selection) -> Result<plan::Selection, Failure> {
    let globs = |patterns: &[String]| {
        patterns
            .iter()
            .map(|pattern| {
                Glob::parse(pattern).map_err(|_| {
                    let happened = format!("the pattern '{pattern}' is too long");
                    Failure::new(Exit::Usage, happened, "shorten it")
                })
            })
            .collect::<Result<Vec<Glob>, Failure>>()
    };
    Ok(plan::Selection {
        rules: selection.rules.iter().map(RuleName::new).collect(),
        only: globs(&selection.only)?,
        except: globs(&selection.except)?,
    })
}
