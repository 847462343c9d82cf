//! What an account lists, for people and for machines.

use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table};
use jiff::tz::Offset;
use serde_json::{Value, json};

use crate::domain::{AccountName, Activity, neutralise};
use crate::plan::clock;

use super::column::distance;
use super::memory;

/// An activity with the number by which a person may name it.
#[derive(Clone, Copy, Debug)]
pub struct Numbered<'a> {
    /// Counts from 1 in its account.
    pub index: usize,
    /// The activity.
    pub activity: &'a Activity,
}

/// Where the columns of numbers stand, which are aligned on the right.
const NUMBERS: [usize; 3] = [0, 3, 4];
/// Columns that keep their width where the terminal is narrow: all but title and device.
const WHOLE: usize = 5;
const HEADER: [&str; 7] = ["#", "Start", "Type", "Distance", "Duration", "Title", "Device"];
/// A narrower terminal has the room for titles only without the devices.
const WIDE: u16 = 100;

/// A table of activities as wide as the terminal; `None` for as wide as it needs to be.
pub fn activity_table(rows: &[Numbered<'_>], width: Option<u16>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_truncation_indicator("…");
    let columns = if width.is_some_and(|width| width < WIDE) { WHOLE + 1 } else { HEADER.len() };
    let line = |cells: [String; 7]| {
        let mut line = Row::from(cells.into_iter().take(columns).map(Cell::new));
        line.max_height(1);
        line
    };
    table.set_header(line(HEADER.map(str::to_owned)));
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for row in rows {
        table.add_row(line(cells(row)));
    }
    for (place, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if NUMBERS.contains(&place) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if place < WHOLE {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt() + "\n"
}

fn cells(row: &Numbered<'_>) -> [String; 7] {
    let activity = row.activity;
    let text = |text: Option<&str>| neutralise(text.unwrap_or_default());
    [
        row.index.to_string(),
        local_start(activity),
        neutralise(activity.kind.as_str()),
        distance(activity.distance_m),
        duration(activity),
        text(activity.title.as_deref()),
        text(activity.device.as_deref()),
    ]
}

/// One activity in one line.
pub fn activity_line(activity: &Activity) -> String {
    let title = activity.title.as_deref().map(|title| format!("\"{title}\""));
    let parts = [
        local_start(activity),
        activity.kind.to_string(),
        distance(activity.distance_m),
        duration(activity),
        title.unwrap_or_default(),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    neutralise(&parts.join("  "))
}

/// The start in the activity's own local time with its offset, else in UTC.
fn local_start(activity: &Activity) -> String {
    let Some(start) = activity.start else { return "no start".to_owned() };
    let offset = activity.local_offset_s.and_then(|seconds| Offset::from_seconds(seconds).ok());
    match offset {
        Some(offset) => {
            start.to_zoned(offset.to_time_zone()).strftime("%Y-%m-%d %H:%M %:z").to_string()
        }
        None => Offset::UTC.to_datetime(start).strftime("%Y-%m-%d %H:%MZ").to_string(),
    }
}

fn duration(activity: &Activity) -> String {
    activity.elapsed_s.or(activity.timer_s).map(clock).unwrap_or_default()
}

/// The rows of several accounts as JSON.
pub fn activities_json(rows: &[(&AccountName, Numbered<'_>)]) -> String {
    let row = |(account, numbered): &(&AccountName, Numbered<'_>)| -> Value {
        let activity = numbered.activity;
        json!({
            "account": account,
            "index": numbered.index,
            "id": activity.id,
            "start": activity.start,
            "local_offset_s": activity.local_offset_s,
            "elapsed_s": activity.elapsed_s,
            "type": activity.kind,
            "title": activity.title,
            "distance_m": activity.distance_m,
            "device": activity.device,
        })
    };
    let rows: Vec<Value> = rows.iter().map(row).collect();
    memory::json(&json!({ "format": "fit_sync.list/1", "activities": rows }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ActivityType, Fingerprint, RemoteId, Unusable};

    fn activity(title: &str, offset: Option<i32>) -> Activity {
        let mut row =
            Activity::unusable(RemoteId::new("1"), Fingerprint::new("f"), Unusable::ClockNotSet);
        row.start = Some("2026-11-19T22:12:33Z".parse().unwrap());
        row.local_offset_s = offset;
        row.elapsed_s = Some(3_725);
        row.distance_m = Some(10_055);
        row.kind = ActivityType::opaque("trail_running");
        row.title = Some(title.to_owned());
        row.device = Some("Pace 3".to_owned());
        row
    }

    fn rows(activities: &[Activity]) -> Vec<Numbered<'_>> {
        let rows = activities.iter().enumerate();
        rows.map(|(place, activity)| Numbered { index: place + 9, activity }).collect()
    }

    #[test]
    fn wide_titles_are_aligned_and_local_times_have_their_offset() {
        let mut lost = activity("\u{1b}[31mred\u{202e}", None);
        lost.start = None;
        lost.distance_m = None;
        let activities = [activity("越野跑 西湖", Some(8 * 3600)), activity("Run", None), lost];
        insta::assert_snapshot!(activity_table(&rows(&activities), None), @r#"
         #  Start                    Type           Distance  Duration  Title        Device
         9  2026-11-20 06:12 +08:00  trail_running  10.06 km   1:02:05  越野跑 西湖  Pace 3
        10  2026-11-19 22:12Z        trail_running  10.06 km   1:02:05  Run          Pace 3
        11  no start                 trail_running             1:02:05  �[31mred�    Pace 3
        "#);
    }

    #[test]
    fn a_narrow_terminal_cuts_titles_and_nothing_else() {
        let title = "A very long title of a very long run 非常长的越野跑步";
        let activities = [activity(title, Some(-3 * 3600 - 1800))];
        let text = activity_table(&rows(&activities), Some(110));
        insta::assert_snapshot!(text, @r#"
        #  Start                    Type           Distance  Duration  Title                                  Device
        9  2026-11-19 18:42 -03:30  trail_running  10.06 km   1:02:05  A very long title of a very long run…  Pace 3
        "#);
        let text = activity_table(&rows(&activities), Some(80));
        insta::assert_snapshot!(text, @r#"
        #  Start                    Type           Distance  Duration  Title
        9  2026-11-19 18:42 -03:30  trail_running  10.06 km   1:02:05  A very long…
        "#);
        use unicode_width::UnicodeWidthStr as _;
        for width in [76, 80, 99, 100, 120] {
            let text = activity_table(&rows(&activities), Some(width));
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(text.lines().all(|line| line.width() <= usize::from(width)), "{text}");
        }
    }

    #[test]
    fn a_line_names_an_activity() {
        insta::assert_snapshot!(activity_line(&activity("Run", Some(3600))), @r#"
        2026-11-19 23:12 +01:00  trail_running  10.06 km  1:02:05  "Run"
        "#);
    }
}
