//! What a platform refused, and when it is looked at again.
//!
//! A refusal is a finding with a date and not a fact: a file that is missing today may be there
//! tomorrow. The first look fails its step; a second look on a later day settles it, and it is
//! looked at twice more, a week and a month later.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::{Fingerprint, RemoteId};

/// Why an activity is not synced, as an account answered or as its file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The source's id.
    pub id: RemoteId,
    /// The source's fingerprint; another one voids the refusal.
    pub fingerprint: Fingerprint,
    /// Why.
    pub reason: RefusalReason,
    /// In the platform's words.
    pub detail: String,
    /// The activity for which it was refused, if it was named: the destination's, or for a twin in
    /// the source the source's.
    pub candidate: Option<RemoteId>,
    /// When this was found first.
    pub first_seen: Timestamp,
    /// When it was found last.
    pub last_seen: Timestamp,
    /// Days on which it was looked at; 0 if no look is needed, such as where the file itself says so.
    pub looks: u32,
}

/// Why an activity is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalReason {
    /// The source holds no file for it.
    NoOriginal,
    /// Two downloads agree that the file is broken.
    Unreadable,
    /// The destination refused it.
    RejectedByDestination,
    /// The destination takes no files of that size.
    TooLarge,
    /// The destination refused it as a duplicate of something of its own.
    DuplicateAtDestination,
    /// What was to be replaced, the candidate, was changed while its successor was sent: both are there.
    ChangedOnBothSides,
    /// The source holds the same bytes under another id, the candidate.
    SameBytesInSource,
    /// The source holds the same recording under another id, the candidate.
    SameRecordingInSource,
}

impl RefusalReason {
    /// The word that stands in text and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoOriginal => "no_original",
            Self::Unreadable => "unreadable",
            Self::RejectedByDestination => "rejected_by_destination",
            Self::TooLarge => "too_large",
            Self::DuplicateAtDestination => "duplicate_at_destination",
            Self::ChangedOnBothSides => "changed_on_both_sides",
            Self::SameBytesInSource => "same_bytes_in_source",
            Self::SameRecordingInSource => "same_recording_in_source",
        }
    }
}

/// Whether a refused activity is looked at again today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalStanding {
    /// Looked at on this day already.
    LookedAtToday,
    /// To be looked at again.
    Due,
    /// Not before its next date, or not by itself.
    Settled,
}

/// Days from the n-th look to the next one.
const DAYS_TO_NEXT_LOOK: [i32; 3] = [1, 7, 30];

impl Refusal {
    /// Returns the finding of a look at an account.
    pub fn found(
        id: RemoteId,
        fingerprint: Fingerprint,
        reason: RefusalReason,
        detail: impl Into<String>,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            fingerprint,
            reason,
            detail: detail.into(),
            candidate: None,
            first_seen: at,
            last_seen: at,
            looks: 1,
        }
    }

    /// Returns the same finding as one that no look can change, and that holds until the file changes:
    /// the file itself tells it, or what was sent came out as another recording twice.
    #[must_use]
    pub fn without_looks(self) -> Self {
        Self { looks: 0, ..self }
    }

    /// Returns what is remembered once this was found after an earlier finding: the same answer
    /// counts its days, another one begins again.
    #[must_use]
    pub fn after(self, earlier: Option<&Self>) -> Self {
        let same = |earlier: &&Self| {
            earlier.reason == self.reason && earlier.fingerprint == self.fingerprint
        };
        let Some(earlier) = earlier.filter(same) else { return self };
        let is_later_day = utc_day(self.last_seen) > utc_day(earlier.last_seen);
        let looks = match (self.looks, earlier.looks) {
            (0, _) => 0,
            (_, 0) => 1,
            (_, before) => before.saturating_add(u32::from(is_later_day)),
        };
        Self {
            first_seen: earlier.first_seen.min(self.first_seen),
            last_seen: earlier.last_seen.max(self.last_seen),
            looks,
            ..self
        }
    }

    /// Whether a person must decide about it.
    pub fn is_question(&self) -> bool {
        matches!(
            self.reason,
            RefusalReason::DuplicateAtDestination | RefusalReason::ChangedOnBothSides
        )
    }

    /// Whether it is left out because its source holds it under another id, too.
    pub fn is_twin(&self) -> bool {
        matches!(
            self.reason,
            RefusalReason::SameBytesInSource | RefusalReason::SameRecordingInSource
        )
    }

    /// Whether only the first day's look has been made, which may have been bad luck.
    pub fn is_first_look(&self) -> bool {
        self.looks == 1
    }

    /// Returns the UTC day of the next look; `None` if it is not looked at by itself any more.
    pub fn next_look(&self) -> Option<Date> {
        if self.is_question() {
            return None;
        }
        let place = usize::try_from(self.looks).ok()?.checked_sub(1)?;
        let days = *DAYS_TO_NEXT_LOOK.get(place)?;
        utc_day(self.last_seen).checked_add(days.days()).ok()
    }

    /// Returns whether it is looked at again on a UTC day. A clock that was set back never makes it
    /// due.
    pub fn standing(&self, today: Date) -> RefusalStanding {
        match self.next_look() {
            _ if today <= utc_day(self.last_seen) => RefusalStanding::LookedAtToday,
            Some(day) if day <= today => RefusalStanding::Due,
            Some(_) | None => RefusalStanding::Settled,
        }
    }
}

