//! What the command line chooses: accounts by name, activities by filters.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::domain::{AccountName, ActivityType, SportTable, nearest};
use crate::manifest::{Account, BadValue, Filter, Located, Manifest, date_bound, pattern};

use super::args::Filters;
use super::exit::Exit;
use super::failure::Failure;

/// The day that relative dates are counted from.
pub fn utc_day(now: Timestamp) -> Date {
    Offset::UTC.to_datetime(now).date()
}

/// The account of this name.
pub fn account<'m>(manifest: &'m Manifest, name: &str) -> Result<&'m Account, Failure> {
    manifest.accounts.get(&AccountName::new(name)).ok_or_else(|| {
        let names: Vec<&str> = manifest.accounts.keys().map(AccountName::as_str).collect();
        unknown_account(name, &names)
    })
}

/// Nobody has an account of this name.
pub fn unknown_account(name: &str, known: &[&str]) -> Failure {
    let next = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean '{meant}'?"),
        None if known.is_empty() => "list it under 'accounts' in the manifest".to_owned(),
        None => format!("known accounts: {}", known.join(", ")),
    };
    Failure::new(Exit::Invalid, format!("there is no account '{name}'"), next)
}

/// The filters of a command line as those of a rule.
pub fn filter(args: &Filters, today: Date) -> Result<Filter, Failure> {
    let filter = Filter {
        types: types(&args.types)?,
        exclude_types: None,
        start_date: date("--start-date", args.start_date.as_deref())?,
        end_date: date("--end-date", args.end_date.as_deref())?,
        title: regex("--title", args.title.as_deref())?,
        device: regex("--device", args.device.as_deref())?,
        min_distance_m: args.min_distance.map(given),
        max_distance_m: args.max_distance.map(given),
        min_duration_s: args.min_duration.map(given),
        max_duration_s: args.max_duration.map(given),
    };
    check_range(&filter, today)?;
    let above = |low: &Option<Located<u32>>, high: &Option<Located<u32>>| {
        low.as_ref().zip(high.as_ref()).is_some_and(|(low, high)| low.value > high.value)
    };
    if above(&filter.min_distance_m, &filter.max_distance_m) {
        return Err(empty("--min-distance is above --max-distance"));
    }
    if above(&filter.min_duration_s, &filter.max_duration_s) {
        return Err(empty("--min-duration is above --max-duration"));
    }
    Ok(filter)
}

/// Refuses days of which none lies between the first and the last.
pub fn check_range(filter: &Filter, today: Date) -> Result<(), Failure> {
    let days = filter.start_date.as_ref().zip(filter.end_date.as_ref());
    if days.is_some_and(|(start, end)| start.value.on(today) > end.value.on(today)) {
        return Err(empty("--start-date is after --end-date"));
    }
    Ok(())
}

fn empty(what: &str) -> Failure {
    Failure::new(Exit::Invalid, format!("{what}: that leaves nothing"), "exchange or correct them")
}

fn given<T>(value: T) -> Located<T> {
    Located { value, line: None }
}

/// Types by any of their names.
pub fn types(names: &[String]) -> Result<Option<Located<Vec<ActivityType>>>, Failure> {
    let mut types = Vec::new();
    for name in names.iter().map(|name| name.trim()) {
        let kind = ActivityType::parse(name).ok_or_else(|| {
            let next = nearest(name, SportTable::names()).map_or_else(
                || "name a platform's own type as garmin:KEY or coros:CODE".to_owned(),
                |meant| format!("did you mean '{meant}'?"),
            );
            Failure::new(Exit::Invalid, format!("there is no activity type '{name}'"), next)
        })?;
        types.push(kind);
    }
    Ok((!types.is_empty()).then(|| given(types)))
}

/// A day of the command line.
pub fn date(
    option: &str,
    text: Option<&str>,
) -> Result<Option<Located<crate::manifest::DateBound>>, Failure> {
    let bad = |error: BadValue| {
        let next = "write a day such as 2024-03-31, or days back such as -30d";
        Failure::new(Exit::Invalid, format!("{option}: {error}"), next)
    };
    Ok(text.map(date_bound).transpose().map_err(bad)?.map(given))
}

fn regex(option: &str, text: Option<&str>) -> Result<Option<Located<regex::Regex>>, Failure> {
    let bad = |detail: String| {
        let happened = format!("{option} is no regular expression: {detail}");
        let next = "put a backslash before a sign that is meant literally, such as \\( or \\*";
        Failure::new(Exit::Invalid, happened, next)
    };
    Ok(text.map(pattern).transpose().map_err(bad)?.map(given))
}
