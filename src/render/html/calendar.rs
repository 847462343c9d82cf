//! The days on which something changes, half a year a picture, weeks from left to right.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};

use super::mark::Mark;

/// Of a day and the gap beside it, in the picture's units.
const PITCH: i32 = 14;
const LEFT: i32 = 22;
const TOP: i32 = 18;
/// So many days are told one by one to those who cannot see the picture.
const MAX_TOLD: usize = 20;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

type Day = BTreeMap<Mark, u64>;

/// What changes, by days in UTC.
#[derive(Default)]
pub(super) struct Calendar {
    pub(super) halves: Vec<Half>,
    pub(super) marks: BTreeSet<Mark>,
}

/// Half a year.
pub(super) struct Half {
    pub(super) id: String,
    pub(super) name: String,
    /// The same in words.
    pub(super) words: String,
    pub(super) width: i32,
    pub(super) months: Vec<Month>,
    /// The squares of the days without a change.
    pub(super) quiet: String,
    pub(super) days: Vec<Changed>,
}

/// Where a month begins.
pub(super) struct Month {
    pub(super) x: i32,
    pub(super) name: String,
}

/// A day with changes.
pub(super) struct Changed {
    pub(super) mark: Mark,
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) words: String,
}

impl Calendar {
    pub(super) fn of(changes: impl IntoIterator<Item = (Option<Timestamp>, Mark)>) -> Self {
        let mut halves: BTreeMap<(i16, bool), BTreeMap<Date, Day>> = BTreeMap::new();
        let mut marks = BTreeSet::new();
        for (start, mark) in changes {
            let Some(start) = start else {
                continue;
            };
            let date = Offset::UTC.to_datetime(start).date();
            let days = halves.entry((date.year(), date.month() > 6)).or_default();
            *days.entry(date).or_default().entry(mark).or_default() += 1;
            marks.insert(mark);
        }
        let half = |((year, late), days): (&(i16, bool), &BTreeMap<Date, Day>)| {
            Half::of(*year, *late, days)
        };
        // The newest first: that is what people come for.
        Self { halves: halves.iter().rev().filter_map(half).collect(), marks }
    }
}

impl Half {
    fn of(year: i16, late: bool, days: &BTreeMap<Date, Day>) -> Option<Self> {
        let (number, from, to) = if late { (2, 7, 12) } else { (1, 1, 6) };
        let first = Date::new(year, from, 1).ok()?;
        let last = Date::new(year, to, 1).ok()?.last_of_month();
        let mut half = Self {
            id: format!("calendar-{year}-{number}"),
            name: format!("{} to {} {year}", month_name(first), month_name(last)),
            words: told(days),
            width: 0,
            months: Vec::new(),
            quiet: String::new(),
            days: Vec::new(),
        };
        let before = i32::from(first.weekday().to_monday_zero_offset());
        for (place, date) in (before..).zip(first.series(1.day()).take_while(|day| *day <= last)) {
            let (x, y) = (LEFT + place / 7 * PITCH, TOP + place % 7 * PITCH);
            if date.day() == 1 {
                let month = month_name(date).get(..3).unwrap_or_default();
                let name = if date == first { format!("{month} {year}") } else { month.to_owned() };
                half.months.push(Month { x, name });
            }
            match days.get(&date).and_then(|day| Some((day, day.keys().next()?))) {
                Some((day, mark)) => {
                    half.days.push(Changed { mark: *mark, x, y, words: words(date, day) });
                }
                None => {
                    let _ = write!(half.quiet, "M{x} {y}h12v12h-12z");
                }
            }
            half.width = x + PITCH;
        }
        Some(half)
    }
}

fn month_name(date: Date) -> &'static str {
    let number = usize::try_from(date.month()).unwrap_or_default();
    MONTHS.get(number.saturating_sub(1)).copied().unwrap_or_default()
}

fn words(date: Date, day: &Day) -> String {
    format!("{} {} {}: {}", date.day(), month_name(date), date.year(), numbers(day))
}

fn numbers(day: &Day) -> String {
    let numbers = day.iter().map(|(mark, number)| format!("{number} {}", mark.word()));
    numbers.collect::<Vec<_>>().join(", ")
}

/// The picture in words: its days, or its months where there are many days.
fn told(days: &BTreeMap<Date, Day>) -> String {
    if days.len() <= MAX_TOLD {
        let days = days.iter().map(|(date, day)| words(*date, day));
        return days.collect::<Vec<_>>().join("; ");
    }
    let mut months: BTreeMap<Date, Day> = BTreeMap::new();
    for (date, day) in days {
        let month = months.entry(date.first_of_month()).or_default();
        day.iter().for_each(|(mark, number)| *month.entry(*mark).or_default() += number);
    }
    let months = months
        .iter()
        .map(|(date, month)| format!("{} {}: {}", month_name(*date), date.year(), numbers(month)));
    months.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, mark: Mark) -> (Option<Timestamp>, Mark) {
        (Some(text.parse().unwrap()), mark)
    }

    #[test]
    fn days_stand_in_their_weeks_and_the_worst_is_shown() {
        let calendar = Calendar::of([
            at("2026-11-02T23:59:59Z", Mark::Upload),
            at("2026-11-02T00:00:00Z", Mark::Replace),
            at("2026-07-01T06:00:00Z", Mark::Upload),
            at("2026-06-30T06:00:00Z", Mark::Question),
            (None, Mark::Question),
        ]);
        let names: Vec<&str> = calendar.halves.iter().map(|half| half.name.as_str()).collect();
        assert_eq!(names, ["July to December 2026", "January to June 2026"]);
        let late = &calendar.halves[0];
        assert_eq!(
            late.words,
            "1 July 2026: 1 to upload; 2 November 2026: 1 to replace, 1 to upload"
        );
        // A Wednesday of the first week, and a Monday 18 weeks later.
        let places: Vec<(i32, i32, Mark)> = late.days.iter().map(|d| (d.x, d.y, d.mark)).collect();
        assert_eq!(places, [(22, 46, Mark::Upload), (274, 18, Mark::Replace)]);
        assert_eq!(late.quiet.matches('M').count(), 184 - 2);
        assert_eq!(calendar.halves[1].quiet.matches('M').count(), 181 - 1);
    }

    #[test]
    fn many_days_are_told_by_months() {
        let days = (1..=25).map(|day| at(&format!("2024-02-{day:02}T06:00:00Z"), Mark::Upload));
        let calendar = Calendar::of(days);
        assert_eq!(calendar.halves[0].words, "February 2024: 25 to upload");
        let ends = ["-009999-01-02T12:00:00Z", "9999-12-30T12:00:00Z"];
        assert_eq!(Calendar::of(ends.map(|day| at(day, Mark::Upload))).halves.len(), 2);
    }
}
