//! A manifest to start from: from nothing, or from one of an earlier version, whose secrets go to a
//! file of their own.

use std::path::Path;

use crate::diag::Diagnostic;

use super::keys::{ACCOUNT, CACHE, Guard, Key, MANIFEST, Shape};
use super::load::{LoadRequest, load};
use super::parse::straight;
use super::raw::{Entry, Kind, Node, Sort};
use super::text;

/// The texts of the files to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    /// Of the manifest.
    pub manifest: String,
    /// Of `accounts.yaml` in home, if there is anything for it: secrets, and what touches the
    /// machine.
    pub accounts: Option<String>,
    /// Keys of the top that a manifest is not believed about.
    pub left_out: Vec<String>,
}

const HEAD: &str = "\
# What fit_sync keeps in step.
#
#   fit_sync validate    checks this file, and contacts nothing
#   fit_sync plan        shows what would be done
#   fit_sync apply       does it, after asking
#
# Made to be committed: passwords belong in accounts.yaml in ~/.fit_sync, or into the environment.
";

const FROM_NOTHING: &str = "
accounts:
  # The names garmin_us, garmin_cn, coros_us, coros_eu, coros_cn and coros_sg tell platform and
  # region. Another name needs them: trail_watch: { platform: coros, region: eu, email: … }
  # The password: FIT_SYNC_GARMIN_US_PASSWORD in the environment, or 'password' in accounts.yaml.
  garmin_us:
    email: me@example.com

  # A folder of FIT files. A .zip, as Garmin and Strava hand out a whole account, works as a source.
  archive:
    platform: directory
    path: archive

# What goes from where to where. A rule never removes anything that it has not backed up.
sync_rules:
  - name: garmin-to-archive
    source: garmin_us
    destination: archive
    # activity_types: [running, cycling]    # families include their members; default: all
    # exclude_types: [treadmill_running]
    # start_date: 2023-01-01                # or -30d; also end_date
    # min_distance: 1km                     # also max_distance, min_duration: 5min, max_duration
    # conflict_strategy: replace_existing   # default: skip_existing

# What a plan may do before a person has to agree.
# limits: { max_uploads: 500, max_replaces: 20 }
";

/// A manifest from nothing.
pub fn starter() -> Starter {
    Starter { manifest: format!("{HEAD}{FROM_NOTHING}"), accounts: None, left_out: Vec::new() }
}

/// Rewrites a manifest, such as the `config.json` of earlier versions.
///
/// # Errors
/// What is wrong with it.
pub fn convert(request: &LoadRequest<'_>) -> Result<Starter, Vec<Diagnostic>> {
    load(request)?;
    let path = request.cwd.join(request.path);
    let loaded = text::load(request.path, &path, request.uid).map_err(|fault| vec![fault])?;
    let root = loaded.and_then(|loaded| loaded.document.root);
    let mut writer = Writer {
        folder: path.parent().unwrap_or(&path),
        home: request.home,
        manifest: HEAD.to_owned(),
        accounts: String::new(),
        left_out: Vec::new(),
    };
    for entry in root.as_ref().map(entries).unwrap_or_default() {
        writer.section(entry);
    }
    Ok(writer.finish())
}

struct Writer<'a> {
    /// Where relative paths of the old manifest start.
    folder: &'a Path,
    home: &'a Path,
    manifest: String,
    accounts: String,
    left_out: Vec<String>,
}

