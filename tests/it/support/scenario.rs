//! A world in a few lines: what the manifest says, what the accounts hold, what is remembered.
//!
//! `Scenario::new().rule("us -> archive").has("us", "1 2026-11-19T06:12:33Z running 3067s").plan()`.
//! Rules go through the real reader of manifests. Accounts come into being where they are named:
//! `garmin_us` and the like on their platforms, every other name as a directory.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use fit_sync::domain::{
    AccountName, Activity, Content, Inventory, Link, ProfileId, RemoteId, RuleName,
};
use fit_sync::manifest::{self, LoadRequest, Manifest, Trust};
use fit_sync::plan::{
    self, AccountView, BlockedReason, Force, Glob, Listing, Memory, Options, Plan, RetryRefused,
    World,
};
use fit_sync::platform;
use fit_sync::render::{Detail, Pages, plan_text};
use jiff::Timestamp;

use super::spec;

pub(super) const NOW: &str = "2026-11-20T09:00:00Z";

#[derive(Clone, Default)]
pub(crate) struct Scenario {
    pub(super) accounts: BTreeMap<AccountName, Held>,
    pub(super) memory: Memory,
    pub(super) options: Options,
    /// Activities that simulated applies made; no id is given twice.
    pub(super) made: usize,
    rules: Vec<String>,
    limits: String,
    blocked: BTreeMap<AccountName, (BlockedReason, String)>,
    manifest: OnceCell<Manifest>,
}

/// What an account holds.
#[derive(Clone, Default)]
pub(super) struct Held {
    pub(super) activities: Vec<Activity>,
    in_part: bool,
    last_good_count: Option<u64>,
}

/// Manifest.
impl Scenario {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// `us -> archive`; its name is `us-to-archive`.
    pub(crate) fn rule(mut self, direction: &str) -> Self {
        let (source, destination) = pair(direction);
        self.accounts.entry(source.clone()).or_default();
        self.accounts.entry(destination.clone()).or_default();
        self.rules.push(format!("  - source: {source}\n    destination: {destination}\n"));
        self
    }

    /// A further line of the last rule.
    pub(crate) fn with(mut self, line: &str) -> Self {
        self.rules.last_mut().unwrap().push_str(&format!("    {line}\n"));
        self
    }

    pub(crate) fn replacing(self) -> Self {
        self.with("conflict_strategy: replace_existing")
    }

    pub(crate) fn limit(mut self, line: &str) -> Self {
        self.limits = format!("limits: {{ {line} }}\n");
        self
    }

    fn yaml(&self) -> String {
        let account = |name: &AccountName| match name.as_str() {
            name if is_platform(name) => format!("  {name}: {{ email: me@example.com }}\n"),
            name => format!("  {name}: {{ platform: directory, path: /nowhere/{name} }}\n"),
        };
        let accounts: String = self.accounts.keys().map(account).collect();
        format!("accounts:\n{accounts}sync_rules:\n{}{}", self.rules.concat(), self.limits)
    }

    pub(super) fn manifest(&self) -> &Manifest {
        self.manifest.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("fit_sync.yaml");
            fs::write(&path, self.yaml()).unwrap();
            let request = LoadRequest {
                path: &path,
                cwd: folder.path(),
                home: Path::new("/nowhere/home"),
                user_home: None,
                catalog: &platform::catalog(),
                trust: Trust::Everything,
                uid: 0,
            };
            manifest::load(&request).unwrap_or_else(|faults| panic!("{faults:#?}"))
        })
    }
}

/// Accounts.
impl Scenario {
    /// Adds activities, one a line (see [`spec`]).
    pub(crate) fn has(mut self, account: &str, lines: &str) -> Self {
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let (activity, content) = spec::read(line);
            self.add(&name(account), activity, content);
        }
        self
    }

    pub(super) fn add(&mut self, account: &AccountName, row: Activity, content: Option<Content>) {
        if let Some(content) = content {
            let key = (row.id.clone(), row.fingerprint.clone());
            self.memory.contents.entry(account.clone()).or_default().insert(key, content);
        }
        self.accounts.entry(account.clone()).or_default().activities.push(row);
    }

    pub(crate) fn rows(&self, account: &AccountName) -> &[Activity] {
        &self.accounts.get(account).unwrap().activities
    }

    pub(crate) fn activity(&self, account: &AccountName, id: &RemoteId) -> &Activity {
        self.rows(account)
            .iter()
            .find(|row| row.id == *id)
            .unwrap_or_else(|| panic!("{account} has no {id}"))
    }

    /// Removes an activity.
    pub(crate) fn lacks(mut self, account: &str, id: &str) -> Self {
        let held = self.accounts.get_mut(&name(account)).unwrap();
        held.activities.retain(|row| row.id.as_str() != id);
        self
    }

    /// An activity is edited: same id, other facts.
    pub(crate) fn edited(self, account: &str, line: &str) -> Self {
        let id = spec::read(line).0.id;
        self.lacks(account, id.as_str()).has(account, line)
    }

    /// An activity's file gets another name.
    pub(crate) fn renamed(mut self, account: &str, id: &str, new: &str) -> Self {
        let held = self.accounts.get_mut(&name(account)).unwrap();
        let row = held.activities.iter_mut().find(|row| row.id.as_str() == id).unwrap();
        row.id = RemoteId::new(new);
        self
    }

    pub(crate) fn titled(mut self, account: &str, id: &str, title: &str) -> Self {
        let held = self.accounts.get_mut(&name(account)).unwrap();
        let row = held.activities.iter_mut().find(|row| row.id.as_str() == id).unwrap();
        row.title = Some(title.to_owned());
        self
    }

    pub(crate) fn read_in_part(mut self, account: &str) -> Self {
        self.accounts.get_mut(&name(account)).unwrap().in_part = true;
        self
    }

    pub(crate) fn last_listed(mut self, account: &str, count: u64) -> Self {
        self.accounts.get_mut(&name(account)).unwrap().last_good_count = Some(count);
        self
    }

    pub(crate) fn blocked(mut self, account: &str, reason: BlockedReason, why: &str) -> Self {
        self.blocked.insert(name(account), (reason, why.to_owned()));
        self
    }
}

