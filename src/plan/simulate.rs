//! What would be left to do: a plan executed on copies of the inventories and links.
//!
//! Everything succeeds and shows at once. What an account makes of a file, such as a type of its own
//! or a distance that it computes anew, is not foreseen.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::{
    AccountName, Activity, Fingerprint, Inventory, Link, LinkOrigin, LinkStatus, RemoteId, Side,
};

use super::build::{Pair, Plan, build};
use super::document::DocumentError;
use super::model::{ByAccount, Step};
use super::reason::InSyncReason;
use super::world::{AccountView, Force, Listing, Memory, Options, RetryRefused, World};

/// The plan that would follow if this world's plan were executed as it is.
pub fn simulate(world: &World<'_>, plan: &Plan) -> Result<Plan, DocumentError> {
    let mut after = After::of(world);
    after.keep(&plan.in_sync);
    plan.document.body.steps.iter().for_each(|step| after.execute(step));
    let (inventories, memory) = after.end();
    let accounts = world.accounts.iter().filter_map(|(name, view)| {
        let inventory = inventories.get(name)?;
        Some((name.clone(), AccountView { inventory, ..view.clone() }))
    });
    let next = World {
        manifest: world.manifest,
        today: world.today,
        accounts: accounts.collect(),
        blocked: world.blocked.clone(),
        memory: &memory,
        options: Options {
            selection: world.options.selection.clone(),
            force: Force::No,
            refused: RetryRefused::OnItsDate,
            in_sync: Listing::Counted,
            approved: world.options.approved.clone(),
        },
    };
    build(&next)
}

/// The world in the making.
struct After<'a> {
    world: &'a World<'a>,
    before: HashMap<(&'a AccountName, &'a RemoteId), &'a Activity>,
    added: ByAccount<Vec<Activity>>,
    removed: HashSet<(&'a AccountName, RemoteId)>,
    links: BTreeMap<(AccountName, AccountName), Vec<Link>>,
    memory: Memory,
    /// Begins ids that no account uses.
    fresh: String,
    number: usize,
}

impl<'a> After<'a> {
    fn of(world: &'a World<'a>) -> Self {
        let rows = || {
            let accounts = world.accounts.iter();
            accounts
                .flat_map(|(name, view)| view.inventory.activities.iter().map(move |a| (name, a)))
        };
        let mut fresh = "simulated".to_owned();
        while rows().any(|(_, row)| row.id.as_str().starts_with(&fresh)) {
            fresh.push('-');
        }
        Self {
            world,
            before: rows().map(|(name, row)| ((name, &row.id), row)).collect(),
            added: ByAccount::new(),
            removed: HashSet::new(),
            links: BTreeMap::new(),
            memory: world.memory.clone(),
            fresh,
            number: 0,
        }
    }

    fn link(&mut self, accounts: (&AccountName, &AccountName), link: Link) {
        let accounts = (accounts.0.clone(), accounts.1.clone());
        self.links.entry(accounts).or_default().push(link);
    }

    /// Links the pairs in sync, as apply does; what is known about a link stays.
    fn keep(&mut self, in_sync: &[Pair]) {
        for pair in in_sync {
            let Some(found) = &pair.destination else {
                continue;
            };
            let source = self.before.get(&(&pair.source.0, &pair.source.1));
            let destination = self.before.get(&(&found.0, &found.1));
            let origin = match pair.reason {
                InSyncReason::Linked => continue,
                InSyncReason::Adopted => LinkOrigin::Adopted,
                InSyncReason::SameBytes | InSyncReason::SameActivity | InSyncReason::Pending => {
                    LinkOrigin::Found
                }
            };
            if let Some((source, destination)) = source.zip(destination) {
                let link = Link {
                    rule: pair.rule.clone(),
                    address: pair.address.clone(),
                    source: Side::of(source),
                    destination: Some(Side::of(destination)),
                    origin,
                    status: LinkStatus::Confirmed,
                };
                self.link((&pair.source.0, &found.0), link);
            }
        }
    }

    fn execute(&mut self, step: &Step) {
        let (from, to) = (&step.source.account, &step.destination.account);
        let source = self.before.get(&(from, &step.source.id)).copied();
        let accounts = self.world.accounts.get_key_value(to);
        let Some((source, (to, view))) = source.zip(accounts) else {
            return;
        };
        if let Some(old) = &step.destination.id {
            self.removed.insert((to, old.clone()));
        }
        let new = self.copy(source, from, view);
        if let Some(content) = self.memory.content(from, source).cloned() {
            let known = self.memory.contents.entry(to.clone()).or_default();
            known.insert((new.id.clone(), new.fingerprint.clone()), content);
        }
        let link = Link {
            rule: step.rule.clone(),
            address: step.address.clone(),
            source: Side::of(source),
            destination: Some(Side::of(&new)),
            origin: LinkOrigin::Placed,
            status: LinkStatus::Confirmed,
        };
        self.link((from, to), link);
        self.added.entry(to.clone()).or_default().push(new);
    }

    /// A source's activity as its new account would list it.
    fn copy(&mut self, source: &Activity, from: &AccountName, view: &AccountView<'_>) -> Activity {
        self.number += 1;
        let bytes = source.sha256.clone().filter(|_| view.capabilities.lists_bytes);
        let content = bytes.as_ref().and_then(|_| self.memory.content(from, source)).cloned();
        let fingerprint = match &bytes {
            Some(sha256) => Fingerprint::of_bytes(sha256),
            None => Fingerprint::of_listing(
                source.start,
                source.elapsed_s,
                source.distance_m,
                source.kind.as_str(),
            ),
        };
        Activity {
            id: RemoteId::new(format!("{}/{}", self.fresh, self.number)),
            fingerprint,
            sha256: bytes,
            content,
            hint: None,
            ..source.clone()
        }
    }

    fn end(mut self) -> (ByAccount<Inventory>, Memory) {
        for ((_, destination), links) in &mut self.memory.links {
            links.retain(|link| {
                let there = link.destination.as_ref();
                !there.is_some_and(|s| self.removed.contains(&(destination, s.id.clone())))
            });
        }
        for (accounts, new) in self.links {
            let links = self.memory.links.entry(accounts).or_default();
            let ids: HashSet<&RemoteId> = new.iter().map(|link| &link.source.id).collect();
            links.retain(|link| !ids.contains(&link.source.id));
            links.extend(new);
        }
        let mut inventories = ByAccount::new();
        for (name, view) in &self.world.accounts {
            let before = view.inventory;
            let stays = |row: &&Activity| !self.removed.contains(&(name, row.id.clone()));
            let mut rows: Vec<Activity> = before.activities.iter().filter(stays).cloned().collect();
            rows.append(&mut self.added.remove(name).unwrap_or_default());
            let inventory = Inventory::new(rows, before.complete, before.refreshed_at);
            inventories.insert(name.clone(), inventory);
        }
        (inventories, self.memory)
    }
}
