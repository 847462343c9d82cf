//! Garmin's answers to what every platform is asked.

use std::time::Duration;

use async_trait::async_trait;

use crate::domain::{Activity, Capabilities, Details, Profile, RemoteId};
use crate::net::{Answer, Method};
use crate::platform::{
    FitFile, ListRequest, Original, Page, Platform, PlatformError, UploadStatus, UploadTicket,
    Uploaded, Urgency, Window,
};

use super::api::{Api, Call, Sends};
use super::details::{self, PRIVATE};
use super::error::{download_error, import_result, upload_error};
use super::listing::Reader;
use super::regions::Region;
use super::spec::SPEC;
use super::types::{OneActivity, id};
use super::{archive, wire};

/// Where the state of an upload is asked for; an address elsewhere is not followed.
const STATUS: &str = "/activity-service/activity/status/";
/// Where a finished upload's answer leads.
const ACTIVITY: &str = "/activity-service/activity/";
/// How long an upload is left alone before it is asked about.
const POLL_EVERY: Duration = Duration::from_secs(1);
const POLL_LEAST: Duration = Duration::from_millis(100);
const POLL_MOST: Duration = Duration::from_secs(10);

/// How files are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UploadAs {
    /// As from a device.
    Upload,
    /// As from another service.
    Import,
}

/// A Garmin account.
pub(super) struct Garmin {
    pub(super) api: Api,
    pub(super) region: &'static Region,
    pub(super) upload_as: UploadAs,
}

#[async_trait]
impl Platform for Garmin {
    fn capabilities(&self) -> Capabilities {
        SPEC.capabilities
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
        let profile = self.whoami().await?.id.ok_or_else(|| {
            PlatformError::Protocol("Garmin does not say whose account it is".to_owned())
        })?;
        let reader = Reader { api: &self.api, region: self.region.id, profile };
        let window = request.window;
        if window != Window::default() {
            return reader.days(window, request.known).await;
        }
        reader.read(request.known).await
    }

    async fn download(&self, activity: &Activity) -> Result<Original, PlatformError> {
        let path = format!("/download-service/files/activity/{}", number(&activity.id)?);
        let unzipped = |answer: &Answer| archive::original(&answer.body);
        let bytes = self.api.fetch(&Call::get(path), download_error, unzipped).await?;
        Ok(Original { bytes })
    }

    async fn upload(&self, file: &FitFile) -> Result<Uploaded, PlatformError> {
        let name = format!("{}.fit", file.sha256.as_str().get(..16).unwrap_or("activity"));
        let (path, headers) = match self.upload_as {
            UploadAs::Upload => ("/upload-service/upload", Vec::new()),
            UploadAs::Import => ("/upload-service/upload/fit", wire::import(self.region)),
        };
        let sends = Sends::File { name, bytes: file.bytes.clone(), headers };
        let urgency = file.urgency;
        let call = Call { method: Method::POST, sends, urgency, ..Call::get(path) };
        let answer = self.api.changed(&call).await?;
        if let Some(error) = upload_error(&answer, self.api.clock.now()) {
            return Err(error);
        }
        if let Some(id) = stored_id(&answer) {
            return Ok(Uploaded::Stored(id));
        }
        let path = answer.header("location").and_then(path_of).filter(|p| p.starts_with(STATUS));
        let ticket = |name| Uploaded::Processing(UploadTicket { name, wait: Some(wait(&answer)) });
        path.map(ticket).ok_or_else(|| {
            PlatformError::Unconfirmed("Garmin took it, but named neither id nor state".to_owned())
        })
    }

    async fn upload_status(&self, ticket: &UploadTicket) -> Result<UploadStatus, PlatformError> {
        let path = &ticket.name;
        if !path.starts_with(STATUS) {
            return Err(PlatformError::Protocol("not an upload of Garmin's".to_owned()));
        }
        let answer = self.api.changed(&final_call(path.clone())).await?;
        if matches!(answer.status, 404 | 500..=599) {
            // 404 was seen for uploads that had succeeded.
            let why = format!("Garmin answered {} about its state", answer.status);
            return Err(PlatformError::Unconfirmed(why));
        }
        if let Some(error) = upload_error(&answer, self.api.clock.now()) {
            return Err(error);
        }
        match stored_id(&answer) {
            Some(id) => Ok(UploadStatus::Stored(id)),
            None if answer.status == 202 => Ok(UploadStatus::Processing),
            None => Ok(UploadStatus::Finished),
        }
    }

