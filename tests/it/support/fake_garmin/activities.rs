//! The activities of the fake's account: listed, handed out, taken, changed, removed.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use fit_sync::domain::SportTable;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json as value};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::api::{is_known, unauthorized};
use super::sso::trouble;
use super::{Host, Shared, Trouble, World, json, locked, text};

/// An activity as the fake keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: u64,
    pub(crate) start: Timestamp,
    pub(crate) offset_s: i64,
    pub(crate) elapsed_s: u32,
    pub(crate) distance_m: u32,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) access: String,
    /// `None`: entered by hand.
    pub(crate) file: Option<Vec<u8>>,
    /// The multisport that it is a leg of.
    pub(crate) parent: Option<u64>,
    pub(crate) owner: i64,
}

impl Stored {
    fn ends(&self) -> Timestamp {
        self.start.checked_add(SignedDuration::from_secs(i64::from(self.elapsed_s))).unwrap()
    }
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/activitylist-service/activities/count", get(count))
        .route("/activitylist-service/activities/search/activities", get(search))
        .route("/download-service/files/activity/{id}", get(download))
        .route("/upload-service/upload", post(upload))
        .route("/activity-service/activity/status/{at}/{uuid}", get(status))
        .route("/activity-service/activity/{id}", get(one).put(edit).delete(remove))
        .layer(DefaultBodyLimit::max(64 * 1024 * 1024))
}

impl World {
    /// Stores a recording as an upload does, and gives its id.
    pub(crate) fn store(&mut self, bytes: &[u8], title: &str) -> u64 {
        let stored = self.read(bytes, title).unwrap();
        let id = stored.id;
        self.activities.push(stored);
        id
    }

    /// A recording's row; `None` if the file cannot be read.
    fn read(&mut self, bytes: &[u8], title: &str) -> Option<Stored> {
        let content = fit_sync::fit::read(bytes).ok()?;
        let (key, _) = content.key()?;
        let kind = content.kind();
        let keys = SportTable::garmin_keys(&kind);
        self.next_id += 1;
        Some(Stored {
            id: self.next_id,
            start: key.start,
            offset_s: 3600,
            elapsed_s: key.elapsed_s.unwrap_or_default(),
            distance_m: content.distance_m().unwrap_or_default(),
            kind: keys.first().copied().unwrap_or("other").to_owned(),
            title: title.to_owned(),
            description: String::new(),
            access: "public".to_owned(),
            file: Some(bytes.to_vec()),
            parent: None,
            owner: self.switches.profile,
        })
    }

    pub(crate) fn newest_first(&self) -> Vec<&Stored> {
        let mut rows: Vec<&Stored> =
            self.activities.iter().filter(|stored| stored.parent.is_none()).collect();
        rows.sort_by_key(|stored| std::cmp::Reverse((stored.start, stored.id)));
        rows
    }
}

/// What keeps a request from being answered: a trouble, or its token.
fn refused(world: &World, headers: &HeaderMap, at: &Trouble) -> Option<Response> {
    trouble(at).or_else(|| (!is_known(world, headers)).then(unauthorized))
}

async fn count(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let world = locked(&world);
    let at = &world.switches.list;
    refused(&world, &headers, at).unwrap_or_else(|| {
        let total = world.activities.len() as u64 + world.switches.counts_more;
        json(200, &value!({ "totalCount": total }))
    })
}

async fn search(
    State(world): State<Shared>,
    Query(query): Query<BTreeMap<String, usize>>,
    headers: HeaderMap,
) -> Response {
    let world = locked(&world);
    if let Some(refused) = refused(&world, &headers, &world.switches.list) {
        return refused;
    }
    let (start, limit) = (query["start"], query["limit"]);
    if limit > 1000 {
        return json(400, &value!({ "message": "limit" }));
    }
    let rows = world.newest_first();
    let page: Vec<Value> = rows.into_iter().skip(start).take(limit).map(listed).collect();
    json(200, &Value::Array(page))
}

