//! The identity of real FIT files of many makers, where a corpus of them lies beside the project.

use std::path::{Path, PathBuf};

use fit_sync::domain::Unusable;
use fit_sync::fit::{self, Defect, Scan};
use jiff::Timestamp;

/// Clocks that were never set tell times before this (FIT time 0x10000000).
const FIRST_DATE: &str = "1998-07-04T00:24:16Z";

#[test]
fn corpus_agrees_with_two_other_readers() {
    let Some(corpus) = corpus() else {
        return;
    };
    let (mut whole, mut oracles_agree, mut broken) = (0, 0, 0);
    for row in rows(&corpus) {
        let file = row.get("file");
        let scan = fit::scan(&std::fs::read(corpus.join(file)).unwrap());
        match BROKEN.iter().find(|(name, _)| *name == file) {
            Some((_, expected)) => {
                broken += 1;
                assert_eq!(defect_name(&scan.unwrap_err()), *expected, "{file}");
            }
            None => {
                whole += 1;
                let ok = |column: &str| row.get(column).starts_with("ok");
                oracles_agree += usize::from(ok("garmin_fit_sdk") && ok("fitdecode"));
                let scan = scan.unwrap_or_else(|defect| panic!("{file}: {defect}"));
                assert_row(&row, &scan);
            }
        }
    }
    assert_eq!(broken, BROKEN.len());
    assert!(oracles_agree > 100, "{oracles_agree} of {whole} whole files");
}

/// Broken files and why; all others of the corpus are whole.
///
/// Both oracles refuse these too, the strava and sigmasport ones for what follows from the damage.
/// What they also refuse but is whole: `tpv_dev_fields` has a field of an odd size.
const BROKEN: [(&str, &str); 10] = [
    ("dynastream/activity-activity-filecrc.fit", "file CRC"),
    ("dynastream/activity-filecrc.fit", "file CRC"),
    ("dynastream/activity-settings-corruptheader.fit", "trailing"),
    ("dynastream/activity-settings-nodata.fit", "truncated"),
    ("dynastream/activity-unexpected-eof.fit", "truncated"),
    ("sigmasport/nick.fit", "file CRC"),
    ("strava/strava-android-app-201.10-b1218918.fit", "truncated"),
    ("unknown/14582164182.fit.gz", "not FIT"),
    ("unknown/empty.fit", "empty"),
    ("unknown/test_activity.fit", "not FIT"),
];

/// Swims whose records hold an invalid time. The truth table gives them that of the message before.
const RECORDS_WITHOUT_TIME: [&str; 2] =
    ["garmin/20160517-063148-1-1328-ANTFS-4-0.FIT", "garmin/swim.fit"];

fn assert_row(row: &Row, scan: &Scan) {
    let file = row.get("file");
    let facts = || scan.parts.iter().map(|part| &part.facts);
    let sessions: usize = facts().map(|part| part.sessions.len()).sum();
    let records: u32 = facts().map(|part| part.records).sum();
    let start = facts().flat_map(|part| &part.sessions).filter_map(|s| s.start).min();
    let first = facts().find_map(|part| part.first_record);
    let last = facts().filter_map(|part| part.last_record).next_back();
    let file_type = scan.parts[0].file_type.map(type_name);
    assert_eq!(row.get("sessions"), sessions.to_string(), "sessions of {file}");
    assert_eq!(row.get("records"), records.to_string(), "records of {file}");
    assert_eq!(row.get("chained"), scan.parts.len().to_string(), "parts of {file}");
    assert_eq!(row.get("crc_valid"), "True", "checksum of {file}");
    assert_eq!(row.get("file_type"), file_type.unwrap_or_default(), "type of {file}");
    assert_eq!(row.time("first_session_start_utc"), start, "start of {file}");
    let record_time = |column| {
        let known = !RECORDS_WITHOUT_TIME.contains(&file);
        row.time(column).filter(|_| known)
    };
    assert_eq!(record_time("first_record_utc"), first, "first record of {file}");
    assert_eq!(record_time("last_record_utc"), last, "last record of {file}");
    assert_eq!(row.time("time_created_utc"), scan.parts[0].time_created, "created of {file}");
    assert_eq!(
        row.get("dev_fields") == "True",
        facts().any(|p| p.developer_fields > 0),
        "developer fields of {file}"
    );
}

