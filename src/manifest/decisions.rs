//! The decisions file: what people decided about conflicts, beside the manifest and made to be
//! committed with it. Append-only; later entries win.

use std::collections::HashMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use crate::diag::{Diagnostic, Severity, Source};
use crate::domain::{Decision, Fingerprint, Party, RemoteId, RuleName, Verdict};

use super::faults::Fault;
use super::raw::{Kind, Node};
use super::{codes, mask, text};

/// Holds tens of thousands of decisions.
const MAX_BYTES: u64 = 32 << 20;
const MAX_VALUES: usize = 2_000_000;
/// Further faults are left out: one fault in a file that a program writes has one cause.
const MAX_FAULTS: usize = 20;

const HEADING: &str =
    "# What was decided about conflicts (fit_sync state adopt|distinct|ignore|undecide).
# Commit this file. Later entries win; nothing is ever removed.
";

/// All decisions of a file, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    entries: Vec<Decision>,
}

/// A decision could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum DecisionsError {
    /// The file that is there cannot be understood.
    #[error("the decisions file has faults")]
    Faulty(Vec<Diagnostic>),
    /// The file is not a list of one entry per line group, so nothing can be added at its end.
    #[error("{} is not a list that can be added to", .0.display())]
    NotAList(PathBuf),
    /// The disk refused.
    #[error("{} cannot be written", path.display())]
    Write {
        /// The decisions file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Decisions {
    /// Reads a file; one that does not exist holds no decisions.
    pub fn load(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        match text::read(path, path, MAX_BYTES) {
            Ok(None) => Ok(Self::default()),
            Ok(Some((text, _))) => Self::parse(path, &text),
            Err(finding) => Err(vec![finding]),
        }
    }

    /// All entries, in order.
    pub fn entries(&self) -> &[Decision] {
        &self.entries
    }

    /// What holds now: the last word about each source activity in each rule, unless it was taken
    /// back.
    pub fn current(&self) -> Vec<Decision> {
        let mut last: HashMap<(&RuleName, &RemoteId, &Fingerprint), Vec<usize>> = HashMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            let source = &entry.source;
            let group = last.entry((&entry.rule, &source.id, &source.fingerprint)).or_default();
            group.retain(|earlier| {
                self.entries.get(*earlier).is_some_and(|earlier| !earlier.same_subject(entry))
            });
            group.push(at);
        }
        let mut holding: Vec<usize> = last.into_values().flatten().collect();
        holding.sort_unstable();
        holding
            .into_iter()
            .filter_map(|at| self.entries.get(at))
            .filter(|entry| entry.decision != Verdict::Undecide)
            .cloned()
            .collect()
    }

    fn parse(path: &Path, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let source = Arc::new(Source { path: path.to_path_buf(), text: mask::text(text) });
        let finding = |fault: Fault| fault.of(&source, Severity::Error);
        let tree = super::tree::read(text, MAX_VALUES).map_err(|fault| vec![finding(fault)])?;
        let mut faults: Vec<Diagnostic> = tree.faults.into_iter().map(finding).collect();
        let mut entries = Vec::new();
        match tree.root {
            None => {}
            Some(root) if root.is_null() => {}
            Some(root) => match root.kind {
                Kind::List(items) => {
                    for item in items {
                        match serde_json::from_value(value_of(&item)) {
                            Ok(entry) => entries.push(entry),
                            Err(error) if faults.len() < MAX_FAULTS => {
                                faults.push(finding(bad_entry(&item, &error)));
                            }
                            Err(_) => {}
                        }
                    }
                }
                Kind::Scalar(..) | Kind::Map(_) => {
                    let message = "the decisions file must be a list of decisions";
                    let fault = Fault::new(codes::BAD_DECISION, root.head(), message)
                        .help("begin each decision with '- decision: …'");
                    faults.push(finding(fault));
                }
            },
        }
        if faults.is_empty() { Ok(Self { entries }) } else { Err(faults) }
    }
}

/// Adds a decision at the end of a file, all that stands there kept byte for byte.
pub fn append(path: &Path, decision: &Decision) -> Result<(), DecisionsError> {
    let write = |source| DecisionsError::Write { path: path.to_path_buf(), source };
    let path = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(write(error)),
    };
    let present =
        text::read(&path, &path, MAX_BYTES).map_err(|fault| DecisionsError::Faulty(vec![fault]))?;
    let (mut text, permissions) = match present {
        Some((text, metadata)) => (text, metadata.permissions()),
        None => (HEADING.to_owned(), Permissions::from_mode(0o644)),
    };
    let before = Decisions::parse(&path, &text).map_err(DecisionsError::Faulty)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&entry(decision));
    let after = Decisions::parse(&path, &text)
        .ok()
        .and_then(|mut after| Some((after.entries.pop()?, after)));
    if after.is_none_or(|(last, rest)| last != *decision || rest != before) {
        return Err(DecisionsError::NotAList(path));
    }
    replace(&path, text.as_bytes(), permissions).map_err(write)
}

fn replace(path: &Path, bytes: &[u8], permissions: Permissions) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let mut file =
        tempfile::Builder::new().prefix(".fit_sync-").suffix(".tmp").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

fn bad_entry(item: &Node, error: &serde_json::Error) -> Fault {
    let detail: String = error.to_string().chars().take(200).collect();
    let message = format!("this is not a decision: {detail}");
    Fault::new(codes::BAD_DECISION, item.head(), message)
        .help("correct or remove the entry; 'fit_sync state' commands write it again")
}

