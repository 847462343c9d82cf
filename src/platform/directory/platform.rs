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
use super::read::{self, Unread};
use super::spec::SPEC;
use super::write::{self, Placed};
use super::{cores, marker, scan};

/// Files of one name that a folder may hold; far more than two devices can record in one second.
const MOST_OF_A_NAME: usize = 1000;

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

    /// Makes folder and marker, unless the marker was there and is not any more.
    fn claim(&self) -> Result<(), PlatformError> {
        let before = self.seen().profile.clone();
        let now = marker::read(&self.root)?;
        if before.is_some() && before != now {
            return Err(PlatformError::Transient(format!(
                "the folder's marker {} has gone or changed (is the disk still mounted?)",
                marker::NAME
            )));
        }
        if now.is_none() {
            write::create_folders(&self.root, "")?;
            let id = marker::read_or_create(&self.root, (self.opening.random)())?;
            self.seen().profile = Some(id);
        }
        Ok(())
    }

    fn listing(&self, known: &HashMap<RemoteId, Activity>) -> Result<Page, PlatformError> {
        let tree = scan::walk(&self.root, self.opening.clock.now())?;
        let activities = scan::rows(&tree.files, known, cores::count());
        self.seen().paths = tree.files.into_iter().map(|found| (found.id, found.path)).collect();
        Ok(Page {
            total: u64::try_from(activities.len()).ok(),
            activities,
            next: None,
            complete: tree.complete,
            read: Coverage::Whole,
            notes: tree.notes,
        })
    }

    /// Where an activity's file stands: as last listed, as its id says, or as a new walk shows.
    fn locate(&self, id: &RemoteId) -> Result<PathBuf, PlatformError> {
        let listed = self.seen().paths.get(id).cloned();
        let named = listed.into_iter().chain(path::below(&self.root, id));
        if let Some(path) = named.into_iter().find(|path| path.is_file()) {
            return Ok(path);
        }
        scan::walk(&self.root, Timestamp::UNIX_EPOCH)?
            .files
            .into_iter()
            .find(|found| found.id == *id)
            .map(|found| found.path)
            .ok_or(PlatformError::NotFound)
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
        for ordinal in 1..=MOST_OF_A_NAME {
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
            "{} has {MOST_OF_A_NAME} files named {}",
            name.folder(),
            name.nth(1)
        )))
    }
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
                write::remove_leftovers(&this.root);
                Ok(())
            })
            .await;
    }

    /// Lists the whole folder whatever the window: which files lie in it only reading tells.
    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        let known = request.known.clone();
        self.blocking(move |this| this.listing(&known)).await
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        let id = activity.id.clone();
        self.blocking(move |this| this.bytes(&id).map(|bytes| Original { bytes })).await
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        let file = file.clone();
        self.blocking(move |this| match this.add(&file) {
            // The folder was there a moment ago.
            Err(PlatformError::NotFound) => Err(PlatformError::Transient(
                "the folder has gone (is the disk still mounted?)".to_owned(),
            )),
            result => result.map(Uploaded::Stored),
        })
        .await
    }

    async fn upload_status(&self, _: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        Err(PlatformError::Unsupported)
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        let id = activity.id.clone();
        self.blocking(move |this| write::remove(&this.locate(&id)?)).await
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
