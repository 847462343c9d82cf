//! The FIT cache: originals that were fetched once, so that no file is fetched twice.
//!
//! For people it is a tree to browse, `fit/<account>/<activity_type>/<YYYY>/<name>.fit`. Beside it
//! stands the index, one small file per activity, `index/<owner>/<id hashed>.json`: which fingerprint
//! the activity had and which hash its bytes. It is files and no table of the state, because it is
//! true only beside the files that it tells about: the cache can be moved, copied or deleted as a
//! whole, and several processes add to it without a lock. What the index does not vouch for is never
//! given out and never removed. A lost entry costs one download, after which the file of that name
//! is taken over, since it holds the same bytes. Nothing waits for the disk: what a power cut spoils
//! no longer fits its hash, and is fetched again.
//!
//! Knows no platform and no state; who may be dropped is handed in.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountName, Activity, FileName, Fingerprint, Profile, ProfileId, RemoteId, Sha256,
};

use super::disk::{self, Access, Care};
use super::place::place;

/// The folder of the cache.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

/// An activity of an account, as a file is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// What the manifest calls the account.
    pub account: &'a AccountName,
    /// Whose it is.
    pub profile: &'a Profile,
    /// As it is listed.
    pub activity: &'a Activity,
}

/// What the index tells about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What the manifest called the account.
    pub account: AccountName,
    /// Whose it is; null for a folder without a marker.
    pub profile: Option<ProfileId>,
    /// The activity's id there.
    pub id: RemoteId,
    /// What the activity was like when its file was fetched.
    pub fingerprint: Fingerprint,
    /// Hash of the bytes.
    pub sha256: Sha256,
    /// Size in bytes.
    pub bytes: u64,
    /// Below `fit/`, `/`-separated.
    pub path: String,
}

/// A file of the cache that holds what it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cached {
    /// Where it stands.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// What was removed, and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files removed.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files kept because they are needed.
    pub kept: usize,
}

impl Cache {
    /// The cache in this folder, which is made when the first file is kept.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The file of an activity, if it is here, as it was fetched and still the listed one. A damaged
    /// file is dropped.
    pub fn get(&self, item: Item<'_>) -> Option<Cached> {
        let place = self.place(item);
        let entry = read(&place)?;
        if entry.fingerprint != item.activity.fingerprint {
            return None;
        }
        let path = self.file(&entry)?;
        match fs::read(&path) {
            Ok(bytes) if Sha256::of(&bytes) == entry.sha256 => Some(Cached { path, bytes }),
            Ok(_) => {
                self.discard(&place, &entry);
                None
            }
            Err(_) => None,
        }
    }

    /// Keeps the verified bytes of an activity, in place of those of an earlier fingerprint, and says
    /// where.
    ///
    /// # Errors
    /// If they are not surely on the disk.
    pub fn put(&self, item: Item<'_>, bytes: &[u8], now: Timestamp) -> io::Result<PathBuf> {
        if let Some(known) = self.get(item).filter(|known| known.bytes == bytes) {
            return Ok(known.path);
        }
        let place = self.place(item);
        let before = read(&place);
        let (path, relative) = self.store(item, bytes)?;
        let entry = Entry {
            account: item.account.clone(),
            profile: item.profile.id.clone(),
            id: item.activity.id.clone(),
            fingerprint: item.activity.fingerprint.clone(),
            sha256: Sha256::of(bytes),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            path: relative,
        };
        disk::create_private_dir(folder_of(&place))?;
        let text = serde_json::to_vec(&entry).map_err(io::Error::other)?;
        disk::replace(&place, &text, Access::Private, Some(now), Care::Quick)?;
        if let Some(before) = before.filter(|before| before.path != entry.path) {
            self.remove_file(&before);
        }
        Ok(path)
    }

    /// Drops what was fetched before a time and is not needed.
    pub fn prune(&self, before: Timestamp, needed: impl Fn(&Entry) -> bool) -> Swept {
        let is_old = |place: &Path| fetched_at(place).is_some_and(|at| at < before);
        self.sweep(|place| if is_old(place) { read(place) } else { None }, needed)
    }

    /// Drops everything that is chosen and not needed. What the index does not know stays.
    pub fn clear(&self, chosen: impl Fn(&Entry) -> bool, needed: impl Fn(&Entry) -> bool) -> Swept {
        self.sweep(|place| read(place).filter(&chosen), needed)
    }

