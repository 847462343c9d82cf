//! What a scenario's earlier runs and people left: links, refusals, decisions.

use fit_sync::domain::{
    Activity, Address, Decision, Link, LinkOrigin, LinkStatus, Party, Refusal, RefusalReason,
    RemoteId, RuleName, Side, Verdict,
};

use super::scenario::{NOW, Scenario, name, pair, profile};

/// Memory: all of it is about the activities as they are when it is told.
impl Scenario {
    /// `us/1 -> archive/a`: apply put it there.
    pub(crate) fn placed(self, sides: &str) -> Self {
        self.link(sides, LinkOrigin::Placed, LinkStatus::Confirmed)
    }

    /// `us/1 -> archive/a`: apply found the pair.
    pub(crate) fn found(self, sides: &str) -> Self {
        self.link(sides, LinkOrigin::Found, LinkStatus::Confirmed)
    }

    /// `us/1 -> archive`: sent, not listed yet.
    pub(crate) fn pending(self, sides: &str, since: &str, full_reads: u32) -> Self {
        let status = LinkStatus::Pending { since: since.parse().unwrap(), full_reads };
        self.link(sides, LinkOrigin::Placed, status)
    }

    /// `archive/a`: an open step has placed it, or is to take it away.
    pub(crate) fn unsettled(mut self, activity: &str) -> Self {
        let (account, id) = activity.split_once('/').unwrap();
        self.memory.unsettled.entry(name(account)).or_default().insert(RemoteId::new(id));
        self
    }

    /// Every activity with the one of the same id.
    pub(crate) fn link_all(mut self, direction: &str) -> Self {
        let (source, destination) = pair(direction);
        for Activity { id, .. } in self.accounts.get(&source).unwrap().activities.clone() {
            self = self.placed(&format!("{source}/{id} -> {destination}/{id}"));
        }
        self
    }

    fn link(mut self, sides: &str, origin: LinkOrigin, status: LinkStatus) -> Self {
        let (source, there) = sides.split_once(" -> ").unwrap();
        let (source, id) = source.split_once('/').unwrap();
        let (account, found) =
            there.split_once('/').map_or((there, None), |(account, id)| (account, Some(id)));
        let side =
            |account: &str, id: &str| Side::of(self.activity(&name(account), &RemoteId::new(id)));
        let rule = RuleName::new(format!("{source}-to-{account}"));
        let link = Link {
            address: Address::of_id(&rule, &RemoteId::new(id)),
            rule,
            source: side(source, id),
            destination: found.map(|found| side(account, found)),
            origin,
            status,
        };
        self.memory.links.entry((name(source), name(account))).or_default().push(link);
        self
    }

    /// `us/1 -> archive`: refused a moment ago, for the second day.
    pub(crate) fn refused(self, sides: &str, reason: RefusalReason, detail: &str) -> Self {
        self.found_refused(sides, reason, detail, (2, NOW))
    }

    /// `us/1 -> archive`, or with the named activity `us/1 -> archive/a`: refused on so many days,
    /// last at this time.
    pub(crate) fn found_refused(
        mut self,
        sides: &str,
        reason: RefusalReason,
        detail: &str,
        (looks, last_seen): (u32, &str),
    ) -> Self {
        let (source, there) = sides.split_once(" -> ").unwrap();
        let (source, id) = source.split_once('/').unwrap();
        let (destination, candidate) =
            there.split_once('/').map_or((there, None), |(account, id)| (account, Some(id)));
        let Activity { id, fingerprint, .. } =
            self.activity(&name(source), &RemoteId::new(id)).clone();
        let found = Refusal::found(id, fingerprint, reason, detail, last_seen.parse().unwrap());
        let refusal = Refusal { looks, candidate: candidate.map(RemoteId::new), ..found };
        let key = (name(source), name(destination));
        self.memory.refusals.entry(key).or_default().insert(refusal.id.clone(), refusal);
        self
    }

    /// `us/1 -> archive/a`: they are the same.
    pub(crate) fn adopt(self, sides: &str) -> Self {
        self.decide(Verdict::Adopt, sides)
    }

    /// `us/1 -> archive/a archive/b`: it is none of these.
    pub(crate) fn distinct(self, sides: &str) -> Self {
        self.decide(Verdict::Distinct, sides)
    }

    /// `us/1 -> archive`: it is left alone.
    pub(crate) fn ignore(self, sides: &str) -> Self {
        self.decide(Verdict::Ignore, sides)
    }

    fn decide(mut self, decision: Verdict, sides: &str) -> Self {
        let (source, others) = sides.split_once(" -> ").unwrap();
        let destination = self.destination_of(others);
        let party = |text: &str| {
            let (account, id) = text.split_once('/')?;
            let row = self.activity(&name(account), &RemoteId::new(id));
            Some(Party {
                account: name(account),
                profile: Some(profile(&name(account))),
                id: row.id.clone(),
                fingerprint: row.fingerprint.clone(),
            })
        };
        let source = party(source).unwrap();
        let rule = RuleName::new(format!("{}-to-{destination}", source.account));
        let others: Vec<Party> = others.split(' ').filter_map(party).collect();
        let adopts = decision == Verdict::Adopt;
        self.memory.decisions.push(Decision {
            decision,
            address: Address::of_id(&rule, &source.id),
            rule,
            source,
            destination: others.first().filter(|_| adopts).cloned(),
            candidates: if adopts { Vec::new() } else { others },
            at: NOW.parse().unwrap(),
        });
        self
    }

    /// The destination among accounts and activities: the last one named.
    fn destination_of<'t>(&self, others: &'t str) -> &'t str {
        let last = others.split(' ').next_back().unwrap();
        last.split_once('/').map_or(last, |(account, _)| account)
    }
}