/// The question, and its answer.
impl Scenario {
    pub(crate) fn only(mut self, glob: &str) -> Self {
        self.options.selection.only.push(Glob::parse(glob).unwrap());
        self
    }

    pub(crate) fn except(mut self, glob: &str) -> Self {
        self.options.selection.except.push(Glob::parse(glob).unwrap());
        self
    }

    pub(crate) fn only_rule(mut self, rule: &str) -> Self {
        self.options.selection.rules.push(RuleName::new(rule));
        self
    }

    pub(crate) fn forced(mut self) -> Self {
        self.options.force = Force::Yes;
        self
    }

    pub(crate) fn retrying_refused(mut self) -> Self {
        self.options.refused = RetryRefused::Now;
        self
    }

    pub(crate) fn listing_pairs(mut self) -> Self {
        self.options.in_sync = Listing::Listed;
        self
    }

    pub(crate) fn plan(&self) -> Plan {
        let inventories: BTreeMap<&AccountName, Inventory> = self
            .accounts
            .iter()
            .map(|(name, held)| {
                (name, Inventory::new(held.activities.clone(), !held.in_part, None))
            })
            .collect();
        let manifest = self.manifest();
        let catalog = platform::catalog();
        let view = |name: &AccountName| {
            let account = manifest.accounts.get(name)?;
            let view = AccountView {
                platform: account.platform.clone(),
                region: account.region.clone(),
                profile: Some(profile(name)),
                capabilities: catalog.platform(&account.platform)?.capabilities,
                inventory: inventories.get(name)?,
                last_good_count: self.accounts.get(name)?.last_good_count,
            };
            (!self.blocked.contains_key(name)).then(|| (name.clone(), view))
        };
        let now: Timestamp = NOW.parse().unwrap();
        let world = World {
            manifest,
            today: jiff::tz::Offset::UTC.to_datetime(now).date(),
            accounts: manifest.accounts.keys().filter_map(view).collect(),
            blocked: self.blocked.clone(),
            memory: &self.memory,
            options: self.options.clone(),
        };
        plan::build(&world).unwrap()
    }

    /// Everything that a terminal shows with `-v`, the notes on stderr included.
    pub(crate) fn text(&self) -> String {
        let plan = self.clone().listing_pairs().plan();
        let in_sync = plan.document.context.in_sync.as_deref().unwrap_or_default();
        let mut text = plan_text(&plan.document, in_sync, Detail::Full, &Pages::default());
        for (address, notice) in &plan.notices {
            text.push_str(&format!("note: {address}: {notice:?}\n"));
        }
        for comparison in &plan.to_compare {
            let (source, destination) = (&comparison.source, &comparison.destination);
            text.push_str(&format!("to compare: {}/{}", source.0, source.1));
            text.push_str(&format!(" with {}/{}\n", destination.0, destination.1));
        }
        anstream::adapter::strip_str(&text).to_string()
    }

    pub(crate) fn json(&self) -> String {
        self.plan().document.to_json().unwrap()
    }
}

pub(super) fn name(text: &str) -> AccountName {
    AccountName::new(text)
}

fn is_platform(name: &str) -> bool {
    name.starts_with("garmin_") || name.starts_with("coros_")
}

pub(super) fn profile(account: &AccountName) -> ProfileId {
    ProfileId::of_account("test", "", account.as_str())
}

pub(super) fn pair(direction: &str) -> (AccountName, AccountName) {
    let (source, destination) = direction.split_once(" -> ").unwrap();
    (name(source), name(destination))
}

/// As a person would tell it, so that a failed law can be understood.
impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n{}", self.rules.concat())?;
        for (name, held) in &self.accounts {
            for row in &held.activities {
                let Activity { id, start, kind, elapsed_s, device, .. } = row;
                let flags = (row.weak_start, &row.unusable, row.sha256.is_some());
                writeln!(f, "{name}/{id} {start:?} {kind} {elapsed_s:?} {device:?} {flags:?}")?;
            }
        }
        for ((source, destination), links) in &self.memory.links {
            for Link { source: from, destination: to, origin, .. } in links {
                let to = to.as_ref().map(|side| side.id.as_str());
                writeln!(f, "{source}/{} -> {destination}/{to:?} {origin:?}", from.id)?;
            }
        }
        write!(f, "{}", self.text())
    }
}
