//! Why something is in a plan: closed lists, the same words in text and JSON.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::RefusalReason;

macro_rules! reasons {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every reason of this kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word that stands in text and JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

reasons! {
    /// Why a step is planned.
    StepReason {
        /// The destination does not have it.
        MissingAtDestination = "missing_at_destination",
        /// A person said that it is none of those there.
        Distinct = "distinct",
        /// The same activity with other content.
        ContentDiffers = "content_differs",
        /// Asked for with `--force`.
        Forced = "forced",
    }
}

reasons! {
    /// Why nothing needs to be done.
    InSyncReason {
        /// An earlier run made or found the pair.
        Linked = "linked",
        /// Both sides hold the same bytes.
        SameBytes = "same_bytes",
        /// Both sides hold the same recording.
        SameActivity = "same_activity",
        /// A person said that both are the same.
        Adopted = "adopted",
        /// Sent, not listed yet.
        Pending = "pending",
    }
}

reasons! {
    /// Why an activity is left alone.
    SkipReason {
        /// The rule's types do not take it.
        FilteredType = "filtered_type",
        /// The rule's dates do not take it.
        FilteredDate = "filtered_date",
        /// Another filter of the rule does not take it.
        Filtered = "filtered",
        /// The source holds no file for it.
        NoOriginal = "no_original",
        /// The file is broken.
        Unreadable = "unreadable",
        /// A FIT file of another type.
        NotAnActivity = "not_an_activity",
        /// The device did not know the time.
        ClockNotSet = "clock_not_set",
        /// The destination's platform cannot hold it.
        UnsupportedByDestination = "unsupported_by_destination",
        /// The destination refused it.
        RejectedByDestination = "rejected_by_destination",
        /// Larger than the destination takes.
        TooLarge = "too_large",
        /// A person removed it at the destination.
        RemovedAtDestination = "removed_at_destination",
        /// It came from that destination.
        IsOurCopy = "is_our_copy",
        /// Another rule owns this event.
        CoveredByRule = "covered_by_rule",
        /// The source holds the same bytes twice.
        SameBytesInSource = "same_bytes_in_source",
        /// The source holds the same recording twice, in files that differ in their bytes only.
        SameRecordingInSource = "same_recording_in_source",
        /// A person said so.
        Ignored = "ignored",
        /// There, but its content has not been compared yet.
        NotCompared = "not_compared",
    }
}

reasons! {
    /// Why a person must decide.
    ConflictReason {
        /// Several could be it.
        Ambiguous = "ambiguous",
        /// The same but for a shift by quarter hours.
        PossibleTimeZoneDuplicate = "possible_time_zone_duplicate",
        /// A part of another activity, or the whole of it.
        Contained = "contained",
        /// Partly the same time as another activity.
        PartialOverlap = "partial_overlap",
        /// Edited here and there.
        ChangedOnBothSides = "changed_on_both_sides",
        /// The one to be replaced holds more.
        WouldLoseData = "would_lose_data",
        /// Accepted long ago and never listed.
        NeverAppeared = "never_appeared",
        /// One file with several activities.
        SeveralActivities = "several_activities",
        /// Refused as a duplicate of something that is there.
        RefusedByDestination = "refused_by_destination",
    }
}

impl From<RefusalReason> for SkipReason {
    fn from(reason: RefusalReason) -> Self {
        match reason {
            RefusalReason::NoOriginal => Self::NoOriginal,
            RefusalReason::Unreadable => Self::Unreadable,
            RefusalReason::RejectedByDestination
            | RefusalReason::DuplicateAtDestination
            | RefusalReason::ChangedOnBothSides => Self::RejectedByDestination,
            RefusalReason::TooLarge => Self::TooLarge,
            RefusalReason::SameBytesInSource => Self::SameBytesInSource,
            RefusalReason::SameRecordingInSource => Self::SameRecordingInSource,
        }
    }
}
