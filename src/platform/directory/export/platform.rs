//! The export's answers to what every platform is asked.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::domain::{Activity, Capabilities, Coverage, Details, Profile, RemoteId, title_of_stem};
use crate::platform::{
    FitFile, ListRequest, Opening, Original, Page, Platform, PlatformError, UploadStatus,
    UploadTicket, Uploaded,
};

use super::super::path;
use super::super::read::{self, Unread};
use super::super::scan::{self, Stamp};
use super::super::spec::SPEC;
use super::super::{cores, write};
use super::bounds::BOUNDS;
use super::medium::Medium;
use super::reading;
use super::warm::{self, Place};
use super::zip::Zip;

/// Inner zips that are kept open: activities follow each other by time, not by zip.
const MAX_OPEN: usize = 8;

/// A zip of FIT files, which is only read.
#[derive(Clone)]
pub struct Export {
    path: PathBuf,
    opening: Opening,
    seen: Arc<Mutex<Seen>>,
}

/// What earlier calls have found.
#[derive(Default)]
struct Seen {
    places: HashMap<RemoteId, Place>,
    /// The zip as it was when it was opened.
    opened: Option<(Stamp, Zip)>,
    /// Inner zips of it, the latest last.
    inner: Vec<(usize, Zip)>,
}

impl Export {
    /// The zip at this path, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>, opening: Opening) -> Self {
        Self { path: path.into(), opening, seen: Arc::default() }
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

    fn stamp(&self) -> Result<Stamp, PlatformError> {
        let metadata = fs::metadata(&self.path).map_err(|error| missing(&error))?;
        if metadata.is_dir() {
            let what = "its path ends in .zip, as account exports do, but it is a folder";
            return Err(PlatformError::Permanent(what.to_owned()));
        }
        Ok(Stamp::of(&metadata))
    }

    /// The zip as it is now; opened at most once while it stays the same.
    fn zip(&self, seen: &mut Seen) -> Result<(Stamp, Zip), PlatformError> {
        let stamp = self.stamp()?;
        if let Some((opened, zip)) = seen.opened.as_ref().filter(|(opened, _)| *opened == stamp) {
            return Ok((*opened, zip.clone()));
        }
        let file = File::open(&self.path).map_err(|error| missing(&error))?;
        let stamp = Stamp::of(&file.metadata().map_err(|error| missing(&error))?);
        let medium = Medium::whole(file).map_err(|error| missing(&error))?;
        let zip = Zip::open(medium, BOUNDS).map_err(|why| match why {
            Unread::Io(error) => missing(&error),
            Unread::Defect(what) => {
                PlatformError::Permanent(format!("the export cannot be used: {what}"))
            }
        })?;
        *seen = Seen { opened: Some((stamp, zip.clone())), ..Seen::default() };
        Ok((stamp, zip))
    }

    fn listing(&self, known: &HashMap<RemoteId, Activity>) -> Result<Page, PlatformError> {
        let stamp = self.stamp()?;
        if warm::is_all(known, stamp) {
            let mut activities: Vec<Activity> = known.values().cloned().collect();
            scan::newest_first(&mut activities);
            let total = u64::try_from(activities.len()).ok();
            let read = Coverage::Whole;
            return Ok(Page { total, activities, complete: true, read, ..Page::default() });
        }
        let (stamp, zip) = self.zip(&mut self.seen())?;
        let reading = reading::read(&zip, BOUNDS, cores::count());
        let keeps = reading.lasting && stamp.is_settled(self.opening.clock.now());
        let total = reading.rows.len();
        let mut places = HashMap::with_capacity(total);
        let mut activities = Vec::with_capacity(total);
        for (mut row, place) in reading.rows {
            row.hint = keeps.then(|| warm::hint(stamp, total, place));
            places.insert(row.id.clone(), place);
            activities.push(row);
        }
        self.seen().places = places;
        scan::newest_first(&mut activities);
        Ok(Page {
            total: u64::try_from(total).ok(),
            activities,
            next: None,
            complete: reading.complete,
            read: Coverage::Whole,
            notes: reading.notes,
        })
    }

    fn bytes(&self, id: &RemoteId, hint: Option<&str>) -> Result<Vec<u8>, PlatformError> {
        let (zip, index) = {
            let mut seen = self.seen();
            let (stamp, outer) = self.zip(&mut seen)?;
            let place = seen.places.get(id).copied();
            let place = place.or_else(|| warm::place(hint?, stamp)).ok_or_else(changed)?;
            match place.inner {
                None => (outer, place.outer),
                Some(index) => (seen.inner(&outer, place.outer).map_err(|why| of(id, why))?, index),
            }
        };
        zip.activity(index).map_err(|why| of(id, why))
    }
}

impl Seen {
    fn inner(&mut self, outer: &Zip, index: usize) -> Result<Zip, Unread> {
        let open = match self.inner.iter().position(|(at, _)| *at == index) {
            Some(position) => self.inner.remove(position),
            None => (index, outer.inner(index)?.0),
        };
        if self.inner.len() >= MAX_OPEN {
            self.inner.remove(0);
        }
        let zip = open.1.clone();
        self.inner.push(open);
        Ok(zip)
    }
}

fn missing(error: &io::Error) -> PlatformError {
    if error.kind() == io::ErrorKind::NotFound {
        let what = "the export is not there (is its disk mounted?)";
        return PlatformError::Transient(what.to_owned());
    }
    write::fault(format!("the export cannot be read: {error}"), error)
}

fn of(id: &RemoteId, why: Unread) -> PlatformError {
    match why {
        Unread::Io(error) => missing(&error),
        Unread::Defect(what) => PlatformError::Permanent(format!("{id}: {what}")),
    }
}

fn changed() -> PlatformError {
    PlatformError::Transient("the export has changed since it was listed".to_owned())
}

#[async_trait]
impl Platform for Export {
    fn capabilities(&self) -> Capabilities {
        Capabilities { upload: false, delete: false, ..SPEC.capabilities }
    }

    /// An export has no id of its own; it is known by its place.
    async fn whoami(&self) -> Result<Profile, PlatformError> {
        self.blocking(|this| {
            let location = path::resolved(&this.path).to_string_lossy().into_owned();
            Ok(Profile { id: None, location: Some(location) })
        })
        .await
    }

    async fn prepare(&self) -> Result<Profile, PlatformError> {
        Err(PlatformError::Unsupported)
    }

    /// Lists the whole export whatever the window.
    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        let known = request.known.clone();
        self.blocking(move |this| this.listing(&known)).await
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        let (id, hint) = (activity.id.clone(), activity.hint.clone());
        self.blocking(move |this| {
            let bytes = this.bytes(&id, hint.as_deref())?;
            Ok(Original { bytes })
        })
        .await
    }

    async fn upload(&self, _: &FitFile) -> Result<Uploaded, PlatformError> {
        Err(PlatformError::Unsupported)
    }

    async fn upload_status(&self, _: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        Err(PlatformError::Unsupported)
    }

    async fn delete(&self, _: &Activity) -> Result<(), PlatformError> {
        Err(PlatformError::Unsupported)
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        let id = id.clone();
        self.blocking(move |this| {
            let kind = read::kind(&this.bytes(&id, None)?);
            let title = title_of_stem(path::stem(&id), &kind);
            Ok(Details { title, kind: Some(kind), ..Details::default() })
        })
        .await
    }

    async fn set_details(&self, _: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        if *details == Details::default() { Ok(()) } else { Err(PlatformError::Unsupported) }
    }
}
