//! Where files may come to be, and who may read them.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::world::cli;
use crate::support::cli::Cli;

/// What each thing of home may be: a folder 0700, a file 0600.
fn private(cli: &Cli) {
    for entry in walkdir::WalkDir::new(cli.home("")) {
        let entry = entry.unwrap();
        let wanted = if entry.file_type().is_dir() { 0o700 } else { 0o600 };
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, wanted, "{}", entry.path().display());
    }
}

/// Everything below the sandbox's root, folders too.
fn everything(root: &Path) -> BTreeSet<String> {
    let entries = walkdir::WalkDir::new(root).into_iter().filter_map(Result::ok);
    let shown = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    entries.map(|entry| shown(entry.path())).collect()
}

const EVERYDAY: [&str; 12] = [
    "validate",
    "plan --out plan.json",
    "list",
    "list --json --refresh",
    "download --account watch",
    "download --account watch --all",
    "download --account watch --index 1 --output-dir out",
    "sync --dry-run",
    "sync --auto-approve",
    "apply --auto-approve --report report.json",
    "clear-cache --activities-only",
    "plan",
];

#[test]
fn nothing_is_written_outside_home_and_what_was_named() {
    // Without FIT_SYNC_HOME, so that the user's own folder is walked.
    let mut cli = cli();
    cli.set("FIT_SYNC_HOME", "");
    let before = everything(&cli.root());
    for command in EVERYDAY {
        cli.run(command).ok();
    }
    let allowed = |path: &str| {
        ["user/.fit_sync", "work/archive", "work/out"]
            .iter()
            .any(|place| path == *place || path.starts_with(&format!("{place}/")))
            || ["work/plan.json", "work/report.json"].contains(&path)
    };
    let after = everything(&cli.root());
    let strange: Vec<&String> = after.difference(&before).filter(|path| !allowed(path)).collect();
    assert!(strange.is_empty(), "{strange:#?}");
    assert!(before.is_subset(&after));
    assert!(after.contains("user/.fit_sync/state.db"), "{after:#?}");
}

#[test]
fn home_is_for_its_owner_alone() {
    let cli = cli();
    for command in &EVERYDAY[1..] {
        cli.run(command).ok();
        private(&cli);
    }
}

#[test]
fn what_was_open_to_others_is_closed() {
    let cli = cli();
    cli.run("download --account watch --all").ok();
    for (path, mode) in
        [("", 0o755), ("state.db", 0o644), ("cache/fit", 0o755), ("cache/fit/watch/running", 0o777)]
    {
        fs::set_permissions(cli.home(path), fs::Permissions::from_mode(mode)).unwrap();
    }
    cli.run("list").ok().tells("it is 0700 now");
    cli.run("clear-cache").ok();
    cli.run("download --account watch --all").ok();
    private(&cli);
}

#[test]
fn verbose_tells_what_is_read() {
    let cli = cli();
    cli.run("list -v --account watch").ok().tells("read watch: 6 items");
    cli.run("sync -v --dry-run").ok().tells("read watch: 6 items");
    let quiet = cli.run("list -q").ok();
    assert!(quiet.stderr.is_empty(), "{quiet:#?}");
}
