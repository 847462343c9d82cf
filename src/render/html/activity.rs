//! Pieces that the tables of all pages share.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::domain::{AccountName, Address, RemoteId, neutralise};
use crate::plan::{ActivityRef, Conflict, clock};

use super::super::answers::{decide_line, particulars};
use super::super::column::distance;
use super::super::facts::Facts;
use super::super::pages::Pages;
use super::super::reasons;
use super::super::time::second;
use super::mark::Mark;

/// What may not stand in the name of a place on a page.
const NOT_IN_PLACES: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'\'').add(b'<').add(b'>').add(b'&').add(b'%').add(b'`');

/// The place of an address on its page.
pub(super) fn place(address: &Address) -> String {
    utf8_percent_encode(address.as_str(), NOT_IN_PLACES).to_string()
}

/// A text that may lead to a platform's page.
pub(super) struct Link {
    pub(super) text: String,
    pub(super) href: Option<String>,
}

/// What every row tells of its activity.
pub(super) struct Activity {
    pub(super) start: String,
    pub(super) kind: String,
    pub(super) distance: String,
    pub(super) elapsed: String,
    pub(super) title: Link,
}

impl Activity {
    pub(super) fn of(facts: &Facts<'_>, pages: &Pages<'_>) -> Self {
        // Not the id: of a folder's activity it may tell what a title was taken out for.
        let title = facts.title.filter(|title| !title.trim().is_empty()).unwrap_or("untitled");
        Self {
            start: facts.start.map(second).unwrap_or_default(),
            kind: neutralise(facts.kind),
            distance: distance(facts.distance_m),
            elapsed: facts.elapsed_s.map(clock).unwrap_or_default(),
            title: Link {
                text: neutralise(title),
                href: pages.of_activity(facts.account, facts.id),
            },
        }
    }
}

/// A row of a question.
pub(super) struct Question {
    pub(super) id: String,
    pub(super) mark: Mark,
    pub(super) activity: Activity,
    pub(super) reason: &'static str,
    pub(super) sentence: &'static str,
    pub(super) candidates: Vec<Candidate>,
    pub(super) particulars: Vec<String>,
    pub(super) decide: String,
}

/// What a question's activity could be.
pub(super) struct Candidate {
    pub(super) link: Link,
    pub(super) facts: Vec<String>,
    pub(super) title: String,
}

impl Question {
    pub(super) fn of(conflict: &Conflict, destination: &AccountName, pages: &Pages<'_>) -> Self {
        let candidates = conflict.candidates.iter();
        Self {
            id: place(&conflict.address),
            mark: Mark::Question,
            activity: Activity::of(&Facts::of_ref(&conflict.source), pages),
            reason: conflict.reason.as_str(),
            sentence: reasons::conflict(conflict.reason),
            candidates: candidates.map(|row| Candidate::of(row, destination, pages)).collect(),
            particulars: particulars(conflict),
            decide: decide_line(conflict, destination),
        }
    }
}

impl Candidate {
    fn of(candidate: &ActivityRef, destination: &AccountName, pages: &Pages<'_>) -> Self {
        let elsewhere = candidate.account != *destination;
        let facts = [
            candidate.start.map(second).unwrap_or_default(),
            distance(candidate.distance_m),
            candidate.elapsed_s.map(clock).unwrap_or_default(),
            if elsewhere { format!("in {}", candidate.account) } else { String::new() },
        ];
        let facts = facts.into_iter().filter(|fact| !fact.is_empty());
        Self {
            link: link(&candidate.account, &candidate.id, pages),
            facts: facts.map(|fact| neutralise(&fact)).collect(),
            title: neutralise(candidate.title.as_deref().unwrap_or_default()),
        }
    }
}

/// An id that leads to its activity.
pub(super) fn link(account: &AccountName, id: &RemoteId, pages: &Pages<'_>) -> Link {
    Link { text: neutralise(id.as_str()), href: pages.of_activity(account, id) }
}

/// A number with its word.
pub(super) struct Tile {
    pub(super) mark: Option<Mark>,
    pub(super) number: u64,
    pub(super) word: String,
}

/// Something that stands in the way.
pub(super) struct Notice {
    pub(super) word: &'static str,
    pub(super) pieces: Vec<Piece>,
}

/// A part of a text; commands stand in backticks.
pub(super) struct Piece {
    pub(super) is_code: bool,
    pub(super) text: String,
}

impl Notice {
    pub(super) fn new(word: &'static str, text: &str) -> Self {
        let text = neutralise(text);
        let pieces = text.split('`').zip([false, true].into_iter().cycle());
        let pieces = pieces.map(|(text, is_code)| Piece { is_code, text: text.to_owned() });
        Self { word, pieces: pieces.filter(|piece| !piece.text.is_empty()).collect() }
    }
}
