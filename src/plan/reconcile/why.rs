//! Why a step ended as it did, as a value and in words.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::RemoteId;

/// Why a step ended as it did, for people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Why {
    /// Nothing needs to be said.
    Done,
    /// The destination computed some values again.
    Recomputed {
        /// Which, as text.
        changes: String,
    },
    /// The new one is there; some details are in the backup only.
    DetailsLacking {
        /// Id of the backup.
        backup: String,
        /// Why.
        message: String,
    },
    /// This activity is the recording.
    Same {
        /// Its id.
        id: RemoteId,
    },
    /// The source lists it no more.
    SourceGone,
    /// The source lists it otherwise than planned.
    SourceChanged,
    /// The source gave another file than the planned one.
    OtherFile,
    /// The file does not say when it began.
    NoStart,
    /// The activity to be replaced is gone or has changed.
    OldChanged,
    /// The old one was changed after the new one was sent; both are kept.
    OldChangedMeanwhile,
    /// The run was stopped.
    Stopped,
    /// The account, or the run, was given up before it.
    GivenUp {
        /// Why.
        message: String,
    },
    /// The destination's days cannot be read.
    Unread {
        /// Why, or what of it is missing.
        message: String,
    },
    /// Something of that time is at the destination.
    Question,
    /// A reason against it was found.
    Against {
        /// For people.
        message: String,
    },
    /// It was not fetched.
    NotFetched {
        /// Why.
        message: String,
    },
    /// No safe copy of the old one could be made.
    NoBackup {
        /// Why.
        message: String,
    },
    /// The old one could not be removed.
    NotRemoved {
        /// Why.
        message: String,
    },
    /// It was not sent.
    NotSent {
        /// Why.
        message: String,
    },
    /// The old one is removed and the new one not sent yet.
    Gap {
        /// Why.
        message: String,
    },
    /// Refused for good.
    Refused {
        /// In the platform's words.
        message: String,
    },
    /// Refused as a duplicate of something.
    RefusedAsDuplicate,
    /// Refused because of a deletion that has not settled.
    DeletionUnsettled,
    /// Refused, and the old one is there again.
    PutBack {
        /// Why it was refused.
        message: String,
    },
    /// Refused, and the old one waits to be put back.
    NotPutBack {
        /// Id of the backup.
        backup: String,
        /// Why.
        message: String,
    },
    /// Taken, but not listed yet.
    NotListed,
    /// Sent, and nobody knows whether it arrived.
    Unanswered,
    /// Sent and not seen, while the old one is gone.
    OnlyBackedUp {
        /// Id of the old one's backup.
        backup: String,
        /// What is known of what was sent.
        message: String,
    },
    /// It never showed, and what was there before is kept.
    NeverAppeared,
    /// Nothing of it arrived.
    NeverArrived,
    /// It is there, but others may still see it.
    NotHidden {
        /// Why.
        message: String,
    },
    /// It is there, but could not be looked into.
    NotVerified {
        /// Why.
        message: String,
    },
    /// It is there, but its details are not set yet.
    NotDetailed {
        /// Why.
        message: String,
    },
    /// It does not hold what was sent.
    NotKept {
        /// Its id.
        id: RemoteId,
        /// Whether this was so before.
        again: bool,
    },
    /// Somebody has put another version where the old one was.
    InItsPlace {
        /// Its id.
        id: RemoteId,
        /// Id of the old one's backup.
        backup: String,
    },
    /// What was sent and what was put back are both there.
    BothThere,
    /// A backup is there again, and this was taken away for it.
    TookAway {
        /// Its id.
        id: RemoteId,
        /// Id of its backup.
        backup: String,
    },
    /// It was listed, and somebody removed it.
    RemovedMeanwhile,
    /// An earlier run ended before it.
    NotBegun,
    /// A restore was asked for and not begun.
    NotPutBackYet {
        /// Id of the backup.
        backup: String,
    },
    /// An earlier run's step of the same activity is not over.
    Unsettled,
    /// A person forgot it.
    Forgotten,
}

