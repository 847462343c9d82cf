//! A world as a value: what the accounts are like and hold, which rules connect them, and what
//! happens. The same value always gives the same story.

use std::fmt;

use super::recordings::Recording;
use super::switches::Switch;
use crate::support::memory::{Answers, Operation};

/// The accounts' names in stories.
pub(crate) const NAMES: [&str; 3] = ["ann", "ben", "cyd"];

/// A world and its story.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) accounts: Vec<Account>,
    pub(crate) rules: Vec<Rule>,
    /// A listing of less than half of what was listed before is not believed.
    pub(crate) is_guarded: bool,
    /// What the accounts hold on the first day.
    pub(crate) held: Vec<Held>,
    pub(crate) acts: Vec<Act>,
}

/// An account.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Refuses a second activity of the same start, so that a replace deletes first.
    pub(crate) refuses_duplicates: bool,
    /// Lists show the bytes, as a folder's do.
    pub(crate) lists_bytes: bool,
    pub(crate) quirks: Vec<Quirk>,
}

/// A lasting oddity of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quirk {
    ListedLate {
        listings: u32,
    },
    ListedVeryLate {
        hours: u32,
    },
    ForgottenLate {
        listings: u32,
    },
    UnsettledDeletions(u32),
    CountsOnly,
    Pages(u8),
    ChangesIds,
    Answers(Answers),
    PrivacyRefused,
    PrivacyIgnored,
    RowsHidePrivacy,
    ExportsAgain,
    NamesUploads,
    Refuses {
        recording: Recording,
        with: Words,
    },
    /// A second name of this account is the destination of the last rule.
    SecondName,
}

/// How a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Unknown,
    Rejected,
    Duplicate,
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) source: usize,
    pub(crate) destination: usize,
    pub(crate) replaces: bool,
}

/// An activity that a person puts into an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) account: usize,
    pub(crate) recording: Recording,
    pub(crate) private: bool,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// `apply`, or `apply FILE` with the plan that was saved last.
    Apply(Run),
    /// `plan --out FILE`.
    SavePlan,
    /// `backup restore` of the backup of this number.
    Restore(usize, Run),
    LoseState,
    Person(Edit),
    Wait {
        hours: u32,
    },
    ClockBack {
        hours: u32,
    },
}

/// What befalls a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    pub(crate) is_saved: bool,
    pub(crate) troubles: Vec<Trouble>,
    /// Edits between plan and apply.
    pub(crate) between: Vec<Edit>,
    pub(crate) kill: Option<Kill>,
    /// A wish to stop before the call of this number.
    pub(crate) stop: Option<u32>,
}

/// The process dies at the call of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kill {
    pub(crate) call: u32,
    /// The call has its effect first.
    pub(crate) after: bool,
}

/// A call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) account: usize,
    pub(crate) operation: Operation,
    /// Calls of its kind that pass before.
    pub(crate) after: u32,
    /// Calls that it befalls.
    pub(crate) times: u32,
    pub(crate) wrong: Wrong,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Down,
    TooMany,
    LongWait,
    Odd,
    Missing,
    AnswerLost,
    NothingDoneAnswerLost,
    SessionEnds,
    Truncated,
    NamesLiving,
    NamesDeleted,
    NamesNone,
    Dropped,
    Refused,
    KeepsPrivacy,
    Gap,
    Empty,
    Unreadable,
    Arrives,
}

/// What a person does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    Add(Held),
    /// By its place among what the account holds.
    Remove(usize, usize),
    /// Removed and imported again.
    Reimport(usize, usize),
    Correct(usize, usize),
    /// Another recording takes the id.
    Swap(usize, usize, Recording),
    Rename(usize, usize),
    Hide(usize, usize),
}

impl World {
    /// Puts a name to an account.
    pub(crate) fn name(account: usize) -> &'static str {
        NAMES.get(account).copied().unwrap_or("?")
    }

    /// Every switch that this world needs.
    pub(crate) fn switches(&self) -> Vec<Switch> {
        let quirks = self.accounts.iter().flat_map(|account| &account.quirks).map(Quirk::switch);
        let acts = self.acts.iter().flat_map(Act::switches);
        let guarded = self.is_guarded.then_some(Switch::Guarded);
        let mut switches: Vec<Switch> = quirks.chain(acts).chain(guarded).collect();
        let recordings = self.held.iter().map(|held| held.recording);
        let has_twins = self.held.iter().enumerate().any(|(place, held)| {
            self.held
                .iter()
                .skip(place + 1)
                .any(|other| other.account == held.account && other.recording == held.recording)
        });
        switches.extend(has_twins.then_some(Switch::Twins));
        let has_devices = recordings.into_iter().any(|recording| recording.device > 0);
        switches.extend(has_devices.then_some(Switch::Devices));
        let is_private = self.held.iter().any(|held| held.private);
        switches.extend(is_private.then_some(Switch::Private));
        switches.sort_unstable();
        switches.dedup();
        switches
    }
}

