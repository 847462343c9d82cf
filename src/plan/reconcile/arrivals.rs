//! Which listed activity is what which step has sent: all open steps of a destination together, one
//! to one. Never the newest.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;

use crate::domain::{Activity, RemoteId, Sha256};
use crate::plan::matching::{self, Field, NEAR_S, Outcome, Seeker};

use super::entry::Payload;

/// What a step has sent to a destination, to be found there.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The bytes.
    pub payload: &'a Payload,
    /// The id that the platform named, if it did.
    pub named: Option<&'a RemoteId>,
    /// Whether it was listed under that id: what a person makes of it since is still it.
    pub is_seen: bool,
    /// Whether nobody said that it was taken, and what is listed otherwise is better left to the next
    /// plan, which compares it: it may be a person's own version.
    pub is_doubtful: bool,
    /// Ids that it cannot have: listed before it was sent, or found to hold other bytes.
    pub excluded: &'a HashSet<RemoteId>,
}

/// An activity that a step has sent, as it seems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its id.
    pub id: RemoteId,
    /// False where only its bytes can tell it from another step's.
    pub is_sure: bool,
}

/// Finds what each step has sent among the rows of a destination, which are in order of start.
/// `is_taken` says which rows are known to be somebody else's.
pub fn assign(
    sent: &[Candidate<'_>],
    rows: &[&Activity],
    is_taken: impl Fn(&RemoteId) -> bool,
) -> Vec<Option<Arrival>> {
    let mut assignment = Assignment::new(sent, rows, is_taken);
    assignment.by_id();
    assignment.by_bytes();
    assignment.by_time();
    assignment.arrivals
}

struct Assignment<'a> {
    sent: &'a [Candidate<'a>],
    /// Rows that can be an arrival without being named, in order of start.
    rows: Vec<&'a Activity>,
    /// Those of them that became one.
    taken: HashSet<RemoteId>,
    listed: HashMap<&'a RemoteId, &'a Activity>,
    arrivals: Vec<Option<Arrival>>,
}

impl<'a> Assignment<'a> {
    fn new(
        sent: &'a [Candidate<'a>],
        rows: &[&'a Activity],
        is_taken: impl Fn(&RemoteId) -> bool,
    ) -> Self {
        let listed: HashMap<&RemoteId, &Activity> =
            rows.iter().map(|row| (&row.id, *row)).collect();
        let named: HashSet<&RemoteId> = sent.iter().filter_map(|one| named(one, &listed)).collect();
        let is_free = |row: &&&Activity| !named.contains(&row.id) && !is_taken(&row.id);
        Self {
            sent,
            rows: rows.iter().filter(is_free).copied().collect(),
            taken: HashSet::new(),
            listed,
            arrivals: vec![None; sent.len()],
        }
    }

    fn open(&self) -> Vec<usize> {
        (0..self.sent.len()).filter(|n| self.arrivals.get(*n) == Some(&None)).collect()
    }

    fn take(&mut self, number: usize, id: &RemoteId, is_sure: bool) {
        self.taken.insert(id.clone());
        if let Some(slot) = self.arrivals.get_mut(number) {
            *slot = Some(Arrival { id: id.clone(), is_sure });
        }
    }

    /// Some platforms name an id at first under which they never list anything, and some another's.
    fn by_id(&mut self) {
        for number in self.open() {
            let named = self.sent.get(number).and_then(|one| named(one, &self.listed)).cloned();
            if let Some(id) = named {
                self.take(number, &id, true);
            }
        }
    }

    fn is_free(&self, row: &Activity) -> bool {
        !self.taken.contains(&row.id)
    }

    fn by_bytes(&mut self) {
        let mut by_bytes: HashMap<&Sha256, Vec<&Activity>> = HashMap::new();
        for row in &self.rows {
            if let Some(sha256) = &row.sha256 {
                by_bytes.entry(sha256).or_default().push(row);
            }
        }
        for number in self.open() {
            let Some(one) = self.sent.get(number) else { continue };
            let is_it = |row: &&&Activity| self.is_free(row) && !one.excluded.contains(&row.id);
            let same = by_bytes.get(&one.payload.sha256).into_iter().flatten();
            let found = same.copied().find(|row| is_it(&row)).map(|row| row.id.clone());
            if let Some(id) = found {
                self.take(number, &id, true);
            }
        }
    }

