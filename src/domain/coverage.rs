//! How much of a reading was read row by row at its moment.

use jiff::Timestamp;

/// The part of a listing that the platform listed row by row at that moment; the rest is what an
/// earlier reading knew.
///
/// Only what was read proves that something is there, or is not. A listing that is incomplete
/// proves no absence, whatever it covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coverage {
    /// Nothing of it.
    #[default]
    Remembered,
    /// Every activity that starts at this moment or later.
    Since(Timestamp),
    /// Everything that was asked for.
    Whole,
}

impl Coverage {
    /// Returns what two parts of one listing cover together.
    #[must_use]
    pub fn weaker(self, other: Self) -> Self {
        match (self, other) {
            (Self::Remembered, _) | (_, Self::Remembered) => Self::Remembered,
            (Self::Since(a), Self::Since(b)) => Self::Since(a.max(b)),
            (Self::Since(at), Self::Whole) | (Self::Whole, Self::Since(at)) => Self::Since(at),
            (Self::Whole, Self::Whole) => Self::Whole,
        }
    }

    /// Returns whether activities that start at a moment or later were all read.
    pub fn reaches(self, start: Timestamp) -> bool {
        match self {
            Self::Remembered => false,
            Self::Since(at) => at <= start,
            Self::Whole => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_parts_the_weaker_counts() {
        let at = |second: i64| Coverage::Since(Timestamp::from_second(second).unwrap());
        let all = [Coverage::Remembered, at(2), at(1), Coverage::Whole];
        for (i, a) in all.into_iter().enumerate() {
            for (j, b) in all.into_iter().enumerate() {
                assert_eq!(a.weaker(b), all[i.min(j)], "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn a_start_is_reached_by_what_was_read_from_it_or_from_before() {
        let at = |second: i64| Timestamp::from_second(second).unwrap();
        assert!(!Coverage::Remembered.reaches(at(5)));
        assert!(Coverage::Since(at(5)).reaches(at(5)));
        assert!(!Coverage::Since(at(5)).reaches(at(4)));
        assert!(Coverage::Whole.reaches(at(0)));
    }
}
