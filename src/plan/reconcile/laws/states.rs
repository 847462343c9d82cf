//! Every state that some journal leads to, with the shortest such journal.

use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;

use crate::domain::{
    AccountName, ActivityType, Address, Fingerprint, RefusalReason, RemoteId, RuleName, Sha256,
};
use crate::plan::reason::ConflictReason;
use crate::plan::{Action, DestinationRef, Protocol, SourceRef, Step, StepKey, StepReason};

use super::super::{Answer, Entry, Outcome, Payload, StepState, Why};

/// The only time in these journals: no decision of the table depends on it.
pub fn at() -> Timestamp {
    "2026-11-19T06:12:33Z".parse().unwrap()
}

pub fn id(text: &str) -> RemoteId {
    RemoteId::new(text)
}

/// The kinds of step; whether the old one is private, the backup says.
pub const KINDS: [(Action, Option<Protocol>); 3] = [
    (Action::Upload, None),
    (Action::Replace, Some(Protocol::UploadThenDelete)),
    (Action::Replace, Some(Protocol::DeleteThenUpload)),
];

/// A state, and how it came about.
pub struct Reached {
    pub state: StepState,
    pub journal: Vec<Entry>,
}

/// Breadth first, from nothing at all; what is over goes no further.
pub fn reachable() -> Vec<Reached> {
    let entries = alphabet();
    let start = Reached { state: StepState::default(), journal: Vec::new() };
    let mut known = HashSet::from([key(&start.state)]);
    let mut open = VecDeque::from([start]);
    let mut reached = Vec::new();
    while let Some(here) = open.pop_front() {
        for entry in entries.iter().filter(|entry| is_told_apart(&here.state, entry)) {
            let Ok(state) = here.state.apply(entry, at()) else { continue };
            if !state.is_over() && known.insert(key(&state)) {
                let journal = here.journal.iter().chain([entry]).cloned().collect();
                open.push_back(Reached { state, journal });
            }
        }
        reached.push(here);
    }
    reached
}

/// Another id comes only after the first one: before that, the two are one.
fn is_told_apart(state: &StepState, entry: &Entry) -> bool {
    match entry {
        Entry::Seen { id: other } => *other == id("new") || state.known_id().is_some(),
        _ => true,
    }
}

/// What can make a difference of a state: which id it is does not, nor when anything was, nor what
/// was said of an activity under an id that it has no more, nor the answer once it is listed.
fn key(state: &StepState) -> String {
    let known = state.known_id();
    let is_of_it = |about: &Option<RemoteId>| about.is_some() && about.as_ref() == known;
    let verified = state.verified.as_ref().map(|id| Some(id) == known);
    let put = (
        state.payload.as_ref().map(|payload| payload.private),
        state.answer_if_unseen(),
        state.seen.is_some(),
        (is_of_it(&state.hidden), verified, is_of_it(&state.detailed)),
    );
    let taken = (state.backup.is_some(), state.old_private, state.removal);
    let counts = (state.sends > 0, state.rests > 0);
    let kind = (state.intended, state.replaces, state.deletes_first);
    let turned = state.turned.as_ref().map(|turned| turned.question.is_some());
    let turned = (turned, state.earlier.is_some(), state.earlier_hidden.is_some());
    format!("{kind:?} {put:?} {taken:?} {counts:?} {turned:?}")
}

impl StepState {
    /// The answer, and how many are doubtful, as long as that matters.
    fn answer_if_unseen(&self) -> Option<(&Answer, u32)> {
        self.seen.is_none().then_some((&self.answer, self.doubtful_sends))
    }
}

/// One of every entry that makes a difference.
pub fn alphabet() -> Vec<Entry> {
    let mut entries: Vec<Entry> = KINDS.into_iter().map(intended).collect();
    for private in [false, true] {
        entries.push(Entry::Fetched { payload: payload(private) });
        entries.push(Entry::BackedUp { backup: "b".to_owned(), private });
    }
    entries.extend([Entry::Removing { old: id("old") }, Entry::Removed { old: id("old") }]);
    entries.push(Entry::Sending);
    entries.extend(answers());
    for new in [id("new"), id("other")] {
        entries.push(Entry::Seen { id: new.clone() });
        entries.push(Entry::Hidden { id: new.clone() });
        entries.push(Entry::Verified { id: new.clone(), recomputed: Vec::new() });
        entries.push(Entry::Detailed { id: new, lacking: None });
    }
    entries.extend([None, Some(ConflictReason::Ambiguous)].map(turned_round));
    entries.push(Entry::TurnedBack);
    entries.extend(endings());
    entries
}

pub fn answers() -> Vec<Entry> {
    let message = String::new;
    vec![
        Entry::Sent { id: None },
        Entry::Sent { id: Some(id("new")) },
        Entry::Unanswered { message: message() },
        Entry::Duplicate { existing: None },
        Entry::Refused { reason: RefusalReason::RejectedByDestination, message: message() },
        Entry::NotSent { message: message() },
    ]
}

pub fn turned_round(question: Option<ConflictReason>) -> Entry {
    let reason = RefusalReason::RejectedByDestination;
    Entry::TurnedRound { reason, message: String::new(), question }
}

fn endings() -> impl Iterator<Item = Entry> {
    let question = ConflictReason::Ambiguous;
    let outcomes = [
        Outcome::Held,
        Outcome::Pending,
        Outcome::Confirmed,
        Outcome::Adopted,
        Outcome::Restored,
        Outcome::Failed,
        Outcome::Asked { question },
    ];
    outcomes.into_iter().map(|outcome| Entry::Ended { outcome, why: Why::Done, cause: None })
}

pub fn payload(private: bool) -> Payload {
    Payload {
        sha256: Sha256::of(b"new"),
        start: at(),
        elapsed_s: Some(3600),
        distance_m: Some(10_000),
        kind: ActivityType::other(),
        title: None,
        local_offset_s: None,
        private,
    }
}

pub fn intended((action, protocol): (Action, Option<Protocol>)) -> Entry {
    let rule = RuleName::new("rule");
    let fingerprint = Fingerprint::of_bytes(&Sha256::of(b"new"));
    let account = AccountName::new("account");
    let source = SourceRef {
        account: account.clone(),
        id: id("source"),
        fingerprint: fingerprint.clone(),
        title: None,
        distance_m: None,
    };
    let old = (action == Action::Replace).then(|| (id("old"), fingerprint));
    let (old, fingerprint) = old.unzip();
    let step = Step {
        address: Address::of_start(&rule, at(), 1),
        rule,
        action,
        reason: StepReason::Forced,
        protocol,
        key: StepKey { start: at(), elapsed_s: None, kind: ActivityType::other() },
        source,
        destination: DestinationRef { account, id: old, fingerprint },
        changes: Vec::new(),
        loses: Vec::new(),
    };
    Entry::Intended { step: Box::new(step), known: Vec::new() }
}
