//! Bringing a file in: storage credentials of the website, a zip in the object store, one registration,
//! and a look at what became of it. None of these answers is believed to mean that the activity is
//! there; only the list says that.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use sha2::Sha256;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::net::{Answer, Body, Method, Request, Url, retry_after};
use crate::platform::http;
use crate::platform::{
    FitFile, PlatformError, Rejection, UploadStatus, UploadTicket, Uploaded, Urgency,
};

use super::api::{Api, Call};
use super::regions::{Service, Storage};
use super::sign::{Aliyun, Amazon, Key, amz_date, http_date};
use super::types::{Import, StoreCredentials, StsAnswer};
use super::wire;

/// Stands before or after the credentials.
const MARKER: &str = "9y78gpoERW4lBNYL";
/// How long an import is left alone before each question about its state: clients ask every 3 to
/// 5 s.
const POLL_EVERY: Duration = Duration::from_secs(3);
/// Imports that are looked at to find one.
const LISTED: u32 = 100;
/// How far this machine's clock may be ahead of COROS'.
const CLOCKS_APART_S: i64 = 3600;
/// Times above this are in milliseconds: in seconds they were after the year 5000.
const MILLISECONDS: i64 = 100_000_000_000;
const ZIP: &str = "application/zip";

/// A file as it lies in the object store.
struct Object {
    md5: String,
    /// `fit_zip/<user>/<md5>.zip`.
    key: String,
    name: String,
    zip: Vec<u8>,
}

/// Sends a file once. Until its registration nothing but an object in a store has come of it.
pub(super) async fn upload(api: &Api, file: &FitFile) -> Result<Uploaded, PlatformError> {
    let storage =
        api.region(file.urgency).await?.storage.as_ref().ok_or(PlatformError::Unsupported)?;
    let user = api.user(file.urgency).await?;
    let object = object(file, &user)?;
    let credentials = credentials(api, storage, file.urgency).await?;
    let put = api
        .retry
        .run(http::error::retry, || put(api, storage, &credentials, &object, file.urgency));
    put.await.map_err(http::error::exhausted)?;
    let data = api.change(&registration(file, storage, &object)).await?;
    let import: Import = serde_json::from_value(data).unwrap_or_default();
    let id = import.id().ok_or_else(|| {
        PlatformError::Unconfirmed("COROS took it, but named no import".to_owned())
    })?;
    Ok(Uploaded::Processing(UploadTicket { name: id, wait: Some(POLL_EVERY) }))
}

/// What became of an import. Finished ones do not tell the activity's id.
pub(super) async fn status(
    api: &Api,
    ticket: &UploadTicket,
) -> Result<UploadStatus, PlatformError> {
    let id = &ticket.name;
    let imports = list(api).await?;
    let import = imports.into_iter().find(|import| import.id().as_ref() == Some(id));
    let Some(import) = import else { return Ok(UploadStatus::Processing) };
    if has_failed(&import) {
        let reason = "COROS could not import the file".to_owned();
        return Err(PlatformError::Rejected { reason, kind: Rejection::Refused });
    }
    Ok(match import.status {
        Some(2) => UploadStatus::Finished,
        Some(_) | None => UploadStatus::Processing,
    })
}

/// The newest imports.
pub(super) async fn list(api: &Api) -> Result<Vec<Import>, PlatformError> {
    let call = Call::json("/activity/fit/getImportSportList", json!({ "size": LISTED }))
        .urgency(Urgency::Final);
    let imports: Option<Vec<Import>> = api.read(&call).await?;
    Ok(imports.unwrap_or_default())
}

fn has_failed(import: &Import) -> bool {
    let status = import.status.unwrap_or_default();
    status < 0 || (status == 2 && import.error_size.unwrap_or_default() > 0)
}

/// What is older was listed long ago, or was removed since.
pub(super) fn a_day_before(now: Timestamp) -> Timestamp {
    now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN)
}

/// Whether a file is among the imports since a moment of this machine's clock, whose clock may be ahead.
pub(super) fn names(imports: &[Import], file: &FitFile, since: Timestamp) -> bool {
    let md5 = hex::encode(Md5::digest(&file.bytes));
    let is_it = |import: &&Import| {
        import.md5.as_ref().is_some_and(|given| given.eq_ignore_ascii_case(&md5))
    };
    let is_recent = |import: &Import| {
        let begun = import.create_time.map(seconds);
        begun.is_none_or(|begun| begun >= since.as_second() - CLOCKS_APART_S)
    };
    imports.iter().filter(is_it).any(|import| !has_failed(import) && is_recent(import))
}

