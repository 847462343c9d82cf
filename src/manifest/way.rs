//! Rules of the command line: a way between two accounts that no manifest names, and a filter made
//! narrower.

use jiff::civil::Date;

use crate::domain::{AccountName, ActivityType, Catalog, RuleName};

use super::check::takes_uploads;
use super::rules::implied_name;
use super::{ConflictStrategy, DateBound, Filter, Located, Manifest, Rule};

/// Why there is no way between two accounts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadWay {
    /// Both ends are one account.
    #[error("'{0}' is source and destination at once")]
    SameAccount(AccountName),
    /// The manifest has no such account.
    #[error("there is no account '{0}'")]
    UnknownAccount(AccountName),
    /// The destination takes no activities.
    #[error("nothing can be uploaded to '{0}'")]
    CannotUpload(AccountName),
}

/// The rule from one account to another as if the manifest had it, without any filter.
pub fn one_way(
    manifest: &Manifest,
    catalog: &Catalog,
    source: &AccountName,
    destination: &AccountName,
) -> Result<Rule, BadWay> {
    let known = |name: &AccountName| {
        let account = manifest.accounts.get(name);
        account.ok_or_else(|| BadWay::UnknownAccount(name.clone()))
    };
    known(source)?;
    let there = known(destination)?;
    if source == destination {
        return Err(BadWay::SameAccount(source.clone()));
    }
    let spec = catalog.platform(&there.platform);
    if spec.is_some_and(|spec| !takes_uploads(spec, there)) {
        return Err(BadWay::CannotUpload(destination.clone()));
    }
    let base = implied_name(source, destination);
    let is_free = |name: &String| manifest.rules.iter().all(|rule| rule.name.as_str() != name);
    let names = (1..).map(|number| match number {
        1 => base.clone(),
        number => format!("{base}-{number}"),
    });
    Ok(Rule {
        name: RuleName::new(names.into_iter().find(is_free).unwrap_or_default()),
        source: source.clone(),
        destination: destination.clone(),
        filter: Filter::default(),
        strategy: ConflictStrategy::default(),
        line: 0,
    })
}

impl Filter {
    /// Takes nothing any more that the other one does not take by its types and days.
    pub fn narrow(&mut self, other: &Self, today: Date) {
        if let Some(types) = &other.types {
            let own = self.types.as_ref().map(|own| own.value.as_slice());
            let value = common(own, &types.value);
            self.types = Some(Located { value, line: types.line });
        }
        let first = tighter(self.start_date.take(), other.start_date.clone(), |own, new| {
            new.on(today) > own.on(today)
        });
        let last = tighter(self.end_date.take(), other.end_date.clone(), |own, new| {
            new.on(today) < own.on(today)
        });
        (self.start_date, self.end_date) = (first, last);
    }
}

/// The types that both lists take; a family stands for its members.
fn common(own: Option<&[ActivityType]>, other: &[ActivityType]) -> Vec<ActivityType> {
    let Some(own) = own else { return other.to_vec() };
    let within = |some: &[ActivityType], all: &[ActivityType]| {
        let taken = some.iter().filter(|kind| all.iter().any(|wide| wide.includes(kind)));
        taken.cloned().collect::<Vec<_>>()
    };
    let mut types = within(own, other);
    types.extend(within(other, own));
    types.sort();
    types.dedup();
    types
}

fn tighter(
    own: Option<Located<DateBound>>,
    new: Option<Located<DateBound>>,
    is_tighter: impl Fn(DateBound, DateBound) -> bool,
) -> Option<Located<DateBound>> {
    match (own, new) {
        (Some(own), Some(new)) if is_tighter(own.value, new.value) => Some(new),
        (Some(own), _) => Some(own),
        (None, new) => new,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn kinds(names: &[&str]) -> Vec<ActivityType> {
        names.iter().map(|name| ActivityType::parse(name).unwrap()).collect()
    }

    fn located<T>(value: T, line: Option<usize>) -> Option<Located<T>> {
        Some(Located { value, line })
    }

    #[test]
    fn types_are_those_that_both_take() {
        let cases: [(&[&str], &[&str], &[&str]); 4] = [
            (&["running"], &["trail_running", "cycling"], &["trail_running"]),
            (&["trail_running"], &["running"], &["trail_running"]),
            (&["running", "cycling"], &["cycling", "running"], &["cycling", "running"]),
            (&["hiking"], &["running"], &[]),
        ];
        for (own, other, both) in cases {
            assert_eq!(common(Some(&kinds(own)), &kinds(other)), kinds(both), "{own:?} {other:?}");
        }
        assert_eq!(common(None, &kinds(&["running"])), kinds(&["running"]));
    }

    #[test]
    fn of_two_days_the_tighter_one_holds() {
        let today = date(2026, 11, 20);
        let mut own = Filter {
            start_date: located(DateBound::Day(date(2026, 1, 1)), Some(7)),
            end_date: located(DateBound::DaysAgo(1), Some(8)),
            ..Filter::default()
        };
        let flags = Filter {
            start_date: located(DateBound::DaysAgo(30), None),
            end_date: located(DateBound::Day(date(2026, 12, 31)), None),
            ..Filter::default()
        };
        own.narrow(&flags, today);
        let (start, end) = (own.start_date.unwrap(), own.end_date.unwrap());
        assert_eq!((start.value, start.line), (DateBound::DaysAgo(30), None));
        assert_eq!((end.value, end.line), (DateBound::DaysAgo(1), Some(8)));
        let mut none = Filter::default();
        none.narrow(&flags, today);
        assert_eq!(none.start_date.unwrap().value, DateBound::DaysAgo(30));
    }
}
