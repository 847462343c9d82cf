//! Every fault at every place of every flow: afterwards nothing is lost, nothing doubled, and what is
//! left is told.

use std::time::Duration;

use crate::support::memory::{DownloadFault, Fault, ListFault, Memory, Operation, UploadFault};
use fit_sync::domain::RemoteId;
use fit_sync::event::Phase;
use fit_sync::platform::{PlatformError, Rejection};

use super::stage::{Flow, Stage, altered, ride, stranger};
use crate::support::world::{End, all_hold};

/// Where it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    SourceDownload,
    Download,
    Upload,
    Status,
    Delete,
    List,
    PlanList,
    SourceList,
    Details,
    SetDetails,
}

/// What accounts are asked on a step's way to a phase.
fn on_the_way_to(phase: Phase) -> &'static [Place] {
    match phase {
        Phase::Intent => &[Place::PlanList, Place::SourceList],
        Phase::Fetched => &[Place::SourceDownload],
        Phase::BackedUp => &[Place::Download, Place::Details],
        Phase::Removed => &[Place::Delete],
        Phase::Sent => &[Place::Upload, Place::Status],
        Phase::Confirmed => &[Place::List, Place::SetDetails],
        // Where it ends up when one of those goes wrong.
        Phase::Adopted
        | Phase::Pending
        | Phase::Restored
        | Phase::Held
        | Phase::Failed
        | Phase::Stale
        | Phase::Skipped
        | Phase::NotTried
        | Phase::Unknown => &[],
    }
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Refused,
    LimitedUntil,
    Limited,
    Unreached,
    LostBefore,
    LostAfter,
    Garbled,
    NotFound,
    SessionEnds,
    TooLarge,
    DuplicateOld,
    DuplicateStranger,
    DuplicateNobody,
    DuplicateUnnamed,
    DuplicateDeleted,
    StoredOld,
    StoredStranger,
    Dropped,
    ListedLate,
    ListedTwice,
    Processes,
    ProcessesUnnamed,
    Alters,
    Truncated,
    OtherBytes,
    Nonsense,
    Incomplete,
    Arrives,
    Vanishes,
    KeepsPrivacy,
}

const GENERAL: [Trouble; 9] = [
    Trouble::Refused,
    Trouble::LimitedUntil,
    Trouble::Limited,
    Trouble::Unreached,
    Trouble::LostBefore,
    Trouble::LostAfter,
    Trouble::Garbled,
    Trouble::NotFound,
    Trouble::SessionEnds,
];
const OF_UPLOAD: [Trouble; 14] = [
    Trouble::TooLarge,
    Trouble::DuplicateOld,
    Trouble::DuplicateStranger,
    Trouble::DuplicateNobody,
    Trouble::DuplicateUnnamed,
    Trouble::DuplicateDeleted,
    Trouble::StoredOld,
    Trouble::StoredStranger,
    Trouble::Dropped,
    Trouble::ListedLate,
    Trouble::ListedTwice,
    Trouble::Processes,
    Trouble::ProcessesUnnamed,
    Trouble::Alters,
];
const OF_DOWNLOAD: [Trouble; 3] = [Trouble::Truncated, Trouble::OtherBytes, Trouble::Nonsense];
const OF_LIST: [Trouble; 3] = [Trouble::Incomplete, Trouble::Arrives, Trouble::Vanishes];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Once,
    Always,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    flow: Flow,
    place: Place,
    trouble: Trouble,
    times: Times,
    steps: usize,
}

impl Place {
    fn operation(self) -> Operation {
        match self {
            Self::SourceDownload | Self::Download => Operation::Download,
            Self::Upload => Operation::Upload,
            Self::Status => Operation::UploadStatus,
            Self::Delete => Operation::Delete,
            Self::List | Self::PlanList | Self::SourceList => Operation::List,
            Self::Details => Operation::Details,
            Self::SetDetails => Operation::SetDetails,
        }
    }

    fn troubles(self) -> Vec<Trouble> {
        let special: &[Trouble] = match self {
            Self::SourceDownload | Self::Download => &OF_DOWNLOAD,
            Self::Upload => &OF_UPLOAD,
            Self::List | Self::PlanList | Self::SourceList => &OF_LIST,
            Self::SetDetails => &[Trouble::KeepsPrivacy],
            Self::Status | Self::Delete | Self::Details => &[],
        };
        GENERAL.iter().chain(special).copied().collect()
    }

