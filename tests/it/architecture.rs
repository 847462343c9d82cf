//! The floors of the house, and which room may use which crate.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Rooms by floor. A room uses lower floors only; of its own floor, nothing but itself.
const FLOORS: [&[&str]; 7] = [
    &["domain", "clock", "cancellation", "diag", "event", "disk"],
    &["manifest", "fit"],
    &["plan", "net", "vault"],
    &["platform", "state", "archive"],
    &["engine"],
    &["render"],
    &["cli"],
];

/// What the ground floor shares, each on those before it: the words that everybody speaks, and time.
const COMMON: [&str; 2] = ["domain", "clock"];

/// Crates that only some rooms know.
const PINNED: [(&str, &[&str]); 16] = [
    ("anstream", &["cli"]),
    ("annotate_snippets", &["render"]),
    ("askama", &["render"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("fitparser", &["fit"]),
    ("indicatif", &["cli"]),
    ("owo_colors", &["render", "cli"]),
    ("quick_junit", &["render"]),
    ("reqwest", &["net", "platform"]),
    ("rpassword", &["cli"]),
    ("rusqlite", &["state"]),
    ("rusqlite_migration", &["state"]),
    ("serde_yaml", &["manifest"]),
    ("similar", &["render"]),
    ("walkdir", &["platform", "archive"]),
];

/// Platforms do not know each other.
const PLATFORMS: [&str; 3] = ["directory", "garmin", "coros"];

const MAX_LINES: usize = 450;

struct Source {
    /// Relative to the package, for messages.
    path: String,
    /// `cli`, and `commands` if there is a second part.
    modules: Vec<String>,
    lines: Vec<String>,
}

impl Source {
    fn room(&self) -> &str {
        self.modules.first().map_or("", String::as_str)
    }

    /// Lines of code with their numbers; comments say what they like.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter().enumerate().map(|(index, line)| (index + 1, line.as_str()));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The code as one text, so that a group of imports over several lines is seen whole, and the
    /// line of each byte.
    fn text(&self) -> (String, Vec<usize>) {
        let (mut text, mut places) = (String::new(), Vec::new());
        for (number, line) in self.code() {
            text.push_str(line);
            text.push('\n');
            places.resize(text.len(), number);
        }
        (text, places)
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for entry in walkdir::WalkDir::new(root.join("src")).sort_by_file_name() {
        let path = entry.unwrap().into_path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root).unwrap();
            let modules = modules(relative.strip_prefix("src").unwrap());
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().map(str::to_owned).collect();
            sources.push(Source { path: relative.display().to_string(), modules, lines });
        }
    }
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

/// `a/b.rs` and `a/b/mod.rs` are `a::b`.
fn modules(path: &Path) -> Vec<String> {
    let path = if path.ends_with("mod.rs") { path.parent().unwrap() } else { path };
    let path: PathBuf = path.with_extension("");
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// The paths that a text takes from the crate's root, without what is imported from them, and where
/// they stand: `crate::a::b`, and both of `crate::{a::b, c}`.
fn from_root(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for place in Regex::new(r"\bcrate::").unwrap().find_iter(text) {
        let rest = &text[place.end()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0_usize;
            let mut start = 0;
            for (index, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth > 0 => depth -= 1,
                    ',' | '}' if depth == 0 => {
                        let offset = place.end() + 1 + start;
                        let part = &group[start..index];
                        let spaces = part.len() - part.trim_start().len();
                        found.push((offset + spaces, segments(part.trim())));
                        start = index + 1;
                        if c == '}' {
                            break;
                        }
                    }
                    _ => {}
                }
            }
        } else {
            found.push((place.start(), segments(rest)));
        }
    }
    found.retain(|(_, path)| !path.is_empty());
    found
}

fn segments(path: &str) -> Vec<String> {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
    let path = &path[..end.unwrap_or(path.len())];
    path.split("::").take_while(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Why a room may not use another one.
fn objection(from: &[String], to: &[String]) -> Option<String> {
    let (room, other) = (from.first()?.as_str(), to.first()?.as_str());
    let Some(above) = floor(other) else {
        return Some(format!("room '{other}' has no floor; give it one in FLOORS"));
    };
    if room == other {
        let (from, to) = (from.get(1)?.as_str(), to.get(1)?.as_str());
        let strangers = PLATFORMS.contains(&from) && PLATFORMS.contains(&to) && from != to;
        return (room == "platform" && strangers)
            .then(|| format!("platform {from} may not know platform {to}"));
    }
    let Some(here) = floor(room) else {
        return Some(format!("room '{room}' has no floor; give it one in FLOORS"));
    };
    let rank = |name: &str| COMMON.iter().position(|common| *common == name);
    let common =
        here == 0 && rank(other).is_some_and(|other| rank(room).is_none_or(|room| other < room));
    (above >= here && !common).then(|| {
        let way = if above == here { "sideways" } else { "upward" };
        format!("{room} (floor {here}) reaches {way} to {other} (floor {above})")
    })
}

#[track_caller]
fn none(faults: &[String]) {
    let mut text = String::new();
    for fault in faults {
        let _ = writeln!(text, "  {fault}");
    }
    assert!(faults.is_empty(), "\n{text}");
}

#[test]
fn a_floor_knows_only_the_floors_below() {
    let mut faults = Vec::new();
    for source in sources() {
        if matches!(source.room(), "main" | "lib") {
            continue;
        }
        let (text, places) = source.text();
        for (offset, path) in from_root(&text) {
            if let Some(why) = objection(&source.modules, &path) {
                faults.push(format!("{}:{}: {why}", source.path, places[offset]));
            }
        }
    }
    none(&faults);
}

#[test]
fn no_way_round_leads_over_the_crate_s_root() {
    let supers = Regex::new(r"\b(?:super::)+").unwrap();
    let mut faults = Vec::new();
    for source in sources() {
        let mut depth = source.modules.len();
        for (line, code) in source.code() {
            // A test module at the end of a file is one deeper.
            depth += usize::from(code.starts_with("mod tests {"));
            for found in supers.find_iter(code) {
                if found.as_str().len() / "super::".len() >= depth {
                    faults.push(format!(
                        "{}:{line}: leads to the crate's root; say `crate::` there",
                        source.path
                    ));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn crates_stay_in_their_rooms() {
    let mut faults = Vec::new();
    let sources = sources();
    for (name, rooms) in PINNED {
        let used = Regex::new(&format!(r"(^|[^\w:]){name}(::|\s*;|\s+as\s)")).unwrap();
        for source in &sources {
            for (line, code) in source.code().filter(|(_, code)| used.is_match(code)) {
                if !rooms.contains(&source.room()) {
                    let rooms = rooms.join(", ");
                    let code = code.trim();
                    faults
                        .push(format!("{}:{line}: {name} belongs to {rooms}: {code}", source.path));
                }
            }
        }
    }
    none(&faults);
}

#[test]
fn nothing_below_the_command_line_prints_or_looks_around() {
    let prints = Regex::new(r"\be?print(ln)?!|\bio::(stdout|stderr|stdin)\b").unwrap();
    let looks = Regex::new(r"\benv::(var|vars|var_os|args|current_dir|home_dir)\b").unwrap();
    let mut faults = Vec::new();
    for source in sources() {
        for (line, code) in source.code() {
            let place = format!("{}:{line}", source.path);
            if prints.is_match(code) && source.room() != "cli" {
                faults.push(format!("{place}: only cli/ prints: {}", code.trim()));
            }
            if looks.is_match(code) && source.modules != ["cli", "env"] {
                faults.push(format!("{place}: only cli/env.rs looks around: {}", code.trim()));
            }
        }
    }
    none(&faults);
}

/// Without a manifest home's own state is meant; with a faulty one nothing is.
#[test]
fn a_faulty_manifest_is_never_taken_for_none() {
    let looks = r"\b(checked_manifest|manifest_if_any|manifest_at|manifest)\([^()]*\)";
    let ways = [r"\s*\.(ok|unwrap_or\w*|is_ok|is_err|iter)\(", r"\s*else\s*\{"];
    let ways = ways.map(|way| Regex::new(&format!("{looks}{way}")).unwrap());
    let mut faults = Vec::new();
    for source in sources().iter().filter(|source| source.room() == "cli") {
        let (text, places) = source.text();
        for found in ways.iter().flat_map(|way| way.find_iter(&text)) {
            // A warning about sessions, after the command itself has shown the findings.
            if source.modules != ["cli", "sessions"] {
                let place = places[found.start()];
                faults.push(format!("{}:{place}: {}", source.path, found.as_str()));
            }
        }
    }
    none(&faults);
}

#[test]
fn no_file_is_longer_than_one_can_read() {
    let faults: Vec<String> = sources()
        .iter()
        .filter(|source| source.lines.len() > MAX_LINES)
        .map(|source| {
            let lines = source.lines.len();
            format!("{}:{lines}: longer than {MAX_LINES} lines", source.path)
        })
        .collect();
    none(&faults);
}

#[test]
fn the_test_itself_sees_what_it_should() {
    let paths = from_root("use crate::{cli::a::{b, c}, domain};\ncrate::plan::x(crate::fit::Y)");
    let paths: Vec<String> = paths.into_iter().map(|(_, path)| path.join("::")).collect();
    assert_eq!(paths, ["cli::a", "domain", "plan::x", "fit::Y"]);
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Vec<_>>();
    let objection = |from: &str, to: &str| objection(&module(from), &module(to));
    assert_eq!(objection("engine::plan", "plan::build"), None);
    assert_eq!(objection("event", "domain"), None);
    assert_eq!(objection("cancellation", "clock"), None);
    assert_eq!(objection("cli::args", "cli::env"), None);
    for (from, to) in [
        ("plan::build", "engine"),
        ("state", "platform::registry"),
        ("domain::id", "clock"),
        ("plan", "cellar"),
        ("platform::garmin", "platform::coros"),
    ] {
        assert!(objection(from, to).is_some(), "{from} -> {to}");
    }
}