impl fmt::Display for Why {
    #[expect(clippy::too_many_lines, reason = "a sentence for each")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done | Self::Question => Ok(()),
            Self::Recomputed { changes } => {
                write!(f, "replaced; the destination keeps it with other numbers: {changes}")
            }
            Self::DetailsLacking { backup, message } => {
                write!(f, "its title and details are in backup {backup} only: {message}")
            }
            Self::Same { id } => write!(f, "{id} at the destination is this recording"),
            Self::SourceGone => f.write_str("the source does not list it any more"),
            Self::SourceChanged => f.write_str("the source has changed; plan again"),
            Self::OtherFile => {
                f.write_str("the source gave another file than the planned one; plan again")
            }
            Self::NoStart => f.write_str("the file does not say when it began"),
            Self::OldChanged => {
                f.write_str("the activity to be replaced is gone or has changed; plan again")
            }
            Self::OldChangedMeanwhile => {
                f.write_str("the old one was changed meanwhile; both are kept")
            }
            Self::Stopped => f.write_str("the run was interrupted"),
            Self::GivenUp { message } | Self::Against { message } | Self::Unread { message } => {
                f.write_str(message)
            }
            Self::NotFetched { message } => write!(f, "not fetched: {message}"),
            Self::NoBackup { message } => {
                write!(f, "no backup could be made, so nothing was replaced: {message}")
            }
            Self::NotRemoved { message } => {
                write!(f, "the old one could not be removed: {message}")
            }
            Self::NotSent { message } => write!(f, "not sent: {message}"),
            Self::Gap { message } => {
                write!(f, "the old one is removed, the new one not sent yet: {message}")
            }
            Self::Refused { message } => write!(f, "refused: {message}"),
            Self::RefusedAsDuplicate => {
                f.write_str("the destination says that it holds this already")
            }
            Self::DeletionUnsettled => {
                f.write_str("a deleted activity of that time still stands in its way")
            }
            Self::PutBack { message } => write!(f, "refused ({message}); the old one was put back"),
            Self::NotPutBack { backup, message } => {
                write!(f, "refused; backup {backup} waits to be put back: {message}")
            }
            Self::NotListed => f.write_str("taken, but not listed yet; the next run looks again"),
            Self::Unanswered => f.write_str("sent, answer lost; the next run looks first"),
            Self::OnlyBackedUp { backup, message } => {
                write!(f, "{message}; the old one is gone and lies in backup {backup}")
            }
            Self::NeverAppeared => {
                f.write_str("it never appeared; what was there before is kept, planned again")
            }
            Self::NeverArrived => f.write_str(
                "an earlier run was interrupted and nothing arrived; the plan begins anew",
            ),
            Self::NotHidden { message } => {
                write!(f, "it is there, but could not be made private yet: {message}")
            }
            Self::NotVerified { message } => {
                write!(f, "it is there, but could not be verified yet: {message}")
            }
            Self::NotDetailed { message } => {
                write!(f, "it is there, but its details are not set yet: {message}")
            }
            Self::NotKept { id, again } => {
                write!(f, "{id} does not hold what was sent; the backup is safe")?;
                if *again {
                    f.write_str("; for the second time, so it is left as it is")
                } else {
                    Ok(())
                }
            }
            Self::InItsPlace { id, backup } => {
                write!(f, "{id} took its place meanwhile; the old one is backup {backup}")
            }
            Self::BothThere => f.write_str("the new one came late, and the old one is back, too"),
            Self::TookAway { id, backup } => {
                write!(f, "{id} was taken away for it; that is backup {backup} now")
            }
            Self::RemovedMeanwhile => f.write_str("it was there, and somebody has removed it"),
            Self::NotPutBackYet { backup } => {
                write!(f, "backup {backup} was not put back before it ended; restore it again")
            }
            Self::NotBegun => f.write_str("an earlier run ended before it; it is planned again"),
            Self::Unsettled => {
                f.write_str("what an earlier run sent or removed for it is not settled yet")
            }
            Self::Forgotten => f.write_str("forgotten by a person"),
        }
    }
}