    /// What a place is asked only in some flows.
    fn is_in(self, flow: Flow) -> bool {
        match self {
            Self::Delete => flow.replaces(),
            // The new one is downloaded again, the old one is backed up.
            Self::Download => flow.replaces(),
            _ => true,
        }
    }

    fn is_before_planning(self) -> bool {
        matches!(self, Self::PlanList | Self::SourceList)
    }
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for flow in Flow::ALL {
        let places = Phase::ALL.into_iter().flat_map(on_the_way_to).copied();
        for place in places.filter(|place| place.is_in(flow)) {
            for trouble in place.troubles() {
                for times in [Times::Once, Times::Always] {
                    for steps in [1, 3] {
                        let cell = Cell { flow, place, trouble, times, steps };
                        cells.extend(cell.makes_sense().then_some(cell));
                    }
                }
            }
        }
    }
    cells
}

impl Cell {
    fn makes_sense(self) -> bool {
        let named_old = matches!(self.trouble, Trouble::DuplicateOld | Trouble::StoredOld);
        let always = self.times == Times::Always;
        // A source that always gives the bytes of another activity has no other truth; an activity
        // vanishes once.
        let lies = self.place == Place::SourceDownload && self.trouble == Trouble::OtherBytes;
        let nowhere = match self.flow {
            // An upload is verified by its listing only.
            Flow::Upload => named_old || self.trouble == Trouble::Alters,
            Flow::UploadThenDelete | Flow::DeleteThenUpload => false,
        };
        // Three that became one day's are no three activities.
        let merges = self.trouble == Trouble::Alters && self.steps > 1;
        !nowhere && !(always && (lies || merges || self.trouble == Trouble::Vanishes))
    }

    fn name(self) -> String {
        let Self { flow, place, trouble, times, steps } = self;
        format!("{flow:?}/{place:?}/{trouble:?}/{times:?}/{steps}")
    }

    fn account(self, stage: &Stage) -> &Memory {
        match self.place {
            Place::SourceDownload | Place::SourceList => &stage.here,
            _ => &stage.there,
        }
    }

    fn script(self, stage: &Stage) {
        let account = self.account(stage);
        let times = if self.times == Times::Once { 1 } else { 300 };
        if self.place == Place::Status {
            let refused = self.trouble == Trouble::Refused;
            let fault = |number| match refused && number < times {
                true => UploadFault::ProcessesInVain(1),
                false => UploadFault::Processes(1),
            };
            for number in 0..300 {
                stage.there.script(Fault::Upload(fault(number)));
            }
        }
        for _ in 0..times {
            account.script(self.fault(stage));
        }
    }

