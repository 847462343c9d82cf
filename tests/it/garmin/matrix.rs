//! Every fault of the network at every place of every flow: afterwards nothing is lost, nothing
//! doubled, the exit is the right one, and the next plan is empty or says what is left.

use std::time::Duration;

use fit_sync::net::Timeouts;

use crate::support::fake_garmin::{FakeGarmin, Place, Trouble};
use crate::support::world::{End, all_hold};

use super::pair::{Flow, Opened, Pair, Play};

/// Where it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Where {
    /// At the source, while the plan is made.
    SourceList,
    /// At the destination, while the plan is made.
    PlanList,
    /// At the destination, while the plan is carried out.
    List,
    /// At the source.
    Download,
    /// At the destination: the copy of what goes.
    Backup,
    Upload,
    Status,
    Details,
    SetDetails,
    Delete,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Limited,
    LimitedUntil,
    Fails,
    Overloaded,
    Gateway,
    Page,
    Resets,
    LostBefore,
    LostAfter,
    Hangs,
    Half,
    Flipped,
    TokenRefused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Once,
    Always,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    flow: Flow,
    place: Where,
    what: What,
    times: Times,
}

const PLACES: [Where; 10] = [
    Where::SourceList,
    Where::PlanList,
    Where::List,
    Where::Download,
    Where::Backup,
    Where::Upload,
    Where::Status,
    Where::Details,
    Where::SetDetails,
    Where::Delete,
];

const TROUBLES: [What; 13] = [
    What::Limited,
    What::LimitedUntil,
    What::Fails,
    What::Overloaded,
    What::Gateway,
    What::Page,
    What::Resets,
    What::LostBefore,
    What::LostAfter,
    What::Hangs,
    What::Half,
    What::Flipped,
    What::TokenRefused,
];

impl Where {
    fn place(self) -> Place {
        match self {
            Self::SourceList | Self::PlanList | Self::List => Place::List,
            Self::Download | Self::Backup => Place::Download,
            Self::Upload => Place::Upload,
            Self::Status => Place::Status,
            Self::Details => Place::Details,
            Self::SetDetails => Place::Edit,
            Self::Delete => Place::Delete,
        }
    }

    fn is_in(self, flow: Flow) -> bool {
        flow == Flow::Replace || !matches!(self, Self::Backup | Self::Delete)
    }

    fn is_planning(self) -> bool {
        matches!(self, Self::SourceList | Self::PlanList)
    }

    fn fake(self, pair: &Pair) -> &FakeGarmin {
        match self {
            Self::SourceList | Self::Download => &pair.us,
            _ => &pair.cn,
        }
    }

    fn is_read(self) -> bool {
        !matches!(self, Self::Upload | Self::Status | Self::SetDetails | Self::Delete)
    }
}

impl What {
    fn trouble(self) -> Trouble {
        match self {
            Self::Limited => Trouble::Status(429),
            Self::LimitedUntil => Trouble::Wait(429, 7),
            Self::Fails => Trouble::Status(500),
            Self::Overloaded => Trouble::Status(503),
            Self::Gateway => Trouble::Status(403),
            Self::Page => Trouble::Status(200),
            Self::Resets => Trouble::Resets,
            Self::LostBefore => Trouble::LostBefore,
            Self::LostAfter => Trouble::Lost,
            Self::Hangs => Trouble::Hangs,
            Self::Half => Trouble::Half,
            Self::Flipped => Trouble::Flipped,
            Self::TokenRefused => Trouble::Refused,
        }
    }
}

fn cells() -> Vec<Cell> {
    let mut cells = Vec::new();
    for flow in [Flow::Upload, Flow::Replace] {
        for place in PLACES.into_iter().filter(|place| place.is_in(flow)) {
            for what in TROUBLES {
                for times in [Times::Once, Times::Always] {
                    // What hangs for ever costs real time: once is enough where it is read.
                    let slow = what == What::Hangs && times == Times::Always && place.is_read();
                    cells.extend((!slow).then_some(Cell { flow, place, what, times }));
                }
            }
        }
    }
    cells
}

impl Cell {
    fn name(self) -> String {
        let Self { flow, place, what, times } = self;
        format!("{flow:?}/{place:?}/{what:?}/{times:?}")
    }

    fn script(self, pair: &Pair) {
        let trouble = match self.times {
            Times::Once => Trouble::First(1, Box::new(self.what.trouble())),
            Times::Always => self.what.trouble(),
        };
        *self.place.fake(pair).world().switches.at(self.place.place()) = trouble;
    }

    /// Only where nobody answers does anybody wait, and not for long; requests to wait are counted by
    /// each process.
    fn opened(self) -> Opened {
        let usual = Timeouts::default();
        match self.what {
            What::Hangs => Opened::Anew(Timeouts { read: Duration::from_millis(250), ..usual }),
            What::Limited | What::LimitedUntil => Opened::Anew(usual),
            _ => Opened::Shared,
        }
    }
}

