//! Files of a destination that cannot be opened now. Each may hold a recording of the day that its name
//! tells, so nothing is written on those days before it can be read or a person says that it is none.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::domain::{
    AccountName, Activity, Decision, ProfileId, RemoteId, RuleName, Verdict, neutralise,
};

use super::context::{Blocked, BlockedReason};
use super::world::{AccountView, World, is_party};

/// Files that one message names.
const MAX_NAMED: usize = 3;

/// The files of a destination that cannot be opened, and which rules wait for them.
pub(super) struct Unopened<'a> {
    account: &'a AccountName,
    files: Vec<&'a Activity>,
    waiting: BTreeMap<&'a RuleName, BTreeSet<usize>>,
}

impl<'a> Unopened<'a> {
    pub(super) fn of(
        world: &'a World<'_>,
        account: &'a AccountName,
        view: &'a AccountView<'_>,
    ) -> Self {
        let profile = view.profile.as_ref();
        let decisions = &world.memory.decisions;
        let files = view.inventory.unopened();
        let files = files.filter(|file| !is_ruled_out(decisions, account, profile, file));
        let mut files: Vec<&Activity> = files.collect();
        files.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        Self { account, files, waiting: BTreeMap::new() }
    }

    /// Whether one of them may hold what began then.
    pub(super) fn hides(&self, start: Option<Timestamp>) -> bool {
        self.files.iter().any(|file| may_hold(file, start))
    }

    /// Lets what began then wait for those that may hold it; returns the first one's name.
    pub(super) fn await_for(
        &mut self,
        rule: &'a RuleName,
        start: Option<Timestamp>,
    ) -> Option<&'a RemoteId> {
        let hiding = self.files.iter().enumerate().filter(|(_, file)| may_hold(file, start));
        let places: Vec<usize> = hiding.map(|(place, _)| place).collect();
        let first = self.files.get(*places.first()?)?;
        self.waiting.entry(rule).or_default().extend(places);
        Some(&first.id)
    }

    /// The rules of which something waits, each with the files that it waits for.
    pub(super) fn blocked(self) -> Vec<Blocked> {
        let Self { account, files, waiting } = self;
        let blocked = |(rule, places): (&RuleName, BTreeSet<usize>)| {
            let files: Vec<&Activity> =
                places.iter().filter_map(|place| files.get(*place).copied()).collect();
            Blocked {
                rule: rule.clone(),
                account: account.clone(),
                reason: BlockedReason::InventoryIncomplete,
                message: message(account, &files),
                files: files.iter().map(|file| neutralise(file.id.as_str())).collect(),
            }
        };
        waiting.into_iter().map(blocked).collect()
    }
}

/// Whether a person said that a file which cannot be opened holds nothing of interest.
pub fn is_ruled_out(
    decisions: &[Decision],
    account: &AccountName,
    profile: Option<&ProfileId>,
    file: &Activity,
) -> bool {
    decisions.iter().any(|decision| {
        decision.decision == Verdict::Ignore
            && decision.rule.as_str() == decision.source.account.as_str()
            && is_party(&decision.source, account, profile, file)
    })
}

/// Whether a file that cannot be opened may hold what began then: by the day in its name, which may be
/// one of another zone; without one it may hold anything.
pub fn may_hold(file: &Activity, start: Option<Timestamp>) -> bool {
    if file.unopened().is_none() {
        return false;
    }
    let days =
        day_in_name(file.id.as_str()).zip(start.map(|at| Offset::UTC.to_datetime(at).date()));
    days.is_none_or(|(named, day)| named.until(day).is_ok_and(|apart| apart.get_days().abs() <= 1))
}

/// The one day, as `YYYY-MM-DD`, that a file's name tells.
fn day_in_name(id: &str) -> Option<Date> {
    const LENGTH: usize = "2026-11-19".len();
    let name = id.rsplit('/').next().unwrap_or(id);
    let is_digit = |place: usize| name.as_bytes().get(place).is_some_and(u8::is_ascii_digit);
    let days = (0..name.len()).filter(|place| !place.checked_sub(1).is_some_and(is_digit));
    let days = days.filter(|place| !is_digit(place + LENGTH));
    let days = days.filter_map(|place| name.get(place..place + LENGTH)?.parse::<Date>().ok());
    let days: BTreeSet<Date> = days.collect();
    days.first().copied().filter(|_| days.len() == 1)
}

fn message(account: &AccountName, files: &[&Activity]) -> String {
    let named = files.iter().take(MAX_NAMED);
    let named: Vec<String> =
        named.map(|file| format!("{} {}", file.id, file.unopened().unwrap_or_default())).collect();
    let further = match files.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!("; {more} further files cannot be opened"),
    };
    let waits = match files.iter().all(|file| day_in_name(file.id.as_str()).is_some()) {
        true => "what may lie in it, by the day in its name, waits",
        false => "all that would go there waits",
    };
    let first = files.first().map(|file| file.id.as_str()).unwrap_or_default();
    neutralise(&format!(
        "{}{further}; {waits}; `fit_sync state ignore {account}/{first}` goes on without it",
        named.join("; ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Fingerprint, Unusable};

    fn file(id: &str) -> Activity {
        let reason = Unusable::Unopened { detail: "cannot be opened".to_owned() };
        Activity::unusable(RemoteId::new(id), Fingerprint::new("f"), reason)
    }

    #[test]
    fn a_files_name_tells_the_one_day_that_it_may_be_of() {
        let day = |id: &str| day_in_name(id).map(|day| day.to_string());
        let named = Some("2026-11-19".to_owned());
        assert_eq!(day("running/2026/2026-11-19_061233_running.fit"), named);
        assert_eq!(day("2026-11-19-06-12-33.fit"), named);
        assert_eq!(day("Ride of 2026-11-19.fit.gz"), named);
        for vague in [
            "running/2026-11-19/a.fit",
            "12026-11-19.fit",
            "2026-11-190.fit",
            "2026-13-19.fit",
            "2026-11-19 to 2026-11-20.fit",
            "20261119.fit",
            "é2026-11-1.fit",
            "",
        ] {
            assert_eq!(day(vague), None, "{vague}");
        }
    }

    #[test]
    fn what_lies_within_a_day_of_the_name_waits() {
        let start = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let dated = file("2026-11-19_061233_running.fit");
        assert!(may_hold(&dated, start("2026-11-18T00:00:00Z")));
        assert!(may_hold(&dated, start("2026-11-20T23:59:59Z")));
        assert!(!may_hold(&dated, start("2026-11-17T23:59:59Z")));
        assert!(!may_hold(&dated, start("2026-11-21T00:00:00Z")));
        assert!(may_hold(&dated, None));
        assert!(may_hold(&file("a.fit"), start("2020-01-01T00:00:00Z")));
        let read = Activity { unusable: None, ..file("a.fit") };
        assert!(!may_hold(&read, start("2020-01-01T00:00:00Z")));
    }
}
