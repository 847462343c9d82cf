//! Where a cell of the fault matrix plays: recordings at the source, what the destination holds of
//! them, and what must be true at the end.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::support::memory::{Change, Memory, Operation};
use fit_sync::domain::{RemoteId, ReplaceProtocol, Sha256};
use fit_sync::plan::SkipReason;
use jiff::{SignedDuration, Timestamp};

use crate::support::fit::FitFile;
use crate::support::witness::Witness;
use crate::support::world::{World, settings, undone};

/// What a cell does when all goes well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Upload,
    UploadThenDelete,
    DeleteThenUpload,
}

impl Flow {
    pub(crate) const ALL: [Self; 3] =
        [Self::Upload, Self::UploadThenDelete, Self::DeleteThenUpload];

    pub(crate) fn replaces(self) -> bool {
        self != Self::Upload
    }
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) here: Memory,
    pub(crate) there: Memory,
    pub(crate) witness: Arc<Witness>,
    pub(crate) recordings: Vec<Recording>,
    /// Activities of the destination that are none of ours.
    pub(crate) strangers: Vec<RemoteId>,
}

/// A recording of the source.
pub(crate) struct Recording {
    pub(crate) source: RemoteId,
    pub(crate) start: Timestamp,
    pub(crate) bytes: Vec<u8>,
    /// What the destination holds of it before: other content under the same start.
    pub(crate) old: Option<(RemoteId, Vec<u8>)>,
}

/// The ride of a day in May; its distance tells it apart.
pub(crate) fn ride(day: i64, distance_m: u32) -> (Timestamp, Vec<u8>) {
    let first: Timestamp = "2026-05-01T06:12:33Z".parse().unwrap();
    let start = first + SignedDuration::from_hours(24 * day);
    (start, FitFile::new(start).records(12).distance_m(distance_m).build())
}

/// What a destination that alters uploads makes of the first ride.
pub(crate) fn altered() -> Vec<u8> {
    ride(0, 29_000).1
}

/// A run of another day's afternoon.
pub(crate) fn stranger(day: i64) -> Vec<u8> {
    let (start, _) = ride(day, 0);
    let start = start + SignedDuration::from_secs(5 * 3600 + 437);
    let file = FitFile::new(start).sport(1, 0).elapsed_s(1805).distance_m(6_120);
    file.maker(294, 7).serial(0).records(9).build()
}

impl Stage {
    pub(crate) fn new(flow: Flow, steps: usize) -> Self {
        let protocol = match flow {
            Flow::Upload | Flow::UploadThenDelete => ReplaceProtocol::UploadThenDelete,
            Flow::DeleteThenUpload => ReplaceProtocol::DeleteThenUpload,
        };
        let here = Memory::new(settings("a", ReplaceProtocol::UploadThenDelete));
        here.configure(|settings| settings.private = Some(true));
        let there = Memory::new(settings("b", protocol));
        there.configure(|settings| settings.capabilities.parallel = u32::try_from(steps).unwrap());
        there.configure(|settings| settings.page_size = std::num::NonZeroUsize::new(2));
        let strangers = (0..3).map(|day| there.put_file(&stranger(day), Some("Run"))).collect();
        let recordings = (0..steps).map(|number| recording(&here, &there, flow, number)).collect();
        let clock = Arc::new(fit_sync::clock::ManualClock::new(
            crate::support::world::NOW.parse().unwrap(),
        ));
        let witness = Witness::new(&there, &clock);
        let mut world = World::new(Arc::new(here.clone()), Arc::clone(&witness) as _).replacing();
        world.session.opening = crate::support::world::opening(&clock);
        world.session.events = Arc::clone(&witness) as _;
        world.clock = clock;
        let stage = Self { world, here, there, witness, recordings, strangers };
        stage.tell_witness();
        stage
    }

    fn tell_witness(&self) {
        let rows = self.recordings.iter();
        let planned = rows
            .clone()
            .filter_map(|row| Some((row.old.as_ref()?.0.clone(), Sha256::of(&row.bytes))));
        let wanted = rows.map(|row| (row.start.to_string(), Sha256::of(&row.bytes)));
        let (planned, wanted): (HashMap<_, _>, HashMap<_, _>) =
            (planned.collect(), wanted.collect());
        self.witness.expect_altered(altered());
        self.witness.expect(self.world.backups(), planned, wanted);
    }

    /// Has everything go well again.
    pub(crate) fn heal(&self) {
        self.here.heal();
        self.there.heal();
    }