fn seconds(time: i64) -> i64 {
    if time.abs() > MILLISECONDS { time / 1000 } else { time }
}

fn object(file: &FitFile, user: &str) -> Result<Object, PlatformError> {
    let md5 = hex::encode(Md5::digest(&file.bytes));
    let start = file.key.start.to_zoned(TimeZone::UTC);
    let name = format!("{}.fit", start.strftime("%Y-%m-%d_%H%M%S"));
    let zip = zipped(&format!("{md5}/{name}"), &file.bytes)
        .map_err(|error| PlatformError::Permanent(format!("the file cannot be zipped: {error}")))?;
    Ok(Object { key: format!("fit_zip/{user}/{md5}.zip"), md5, name, zip })
}

/// One stored entry, always the same bytes for the same file.
fn zipped(name: &str, bytes: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default());
    writer.start_file(name, options)?;
    writer.write_all(bytes)?;
    Ok(writer.finish()?.into_inner())
}

async fn credentials(
    api: &Api,
    storage: &Storage,
    urgency: Urgency,
) -> Result<StoreCredentials, PlatformError> {
    let query = vec![
        ("bucket", storage.bucket.to_owned()),
        ("service", storage.service.word().to_owned()),
        ("v", "2".to_owned()),
    ];
    let answer: StsAnswer =
        api.hub(&Call::hub("/api/proxy/oss/sts", query).urgency(urgency)).await?;
    let found = decoded(&answer).ok_or_else(|| {
        PlatformError::Protocol("COROS' storage credentials are not as they were".to_owned())
    })?;
    if found.bucket != storage.bucket {
        return Err(PlatformError::Protocol("they are for another bucket".to_owned()));
    }
    Ok(found)
}

fn decoded(answer: &StsAnswer) -> Option<StoreCredentials> {
    let text = answer.data.credentials.replacen(MARKER, "", 1);
    let text = text.trim().trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(text).ok()?;
    let found: StoreCredentials = serde_json::from_slice(&bytes).ok()?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    // They become part of a host's name.
    let is_sound = found.region.chars().all(is_name) && found.bucket.chars().all(is_name);
    (answer.code.is_none_or(|code| code == 200) && is_sound).then_some(found)
}

/// Puts an object. The same one again is the same object.
async fn put(
    api: &Api,
    storage: &Storage,
    credentials: &StoreCredentials,
    object: &Object,
    urgency: Urgency,
) -> Result<(), PlatformError> {
    let missing = || PlatformError::Protocol("the storage credentials lack a part".to_owned());
    let request = match storage.service {
        Service::Aws => to_amazon(api, credentials, object),
        Service::Aliyun => to_aliyun(api, credentials, object),
    };
    let request = request.ok_or_else(missing)?.urgency(urgency);
    let answer = api.files.send(request).await.map_err(|e| http::error::read_error(&e))?;
    match answer.status {
        200..=299 => Ok(()),
        // Its key is made of its content.
        409 if code_of(&answer) == "FileAlreadyExists" => Ok(()),
        429 => {
            let retry_after = retry_after(&answer, api.clock.now());
            Err(PlatformError::RateLimited { retry_after })
        }
        500..=599 => {
            Err(PlatformError::Transient(format!("the object store answered {}", answer.status)))
        }
        status => Err(PlatformError::Permanent(format!(
            "the object store answered {status} {}",
            code_of(&answer)
        ))),
    }
}

/// The code in a store's XML, which holds no secrets; the rest may.
fn code_of(answer: &Answer) -> String {
    let text = answer.text();
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or_else(String::new, |(code, _)| code.chars().take(60).collect())
}

/// `https://<bucket>.<host>/<key>`, or below `endpoints.store` with the bucket in the path.
fn address(api: &Api, host: &str, bucket: &str, key: &str) -> Option<Url> {
    match api.endpoints.store() {
        Some(base) => wire::url(base, &format!("/{bucket}/{key}"), &[]),
        None => wire::url(&format!("https://{bucket}.{host}"), &format!("/{key}"), &[]),
    }
}

