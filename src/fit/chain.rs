//! The frames of a file: header, messages and checksum, possibly several times in a row.

use super::crc::crc16;

/// What is wrong with a file's bytes. Positions count from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// No bytes at all.
    #[error("the file is empty")]
    Empty,
    /// Does not begin with a FIT header.
    #[error("not a FIT file")]
    NotFit,
    /// Something that is no FIT header follows the last whole part.
    #[error("after {at} bytes of FIT comes something that is no FIT header")]
    Trailing {
        /// Where it begins.
        at: usize,
    },
    /// The header announces more bytes than there are.
    #[error("truncated: needs {needs} bytes, has {has}")]
    Truncated {
        /// Length of the file that the last header asks for.
        needs: u64,
        /// Length of the file.
        has: usize,
    },
    /// The header's own checksum does not match.
    #[error("checksum of the header at byte {at} does not match")]
    HeaderCrc {
        /// Where the header begins.
        at: usize,
    },
    /// A part's checksum does not match.
    #[error("checksum at byte {at} does not match: says {says:#06x}, is {is:#06x}")]
    FileCrc {
        /// Where the checksum stands.
        at: usize,
        /// The stored checksum.
        says: u16,
        /// The checksum of the bytes.
        is: u16,
    },
    /// A message of a layout that was never defined.
    #[error("message at byte {at} uses the local number {local}, which is not defined")]
    Undefined {
        /// Where the message begins.
        at: usize,
        /// Its local message number.
        local: u8,
    },
    /// A message that is longer than what is left of its part.
    #[error("message at byte {at} runs past the end of its part")]
    Overrun {
        /// Where the message begins.
        at: usize,
    },
    /// More parts or sessions than any recording has: a file made to exhaust memory.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many are read.
        limit: usize,
    },
}

/// One part of a file: its messages, framed by a header and a checksum that match.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame<'a> {
    /// Definition and data messages.
    pub(super) messages: &'a [u8],
    /// Where they begin in the file.
    pub(super) at: usize,
}

/// Reads a file frame by frame; ends after the last frame or the first defect.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    file: &'a [u8],
    at: usize,
    parts: usize,
}

/// A part costs some hundred bytes of memory but only 16 bytes of file. Multi-part recordings
/// seen so far (2026-11): 7 at most.
const MAX_PARTS: usize = 256;

const SHORT_HEADER: usize = 12;
const LONG_HEADER: usize = 14;
const CRC: usize = 2;

impl<'a> Chain<'a> {
    /// The chain of a whole file.
    pub(super) fn of(file: &'a [u8]) -> Self {
        Self {
            file,
            at: 0,
            parts: 0,
        }
    }

    fn frame(&mut self) -> Result<Frame<'a>, Defect> {
        let at = self.at;
        let rest = self.file.get(at..).unwrap_or_default();
        let header = Header::read(rest).ok_or(match (self.file.is_empty(), at) {
            (true, _) => Defect::Empty,
            (false, 0) => Defect::NotFit,
            (false, at) => Defect::Trailing { at },
        })?;
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return Err(Defect::TooMany {
                what: "parts",
                limit: MAX_PARTS,
            });
        }
        let truncated = || Defect::Truncated {
            needs: header.part_size().saturating_add(at as u64),
            has: self.file.len(),
        };
        let size = usize::try_from(header.part_size()).map_err(|_| truncated())?;
        let part = rest.get(..size).ok_or_else(truncated)?;
        if !header.crc_matches(part) {
            return Err(Defect::HeaderCrc { at });
        }
        let (sealed, seal) = part.split_last_chunk::<CRC>().ok_or_else(truncated)?;
        let (says, is) = (u16::from_le_bytes(*seal), crc16(sealed));
        if says != is {
            return Err(Defect::FileCrc {
                at: at + sealed.len(),
                says,
                is,
            });
        }
        let frame = Frame {
            messages: sealed.get(header.size..).unwrap_or_default(),
            at: at + header.size,
        };
        self.at = at + size;
        Ok(frame)
    }
}

impl<'a> Iterator for Chain<'a> {
    type Item = Result<Frame<'a>, Defect>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at > 0 && self.at >= self.file.len() {
            return None;
        }
        let frame = self.frame();
        if frame.is_err() {
            self.at = usize::MAX;
        }
        Some(frame)
    }
}

#[derive(Clone, Copy, Debug)]
struct Header {
    size: usize,
    data_size: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let [size, _, _, _, a, b, c, d, b'.', b'F', b'I', b'T'] = *bytes.first_chunk()? else {
            return None;
        };
        let size = usize::from(size);
        (size >= SHORT_HEADER).then_some(Self {
            size,
            data_size: u32::from_le_bytes([a, b, c, d]),
        })
    }

    /// Bytes of header, data and checksum.
    fn part_size(self) -> u64 {
        self.size as u64 + u64::from(self.data_size) + CRC as u64
    }

    /// A header checksum of 0 means that none was computed; 12-byte headers have none.
    fn crc_matches(self, part: &[u8]) -> bool {
        if self.size < LONG_HEADER {
            return true;
        }
        let (Some(header), Some([.., low, high])) =
            (part.get(..SHORT_HEADER), part.first_chunk::<LONG_HEADER>())
        else {
            return false;
        };
        let says = u16::from_le_bytes([*low, *high]);
        says == 0 || says == crc16(header)
    }
}