/// Plays a cell; what is wrong with it, in words.
async fn play(pair: &Pair, cell: Cell) -> Vec<String> {
    let mut play = pair.play(cell.flow, 2, cell.opened());
    if cell.place.is_planning() {
        cell.script(pair);
    }
    let between = || {
        if !cell.place.is_planning() {
            cell.script(pair);
        }
    };
    let first = play.run(between).await;
    let end = first.end(play.wrote());
    let mut wrong = play.broken_laws();
    play.heal();
    if end == End::Done {
        let left = play.unfinished().await;
        wrong.extend(left.into_iter().map(|what| format!("exit 0, but {what}")));
    }
    if end == End::Unavailable && play.wrote() {
        wrong.push("exit 5 after something was sent".to_owned());
    }
    if !expected(cell).contains(&end) {
        wrong.push(format!("ends with {end:?}"));
    }
    play.go_on().await;
    wrong.extend(play.broken_laws());
    wrong.extend(play.unfinished().await);
    wrong.extend(twice_without_state(&mut play).await);
    wrong.sort();
    wrong.dedup();
    if !wrong.is_empty() {
        wrong.push(format!("[{}]", first.told()));
    }
    wrong
}

/// A lost state brings nothing a second time.
async fn twice_without_state(play: &mut Play<'_>) -> Vec<String> {
    play.world.forget_state();
    let planned = play.world.plan().await.plan.document;
    let world = play.pair.cn.world();
    let is_there = |start| {
        let recording = play.recordings.iter().find(|recording| recording.start == start);
        let bytes = recording.map(|recording| recording.bytes.as_slice());
        world.activities.iter().any(|stored| stored.file.as_deref() == bytes)
    };
    let steps = planned.body.steps.iter().filter(|step| is_there(step.key.start));
    steps.map(|step| format!("without a state: {:?} {}", step.action, step.address)).collect()
}

/// The exits that contract 4 and 11 allow the run with the fault.
fn expected(cell: Cell) -> &'static [End] {
    use End::{Done, Login, Partly, Unavailable};
    use What as W;
    let Cell { flow, place, what, times } = cell;
    let once = times == Times::Once;
    match (place, what) {
        (_, W::TokenRefused) if once => &[Done],
        // The list shows what became of it all the same.
        (Where::Status, W::TokenRefused) => &[Done, Login],
        (_, W::TokenRefused) => &[Login],
        (Where::Download | Where::Backup, W::Half | W::Flipped) => &[Partly],
        (_, _) if once && place.is_read() => &[Done],
        (Where::SourceList | Where::PlanList | Where::Download, _) => &[Unavailable],
        (Where::List | Where::Details, _) if flow == Flow::Upload => &[Partly],
        // A list that cannot be read is an outage.
        (Where::Details, W::Half | W::Flipped) => &[Partly],
        (Where::List | Where::Details | Where::Backup, _) => &[Unavailable],
        (_, W::Limited | W::LimitedUntil) if once => &[Done],
        (Where::Status, W::Limited | W::LimitedUntil) => &[Done, Partly],
        (Where::Status, _) => &[Done],
        (Where::Upload, W::LostAfter | W::Half | W::Flipped) => &[Done],
        (Where::Upload, W::Gateway) if once => &[Partly],
        (Where::Upload, W::Gateway | W::Limited | W::LimitedUntil) if flow == Flow::Upload => {
            &[Unavailable]
        }
        (Where::Upload, _) if once => &[Done],
        (Where::Upload, _) => &[Partly],
        (Where::Delete | Where::SetDetails, W::Half | W::Flipped) => &[Done],
        (Where::Delete, W::LostAfter) => &[Done],
        (Where::Delete, W::Gateway | W::Limited | W::LimitedUntil) if !once => &[Unavailable],
        // Set twice if need be.
        (Where::SetDetails, _) if once => &[Done],
        _ => &[Partly],
    }
}

async fn check(of: impl Fn(Cell) -> bool) {
    let pair = Pair::start();
    let mut played = Vec::new();
    for cell in cells().into_iter().filter(|cell| of(*cell)) {
        played.push((cell.name(), play(&pair, cell).await));
    }
    all_hold(&played);
}

#[test]
fn the_matrix_has_not_shrunk() {
    assert_eq!(cells().len(), 457);
}

#[tokio::test]
async fn uploads_survive_every_fault_of_reading() {
    check(|cell| cell.flow == Flow::Upload && cell.place.is_read()).await;
}

#[tokio::test]
async fn uploads_survive_every_fault_of_writing() {
    check(|cell| cell.flow == Flow::Upload && !cell.place.is_read()).await;
}

#[tokio::test]
async fn replaces_survive_every_fault_of_reading() {
    check(|cell| cell.flow == Flow::Replace && cell.place.is_read()).await;
}

#[tokio::test]
async fn replaces_survive_every_fault_of_writing() {
    check(|cell| cell.flow == Flow::Replace && !cell.place.is_read()).await;
}