    /// Ids at the destination that hold these bytes.
    pub(crate) fn holding(&self, bytes: &[u8]) -> Vec<RemoteId> {
        let holds = |id: &RemoteId| self.there.bytes(id).as_deref() == Some(bytes);
        self.there.ids().into_iter().filter(holds).collect()
    }

    /// Whether a request of the engine's changed the destination.
    pub(crate) fn wrote(&self) -> bool {
        let asked = |operation: Option<Operation>| {
            matches!(operation, Some(Operation::Upload | Operation::Delete))
        };
        self.there
            .history()
            .iter()
            .any(|moment| asked(moment.happening.operation) && !moment.happening.changes.is_empty())
    }

    /// What never may be, at any moment so far.
    pub(crate) fn broken_laws(&self) -> Vec<String> {
        let mut broken = self.witness.violations();
        let touched = |moment: &crate::support::memory::Moment| {
            matches!(
                moment.happening.operation,
                Some(Operation::Upload | Operation::Delete | Operation::SetDetails)
            )
        };
        if self.here.history().iter().any(touched) {
            broken.push("the source was written to".to_owned());
        }
        let olds: BTreeSet<&RemoteId> =
            self.recordings.iter().filter_map(|row| Some(&row.old.as_ref()?.0)).collect();
        let mut sent: HashMap<Vec<u8>, u32> = HashMap::new();
        for moment in self.there.history() {
            for change in &moment.happening.changes {
                match (moment.happening.operation, change) {
                    (Some(Operation::Delete), Change::Removed(id))
                        if !olds.contains(id) && !self.is_altered(id) =>
                    {
                        broken.push(format!("{id} was deleted"));
                    }
                    (Some(Operation::Upload), Change::Added(id)) => {
                        let bytes = self.there.bytes(id).unwrap_or_default();
                        *sent.entry(bytes).or_default() += 1;
                    }
                    _ => {}
                }
            }
        }
        for row in &self.recordings {
            let times = sent.get(&row.bytes).copied().unwrap_or_default();
            if times > 1 {
                broken.push(format!("{} was stored {times} times", row.start));
            }
        }
        broken
    }

    fn is_altered(&self, id: &RemoteId) -> bool {
        self.there.bytes(id) == Some(altered())
    }

    /// What is not as it should be when all is over; empty if every recording is there once, or the
    /// plan says why not.
    pub(crate) async fn unfinished(&self) -> Vec<String> {
        let document = self.world.plan().await.plan.document;
        let mut wrong = Vec::new();
        for row in &self.recordings {
            let asked = document.context.conflicts.iter().any(|c| c.source.id == row.source);
            let address = row.start.to_string();
            let skipped = document
                .context
                .skips
                .iter()
                .any(|skip| skip.address.as_str().ends_with(&address) && is_told(skip.reason));
            let now = self.holding(&row.bytes);
            let old = row.old.as_ref().filter(|(_, bytes)| !self.holding(bytes).is_empty());
            let good = now.len() == 1 && old.is_none();
            let kept = now.is_empty() && (row.old.is_none() || old.is_some());
            if !(good || asked || (skipped && kept)) {
                let old = old.map(|(_, bytes)| self.holding(bytes));
                wrong.push(format!("{address}: new {now:?}, old {old:?}"));
            }
            wrong.extend(now.iter().filter(|_| good).filter_map(|id| self.not_carried(row, id)));
        }
        if !self.strangers.iter().all(|id| self.there.ids().contains(id)) {
            wrong.push("a stranger is gone".to_owned());
        }
        wrong.extend(undone(&document));
        wrong
    }

    fn not_carried(&self, row: &Recording, id: &RemoteId) -> Option<String> {
        let written = self.there.written(id)?;
        if written.private != Some(true) {
            return Some(format!("{id} can be seen by others"));
        }
        let kept = row.old.is_none() || written.title.as_deref() == Some("As I called it");
        (!kept).then(|| format!("{id} has lost its title: {written:?}"))
    }
}

fn is_told(reason: SkipReason) -> bool {
    matches!(
        reason,
        SkipReason::NoOriginal
            | SkipReason::Unreadable
            | SkipReason::RejectedByDestination
            | SkipReason::TooLarge
    )
}

fn recording(here: &Memory, there: &Memory, flow: Flow, number: usize) -> Recording {
    let day = i64::try_from(number).unwrap();
    let more = 100 * u32::try_from(number).unwrap();
    let (start, bytes) = ride(day, 31_000 + more);
    let source = here.put_file(&bytes, Some("Ride"));
    let old = flow.replaces().then(|| {
        let (_, bytes) = ride(day, 30_000 + more);
        (there.put_file(&bytes, Some("As I called it")), bytes)
    });
    Recording { source, start, bytes, old }
}
