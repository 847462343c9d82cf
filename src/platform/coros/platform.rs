//! COROS' answers to what every platform is asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::OnceCell;

use crate::cancellation::Cancelled;
use crate::domain::{Activity, Capabilities, Details, Profile, RemoteId};
use crate::net::{Method, Request, Url, retry_after};
use crate::platform::http;
use crate::platform::{
    FitFile, ListRequest, Original, Page, Platform, PlatformError, UploadStatus, UploadTicket,
    Uploaded, Urgency,
};

use super::api::{Api, Call};
use super::import;
use super::listing;
use super::regions::Region;
use super::spec::SPEC;
use super::types::{FileData, Import};

/// Larger than any activity.
const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;
/// FIT among the kinds of files that COROS makes.
const FIT: &str = "4";
/// Between two looks for a file, or for what is to be gone.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3);
/// Looks whether what was removed is gone.
const LOOKS: u32 = 4;

/// What a look for a file comes to.
enum Look {
    Found(Vec<u8>),
    /// No address, or no file there.
    Nothing,
    /// An address that is over, or that is not for this network.
    Closed,
}

/// A COROS account.
pub(super) struct Coros {
    api: Api,
    region: &'static Region,
    /// Starts of what was listed: a single activity is looked at in the list of its days.
    starts: Mutex<HashMap<RemoteId, Option<Timestamp>>>,
    /// What it had been given when that was first asked.
    imports: OnceCell<Vec<Import>>,
}

impl Coros {
    pub(super) fn new(api: Api, region: &'static Region) -> Self {
        Self { api, region, starts: Mutex::default(), imports: OnceCell::new() }
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
            None => listing::all(&self.api).await?,
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
            Err(PlatformError::Permanent(_) | PlatformError::NotFound) => return Ok(None),
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

    /// One patient look for a file.
    async fn looked(&self, id: &RemoteId, code: &str) -> Result<Look, PlatformError> {
        let look = self.api.retry.run(http::error::retry, || self.looked_once(id, code));
        look.await.map_err(http::error::exhausted)
    }

    async fn looked_once(&self, id: &RemoteId, code: &str) -> Result<Look, PlatformError> {
        let Some(url) = self.place(id, code).await? else { return Ok(Look::Nothing) };
        let request = Request::new(Method::GET, url).secret().following().at_most(MAX_FILE_BYTES);
        let answer =
            self.api.files.send(request).await.map_err(|error| http::error::read_error(&error))?;
        match answer.status {
            200 if is_page(&answer.body) => {
                Err(PlatformError::Transient("the file host answered with a page".to_owned()))
            }
            200 => Ok(Look::Found(answer.body)),
            404 => Ok(Look::Nothing),
            403 => Ok(Look::Closed),
            429 => {
                let retry_after = retry_after(&answer, self.api.clock.now());
                Err(PlatformError::RateLimited { retry_after })
            }
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
        let session = self.api.sessions.session(Urgency::Normal).await?;
        let id = match session.profile {
            Some(id) => id,
            None => self.api.sessions.profile().await?,
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
        let code = match listing::code(activity) {
            Some(code) => code.to_owned(),
            None => self.code_now(&activity.id).await?,
        };
        if let Look::Found(bytes) = self.looked(&activity.id, &code).await? {
            return Ok(Original { bytes });
        }
        // One look proves nothing: another sport gives no file, an address may be over.
        self.pause().await?;
        let code = self.code_now(&activity.id).await?;
        match self.looked(&activity.id, &code).await? {
            Look::Found(bytes) => Ok(Original { bytes }),
            Look::Nothing => Err(PlatformError::NotFound),
            Look::Closed => {
                let why = "the file host answered 403 to two addresses".to_owned();
                Err(PlatformError::Transient(why))
            }
        }
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        import::upload(&self.api, file).await
    }

    async fn has_taken(
        &self,
        file: &FitFile,
        since: Option<Timestamp>,
    ) -> Result<bool, PlatformError> {
        let now = self.api.clock.now();
        match since {
            // What an earlier run has sent was there before this one began.
            None => {
                let imports = self.imports.get_or_try_init(|| import::list(&self.api)).await?;
                Ok(import::names(imports, file, import::a_day_before(now)))
            }
            Some(sent) => Ok(import::names(&import::list(&self.api).await?, file, sent)),
        }
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        import::status(&self.api, ticket).await
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        let id = &activity.id;
        number(id)?;
        let call = Call::get("/activity/delete", vec![("labelId", id.as_str().to_owned())]);
        match self.api.change(&call).await {
            Ok(_) | Err(PlatformError::Unconfirmed(_)) => self.seen_gone(id).await,
            Err(error) => Err(error),
        }
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
        // Writes name their user, whom a browser's token does not tell.
        self.api.user(Urgency::Final).await?;
        let body = json!({ "type": 1, "labelId": id.as_str(), "name": title });
        let call = Call::json("/activity/update", body).urgency(Urgency::Final);
        self.api.change(&call).await.map(drop)
    }
}

impl Coros {
    /// A removal is answered with success whatever became of it: only the list tells.
    async fn seen_gone(&self, id: &RemoteId) -> Result<(), PlatformError> {
        for look in 0..LOOKS {
            if look > 0 && self.pause().await.is_err() {
                break;
            }
            match self.listed(id).await {
                Ok(_) => {}
                Err(PlatformError::NotFound) => return Ok(()),
                Err(error @ (PlatformError::Auth(_) | PlatformError::RateLimited { .. })) => {
                    return Err(error);
                }
                Err(error) => return Err(PlatformError::Unconfirmed(error.to_string())),
            }
        }
        Err(PlatformError::Unconfirmed("it is listed yet".to_owned()))
    }

    /// Waits between two looks.
    async fn pause(&self) -> Result<(), Cancelled> {
        let sleep = self.api.clock.sleep(BETWEEN_LOOKS);
        self.api.stop.race(sleep).await.ok_or(Cancelled)
    }

    /// The sport that COROS lists for an activity now.
    async fn code_now(&self, id: &RemoteId) -> Result<String, PlatformError> {
        let row = self.listed(id).await?;
        Ok(listing::code(&row).unwrap_or_default().to_owned())
    }
}

/// HTML, XML or JSON in place of a file: a FIT file begins with the length of its header.
fn is_page(body: &[u8]) -> bool {
    matches!(body.trim_ascii_start().first(), Some(b'<' | b'{'))
}

/// An id of COROS', which stands in addresses.
fn number(id: &RemoteId) -> Result<u64, PlatformError> {
    id.as_str().parse().map_err(|_| PlatformError::NotFound)
}
