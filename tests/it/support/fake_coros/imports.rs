//! Storage credentials by way of the website, registrations, and what becomes of them.

use std::io::{Cursor, Read as _};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use md5::{Digest as _, Md5};
use serde_json::{Value, json as value};

use super::switches::{Duplicates, Unreadable};
use super::{Shared, World, activities, barred, fine, json, locked, refused, text};

/// An import as the fake keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) id: u64,
    /// How often it is still running.
    polls: u32,
    end: End,
    /// As it was registered.
    pub(crate) parameter: Value,
}

impl Import {
    /// Whether an activity came of it.
    pub(crate) fn is_taken(&self) -> bool {
        self.end == End::Taken
    }
}

/// How an import ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Taken,
    LeftOut,
    Failed,
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/activity/fit/import", post(import))
        .route("/activity/fit/getImportSportList", post(jobs))
}

pub(super) fn hub_routes() -> Router<Shared> {
    Router::new().route("/api/proxy/oss/sts", get(sts))
}

/// The secret of the store's temporary key.
pub(super) fn secret(world: &World) -> String {
    format!("{}storesecret", world.switches.word)
}

/// What goes with it.
pub(super) fn session(world: &World) -> String {
    format!("{}storesession", world.switches.word)
}

async fn sts(
    State(world): State<Shared>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    let world = locked(&world);
    let cookies = text(&headers, "cookie");
    let token = cookies.split("; ").find_map(|pair| pair.strip_prefix("CPL-coros-token="));
    if !token.is_some_and(|token| world.tokens.contains(token)) {
        return (StatusCode::UNAUTHORIZED, "<html>").into_response();
    }
    assert!(cookies.contains(&format!("CPL-coros-region={}", world.switches.number())));
    let (bucket, service, region) = world.switches.storage();
    assert_eq!((query["bucket"].as_str(), query["service"].as_str()), (bucket, service));
    let (secret, session) = (secret(&world), session(&world));
    let credentials = if service == "aws" {
        value!({
            "AccessKeyId": "AKIDFAKE", "SecretAccessKey": secret, "SessionToken": session,
            "Region": region, "Bucket": bucket, "TokenExpireTime": 3600,
        })
    } else {
        value!({
            "AccessKeyId": "STS.FAKE", "AccessKeySecret": secret, "SecurityToken": session,
            "Region": region, "Bucket": bucket,
        })
    };
    let encoded = STANDARD.encode(credentials.to_string());
    let marker = "9y78gpoERW4lBNYL";
    let hidden = if world.switches.marker_first {
        format!("{marker}{encoded}")
    } else {
        format!("{encoded}{marker}")
    };
    json(200, &value!({ "code": 200, "msg": "", "data": { "credentials": hidden, "v": "2" } }))
}

/// The one field of the form.
fn parameter(body: &[u8]) -> Value {
    let body = String::from_utf8_lossy(body);
    assert_eq!(body.matches("name=\"jsonParameter\"").count(), 1, "{body}");
    let (_, rest) = body.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(rest.split("\r\n").next().unwrap()).unwrap()
}

async fn import(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    assert!(text(&headers, "content-type").starts_with("multipart/form-data"));
    let mut world = locked(&world);
    if let Some(refused) = barred(&world, &headers) {
        return refused;
    }
    let parameter = parameter(&body);
    let (bucket, service, _) = world.switches.storage();
    assert_eq!(
        (&parameter["bucket"], &parameter["serviceName"]),
        (&value!(bucket), &value!(service))
    );
    let key = format!("{bucket}/{}", parameter["object"].as_str().unwrap());
    let Some(zip) = world.objects.get(&key).cloned() else {
        return refused("1001", "Service exceptions");
    };
    let end = match take(&mut world, &zip, &parameter) {
        Ok(end) => end,
        Err(refused) => return *refused,
    };
    let id = 990_000_000_000_000_000 + world.draw();
    let polls = world.switches.polls;
    let text = (!world.switches.numeric_ids).then(|| id.to_string());
    world.imports.push(Import { id, polls, end, parameter });
    // Says so even of what cannot be read.
    let status = if world.switches.boasts { 2 } else { 0 };
    fine(Some(value!({ "id": id, "idString": text, "status": status, "finishSize": 0 })))
}

