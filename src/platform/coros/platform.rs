//! COROS' answers to what every platform is asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;

use crate::domain::{Activity, Capabilities, Details, Profile, RemoteId};
use crate::net::{Method, Request, Url};
use crate::platform::unanswered::unread;
use crate::platform::{
    FitFile, ListRequest, Original, Page, Platform, PlatformError, UploadStatus, UploadTicket,
    Uploaded, Window,
};

use super::api::{Api, Call};
use super::import;
use super::listing::{self, Hint};
use super::regions::Region;
use super::spec::SPEC;
use super::types::FileData;

/// Larger than any activity.
const MOST_FILE_BYTES: usize = 256 * 1024 * 1024;
/// FIT among the kinds of files that COROS makes.
const FIT: &str = "4";
/// Between two looks for a file.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);

/// A COROS account.
pub(super) struct Coros {
    api: Api,
    region: &'static Region,
    /// Starts of what was listed: a single activity is looked at in the list of its days.
    starts: Mutex<HashMap<RemoteId, Option<Timestamp>>>,
}

impl Coros {
    pub(super) fn new(api: Api, region: &'static Region) -> Self {
        Self { api, region, starts: Mutex::default() }
    }

    fn note(&self, activities: &[Activity]) {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.extend(activities.iter().map(|row| (row.id.clone(), row.start)));
    }

    fn start_of(&self, id: &RemoteId) -> Option<Timestamp> {
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.get(id).copied().flatten()
    }

    /// An activity as it is listed now.
    async fn listed(&self, id: &RemoteId) -> Result<Activity, PlatformError> {
        number(id)?;
        let rows = match self.start_of(id) {
            Some(start) => listing::around(&self.api, start).await?,
            None => listing::read(&self.api, Window::default(), &HashMap::new()).await?.activities,
        };
        self.note(&rows);
        rows.into_iter().find(|row| row.id == *id).ok_or(PlatformError::NotFound)
    }

    /// Where an activity's file lies; `None` if COROS names no place.
    async fn place(&self, id: &RemoteId, code: &str) -> Result<Option<Url>, PlatformError> {
        let query = vec![
            ("labelId", id.as_str().to_owned()),
            ("sportType", code.to_owned()),
            ("fileType", FIT.to_owned()),
        ];
        let asked = self.api.asked(&Call::post("/activity/detail/download", query)).await;
        let data = match asked {
            Ok(data) => data,
            // How it says that there is none is not known.
            Err(PlatformError::Permanent(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let data: FileData = serde_json::from_value(data).unwrap_or_default();
        let Some(address) = data.file_url.filter(|address| !address.is_empty()) else {
            return Ok(None);
        };
        // Whoever knows the address can read the file, so it is told to nobody.
        let url = Url::parse(&address).map_err(|_| {
            PlatformError::Protocol("COROS names an address that is none".to_owned())
        })?;
        Ok(Some(url))
    }

    /// One look for a file; `None` if there was nothing to see.
    async fn looked(&self, id: &RemoteId, code: &str) -> Result<Option<Vec<u8>>, PlatformError> {
        let Some(url) = self.place(id, code).await? else { return Ok(None) };
        let request = Request::new(Method::GET, url).secret().following().at_most(MOST_FILE_BYTES);
        let answer = self.api.files.send(request).await.map_err(|error| unread(&error))?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            403 | 404 => Ok(None),
            429 => Err(PlatformError::RateLimited { retry_after: None }),
            status => Err(PlatformError::Transient(format!("the file host answered {status}"))),
        }
    }
}

#[async_trait]
impl Platform for Coros {
    fn capabilities(&self) -> Capabilities {
        let upload = self.region.storage.is_some();
        Capabilities { upload, ..SPEC.capabilities }
    }

    async fn whoami(&self) -> Result<Profile, PlatformError> {
        let session = self.api.keeper.session().await?;
        let id = match session.profile {
            Some(id) => id,
            None => self.api.keeper.profile().await?,
        };
        Ok(Profile { id: Some(id), location: None })
    }

    async fn list(&self, request: ListRequest<'_>) -> Result<Page, PlatformError> {
        let page = listing::read(&self.api, request.window, request.known).await?;
        self.note(&page.activities);
        Ok(page)
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        number(&activity.id)?;
        let hint = Hint::of(activity).map(|hint| hint.code.to_string());
        let code = match hint {
            Some(code) => code,
            None => self.code_now(&activity.id).await?,
        };
        if let Some(bytes) = self.looked(&activity.id, &code).await? {
            return Ok(Original { bytes });
        }
        // One look proves nothing: another sport gives no file, an address may be over.
        self.api.clock.sleep(BETWEEN_LOOKS).await;
        let code = self.code_now(&activity.id).await?;
        let bytes = self.looked(&activity.id, &code).await?;
        bytes.map(|bytes| Original { bytes }).ok_or(PlatformError::NotFound)
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        import::upload(&self.api, file).await
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        import::status(&self.api, ticket).await
    }

    async fn delete(&self, id: &RemoteId) -> Result<(), PlatformError> {
        // Answered with success whether or not it was there.
        number(id)?;
        let call = Call::get("/activity/delete", vec![("labelId", id.as_str().to_owned())]);
        self.api.change(&call).await.map(|_| ())
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        let row = self.listed(id).await?;
        Ok(Details { title: row.title, kind: Some(row.kind), ..Details::default() })
    }

    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        number(id)?;
        if details.description.is_some() || details.private == Some(true) {
            return Err(PlatformError::Unsupported);
        }
        let Some(title) = &details.title else { return Ok(()) };
        let body = json!({ "type": 1, "labelId": id.as_str(), "name": title });
        self.api.change(&Call::json("/activity/update", body)).await.map(|_| ())
    }
}

impl Coros {
    /// The sport that COROS lists for an activity now.
    async fn code_now(&self, id: &RemoteId) -> Result<String, PlatformError> {
        let row = self.listed(id).await?;
        let code = row.hint.as_deref().and_then(|hint| hint.split(' ').next());
        Ok(code.unwrap_or_default().to_owned())
    }
}

/// An id of COROS', which stands in addresses.
fn number(id: &RemoteId) -> Result<u64, PlatformError> {
    id.as_str().parse().map_err(|_| PlatformError::NotFound)
}