    fn by_time(&mut self) {
        let open = self.open();
        let field = Field { activities: self.near(&open), ..Field::default() };
        let (mut numbers, mut sought) = (Vec::new(), Vec::new());
        for number in open {
            if let Some(one) = self.sent.get(number) {
                numbers.push(number);
                sought.push((one, one.payload.activity(&RemoteId::new(number.to_string()))));
            }
        }
        let places = field.activities.iter().enumerate().map(|(place, row)| (&row.id, place));
        let places: HashMap<&RemoteId, usize> = places.collect();
        let seekers: Vec<Seeker<'_>> = sought
            .iter()
            .map(|(one, activity)| Seeker {
                activity,
                account: 0,
                fixed: None,
                excluded: impossible(one, &field.activities, &places),
            })
            .collect();
        let outcomes = matching::find(&seekers, &field);
        let id_at = |place: usize| field.activities.get(place).map(|row| row.id.clone());
        let mut unsure = Vec::new();
        for (number, outcome) in numbers.iter().zip(outcomes) {
            match outcome {
                Outcome::Match(place, _) => {
                    if let Some(id) = id_at(place) {
                        self.take(*number, &id, true);
                    }
                }
                Outcome::Ambiguous(places) => unsure.push((*number, places)),
                Outcome::Contained(_)
                | Outcome::Overlap(_)
                | Outcome::ZoneSuspect(_)
                | Outcome::Alone => {}
            }
        }
        for (number, places) in unsure {
            let candidates: Vec<&Activity> =
                places.iter().filter_map(|place| field.activities.get(*place).copied()).collect();
            self.choose(number, &candidates);
        }
    }

    /// Of several that fit, each step gets one that no other has; the nearest in distance first.
    fn choose(&mut self, number: usize, candidates: &[&Activity]) {
        let Some(one) = self.sent.get(number) else { return };
        let apart = |row: &&&Activity| {
            let (a, b) = (row.distance_m.unwrap_or_default(), one.payload.distance_m);
            (a.abs_diff(b.unwrap_or_default()), row.id.clone())
        };
        let is_free = |row: &&&Activity| self.is_free(row);
        let found = candidates.iter().filter(is_free).min_by_key(apart).map(|row| row.id.clone());
        if let Some(id) = found {
            self.take(number, &id, self.has_no_rival(one));
        }
    }

    /// Whether whatever else was sent then looks the same from outside: then any of them will do.
    fn has_no_rival(&self, one: &Candidate<'_>) -> bool {
        let facts = |payload: &Payload| {
            (payload.start, payload.elapsed_s, payload.distance_m, payload.kind.clone())
        };
        let near = |other: &&Candidate<'_>| {
            let apart = other.payload.start.as_second() - one.payload.start.as_second();
            apart.abs() <= NEAR_S
        };
        let mut rivals = self.sent.iter().filter(near);
        rivals.all(|other| facts(other.payload) == facts(one.payload))
    }

    /// Free rows that start about when something of the open ones does.
    fn near(&self, open: &[usize]) -> Vec<&'a Activity> {
        let sent = open.iter().filter_map(|number| self.sent.get(*number));
        let places: BTreeSet<usize> = sent.flat_map(|one| places_near(one, &self.rows)).collect();
        let rows = places.into_iter().filter_map(|place| self.rows.get(place).copied());
        rows.filter(|row| self.is_free(row)).collect()
    }
}

/// Places of the rows, which are in order of start, that start about when what was sent does.
fn places_near(one: &Candidate<'_>, rows: &[&Activity]) -> Range<usize> {
    let second = |row: &Activity| row.start.map_or(i64::MAX, |start| start.as_second());
    let start = one.payload.start.as_second();
    let from = rows.partition_point(|row| second(row) < start - NEAR_S);
    from..rows.partition_point(|row| second(row) <= start + NEAR_S)
}

/// Places of what was there before, and of what holds other bytes, surely or as it seems: a platform
/// may list another start, or recompute a length, but hardly both.
fn impossible(
    one: &Candidate<'_>,
    rows: &[&Activity],
    places: &HashMap<&RemoteId, usize>,
) -> Vec<usize> {
    let is_other = |row: &Activity| {
        let is_near = row.start != Some(one.payload.start);
        row.sha256.as_ref().is_some_and(|sha256| *sha256 != one.payload.sha256)
            || ((one.is_doubtful || is_near) && !is_listed_as_sent(one.payload, row))
    };
    let before = one.excluded.iter().filter_map(|id| places.get(id).copied());
    let holds_other = |place: &usize| rows.get(*place).is_some_and(|row| is_other(row));
    before.chain(places_near(one, rows).filter(holds_other)).collect()
}

/// Whether a row is as long and as far as what was sent, as far as it says so.
fn is_listed_as_sent(payload: &Payload, row: &Activity) -> bool {
    let sent = payload.side(&row.id);
    let known = |value: Option<u32>| value.filter(|value| *value > 0);
    let elapsed_s = known(row.elapsed_s).or(sent.elapsed_s);
    let distance_m = known(row.distance_m).or(sent.distance_m);
    !sent.extent_changed(elapsed_s, distance_m, &sent.kind)
}

/// The id that the platform named, if what it lists under it can be what was sent.
fn named<'a>(
    one: &Candidate<'a>,
    listed: &HashMap<&'a RemoteId, &'a Activity>,
) -> Option<&'a RemoteId> {
    let id = one.named?;
    let row = listed.get(id)?;
    let apart = |start: jiff::Timestamp| start.as_second().abs_diff(one.payload.start.as_second());
    let is_its_time = row.start.is_none_or(|start| apart(start) <= NEAR_S.unsigned_abs());
    let is_payload = |sha256: &Sha256| *sha256 == one.payload.sha256;
    let is_its_file = one.is_seen || row.sha256.as_ref().is_none_or(is_payload);
    (is_its_time && is_its_file && !one.excluded.contains(id)).then_some(id)
}
