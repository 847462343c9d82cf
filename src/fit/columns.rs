//! Which values a record holds, without reading them: whether their bytes say "none".

use crate::domain::{Column, Columns};

/// Fields of a record that tell of a column (FIT profile 21.158, read 2026-11), and whether 0 counts.
/// A sensor that finds nothing writes 0.
const FIELDS: [(u8, Column, bool); 7] = [
    (0, Column::Position, true),
    (3, Column::HeartRate, false),
    (7, Column::Power, false),
    (4, Column::Cadence, false),
    (2, Column::Altitude, true),
    (78, Column::Altitude, true),
    (13, Column::Temperature, true),
];

/// Where in a record's bytes its columns stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout([Option<Field>; FIELDS.len()]);

#[derive(Clone, Copy, Debug)]
struct Field {
    at: usize,
    width: usize,
    invalid: [u8; 8],
}

impl Layout {
    /// Notes that a field stands here, and which of its bytes mean that there is no value.
    pub(super) fn note(&mut self, number: u8, at: usize, (invalid, width): ([u8; 8], usize)) {
        let known = FIELDS.iter().position(|(known, ..)| *known == number);
        if let Some(slot) = known.and_then(|place| self.0.get_mut(place)) {
            *slot = Some(Field { at, width, invalid });
        }
    }

    /// Counts the columns of which a record holds a value.
    #[inline]
    pub(super) fn count(&self, body: &[u8], columns: &mut Columns) {
        let mut last = None;
        for ((_, column, takes_zero), field) in FIELDS.iter().zip(&self.0) {
            let Some(field) = field else { continue };
            // Two fields tell of the altitude.
            if field.has_value(body, *takes_zero) && last != Some(*column) {
                columns.add(*column);
                last = Some(*column);
            }
        }
    }
}

impl Field {
    #[inline]
    fn has_value(&self, body: &[u8], takes_zero: bool) -> bool {
        let bytes = body.get(self.at..self.at + self.width).unwrap_or_default();
        let is_invalid = bytes == self.invalid.get(..self.width).unwrap_or_default();
        !is_invalid && (takes_zero || bytes.iter().any(|byte| *byte != 0))
    }
}
