//! Makes the accounts in memory what a world says they are like.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::Arc;

use fit_sync::domain::{ReplaceProtocol, Sha256, Unlisted};
use fit_sync::platform::{PlatformError, Rejection};

use super::ledger::SETTLE_S;
use super::recordings;
use super::time::{Time, TrueClock};
use super::world::{Account, Quirk, Words, World};
use crate::support::memory::{Delay, Duplicates, Memory, PrivacyEdits, Settings};

/// Which account each account's name stands for: the last one may be a second name.
pub(crate) fn owners(world: &World) -> Vec<usize> {
    let has_two = |account: &Account| account.quirks.contains(&Quirk::SecondName);
    let first = world.accounts.iter().position(has_two);
    let last = world.accounts.len().saturating_sub(1);
    (0..world.accounts.len())
        .map(|number| match first {
            Some(first) if number == last => first,
            _ => number,
        })
        .collect()
}

/// The account in memory that a world's account stands for.
pub(crate) fn memory(number: usize, account: &Account, time: &Arc<Time>) -> Memory {
    let mut settings = Settings::new(World::name(number));
    settings.capabilities.lists_bytes = account.lists_bytes;
    settings.capabilities.settle_s = u64::from(SETTLE_S);
    settings.capabilities.unlisted = Unlisted::Silent;
    if account.refuses_duplicates {
        settings.capabilities.replace = ReplaceProtocol::DeleteThenUpload;
        settings.capabilities.unlisted = Unlisted::Refused;
        settings.duplicates = Duplicates::Refused;
    }
    for quirk in &account.quirks {
        match quirk {
            Quirk::UnsettledDeletions(refusals) => settings.unsettled_deletions = *refusals,
            // One that refuses duplicates tells by that.
            Quirk::NamesUploads if !account.refuses_duplicates => {
                settings.capabilities.unlisted = Unlisted::Named;
            }
            Quirk::Pages(size) => settings.page_size = NonZeroUsize::new(usize::from(*size)),
            _ => {}
        }
    }
    let memory = Memory::new(settings);
    memory.quirk(|quirks| quirks.clock = Some(Arc::new(TrueClock(Arc::clone(time)))));
    account.quirks.iter().for_each(|quirk| give(&memory, *quirk));
    memory
}

fn give(memory: &Memory, quirk: Quirk) {
    let settling = |listings| Some(Delay { listings, seconds: SETTLE_S - 5 });
    memory.quirk(|quirks| match quirk {
        Quirk::ListedLate { listings } => quirks.listed_late = settling(listings),
        Quirk::ListedVeryLate { hours } => {
            quirks.listed_late = Some(Delay { listings: u32::MAX, seconds: 3600 * hours });
        }
        Quirk::ForgottenLate { listings } => quirks.forgotten_late = settling(listings),
        Quirk::CountsOnly => quirks.counts_only = true,
        Quirk::ChangesIds => quirks.changes_ids = true,
        Quirk::Answers(answers) => quirks.answers = answers,
        Quirk::PrivacyRefused => quirks.privacy_edits = PrivacyEdits::Refused,
        Quirk::PrivacyIgnored => quirks.privacy_edits = PrivacyEdits::Ignored,
        Quirk::RowsHidePrivacy => quirks.rows_hide_privacy = true,
        Quirk::ExportsAgain => quirks.exports_again = Some(recordings::export),
        Quirk::Refuses { recording, with } => {
            let files: BTreeSet<Sha256> = recording.files();
            let refusal = refusal(with);
            quirks.refused.extend(files.into_iter().map(|sha256| (sha256, refusal.clone())));
        }
        Quirk::UnsettledDeletions(_)
        | Quirk::Pages(_)
        | Quirk::NamesUploads
        | Quirk::SecondName => {}
    });
}

fn refusal(with: Words) -> PlatformError {
    match with {
        Words::Unknown => PlatformError::Permanent("error 5071".to_owned()),
        Words::Rejected => PlatformError::Rejected {
            reason: "not an activity".to_owned(),
            kind: Rejection::Refused,
        },
        Words::Duplicate => PlatformError::Duplicate { existing: None },
    }
}
