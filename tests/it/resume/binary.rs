//! The program itself, killed and interrupted as a person would do it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::world::{Scenario, World, folder};

const APPLY: [&str; 3] = ["apply", "--auto-approve", "-v"];
const CLEAN: i32 = 11;

/// The program in mid-run.
struct Running {
    child: Child,
    told: BufReader<ChildStderr>,
}

impl Running {
    /// Starts an apply and follows it until it has told so many transitions.
    fn after(world: &World, transitions: usize) -> Self {
        let mut program = world.program(&APPLY);
        program.args(["--junit", "apply.xml", "--html", "page"]);
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(child.stderr.take().unwrap());
        let mut running = Self { child, told };
        for _ in 0..transitions {
            if !running.hears_a_step() {
                break;
            }
        }
        running
    }

    fn hears_a_step(&mut self) -> bool {
        self.hears("keep/")
    }

    /// Follows it until a line that begins so.
    fn hears(&mut self, begin: &str) -> bool {
        let mut line = String::new();
        while self.told.read_line(&mut line).unwrap() > 0 {
            if line.starts_with(begin) {
                return true;
            }
            line.clear();
        }
        false
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        // One that has ended in the meantime is not reaped yet, so nobody else is hit.
        kill_process(pid, signal).unwrap();
    }

    fn end(mut self) -> (Output, String) {
        let mut words = String::new();
        self.told.read_to_string(&mut words).unwrap();
        (self.child.wait_with_output().unwrap(), words)
    }
}

fn apply(world: &World, when: &str) {
    let output = world.program(&APPLY).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{when}\n{text}\n{words}");
    world.is_as_planned(when);
    let again = world.program(&["plan", "--detailed-exitcode"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{when}: the next plan is not empty");
}

#[test]
fn a_kill_at_any_moment_is_survived() {
    for (number, transitions) in [1, 7, 23, 40, 61, 80, 97, 111].into_iter().enumerate() {
        let folder = folder();
        let world = World::of(folder.path(), Scenario::Mixed, 12, 18);
        let when = format!("killed after {transitions} transitions");
        let running = Running::after(&world, transitions);
        running.signal(Signal::KILL);
        let (output, _) = running.end();
        assert_eq!(output.status.signal(), Some(9), "{when}: it had ended before");
        world.nothing_is_lost(&when);
        if number % 2 == 1 {
            let running = Running::after(&world, transitions / 3);
            running.signal(Signal::KILL);
            running.end();
            world.nothing_is_lost(&format!("{when}, and again"));
        }
        apply(&world, &when);
    }
}

#[test]
fn a_first_signal_ends_the_run_cleanly() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = folder();
        let world = World::of(folder.path(), Scenario::Mixed, 100, 50);
        let when = format!("{signal:?}");
        let running = Running::after(&world, 20);
        running.signal(signal);
        let (output, words) = running.end();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(CLEAN), "{when}\n{text}\n{words}");
        assert!(words.contains("Stopping"), "{when}: {words}");
        assert!(text.contains("Applied plan"), "{when}: no summary\n{text}");
        assert!(text.contains("not tried"), "{when}: {text}");
        let written = |path: &str| std::fs::read_to_string(world.root.join(path)).unwrap();
        let (steps, page) = (written("apply.xml"), written("page/index.html"));
        assert!(steps.contains("exit 11, interrupted"), "{when}: {steps}");
        assert!(steps.contains("not_tried") && page.contains("not tried"), "{when}");
        world.only_touched_steps_are_open(&when);
        assert_eq!(world.last_exit(), Some(CLEAN), "{when}");
        world.nothing_is_lost(&when);
        apply(&world, &when);
    }
}

#[test]
fn a_first_signal_is_heard_while_the_accounts_are_read() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = folder();
        let world = World::of(folder.path(), Scenario::Uploads, 2500, 0);
        let mut running = Running::after(&world, 0);
        assert!(running.hears("read archive"), "the archive is read first");
        running.signal(signal);
        let (output, words) = running.end();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(CLEAN), "{signal:?}\n{text}\n{words}");
        assert!(words.contains("Stopping"), "{signal:?}: {words}");
        assert!(text.contains("Interrupted before the first step: nothing was sent"), "{text}");
        assert_eq!(world.archived(), 1, "{signal:?}: only what was there before");
        assert_eq!(world.open_steps(), 0, "{signal:?}");
    }
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let folder = folder();
    let world = World::of(folder.path(), Scenario::Uploads, 300, 0);
    let mut running = Running::after(&world, 5);
    running.signal(Signal::INT);
    let mut line = String::new();
    while !line.contains("Stopping") {
        line.clear();
        assert!(running.told.read_line(&mut line).unwrap() > 0, "it did not say that it stops");
    }
    running.signal(Signal::INT);
    let (output, words) = running.end();
    assert_eq!(output.status.code(), Some(CLEAN), "{words}");
    assert!(world.archived() < 300, "it went on to the end");
    apply(&world, "interrupted twice");
}

#[test]
fn a_closed_pipe_loses_nothing() {
    let folder = folder();
    let world = World::of(folder.path(), Scenario::Mixed, 6, 6);
    let mut program = world.program(&APPLY);
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    child.wait().unwrap();
    world.is_as_planned("nobody listens");
    apply(&world, "nobody listened");
}