fn utc_day(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn found(at: Timestamp) -> Refusal {
        let (id, fingerprint) = (RemoteId::new("1"), Fingerprint::new("f"));
        Refusal::found(id, fingerprint, RefusalReason::NoOriginal, "404", at)
    }

    fn day(number: i64) -> Timestamp {
        let first: Timestamp = "2026-11-01T22:30:00Z".parse().unwrap();
        first + SignedDuration::from_hours(24 * number)
    }

    /// The days on which a daily run looks.
    fn days_of_looks(days: i64) -> Vec<i64> {
        let mut known: Option<Refusal> = None;
        let mut looked = Vec::new();
        for number in 0..days {
            let due = known
                .as_ref()
                .is_none_or(|known| known.standing(utc_day(day(number))) == RefusalStanding::Due);
            if due {
                known = Some(found(day(number)).after(known.as_ref()));
                looked.push(number);
            }
        }
        looked
    }

    #[test]
    fn a_daily_run_looks_on_the_next_day_after_a_week_and_after_a_month() {
        assert_eq!(days_of_looks(400), [0, 1, 8, 38]);
    }

    #[test]
    fn what_the_file_tells_and_what_a_person_is_asked_about_are_never_due() {
        let duplicate = Refusal { reason: RefusalReason::DuplicateAtDestination, ..found(day(0)) };
        for refusal in [found(day(0)).without_looks(), duplicate] {
            assert_eq!(refusal.next_look(), None);
            assert_eq!(refusal.standing(utc_day(day(900))), RefusalStanding::Settled);
        }
    }

    #[test]
    fn another_answer_begins_again_and_another_hour_counts_nothing() {
        let first = found(day(0));
        let again = found(day(0) + SignedDuration::from_mins(30)).after(Some(&first));
        assert_eq!((again.looks, again.first_seen), (1, day(0)));
        let second = found(day(1)).after(Some(&again));
        assert_eq!((second.looks, second.first_seen, second.last_seen), (2, day(0), day(1)));
        // A person had it looked at by a clock that was set back.
        let earlier = found(day(-5)).after(Some(&second));
        assert_eq!((earlier.looks, earlier.last_seen), (2, day(1)));
        let other = Refusal { reason: RefusalReason::Unreadable, ..found(day(2)) };
        assert_eq!(other.clone().after(Some(&second)), other);
        let edited = Refusal { fingerprint: Fingerprint::new("g"), ..found(day(2)) };
        assert_eq!(edited.clone().after(Some(&second)), edited);
    }

    proptest! {
        /// Whatever a clock does, it is looked at by itself at most once on each day that the
        /// clock reaches for the first time, and four times in all.
        #[test]
        fn it_is_never_due_twice_a_day(hours in prop::collection::vec(-200i64..400, 1..60)) {
            let mut known = found(day(0));
            let mut looked = vec![utc_day(day(0))];
            let mut now = day(0);
            for step in hours {
                now += SignedDuration::from_hours(step);
                let today = utc_day(now);
                if known.standing(today) == RefusalStanding::Due {
                    prop_assert!(looked.iter().all(|before| *before < today));
                    looked.push(today);
                    known = found(now).after(Some(&known));
                }
                prop_assert_eq!(known.looks as usize, looked.len());
                prop_assert_eq!(known.first_seen, day(0));
            }
            prop_assert!(looked.len() <= 4);
        }
    }
}