/// A row of the list, without what is not known.
fn listed(stored: &Stored) -> Value {
    let time = |at: Timestamp, offset: i64| {
        let at = at.checked_add(SignedDuration::from_secs(offset)).unwrap();
        at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let mut row = value!({
        "activityId": stored.id,
        "activityName": stored.title,
        "startTimeGMT": time(stored.start, 0),
        "startTimeLocal": time(stored.start, stored.offset_s),
        "endTimeGMT": time(stored.ends(), 0),
        "beginTimestamp": stored.start.as_millisecond(),
        "activityType": { "typeId": 0, "typeKey": stored.kind, "isHidden": false },
        "duration": f64::from(stored.elapsed_s),
        "elapsedDuration": f64::from(stored.elapsed_s),
        "manualActivity": stored.file.is_none(),
        "ownerId": stored.owner,
        "privacy": { "typeId": if stored.access == "private" { 2 } else { 1 }, "typeKey": stored.access },
        "manufacturer": "GARMIN",
    });
    if stored.distance_m > 0 {
        row["distance"] = f64::from(stored.distance_m).into();
    }
    row
}

async fn download(
    State(world): State<Shared>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Response {
    let world = locked(&world);
    if let Some(refused) = refused(&world, &headers, &world.switches.download) {
        return refused;
    }
    let found = world.activities.iter().find(|stored| stored.id == id);
    let Some(bytes) = found.and_then(|stored| stored.file.as_ref()) else {
        return missing();
    };
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(format!("{id}_ACTIVITY.fit"), SimpleFileOptions::default()).unwrap();
    zip.write_all(bytes).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    ([(header::CONTENT_TYPE, "application/x-zip-compressed")], zip).into_response()
}

fn missing() -> Response {
    json(404, &value!({ "message": "HTTP 404 Not Found", "error": "NotFoundException" }))
}

/// The one file of a multipart form, and its name.
fn part(headers: &HeaderMap, body: &[u8]) -> (String, Vec<u8>) {
    let find =
        |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|w| w == what).unwrap();
    let boundary = text(headers, "content-type").split("boundary=").nth(1).unwrap();
    let end = format!("\r\n--{boundary}--");
    let begin = find(body, b"\r\n\r\n");
    let head = String::from_utf8_lossy(&body[..begin]).into_owned();
    let name = head.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let content = &body[begin + 4..];
    (name.to_owned(), content[..find(content, end.as_bytes())].to_vec())
}

async fn upload(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let (name, bytes) = part(&headers, &body);
    assert!(name.ends_with(".fit"), "its name says what it is");
    let mut world = locked(&world);
    let at = world.switches.upload.clone();
    // An answer that is lost was made.
    if at != Trouble::Lost
        && let Some(refused) = refused(&world, &headers, &at)
    {
        return refused;
    }
    let Some(stored) = world.read(&bytes, "Untitled") else {
        let message =
            value!({ "code": 415, "content": "The file is of a type we do not support." });
        return json(409, &imported(&[], &[value!({ "messages": [message] })]));
    };
    let same = |other: &&Stored| other.start == stored.start && other.file.is_some();
    if let Some(other) = world.activities.iter().find(same) {
        let message = value!({ "code": 202, "content": "Duplicate Activity." });
        let failure = value!({ "internalId": other.id, "externalId": "x", "messages": [message] });
        return json(409, &imported(&[], &[failure]));
    }
    let id = stored.id;
    world.activities.push(stored);
    if at == Trouble::Lost {
        world.switches.upload = Trouble::None;
        return super::lost();
    }
    if world.switches.uploads_at_once {
        let success = value!({ "internalId": id, "externalId": "x", "messages": null });
        return json(201, &imported(&[success], &[]));
    }
    let mut answer = json(202, &imported(&[], &[]));
    // Its own host's name, whatever ours is.
    let location = format!(
        "https://connectapi.{}/activity-service/activity/status/1695952699113/{id:032x}",
        world.switches.domain
    );
    answer.headers_mut().insert(header::LOCATION, HeaderValue::from_str(&location).unwrap());
    answer
}

fn imported(successes: &[Value], failures: &[Value]) -> Value {
    value!({ "detailedImportResult": {
        "uploadId": "", "successes": successes, "failures": failures, "fileName": "x.fit",
    } })
}

async fn status(
    State(world): State<Shared>,
    Path((_at, uuid)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let mut world = locked(&world);
    if let Some(refused) = refused(&world, &headers, &world.switches.status) {
        return refused;
    }
    if world.switches.polls > 0 {
        world.switches.polls -= 1;
        return json(202, &imported(&[], &[]));
    }
    let id = u64::from_str_radix(&uuid, 16).unwrap();
    let location = format!("{}/activity-service/activity/{id}", world.base(Host::Connectapi));
    let location = HeaderValue::from_str(&location).unwrap();
    (StatusCode::CREATED, [(header::LOCATION, location)]).into_response()
}

async fn one(State(world): State<Shared>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let world = locked(&world);
    if let Some(refused) = refused(&world, &headers, &world.switches.change) {
        return refused;
    }
    let found = world.activities.iter().find(|stored| stored.id == id);
    found.map_or_else(missing, |stored| {
        json(
            200,
            &value!({
                "activityId": id,
                "activityName": stored.title,
                "description": stored.description,
                "activityTypeDTO": { "typeKey": stored.kind },
                "accessControlRuleDTO": { "typeKey": stored.access },
                "metadataDTO": { "manualActivity": stored.file.is_none() },
            }),
        )
    })
}

async fn edit(
    State(world): State<Shared>,
    Path(id): Path<u64>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(text(&headers, "content-type"), "application/json");
    let mut world = locked(&world);
    if let Some(refused) = refused(&world, &headers, &world.switches.change) {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["activityId"], id);
    let Some(stored) = world.activities.iter_mut().find(|stored| stored.id == id) else {
        return missing();
    };
    let set = |field: &mut String, value: &Value| {
        if let Some(text) = value.as_str() {
            text.clone_into(field);
        }
    };
    set(&mut stored.title, &body["activityName"]);
    set(&mut stored.description, &body["description"]);
    set(&mut stored.kind, &body["activityTypeDTO"]["typeKey"]);
    set(&mut stored.access, &body["accessControlRuleDTO"]["typeKey"]);
    StatusCode::NO_CONTENT.into_response()
}

async fn remove(State(world): State<Shared>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let mut world = locked(&world);
    if let Some(refused) = refused(&world, &headers, &world.switches.change) {
        return refused;
    }
    let before = world.activities.len();
    world.activities.retain(|stored| stored.id != id && stored.parent != Some(id));
    if world.activities.len() == before {
        missing()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}
