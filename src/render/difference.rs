//! Two files of one recording laid side by side: field by field, record by record.

use std::collections::BTreeMap;

use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::domain::{Content, Part};
use crate::fit::{self, Detail, Record, record_field};
use crate::plan::{Change, changes};

/// How two files differ. `from` is always the destination's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whether they are the same, byte by byte.
    pub same_bytes: bool,
    /// Fields of the whole.
    pub changes: Vec<Change>,
    /// Records.
    pub records: RecordDifference,
}

/// How the records of two files differ, those of one second being one record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RecordDifference {
    /// In the source.
    pub source: usize,
    /// At the destination.
    pub destination: usize,
    /// Of the same second on both sides.
    pub paired: usize,
    /// Of seconds that only the source has.
    pub only_in_source: Stretches,
    /// Of seconds that only the destination has.
    pub only_at_destination: Stretches,
    /// Fields that differ in paired records.
    pub fields: Vec<FieldDifference>,
}

/// Records that one side lacks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stretches {
    /// How many.
    pub records: usize,
    /// The first of them without a gap in the diff: from when to when.
    pub first: Option<(String, String)>,
    /// In how many stretches they lie.
    pub stretches: usize,
}

/// A field that differs in records of the same second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldDifference {
    /// As the FIT profile calls it.
    pub field: String,
    /// In how many records.
    pub records: usize,
    /// The second of the first of them.
    pub at: String,
    /// At the destination there; null where it has none, or where it would tell a place.
    pub from: Option<String>,
    /// In the source there.
    pub to: Option<String>,
}

impl RecordDifference {
    /// Whether there is nothing to tell.
    pub(super) fn is_same(&self) -> bool {
        self.paired == self.source && self.paired == self.destination && self.fields.is_empty()
    }
}

/// Compares a destination's file with the source's.
///
/// # Errors
/// Which of the two cannot be read, and why.
pub fn difference(destination: &[u8], source: &[u8]) -> Result<Difference, String> {
    if destination == source {
        return Ok(Difference { same_bytes: true, ..Difference::default() });
    }
    let told = |whose: &'static str| move |why: fit::Defect| format!("the {whose}'s file: {why}");
    let old = fit::detail(destination).map_err(told("destination"))?;
    let new = fit::detail(source).map_err(told("source"))?;
    let contents = fit::read(destination).ok().zip(fit::read(source).ok());
    let mut fields = contents.as_ref().map(|(old, new)| changes(old, new)).unwrap_or_default();
    fields.extend(contents.iter().flat_map(|(old, new)| further(old, new)));
    fields.extend(messages(&old, &new));
    let old = fit::records(destination).map_err(told("destination"))?;
    let new = fit::records(source).map_err(told("source"))?;
    Ok(Difference { same_bytes: false, changes: fields, records: aligned(&old, &new) })
}

type Show = fn(&Part) -> Option<String>;

/// What a plan does not compare, since it changes from export to export.
fn further(old: &Content, new: &Content) -> Vec<Change> {
    let joined = |content: &Content, show: Show| {
        let texts: Vec<String> = content.parts.iter().filter_map(show).collect();
        if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
    };
    let shows: [(&str, Show); 4] = [
        ("serial_number", |part| part.serial.map(|serial| serial.to_string())),
        ("product_name", |part| part.product_name.clone()),
        ("developer_fields", |part| Some(part.developer_fields.to_string())),
        ("local_offset", |part| part.local_offset_s.map(|seconds| format!("{seconds} s"))),
    ];
    let pairs =
        shows.into_iter().map(|(field, show)| (field, joined(old, show), joined(new, show)));
    pairs.filter_map(|(field, from, to)| change(field, from, to)).collect()
}

