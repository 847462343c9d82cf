//! The records of a file, value by value, for those who compare two files.

use jiff::Timestamp;

use super::chain::{Chain, Defect};
use super::scan::{instant, message};
use super::walk::walk;

/// Two days at a record a second; of more the rest is not looked at.
const MAX_RECORDS: usize = 200_000;

/// One record with the numbers in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was made.
    pub at: Timestamp,
    /// FIT field numbers and raw values, without the time; the first of an array.
    pub values: Vec<(u8, i64)>,
}

/// What a record field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordField {
    /// As the FIT profile calls it.
    pub name: &'static str,
    scale: u32,
    offset: i32,
    unit: &'static str,
    /// Whether its values tell where somebody was.
    pub is_position: bool,
}

const fn field(name: &'static str, scale: u32, offset: i32, unit: &'static str) -> RecordField {
    RecordField { name, scale, offset, unit, is_position: false }
}

const fn position(name: &'static str) -> RecordField {
    RecordField { is_position: true, ..field(name, 1, 0, "") }
}

/// The common fields of a record (FIT profile 21.158, read 2026-11).
const FIELDS: [(u8, RecordField); 24] = [
    (0, position("position_lat")),
    (1, position("position_long")),
    (2, field("altitude", 5, 500, "m")),
    (3, field("heart_rate", 1, 0, "bpm")),
    (4, field("cadence", 1, 0, "rpm")),
    (5, field("distance", 100, 0, "m")),
    (6, field("speed", 1000, 0, "m/s")),
    (7, field("power", 1, 0, "W")),
    (9, field("grade", 100, 0, "%")),
    (13, field("temperature", 1, 0, "C")),
    (29, field("accumulated_power", 1, 0, "W")),
    (30, field("left_right_balance", 1, 0, "")),
    (31, field("gps_accuracy", 1, 0, "m")),
    (32, field("vertical_speed", 1000, 0, "m/s")),
    (33, field("calories", 1, 0, "kcal")),
    (39, field("vertical_oscillation", 10, 0, "mm")),
    (41, field("stance_time", 10, 0, "ms")),
    (53, field("fractional_cadence", 128, 0, "rpm")),
    (73, field("enhanced_speed", 1000, 0, "m/s")),
    (78, field("enhanced_altitude", 5, 500, "m")),
    (83, field("vertical_ratio", 100, 0, "%")),
    (85, field("step_length", 10, 0, "mm")),
    (87, field("cycle_length16", 100, 0, "m")),
    (108, field("enhanced_respiration_rate", 100, 0, "breaths/min")),
];

/// What is known of a record field.
pub fn record_field(number: u8) -> Option<RecordField> {
    FIELDS.iter().find(|(known, _)| *known == number).map(|(_, field)| *field)
}

impl RecordField {
    /// A raw value in the field's unit.
    pub fn show(&self, raw: i64) -> String {
        let scale = i64::from(self.scale);
        let hundredths = raw.saturating_mul(100) / scale - i64::from(self.offset) * 100;
        let sign = if hundredths < 0 { "-" } else { "" };
        let (whole, rest) = (hundredths.abs() / 100, hundredths.abs() % 100);
        let number =
            if scale == 1 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest:02}") };
        if self.unit.is_empty() { number } else { format!("{number} {}", self.unit) }
    }
}

/// The records of a whole file that tell a time, in order of time; the first of those of one second.
///
/// # Errors
/// If the file is not whole.
pub fn records(bytes: &[u8]) -> Result<Vec<Record>, Defect> {
    let mut records = Vec::new();
    for frame in Chain::of(bytes) {
        walk(&frame?, |found| {
            let at = found.time.and_then(instant);
            let is_record = found.definition.global == message::RECORD;
            if let Some(at) = at.filter(|_| is_record && records.len() < MAX_RECORDS) {
                let mut values = found.definition.numbers(found.body);
                values.sort_unstable();
                values.dedup_by_key(|(number, _)| *number);
                records.push(Record { at, values });
            }
            Ok(())
        })?;
    }
    records.sort_by_key(|record| record.at);
    records.dedup_by_key(|record| record.at);
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::record_field;

    #[test]
    fn values_are_shown_in_their_units() {
        let show = |number: u8, raw: i64| record_field(number).unwrap().show(raw);
        assert_eq!(show(2, 2600), "20.00 m");
        assert_eq!(show(2, 2475), "-5.00 m");
        assert_eq!(show(3, 141), "141 bpm");
        assert_eq!(show(6, 3217), "3.21 m/s");
        assert_eq!(show(13, -4), "-4 C");
        assert_eq!(record_field(250), None);
    }
}
