//! A destination's file that cannot be opened: what may lie in it waits, and nothing else does.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;

use crate::support::cli::{Cli, MANIFEST, Ran, context, ride, steps};

const DAY: &str = "2026-11-02T06:12:33Z";
const NEXT_DAY: &str = "2026-11-03T06:12:33Z";
const LATER: &str = "2026-11-09T06:12:33Z";

/// To root every file is open.
const NOBODY: u32 = 65_534;

/// A world whose user is not root.
struct World(Cli);

impl World {
    /// Three rides to upload.
    fn new() -> Self {
        let cli = Cli::new(MANIFEST);
        for (file, start) in [("a", DAY), ("b", NEXT_DAY), ("c", LATER)] {
            cli.fit(format!("watch/{file}.fit"), &ride(start));
        }
        Self(cli)
    }

    /// With a file of this name at the destination that cannot be opened.
    fn with(name: &str) -> Self {
        let world = Self::new();
        world.close(name);
        world
    }

    fn close(&self, name: &str) {
        let path = format!("archive/{name}");
        self.0.fit(&path, &ride("2026-01-01T06:12:33Z"));
        fs::set_permissions(self.0.path(path), fs::Permissions::from_mode(0o000)).unwrap();
    }

    fn run(&self, args: &str) -> Ran {
        let mut command = self.0.command(args.split_whitespace());
        let root = self.0.root();
        if chown(&root, Some(NOBODY), Some(NOBODY)).is_ok() {
            for entry in walkdir::WalkDir::new(root) {
                chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
            }
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        Ran::of(&command, &output)
    }
}

fn addresses(starts: &[&str]) -> Vec<String> {
    starts.iter().map(|start| format!("keep/{start}")).collect()
}

#[test]
fn only_the_days_of_its_name_wait_and_the_file_is_named() {
    const FILE: &str = "2026-11-02_061233_cycling.fit";
    let world = World::with(FILE);
    let plan = world.run("plan --json").exits(5).json();
    let uploads: Vec<String> = steps(&plan).into_iter().map(|step| step.0).collect();
    assert_eq!(uploads, addresses(&[LATER]));
    let waiting: Vec<String> = context(&plan, "skips").into_iter().map(|skip| skip.0).collect();
    assert_eq!(waiting, addresses(&[DAY, NEXT_DAY]));
    let blocked = &plan["context"]["blocked"];
    assert_eq!(blocked.as_array().unwrap().len(), 1);
    assert_eq!(blocked[0]["files"], serde_json::json!([FILE]));
    assert_eq!(blocked[0]["reason"], "inventory_incomplete");
    let wanted = format!("keep: blocked by archive: {FILE} cannot be opened");
    world.run("plan").exits(5).says(&wanted).says(&format!("state ignore archive/{FILE}"));
    world.run("plan --markdown plan.md --html page").exits(5);
    for page in ["plan.md", "page/index.html"] {
        let text = fs::read_to_string(world.0.path(page)).unwrap();
        assert!(text.contains(FILE), "{page}: {text}");
    }
    world.run("apply --auto-approve").exits(10);
    assert_eq!(world.0.activities("archive").len(), 2, "the third one went over");
    world.run("apply --auto-approve").exits(5);
}

#[test]
fn without_a_day_in_its_name_everything_waits() {
    let world = World::with("ride.fit");
    let plan = world.run("plan --json").exits(5).json();
    assert_eq!(steps(&plan), []);
    assert_eq!(context(&plan, "skips").len(), 3);
    world.run("apply --auto-approve").exits(5);
    assert_eq!(world.0.activities("archive"), ["ride.fit"]);
}

#[test]
fn a_person_takes_it_out_of_the_check() {
    let world = World::with("ride.fit");
    world.run("plan").exits(5);
    world.run("state distinct archive/ride.fit").exits(1).tells("can only be ignored");
    world.run("state ignore archive/ride.fit").ok().tells("is left alone until it changes");
    world.run("apply --auto-approve").ok();
    world.run("plan").ok().says("No changes");
    world.run("state undecide archive/ride.fit").ok();
    world.0.fit("watch/d.fit", &ride("2026-11-12T06:12:33Z"));
    world.run("plan").exits(5);
}

#[test]
fn what_is_decided_is_about_the_file_as_it_was() {
    let world = World::with("ride.fit");
    world.run("plan").exits(5);
    world.run("state ignore archive/ride.fit").ok();
    fs::remove_file(world.0.path("archive/ride.fit")).unwrap();
    world.0.fit("archive/ride.fit", &ride("2026-01-01T06:12:33Z").records(77));
    let closed = fs::Permissions::from_mode(0o000);
    fs::set_permissions(world.0.path("archive/ride.fit"), closed).unwrap();
    world.run("apply --auto-approve").exits(5);
}

#[test]
fn nothing_waits_where_all_is_linked_and_nothing_counts_as_removed() {
    const FILE: &str = "2026-11-02_061233_cycling-2.fit";
    let world = World::new();
    world.run("apply --auto-approve").ok();
    world.close(FILE);
    world.run("plan").ok().says("No changes");
    let placed = world.0.activities("archive");
    let placed = placed.into_iter().find(|path| path.contains("/2026-11-02")).unwrap();
    fs::remove_file(world.0.path(format!("archive/{placed}"))).unwrap();
    let plan = world.run("plan --json").ok().json();
    assert_eq!(context(&plan, "skips"), [], "it may lie in the other file");
    fs::remove_file(world.0.path(format!("archive/{FILE}"))).unwrap();
    let plan = world.run("plan --json").ok().json();
    assert_eq!(context(&plan, "skips")[0].2, "removed_at_destination");
}

/// The pair is known; what happened to the file since nobody can see.
#[test]
fn a_linked_file_that_is_closed_keeps_its_pair() {
    let world = World::new();
    world.run("apply --auto-approve").ok();
    for name in world.0.activities("archive") {
        let path = world.0.path(format!("archive/{name}"));
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap();
    }
    world.run("plan").ok().says("No changes. 3 activities are in sync.");
    world.run("apply --auto-approve").ok();
    assert_eq!(world.0.activities("archive").len(), 3);
}