fn type_name(number: u8) -> &'static str {
    match number {
        2 => "settings",
        4 => "activity",
        5 => "workout",
        6 => "course",
        9 => "weight",
        other => panic!("file type {other}"),
    }
}

fn defect_name(defect: &Defect) -> &'static str {
    match defect {
        Defect::Empty => "empty",
        Defect::NotFit => "not FIT",
        Defect::Trailing { .. } => "trailing",
        Defect::Truncated { .. } => "truncated",
        Defect::HeaderCrc { .. } => "header CRC",
        Defect::FileCrc { .. } => "file CRC",
        Defect::Undefined { .. } => "undefined",
        Defect::Overrun { .. } => "overrun",
        Defect::TooMany { .. } => "too many",
    }
}

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    folder.is_dir().then_some(folder)
}

struct Row {
    cells: Vec<(String, String)>,
}

impl Row {
    fn get(&self, column: &str) -> &str {
        let cell = self.cells.iter().find(|(name, _)| name == column);
        &cell.unwrap_or_else(|| panic!("no column {column}")).1
    }

    /// A time as the scan gives it: none if the clock was never set.
    fn time(&self, column: &str) -> Option<Timestamp> {
        let first_date: Timestamp = FIRST_DATE.parse().unwrap();
        let text = self.get(column);
        let time = (!text.is_empty()).then(|| text.parse::<Timestamp>().unwrap());
        time.filter(|time| *time >= first_date)
    }
}

fn rows(corpus: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(corpus.join("truth.csv")).unwrap();
    let mut lines = text.lines().map(cells);
    let names = lines.next().unwrap();
    lines.map(|cells| Row { cells: names.iter().cloned().zip(cells).collect() }).collect()
}

/// The cells of a CSV line; quoted cells may hold commas.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

#[test]
fn corpus_files_that_cannot_be_synced_say_why() {
    let Some(corpus) = corpus() else {
        return;
    };
    let (mut unusable, mut several) = (Vec::new(), Vec::new());
    for row in rows(&corpus) {
        let file = row.get("file").to_owned();
        let bytes = std::fs::read(corpus.join(&file)).unwrap();
        assert_eq!(fit::scan(&bytes).err(), fit::detail(&bytes).err(), "{file}");
        match fit::read(&bytes) {
            Ok(content) if fit::several_activities(&content) => several.push(file),
            Ok(content) => assert!(content.key().is_some(), "{file}"),
            Err(_) if BROKEN.iter().any(|(name, _)| *name == file) => {}
            Err(reason) => unusable.push((file, words(reason))),
        }
    }
    unusable.sort_unstable();
    assert_eq!(unusable, UNUSABLE.map(|(file, why)| (file.to_owned(), why.to_owned())));
    assert_eq!(several, [""; 0]);
}

/// Whole files that are no activities, or none with a time.
const UNUSABLE: [(&str, &str); 11] = [
    ("dynastream/DeveloperData.fit", "an activity without any session or record that tells a time"),
    ("dynastream/WeightScaleMultiUser.fit", "a FIT file of type weight"),
    ("dynastream/WorkoutCustomTargetValues.fit", "a FIT file of type workout"),
    ("dynastream/WorkoutRepeatSteps.fit", "a FIT file of type workout"),
    ("garmin/Settings.fit", "a FIT file of type settings"),
    ("garmin/Settings2.fit", "a FIT file of type settings"),
    ("garmin/antfs-dump.63.fit", "clock not set"),
    ("garmin/compressed-speed-distance.fit", "clock not set"),
    ("garmin/example.fit", "a FIT file of type course"),
    ("stages-cycling/stagesLink_28832.fit", "a FIT file of type course"),
    ("trainer-road/trainerroad_744490.fit", "a FIT file of type workout"),
];

fn words(reason: Unusable) -> String {
    match reason {
        Unusable::Unreadable { detail }
        | Unusable::Unopened { detail }
        | Unusable::NotAnActivity { detail } => detail,
        Unusable::ClockNotSet => "clock not set".to_owned(),
        Unusable::NoOriginal | Unusable::SeveralActivities => panic!("{reason:?}"),
    }
}
