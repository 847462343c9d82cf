//! Names of everything that may be odd in a world, so that each can be turned on and off.

use std::fmt;
use std::str::FromStr;

macro_rules! switches {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// Something that may be odd in a world.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Switch { $($(#[$doc])* $variant,)* }

        impl Switch {
            /// Every switch.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name on a command line.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

switches! {
    /// Uploads are listed after a while, within the settling time.
    ListedLate = "listed-late",
    /// Uploads are listed hours or days later.
    ListedVeryLate = "listed-very-late",
    /// Removed activities are listed for a while.
    ForgottenLate = "forgotten-late",
    /// Removed activities refuse their successor for a while.
    UnsettledDeletions = "unsettled-deletions",
    /// A whole reading believes what is known as long as the count fits.
    CountsOnly = "counts-only",
    /// Lists come in small pages.
    Pages = "pages",
    /// A new activity arrives while pages are read.
    TotalsMove = "totals-move",
    /// A page in the middle is empty.
    Gap = "gap",
    /// The first page is empty.
    EmptyPage = "empty-page",
    /// A file cannot be read, so that its row is missing.
    Unreadable = "unreadable",
    /// Ids change after the first listing.
    ChangesIds = "changes-ids",
    /// An upload is answered without an id, or with one that is never listed.
    NoId = "no-id",
    /// An account names what it was given, listed or not.
    NamesUploads = "names-uploads",
    /// An upload is answered with the id of another activity.
    NeighbourId = "neighbour-id",
    /// An upload is answered with success and nothing is stored.
    Dropped = "dropped",
    /// Some sources are private, and every upload is public at first.
    Private = "private",
    /// Rows do not say who may see an activity.
    RowsHidePrivacy = "rows-hide-privacy",
    /// Edits of privacy fail.
    PrivacyRefused = "privacy-refused",
    /// Edits of privacy are not kept.
    PrivacyIgnored = "privacy-ignored",
    /// An upload is refused once with unknown words.
    Refused = "refused",
    /// An upload is refused in favour of another activity, or of one that is gone.
    NamedDuplicate = "named-duplicate",
    /// One file is always refused.
    PoisonFile = "poison-file",
    /// A download finds nothing, or half a file, once.
    MissingFile = "missing-file",
    /// Every download gives other bytes.
    ExportsAgain = "exports-again",
    /// Answers get lost, whether or not the request was done.
    AnswerLost = "answer-lost",
    /// An answer is not understood.
    OddAnswer = "odd-answer",
    /// An account fails for a while.
    Down = "down",
    /// An account asks to wait for a day.
    LongWait = "long-wait",
    /// A listing that shrank by half is not believed; people remove nothing then.
    Guarded = "guarded",
    /// The session ends.
    LoginLost = "login-lost",
    /// The process is killed.
    Kill = "kill",
    /// Somebody wants it to stop.
    Stop = "stop",
    /// A plan is saved and applied later.
    SavedPlan = "saved-plan",
    /// A backup is put back.
    Restore = "restore",
    /// The state is lost.
    LostState = "lost-state",
    /// The clock is set back.
    ClockBack = "clock-back",
    /// One account has two names.
    SecondName = "second-name",
    /// The source holds equal bytes twice.
    Twins = "twins",
    /// Several devices record one event.
    Devices = "devices",
    /// People add activities.
    PeopleAdd = "people-add",
    /// People remove activities.
    PeopleRemove = "people-remove",
    /// People remove activities and import them again.
    PeopleReimport = "people-reimport",
    /// People correct activities.
    PeopleCorrect = "people-correct",
    /// People store another recording under a known id.
    PeopleSwap = "people-swap",
    /// People write titles.
    PeopleRename = "people-rename",
    /// People make activities private.
    PeopleHide = "people-hide",
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|switch| switch.as_str() == word);
        known.copied().ok_or_else(|| format!("there is no switch '{word}'"))
    }
}
