//! Fills the cache from files that are at hand already, such as an account's export, so that a first
//! migration need not download what is here.
//!
//! A file is taken for an activity's original only where nothing else could be meant: one file and
//! one activity that begin in the same second and last as long. The rest is told, not guessed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::{AccountName, Activity, RemoteId, Unusable};
use crate::event::Event;
use crate::fit;
use crate::manifest::Account;
use crate::platform::{self, ListRequest, Platform, Window};

use super::accounts::OpenAccount;
use super::cause::obstacle;
use super::error::EngineError;
use super::listing::{Freshness, Listing, Unlisted, listing};
use super::originals;
use super::session::Session;

/// What an import has done.
#[derive(Debug, Default)]
pub struct Imported {
    /// Files that are in the cache now, by their paths, in the order of their starts.
    pub taken: Vec<RemoteId>,
    /// Files that were in the cache before.
    pub there: usize,
    /// Files that were not taken.
    pub left: Vec<NotTaken>,
    /// Activities of the account whose files are still to be fetched when they are needed.
    pub lacking: Vec<Activity>,
    /// Activities of the account.
    pub listed: usize,
    /// What else was found.
    pub notes: Vec<String>,
}

/// A file that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// Its path.
    pub file: RemoteId,
    /// When it begins, where it tells.
    pub start: Option<Timestamp>,
    /// Why.
    pub why: String,
}

/// Takes the files in a folder or a zip into the cache of an account of the manifest.
///
/// # Errors
/// If the account or the files cannot be read.
pub async fn import(
    session: &Session,
    account: &Account,
    path: &Path,
) -> Result<Imported, EngineError> {
    let Listing { account: open, inventory } =
        listing(session, account, Freshness::Young).await?.map_err(|unlisted| {
            let Unlisted { account, reason, message: why } = unlisted;
            EngineError::Unread { account, why, reason }
        })?;
    let files = files_at(session, path)?;
    let known = HashMap::new();
    let request = ListRequest { window: Window::default(), page: None, known: &known };
    let page = files.list(request).await.map_err(|error| unread(&account.name, &error))?;
    let mut imported = Imported {
        listed: inventory.activities.len(),
        notes: page.notes.iter().map(ToString::to_string).collect(),
        ..Imported::default()
    };
    let mut starts: BTreeMap<Timestamp, Vec<Activity>> = BTreeMap::new();
    for file in page.activities {
        match (file.unusable.as_ref(), file.start) {
            (None, Some(start)) => starts.entry(start).or_default().push(file),
            (why, _) => imported.leave(&file, why.map_or("tells no time", words)),
        }
    }
    let mut begin: HashMap<Option<Timestamp>, Vec<&Activity>> = HashMap::new();
    for row in &inventory.activities {
        begin.entry(row.start).or_default().push(row);
    }
    let mut importer = Importer { session, open: &open, files: files.as_ref(), imported };
    let of = starts.len();
    for (done, (start, files)) in starts.into_iter().enumerate() {
        session.emit(Event::Comparing { done, of });
        let activities = begin.get(&Some(start)).map_or(&[][..], Vec::as_slice);
        importer.take(files, activities).await?;
    }
    let mut imported = importer.imported;
    let lacks = |row: &&Activity| {
        row.unusable.is_none() && originals::cached(session, &open, row).is_none()
    };
    imported.lacking = inventory.activities.iter().filter(lacks).cloned().collect();
    imported.left.sort_by(|a, b| (a.start, &a.file).cmp(&(b.start, &b.file)));
    Ok(imported)
}

/// The files as an account of their own, which is only read.
fn files_at(session: &Session, path: &Path) -> Result<Arc<dyn Platform>, EngineError> {
    let account = Account::directory(AccountName::new("files"), path);
    platform::open(&account, &session.opening).map_err(|error| {
        let error = std::io::Error::other(error.to_string());
        EngineError::File { what: path.display().to_string(), error }
    })
}

fn unread(account: &AccountName, error: &platform::PlatformError) -> EngineError {
    let (_, why) = obstacle(error);
    EngineError::CannotImport { account: account.clone(), problem: why }
}

struct Importer<'a> {
    session: &'a Session,
    open: &'a OpenAccount,
    files: &'a dyn Platform,
    imported: Imported,
}

impl Importer<'_> {
    /// Takes the files that begin in one second.
    async fn take(
        &mut self,
        files: Vec<Activity>,
        activities: &[&Activity],
    ) -> Result<(), EngineError> {
        let files = self.without_twins(files);
        match (files.as_slice(), activities) {
            (_, []) => {
                let why = format!("{} has no activity that begins then", self.open.name);
                self.leave_all(&files, &why);
            }
            (_, [_, _, ..]) => {
                let why = format!("{} has several activities that begin then", self.open.name);
                self.leave_all(&files, &why);
            }
            ([file], [activity]) => self.take_one(file, activity).await?,
            (_, [_]) => self.leave_all(&files, "several files begin then, and they differ"),
        }
        Ok(())
    }

    /// One file of each content.
    fn without_twins(&mut self, files: Vec<Activity>) -> Vec<Activity> {
        let mut kept: Vec<Activity> = Vec::new();
        for file in files {
            match kept.iter().find(|other| other.sha256.is_some() && other.sha256 == file.sha256) {
                Some(twin) => {
                    let why = format!("holds the same bytes as {}", twin.id);
                    self.imported.leave(&file, &why);
                }
                None => kept.push(file),
            }
        }
        kept
    }

    async fn take_one(&mut self, file: &Activity, activity: &Activity) -> Result<(), EngineError> {
        if let Some(unusable) = &activity.unusable {
            let why = format!("{} lists it as one that {}", self.open.name, words(unusable));
            self.imported.leave(file, &why);
            return Ok(());
        }
        let bytes = match self.files.download(file).await {
            Ok(original) => original.bytes,
            Err(error) => {
                self.imported.leave(file, &error.to_string());
                return Ok(());
            }
        };
        let fits = fit::read(&bytes)
            .is_ok_and(|content| originals::fit_the_listing(activity, &bytes, &content));
        if !fits {
            let why = format!("{} lists another length for it", self.open.name);
            self.imported.leave(file, &why);
            return Ok(());
        }
        match originals::cached(self.session, self.open, activity) {
            Some(cached) if cached == bytes => self.imported.there += 1,
            Some(_) => self.imported.leave(file, "the cache holds another file of it"),
            None => {
                let put = originals::put(self.session, self.open, activity, &bytes);
                put.map_err(|error| EngineError::File { what: "the cache".to_owned(), error })?;
                self.imported.taken.push(file.id.clone());
            }
        }
        Ok(())
    }

    fn leave_all(&mut self, files: &[Activity], why: &str) {
        for file in files {
            self.imported.leave(file, why);
        }
    }
}

impl Imported {
    fn leave(&mut self, file: &Activity, why: &str) {
        self.left.push(NotTaken { file: file.id.clone(), start: file.start, why: why.to_owned() });
    }
}

fn words(unusable: &Unusable) -> &str {
    match unusable {
        Unusable::NoOriginal => "has no original",
        Unusable::Unreadable { detail }
        | Unusable::Unopened { detail }
        | Unusable::NotAnActivity { detail } => detail,
        Unusable::ClockNotSet => "does not know its time",
        Unusable::SeveralActivities => "holds several activities one after another",
    }
}
