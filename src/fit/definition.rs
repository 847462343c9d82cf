//! The layout of a kind of message, as its definition message declares it.

use super::columns::Layout;
use super::scan::message;

/// FIT number of the field that holds a message's time.
const TIMESTAMP: u8 = 253;

/// How the data messages of one local number are laid out; borrows the file's bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition<'a> {
    /// FIT message number, such as 20 for a record.
    pub(super) global: u16,
    /// Bytes of a data message without its header byte.
    pub(super) size: usize,
    time_at: Option<usize>,
    big_endian: bool,
    /// Field number, size and base type of each field.
    fields: &'a [[u8; 3]],
    /// Of a record: where its columns stand.
    pub(super) columns: Layout,
}

impl<'a> Definition<'a> {
    /// Reads the bytes after a definition's header byte; returns what follows the definition.
    pub(super) fn read(bytes: &'a [u8], with_developer: bool) -> Option<(Self, &'a [u8])> {
        let ([_, order, a, b], rest) = bytes.split_first_chunk()?;
        let big_endian = *order != 0;
        let global =
            if big_endian { u16::from_be_bytes([*a, *b]) } else { u16::from_le_bytes([*a, *b]) };
        let (fields, rest) = triples(rest)?;
        let (developer, rest) =
            if with_developer { triples(rest)? } else { (Default::default(), rest) };
        let (mut size, mut time_at) = (0, None);
        let mut columns = Layout::default();
        for [number, bytes, base] in fields {
            if *number == TIMESTAMP && *bytes == 4 && width(*base) == 4 {
                time_at = Some(size);
            }
            if global == message::RECORD && usize::from(*bytes) == width(*base) {
                columns.note(*number, size, invalid(*base, big_endian));
            }
            size += usize::from(*bytes);
        }
        size += developer.iter().map(|[_, bytes, _]| usize::from(*bytes)).sum::<usize>();
        let definition = Self { global, size, time_at, big_endian, fields, columns };
        Some((definition, rest))
    }

    /// The raw value of the message's timestamp field.
    #[inline]
    pub(super) fn time(&self, body: &[u8]) -> Option<u32> {
        let bytes = body.get(self.time_at?..)?.first_chunk()?;
        Some(self.join(bytes))
    }

    fn join(&self, bytes: &[u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) }
    }

    /// The four bytes of a four-byte field as they are, valid or not.
    pub(super) fn raw_u32(&self, body: &[u8], number: u8) -> Option<u32> {
        let (bytes, base) = self.field(body, number)?;
        let bytes = (width(base) == 4).then(|| bytes.first_chunk()).flatten()?;
        Some(self.join(bytes))
    }

    /// The value of an unsigned field, of the first element if it is an array.
    ///
    /// `None` where the field is absent, invalid, negative, a text or a float, or where its size
    /// does not fit its base type (COROS declares a four-byte type with one byte, seen 2020-10).
    pub(super) fn uint<T: TryFrom<u64>>(&self, body: &[u8], number: u8) -> Option<T> {
        let (bytes, base) = self.field(body, number)?;
        let width = width(base);
        if bytes.len() % width != 0 {
            return None;
        }
        let first = bytes.get(..width)?;
        let join = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        let value = if self.big_endian {
            first.iter().fold(0, join)
        } else {
            first.iter().rev().fold(0, join)
        };
        is_valid(value, base).then(|| T::try_from(value).ok()).flatten()
    }

    /// A text field up to its first NUL, if it is not empty. Bytes that are no UTF-8 are replaced.
    pub(super) fn text(&self, body: &[u8], number: u8) -> Option<String> {
        let (bytes, base) = self.field(body, number)?;
        if base & KIND != STRING {
            return None;
        }
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(text);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The valid whole numbers of all fields but the time, the first of an array each.
    pub(super) fn numbers(&self, body: &[u8]) -> Vec<(u8, i64)> {
        let mut numbers = Vec::with_capacity(self.fields.len());
        let mut rest = body;
        for [number, size, base] in self.fields {
            let Some((bytes, after)) = rest.split_at_checked(usize::from(*size)) else { break };
            rest = after;
            if *number != TIMESTAMP {
                numbers.extend(self.whole(bytes, *base).map(|value| (*number, value)));
            }
        }
        numbers
    }

    fn whole(&self, bytes: &[u8], base: u8) -> Option<i64> {
        let width = width(base);
        let first = bytes.get(..width).filter(|_| bytes.len().is_multiple_of(width))?;
        let join = |value: u64, byte: &u8| (value << 8) | u64::from(*byte);
        let raw = if self.big_endian {
            first.iter().fold(0, join)
        } else {
            first.iter().rev().fold(0, join)
        };
        let bits = 8 * width;
        let all_ones = u64::MAX >> (64 - bits);
        match base & KIND {
            1 | 3 | 5 | 14 => {
                let unused = 64 - bits;
                let signed = (raw << unused).cast_signed() >> unused;
                (raw != all_ones >> 1).then_some(signed)
            }
            _ => is_valid(raw, base).then(|| i64::try_from(raw).ok()).flatten(),
        }
    }

    fn field<'b>(&self, body: &'b [u8], number: u8) -> Option<(&'b [u8], u8)> {
        let mut rest = body;
        for [declared, size, base] in self.fields {
            let (bytes, after) = rest.split_at_checked(usize::from(*size))?;
            if *declared == number {
                return Some((bytes, *base));
            }
            rest = after;
        }
        None
    }
}

