//! The process that dies: this very test binary, told by a variable where.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::deadly::{Moment, Trigger};
use super::world::{Scenario, World, block_on, run};

const VARIABLE: &str = "FIT_SYNC_TEST_CRASH";

/// Not a test by itself: returns at once unless the matrix has started it.
#[test]
fn runs_until_it_is_killed() {
    #[expect(clippy::disallowed_methods, reason = "how the matrix tells its child where to die")]
    let Ok(order) = std::env::var(VARIABLE) else { return };
    let [scenario, moment, number, root] = order.splitn(4, ' ').collect::<Vec<_>>()[..] else {
        panic!("{order}");
    };
    let scenario = Scenario::ALL.into_iter().find(|known| known.word() == scenario).unwrap();
    let trigger = Trigger::at(Moment::parse(moment), number.parse().unwrap());
    let world = World::known(Path::new(root), scenario);
    let session = world.session(Arc::new(trigger.clone()), &trigger);
    block_on(run(&session));
}

/// Runs a child over a world; says whether it was killed, as opposed to having finished.
pub(super) fn dies(world: &World, moment: Moment, number: i64) -> bool {
    let root: PathBuf = world.root.clone();
    let order = format!("{} {moment:?} {number} {}", world.scenario.word(), root.display());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["resume::child::runs_until_it_is_killed", "--exact", "--nocapture"])
        .env(VARIABLE, &order)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let killed = output.status.signal() == Some(9);
    let text = String::from_utf8_lossy(&output.stdout);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(killed || output.status.success(), "{order}: {}\n{text}\n{words}", output.status);
    assert!(killed || text.contains("1 passed"), "{order}: ran no test\n{text}");
    killed
}
