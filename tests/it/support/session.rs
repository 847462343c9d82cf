//! What a session over accounts of a test's own is made of; the benches use it too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fit_sync::archive::{AccountLocks, Owner};
use fit_sync::domain::{AccountName, RuleName, Sha256};
use fit_sync::engine::{
    self, EngineError, LockRequest, Open, Places, PlanRequest, Refresh, Session,
};
use fit_sync::manifest::{
    Account, CacheSettings, ConflictStrategy, Filter, Limits, Manifest, Rule,
};
use fit_sync::plan::Options;
use fit_sync::platform::{OpenError, Opening, Platform};

/// These accounts and rules, and nothing else.
pub(crate) fn manifest(accounts: &[&str], rules: Vec<Rule>) -> Manifest {
    let accounts = accounts.iter().map(|name| (AccountName::new(*name), account(name)));
    Manifest {
        path: PathBuf::from("fit_sync.yaml"),
        sha256: Sha256::of(b"a manifest"),
        accounts: accounts.collect(),
        rules,
        cache: CacheSettings { directory: None, max_age_days: 7 },
        limits: Limits::default(),
        state: None,
        backups: None,
        decisions: PathBuf::from("fit_sync.decisions.yaml"),
        warnings: Vec::new(),
    }
}

/// Below one folder.
pub(crate) fn places(folder: &Path) -> Places {
    Places { backups: folder.join("backups"), cache: folder.join("cache") }
}

/// From one account to another, named after both.
pub(crate) fn rule(source: &str, destination: &str, strategy: ConflictStrategy) -> Rule {
    Rule {
        name: RuleName::new(format!("{source}-to-{destination}")),
        source: AccountName::new(source),
        destination: AccountName::new(destination),
        filter: Filter::default(),
        strategy,
        line: 1,
    }
}

pub(crate) fn account(name: &str) -> Account {
    Account {
        name: AccountName::new(name),
        platform: "memory".to_owned(),
        region: None,
        email: None,
        password: Vec::new(),
        mfa_command: None,
        path: None,
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

/// Opens these accounts as they are.
pub(crate) fn open(
    platforms: impl IntoIterator<Item = (&'static str, Arc<dyn Platform>)>,
) -> Arc<Open> {
    let platforms: BTreeMap<&str, Arc<dyn Platform>> = platforms.into_iter().collect();
    Arc::new(move |account: &Account, _: &Opening| {
        let unknown = || OpenError::Unknown { platform: account.platform.clone() };
        platforms.get(account.name.as_str()).cloned().ok_or_else(unknown)
    })
}

/// Keeps others from writing, as every run does first.
pub(crate) async fn lock(session: &Session) -> AccountLocks {
    let owner = Owner { user: "me".to_owned(), host: "here".to_owned(), pid: 1, run_url: None };
    let folders = vec![session.places.backups.with_file_name("locks")];
    let (patience, also) = (Duration::ZERO, BTreeSet::new());
    let request = LockRequest { folders, owner, patience, also };
    loop {
        match engine::lock(session, &request).await {
            // A process that another test is just starting shares our files for a moment.
            Err(EngineError::Locked { owner: None, .. }) => std::thread::yield_now(),
            locks => return locks.unwrap(),
        }
    }
}

/// What most plans are asked for.
pub(crate) fn request() -> PlanRequest {
    PlanRequest { refresh: Refresh::Incremental, options: Options::default(), max_downloads: 200 }
}