fn to_amazon(api: &Api, with: &StoreCredentials, object: &Object) -> Option<Request> {
    let host = format!("s3.{}.amazonaws.com", with.region);
    let url = address(api, &host, &with.bucket, &object.key)?;
    let secret = with.secret_access_key.as_ref().or(with.access_key_secret.as_ref())?;
    let token = with.session_token.as_ref().or(with.security_token.as_ref())?;
    let (at, hash) = (api.clock.now(), hex::encode(Sha256::digest(&object.zip)));
    let host = url.port().map_or_else(
        || url.host_str().unwrap_or_default().to_owned(),
        |port| format!("{}:{port}", url.host_str().unwrap_or_default()),
    );
    let date = amz_date(at);
    let headers = [
        ("content-type", ZIP),
        ("host", host.as_str()),
        ("x-amz-content-sha256", hash.as_str()),
        ("x-amz-date", date.as_str()),
        ("x-amz-security-token", token.as_str()),
    ];
    let signed = Amazon {
        method: "PUT",
        path: url.path(),
        headers: &headers,
        payload_sha256: &hash,
        region: &with.region,
        at,
    };
    let authorization = signed.authorization(&Key { id: &with.access_key_id, secret });
    let request =
        Request::new(Method::PUT, url.clone()).secret().header("authorization", authorization);
    let sent = headers.into_iter().filter(|(name, _)| *name != "host");
    let request = sent.fold(request, |request, (name, value)| request.header(name, value));
    Some(request.body(Body::Bytes(object.zip.clone())))
}

fn to_aliyun(api: &Api, with: &StoreCredentials, object: &Object) -> Option<Request> {
    let region = with.region.strip_prefix("oss-").unwrap_or(&with.region);
    let host = format!("oss-{region}.aliyuncs.com");
    let url = address(api, &host, &with.bucket, &object.key)?;
    let secret = with.access_key_secret.as_ref().or(with.secret_access_key.as_ref())?;
    let token = with.security_token.as_ref().or(with.session_token.as_ref())?;
    let date = http_date(api.clock.now());
    let content_md5 = STANDARD.encode(Md5::digest(&object.zip));
    let resource = format!("/{}/{}", with.bucket, object.key);
    let signed = Aliyun {
        method: "PUT",
        content_md5: &content_md5,
        content_type: ZIP,
        date: &date,
        headers: &[("x-oss-security-token", token)],
        resource: &resource,
    };
    let authorization = signed.authorization(&Key { id: &with.access_key_id, secret });
    let request = Request::new(Method::PUT, url)
        .secret()
        .header("authorization", authorization)
        .header("content-md5", content_md5)
        .header("content-type", ZIP)
        .header("date", date)
        .header("x-oss-security-token", token.as_str());
    Some(request.body(Body::Bytes(object.zip.clone())))
}

fn registration(file: &FitFile, storage: &Storage, object: &Object) -> Call {
    let about: Value = json!({
        "source": 1,
        // The activity's own, not this machine's.
        "timezone": file.local_offset_s.unwrap_or_default().div_euclid(900),
        "bucket": storage.bucket,
        "md5": object.md5,
        "size": file.bytes.len(),
        "object": object.key,
        "serviceName": storage.service.word(),
        "oriFileName": object.name,
    });
    Call::fields("/activity/fit/import", vec![("jsonParameter", about.to_string())])
        .urgency(file.urgency)
}

#[cfg(test)]
mod tests {
    use super::super::types::StsData;
    use super::*;

    fn sts(text: String) -> StsAnswer {
        StsAnswer { code: Some(200), data: StsData { credentials: text } }
    }

    #[test]
    fn credentials_are_read_wherever_their_marker_stands() {
        let json = r#"{"AccessKeyId":"id","AccessKeySecret":"s","SecurityToken":"t",
            "Region":"oss-cn-beijing","Bucket":"coros-oss"}"#;
        let encoded = STANDARD.encode(json);
        for text in [format!("{encoded}{MARKER}"), format!("{MARKER}{encoded}"), encoded.clone()] {
            let found = decoded(&sts(text)).unwrap();
            assert_eq!((found.access_key_id.as_str(), found.bucket.as_str()), ("id", "coros-oss"));
        }
        let elsewhere = json.replace("oss-cn-beijing", "evil.example/");
        assert!(decoded(&sts(STANDARD.encode(elsewhere))).is_none());
        assert!(decoded(&sts("<html>".to_owned())).is_none());
        assert!(decoded(&StsAnswer { code: Some(401), ..sts(encoded) }).is_none());
    }

    #[test]
    fn the_same_file_is_the_same_zip() {
        let zip = zipped("a/b.fit", b"fit bytes").unwrap();
        assert_eq!(zip, zipped("a/b.fit", b"fit bytes").unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        assert_eq!(archive.by_index(0).unwrap().name().unwrap(), "a/b.fit");
    }
}
