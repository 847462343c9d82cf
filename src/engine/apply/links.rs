//! What a run remembers about the pairs that its plan found in sync.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{AccountName, Activity, Link, LinkOrigin, LinkStatus, RemoteId, Sha256, Side};
use crate::plan::{InSyncReason, Pair};

use super::super::error::EngineError;
use super::run::Run;

impl Run<'_> {
    /// Remembers every pair that was found in sync; a known link keeps the facts against which a
    /// change is measured.
    pub(super) fn keep_links(&self, in_sync: &[Pair]) -> Result<(), EngineError> {
        let mut by_accounts: BTreeMap<(AccountName, AccountName), Vec<&Pair>> = BTreeMap::new();
        for pair in in_sync {
            if let Some(found) = &pair.destination {
                let accounts = (pair.source.0.clone(), found.0.clone());
                by_accounts.entry(accounts).or_default().push(pair);
            }
        }
        for ((from, to), pairs) in by_accounts {
            let Some((source, destination)) = self.pair(&from, &to) else { continue };
            let views = self.views.borrow();
            let Some((here, there)) = views.get(&from).zip(views.get(&to)) else { continue };
            let known = self.memory.links_between(&from, &to);
            let by_id: HashMap<&RemoteId, &Link> =
                known.iter().map(|link| (&link.source.id, link)).collect();
            let by_bytes: HashMap<&Sha256, &Link> = known
                .iter()
                .filter_map(|link| Some((link.source.sha256.as_ref()?, link)))
                .collect();
            let links: Vec<Link> = pairs
                .into_iter()
                .filter_map(|pair| {
                    let found = pair.destination.as_ref()?;
                    let sides = (here.row(&pair.source.1)?, there.row(&found.1)?);
                    // A renamed file keeps its link.
                    let renamed = || by_bytes.get(sides.0.sha256.as_ref()?);
                    let known = by_id.get(&pair.source.1).or_else(renamed).copied();
                    link_of(pair, known, (&sides.0, &sides.1))
                })
                .collect();
            self.session.store.save_links(source.row, destination.row, &links)?;
        }
        self.claim_pairs(in_sync);
        Ok(())
    }
}

/// The link that a pair in sync deserves; `None` if what is known already says it.
fn link_of(pair: &Pair, known: Option<&Link>, sides: (&Activity, &Activity)) -> Option<Link> {
    let settled = known.is_some_and(|link| {
        link.status == LinkStatus::Confirmed
            && link.source.id == sides.0.id
            && link.destination.as_ref().is_some_and(|side| side.id == sides.1.id)
    });
    if settled && pair.reason == InSyncReason::Linked {
        return None;
    }
    // What was found in the place of what apply had put there is somebody else's.
    let is_found = matches!(pair.reason, InSyncReason::SameBytes | InSyncReason::SameActivity);
    let is_other =
        known.and_then(|link| link.destination.as_ref()).is_some_and(|side| side.id != sides.1.id);
    let placed =
        known.is_some_and(|link| link.origin == LinkOrigin::Placed) && !(is_found && is_other);
    let origin = match pair.reason {
        InSyncReason::Adopted => LinkOrigin::Adopted,
        InSyncReason::Linked
        | InSyncReason::SameBytes
        | InSyncReason::SameActivity
        | InSyncReason::Pending => {
            if placed {
                LinkOrigin::Placed
            } else {
                LinkOrigin::Found
            }
        }
    };
    Some(Link {
        rule: pair.rule.clone(),
        address: pair.address.clone(),
        source: Side::of(sides.0),
        destination: Some(Side::of(sides.1)),
        origin,
        status: LinkStatus::Confirmed,
    })
}
