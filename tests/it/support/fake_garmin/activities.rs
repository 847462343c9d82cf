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
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json as value};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::api::{is_known, unauthorized};
use super::{Change, Duplicates, Host, Shared, World, json, locked, page, text};

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
    /// So many readings of the list do not show it yet.
    pub(crate) hidden_for: u32,
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
        .route("/upload-service/upload/fit", post(import))
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
            access: self.switches.access.to_owned(),
            file: Some(bytes.to_vec()),
            parent: None,
            owner: self.switches.profile,
            hidden_for: 0,
        })
    }

    /// An activity by its id.
    pub(crate) fn find(&mut self, id: u64) -> &mut Stored {
        self.activities.iter_mut().find(|stored| stored.id == id).unwrap()
    }

    /// When an activity began that is there, or was.
    pub(crate) fn start_of(&self, id: u64) -> Timestamp {
        let mut all = self.activities.iter().chain(&self.removed);
        all.find(|stored| stored.id == id).unwrap().start
    }

    /// Has no activities, and never had any.
    pub(crate) fn forget_activities(&mut self) {
        self.activities.clear();
        self.removed.clear();
        self.changes.clear();
    }

    /// Whether a page from this row on is to be empty; one less is from then on.
    fn is_empty_page(&mut self, start: usize) -> bool {
        let switches = &mut self.switches;
        let left = if start == 0 { &mut switches.empty_first } else { &mut switches.empty_later };
        let is_empty = *left > 0;
        *left = left.saturating_sub(1);
        is_empty
    }

    fn shown(&self) -> impl Iterator<Item = &Stored> {
        self.activities.iter().filter(|stored| stored.hidden_for == 0)
    }

    pub(crate) fn newest_first(&self) -> Vec<&Stored> {
        let mut rows: Vec<&Stored> =
            self.shown().filter(|stored| stored.parent.is_none()).collect();
        rows.sort_by_key(|stored| std::cmp::Reverse((stored.start, stored.id)));
        rows
    }
}

/// Refuses a request whose token is not in use.
fn refused(world: &World, headers: &HeaderMap) -> Option<Response> {
    (!is_known(world, headers)).then(unauthorized)
}

async fn count(State(world): State<Shared>, headers: HeaderMap) -> Response {
    let world = locked(&world);
    refused(&world, &headers).unwrap_or_else(|| {
        let total = world.shown().count() as u64 + world.switches.counts_more;
        json(200, &value!({ "totalCount": total }))
    })
}

async fn search(
    State(world): State<Shared>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let mut world = locked(&world);
    if let Some(refused) = refused(&world, &headers) {
        return refused;
    }
    let number = |name: &str| query[name].parse::<usize>().unwrap();
    let (start, limit) = (number("start"), number("limit"));
    if limit > 1000 {
        return json(400, &value!({ "message": "limit" }));
    }
    if start > 0
        && let Some(bytes) = world.switches.drifts.take()
    {
        world.store(&bytes, "Just now");
    }
    let limit = match world.is_empty_page(start) {
        true => 0,
        false => limit.min(world.switches.most_rows),
    };
    let day = |name: &str| query.get(name).map(|day| day.parse::<Date>().unwrap());
    let (first, last) = (day("startDate"), day("endDate"));
    let utc = world.switches.days_are_utc;
    let within = |stored: &&Stored| {
        let day = local(stored.start, if utc { 0 } else { stored.offset_s }).date();
        first.is_none_or(|first| day >= first) && last.is_none_or(|last| day <= last)
    };
    let rows = world.newest_first().into_iter().filter(within);
    let page: Vec<Value> = rows.skip(start).take(limit).map(listed).collect();
    if start == 0 {
        let all = world.activities.iter_mut();
        all.for_each(|stored| stored.hidden_for = stored.hidden_for.saturating_sub(1));
    }
    json(200, &Value::Array(page))
}

fn local(at: Timestamp, offset_s: i64) -> DateTime {
    let at = at.checked_add(SignedDuration::from_secs(offset_s)).unwrap();
    at.to_zoned(TimeZone::UTC).datetime()
}