impl Writer<'_> {
    fn section(&mut self, entry: &Entry) {
        let name = entry.key.as_str();
        if entry.value.is_null() {
            return;
        }
        match name {
            "accounts" => self.all_accounts(&entry.value),
            "sync_rules" => {
                self.manifest.push_str("\nsync_rules:\n");
                for rule in items(&entry.value) {
                    self.manifest.push_str(&self.mapping(entries(rule), &[], "  - ", "    "));
                }
            }
            _ if MANIFEST.iter().any(|key| key.name == name && key.guard == Guard::Private) => {
                self.leave_out(name);
            }
            _ => {
                let outside = |entry: &&Entry| {
                    name == "cache" && entry.key == "directory" && !self.at_home(entry)
                };
                let (out, kept): (Vec<&Entry>, Vec<&Entry>) =
                    entries(&entry.value).iter().partition(outside);
                let kept: Vec<Entry> = kept.into_iter().cloned().collect();
                let text = self.mapping(&kept, CACHE, "  ", "  ");
                if !out.is_empty() {
                    self.leave_out("cache.directory");
                }
                if !kept.is_empty() {
                    self.manifest.push_str(&format!("\n{name}:\n{text}"));
                }
            }
        }
    }

    fn leave_out(&mut self, name: &str) {
        let line = format!("\n# '{name}' is honoured in private files only and was left out.\n");
        self.manifest.push_str(&line);
        self.left_out.push(name.to_owned());
    }

    fn at_home(&self, directory: &Entry) -> bool {
        let Kind::Scalar(text, _) = &directory.value.kind else { return false };
        straight(&self.folder.join(text)).starts_with(straight(self.home))
    }

    fn all_accounts(&mut self, accounts: &Node) {
        self.manifest.push_str("\naccounts:\n");
        for account in entries(accounts) {
            let is_private = |entry: &&Entry| {
                let key = ACCOUNT.iter().find(|key| key.name == entry.key);
                key.is_some_and(|key| key.guard == Guard::Private)
            };
            let (private, open): (Vec<&Entry>, Vec<&Entry>) = entries(&account.value)
                .iter()
                .filter(|entry| !entry.value.is_null())
                .partition(is_private);
            let name = scalar(&account.key, Sort::Text);
            let text = |these: Vec<&Entry>| {
                let these: Vec<Entry> = these.into_iter().cloned().collect();
                match these.is_empty() {
                    true => format!("  {name}: {{}}\n"),
                    false => {
                        let text = self.mapping(&these, ACCOUNT, "    ", "    ");
                        format!("  {name}:\n{text}")
                    }
                }
            };
            let (private, open) = ((!private.is_empty()).then(|| text(private)), text(open));
            self.manifest.push_str(&open);
            self.accounts.push_str(&private.unwrap_or_default());
        }
    }

    /// A mapping as lines; the first begins with another indent.
    fn mapping(&self, entries: &[Entry], keys: &[Key], first: &str, others: &str) -> String {
        let mut text = String::new();
        for entry in entries.iter().filter(|entry| !entry.value.is_null()) {
            let indent = if text.is_empty() { first } else { others };
            let is_path =
                keys.iter().any(|key| key.name == entry.key && matches!(key.shape, Shape::Path));
            let value = self.value(&entry.value, is_path);
            text.push_str(&format!("{indent}{}: {value}\n", scalar(&entry.key, Sort::Text)));
        }
        text
    }

    /// A value on one line.
    fn value(&self, node: &Node, is_path: bool) -> String {
        match &node.kind {
            Kind::Scalar(path, _) if is_path && !path.starts_with('~') => {
                let path = straight(&self.folder.join(path));
                scalar(&path.to_string_lossy(), Sort::Text)
            }
            Kind::Scalar(text, sort) => scalar(text, *sort),
            Kind::List(items) => {
                let items: Vec<String> =
                    items.iter().map(|item| self.value(item, is_path)).collect();
                format!("[{}]", items.join(", "))
            }
            Kind::Map(entries) => {
                let pair = |entry: &Entry| {
                    let value = self.value(&entry.value, is_path);
                    format!("{}: {value}", scalar(&entry.key, Sort::Text))
                };
                let pairs: Vec<String> = entries.iter().map(pair).collect();
                format!("{{ {} }}", pairs.join(", "))
            }
        }
    }

    fn finish(self) -> Starter {
        let head = "\
# Accounts of this machine: merged key by key over those of every manifest. Keep it to yourself
# (chmod 600); it is never to be committed.
accounts:
";
        let accounts = (!self.accounts.is_empty()).then(|| format!("{head}{}", self.accounts));
        Starter { manifest: self.manifest, accounts, left_out: self.left_out }
    }
}

fn entries(node: &Node) -> &[Entry] {
    match &node.kind {
        Kind::Map(entries) => entries,
        Kind::Scalar(..) | Kind::List(_) => &[],
    }
}

fn items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        Kind::Scalar(..) | Kind::Map(_) => &[],
    }
}

/// A scalar that reads back as the same text; in quotes unless it is a plain word or no text.
fn scalar(text: &str, sort: Sort) -> String {
    const MEANT_OTHERWISE: [&str; 9] =
        ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    match sort {
        Sort::Null | Sort::Flag | Sort::Number => text.to_owned(),
        Sort::Text => {
            let plain =
                |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@');
            let begins = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
            let is_word = begins
                && text.chars().all(plain)
                && !MEANT_OTHERWISE.contains(&text.to_ascii_lowercase().as_str());
            if is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
        }
    }
}
