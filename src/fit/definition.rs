//! The layout of a kind of message, as its definition message declares it.

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
}

impl<'a> Definition<'a> {
    /// Reads the bytes after a definition's header byte; returns what follows the definition.
    pub(super) fn read(bytes: &'a [u8], with_developer: bool) -> Option<(Self, &'a [u8])> {
        let ([_, order, a, b], rest) = bytes.split_first_chunk()?;
        let big_endian = *order != 0;
        let global = if big_endian {
            u16::from_be_bytes([*a, *b])
        } else {
            u16::from_le_bytes([*a, *b])
        };
        let (fields, rest) = triples(rest)?;
        let (developer, rest) = if with_developer {
            triples(rest)?
        } else {
            (Default::default(), rest)
        };
        let (mut size, mut time_at) = (0, None);
        for [number, bytes, base] in fields {
            if *number == TIMESTAMP && *bytes == 4 && width(*base) == 4 {
                time_at = Some(size);
            }
            size += usize::from(*bytes);
        }
        size += developer
            .iter()
            .map(|[_, bytes, _]| usize::from(*bytes))
            .sum::<usize>();
        let definition = Self {
            global,
            size,
            time_at,
            big_endian,
            fields,
        };
        Some((definition, rest))
    }

    /// The raw value of the message's timestamp field.
    #[inline]
    pub(super) fn time(&self, body: &[u8]) -> Option<u32> {
        let bytes = body.get(self.time_at?..)?.first_chunk()?;
        Some(self.join(bytes))
    }

    fn join(&self, bytes: &[u8; 4]) -> u32 {
        if self.big_endian {
            u32::from_be_bytes(*bytes)
        } else {
            u32::from_le_bytes(*bytes)
        }
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
        is_valid(value, base)
            .then(|| T::try_from(value).ok())
            .flatten()
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