/// The one file of a zip, as it was announced; `None` if it does not hold one.
fn unpacked(zip: &[u8], parameter: &Value, user: &str) -> Option<Vec<u8>> {
    let mut zip = zip::ZipArchive::new(Cursor::new(zip)).ok()?;
    assert_eq!(zip.len(), 1);
    let mut entry = zip.by_index(0).ok()?;
    assert!(entry.name().unwrap().ends_with(".fit"));
    let mut bytes = Vec::new();
    entry.read_to_end(&mut bytes).ok()?;
    let md5 = hex::encode(Md5::digest(&bytes));
    assert_eq!(parameter["md5"], md5.as_str());
    assert_eq!(parameter["object"], format!("fit_zip/{user}/{md5}.zip"));
    assert_eq!(parameter["size"], bytes.len());
    Some(bytes)
}

/// Takes a zip in.
fn take(world: &mut World, zip: &[u8], parameter: &Value) -> Result<End, Box<Response>> {
    let Some(bytes) = unpacked(zip, parameter, world.switches.user) else { return Ok(End::Failed) };
    let zone = i32::try_from(parameter["timezone"].as_i64().unwrap()).unwrap();
    let id = 467_870_248_094_171_000 + world.draw();
    let Some(mut stored) = activities::read(&bytes, id, "", zone) else { return Ok(End::Failed) };
    let is_there =
        world.activities.iter().any(|row| row.start == stored.start && row.last_listing.is_none());
    match world.switches.duplicates {
        Duplicates::LeftOut if is_there => return Ok(End::LeftOut),
        Duplicates::Failed if is_there => return Ok(End::Failed),
        Duplicates::Refused if is_there => {
            return Err(Box::new(refused("2008", "The activity exists already")));
        }
        _ => {}
    }
    let moved = world.switches.zone_moves_start.map_or(0, |there| i64::from(there - zone) * 900);
    stored.start = stored.start.checked_add(SignedDuration::from_secs(moved)).unwrap();
    stored.code = world.switches.retypes.unwrap_or(stored.code);
    stored.zeroed = world.switches.zeroes;
    stored.from_listing = world.listings + world.switches.shows_after;
    world.activities.push(stored);
    Ok(End::Taken)
}

async fn jobs(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = locked(&world);
    if let Some(refused) = barred(&world, &headers) {
        return refused;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert!(body["size"].as_u64().unwrap() <= 100);
    if world.switches.forgets_imports {
        return fine(None);
    }
    let (numeric, unreadable) = (world.switches.numeric_ids, world.switches.unreadable);
    let shown = |import: &mut Import| {
        let running = import.polls > 0;
        import.polls = import.polls.saturating_sub(1);
        let (status, errors) = match (import.end, unreadable) {
            // What the three numbers tell apart is not known.
            _ if running => ([3, 0, 1][import.polls as usize % 3], 0),
            (End::Failed, Unreadable::Counted) => (2, 1),
            (End::Failed, Unreadable::Negative) => (-1, 0),
            (End::Taken | End::LeftOut, _) | (End::Failed, Unreadable::Hidden) => (2, 0),
        };
        let text = (!numeric).then(|| import.id.to_string());
        value!({
            "id": import.id, "idString": text, "status": status, "errorSize": errors,
            "md5": import.parameter["md5"], "originalFilename": import.parameter["oriFileName"],
            "createTime": import.parameter["createTime"],
        })
    };
    let imports: Vec<Value> = world.imports.iter_mut().rev().map(shown).collect();
    fine(Some(Value::Array(imports)))
}
