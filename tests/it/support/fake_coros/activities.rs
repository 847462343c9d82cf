//! The activities of the fake's account: listed, handed out, renamed, removed.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use fit_sync::domain::SportTable;
use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json as value};

use super::{Host, Shared, World, barred, fine, locked, refused};

/// An activity as the fake keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: u64,
    pub(crate) code: u16,
    pub(crate) start: Timestamp,
    /// Quarter hours east of UTC.
    pub(crate) zone: i32,
    pub(crate) elapsed_s: u32,
    pub(crate) distance_m: u32,
    pub(crate) title: String,
    pub(crate) file: Option<Vec<u8>>,
    /// The number of the listing that shows it first.
    pub(crate) from_listing: u64,
    /// Of the last that shows it, although it was removed.
    pub(crate) last_listing: Option<u64>,
    /// Its row says nothing of time and distance.
    pub(crate) zeroed: bool,
}

impl Stored {
    fn day(&self) -> Date {
        Offset::from_seconds(self.zone * 900).unwrap().to_datetime(self.start).date()
    }
}

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/activity/query", get(list))
        .route("/activity/detail/download", post(download))
        .route("/activity/delete", get(delete))
        .route("/activity/update", post(update))
}

impl World {
    /// Stores a recording as the watch does, and gives its id.
    pub(crate) fn store(&mut self, bytes: &[u8], title: &str, zone: i32) -> u64 {
        let id = 467_870_248_094_171_000 + self.draw();
        let stored = read(bytes, id, title, zone).unwrap();
        self.activities.push(stored);
        id
    }

    fn newest_first(&self, first: &str, last: &str) -> Vec<&Stored> {
        let wanted = |row: &&Stored| {
            let day = row.day().strftime("%Y%m%d").to_string();
            let is_shown = row.from_listing <= self.listings
                && row.last_listing.is_none_or(|last| self.listings <= last);
            first <= day.as_str() && day.as_str() <= last && is_shown
        };
        let mut rows: Vec<&Stored> = self.activities.iter().filter(wanted).collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.start, row.id)));
        rows
    }
}

/// A recording's row; `None` if the file cannot be read.
pub(super) fn read(bytes: &[u8], id: u64, title: &str, zone: i32) -> Option<Stored> {
    let content = fit_sync::fit::read(bytes).ok()?;
    let (key, _) = content.key()?;
    let kind = content.kind();
    Some(Stored {
        id,
        code: SportTable::coros_codes(&kind).first().copied().unwrap_or(98),
        start: key.start,
        zone,
        elapsed_s: key.elapsed_s.unwrap_or_default(),
        distance_m: content.distance_m().unwrap_or_default(),
        title: title.to_owned(),
        file: Some(bytes.to_vec()),
        from_listing: 0,
        last_listing: None,
        zeroed: false,
    })
}

type Fields = Query<BTreeMap<String, String>>;

async fn list(State(world): State<Shared>, Query(query): Fields, headers: HeaderMap) -> Response {
    let mut world = locked(&world);
    if let Some(refused) = barred(&world, &headers) {
        return refused;
    }
    let number = |name: &str| query[name].parse::<usize>().unwrap();
    let (size, page) = (number("size"), number("pageNumber"));
    if size > 200 {
        return refused("1001", "Service exceptions");
    }
    if page == 1 {
        world.listings += 1;
    }
    if page == 2 && std::mem::take(&mut world.switches.drifts) {
        let mut newest = world.newest_first("0", "9")[0].clone();
        newest.start = newest.start.checked_add(SignedDuration::from_hours(3)).unwrap();
        newest.id += 500;
        world.activities.push(newest);
    }
    let is_empty = world.switches.empty_page == Some(page) && world.switches.empty_times > 0;
    world.switches.empty_times -= u32::from(is_empty);
    let rows = world.newest_first(&query["startDay"], &query["endDay"]);
    let rows_of_page = size.min(world.switches.page_rows);
    let shown: Vec<Value> = rows
        .iter()
        .skip((page - 1) * rows_of_page)
        .take(rows_of_page)
        .map(|row| listed(row, &world.switches.id(row.id)))
        .collect();
    let mut data = value!({
        "count": rows.len() as u64 + world.switches.counts_more,
        "pageNumber": page,
        "totalPage": rows.len().div_ceil(rows_of_page),
    });
    // Where there is nothing, there is no list.
    if !shown.is_empty() && !is_empty {
        data["dataList"] = Value::Array(shown);
    }
    for field in world.switches.list_lacks {
        data.as_object_mut().unwrap().remove(*field);
    }
    fine(Some(data))
}

