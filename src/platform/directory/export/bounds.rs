//! What a zip may make this machine do at most. Real exports stay far below, zip bombs do not.

use super::super::read::MAX_BYTES;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The most of everything that a zip's author decides about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Unzipped bytes of one activity.
    pub(super) activity: u64,
    /// Unzipped bytes of a zip inside the export.
    pub(super) inner: u64,
    /// Unzipped bytes of all that is looked at in one reading.
    pub(super) whole: u64,
    /// How many times its packed size something may unzip to, once it is larger than `small`.
    pub(super) ratio: u64,
    /// Unzipped bytes that need no ratio.
    pub(super) small: u64,
    /// Bytes that are read to find and read the directory of one zip.
    pub(super) directory: u64,
    /// Entries of one zip, and rows of the whole.
    pub(super) entries: usize,
}

/// Measured on real files, FIT unzips to 2 to 12 times its packed size; deflate cannot do more
/// than 1032 times.
pub(super) const BOUNDS: Bounds = Bounds {
    activity: MAX_BYTES,
    inner: 8 * GIB,
    whole: 64 * GIB,
    ratio: 200,
    small: MIB,
    directory: 64 * MIB,
    entries: 200_000,
};

impl Bounds {
    /// How many bytes `packed` ones may unzip to, where `most` is the bound by itself.
    pub(super) fn unzipped(&self, packed: u64, most: u64) -> u64 {
        packed.saturating_mul(self.ratio).max(self.small).min(most)
    }

    /// Which bound was met, in words.
    pub(super) fn exceeded(&self, limit: u64, most: u64) -> String {
        if limit < most {
            format!("unzips to more than {} times its size", self.ratio)
        } else {
            format!("larger than {} MiB", most / MIB)
        }
    }
}
