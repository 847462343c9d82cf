//! One writer per destination: real processes that meet at one folder.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::cli::{Cli, MANIFEST, REPLACING, Ran, ride};

const START: &str = "2026-11-19T06:12:33Z";

fn world() -> Cli {
    let cli = Cli::new(MANIFEST);
    cli.fit("watch/ride.fit", &ride(START));
    cli
}

/// A run that holds its locks: it stands still at printing its plan, for nobody reads it.
struct Holder {
    child: Child,
    reader: std::io::PipeReader,
}

impl Holder {
    fn start(cli: &Cli, args: &str, locks: &Path) -> Self {
        let (reader, mut writer) = std::io::pipe().unwrap();
        // As much as a pipe holds, so that the next byte waits for a reader.
        writer.write_all(&[b'.'; 65_536]).unwrap();
        let mut command = cli.command(args.split_whitespace());
        command.stdout(writer).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        drop(command);
        let holder = Self { child, reader };
        let pid = format!("\"pid\":{}", holder.child.id());
        wait_until(|| signatures(locks).iter().any(|text| text.contains(&pid)));
        holder
    }

    fn pid(&self) -> String {
        format!("pid {}", self.child.id())
    }

    /// Lets it go on to its end.
    fn finish(mut self) -> i32 {
        let mut out = Vec::new();
        self.reader.read_to_end(&mut out).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[track_caller]
#[expect(clippy::disallowed_methods, reason = "other processes take real time")]
fn wait_until(done: impl Fn() -> bool) {
    for _ in 0..6000 {
        if done() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it has not happened");
}

fn signatures(locks: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(locks).into_iter().flatten().flatten();
    entries.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect()
}

fn locks_of(cli: &Cli) -> PathBuf {
    cli.home("locks")
}

#[track_caller]
fn locked(ran: Ran, holder: &Holder) {
    let ran = ran.exits(8).tells("another run writes to archive").tells(&holder.pid());
    assert_eq!(ran.stdout, "");
}

#[test]
fn the_second_is_told_whom_it_would_disturb() {
    let mut cli = world();
    cli.set("USER", "lena");
    cli.set("BUILD_URL", "https://ci.example/job/7/");
    let holder = Holder::start(&cli, "apply --auto-approve", &locks_of(&cli));
    let ran = cli.run("apply --auto-approve").tells("lena@").tells("https://ci.example/job/7/");
    locked(ran, &holder);
    assert_eq!(cli.activities("archive"), Vec::<String>::new());
    assert_eq!(holder.finish(), 0);
    assert_eq!(cli.activities("archive").len(), 1);
    cli.run("apply --auto-approve").ok().says("No changes.");
}

#[test]
fn reading_does_not_wait() {
    let cli = world();
    let holder = Holder::start(&cli, "apply --auto-approve", &locks_of(&cli));
    cli.run("plan --out plan.json").ok().says("1 to upload");
    cli.run("show plan.json").ok();
    cli.run("state list").ok();
    cli.run("state history").ok();
    locked(cli.run("apply plan.json"), &holder);
    holder.kill();
}

#[test]
fn a_killed_run_holds_nothing() {
    let cli = world();
    let holder = Holder::start(&cli, "apply --auto-approve", &locks_of(&cli));
    holder.kill();
    cli.run("apply --auto-approve").ok().says("1 uploaded");
}

#[test]
fn waiting_ends_with_the_timeout_or_with_the_other_run() {
    let cli = world();
    let holder = Holder::start(&cli, "apply --auto-approve", &locks_of(&cli));
    // The clock of tests moves by what is slept, and returns at once.
    let ran = cli.run("apply --auto-approve --lock-timeout 10m");
    locked(ran.tells("waiting for another run that writes to archive"), &holder);
    let mut command = cli.command(["apply", "--auto-approve", "--lock-timeout", "2m"]);
    command.env_remove("FIT_SYNC_NOW").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut waiting = command.spawn().unwrap();
    let mut stderr = waiting.stderr.take().unwrap();
    let mut said = String::new();
    while !said.contains("waiting for another run") {
        let mut byte = [0];
        assert_eq!(stderr.read(&mut byte).unwrap(), 1, "it ended and said: {said}");
        said.push(char::from(byte[0]));
    }
    assert_eq!(holder.finish(), 0);
    let mut rest = Vec::new();
    stderr.read_to_end(&mut rest).unwrap();
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&rest));
    assert!(String::from_utf8_lossy(&output.stdout).contains("No changes."));
    assert_eq!(cli.activities("archive").len(), 1);
}

#[test]
fn a_signal_ends_the_waiting() {
    let (cli, id) = replaced();
    let holder = Holder::start(&cli, "apply --auto-approve", &locks_of(&cli));
    let before = cli.files("archive");
    let restore = format!("backup restore {id}");
    for what in ["apply --auto-approve", restore.as_str()] {
        let mut command = cli.command(what.split_whitespace());
        command.args(["--lock-timeout", "2m"]).env_remove("FIT_SYNC_NOW");
        let mut waiting = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(waiting.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("waiting for another run") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "it ended and said: {said}");
        }
        kill_process(Pid::from_child(&waiting), Signal::TERM).unwrap();
        stderr.read_to_string(&mut said).unwrap();
        assert_eq!(waiting.wait().unwrap().code(), Some(11), "{what}: {said}");
        assert!(said.contains("interrupted before the first step"), "{what}: {said}");
    }
    assert_eq!(cli.files("archive"), before);
    holder.kill();
}