/// A row of the list, without what is not known.
fn listed(stored: &Stored) -> Value {
    let time =
        |at: Timestamp, offset: i64| local(at, offset).strftime("%Y-%m-%d %H:%M:%S").to_string();
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
    if let Some(refused) = refused(&world, &headers) {
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

async fn import(state: State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    assert_eq!((text(&headers, "nk"), text(&headers, "user-agent")), ("NT", "GCM-iOS-5.7.2.1"));
    assert_eq!(headers.get_all("user-agent").iter().count(), 1);
    upload(state, headers, body).await
}

async fn upload(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let (name, bytes) = part(&headers, &body);
    assert!(name.ends_with(".fit"), "its name says what it is");
    let mut world = locked(&world);
    if let Some(refused) = refused(&world, &headers) {
        return refused;
    }
    let Some(mut stored) = world.read(&bytes, "Untitled") else {
        let message =
            value!({ "code": 415, "content": "The file is of a type we do not support." });
        return json(409, &imported(&[], &[value!({ "messages": [message] })]));
    };
    if let Some(existing) = world.in_the_way(&stored) {
        return world.duplicate(existing);
    }
    stored.hidden_for = world.switches.lists_late;
    let id = stored.id;
    world.activities.push(stored);
    world.changes.push(Change::Stored(id));
    if world.switches.uploads_at_once {
        let success = value!({ "internalId": id, "externalId": "x", "messages": null });
        return json(201, &imported(&[success], &[]));
    }
    world.taken(id)
}

impl World {
    /// What has the same start, or had it until a short while ago.
    fn in_the_way(&mut self, stored: &Stored) -> Option<u64> {
        let same = |other: &&Stored| other.start == stored.start && other.file.is_some();
        if let Some(other) = self.activities.iter().find(same) {
            return Some(other.id);
        }
        let removed = self.removed.iter().find(same).map(|other| other.id)?;
        self.switches.forgets_after = self.switches.forgets_after.checked_sub(1)?;
        Some(removed)
    }

    fn duplicate(&mut self, existing: u64) -> Response {
        let failure = |id: Value, code: Value| {
            let message = value!({ "code": code, "content": "Duplicate Activity." });
            let failure = value!({ "internalId": id, "externalId": "x", "messages": [message] });
            imported(&[], &[failure])
        };
        let plain = || failure(existing.into(), 202.into());
        match self.switches.duplicates {
            Duplicates::Conflict => json(409, &plain()),
            Duplicates::Quoted => json(409, &failure(existing.to_string().into(), "202".into())),
            Duplicates::Unnamed => page(409, "Conflict", ""),
            Duplicates::InSuccess => json(200, &plain()),
            Duplicates::AsSuccess => {
                let success = value!({ "internalId": existing, "messages": null });
                json(201, &imported(&[success], &[]))
            }
            Duplicates::InStatus => self.taken(DUPLICATE + existing),
        }
    }

    /// The answer to an upload that is worked on, and whose state may be asked for.
    fn taken(&self, id: u64) -> Response {
        let mut answer = json(202, &imported(&[], &[]));
        // Its own host's name, whatever ours is.
        let location = format!(
            "https://connectapi.{}/activity-service/activity/status/1695952699113/{id:032x}",
            self.switches.domain
        );
        let headers = answer.headers_mut();
        headers.insert(header::LOCATION, HeaderValue::from_str(&location).unwrap());
        if let Some(ms) = self.switches.poll_ms {
            headers.insert("location-in-milliseconds", ms.into());
        }
        answer
    }
}

/// Ids from here on stand for an upload that turns out to be a duplicate.
const DUPLICATE: u64 = 1 << 40;

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
    if let Some(refused) = refused(&world, &headers) {
        return refused;
    }
    if world.switches.polls > 0 {
        world.switches.polls -= 1;
        return json(202, &imported(&[], &[]));
    }
    let id = u64::from_str_radix(&uuid, 16).unwrap();
    if let Some(existing) = id.checked_sub(DUPLICATE) {
        world.switches.duplicates = Duplicates::Conflict;
        return world.duplicate(existing);
    }
    let location = format!("{}/activity-service/activity/{id}", world.base(Host::Connectapi));
    let location = HeaderValue::from_str(&location).unwrap();
    (StatusCode::CREATED, [(header::LOCATION, location)]).into_response()
}

async fn one(State(world): State<Shared>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let world = locked(&world);
    if let Some(refused) = refused(&world, &headers) {
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
    if let Some(refused) = refused(&world, &headers) {
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
    world.changes.push(Change::Edited(id));
    StatusCode::NO_CONTENT.into_response()
}

async fn remove(State(world): State<Shared>, Path(id): Path<u64>, headers: HeaderMap) -> Response {
    let mut world = locked(&world);
    if let Some(refused) = refused(&world, &headers) {
        return refused;
    }
    let goes = |stored: &mut Stored| stored.id == id || stored.parent == Some(id);
    let gone: Vec<Stored> = world.activities.extract_if(.., goes).collect();
    if gone.is_empty() {
        return missing();
    }
    world.removed.extend(gone);
    world.changes.push(Change::Removed(id));
    StatusCode::NO_CONTENT.into_response()
}
