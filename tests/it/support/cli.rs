//! The real binary in a world of its own: no environment but what a test sets, a home, a working
//! folder and a clock that stands still.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::fit::FitFile;

/// What the clock of every run shows.
pub(crate) const NOW: &str = "2026-11-20T12:00:00Z";

/// Two folders and one rule from the first to the second.
pub(crate) const MANIFEST: &str = "\
accounts:
  watch: { platform: directory, path: watch }
  archive: { platform: directory, path: archive }
sync_rules:
  - { name: keep, source: watch, destination: archive }
";

/// The same, replacing what differs.
pub(crate) const REPLACING: &str = "\
accounts:
  watch: { platform: directory, path: watch }
  archive: { platform: directory, path: archive }
sync_rules:
  - { name: keep, source: watch, destination: archive, conflict_strategy: replace_existing }
";

/// A folder to work in, a home, and the binary.
pub(crate) struct Cli {
    root: TempDir,
    work: PathBuf,
    env: BTreeMap<OsString, OsString>,
}

impl Cli {
    /// With this manifest as `fit_sync.yaml`.
    pub(crate) fn new(manifest: &str) -> Self {
        let cli = Self::empty();
        cli.manifest(manifest);
        cli
    }

    /// Without a manifest.
    pub(crate) fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        // Some systems' temporary folder is a link.
        let here = root.path().canonicalize().unwrap();
        for folder in ["user", "work"] {
            fs::create_dir(here.join(folder)).unwrap();
        }
        let mut cli = Self { work: here.join("work"), env: BTreeMap::new(), root };
        let (user, home) = (here.join("user"), here.join("home"));
        cli.set("HOME", user);
        cli.set("FIT_SYNC_HOME", home);
        cli.set("FIT_SYNC_NOW", NOW);
        cli.set("FIT_SYNC_SEED", "seed");
        cli.set("TZ", "UTC");
        cli
    }

    /// Sets a variable for the runs to come.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.env.insert(name.into(), value.as_ref().to_owned());
    }

    /// The folder that runs start in.
    pub(crate) fn work(&self) -> &Path {
        &self.work
    }

    /// The folder around everything.
    pub(crate) fn root(&self) -> PathBuf {
        self.root.path().canonicalize().unwrap()
    }

    /// A place in home.
    pub(crate) fn home(&self, path: &str) -> PathBuf {
        self.root().join("home").join(path)
    }

    /// A place in the working folder.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.work.join(path)
    }

    /// Writes `fit_sync.yaml`.
    pub(crate) fn manifest(&self, text: &str) {
        self.put("fit_sync.yaml", text);
    }

    /// Writes a file in the working folder.
    pub(crate) fn put(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Writes the private `accounts.yaml` of home.
    pub(crate) fn accounts(&self, text: &str) {
        let path = self.home("accounts.yaml");
        fs::create_dir_all(self.home("")).unwrap();
        fs::set_permissions(self.home(""), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Writes a private JSON file of home.
    pub(crate) fn keep(&self, path: &str, value: &Value) {
        let path = self.home(path);
        let folder = path.parent().unwrap();
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&path, value.to_string()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// A JSON file of home, if it is there.
    pub(crate) fn kept(&self, path: &str) -> Option<Value> {
        let text = fs::read(self.home(path)).ok()?;
        Some(serde_json::from_slice(&text).unwrap())
    }

    /// Writes an activity's file in the working folder.
    pub(crate) fn fit(&self, path: impl AsRef<Path>, file: &FitFile) {
        self.put(path, file.build());
    }

    /// Forgets everything that was remembered.
    pub(crate) fn lose_state(&self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(self.home(&format!("state.db{suffix}")));
        }
    }

    /// The binary with these arguments, for a test that wants more than its output.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fit_sync"));
        command.args(args).env_clear().envs(&self.env).current_dir(&self.work);
        command.stdin(Stdio::null());
        command
    }

    /// Runs the binary with arguments that are separated by spaces.
    pub(crate) fn run(&self, args: &str) -> Ran {
        self.args(args.split_whitespace())
    }

    /// Runs the binary with this on stdin.
    pub(crate) fn fed(&self, args: &str, stdin: &str) -> Ran {
        fed(self.command(args.split_whitespace()), stdin)
    }

    /// Runs a line as a shell does, `NAME=VALUE … fit_sync ARGS`, with this on stdin.
    pub(crate) fn shell(&self, line: &str, stdin: &str) -> Ran {
        let (variables, args) = line.split_once("fit_sync ").unwrap();
        let mut command = self.command(args.split_whitespace());
        command.envs(variables.split_whitespace().map(|pair| pair.split_once('=').unwrap()));
        fed(command, stdin)
    }

    /// Runs the binary.
    pub(crate) fn args<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Ran {
        let mut command = self.command(args);
        let output = command.output().unwrap();
        Ran::of(&command, &output)
    }

    /// Every file below a folder of the working folder with its bytes, hidden ones too.
    pub(crate) fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        tree(&self.path(folder))
    }

    /// The names of the activities below a folder of the working folder.
    pub(crate) fn activities(&self, folder: &str) -> Vec<String> {
        let hidden = |path: &String| path.split('/').any(|part| part.starts_with('.'));
        self.files(folder).into_keys().filter(|path| !hidden(path)).collect()
    }
}

fn fed(mut command: Command, stdin: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever wants no input closes it early.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    Ran::of(&command, &child.wait_with_output().unwrap())
}

/// Every file below a folder by its path, with its bytes.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() {
            let path = entry.path().strip_prefix(folder).unwrap();
            let bytes = fs::read(entry.path()).unwrap();
            files.insert(path.to_string_lossy().into_owned(), bytes);
        }
    }
    files
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    what: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn of(command: &Command, output: &Output) -> Self {
        let args: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
        Self {
            what: args.join(" "),
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// The run itself, if it ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let Self { what, code: found, stdout, stderr } = &self;
        assert_eq!(
            *found, code,
            "fit_sync {what}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---"
        );
        self
    }

    /// The run itself, if it ended well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// The run itself, if stdout has this text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text), "no '{text}' on stdout of {self:#?}");
        self
    }

    /// The run itself, if stderr has this text.
    #[track_caller]
    pub(crate) fn tells(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no '{text}' on stderr of {self:#?}");
        self
    }

    /// Stdout as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// A short ride that starts then.
pub(crate) fn ride(start: &str) -> FitFile {
    FitFile::new(start.parse().unwrap()).records(20)
}

/// The same bytes, packed.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `(address, action, reason)` of a plan's steps.
pub(crate) fn steps(plan: &Value) -> Vec<(String, String, String)> {
    rows(&plan["body"]["steps"], ["address", "action", "reason"])
}

/// `(address, rule, reason)` of the rows under a key of a plan's context.
pub(crate) fn context(plan: &Value, key: &str) -> Vec<(String, String, String)> {
    rows(&plan["context"][key], ["address", "rule", "reason"])
}

fn rows(rows: &Value, [a, b, c]: [&str; 3]) -> Vec<(String, String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| (text(row, a), text(row, b), text(row, c))).collect()
}
