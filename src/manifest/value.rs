//! Dates, distances and durations as people write them, in manifests and on the command line.

use jiff::civil::Date;

use super::DateBound;

/// A text that is not the value it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// Not of the form of a date.
    #[error("'{0}' is not a date")]
    Date(String),
    /// Of the form of a date, but no day of the calendar.
    #[error("there is no day {0}")]
    Day(String),
    /// Not a distance.
    #[error("'{0}' is not a distance")]
    Distance(String),
    /// Not a duration.
    #[error("'{0}' is not a duration")]
    Duration(String),
    /// Not a share.
    #[error("'{0}' is not a number from 0 to 1")]
    Ratio(String),
}

/// Reads `2024-03-31`, or `-30d` for so many days before the plan's.
pub fn date_bound(text: &str) -> Result<DateBound, BadValue> {
    if let Some(days) = text.strip_prefix('-').and_then(|rest| rest.strip_suffix('d')) {
        return digits(days)
            .filter(|days| *days <= 100_000)
            .map(DateBound::DaysAgo)
            .ok_or_else(|| BadValue::Date(text.to_owned()));
    }
    let form = text.len() == 10
        && text.char_indices().all(|(at, c)| match at {
            4 | 7 => c == '-',
            _ => c.is_ascii_digit(),
        });
    if !form {
        return Err(BadValue::Date(text.to_owned()));
    }
    text.parse::<Date>().map(DateBound::Day).map_err(|_| BadValue::Day(text.to_owned()))
}

/// Reads `800`, `500m`, `1km` or `1.5km` as metres.
pub fn distance_m(text: &str) -> Result<u32, BadValue> {
    let bad = || BadValue::Distance(text.to_owned());
    let (number, thousandths) = if let Some(number) = text.strip_suffix("km") {
        (number, 1_000_000)
    } else {
        (text.strip_suffix('m').unwrap_or(text), 1_000)
    };
    let value = decimal(number.trim_end(), thousandths).ok_or_else(bad)?;
    u32::try_from((value + 500) / 1_000).map_err(|_| bad())
}

/// Reads `90s`, `5min`, `10m`, `2h`, `30d` or sums such as `1h30m` as seconds.
pub fn duration_s(text: &str) -> Result<u32, BadValue> {
    let bad = || BadValue::Duration(text.to_owned());
    let mut rest = text;
    let mut sum = 0u32;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, tail) = rest.split_at(unit_at);
        let tail = tail.trim_start();
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let seconds = match unit {
            "s" => 1,
            "m" | "min" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return Err(bad()),
        };
        sum = digits(number)
            .and_then(|number| number.checked_mul(seconds))
            .and_then(|part| sum.checked_add(part))
            .ok_or_else(bad)?;
        rest = tail.trim_start();
    }
    if text.is_empty() { Err(bad()) } else { Ok(sum) }
}

/// Reads a share from 0 to 1 as thousandths.
pub(super) fn permille(text: &str) -> Result<u32, BadValue> {
    let bad = || BadValue::Ratio(text.to_owned());
    let value = decimal(text, 1_000).ok_or_else(bad)?;
    u32::try_from(value).ok().filter(|value| *value <= 1_000).ok_or_else(bad)
}

fn digits(text: &str) -> Option<u32> {
    let form = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    form.then(|| text.parse().ok()).flatten()
}

/// A decimal number times `unit`, without the rounding of binary fractions.
fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let whole = u64::from(digits(whole)?).checked_mul(unit)?;
    let fraction_digits = fraction.get(..fraction.len().min(6))?;
    digits(fraction)?;
    let scale = 10u64.pow(u32::try_from(fraction_digits.len()).ok()?);
    let part = u64::from(digits(fraction_digits)?) * unit / scale;
    whole.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_or_days_back() {
        assert_eq!(date_bound("-30d"), Ok(DateBound::DaysAgo(30)));
        assert_eq!(date_bound("2024-02-29"), Ok(DateBound::Day(jiff::civil::date(2024, 2, 29))));
        assert_eq!(date_bound("2023-02-29"), Err(BadValue::Day("2023-02-29".to_owned())));
        for bad in ["2023-2-1", "20230201", "30d", "-d", "-x", "", "2023-01-01T00:00"] {
            assert_eq!(date_bound(bad), Err(BadValue::Date(bad.to_owned())));
        }
    }

    #[test]
    fn distances_are_metres() {
        let cases = [
            ("1km", 1000),
            ("1.5km", 1500),
            ("500m", 500),
            ("800", 800),
            ("0.4", 0),
            ("2 km", 2000),
        ];
        for (text, metres) in cases {
            assert_eq!(distance_m(text), Ok(metres), "{text}");
        }
        for bad in ["", "km", "-1km", "1mi", "1e3", "5000000km", "1.km", "١km"] {
            assert!(distance_m(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_are_seconds() {
        let cases = [
            ("90s", 90),
            ("5min", 300),
            ("10m", 600),
            ("2h", 7200),
            ("30d", 2_592_000),
            ("1h30m", 5400),
        ];
        for (text, seconds) in cases {
            assert_eq!(duration_s(text), Ok(seconds), "{text}");
        }
        for bad in ["", "90", "m", "5 parsecs", "-5m", "99999999d"] {
            assert!(duration_s(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ratios_are_thousandths() {
        assert_eq!(permille("0.5"), Ok(500));
        assert_eq!(permille("1"), Ok(1000));
        assert_eq!(permille("0"), Ok(0));
        for bad in ["1.1", "-0.1", "50%", "nan", ".5"] {
            assert!(permille(bad).is_err(), "{bad}");
        }
    }
}