    fn fault(self, stage: &Stage) -> Fault {
        let operation = self.place.operation();
        let fails = |error| Fault::Fails(operation, error);
        let upload = Fault::Upload;
        let old = || stage.recordings[0].old.as_ref().map(|(id, _)| id.clone());
        let limited = |retry_after| fails(PlatformError::RateLimited { retry_after });
        let rejected = |kind| {
            let reason = "not with us".to_owned();
            fails(PlatformError::Rejected { reason, kind })
        };
        match self.trouble {
            Trouble::Refused if matches!(self.place, Place::Upload | Place::Status) => {
                rejected(Rejection::Refused)
            }
            Trouble::Refused => fails(PlatformError::Permanent("not with us".to_owned())),
            Trouble::LimitedUntil => limited(Some(Duration::from_secs(7))),
            Trouble::Limited => limited(None),
            Trouble::Unreached => fails(PlatformError::Transient("no route".to_owned())),
            Trouble::LostBefore => fails(PlatformError::Unconfirmed("cut off".to_owned())),
            Trouble::LostAfter => Fault::LosesAnswer(operation),
            Trouble::Garbled => fails(PlatformError::Protocol("<html>".to_owned())),
            Trouble::NotFound => fails(PlatformError::NotFound),
            Trouble::SessionEnds => Fault::EndsSession(operation),
            Trouble::TooLarge => rejected(Rejection::TooLarge),
            Trouble::DuplicateOld => upload(UploadFault::NamesDuplicate(old())),
            Trouble::DuplicateStranger => {
                upload(UploadFault::NamesDuplicate(Some(stage.strangers[0].clone())))
            }
            Trouble::DuplicateNobody => {
                upload(UploadFault::NamesDuplicate(Some(RemoteId::new("nobody"))))
            }
            Trouble::DuplicateUnnamed => upload(UploadFault::NamesDuplicate(None)),
            Trouble::DuplicateDeleted => upload(UploadFault::NamesDeleted),
            Trouble::StoredOld => upload(UploadFault::NamesStored(old().unwrap())),
            Trouble::StoredStranger => upload(UploadFault::NamesStored(stage.strangers[0].clone())),
            Trouble::Dropped => upload(UploadFault::Dropped),
            Trouble::ListedLate => upload(UploadFault::ListedLate(9)),
            Trouble::ListedTwice => upload(UploadFault::ListedTwice),
            Trouble::Processes => upload(UploadFault::Processes(3)),
            Trouble::ProcessesUnnamed => upload(UploadFault::ProcessesUnnamed(3)),
            Trouble::Alters => upload(UploadFault::Alters(altered())),
            Trouble::Truncated => Fault::Download(DownloadFault::Truncated),
            Trouble::OtherBytes => Fault::Download(DownloadFault::OtherBytes(ride(40, 12_345).1)),
            Trouble::Nonsense => {
                Fault::Download(DownloadFault::OtherBytes(b"<html>busy</html>".to_vec()))
            }
            Trouble::Incomplete => Fault::List(ListFault::Incomplete),
            Trouble::Arrives => Fault::List(ListFault::Arrives(Box::new(arriving(self)))),
            Trouble::Vanishes => Fault::List(ListFault::Vanishes(leaving(self, stage))),
            Trouble::KeepsPrivacy => Fault::KeepsPrivacy,
        }
    }
}

/// A row that shows up between two pages.
fn arriving(cell: Cell) -> fit_sync::domain::Activity {
    let spare = Memory::new(crate::support::memory::Settings::new("late"));
    let bytes = if cell.place == Place::SourceList { ride(-9, 9_000).1 } else { stranger(-9) };
    spare.put_file(&bytes, None);
    let known = std::collections::HashMap::new();
    let window = fit_sync::platform::Window::default();
    let request = fit_sync::platform::ListRequest { window, page: None, known: &known };
    let page =
        futures_util::FutureExt::now_or_never(fit_sync::platform::Platform::list(&spare, request));
    page.unwrap().unwrap().activities.remove(0)
}

fn leaving(cell: Cell, stage: &Stage) -> RemoteId {
    match cell.place {
        Place::SourceList => stage.here.put_file(&ride(-8, 8_000).1, None),
        _ => stage.there.put_file(&stranger(-8), None),
    }
}

/// Plays a cell; what is wrong with it, in words.
async fn play(cell: Cell) -> Vec<String> {
    let stage = Stage::new(cell.flow, cell.steps);
    if cell.place.is_before_planning() {
        cell.script(&stage);
    }
    let between = || {
        // Comparing may have fetched the source already: what goes wrong shall be met.
        stage.world.empty_cache();
        if !cell.place.is_before_planning() {
            cell.script(&stage);
        }
    };
    let first = stage.world.apply_after(between).await;
    let end = first.end(stage.wrote());
    let mut wrong = stage.broken_laws();
    let told = first.told();
    stage.heal();
    if end == End::Done {
        let mut left = stage.unfinished().await;
        if cell.trouble == Trouble::Arrives {
            left.retain(|what| !what.starts_with("planned still: Upload"));
        }
        wrong.extend(left.into_iter().map(|what| format!("exit 0, but {what}")));
    }
    if end == End::Unavailable && stage.wrote() {
        wrong.push("exit 5 after something was sent".to_owned());
    }
    if !expected(cell).contains(&end) {
        wrong.push(format!("ends with {end:?}"));
    }
    for _ in 0..2 {
        stage.world.pass(Duration::from_secs(120));
        let again = stage.world.apply().await;
        wrong.extend(stage.broken_laws());
        if again.end(true) == End::Done {
            break;
        }
    }
    if cell.trouble == Trouble::Dropped {
        // Nothing will ever be seen of it: after a week somebody is asked.
        for _ in 0..3 {
            stage.world.pass(Duration::from_secs(4 * 24 * 3600));
            stage.world.apply().await;
        }
    }
    wrong.extend(stage.broken_laws());
    let mut left = stage.unfinished().await;
    if cell.trouble == Trouble::Dropped && cell.flow == Flow::DeleteThenUpload {
        // Before anybody is asked, the old one is put back.
        left.retain(|what| !what.contains("new [], old Some"));
    }
    wrong.extend(left);
    wrong.sort();
    wrong.dedup();
    if !wrong.is_empty() {
        wrong.push(format!("[{told}]"));
    }
    wrong
}