    /// Every file that the index knows, in order of account and path.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> =
            self.places().iter().filter_map(|place| read(place)).collect();
        entries.sort_by(|a, b| (&a.account, &a.path).cmp(&(&b.account, &b.path)));
        entries
    }

    fn sweep(
        &self,
        chosen: impl Fn(&Path) -> Option<Entry>,
        needed: impl Fn(&Entry) -> bool,
    ) -> Swept {
        let mut swept = Swept::default();
        for place in self.places() {
            let Some(entry) = chosen(&place) else { continue };
            if needed(&entry) {
                swept.kept += 1;
            } else if self.discard(&place, &entry) {
                swept.files += 1;
                swept.bytes += entry.bytes;
            }
        }
        swept
    }

    /// Where the index tells about an activity.
    fn place(&self, item: Item<'_>) -> PathBuf {
        let id = hashed(item.activity.id.as_str());
        self.index().join(owner(item.profile)).join(format!("{id}.json"))
    }

    /// Every place of the index.
    fn places(&self) -> Vec<PathBuf> {
        let within = |folder: &Path| {
            let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            entries.map(|entry| entry.path()).collect::<BTreeSet<PathBuf>>()
        };
        let files = within(&self.index()).into_iter().flat_map(|owner| within(&owner));
        files.filter(|file| file.extension().is_some_and(|extension| extension == "json")).collect()
    }

    fn index(&self) -> PathBuf {
        self.folder.join("index")
    }

    /// Where an entry's file stands; `None` for a path that leads out of the cache.
    fn file(&self, entry: &Entry) -> Option<PathBuf> {
        let relative = Path::new(&entry.path);
        let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
        (inside && !entry.path.is_empty()).then(|| self.folder.join("fit").join(relative))
    }

    /// Places bytes under a name that is free or holds the same already.
    fn store(&self, item: Item<'_>, bytes: &[u8]) -> io::Result<(PathBuf, String)> {
        let activity = item.activity;
        let name = FileName::of(activity.start, &activity.kind, activity.title.as_deref());
        let below = format!("{}/{}", component(item.account.as_str()), name.folder());
        disk::create_private_dir(&self.folder.join("fit"))?;
        let folder = self.folder.join("fit").join(&below);
        disk::create_private_dir(&folder)?;
        let (path, _) = place(&folder, &name, bytes, Access::Private, activity.start, Care::Quick)?;
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let relative = format!("{below}/{own}");
        Ok((path, relative))
    }

    /// Removes an entry and its file; says whether the file was there.
    fn discard(&self, place: &Path, entry: &Entry) -> bool {
        let removed = self.remove_file(entry);
        // Without its file an entry is harmless.
        let _ = fs::remove_file(place);
        let _ = fs::remove_dir(folder_of(place));
        removed
    }

    /// Removes a file, and the folders that are empty without it.
    fn remove_file(&self, entry: &Entry) -> bool {
        let Some(path) = self.file(entry) else { return false };
        let removed = fs::remove_file(&path).is_ok();
        let top = self.folder.join("fit");
        let above = path.ancestors().skip(1).take_while(|folder| **folder != top);
        for folder in above {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        removed
    }
}

fn folder_of(place: &Path) -> &Path {
    place.parent().unwrap_or(place)
}

fn read(place: &Path) -> Option<Entry> {
    serde_json::from_slice(&fs::read(place).ok()?).ok()
}

/// When an entry was written, by the clock of the run that wrote it.
fn fetched_at(place: &Path) -> Option<Timestamp> {
    Timestamp::try_from(fs::metadata(place).ok()?.modified().ok()?).ok()
}

/// The folder of an account's entries.
fn owner(profile: &Profile) -> String {
    let id = profile.id.as_ref().map(ProfileId::as_str);
    match id.filter(|id| id.chars().all(|c| c.is_ascii_alphanumeric()) && !id.is_empty()) {
        Some(id) => id.to_owned(),
        None => hashed(&format!("{id:?}|{:?}", profile.location)),
    }
}

fn hashed(text: &str) -> String {
    Sha256::of(text.as_bytes()).as_str().chars().take(32).collect()
}

/// An account's name as one harmless component of a path.
fn component(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || "_-".contains(c) { c } else { '_' })
        .collect();
    if safe.is_empty() { "account".to_owned() } else { safe }
}
