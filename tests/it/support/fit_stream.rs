//! FIT's encoding: fields, definitions, data messages and the checksum.

use std::collections::BTreeMap;

/// Local and global number of a message.
pub(super) type Kind = (u8, u16);
pub(super) const FILE_ID: Kind = (0, 0);
pub(super) const RECORD: Kind = (1, 20);
pub(super) const EVENT: Kind = (2, 21);
pub(super) const SESSION: Kind = (3, 18);
pub(super) const ACTIVITY: Kind = (4, 34);
pub(super) const DEVICE_INFO: Kind = (5, 23);
pub(super) const DEVELOPER_DATA_ID: Kind = (6, 207);
pub(super) const FIELD_DESCRIPTION: Kind = (7, 206);
pub(super) const LAP: Kind = (8, 19);
pub(super) const SPORT: Kind = (9, 12);

/// A record without its time: somewhere north of Lake Constance, with plausible numbers.
pub(super) fn record(index: u32, metres: u32) -> Vec<Field> {
    let wave = index % 40;
    vec![
        Field::i32(0, 569_000_000 + metres * 100),
        Field::i32(1, 110_000_000 + metres * 50),
        Field::u32(5, metres * 100),
        Field::u16(2, 4500 + wave),
        Field::u16(6, 8000 + wave),
        Field::u16(7, 180 + wave),
        Field::u8(3, 120 + (index % 40) as u8),
        Field::u8(4, 80 + (index % 10) as u8),
    ]
}

/// A number, its base type and its value, highest byte first.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) number: u8,
    base: u8,
    pub(super) value: Vec<u8>,
}

impl Field {
    fn of(number: u8, base: u8, value: &[u8]) -> Self {
        Self { number, base, value: value.to_vec() }
    }

    /// The same field without a value.
    pub(super) fn invalid(mut self) -> Self {
        self.value.fill(0xFF);
        // Of signed numbers it is the highest one.
        if matches!(self.base & 0x1F, 1 | 3 | 5)
            && let Some(first) = self.value.first_mut()
        {
            *first = 0x7F;
        }
        self
    }

    pub(super) fn of_enum(number: u8, value: u8) -> Self {
        Self::of(number, 0x00, &[value])
    }

    pub(super) fn u8(number: u8, value: u8) -> Self {
        Self::of(number, 0x02, &[value])
    }

    pub(super) fn u16(number: u8, value: impl TryInto<u16>) -> Self {
        let value = value.try_into().unwrap_or(u16::MAX);
        Self::of(number, 0x84, &value.to_be_bytes())
    }

    pub(super) fn i32(number: u8, value: u32) -> Self {
        Self::of(number, 0x85, &value.to_be_bytes())
    }

    pub(super) fn u32(number: u8, value: u32) -> Self {
        Self::of(number, 0x86, &value.to_be_bytes())
    }

    pub(super) fn u32z(number: u8, value: u32) -> Self {
        Self::of(number, 0x8C, &value.to_be_bytes())
    }

    /// Twenty bytes, filled with NUL; a text of twenty bytes has no end mark.
    pub(super) fn text(number: u8, text: &str) -> Self {
        let mut value = text.as_bytes().to_vec();
        value.resize(20, 0);
        Self::of(number, 0x07, &value)
    }
}

/// Messages in the making. A definition is written when it differs from the last of its number.
pub(super) struct Stream {
    pub(super) bytes: Vec<u8>,
    big_endian: bool,
    definitions: BTreeMap<u8, Vec<u8>>,
}

impl Stream {
    pub(super) fn new(big_endian: bool) -> Self {
        Self { bytes: Vec::new(), big_endian, definitions: BTreeMap::new() }
    }

    pub(super) fn message(&mut self, kind: Kind, fields: &[Field], developer: &[u8]) {
        self.timed_message(kind, fields, developer, None);
    }

    /// A data message; with `at`, its header holds the low bits of the time.
    pub(super) fn timed_message(
        &mut self,
        kind: Kind,
        fields: &[Field],
        developer: &[u8],
        at: Option<u32>,
    ) {
        let (local, _) = kind;
        let definition = self.definition(kind, fields, developer);
        if self.definitions.get(&local) != Some(&definition) {
            self.bytes.extend(&definition);
            self.definitions.insert(local, definition);
        }
        let low_bits = |at: u32| 0x80 | (local << 5) | (at % 32) as u8;
        self.bytes.push(at.map_or(local, low_bits));
        for field in fields {
            self.value(field.base, &field.value);
        }
        // Developer fields are single bytes here; any value will do.
        self.bytes.extend(developer);
    }

    fn definition(&self, (local, global): Kind, fields: &[Field], developer: &[u8]) -> Vec<u8> {
        let flags = if developer.is_empty() { 0x40 } else { 0x60 };
        let mut bytes = vec![flags | local, 0, u8::from(self.big_endian)];
        bytes.extend(if self.big_endian { global.to_be_bytes() } else { global.to_le_bytes() });
        let count = |length: usize| u8::try_from(length).unwrap_or(u8::MAX);
        bytes.push(count(fields.len()));
        for field in fields {
            bytes.extend([field.number, count(field.value.len()), field.base]);
        }
        if !developer.is_empty() {
            bytes.push(count(developer.len()));
            bytes.extend(developer.iter().flat_map(|number| [*number, 1, 0]));
        }
        bytes
    }

    /// Only base types with the highest bit set have a byte order.
    fn value(&mut self, base: u8, value: &[u8]) {
        if base & 0x80 != 0 && !self.big_endian {
            self.bytes.extend(value.iter().rev());
        } else {
            self.bytes.extend(value);
        }
    }
}

/// CRC-16 with polynomial 0xA001, bit by bit: independent of the reader's tables.
pub(super) fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| (crc >> 1) ^ (0xA001 * (crc & 1)))
    })
}
