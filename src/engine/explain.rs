//! Everything that is known about one address: what the plan says, what that rests on, and what
//! earlier runs made of it.

use jiff::Timestamp;

use crate::domain::{AccountName, Activity, Address, Decision, Link, Refusal};
use crate::plan::{ActivityRef, Notice, Options};
use crate::state::StepRecord;

use super::diff::find;
use super::error::EngineError;
use super::listing::YOUNG;
use super::plan::{PlanRequest, Planned, plan};
use super::refresh::Refresh;
use super::session::Session;
use super::standing::{Standing, standing};

/// What is known about an address.
#[derive(Debug)]
pub struct Explanation {
    /// The address.
    pub address: Address,
    /// What the plan says.
    pub standing: Standing,
    /// How near each counterpart is, in their order.
    pub evidence: Vec<Evidence>,
    /// The activity at the destination whose start is nearest, where there is no counterpart.
    pub nearest: Option<(ActivityRef, Evidence)>,
    /// An edit that the plan leaves alone.
    pub notice: Option<Notice>,
    /// The pair as an earlier run remembered it.
    pub link: Option<Link>,
    /// A permanent reason against it.
    pub refusal: Option<Refusal>,
    /// What people decided about it, and whether that still holds.
    pub decisions: Vec<(Decision, InForce)>,
    /// Its steps in earlier runs.
    pub steps: Vec<StepRecord>,
    /// When source and destination were read.
    pub read: Vec<(AccountName, Option<Timestamp>)>,
}

/// Whether a decision still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InForce {
    /// It does.
    Yes,
    /// The activity has changed since.
    Changed,
}

/// How an activity compares with one at the destination; `None` where a side does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Seconds that the other one starts later.
    pub starts_later_s: Option<i64>,
    /// Time in common over time in all, in thousandths.
    pub overlap_permille: Option<u32>,
    /// Seconds that the other one is longer.
    pub longer_s: Option<i64>,
    /// Metres that the other one is longer.
    pub farther_m: Option<i64>,
    /// Whether the types are of one family.
    pub same_family: bool,
    /// Whether both were recorded by the same device.
    pub same_device: Option<bool>,
    /// Whether both hold the same bytes.
    pub same_bytes: Option<bool>,
}

impl Evidence {
    fn of(source: &Activity, other: &Activity) -> Self {
        let apart = |a: Option<u32>, b: Option<u32>| Some(i64::from(b?) - i64::from(a?));
        let starts = source.start.zip(other.start);
        Self {
            starts_later_s: starts.map(|(a, b)| b.as_second() - a.as_second()),
            overlap_permille: source
                .interval()
                .zip(other.interval())
                .map(|(a, b)| a.overlap_permille(&b)),
            longer_s: apart(source.elapsed_s, other.elapsed_s),
            farther_m: apart(source.distance_m, other.distance_m),
            same_family: source.kind.family() == other.kind.family(),
            same_device: source.device.as_ref().zip(other.device.as_ref()).map(|(a, b)| a == b),
            same_bytes: source.sha256.as_ref().zip(other.sha256.as_ref()).map(|(a, b)| a == b),
        }
    }
}

/// Explains an address. The accounts are read only if a listing is older than a quarter of an hour.
///
/// # Errors
/// If there is no activity at that address.
pub async fn explain(session: &Session, address: &Address) -> Result<Explanation, EngineError> {
    let refresh = if all_young(session)? { Refresh::None } else { Refresh::Incremental };
    let request = PlanRequest { refresh, options: Options::default(), max_downloads: 0 };
    let planned = plan(session, &request).await?;
    let standing = standing(session, &planned, address)?;
    let row = |activity: &ActivityRef| find(&planned.inventories, &activity.account, &activity.id);
    let source = row(&standing.source);
    let source = source.ok_or_else(|| EngineError::UnknownAddress(address.clone()))?;
    let evidence = |other: &ActivityRef| {
        row(other).map(|other| Evidence::of(source, other)).unwrap_or_default()
    };
    let (from, to) = (&standing.rule.source, &standing.rule.destination);
    let is_its = |link: &&Link| link.source.id == source.id;
    let mut notices = planned.plan.notices.iter();
    Ok(Explanation {
        address: address.clone(),
        evidence: standing.counterparts.iter().map(evidence).collect(),
        nearest: nearest(&planned, &standing, source),
        notice: notices.find(|(at, _)| at == address).map(|(_, notice)| *notice),
        link: planned.memory.links_between(from, to).iter().find(is_its).cloned(),
        refusal: planned.memory.last_refusal(from, to, &source.id).cloned(),
        decisions: decisions(session, &standing, source),
        steps: session.store.steps_at(address)?,
        read: [from, to].into_iter().map(|name| (name.clone(), read_at(&planned, name))).collect(),
        standing,
    })
}

/// Whether every account of the rules was read a moment ago.
fn all_young(session: &Session) -> Result<bool, EngineError> {
    let oldest = session.clock().now().saturating_sub(YOUNG).unwrap_or(Timestamp::MIN);
    for rule in &session.manifest.rules {
        for name in [&rule.source, &rule.destination] {
            let platform = session.manifest.accounts.get(name).map(|account| &account.platform);
            let known = session.store.account_named(name)?;
            let known = known.filter(|known| Some(&known.platform) == platform);
            let meta = known.map(|known| session.store.inventory_meta(known.row)).transpose()?;
            if meta.flatten().is_none_or(|meta| meta.refreshed_at <= oldest) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn read_at(planned: &Planned, name: &AccountName) -> Option<Timestamp> {
    planned.inventories.get(name).and_then(|inventory| inventory.refreshed_at)
}

/// What shows that nothing at the destination is it.
fn nearest(
    planned: &Planned,
    standing: &Standing,
    source: &Activity,
) -> Option<(ActivityRef, Evidence)> {
    if !standing.counterparts.is_empty() {
        return None;
    }
    let destination = &standing.rule.destination;
    let apart = |row: &&Activity| {
        let apart = row.start.zip(source.start);
        apart.map_or(i64::MAX, |(a, b)| (a.as_second() - b.as_second()).abs())
    };
    source.start?;
    let rows = planned.inventories.get(destination)?.activities.iter();
    let found = rows.filter(|row| row.start.is_some()).min_by_key(apart)?;
    Some((ActivityRef::of(destination, found), Evidence::of(source, found)))
}

fn decisions(
    session: &Session,
    standing: &Standing,
    source: &Activity,
) -> Vec<(Decision, InForce)> {
    let about = |decision: &&Decision| {
        decision.rule == standing.rule.name && decision.source.id == source.id
    };
    let holds = |decision: &Decision| match decision.source.fingerprint == source.fingerprint {
        true => InForce::Yes,
        false => InForce::Changed,
    };
    let decisions = session.decisions.iter().filter(about);
    decisions.map(|decision| (decision.clone(), holds(decision))).collect()
}
