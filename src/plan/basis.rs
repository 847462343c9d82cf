//! What a plan is made from: the rules that take part, their accounts and inventories.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::domain::{AccountName, Activity};
use crate::manifest::Rule;

use super::context::{InventoryRef, LimitExceeded};
use super::guard;
use super::model::AccountRef;
use super::world::{AccountView, World};

pub(super) fn selected_rules<'a>(world: &'a World<'a>) -> impl Iterator<Item = &'a Rule> {
    let selection = &world.options.selection;
    world.manifest.rules.iter().filter(|rule| selection.takes_rule(&rule.name))
}

/// The readable accounts of the selected rules, by name.
fn taking_part<'a>(world: &'a World<'a>) -> BTreeMap<&'a AccountName, &'a AccountView<'a>> {
    selected_rules(world)
        .flat_map(|rule| [&rule.source, &rule.destination])
        .filter_map(|name| Some((name, world.accounts.get(name)?)))
        .collect()
}

pub(super) fn accounts(world: &World<'_>) -> Vec<AccountRef> {
    taking_part(world)
        .into_iter()
        .map(|(name, view)| AccountRef {
            name: name.clone(),
            platform: view.platform.clone(),
            region: view.region.clone(),
            profile: view.profile.clone(),
        })
        .collect()
}

pub(super) fn inventories(world: &World<'_>) -> Vec<InventoryRef> {
    taking_part(world)
        .into_iter()
        .map(|(name, view)| InventoryRef {
            account: name.clone(),
            count: view.inventory.activities.len() as u64,
            complete: view.inventory.is_whole(),
            digest: digest(&view.inventory.activities),
        })
        .collect()
}

fn digest(activities: &[Activity]) -> String {
    let mut hasher = Sha256::new();
    for activity in activities {
        hasher.update(activity.id.as_str());
        hasher.update([0]);
        hasher.update(activity.fingerprint.as_str());
        hasher.update([0]);
    }
    hex::encode(hasher.finalize())
}

pub(super) fn shrunken_destinations(world: &World<'_>) -> Vec<LimitExceeded> {
    let mut destinations: Vec<&AccountName> =
        selected_rules(world).map(|rule| &rule.destination).collect();
    destinations.sort_unstable();
    destinations.dedup();
    destinations
        .into_iter()
        .filter_map(|name| {
            let view = world.accounts.get(name)?;
            guard::shrunken(&world.manifest.limits, name, view, world.memory)
        })
        .collect()
}