/// Kinds of messages of which there is not the same number.
fn messages(old: &Detail, new: &Detail) -> Vec<Change> {
    let counted = |detail: &Detail| {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for (name, number) in detail.parts.iter().flat_map(|part| &part.messages) {
            *counts.entry(name.clone()).or_default() += number;
        }
        counts.remove("record");
        counts
    };
    let (old, new) = (counted(old), counted(new));
    let mut names: Vec<&String> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let number = |counts: &BTreeMap<String, u32>, name: &str| {
        counts.get(name).copied().unwrap_or_default().to_string()
    };
    let change = |name: &&String| {
        change(&format!("messages.{name}"), number(&old, name), number(&new, name))
    };
    names.iter().filter_map(change).collect()
}

fn change(field: &str, from: String, to: String) -> Option<Change> {
    (from != to).then(|| Change { field: field.to_owned(), from, to })
}

/// Pairs records by their seconds, and compares the pairs.
fn aligned(old: &[Record], new: &[Record]) -> RecordDifference {
    let seconds = |records: &[Record]| -> Vec<i64> {
        records.iter().map(|record| record.at.as_second()).collect()
    };
    let mut found = RecordDifference {
        source: new.len(),
        destination: old.len(),
        ..RecordDifference::default()
    };
    let mut fields: BTreeMap<u8, FieldDifference> = BTreeMap::new();
    for op in capture_diff_slices(Algorithm::Patience, &seconds(old), &seconds(new)) {
        let (before, after) = (op.old_range(), op.new_range());
        let (before, after) =
            (old.get(before).unwrap_or_default(), new.get(after).unwrap_or_default());
        match op {
            DiffOp::Equal { .. } => {
                found.paired += before.len();
                for (before, after) in before.iter().zip(after) {
                    compare(before, after, &mut fields);
                }
            }
            DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } => {
                found.only_at_destination.add(before);
                found.only_in_source.add(after);
            }
        }
    }
    found.fields = fields.into_values().collect();
    found
}

impl Stretches {
    fn add(&mut self, records: &[Record]) {
        let Some((first, last)) = records.first().zip(records.last()) else {
            return;
        };
        self.records += records.len();
        self.stretches += 1;
        self.first.get_or_insert_with(|| (first.at.to_string(), last.at.to_string()));
    }
}

fn compare(old: &Record, new: &Record, fields: &mut BTreeMap<u8, FieldDifference>) {
    if old.values == new.values {
        return;
    }
    let numbers = old.values.iter().chain(&new.values).map(|(number, _)| *number);
    let mut numbers: Vec<u8> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    let value = |record: &Record, number: u8| {
        let place = record.values.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        record.values.get(place).map(|(_, value)| *value)
    };
    for number in numbers {
        let (from, to) = (value(old, number), value(new, number));
        if from == to {
            continue;
        }
        let known = record_field(number);
        let show = |raw: i64| match known {
            Some(field) if field.is_position => None,
            Some(field) => Some(field.show(raw)),
            None => Some(raw.to_string()),
        };
        let difference = fields.entry(number).or_insert_with(|| FieldDifference {
            field: known.map_or_else(|| format!("field {number}"), |field| field.name.to_owned()),
            records: 0,
            at: old.at.to_string(),
            from: from.and_then(show),
            to: to.and_then(show),
        });
        difference.records += 1;
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn records(seconds: impl Iterator<Item = i64>) -> Vec<Record> {
        let at = |second| Timestamp::from_second(1_700_000_000 + second).unwrap();
        seconds.map(|second| Record { at: at(second), values: vec![(3, second)] }).collect()
    }

    #[test]
    fn records_are_paired_by_their_seconds_however_many_there_are() {
        let (every, odd) = (records(0..20_000), records((0..20_000).filter(|n| n % 2 == 1)));
        let found = aligned(&every, &odd);
        assert_eq!((found.paired, found.only_at_destination.records), (10_000, 10_000));
        assert_eq!(found.only_in_source, Stretches::default());
        let even = records((0..20_000).filter(|n| n % 2 == 0));
        let found = aligned(&even, &odd);
        assert_eq!((found.paired, found.only_in_source.records), (0, 10_000));
        assert_eq!(found.only_at_destination.records, 10_000);
    }
}
