//! The whole way from a path to a checked manifest.

use std::path::{Path, PathBuf};

use crate::diag::Diagnostic;
use crate::domain::Catalog;

use super::faults::{Document, Fault, Faults};
use super::fields::{Field, Fields, Owner, Reader};
use super::keys::{CACHE, HOME_ACCOUNTS, LIMITS, MANIFEST};
use super::parse::straight;
use super::text::{self, Loaded};
use super::value::permille;
use super::{CacheSettings, Limits, Manifest, Trust, accounts, check, codes, rules};

/// Days that cached files are kept if the manifest does not say.
const CACHE_DAYS: u32 = 7;

/// Everything that loading a manifest depends on.
#[derive(Clone, Copy, Debug)]
pub struct LoadRequest<'a> {
    /// The manifest, as people know it; relative paths start at `cwd`.
    pub path: &'a Path,
    /// The working folder; absolute.
    pub cwd: &'a Path,
    /// The home of fit_sync; absolute.
    pub home: &'a Path,
    /// The user's home folder, for `~`.
    pub user_home: Option<&'a Path>,
    /// What platforms there are.
    pub catalog: &'a Catalog,
    /// Whether files that are not private are believed.
    pub trust: Trust,
    /// Whose files are the user's own.
    pub uid: u32,
}

/// Reads, merges and checks a manifest. Every fault is reported, sorted by file and place.
pub fn load(request: &LoadRequest<'_>) -> Result<Manifest, Vec<Diagnostic>> {
    let mut reader = Reader { request, faults: Faults::default() };
    let path = request.cwd.join(request.path);
    let own = reader.file(request.path, &path);
    let home_path = request.home.join("accounts.yaml");
    let home = reader.file(&home_path, &home_path);
    let own = match own {
        Reading::Good(own) => own,
        Reading::Missing => {
            let message = "there is no such manifest".to_owned();
            let help = "check the path given with --config";
            let finding = text::whole(request.path, codes::MANIFEST_NOT_FOUND, message, help);
            reader.faults.extend(vec![finding]);
            return Err(reader.faults.refused());
        }
        Reading::Faulty => return Err(reader.faults.refused()),
    };
    let (home, all_known) = match home {
        Reading::Good(home) => (Some(home), true),
        Reading::Missing => (None, true),
        Reading::Faulty => (None, false),
    };
    let top = reader.top(&own.document);
    let machine = home.as_ref().map(|home| reader.machine(&home.document)).unwrap_or_default();
    let sections = [top.get("accounts"), machine.get("accounts")];
    let accounts = accounts::read(&sections, all_known, &mut reader);
    let stated = rules::read(top.get("sync_rules"), &accounts, &mut reader);
    check::rules(&stated, &accounts, &mut reader);
    let cache = reader.cache(top.get("cache"));
    let limits = reader.limits(top.get("limits"));
    let state = top.get("state").and_then(|field| field.path(&mut reader));
    let backups = top.get("backups").and_then(|field| field.path(&mut reader));
    let warnings = reader.faults.settle()?;
    Ok(Manifest {
        path: request.path.to_path_buf(),
        sha256: own.sha256.clone(),
        accounts: accounts.good,
        rules: stated.into_iter().map(|stated| stated.rule).collect(),
        cache,
        limits,
        state,
        backups,
        decisions: decisions_beside(&path),
        warnings,
    })
}

/// The decisions file of a manifest.
fn decisions_beside(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(".decisions.yaml");
    path.with_file_name(name)
}

/// What came of reading a file.
enum Reading {
    Good(Loaded),
    Missing,
    /// It is there, but cannot be read; the fault is reported.
    Faulty,
}

impl Reader<'_> {
    fn file(&mut self, shown: &Path, path: &Path) -> Reading {
        match text::load(shown, path, self.request.uid) {
            Ok(None) => Reading::Missing,
            Ok(Some(mut loaded)) => {
                self.faults.extend(std::mem::take(&mut loaded.faults));
                Reading::Good(loaded)
            }
            Err(finding) => {
                self.faults.extend(vec![finding]);
                Reading::Faulty
            }
        }
    }

    fn top<'a>(&mut self, document: &'a Document) -> Fields<'a> {
        if let Some(root) = &document.root {
            return Fields::read(document, root, MANIFEST, Owner::Manifest, self);
        }
        let message = "the manifest is empty";
        let fault = Fault::new(codes::EMPTY_MANIFEST, 0..0, message)
            .help("'fit_sync init' writes one to start from");
        self.faults.error(document, fault);
        Fields::default()
    }

    fn machine<'a>(&mut self, document: &'a Document) -> Fields<'a> {
        let root = document.root.as_ref();
        root.map(|root| Fields::read(document, root, HOME_ACCOUNTS, Owner::HomeAccounts, self))
            .unwrap_or_default()
    }

    fn cache(&mut self, section: Option<Field<'_>>) -> CacheSettings {
        let fields = self.group(section, CACHE, Owner::Cache);
        let max_age_days =
            fields.get("max_age_days").and_then(|field| field.count(self)).unwrap_or(CACHE_DAYS);
        let directory = fields.get("directory").and_then(|field| {
            let path = field.path(self)?;
            if !path.starts_with(straight(self.request.home)) {
                self.guard(field, Owner::Cache);
            }
            Some(path)
        });
        CacheSettings { directory, max_age_days }
    }

    fn limits(&mut self, section: Option<Field<'_>>) -> Limits {
        let fields = self.group(section, LIMITS, Owner::Limits);
        let absent = Limits::default();
        let mut count = |name| fields.get(name).and_then(|field| field.count(self));
        let max_uploads = count("max_uploads");
        let max_replaces = count("max_replaces").unwrap_or(absent.max_replaces);
        let min_inventory_permille = fields
            .get("min_inventory_ratio")
            .and_then(|field| field.formed(permille, self))
            .unwrap_or(absent.min_inventory_permille);
        Limits { max_uploads, max_replaces, min_inventory_permille }
    }

    fn group<'a>(
        &mut self,
        section: Option<Field<'a>>,
        table: &'static [super::keys::Key],
        owner: Owner<'_>,
    ) -> Fields<'a> {
        section
            .map(|field| Fields::read(field.document, &field.entry.value, table, owner, self))
            .unwrap_or_default()
    }
}