impl Quirk {
    pub(crate) fn switch(&self) -> Switch {
        match self {
            Self::ListedLate { .. } => Switch::ListedLate,
            Self::ListedVeryLate { .. } => Switch::ListedVeryLate,
            Self::ForgottenLate { .. } => Switch::ForgottenLate,
            Self::UnsettledDeletions(_) => Switch::UnsettledDeletions,
            Self::CountsOnly => Switch::CountsOnly,
            Self::Pages(_) => Switch::Pages,
            Self::ChangesIds => Switch::ChangesIds,
            Self::Answers(Answers::Neighbour) => Switch::NeighbourId,
            Self::Answers(Answers::Unlisted | Answers::Missing | Answers::Own) => Switch::NoId,
            Self::PrivacyRefused => Switch::PrivacyRefused,
            Self::PrivacyIgnored => Switch::PrivacyIgnored,
            Self::RowsHidePrivacy => Switch::RowsHidePrivacy,
            Self::ExportsAgain => Switch::ExportsAgain,
            Self::NamesUploads => Switch::NamesUploads,
            Self::Refuses { .. } => Switch::PoisonFile,
            Self::SecondName => Switch::SecondName,
        }
    }
}

impl Act {
    fn switches(&self) -> Vec<Switch> {
        match self {
            Self::Apply(run) => {
                run.switches().chain(run.is_saved.then_some(Switch::SavedPlan)).collect()
            }
            Self::SavePlan => vec![Switch::SavedPlan],
            Self::Restore(_, run) => run.switches().chain([Switch::Restore]).collect(),
            Self::LoseState => vec![Switch::LostState],
            Self::Person(edit) => vec![edit.switch()],
            Self::Wait { .. } => Vec::new(),
            Self::ClockBack { .. } => vec![Switch::ClockBack],
        }
    }
}

impl Run {
    /// Whether nothing befalls it.
    pub(crate) fn is_plain(&self) -> bool {
        let is_calm = self.troubles.is_empty() && self.between.is_empty();
        is_calm && self.kill.is_none() && self.stop.is_none()
    }

    fn switches(&self) -> impl Iterator<Item = Switch> {
        let troubles = self.troubles.iter().map(|trouble| trouble.wrong.switch());
        let edits = self.between.iter().map(Edit::switch);
        let kill = self.kill.map(|_| Switch::Kill);
        troubles.chain(edits).chain(kill).chain(self.stop.map(|_| Switch::Stop))
    }
}

impl Wrong {
    pub(crate) fn switch(self) -> Switch {
        match self {
            Self::Down | Self::TooMany => Switch::Down,
            Self::LongWait => Switch::LongWait,
            Self::Odd => Switch::OddAnswer,
            Self::Missing | Self::Truncated => Switch::MissingFile,
            Self::AnswerLost | Self::NothingDoneAnswerLost => Switch::AnswerLost,
            Self::SessionEnds => Switch::LoginLost,
            Self::NamesLiving | Self::NamesDeleted | Self::NamesNone => Switch::NamedDuplicate,
            Self::Dropped => Switch::Dropped,
            Self::Refused => Switch::Refused,
            Self::KeepsPrivacy => Switch::PrivacyIgnored,
            Self::Gap => Switch::Gap,
            Self::Empty => Switch::EmptyPage,
            Self::Unreadable => Switch::Unreadable,
            Self::Arrives => Switch::TotalsMove,
        }
    }
}

impl Edit {
    pub(crate) fn switch(&self) -> Switch {
        match self {
            Self::Add(_) => Switch::PeopleAdd,
            Self::Remove(..) => Switch::PeopleRemove,
            Self::Reimport(..) => Switch::PeopleReimport,
            Self::Correct(..) => Switch::PeopleCorrect,
            Self::Swap(..) => Switch::PeopleSwap,
            Self::Rename(..) => Switch::PeopleRename,
            Self::Hide(..) => Switch::PeopleHide,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (World::name(self.source), World::name(self.destination));
        write!(f, "{from} -> {to}{}", if self.replaces { ", replaces" } else { "" })
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.refuses_duplicates {
            "refuses duplicates"
        } else {
            "takes duplicates"
        })?;
        if self.lists_bytes {
            f.write_str(", lists bytes")?;
        }
        for quirk in &self.quirks {
            write!(f, ", {quirk:?}")?;
        }
        Ok(())
    }
}
