//! What an account is like on every day, good or bad: each quirk a switch of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use fit_sync::clock::Clock;
use fit_sync::domain::Sha256;
use fit_sync::platform::PlatformError;
use jiff::{SignedDuration, Timestamp};

/// Lasting oddities of an account; the default has none.
#[derive(Clone, Default)]
pub struct Quirks {
    /// What the account tells the time by; without one no time passes there.
    pub clock: Option<Arc<dyn Clock>>,
    /// How long an uploaded activity stays out of the lists.
    pub listed_late: Option<Delay>,
    /// How long a removed activity stays in the lists.
    pub forgotten_late: Option<Delay>,
    /// A reading without a window gives back the known rows as long as the count fits.
    pub counts_only: bool,
    /// An uploaded activity gets another id once it was listed.
    pub changes_ids: bool,
    /// By which id an upload is answered.
    pub answers: Answers,
    /// What becomes of an edit of who may see an activity.
    pub privacy_edits: PrivacyEdits,
    /// Rows do not say who may see an activity; its details do.
    pub rows_hide_privacy: bool,
    /// Files that are always refused, and how.
    pub refused: BTreeMap<Sha256, PlatformError>,
    /// Turns the stored bytes into those of the n-th download.
    pub exports_again: Option<Export>,
}

/// The bytes of an export, from the stored ones and its number.
pub type Export = fn(&[u8], u8) -> Vec<u8>;

/// How long something takes to show: so many listings or so much time, whichever ends first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// Listings that do not show it.
    pub listings: u32,
    /// Seconds at most.
    pub seconds: u32,
}

/// By which id an upload is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answers {
    /// By its own.
    #[default]
    Own,
    /// By one under which nothing is ever listed.
    Unlisted,
    /// By none.
    Missing,
    /// By that of another activity, if there is one.
    Neighbour,
}

/// What becomes of an edit of who may see an activity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrivacyEdits {
    /// It is kept.
    #[default]
    Kept,
    /// It is refused.
    Refused,
    /// It is answered with success and not kept.
    Ignored,
}

/// Something that does not show yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lag {
    listings: u32,
    until: Option<Timestamp>,
}

impl Lag {
    /// Begins a delay now.
    pub(super) fn begin(delay: Delay, now: Option<Timestamp>) -> Self {
        let seconds = SignedDuration::from_secs(i64::from(delay.seconds));
        let until = now.and_then(|now| now.checked_add(seconds).ok());
        Self { listings: delay.listings, until }
    }

    /// Lasts for this number of listings.
    pub(super) fn of_listings(listings: u32) -> Self {
        Self { listings, until: None }
    }

    pub(super) fn is_over(&self, now: Option<Timestamp>) -> bool {
        let is_late = self.until.zip(now).is_some_and(|(until, now)| now >= until);
        self.listings == 0 || is_late
    }

    /// Counts one listing.
    pub(super) fn listed(&mut self) {
        self.listings = self.listings.saturating_sub(1);
    }
}
