//! Every fault of the network at every place of every flow: afterwards nothing is lost, nothing
//! doubled, and what is left is told.

use std::time::Duration;

use fit_sync::plan::SkipReason;

use crate::support::fake_coros::{Place, Trouble};
use crate::support::world::{End, all_hold};

use super::flows::{Flow, Stage};

/// Every trouble; what the API refuses is an answer with HTTP 200.
const TROUBLES: [Trouble; 16] = [
    Trouble::Status(429),
    Trouble::Wait(429, 7),
    Trouble::Status(503),
    Trouble::Status(403),
    Trouble::Status(404),
    Trouble::Status(401),
    Trouble::Status(200),
    Trouble::Result("1019", "Access token is invalid"),
    Trouble::Result("1001", "Service exceptions"),
    Trouble::Bare,
    Trouble::Reset,
    Trouble::Hangs,
    Trouble::Lost,
    Trouble::HangsAfter,
    Trouble::Halved,
    Trouble::Spoilt,
];

/// Where some troubles are no others under another name.
fn is_met_at(trouble: Trouble, place: Place) -> bool {
    match trouble {
        Trouble::Status(401) => matches!(place, Place::List | Place::Import),
        Trouble::Spoilt => matches!(place, Place::File | Place::Put),
        _ => true,
    }
}

/// Since when it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Planning,
    Applying,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Times {
    Once,
    Always,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    flow: Flow,
    place: Place,
    when: When,
    trouble: Trouble,
    times: Times,
}

/// What a flow asks of its account, while planning and after it.
fn places(flow: Flow) -> Vec<(When, Place)> {
    use Place::{Delete, Download, File, Import, Jobs, List, Login, Put, Sts, Update};
    let (planning, applying): (&[Place], &[Place]) = match flow {
        Flow::Out => (&[List], &[Download, File]),
        Flow::Into => (&[Login, List], &[List, Sts, Put, Import, Jobs]),
        // What its imports have in common with others is played there.
        Flow::Replace => (&[Download, File], &[List, Download, File, Import, Delete, Update]),
    };
    let planning = planning.iter().map(|place| (When::Planning, *place));
    planning.chain(applying.iter().map(|place| (When::Applying, *place))).collect()
}

fn cells(flow: Flow) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (when, place) in places(flow) {
        for trouble in TROUBLES.into_iter().filter(|trouble| is_met_at(*trouble, place)) {
            cells.push(Cell { flow, place, when, trouble, times: Times::Once });
            // To be silent always is to be cut off always, and takes longer to play.
            if !matches!(trouble, Trouble::Hangs | Trouble::HangsAfter) {
                cells.push(Cell { flow, place, when, trouble, times: Times::Always });
            }
        }
    }
    cells
}

impl Cell {
    fn fail(self, stage: &Stage) {
        match self.times {
            Times::Once => stage.fake.fails_for(1, self.place, self.trouble),
            Times::Always => stage.fake.fails(self.place, self.trouble),
        }
    }
}

impl Cell {
    /// What cannot be fetched for a comparison is a row of the plan.
    fn is_at_a_comparison(self) -> bool {
        matches!(self.place, Place::Download | Place::File) && self.when == When::Planning
    }

    /// A login that was refused in words is not repeated by a run of its own.
    fn needs_a_person(self) -> bool {
        self.place == Place::Login && matches!(self.trouble, Trouble::Result("1001", _))
    }
}