#[test]
fn durations_are_checked() {
    let cli = world();
    cli.run("apply --lock-timeout 10").exits(64);
    cli.run("apply --lock-timeout soon").exits(64);
}

#[test]
fn manifests_of_one_home_share_their_destinations() {
    let mut cli = world();
    // Each folder shall get a marker of its own.
    cli.set("FIT_SYNC_SEED", "");
    cli.put("other.yaml", MANIFEST.replace("path: watch", "path: phone"));
    cli.fit("phone/run.fit", &ride("2026-11-18T06:00:00Z"));
    let apart = MANIFEST.replace("path: watch", "path: phone").replace("path: archive", "path: b");
    cli.put("apart.yaml", apart);
    let holder = Holder::start(&cli, "apply --auto-approve", &locks_of(&cli));
    locked(cli.run("apply --auto-approve --config other.yaml"), &holder);
    locked(cli.run("apply --auto-approve --config other.yaml --state other.db"), &holder);
    cli.run("apply --auto-approve --config apart.yaml").ok().says("1 uploaded");
    assert_eq!(holder.finish(), 0);
    cli.run("apply --auto-approve --config other.yaml").ok().says("1 uploaded");
}

#[test]
fn homes_that_share_a_state_share_its_destinations() {
    let mut cli = world();
    let beside = cli.path("shared.db.locks");
    let holder = Holder::start(&cli, "apply --auto-approve --state shared.db", &beside);
    let other = cli.root().join("other-home");
    cli.set("FIT_SYNC_HOME", other);
    locked(cli.run("apply --auto-approve --state shared.db"), &holder);
    std::os::unix::fs::symlink("shared.db", cli.path("link.db")).unwrap();
    locked(cli.run("apply --auto-approve --state link.db"), &holder);
    holder.kill();
    cli.run("apply --auto-approve --state shared.db").ok().says("1 uploaded");
}

#[test]
fn a_folder_is_the_same_before_and_after_it_gets_its_marker() {
    let cli = world();
    cli.run("apply --auto-approve").ok();
    std::fs::rename(cli.path("archive"), cli.path("moved")).unwrap();
    cli.fit("watch/second.fit", &ride("2026-11-18T06:00:00Z"));
    // The marker is known, so that the folder is locked by its place and by its marker.
    cli.put("moved.yaml", MANIFEST.replace("path: archive", "path: moved"));
    let holder = Holder::start(&cli, "apply --auto-approve --config moved.yaml", &locks_of(&cli));
    let held = signatures(&locks_of(&cli)).iter().filter(|text| !text.is_empty()).count();
    assert_eq!(held, 2);
    std::fs::rename(cli.path("moved"), cli.path("archive")).unwrap();
    locked(cli.run("apply --auto-approve"), &holder);
    holder.kill();
}

/// An archive in which one activity was replaced, and the id of its backup.
fn replaced() -> (Cli, String) {
    let cli = Cli::new(REPLACING);
    cli.fit("watch/ride.fit", &ride(START).distance_m(40_000));
    cli.run("apply --auto-approve").ok();
    cli.fit("watch/ride.fit", &ride(START).distance_m(44_000));
    cli.run("apply --auto-approve").ok();
    let backups = cli.run("backup list --json").ok().json();
    let id = backups["backups"][0]["id"].as_str().unwrap().to_owned();
    cli.fit("watch/second.fit", &ride("2026-11-18T06:00:00Z"));
    (cli, id)
}

#[test]
fn nothing_is_put_back_where_another_run_writes() {
    let (cli, id) = replaced();
    let before = cli.files("archive");
    let holder = Holder::start(&cli, "apply --auto-approve", &locks_of(&cli));
    locked(cli.run(&format!("backup restore {id}")), &holder);
    let waited = cli.run(&format!("backup restore {id} --lock-timeout 10m"));
    locked(waited.tells("waiting for another run that writes to archive"), &holder);
    cli.run(&format!("backup restore {id} --lock-timeout soon")).exits(64);
    assert_eq!(cli.files("archive"), before);
    assert_eq!(holder.finish(), 0);
    cli.run(&format!("backup restore {id}")).ok().says("confirmed");
}

#[test]
fn what_is_half_written_goes_with_the_next_apply_whatever_it_has_to_do() {
    let mut cli = world();
    // More than a day after any clock by which the files are written.
    cli.set("FIT_SYNC_NOW", "2100-01-01T12:00:00Z");
    cli.run("apply --auto-approve").ok();
    let half = "archive/cycling/.fit_sync-0123456789abcdef0123456789abcdef.tmp";
    cli.put(half, "half a file");
    cli.run("plan").ok().says("No changes.");
    assert!(cli.path(half).exists(), "a plan removes nothing");
    let holder = Holder::start(&cli, "apply --auto-approve", &locks_of(&cli));
    wait_until(|| !cli.path(half).exists());
    cli.put(half, "half a file, on its way");
    locked(cli.run("apply --auto-approve"), &holder);
    assert!(cli.path(half).exists(), "it may be the other run's");
    holder.kill();
    cli.run("apply --auto-approve").ok().says("No changes.");
    assert!(!cli.path(half).exists());
}