/// The exits that contract 4 and 11 allow the run with the fault.
fn expected(cell: Cell) -> &'static [End] {
    use End::{Done, Login, Partly, Unavailable};
    use Trouble as T;
    let Cell { flow, place, trouble, times, .. } = cell;
    let once = times == Times::Once;
    let steady = matches!(trouble, T::Arrives | T::Vanishes);
    match (place, trouble) {
        (_, T::SessionEnds) => &[Login],
        // What has left the source meanwhile has no file there.
        (Place::SourceList, T::Vanishes) => &[Done, Partly],
        (Place::PlanList | Place::SourceList | Place::List, _) if steady => &[Done],
        // A reading is asked for again where that helps.
        (Place::PlanList | Place::SourceList, T::Limited | T::LimitedUntil | T::Unreached)
            if once =>
        {
            &[Done]
        }
        (Place::SourceList, T::Incomplete) => &[Unavailable, Partly],
        (Place::PlanList | Place::SourceList, _) => &[Unavailable],
        (_, T::Limited | T::LimitedUntil) if once => &[Done],
        (Place::List, T::Incomplete) => &[Done],
        (Place::List, _) if once => &[Done, Partly, Unavailable],
        // The first look at a refusal is a failure.
        (Place::SourceDownload, T::NotFound) => &[Partly],
        (Place::SourceDownload, T::Truncated | T::Nonsense) if !once => &[Partly],
        (Place::Upload | Place::Status, T::Refused | T::TooLarge) => &[Partly],
        (Place::Upload, T::LostAfter | T::ListedTwice) => &[Done],
        (Place::Upload, T::Processes | T::ProcessesUnnamed) => &[Done],
        (Place::Upload, T::LostBefore | T::StoredOld | T::StoredStranger) if once => &[Done],
        // Refused for another's sake: the next plan asks.
        (Place::Upload, T::DuplicateStranger) => &[Partly],
        (
            Place::Upload,
            T::DuplicateOld | T::DuplicateNobody | T::DuplicateUnnamed | T::DuplicateDeleted,
        ) if once => &[Done, Partly],
        // Set twice if need be, and what a row shows needs no look.
        (Place::SetDetails, T::Unreached | T::LostBefore | T::LostAfter | T::NotFound) if once => {
            &[Done]
        }
        (Place::Details, T::NotFound) if flow == Flow::Upload => &[Done],
        // The list tells that one is hidden, or it is hidden once more; no other is sent then.
        (Place::SetDetails, T::LostAfter) => &[Done, Partly],
        (Place::SetDetails, _) if once => &[Done, Partly],
        (Place::Details, T::Unreached) if once => &[Done],
        (Place::Details, _) if flow == Flow::Upload => &[Done, Partly],
        (Place::Status, T::Limited | T::LimitedUntil) => &[Done, Partly],
        (Place::Status, _) => &[Done],
        (Place::Delete, T::LostAfter) => &[Done, Partly],
        (Place::SourceDownload | Place::Download, T::Unreached) if once => &[Done],
        (_, T::Unreached | T::Limited | T::LimitedUntil) => &[Unavailable, Partly],
        _ => &[Partly],
    }
}

async fn check(flow: Flow) {
    let mut played = Vec::new();
    for cell in cells().into_iter().filter(|cell| cell.flow == flow) {
        played.push((cell.name(), play(cell).await));
    }
    all_hold(&played);
}

#[test]
fn the_matrix_has_not_shrunk() {
    assert_eq!(cells().len(), 1318);
}

#[tokio::test]
async fn uploads_survive_every_fault() {
    check(Flow::Upload).await;
}

#[tokio::test]
async fn replaces_by_upload_then_delete_survive_every_fault() {
    check(Flow::UploadThenDelete).await;
}

#[tokio::test]
async fn replaces_by_delete_then_upload_survive_every_fault() {
    check(Flow::DeleteThenUpload).await;
}