/// Plays a cell; what is wrong with it, in words.
async fn play(cell: Cell) -> Vec<String> {
    let hangs = matches!(cell.trouble, Trouble::Hangs | Trouble::HangsAfter);
    let mut stage = Stage::new(cell.flow, cell.place != Place::Login, hangs).await;
    if cell.when == When::Planning {
        cell.fail(&stage);
    }
    let between = || {
        stage.world.empty_cache();
        if cell.when == When::Applying {
            cell.fail(&stage);
        }
    };
    let first = stage.world.apply_after(between).await;
    let (end, told) = (first.end(stage.wrote()), first.told());
    stage.heal();
    let mut wrong = Vec::new();
    if cell.is_at_a_comparison() {
        let skips = first.document.context.skips.iter();
        let told = skips.filter(|skip| skip.reason == SkipReason::NotCompared).count();
        let must = cell.times == Times::Always;
        wrong.extend((told == 0 && must).then(|| "nobody was told".to_owned()));
    } else if end == End::Done {
        stage.next_run();
        wrong.extend(stage.left().await.into_iter().map(|what| format!("exit 0, but {what}")));
    }
    if expected(cell) != end {
        wrong.push(format!("ends with {end:?}, not {:?}", expected(cell)));
    }
    if stage.fake.count("/account/login") > 1 {
        wrong.push("two logins in one run".to_owned());
    }
    for _ in 0..3 {
        stage.world.pass(after(cell));
        stage.next_run();
        if stage.world.apply().await.end(true) == End::Done {
            break;
        }
    }
    stage.next_run();
    let left = stage.left().await;
    match cell.needs_a_person() {
        true => wrong
            .extend((!left[0].contains("none is tried without a person")).then(|| left.concat())),
        false => wrong.extend(left),
    }
    wrong.extend(stage.broken_laws());
    wrong.sort();
    wrong.dedup();
    if !wrong.is_empty() {
        wrong.push(format!("[{told}]"));
    }
    wrong
}

/// How long it takes until a next run may be better: a throttled login is left alone for hours.
fn after(cell: Cell) -> Duration {
    match (cell.place, cell.trouble) {
        // What has no file is looked at again on the next day.
        _ if cell.is_at_a_comparison() => Duration::from_secs(24 * 3600),
        (Place::Login, Trouble::Status(429 | 403 | 200) | Trouble::Wait(..)) => {
            Duration::from_secs(3 * 3600)
        }
        _ => Duration::from_secs(120),
    }
}

/// What a trouble is to whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It passes, and nothing was done.
    Passing,
    /// It passes, and it may have been done.
    Doubtful,
    /// It was done, and nobody knows.
    Silent,
    Token,
    /// It will not be done.
    No,
}

fn kind(trouble: Trouble) -> Kind {
    match trouble {
        Trouble::Status(429 | 403) | Trouble::Wait(..) => Kind::Passing,
        Trouble::Status(500 | 503 | 200) | Trouble::Bare | Trouble::Reset | Trouble::Hangs => {
            Kind::Doubtful
        }
        Trouble::Lost | Trouble::HangsAfter | Trouble::Halved | Trouble::Spoilt => Kind::Silent,
        Trouble::Status(401) | Trouble::Result("1019", _) => Kind::Token,
        Trouble::Status(_) | Trouble::Result(..) => Kind::No,
    }
}

/// Whether reading again may help.
fn is_worth_a_try(trouble: Trouble) -> bool {
    use Trouble::{Hangs, HangsAfter, Lost, Reset, Status, Wait};
    matches!(trouble, Status(429 | 403 | 500 | 503) | Wait(..) | Reset | Hangs | Lost | HangsAfter)
}

/// Whether an answer to a change leaves open what became of it, or may be another one tomorrow.
fn may_pass(trouble: Trouble) -> bool {
    use Trouble::{Halved, Hangs, HangsAfter, Lost, Reset, Status, Wait};
    matches!(
        trouble,
        Status(429 | 403 | 503 | 200) | Wait(..) | Reset | Hangs | Lost | HangsAfter | Halved
    )
}

/// A list in which these come in place of rows is not there for a moment.
fn is_passing_at_a_list(trouble: Trouble) -> bool {
    use Trouble::{Bare, Halved, Status};
    is_worth_a_try(trouble) || matches!(trouble, Status(200) | Bare | Halved)
}

