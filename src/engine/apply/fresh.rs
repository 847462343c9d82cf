//! Whether what is known of a step's accounts is young enough to act upon.
//!
//! A plan is believed for ten minutes. A run that takes longer, or that waited for a person's word,
//! reads the accounts again before it goes on: what has changed at the source is not sent, and what
//! somebody else has brought to the destination since is not doubled.

use std::collections::HashSet;

use jiff::SignedDuration;
use serde_json::json;

use crate::domain::{AccountName, Activity};
use crate::event::Phase;
use crate::plan::matching::{self, Field, Outcome, Seeker};

use super::super::error::EngineError;
use super::task::Task;
use super::{Cause, Reading, Run};

/// How long a reading is believed.
const BELIEVED: SignedDuration = SignedDuration::from_mins(10);

impl Run<'_> {
    /// Reads the step's accounts again if they were read too long ago. Says whether the step may go
    /// on; if not, it has ended.
    pub(super) async fn is_fresh(&self, task: &mut Task) -> Result<bool, EngineError> {
        let accounts = [task.step.source.account.clone(), task.step.destination.account.clone()];
        for account in accounts {
            // Of several steps that find it too old, one reads.
            let _alone = self.reading.lock().await;
            if !self.is_old(&account) {
                continue;
            }
            let why = match self.read_again(&account).await? {
                Reading::Complete => continue,
                Reading::Partial => "only part of it could be read again",
                Reading::Failed => "it could not be read again",
            };
            task.cause = Some(Cause::Unavailable);
            let words = format!("{account} was read more than ten minutes ago, and {why}");
            task.enter(self, Phase::NotTried, &words, json!({}))?;
            return Ok(false);
        }
        Ok(true)
    }

    fn is_old(&self, account: &AccountName) -> bool {
        let read_at = self.inventory(account).and_then(|inventory| inventory.refreshed_at);
        read_at.is_none_or(|at| self.session.clock().now().duration_since(at) > BELIEVED)
    }

    /// What a recording is to those activities that have come to its destination since the plan and
    /// that no step of this run has brought.
    pub(super) fn among_newcomers(
        &self,
        destination: &AccountName,
        activity: &Activity,
    ) -> Option<(Outcome, Vec<Activity>)> {
        let inventory = self.inventory(destination)?;
        let known = self.known.borrow();
        let known: Option<&HashSet<_>> = known.get(destination);
        let is_new = |row: &&Activity| !known.is_some_and(|ids| ids.contains(&row.id));
        let newcomers: Vec<&Activity> = inventory.activities.iter().filter(is_new).collect();
        if newcomers.is_empty() {
            return None;
        }
        let others = self.not_ours(destination, activity, newcomers);
        let field = Field { activities: others.iter().collect(), ..Field::default() };
        let outcome = matching::find(&[seeker(activity)], &field).into_iter().next()?;
        Some((outcome, others))
    }

    /// The newcomers but for those that steps of this run have sent, which may be listed by now: each
    /// is told by who fits it best.
    fn not_ours(
        &self,
        destination: &AccountName,
        activity: &Activity,
        newcomers: Vec<&Activity>,
    ) -> Vec<Activity> {
        let sent = self.under_way.borrow();
        let sent = sent.iter().filter(|(to, _)| to == destination).map(|(_, parcel)| parcel);
        let seekers: Vec<Seeker<'_>> = sent.chain([activity]).map(seeker).collect();
        let field = Field { activities: newcomers, ..Field::default() };
        let mut outcomes = matching::find(&seekers, &field);
        outcomes.pop();
        let ours: HashSet<usize> = outcomes
            .into_iter()
            .filter_map(|outcome| match outcome {
                Outcome::Match(place, _) => Some(place),
                Outcome::Ambiguous(_)
                | Outcome::Overlap(_)
                | Outcome::ZoneSuspect(_)
                | Outcome::Alone => None,
            })
            .collect();
        let rows = field.activities.into_iter().enumerate();
        rows.filter(|(place, _)| !ours.contains(place)).map(|(_, row)| row.clone()).collect()
    }
}

fn seeker(activity: &Activity) -> Seeker<'_> {
    Seeker { activity, account: 0, fixed: None, excluded: Vec::new() }
}
