//! Which activities are copies of what an account gave away, directly or by way of other accounts.
//!
//! Rules may form a ring. A copy that went all the way round is not new where it began: taken for
//! new, it would start another round with every apply.

use std::collections::BTreeMap;

use crate::domain::{AccountName, Activity, LinkOrigin, Side};

use super::links::Links;
use super::world::Memory;

/// Longer than any chain of rules that people write.
const MAX_STATIONS: usize = 32;

/// What apply placed anywhere that began in one account.
pub(super) struct Copies<'a> {
    home: &'a AccountName,
    /// By account: what was placed there, and from where.
    into: BTreeMap<&'a AccountName, Vec<(&'a AccountName, Links<'a>)>>,
}

impl<'a> Copies<'a> {
    pub(super) fn of(memory: &'a Memory, home: &'a AccountName) -> Self {
        let mut copies = Self { home, into: BTreeMap::new() };
        let mut reached = vec![home];
        let mut next = 0;
        while let Some(from) = reached.get(next).copied() {
            next += 1;
            for ((source, to), links) in &memory.links {
                let placed = links.iter().filter(|link| link.origin == LinkOrigin::Placed);
                if source != from || to == home || placed.clone().next().is_none() {
                    continue;
                }
                let links = Links::of(placed, |link| link.destination.as_ref());
                copies.into.entry(to).or_default().push((from, links));
                if !reached.contains(&to) {
                    reached.push(to);
                }
            }
        }
        copies
    }

    /// Whether an activity of an account began at home.
    pub(super) fn contains(&self, account: &AccountName, activity: &Activity) -> bool {
        self.origin(account, activity).is_some()
    }

    /// What an activity of an account was at home, if it began there.
    pub(super) fn origin(&self, account: &AccountName, activity: &Activity) -> Option<&'a Side> {
        let step = |at: &AccountName| self.into.get(at).into_iter().flatten();
        let mut stations: Vec<(&AccountName, &'a Side)> = step(account)
            .filter_map(|(from, links)| Some((*from, &links.find(activity)?.source)))
            .collect();
        for _ in 0..MAX_STATIONS {
            if let Some((_, side)) = stations.iter().find(|(at, _)| *at == self.home) {
                return Some(*side);
            }
            stations = stations
                .into_iter()
                .flat_map(|(at, side)| step(at).map(move |(from, links)| (*from, links, side)))
                .filter_map(|(from, links, side)| Some((from, &links.find(side)?.source)))
                .collect();
        }
        None
    }
}