/// Scalars as strings, whatever they look like: ids are strings.
fn value_of(node: &Node) -> Value {
    match &node.kind {
        Kind::Scalar(..) if node.is_null() => Value::Null,
        Kind::Scalar(text, _) => Value::String(text.clone()),
        Kind::List(items) => items.iter().map(value_of).collect(),
        Kind::Map(entries) => {
            entries.iter().map(|entry| (entry.key.clone(), value_of(&entry.value))).collect()
        }
    }
}

fn entry(decision: &Decision) -> String {
    let mut out = format!(
        "- decision: {}\n  rule: {}\n  address: {}\n  source: {}\n",
        decision.decision.as_str(),
        quoted(decision.rule.as_str()),
        quoted(decision.address.as_str()),
        party(&decision.source)
    );
    if let Some(destination) = &decision.destination {
        out.push_str(&format!("  destination: {}\n", party(destination)));
    }
    if !decision.candidates.is_empty() {
        out.push_str("  candidates:\n");
        for candidate in &decision.candidates {
            out.push_str(&format!("    - {}\n", party(candidate)));
        }
    }
    out.push_str(&format!("  at: {}\n", decision.at));
    out
}

fn party(party: &Party) -> String {
    let profile = party
        .profile
        .as_ref()
        .map(|profile| format!("profile: {}, ", quoted(profile.as_str())))
        .unwrap_or_default();
    format!(
        "{{ account: {}, {profile}id: {}, fingerprint: {} }}",
        quoted(party.account.as_str()),
        quoted(party.id.as_str()),
        quoted(party.fingerprint.as_str())
    )
}

/// A JSON string, which is YAML too; what YAML does not take raw is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if is_raw(c) => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
    out
}

fn is_raw(c: char) -> bool {
    let special = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}');
    !c.is_control() && !special && u32::from(c) <= 0xffff
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{AccountName, Address, ProfileId};

    fn a_party() -> impl Strategy<Value = Party> {
        let parts = (".{1,9}", proptest::option::of("[0-9a-f]{32}"), ".{1,40}", "[0-9a-f]{32}");
        parts.prop_map(|(account, profile, id, fingerprint)| Party {
            account: AccountName::new(account),
            profile: profile.map(ProfileId::new),
            id: RemoteId::new(id),
            fingerprint: Fingerprint::new(fingerprint),
        })
    }

    fn a_decision() -> impl Strategy<Value = Decision> {
        let verdict = prop_oneof![
            Just(Verdict::Adopt),
            Just(Verdict::Distinct),
            Just(Verdict::Ignore),
            Just(Verdict::Undecide)
        ];
        let parties = (
            a_party(),
            proptest::option::of(a_party()),
            proptest::collection::vec(a_party(), 0..3),
        );
        let at = 0i64..4_000_000_000;
        (verdict, "[a-z0-9_-]{1,20}", parties, at).prop_map(
            |(decision, rule, (source, destination, candidates), at)| {
                let rule = RuleName::new(rule);
                let at = jiff::Timestamp::from_second(at).unwrap();
                Decision {
                    decision,
                    address: Address::of_start(&rule, at, 2),
                    rule,
                    source,
                    destination,
                    candidates,
                    at,
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_appended_is_read_back(decisions in proptest::collection::vec(a_decision(), 1..4)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("m.decisions.yaml");
            for decision in &decisions {
                append(&path, decision).unwrap();
            }
            let read = Decisions::load(&path).unwrap();
            prop_assert_eq!(read.entries(), decisions.as_slice());
        }
    }

    fn decide(decision: Verdict, id: &str) -> Decision {
        let rule = RuleName::new("r");
        let at = jiff::Timestamp::UNIX_EPOCH;
        Decision {
            decision,
            address: Address::of_start(&rule, at, 1),
            rule,
            source: Party {
                account: AccountName::new("us"),
                profile: None,
                id: RemoteId::new(id),
                fingerprint: Fingerprint::new("f"),
            },
            destination: None,
            candidates: Vec::new(),
            at,
        }
    }

    #[test]
    fn the_last_word_holds() {
        let entries = vec![
            decide(Verdict::Ignore, "1"),
            decide(Verdict::Distinct, "2"),
            decide(Verdict::Adopt, "1"),
            decide(Verdict::Undecide, "2"),
        ];
        let current = Decisions { entries }.current();
        assert_eq!(current, [decide(Verdict::Adopt, "1")]);
    }

    #[test]
    fn what_stands_there_is_kept_byte_for_byte() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.decisions.yaml");
        let text = "# mine\n- decision: ignore # why\n  rule: r\n  address: r/@7\n  source: {account: us, id: 7, fingerprint: 08}\n  at: 2026-01-02T03:04:05Z";
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        append(&path, &decide(Verdict::Ignore, "8")).unwrap();
        let after = fs::read_to_string(&path).unwrap();
        assert!(after.starts_with(&format!("{text}\n- decision: ignore\n")));
        let read = Decisions::load(&path).unwrap();
        assert_eq!(read.entries()[0].source.id.as_str(), "7");
        assert_eq!(read.entries()[0].source.fingerprint.as_str(), "08");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_added_to_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.decisions.yaml");
        for text in ["[]\n", "a: 1\n", "- {}\n", "<<<<<<< ours\n"] {
            fs::write(&path, text).unwrap();
            append(&path, &decide(Verdict::Ignore, "8")).unwrap_err();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
