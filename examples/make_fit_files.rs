//! Writes the FIT files of the quickstart: `cargo run --example make_fit_files -- FOLDER`.
//!
//! They are made up, by several makers' habits; nobody recorded them.

use std::path::Path;
use std::{fs, io};

use jiff::Timestamp;

#[path = "../tests/it/support/fit.rs"]
#[expect(dead_code, reason = "the example needs few of the writer's words")]
mod writer;

use writer::FitFile;

const GARMIN: u16 = 1;
const ZWIFT: u16 = 260;
const COROS: u16 = 294;

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).unwrap_or_else(|| "examples/quickstart".into());
    for (name, file) in files() {
        let path = Path::new(&folder).join(name);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(&path, file.build())?;
    }
    Ok(())
}

fn files() -> Vec<(&'static str, FitFile)> {
    let run = activity("2026-11-14T06:02:11Z", GARMIN, (1, 0), 3067, 10_055).serial(3_329_978_681);
    let ride = activity("2026-11-15T15:41:07Z", GARMIN, (2, 7), 5564, 40_214).serial(3_329_978_681);
    let both = activity("2026-11-16T07:30:04Z", GARMIN, (1, 3), 7201, 14_210).serial(3_329_978_681);
    let indoor = activity("2026-11-18T18:05:00Z", ZWIFT, (2, 58), 3600, 30_120);
    let trail = activity("2026-11-16T07:30:00Z", COROS, (1, 3), 7208, 14_187)
        .product_name("COROS PACE 2")
        .odd_field_size();
    let hike = activity("2026-11-17T09:15:30Z", COROS, (17, 0), 11_400, 12_960)
        .product_name("COROS PACE 2")
        .odd_field_size();
    let settings =
        FitFile::new(time("2026-11-14T06:00:00Z")).file_type(2).without_sessions().records(0);
    vec![
        ("watch/Morning Run.fit", run),
        ("watch/Evening Ride.fit", ride),
        ("watch/Ridge Run.fit", both),
        ("watch/Virtual Ride.fit", indoor),
        ("watch/Settings.fit", settings),
        ("trail_watch/Ridge Run.fit", trail),
        ("trail_watch/Autumn Hike.fit", hike),
    ]
}

fn activity(
    start: &str,
    maker: u16,
    (sport, sub_sport): (u8, u8),
    elapsed_s: u32,
    distance_m: u32,
) -> FitFile {
    FitFile::new(time(start))
        .maker(maker, 1)
        .sport(sport, sub_sport)
        .elapsed_s(elapsed_s)
        .timer_s(elapsed_s)
        .distance_m(distance_m)
        .records(60)
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap_or_default()
}
