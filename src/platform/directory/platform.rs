//! The directory's answers to what every platform is asked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::{
    Activity, Capabilities, Coverage, Details, FileName, Profile, ProfileId, RemoteId,
    title_of_stem,
};
use crate::platform::{
    FitFile, ListRequest, Opening, Original, Page, Platform, PlatformError, UploadStatus,
    UploadTicket, Uploaded,
};

use super::path::{self, Packing};
use super::read::{self, FileRow, Unread};
use super::scan::{self, Found, Stamp};
use super::spec::SPEC;
use super::write::{self, Placed};
use super::{cores, marker, remove};

/// Files of one name that a folder may hold; far more than two devices can record in one second.
const MAX_OF_A_NAME: usize = 1000;

/// A folder of FIT files.
#[derive(Clone)]
pub struct Directory {
    root: PathBuf,
    opening: Opening,
    seen: Arc<Mutex<Seen>>,
}

/// What earlier calls have found.
#[derive(Default)]
struct Seen {
    /// Where the ids of the last listing stand.
    paths: HashMap<RemoteId, PathBuf>,
    /// The marker's id.
    profile: Option<ProfileId>,
}

impl Directory {
    /// The folder at this path, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>, opening: Opening) -> Self {
        Self { root: root.into(), opening, seen: Arc::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does file work on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, PlatformError> + Send + 'static,
    ) -> Result<T, PlatformError> {
        let this = self.clone();
        cores::blocking(move || work(&this)).await
    }

    fn profile(&self) -> Result<Profile, PlatformError> {
        let id = marker::read(&self.root)?;
        if id.is_some() {
            self.seen().profile.clone_from(&id);
        }
        Ok(Profile {
            id,
            location: Some(path::resolved(&self.root).to_string_lossy().into_owned()),
        })
    }

    /// Returns the marker's id; an error if the marker was there and is not any more.
    fn same_marker(&self) -> Result<Option<ProfileId>, PlatformError> {
        let before = self.seen().profile.clone();
        let now = marker::read(&self.root)?;
        if before.is_some() && before != now {
            return Err(PlatformError::Transient(format!(
                "the folder's marker {} has gone or changed (is the disk still mounted?)",
                marker::NAME
            )));
        }
        Ok(now)
    }

    /// Makes folder and marker, unless the marker was there and is not any more.
    fn claim(&self) -> Result<(), PlatformError> {
        if self.same_marker()?.is_none() {
            write::create_folders(&self.root, "")?;
            let id = marker::read_or_create(&self.root, (self.opening.random)())?;
            self.seen().profile = Some(id);
        }
        Ok(())
    }

    /// Lists the folder; `None` if something vanished meanwhile.
    fn listing(&self, known: &HashMap<RemoteId, Activity>) -> Result<Option<Page>, PlatformError> {
        let mut tree = scan::walk(&self.root, self.opening.clock.now())?;
        let rows = scan::rows(&tree.files, known, cores::count());
        if tree.vanished || rows.vanished {
            return Ok(None);
        }
        self.seen().paths = tree.files.into_iter().map(|found| (found.id, found.path)).collect();
        tree.notes.extend(rows.unopened);
        Ok(Some(Page {
            total: u64::try_from(rows.activities.len()).ok(),
            activities: rows.activities,
            next: None,
            complete: tree.complete,
            read: Coverage::Whole,
            notes: tree.notes,
        }))
    }

    /// Reads one file as it is now.
    fn look(&self, id: &RemoteId) -> Result<Option<Activity>, PlatformError> {
        self.same_marker()?;
        let path = match self.locate(id) {
            Ok(path) => path,
            Err(PlatformError::NotFound) if self.root.is_dir() => return Ok(None),
            Err(PlatformError::NotFound) => return Err(gone()),
            Err(error) => return Err(error),
        };
        let metadata = path.metadata().map_err(|error| write::failed(&path, &error))?;
        let stamp = Stamp::of(&metadata);
        let settled = stamp.is_settled(self.opening.clock.now());
        let packing = packing_of(&path);
        match read::row(&Found { id: id.clone(), path, packing, stamp, settled }) {
            FileRow::Read(row) => Ok(Some(row)),
            FileRow::Unopened(_, reason) => {
                Err(PlatformError::Transient(format!("{id}: {reason}")))
            }
            FileRow::Vanished => Err(vanished()),
        }
    }

    fn remove(&self, activity: &Activity) -> Result<(), PlatformError> {
        let path = self.locate(&activity.id)?;
        let Some(sha256) = &activity.sha256 else {
            let message = format!("{}: which bytes are meant is not known", activity.id);
            return Err(PlatformError::Permanent(message));
        };
        remove::remove(&path, packing_of(&path), sha256, (self.opening.random)())
    }

    /// Where an activity's file stands: as last listed, as its id says, or as a new walk shows.
    fn locate(&self, id: &RemoteId) -> Result<PathBuf, PlatformError> {
        let listed = self.seen().paths.get(id).cloned();
        let named = listed.into_iter().chain(path::below(&self.root, id));
        if let Some(path) = named.into_iter().find(|path| path.is_file()) {
            return Ok(path);
        }
        let tree = scan::walk(&self.root, Timestamp::UNIX_EPOCH)?;
        match tree.files.into_iter().find(|found| found.id == *id) {
            Some(found) => Ok(found.path),
            None if tree.complete && !tree.vanished => Err(PlatformError::NotFound),
            None => Err(PlatformError::Transient("a part of the folder cannot be read".to_owned())),
        }
    }