    async fn delete(&self, activity: &Activity) -> Result<(), PlatformError> {
        let path = format!("{ACTIVITY}{}", number(&activity.id)?);
        self.api.change(&Call { method: Method::DELETE, ..Call::get(path) }).await
    }

    async fn details(&self, id: &RemoteId) -> Result<Details, PlatformError> {
        self.read_details(final_call(format!("{ACTIVITY}{}", number(id)?))).await
    }

    async fn set_details(&self, id: &RemoteId, details: &Details) -> Result<(), PlatformError> {
        let number = number(id)?;
        let access = match details::wanted(details) {
            Some(access) if access != PRIVATE => {
                let now = self.read_details(final_call(format!("{ACTIVITY}{number}"))).await?;
                details::narrower(access, &now).then(|| access.to_owned())
            }
            access => access.map(str::to_owned),
        };
        let body = details::edit(number, details, access.as_deref());
        let path = format!("{ACTIVITY}{number}");
        self.api
            .change(&Call { method: Method::PUT, sends: Sends::Json(body), ..final_call(path) })
            .await
    }
}

impl Garmin {
    async fn read_details(&self, call: Call) -> Result<Details, PlatformError> {
        let one: OneActivity = self.api.read(&call).await?;
        Ok(details::read(one))
    }
}

/// A question that is asked after a stop, too.
fn final_call(path: String) -> Call {
    Call { urgency: Urgency::Final, ..Call::get(path) }
}

/// How long an upload's answer asks to be left alone before its state is asked for.
fn wait(answer: &Answer) -> Duration {
    let asked = answer.header("location-in-milliseconds").and_then(|text| text.trim().parse().ok());
    asked.map_or(POLL_EVERY, Duration::from_millis).clamp(POLL_LEAST, POLL_MOST)
}

/// An id of Garmin's, which stands in addresses.
fn number(id: &RemoteId) -> Result<u64, PlatformError> {
    id.as_str().parse().map_err(|_| PlatformError::NotFound)
}

/// The id that an answer gives a stored activity.
fn stored_id(answer: &Answer) -> Option<RemoteId> {
    let result = import_result(answer);
    let named =
        result.successes.iter().flatten().find_map(|imported| id(imported.internal_id.as_ref()));
    let led = || {
        let path = answer.header("location").and_then(path_of)?;
        let number = path.strip_prefix(ACTIVITY)?.to_owned();
        number.parse::<u64>().is_ok().then_some(number)
    };
    named.or_else(led).map(RemoteId::new)
}

/// The path of an address, wherever it leads: it is asked for at our own host.
fn path_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://").unwrap_or(("", address));
    let path = rest.find('/').and_then(|slash| rest.get(slash..))?;
    path.chars().all(|c| c.is_ascii_graphic() && !"?#".contains(c)).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_path_of_an_address_counts() {
        let path = "/activity-service/activity/status/1/2";
        for address in [path, "https://connectapi.garmin.com/activity-service/activity/status/1/2"]
        {
            assert_eq!(path_of(address).as_deref(), Some(path));
        }
        assert_eq!(path_of("https://host"), None);
        assert_eq!(path_of("/a?x=1"), None);
    }

    #[test]
    fn an_answer_names_the_new_id_in_its_body_or_by_its_address() {
        let answer = |body: &str, location: &str| Answer {
            status: 201,
            headers: vec![("location".to_owned(), location.to_owned())],
            body: body.as_bytes().to_vec(),
            url: crate::net::Url::parse("https://h.example").unwrap(),
        };
        let body = r#"{"detailedImportResult":{"successes":[{"internalId":"42"}]}}"#;
        assert_eq!(stored_id(&answer(body, "")), Some(RemoteId::new("42")));
        let location = "https://h.example/activity-service/activity/43";
        assert_eq!(stored_id(&answer("", location)), Some(RemoteId::new("43")));
        let status = "https://h.example/activity-service/activity/status/1/2";
        assert_eq!(stored_id(&answer("", status)), None);
    }
}