fn listed(row: &Stored, id: &Value) -> Value {
    let known = u32::from(!row.zeroed);
    let (elapsed_s, distance_m) = (row.elapsed_s * known, row.distance_m * known);
    let end = row.start.as_second() + i64::from(elapsed_s);
    value!({
        "labelId": id,
        "sportType": row.code,
        "mode": 8,
        "subMode": 1,
        "startTime": row.start.as_second(),
        "endTime": end,
        "startTimezone": row.zone,
        "endTimezone": row.zone,
        "date": row.day().strftime("%Y%m%d").to_string().parse::<u32>().unwrap(),
        "distance": f64::from(distance_m),
        "workoutTime": elapsed_s,
        "totalTime": elapsed_s,
        "calorie": 5_818_000,
        "avgSpeed": 816.81,
        "avgHr": 0,
        "name": if row.title.is_empty() { Value::Null } else { value!(row.title) },
        "device": "COROS NOMAD",
    })
}

async fn download(
    State(world): State<Shared>,
    Query(query): Fields,
    headers: HeaderMap,
) -> Response {
    let world = locked(&world);
    if let Some(refused) = barred(&world, &headers) {
        return refused;
    }
    assert_eq!(query["fileType"], "4");
    let is_asked_for =
        |row: &&Stored| row.id.to_string() == query["labelId"] && row.last_listing.is_none();
    let found = world.activities.iter().find(is_asked_for);
    let Some(row) = found else { return refused("1001", "Service exceptions") };
    let fits = row.code.to_string() == query["sportType"];
    if fits && row.file.is_some() {
        let url = format!("{}/fit/{}/{}.fit", world.base(Host::Store), world.switches.user, row.id);
        return fine(Some(value!({ "fileUrl": url })));
    }
    if world.switches.refuses_wrong_sport {
        return refused("1001", "Service exceptions");
    }
    fine(Some(value!({})))
}

/// Answered the same whether or not it was there.
async fn delete(State(world): State<Shared>, Query(query): Fields, headers: HeaderMap) -> Response {
    let mut world = locked(&world);
    if let Some(refused) = barred(&world, &headers) {
        return refused;
    }
    let Ok(id) = query["labelId"].parse::<u64>() else {
        return refused("1001", "Service exceptions");
    };
    let (lingers, listings) = (world.switches.lingers, world.listings);
    match world.activities.iter_mut().find(|row| row.id == id) {
        Some(row) if lingers > 0 => {
            row.last_listing = row.last_listing.or(Some(listings + lingers));
        }
        _ => world.activities.retain(|row| row.id != id),
    }
    fine(None)
}

async fn update(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut world = locked(&world);
    if let Some(refused) = barred(&world, &headers) {
        return refused;
    }
    let user = value!({ "userId": world.switches.user, "language": "en-US" });
    assert_eq!(super::text(&headers, "yfheader"), user.to_string(), "writes name their user");
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["type"], 1);
    let id = body["labelId"].as_str().unwrap();
    if world.switches.ignores_names {
        return fine(None);
    }
    if let Some(row) = world.activities.iter_mut().find(|row| row.id.to_string() == id) {
        body["name"].as_str().unwrap().clone_into(&mut row.title);
    }
    fine(None)
}