/// The exit by contract 4 and 11 of the run with the fault.
fn expected(cell: Cell) -> End {
    use End::{Done, Login, Partly, Unavailable};
    let Cell { flow, place, when, trouble, times } = cell;
    let unless_once = |end| if times == Times::Once { Done } else { end };
    match (place, kind(trouble)) {
        (Place::Login, _) => {
            let is_down = is_worth_a_try(trouble) && !matches!(kind(trouble), Kind::Passing);
            if is_down { Unavailable } else { Login }
        }
        // What cannot be compared is said, and left alone.
        _ if cell.is_at_a_comparison() => Done,
        // Names are carried over as far as possible: later, where that may help.
        (Place::Update, Kind::Token) if flow == Flow::Replace => unless_once(Login),
        (Place::Update, _) if flow == Flow::Replace && may_pass(trouble) => unless_once(Partly),
        // A refusal is heard twice before the title stays in the backup only.
        (Place::Update, _) if flow == Flow::Replace && is_refusal(trouble) => Partly,
        (Place::Update, _) => Done,
        (Place::File, _) => of_file(trouble, times),
        (Place::Put, _) => match trouble {
            // The import says that the object is broken: the first look fails.
            Trouble::Halved | Trouble::Spoilt | Trouble::Status(403) => Partly,
            _ if is_worth_a_try(trouble) => unless_once(Unavailable),
            _ => Partly,
        },
        (_, Kind::Token) => unless_once(Login),
        // It is asked first what it was given before, and nothing is sent yet.
        (Place::Jobs, Kind::Passing) if trouble != Trouble::Status(403) => {
            unless_once(if flow == Flow::Into { Unavailable } else { Partly })
        }
        (Place::Import, Kind::Silent) | (Place::Jobs, _) => Done,
        (Place::Import, Kind::Doubtful) => unless_once(Partly),
        (Place::Import, Kind::Passing) if trouble == Trouble::Status(403) => {
            if times == Times::Once { Partly } else { Unavailable }
        }
        (Place::Import, Kind::Passing) => unless_once(Unavailable),
        (Place::Download, _) if is_worth_a_try(trouble) => unless_once(Unavailable),
        // The first look at a missing file fails; what is to be replaced is not without a copy.
        (Place::Download, Kind::No | Kind::Doubtful) if trouble != Trouble::Status(200) => {
            unless_once(Partly)
        }
        (Place::List, _) if when == When::Planning && !is_passing_at_a_list(trouble) => Unavailable,
        (Place::List, _) if when == When::Planning => unless_once(Unavailable),
        (Place::List, _) if is_passing_at_a_list(trouble) && flow == Flow::Replace => {
            unless_once(Unavailable)
        }
        (Place::List, _) if flow == Flow::Into => unless_once(Partly),
        (Place::Sts, _) if is_worth_a_try(trouble) => unless_once(Unavailable),
        (Place::Delete, Kind::Silent) => Done,
        (Place::Delete, Kind::Passing) if trouble != Trouble::Status(403) => unless_once(Partly),
        _ => Partly,
    }
}

/// The file host sends files, or pages in their place; broken files are believed the second time.
fn of_file(trouble: Trouble, times: Times) -> End {
    use End::{Done, Partly, Unavailable};
    match (trouble, times) {
        (Trouble::Halved | Trouble::Spoilt, Times::Once) => Partly,
        (_, Times::Once) => Done,
        (Trouble::Status(404) | Trouble::Halved | Trouble::Spoilt, Times::Always) => Partly,
        (_, Times::Always) => Unavailable,
    }
}

fn is_refusal(trouble: Trouble) -> bool {
    matches!(trouble, Trouble::Status(404) | Trouble::Result(..))
}

async fn check(flow: Flow) {
    let mut played = Vec::new();
    for cell in cells(flow) {
        let Cell { place, when, trouble, times, .. } = cell;
        let name = format!("{trouble:?} {times:?} at {place:?} since {when:?}");
        played.push((name, play(cell).await));
    }
    all_hold(&played);
}

#[test]
fn the_matrix_has_not_shrunk() {
    assert_eq!(Flow::ALL.map(|flow| cells(flow).len()), [82, 190, 216]);
}

#[tokio::test]
async fn what_is_brought_from_coros_survives_every_fault() {
    check(Flow::Out).await;
}

#[tokio::test]
async fn what_is_brought_to_coros_survives_every_fault() {
    check(Flow::Into).await;
}

#[tokio::test]
async fn what_is_replaced_at_coros_survives_every_fault() {
    check(Flow::Replace).await;
}