/// A count and that many groups of three bytes.
fn triples(bytes: &[u8]) -> Option<(&[[u8; 3]], &[u8])> {
    let (count, rest) = bytes.split_first()?;
    let (fields, rest) = rest.split_at_checked(3 * usize::from(*count))?;
    Some((fields.as_chunks().0, rest))
}

/// The bits of a base type that tell the type; the highest only says that it has a byte order.
const KIND: u8 = 0x1F;
const STRING: u8 = 7;

/// Bytes of one element of a base type.
fn width(base: u8) -> usize {
    match base & KIND {
        3 | 4 | 11 => 2,
        5 | 6 | 8 | 12 => 4,
        9 | 14 | 15 | 16 => 8,
        _ => 1,
    }
}

/// The bytes that stand for no value in one element of a base type, and how many they are.
fn invalid(base: u8, big_endian: bool) -> ([u8; 8], usize) {
    let mut bytes = match base & KIND {
        10 | 11 | 12 | 16 => [0; 8],
        _ => [0xFF; 8],
    };
    let width = width(base);
    let highest = if big_endian { 0 } else { width - 1 };
    if let (1 | 3 | 5 | 14, Some(highest)) = (base & KIND, bytes.get_mut(highest)) {
        *highest = 0x7F;
    }
    (bytes, width)
}

fn is_valid(value: u64, base: u8) -> bool {
    let bits = 8 * width(base);
    let all_ones = u64::MAX >> (64 - bits);
    match base & KIND {
        STRING | 8 | 9 => false,
        10 | 11 | 12 | 16 => value != 0,
        // The highest value of a signed type is invalid, those above it are negative.
        1 | 3 | 5 | 14 => value < all_ones >> 1,
        _ => value != all_ones,
    }
}

#[cfg(test)]
mod tests {
    use super::Definition;

    /// The layout of a little-endian record with these fields.
    fn layout(fields: &[[u8; 3]]) -> Vec<u8> {
        let count = u8::try_from(fields.len()).unwrap();
        [&[0, 0, 20, 0, count], fields.as_flattened()].concat()
    }

    fn value(field: [u8; 3], body: &[u8]) -> Option<u64> {
        let bytes = layout(&[field]);
        let (definition, rest) = Definition::read(&bytes, false).unwrap();
        assert!(rest.is_empty());
        assert_eq!(definition.size, body.len());
        definition.uint(body, field[0])
    }

    #[test]
    fn invalid_and_negative_values_are_absent() {
        assert_eq!(value([1, 1, 0x00], &[7]), Some(7));
        assert_eq!(value([1, 1, 0x02], &[0xFF]), None);
        assert_eq!(value([1, 2, 0x84], &[0x34, 0x12]), Some(0x1234));
        assert_eq!(value([1, 2, 0x84], &[0xFF, 0xFF]), None);
        assert_eq!(value([1, 4, 0x8C], &[0; 4]), None);
        assert_eq!(value([1, 4, 0x8C], &[0xFF; 4]), Some(0xFFFF_FFFF));
        assert_eq!(value([1, 1, 0x01], &[0x7E]), Some(0x7E));
        assert_eq!(value([1, 1, 0x01], &[0x7F]), None);
        assert_eq!(value([1, 4, 0x85], &[0xFE, 0xFF, 0xFF, 0xFF]), None);
        assert_eq!(value([1, 4, 0x88], &[0, 0, 0x80, 0x3F]), None);
        assert_eq!(value([1, 8, 0x8F], &[1, 0, 0, 0, 0, 0, 0, 0]), Some(1));
    }

    #[test]
    fn odd_sizes_degrade_and_arrays_give_their_first() {
        assert_eq!(value([1, 1, 0x86], &[9]), None);
        assert_eq!(value([1, 3, 0x84], &[1, 0, 2]), None);
        assert_eq!(value([1, 0, 0x02], &[]), None);
        assert_eq!(value([1, 4, 0x84], &[1, 0, 2, 0]), Some(1));
    }

    #[test]
    fn text_ends_at_nul_or_at_the_field() {
        let text = |body: &[u8]| {
            let bytes = layout(&[[8, u8::try_from(body.len()).unwrap(), 7]]);
            let (definition, _) = Definition::read(&bytes, false).unwrap();
            definition.text(body, 8)
        };
        assert_eq!(text(b"PACE 2\0junk").as_deref(), Some("PACE 2"));
        assert_eq!(text(b"PACE").as_deref(), Some("PACE"));
        assert_eq!(text(b"\0PACE"), None);
        assert_eq!(text(b"P\xFF").as_deref(), Some("P\u{FFFD}"));
    }

    #[test]
    fn time_stands_where_the_layout_says() {
        let bytes = layout(&[[3, 1, 2], [253, 4, 0x86]]);
        let (definition, _) = Definition::read(&bytes, false).unwrap();
        assert_eq!(definition.time(&[99, 1, 2, 3, 4]), Some(0x0403_0201));
        let bytes = layout(&[[253, 1, 0x86]]);
        let (definition, _) = Definition::read(&bytes, false).unwrap();
        assert_eq!(definition.time(&[99]), None);
    }

    #[test]
    fn developer_fields_count_towards_the_size() {
        let mut bytes = layout(&[[3, 1, 2]]);
        bytes.extend([2, 0, 4, 0, 1, 6, 0, 0xAA]);
        let (definition, rest) = Definition::read(&bytes, true).unwrap();
        assert_eq!((definition.size, rest), (11, [0xAA].as_slice()));
    }
}