    fn bytes(&self, id: &RemoteId) -> Result<Vec<u8>, PlatformError> {
        let path = self.locate(id)?;
        read::bytes(&path, packing_of(&path)).map_err(|unread| match unread {
            Unread::Io(error) => write::failed(&path, &error),
            Unread::Defect(detail) => PlatformError::Permanent(format!("{id}: {detail}")),
        })
    }

    fn add(&self, file: &FitFile) -> Result<RemoteId, PlatformError> {
        self.claim()?;
        let name = FileName::of(Some(file.key.start), &file.kind, file.title.as_deref());
        write::create_folders(&self.root, name.folder())?;
        let folder = self.root.join(name.folder());
        let mut temporary = write::temporary(&folder, (self.opening.random)(), &file.bytes)?;
        for ordinal in 1..=MAX_OF_A_NAME {
            let name_here = name.nth(ordinal);
            let target = folder.join(&name_here);
            let id = RemoteId::new(format!("{}/{name_here}", name.folder()));
            match write::place(temporary, &target)? {
                Placed::Done => {
                    self.seen().paths.insert(id.clone(), target);
                    return Ok(id);
                }
                Placed::Taken(unplaced) => temporary = unplaced,
            }
            if read::bytes(&target, Packing::Plain).is_ok_and(|bytes| bytes == file.bytes) {
                return Err(PlatformError::Duplicate { existing: Some(id) });
            }
        }
        Err(PlatformError::Permanent(format!(
            "{} has {MAX_OF_A_NAME} files named {}",
            name.folder(),
            name.nth(1)
        )))
    }
}

/// Lists once more where something vanished meanwhile.
fn twice(list: impl Fn() -> Result<Option<Page>, PlatformError>) -> Result<Page, PlatformError> {
    match list()? {
        Some(page) => Ok(page),
        None => list()?.ok_or_else(vanished),
    }
}

fn vanished() -> PlatformError {
    PlatformError::Transient("files vanish while they are listed".to_owned())
}

fn gone() -> PlatformError {
    PlatformError::Transient("the folder has gone (is the disk still mounted?)".to_owned())
}

fn packing_of(path: &Path) -> Packing {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.and_then(|name| path::packing(&name)).unwrap_or(Packing::Plain)
}

#[async_trait]
impl Platform for Directory {
    fn capabilities(&self) -> Capabilities {
        SPEC.capabilities
    }

    /// A folder that is missing has no id, like one that was never a destination.
    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.blocking(Self::profile).await
    }

    async fn prepare(&self) -> Result<Profile, PlatformError> {
        self.blocking(|this| {
            this.claim()?;
            this.profile()
        })
        .await
    }

    async fn tidy(&self) {
        // It never fails.
        let _ = self
            .blocking(|this| {
                remove::remove_leftovers(&this.root, this.opening.clock.now());
                Ok(())
            })
            .await;
    }

    /// Lists the whole folder whatever the window: which files lie in it only reading tells.
    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        let known = request.known.clone();
        self.blocking(move |this| twice(|| this.listing(&known))).await
    }

    /// Opens and reads the one file, whatever is known.
    async fn look(
        &self,
        activity: &Activity,
        _: &HashMap<RemoteId, Activity>,
    ) -> Result<Option<Activity>, PlatformError> {
        let id = activity.id.clone();
        self.blocking(move |this| this.look(&id)).await
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        let id = activity.id.clone();
        self.blocking(move |this| this.bytes(&id).map(|bytes| Original { bytes })).await
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        let file = file.clone();
        self.blocking(move |this| match this.add(&file) {
            // The folder was there a moment ago.
            Err(PlatformError::NotFound) => Err(gone()),
            result => result.map(Uploaded::Stored),
        })
        .await
    }

    async fn upload_status(&self, _: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        Err(PlatformError::Unsupported)
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        let activity = activity.clone();
        self.blocking(move |this| this.remove(&activity)).await
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        let id = id.clone();
        self.blocking(move |this| {
            let kind = read::kind(&this.bytes(&id)?);
            Ok(Details {
                title: title_of_stem(path::stem(&id), &kind),
                kind: Some(kind),
                ..Details::default()
            })
        })
        .await
    }

    async fn set_details(&self, _: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        if *details == Details::default() { Ok(()) } else { Err(PlatformError::Unsupported) }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn where_files_vanish_it_is_listed_once_more_and_then_not_available() {
        for (vanishing, listed, is_listed) in [(0, 1, true), (1, 2, true), (2, 2, false)] {
            let times = Cell::new(0);
            let page = twice(|| {
                times.set(times.get() + 1);
                Ok((times.get() > vanishing).then(Page::default))
            });
            assert_eq!((times.get(), page.is_ok()), (listed, is_listed));
            assert!(is_listed || matches!(page, Err(PlatformError::Transient(_))));
        }
    }
}
