//! The message stream of one part: keeps the definitions in force and the running time.

use super::chain::{Defect, Frame};
use super::definition::Definition;

/// A data message.
#[derive(Debug)]
pub(super) struct Message<'a, 'd> {
    /// Its layout.
    pub(super) definition: &'d Definition<'a>,
    /// Its bytes after the header byte.
    pub(super) body: &'a [u8],
    /// Raw FIT time, from its timestamp field or the compressed one in its header.
    pub(super) time: Option<u32>,
}

impl Message<'_, '_> {
    /// The value of an unsigned field; see [`Definition::uint`].
    pub(super) fn uint<T: TryFrom<u64>>(&self, number: u8) -> Option<T> {
        self.definition.uint(self.body, number)
    }

    /// A text field; see [`Definition::text`].
    pub(super) fn text(&self, number: u8) -> Option<String> {
        self.definition.text(self.body, number)
    }
}

const COMPRESSED_TIME: u8 = 0x80;
const IS_DEFINITION: u8 = 0x40;
const HAS_DEVELOPER: u8 = 0x20;
const LOCAL: u8 = 0x0F;

/// Shows every data message of a part to `see`, in file order.
///
/// # Errors
/// Where the stream is broken, or what `see` returns.
pub(super) fn walk<'a>(
    frame: &Frame<'a>,
    mut see: impl FnMut(&Message<'a, '_>) -> Result<(), Defect>,
) -> Result<(), Defect> {
    let mut definitions: [Option<Definition<'a>>; 16] = [None; 16];
    let mut now: Option<u32> = None;
    let mut rest = frame.messages;
    while let Some((header, after)) = rest.split_first() {
        let at = || frame.at + (frame.messages.len() - rest.len());
        let header = *header;
        if header & (COMPRESSED_TIME | IS_DEFINITION) == IS_DEFINITION {
            let (definition, after) = Definition::read(after, header & HAS_DEVELOPER != 0)
                .ok_or_else(|| Defect::Overrun { at: at() })?;
            if let Some(slot) = definitions.get_mut(usize::from(header & LOCAL)) {
                *slot = Some(definition);
            }
            rest = after;
            continue;
        }
        let compressed = header & COMPRESSED_TIME != 0;
        let local = if compressed {
            (header >> 5) & 3
        } else {
            header & LOCAL
        };
        let Some(Some(definition)) = definitions.get(usize::from(local)) else {
            return Err(Defect::Undefined { at: at(), local });
        };
        let (body, after) = after
            .split_at_checked(definition.size)
            .ok_or_else(|| Defect::Overrun { at: at() })?;
        let mut time = definition.time(body);
        if compressed && time.is_none() {
            time = now.map(|now| advanced(now, header));
        }
        now = time.filter(|time| *time != u32::MAX).or(now);
        see(&Message {
            definition,
            body,
            time,
        })?;
        rest = after;
    }
    Ok(())
}

/// The next time after `now` whose low five bits are those of the header.
fn advanced(now: u32, header: u8) -> u32 {
    let offset = u32::from(header & 0x1F);
    now.wrapping_add(offset.wrapping_sub(now) & 0x1F)
}

#[cfg(test)]
mod tests {
    use super::advanced;

    #[test]
    fn compressed_time_rolls_over_after_32_seconds() {
        assert_eq!(advanced(1000 * 32 + 5, 0x80 | 5), 1000 * 32 + 5);
        assert_eq!(advanced(1000 * 32 + 5, 0x80 | 31), 1000 * 32 + 31);
        assert_eq!(advanced(1000 * 32 + 5, 0x80 | 4), 1001 * 32 + 4);
        assert_eq!(advanced(u32::MAX, 0x80), 0);
    }
}
