//! The few recordings of which all worlds are made: each file is written once.

use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

use fit_sync::domain::Sha256;
use jiff::{SignedDuration, Timestamp};

use crate::support::fit::{FitFile, exported_again};

/// Days on which something is recorded.
pub(crate) const EVENTS: u8 = 6;
/// What arrives while lists are read; no world draws it.
pub(crate) const ARRIVAL: Recording = Recording { event: EVENTS, device: 0, version: 0 };
/// Devices that record an event: the second is switched off earlier, the third is switched on later.
pub(crate) const DEVICES: u8 = 3;
/// States of a file: its athlete may correct it.
pub(crate) const VERSIONS: u8 = 3;

/// A file of a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Recording {
    /// What was done; recordings of one event are the same activity to most rules.
    pub(crate) event: u8,
    /// Who recorded it.
    pub(crate) device: u8,
    /// Its content.
    pub(crate) version: u8,
}

impl Recording {
    /// Whether both come from one device at one event, whatever was corrected since.
    pub(crate) fn is_same(self, other: Self) -> bool {
        (self.event, self.device) == (other.event, other.device)
    }

    /// Whether rules may take one for the other.
    pub(crate) fn may_be(self, other: Self) -> bool {
        self.event == other.event
    }

    /// When it begins.
    pub(crate) fn start(self) -> Timestamp {
        let (day, hour) = match self.event {
            // The way back, as long as the way there and on the same day.
            5 => (4, 2),
            event => (event, 0),
        };
        let day = SignedDuration::from_hours(24 * 5 * i64::from(day) + hour);
        let late = SignedDuration::from_secs(if self.device == 2 { 40 } else { 0 });
        first_day() + day + late
    }

    /// Its bytes.
    pub(crate) fn bytes(self) -> &'static [u8] {
        shelf().files.get(&self).map_or(&[], Vec::as_slice)
    }

    /// The recording of these bytes, also of an export of it.
    pub(crate) fn of(sha256: &Sha256) -> Option<Self> {
        shelf().recordings.get(sha256).copied()
    }

    /// The hashes of all files of it.
    pub(crate) fn files(self) -> BTreeSet<Sha256> {
        let of = shelf().recordings.iter().filter(|(_, recording)| **recording == self);
        of.map(|(sha256, _)| sha256.clone()).collect()
    }

    /// A short name for stories: the event's letter, and what tells it from its siblings.
    pub(crate) fn name(self) -> String {
        let letter = char::from(b'A' + self.event);
        let device = ["", "'", "\""].get(usize::from(self.device)).copied().unwrap_or("?");
        match self.version {
            0 => format!("{letter}{device}"),
            version => format!("{letter}{device}{}", version + 1),
        }
    }
}

/// The bytes of the n-th export of a file, of which there are few that differ.
pub(crate) fn export(bytes: &[u8], number: u8) -> Vec<u8> {
    let original = Recording::of(&Sha256::of(bytes)).map(Recording::bytes);
    exported_again(original.unwrap_or(bytes), 1 + number % EXPORTS)
}

const EXPORTS: u8 = 4;

struct Shelf {
    files: HashMap<Recording, Vec<u8>>,
    recordings: HashMap<Sha256, Recording>,
}

fn shelf() -> &'static Shelf {
    static SHELF: OnceLock<Shelf> = OnceLock::new();
    SHELF.get_or_init(|| {
        let mut shelf = Shelf { files: HashMap::new(), recordings: HashMap::new() };
        for recording in all() {
            let bytes = write(recording);
            shelf.recordings.insert(Sha256::of(&bytes), recording);
            for number in 0..EXPORTS {
                let again = Sha256::of(&exported_again(&bytes, 1 + number));
                shelf.recordings.insert(again, recording);
            }
            shelf.files.insert(recording, bytes);
        }
        shelf
    })
}

fn all() -> impl Iterator<Item = Recording> {
    (0..=EVENTS).flat_map(|event| {
        (0..DEVICES).flat_map(move |device| {
            (0..VERSIONS).map(move |version| Recording { event, device, version })
        })
    })
}

fn write(recording: Recording) -> Vec<u8> {
    let file = FitFile::new(recording.start())
        .records(6)
        .elapsed_s(3600)
        .distance_m(30_000 + u32::from(recording.version) * 1000);
    let file = match recording.device {
        0 => file,
        1 => file.elapsed_s(3300).maker(294, 7).serial(77),
        _ => file.elapsed_s(3500).maker(294, 9).serial(78),
    };
    file.build()
}

fn first_day() -> Timestamp {
    "2026-05-01T06:00:00Z".parse().unwrap_or_default()
}
